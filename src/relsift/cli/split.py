"""relsift split"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options
from relsift.cli.output import echo


def command(
    *,
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    out: Annotated[Path, typer.Option(help="New folder for train.jsonl, dev.jsonl and test.jsonl.")],
    dev: Annotated[float, typer.Option(help="Share of the sentences for the development part; 0: none.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share of the sentences for the test part; 0: none.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Decides which document is in which part.", min=0, max=2**63 - 1)] = 0,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Cut annotated data into training, development and test parts, by document; documents that share text stay together.

    Parts that the data has already stay as they are; the missing ones are cut from its training part.
    """
    from relsift.corpora.data import resolve
    from relsift.corpora.no_relation import never_seen
    from relsift.corpora.prepare import document_counts
    from relsift.corpora.split import split

    report = data_options.read_report(on_error)
    source = resolve(data_options.one_data(data, data_option), no_relation or ())
    parts, warnings = split(source, out, dev=dev, test=test, seed=seed, report=report)
    for part, documents in parts.items():
        counts = {name: sum(document_counts(document)[name] for document in documents) for name in ("documents", "sentences", "relations")}
        echo(f"{part}: {', '.join(f'{count} {name}' for name, count in counts.items())}, written to {out / part}.jsonl")
    for line in report.lines():
        echo(f"left out or changed: {line}", err=True)
    data_options.tell(warnings=[*warnings, *never_seen(no_relation or (), report), *data_options.lost_in_copies(report)])
