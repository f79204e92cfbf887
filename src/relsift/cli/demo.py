"""relsift demo"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def command(
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("demo-out"),
) -> None:
    """Train on the shipped corpus, score it, write predictions and an HTML page."""
    from rich.console import Console

    from relsift.cli.progress import TrainingProgress
    from relsift.demo import demo_config, run_demo
    from relsift.report.score_tables import error_table, score_table
    from relsift.report.terminal import rich_table

    config = demo_config(lang)
    typer.echo(
        f"training on gazette-{lang}, the invented-news corpus that comes with relsift; the first epoch also compiles the kernels, once",
        err=True,
    )
    try:
        with TrainingProgress(config.training.epochs, Console(stderr=True)) as progress:
            files, scores = run_demo(lang, config, out, on_epoch=progress.epoch, on_batch=progress.batch)
    except KeyboardInterrupt:
        typer.echo("relsift: interrupted; the same command starts the demo anew", err=True)
        raise
    console = Console()
    console.print(rich_table(score_table(scores, f"gazette-{lang}, test part")))
    console.print(rich_table(error_table(scores)))
    typer.echo(scores.setting_line())
    sys.stdout.write(
        f"model        {files.model}\npredictions  {files.predictions}\npage         {files.page}   (open it in a browser)\n"
    )
