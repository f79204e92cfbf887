"""Write the tables and plots of docs/results, of its overview, and of the choice of a model from the cells in benchmarks/results.

    python benchmarks/results_page.py
"""

from __future__ import annotations

from pathlib import Path

import experiments_page
import layers_page
import official_page
import systems_page
import transformers_page
from measure import write_between

DOCS = Path(__file__).parent.parent / "docs"


def main() -> None:
    for module in (experiments_page, layers_page, official_page, systems_page, transformers_page):
        for (page, name), lines in module.parts().items():
            write(DOCS / "results" / f"{page}.md", name, "\n".join(lines).strip())
    write(DOCS / "how_to" / "choose_a_model.md", "joint", transformers_page.joint_overview())
    overview = DOCS / "results_overview.md"
    write(overview, "results", official_page.overview())
    write(overview, "systems", systems_page.overview())
    write(overview, "folds", "\n".join(experiments_page.overview()))


def write(page: Path, name: str, text: str) -> None:
    """Replace what stands between the two comments that name a part of a page."""
    write_between((f"<!-- {name} -->", f"<!-- end of {name} -->"), page, f"\n{text}\n")


if __name__ == "__main__":
    main()
