"""relsift convert"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options
from relsift.cli.output import echo


def command(
    source: Annotated[
        str | None, typer.Argument(metavar="SRC", help=f"Annotated data: {data_options.WHAT}. Or use --data.", show_default=False)
    ] = None,
    target: Annotated[
        Path | None,
        typer.Argument(
            metavar="DST", help="A file, or a folder (no suffix) for one file a part, or for a format of several files.", show_default=False
        ),
    ] = None,
    data_option: Annotated[str | None, typer.Option("--data", metavar="SRC", help="The same as SRC.", show_default=False)] = None,
    format: Annotated[str | None, typer.Option(help="Output format, see below; told by the suffix of DST if left out.")] = None,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Write annotated data in another format."""
    from relsift.corpora.convert import convert, writer_for
    from relsift.corpora.data import resolve
    from relsift.corpora.no_relation import never_seen
    from relsift.errors import ConfigError
    from relsift.omissions import Omissions

    if data_option is not None and target is None and source is not None:  # `convert --data SRC DST`
        target, source = Path(source), None
    data = data_options.one_data(source, data_option)
    if target is None:
        raise ConfigError("DST: expected a file or a folder to write, got none; write `relsift convert SRC DST`")
    writer, report, left_out = writer_for(target, format), data_options.read_report(on_error), Omissions()
    for file in convert(resolve(data, no_relation or ()), target, writer, report, left_out=left_out):
        echo(f"written to {file}", err=not (file.is_file() or file.is_dir()))  # a pipe gets the data and nothing else
    for line in report.lines():
        echo(f"left out or changed: {line}", err=True)
    for line in left_out.lines():
        echo(f"not in the format {writer.name}: {line}", err=True)
    data_options.tell(warnings=[*never_seen(no_relation or (), report), *data_options.lost_in_copies(report)])
