"""Write docs/results.md, and the tables in docs/results_overview.md, from the cells in benchmarks/results.

    python benchmarks/results_page.py
"""

from __future__ import annotations

from pathlib import Path

import experiments_page
import official_page
import systems_page
import transformers_page
from measure import write_between

PAGE = Path(__file__).parent.parent / "docs" / "results.md"
OVERVIEW = PAGE.with_name("results_overview.md")
NOTE = "made by benchmarks/results_page.py; edit the .md files in benchmarks/results for the words"


def main() -> None:
    parts = (experiments_page, transformers_page, official_page, systems_page)
    lines = ["# Results", "", f"<!-- {NOTE} -->", "", *(line for part in parts for line in part.page())]
    PAGE.write_text("\n".join(lines).rstrip() + "\n", encoding="utf-8")
    for name, text in (
        ("results", official_page.overview()), ("systems", systems_page.overview()), ("folds", "\n".join(experiments_page.overview())),
    ):  # fmt: skip
        write_between((f"<!-- {name} -->", f"<!-- end of {name} -->"), OVERVIEW, text)


if __name__ == "__main__":
    main()
