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
    echo(
        f"training on gazette-{lang}, the invented-news corpus that comes with relsift; the first epoch also compiles the kernels, once",
        err=True,
    )
    try:
        with TrainingProgress(config.training.epochs, new_console(err=True)) as progress:
            files, scores = run_demo(lang, config, out, on_epoch=progress.epoch, on_batch=progress.batch)
    except KeyboardInterrupt:
        echo("relsift: interrupted; the same command starts the demo anew", err=True)
        raise
    show(score_table(scores, f"gazette-{lang}, test part"))
    show(error_table(scores))
    echo(scores.setting_line())
    echo(
        f"model        {files.model}", f"predictions  {files.predictions}", f"page         {files.page}   (open it in a browser)"
    )
