"""Take the picture of README.md from the page of a demo, and write its caption from the scores of the same demo.

    make demo && .venv/bin/python benchmarks/demo_picture.py demo-out

Needs Chromium (Debian: the package chromium).
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from measure import write_between

from relsift.files import file_sha256, write_json

ROOT = Path(__file__).resolve().parents[1]
PICTURE = ROOT / "docs" / "images" / "demo-page.png"
FIGURES = PICTURE.with_suffix(".json")  # the scores of the pictured demo, and the checksum of its picture
MARKS = ("<!-- demo -->", "<!-- end of demo -->")
SIZE = "1400,958"  # pixels: the head of the page and three sentences
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--virtual-time-budget=3000", "--hide-scrollbars", f"--window-size={SIZE}"),
)


def caption(figures: dict[str, Any]) -> str:
    """What stands under the picture."""
    counts = figures["relations"]
    return (
        f"![The top of the demo's page: scores, and gold, found, missed and spurious relations drawn over sentences]"
        f"({PICTURE.relative_to(ROOT).as_posix()})\n\n"
        f"*The page that `make demo` writes, cut after three of its {figures['sentences']} sentences. Of the {counts['gold']}\n"
        f"relations of the test part {counts['found']} are found (solid lines), {counts['missed']} missed (dashed) and\n"
        f"{counts['wrong']} have a wrong type; {counts['spurious']} more are spurious (dotted). Micro F1 is {100 * figures['f1']:.1f}.*"
    )


def figures_of(scores: dict[str, Any]) -> dict[str, Any]:
    """The figures of the page, from the demo's test.json."""
    errors = scores["errors"]
    gold = sum(row["support"] for row in scores["per_type"].values())
    found = sum(row["tp"] for row in scores["per_type"].values())
    relations = {"gold": gold, "found": found}
    relations |= {"missed": errors["false_negative"], "wrong": errors["wrong_class"], "spurious": errors["false_positive"]}
    return {"sentences": scores["sentences"], "f1": scores["micro"]["f1"], "relations": relations}


def take(page: Path, picture: Path) -> None:
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise SystemExit("expected Chromium on the PATH, got none; Debian has it in the package chromium")
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *_FLAGS, f"--user-data-dir={profile}", f"--screenshot={picture}", page.resolve().as_uri()]
        subprocess.run(command, check=True, capture_output=True, timeout=120)


def main(demo: Path) -> None:
    figures = figures_of(json.loads((demo / "run" / "test.json").read_text(encoding="utf-8")))
    take(demo / "predictions.html", PICTURE)
    write_json(FIGURES, figures | {"picture_sha256": file_sha256(PICTURE)})
    write_between(MARKS, ROOT / "README.md", caption(figures))


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "demo-out"))
