"""relsift demo"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli.output import echo, new_console, show


def command(
    lang: Annotated[str, typer.Option(help="en or zh.")] = "en",
    out: Annotated[Path, typer.Option(help="Folder to write.")] = Path("demo-out"),
) -> None:
    """Train on the shipped corpus, score it, write predictions and an HTML page."""
    from relsift.cli.progress import TrainingProgress
    from relsift.demo import demo_config, run_demo
    from relsift.report.score_tables import error_table, score_table

    config = demo_config(lang)
    echo(f"training on gazette-{lang}, the invented-news corpus that comes with relsift", err=True)
    with TrainingProgress(config.training.epochs, new_console(err=True)) as progress:
        result = run_demo(lang, config, out, on_epoch=progress.epoch, on_batch=progress.batch)
    show(score_table(result.scores, f"gazette-{lang}, test part"))
    show(error_table(result.scores))
    echo(result.scores.setting_line())
    echo(
        f"model        {result.model}", f"predictions  {result.predictions}", f"page         {result.page}   (open it in a browser)"
    )
