"""relsift evaluate"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder.")],
    data: Annotated[str, typer.Option(help="Annotated data; the test part of a corpus that has one.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")] = False,
) -> None:
    """Score a model on annotated data with gold entities."""
    from rich.console import Console

    from relsift.cli.tables import error_table, score_table
    from relsift.extractor import RelationExtractor
    from relsift.training.data import scoring_data
    from relsift.training.run import score_bundle

    extractor = RelationExtractor.from_pretrained(run)
    sentences, name, notes = scoring_data(data)
    scores, report = score_bundle(extractor.bundle, sentences)
    for line in [*notes, *report.lines()]:
        typer.echo(f"note: {line}", err=True)
    if as_json:
        sys.stdout.write(
            json.dumps({"data": name, "threshold": extractor.threshold} | scores.to_json(), ensure_ascii=False, indent=1) + "\n"
        )
        return
    console = Console()
    console.print(score_table(scores, name))
    console.print(error_table(scores))
    typer.echo(scores.setting_line())
