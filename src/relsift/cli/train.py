"""relsift train"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options
from relsift.cli.output import echo, new_console, note, show


def command(
    *,
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    dev: Annotated[str | None, typer.Option(help="Development data; the corpus's own development part if left out.")] = None,
    dev_fraction: Annotated[
        float | None, typer.Option(help="Hold out this share of the training sentences, in whole documents, as development data.")
    ] = None,
    model: Annotated[str | None, typer.Option(help="Model name, see `relsift models`.")] = None,
    preset: Annotated[str | None, typer.Option(help="Published values to start from, see `relsift models`.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Override a value: training.epochs=10, model.tags=false …")] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Folder or hub id of a Hugging Face transformer, which then reads the text for the model.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 … or auto; short for --set training.device=NAME.")] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in --out.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Train a model; select epoch and threshold on development data."""
    from relsift.cli.progress import TrainingProgress
    from relsift.config import load_config
    from relsift.corpora.data import resolve
    from relsift.device import checked_device
    from relsift.files import check_output
    from relsift.report.score_tables import score_table
    from relsift.training.data import training_data
    from relsift.training.run import train_run

    options = [*(overrides or []), *([] if device is None else [f"training.device={json.dumps(device)}"])]
    # Before the data is read, which may take long:
    check = load_config(model=model, preset=preset, file=config, overrides=options, encoder=encoder)
    checked_device(check.training.device, "training.device" if device is None else "--device")
    name_of_data = data_options.one_data(data, data_option)
    reads = [place for spec in (name_of_data, dev) if spec for place in resolve(spec).inputs]
    check_output(out, [*reads, *([config] if config else [])], option="--out")
    training = training_data(
        name_of_data, dev, dev_fraction=dev_fraction, no_relation=no_relation or (), on_error=data_options.as_on_error(on_error)
    )
    data_options.tell(training.notes, training.warnings)
    run_config = load_config(
        model=model, preset=preset, file=config, overrides=options, direction=training.direction, encoder=encoder
    )
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
