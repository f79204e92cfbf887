"""relsift predict"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder.")],
    source: Annotated[
        str,
        typer.Argument(metavar="INPUT", help="File, folder, format:path, corpus name, or - for JSON lines on standard input."),
    ],
    out: Annotated[Path | None, typer.Option(help="File to write; standard output if left out.")] = None,
    format: Annotated[str, typer.Option(help="Output format, see `relsift convert --help`.")] = "native",
    threshold: Annotated[float | None, typer.Option(help="Score from which on a pair is related; the model's own if left out.")] = None,
) -> None:
    """Find relations between the annotated entities of the input; relations already there are replaced."""
    from relsift.extractor import RelationExtractor
    from relsift.inference import InferenceReport
    from relsift.prediction import predict_file

    extractor = RelationExtractor.from_pretrained(run)
    report = InferenceReport()
    seconds, notes = predict_file(extractor, source, out, writer=format, threshold=threshold, report=report)
    counts, speed = report.candidates, 1 / max(seconds, 1e-9)
    typer.echo(
        f"{report.sentences} sentences, {counts.kept} pairs scored, {sum(counts.dropped.values())} dropped, in {seconds:.1f} s "
        f"({report.sentences * speed:.0f} sentences/s, {counts.kept * speed:.0f} pairs/s)",
        err=True,
    )
    for line in [*notes, *report.lines()]:
        typer.echo(f"note: {line}", err=True)
