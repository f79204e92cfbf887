"""A report as files: Markdown with its plots beside it, and one HTML page that needs nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from relsift.errors import DataError
from relsift.report import html, markdown
from relsift.report.blocks import Report


def write_report(report: Report, folder: Path, name: str) -> list[Path]:
    """Write NAME.md, plots/NAME-FIGURE.svg and NAME.html; returns the files.

    Raises: DataError if two figures have one name, or a name that is no file name.
    """
    figures = report.figures()
    names = [figure.name for figure in figures]
    if wrong := [one for one in (name, *names) if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", one)]:
        raise DataError(f"report {name!r}: expected names of letters, digits, '.', '_' and '-', got {wrong[0]!r}")
    if twice := [one for one in names if names.count(one) > 1]:
        raise DataError(f"report {name!r}: expected a name of its own for every figure, got {twice[0]!r} twice")
    (folder / "plots").mkdir(parents=True, exist_ok=True)
    texts = {folder / f"{name}.md": markdown.report(report, name), folder / f"{name}.html": html.report(report)}
    texts |= {folder / figure.file(name): figure.svg for figure in figures}
    for file, text in texts.items():
        file.write_text(text, encoding="utf-8", newline="\n")
    return list(texts)
