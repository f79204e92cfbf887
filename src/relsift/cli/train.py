"""relsift train"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer


def command(
    data: Annotated[str, typer.Option(help="Training data: a prepared corpus, format:path, or a path.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    dev: Annotated[str | None, typer.Option(help="Development data; the corpus's own development part if left out.")] = None,
    model: Annotated[str | None, typer.Option(help="Model name, see `relsift models`.")] = None,
    preset: Annotated[str | None, typer.Option(help="Published values to start from, see `relsift models`.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file.")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="Override a value: training.epochs=10, model.tags=false …")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in --out.")] = False,
) -> None:
    """Train a model; select epoch and threshold on development data."""
    from rich.console import Console

    from relsift.cli.progress import TrainingProgress
    from relsift.cli.tables import score_table
    from relsift.config import load_config
    from relsift.training.data import training_data
    from relsift.training.run import train_run

    console = Console(stderr=True)
    loaded = training_data(data, dev)
    for line in loaded.notes:
        console.print(f"left out: {line}", highlight=False, markup=False)
    settings = load_config(model=model, preset=preset, file=config, overrides=list(overrides or []), direction=loaded.direction)
    console.print(
        f"{settings.model.name} on {loaded.run.name}: {len(loaded.run.training)} training and {len(loaded.run.development)} development "
        f"sentences, {settings.candidates.direction}",
        highlight=False,
    )
    with TrainingProgress(settings.training.epochs, console) as progress:
        result, scores = train_run(settings, loaded.run, out, resume=resume, on_epoch=progress.epoch, on_batch=progress.batch)
    report = result.candidates
    console.print(f"training candidates: {report.setting()}, positive to negative {report.ratio()}", highlight=False)
    for reason, count in report.lost.items():
        console.print(f"training relations without a candidate: {count} ({reason})", highlight=False)
    kept = result.progress
    console.print(
        f"epoch {kept.best_epoch} of {kept.epoch} kept, threshold {kept.best_threshold:.3f}", highlight=False, markup=False
    )
    Console().print(score_table(scores, "development"))
    sys.stdout.write(f"model written to {out / 'model'}\n")

