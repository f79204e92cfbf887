"""A report as files: Markdown with its plots beside it, and one HTML page that contains them."""

from __future__ import annotations

import re
from pathlib import Path

from relsift.errors import DataError
from relsift.files import make_folder, replaced_file
from relsift.report import html, markdown
from relsift.report.blocks import Report


def write_report(report: Report, folder: Path, name: str) -> list[Path]:
    """Write NAME.md, plots/NAME-FIGURE.svg and NAME.html; returns the files.

    Raises: DataError if two figures have one name, or a name that is no file name.
    """
    figures = report.figures()
    names = [figure.name for figure in figures]
    if unfit := [text for text in (name, *names) if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", text)]:
        raise DataError(f"report {name!r}: expected names of letters, digits, '.', '_' and '-', got {unfit[0]!r}")
    if repeated := [figure_name for figure_name in names if names.count(figure_name) > 1]:
        raise DataError(f"report {name!r}: expected a name of its own for every figure, got {repeated[0]!r} twice")
    make_folder(folder / "plots")
    texts = {folder / f"{name}.md": markdown.report(report, name), folder / f"{name}.html": html.report(report)}
    texts |= {folder / figure.file(name): figure.svg for figure in figures}
    for file, text in texts.items():
        with replaced_file(file) as stream:
            stream.write(text)
    return list(texts)
