"""relsift convert"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    source: Annotated[str, typer.Argument(metavar="SRC", help="A prepared corpus, format:path, or a path.")],
    target: Annotated[Path, typer.Argument(metavar="DST", help="A file, or a folder (no suffix) for one file a part.")],
    format: Annotated[str | None, typer.Option(help="Output format; told by the suffix of DST if left out.")] = None,
) -> None:
    """Write annotated data in another format."""
    from relsift.corpora.convert import convert, writer_for
    from relsift.corpora.data import resolve
    from relsift.readers.base import ReadReport

    report = ReadReport()
    for file in convert(resolve(source), target, writer_for(target, format), report):
        typer.echo(f"written to {file}")
    for line in report.lines():
        typer.echo(f"left out or changed: {line}", err=True)
