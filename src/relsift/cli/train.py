"""relsift train"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli.output import echo, new_console, note, show


def command(
    data: Annotated[str, typer.Option(help="Training data: a prepared corpus, format:path, or a path.")],
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    dev: Annotated[str | None, typer.Option(help="Development data; the corpus's own development part if left out.")] = None,
    model: Annotated[str | None, typer.Option(help="Model name, see `relsift models`.")] = None,
    preset: Annotated[str | None, typer.Option(help="Published values to start from, see `relsift models`.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Override a value: training.epochs=10, model.tags=false …")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in --out.")] = False,
) -> None:
    """Train a model; select epoch and threshold on development data."""
    from relsift.cli.progress import TrainingProgress
    from relsift.config import load_config
    from relsift.corpora.data import resolve
    from relsift.files import check_output
    from relsift.report.score_tables import score_table
    from relsift.training.data import training_data
    from relsift.training.run import train_run

    reads = [place for spec in (data, dev) if spec for place in resolve(spec).inputs]
    check_output(out, [*reads, *([config] if config else [])], option="--out")
    training = training_data(data, dev)
    for line in training.notes:
        note(line)
    run_config = load_config(model=model, preset=preset, file=config, overrides=list(overrides or []), direction=training.direction)
    echo(
        f"{run_config.model.name} on {training.run.name}: {len(training.run.training)} training and "
        f"{len(training.run.development)} development sentences, {run_config.candidates.direction}",
        err=True,
    )
    with TrainingProgress(run_config.training.epochs, new_console(err=True)) as progress:
        result, scores = train_run(run_config, training.run, out, resume=resume, on_epoch=progress.epoch, on_batch=progress.batch)
    report, state = result.candidates, result.state
    echo(f"training candidates: {report.setting()}, positive to negative {report.ratio()}", err=True)
    for reason, count in report.lost.items():
        note(f"{count} training relations have no candidate: {reason}")
    for line in [*result.notes, *([] if result.vectors is None else [result.vectors.line()])]:
        note(line)
    echo(f"epoch {state.best_epoch} of {state.epoch} kept, threshold {state.best_threshold:.3f}", err=True)
    show(score_table(scores, "development"))
    echo(scores.setting_line())
    echo(f"model written to {out / 'model'}")
