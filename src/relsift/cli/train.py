"""relsift train"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relsift.cli import data_options, text_options
from relsift.cli.output import echo, new_console, note, show

if TYPE_CHECKING:
    from relsift.bundle import Bundle
    from relsift.candidates import CandidateReport
    from relsift.cli.progress import TrainingProgress
    from relsift.config import RunConfig
    from relsift.training.run_folder import RunData


def command(
    *,
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    out: Annotated[Path, typer.Option(help="Run folder to write.")],
    dev: Annotated[str | None, typer.Option(help="Development data; the corpus's own development part if left out.")] = None,
    dev_fraction: Annotated[
        float | None, typer.Option(help="Hold out this share of the training sentences, in whole documents, as development data.")
    ] = None,
    model: Annotated[
        str,
        typer.Option(
            help="Name, see `relsift models`; auto: that of --config, else packed_markers with --encoder, bilstm_pcnn without; with "
            "--from-text pipeline."
        ),
    ] = "auto",
    from_text: Annotated[
        bool, typer.Option("--from-text", help="A model for text without entities: one that finds them, or has --entities-from.")
    ] = False,
    entities_from: Annotated[
        list[str] | None,
        typer.Option(
            "--entities-from", metavar="SPEC", show_default=False,
            help="What finds entities in text for a model that finds none, such as spacy:en_core_web_sm; stored with the model. May be "
            "given several times; the first one wins.",
        ),
    ] = None,
    types: text_options.Types = None,
    preset: Annotated[str | None, typer.Option(help="Published values to start from, see `relsift models`.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file.")] = None,
    overrides: Annotated[list[str] | None, typer.Option("--set", help="Override a value: training.epochs=10, model.tags=false …")] = None,
    encoder: Annotated[
        str | None, typer.Option(help="Folder or hub id of a Hugging Face transformer, which then reads the text for the model.")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 … or auto; short for --set training.device=NAME.")] = None,
    seeds: Annotated[
        int | None, typer.Option("--seeds", help="Train with so many seeds, each in a run folder below --out; print mean and spread.")
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(
            "--processes", help="Share the batches of every step among so many processes, on GPUs one each.", show_default=False,
        ),
    ] = None,
    ensemble: Annotated[bool, typer.Option("--ensemble", help="With --seeds: write the models as one, whose scores are the mean.")] = False,
    licence: Annotated[
        str | None,
        typer.Option("--licence", "--license", help="Of the model, such as apache-2.0; recorded for its card.", show_default=False),
    ] = None,
    on_disk: Annotated[
        bool,
        typer.Option("--on-disk", help="Keep the training sentences in a file, for more than fit into memory. The model is the same."),
    ] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the interrupted run in --out.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Train a model, or several by --seeds; select epoch and threshold on development data."""
    from relsift.cli.processes import train_together
    from relsift.errors import require
    from relsift.training.launched import place

    require(processes is None or processes >= 1, "--processes", expected="a number of processes >= 1", got=processes)
    require(processes in (None, 1) or seeds is None, "--seeds", expected="none beside --processes, which train one model", got=seeds)
    rank, count, _ = place()
    if processes is not None and processes > 1 and count == 1:
        train_together(processes)
    require(processes in (None, count), "--processes", expected=f"{count}, as many as were started together, or none", got=processes)
    from relsift.annotators.own_tokens import token_fit
    from relsift.cli.progress import TrainingProgress
    from relsift.config import encoder_overrides, load_config
    from relsift.corpora.data import resolve
    from relsift.device import checked_device
    from relsift.files import check_output
    from relsift.model_card import checked_licence
    from relsift.models.base.joint_model import finds_entities
    from relsift.training.data import training_data
    from relsift.training.on_disk import check_on_disk
    from relsift.training.processes import check_processes
    from relsift.training.training_set import check_encoder
    from relsift.training.windows import check_window

    require(seeds is None or seeds >= 1, "--seeds", expected="a number of trainings >= 1", got=seeds)
    require(not ensemble or (seeds or 0) > 1, "--ensemble", expected="several models, such as --seeds 3 beside it", got=seeds)
    options = [*encoder_overrides(encoder), *(overrides or []), *([] if device is None else [f"training.device={json.dumps(device)}"])]
    source = text_options.entity_source(entities_from or (), types, "--entities-from")
    if source is not None:
        options += [f"text.entities_from={json.dumps(source.specs)}", f"text.types={json.dumps(dict(source.types))}"]
    # Before the data is read, which may take long:
    has_to_find = from_text and source is None
    check = load_config(model=model, preset=preset, file=config, overrides=options, from_text=has_to_find)
    check_encoder(check)
    check_processes(check.training, count)
    check_window(check)
    if on_disk:
        check_on_disk(check)
    expected = "a model that finds entities, such as pipeline (`relsift models`), or --entities-from"
    require(not has_to_find or finds_entities(check.model.name), "--from-text", expected=expected, got=check.model.name)
    checked_device(check.training.device, "training.device" if device is None else "--device")
    name_of_data = data_options.one_data(data, data_option)
    reads = [place for spec in (name_of_data, dev) if spec for place in resolve(spec).inputs]
    check_output(out, [*reads, *([config] if config else [])], option="--out")
    training = training_data(
        name_of_data, dev, dev_fraction=dev_fraction, no_relation=no_relation or (), on_error=data_options.as_on_error(on_error),
        window=check.candidates.window, licence=None if licence is None else checked_licence(licence), on_disk=out if on_disk else None,
    )  # fmt: skip
    if rank == 0:
        data_options.tell(training.notes, training.warnings)
    run_config = load_config(
        model=model, preset=preset, file=config, overrides=options, direction=training.direction, from_text=has_to_find
    )
    if rank:
        _assist(run_config, training.run, out, resume=resume)
        return
    echo(
        f"{run_config.model.name} on {training.run.name}: {len(training.run.training)} training and "
        f"{len(training.run.development)} development sentences, {run_config.candidates.direction}",
        err=True,
    )
    if (from_text or source is not None) and run_config.text.tokens == "corpus":
        data_options.tell(token_fit(training.run.training).lines())
    progress = TrainingProgress(run_config.training.epochs, new_console(err=True))
    if seeds is not None:
        _train_seeds(run_config, training.run, out, seeds, progress, ensemble=ensemble, resume=resume)
        return
    _train_one(run_config, training.run, out, progress, resume=resume)


def _train_one(config: RunConfig, data: RunData, out: Path, progress: TrainingProgress, *, resume: bool) -> None:
    """Train and show the scores."""
    from relsift.cli.processes import ending_together
    from relsift.report.score_tables import score_table
    from relsift.training.processes import joined
    from relsift.training.run import train_run

    with progress, ending_together(), joined(config.training) as processes:
        result, scores = train_run(
            config, data, out, resume=resume, on_epoch=progress.epoch, on_batch=progress.batch, on_fold=progress.fold, processes=processes
        )
    state = result.state
    _tell_candidates(result.candidates)
    for line in [*result.notes, *([] if result.vectors is None else [result.vectors.line()])]:
        note(line)
    echo(f"epoch {state.best_epoch} of {state.epoch} kept, threshold {state.best_threshold:.3f}", err=True)
    show(score_table(scores, "development"))
    if (entity_f1 := state.history[state.best_epoch - 1].get("dev_entity_f1")) is not None:
        echo(f"entities of the development part, micro F1: {100 * entity_f1:.1f}")
    echo(scores.setting_line())
    _write_card(result.bundle, out)
    echo(f"model written to {out / 'model'}")


def _write_card(bundle: Bundle, run: Path) -> None:
    from relsift.bundle import MODEL_FOLDER
    from relsift.model_card import keep_card

    if not keep_card(bundle, run / MODEL_FOLDER):
        note(f"{run / MODEL_FOLDER / 'README.md'} was written by hand and stays; `relsift card {run}` replaces it")


def _assist(config: RunConfig, data: RunData, out: Path, *, resume: bool) -> None:
    """What all processes but the first do."""
    from relsift.cli.processes import ending_together
    from relsift.training.processes import joined
    from relsift.training.run import assist_run

    with ending_together(), joined(config.training) as processes:
        assist_run(config, data, out, processes, resume=resume)


def _tell_candidates(report: CandidateReport) -> None:
    echo(f"training candidates: {report.setting()}, positive to negative {report.ratio()}", err=True)
    for reason, count in report.lost.items():
        note(f"{count} training relations have no candidate: {reason}")


def _train_seeds(
    config: RunConfig, data: RunData, out: Path, count: int, progress: TrainingProgress, *, ensemble: bool, resume: bool
) -> None:
    """Train with several seeds and show their scores."""
    from relsift.report.score_tables import score_table, seed_table
    from relsift.training.seeds import Watchers, train_seeds

    with progress:
        watchers = Watchers(progress.seed, progress.epoch, progress.batch, progress.fold)
        result = train_seeds(config, data, out, count, ensemble=ensemble, resume=resume, watchers=watchers)
    _tell_candidates(result.runs[0].candidates)
    for line in dict.fromkeys(line for run in result.runs for line in run.notes):
        note(line)
    for run in result.runs:
        echo(f"seed {run.seed}: epoch {run.best_epoch} of {run.epochs} kept, threshold {run.threshold:.3f}", err=True)
    show(seed_table({run.seed: run.scores.micro for run in result.runs}, *result.mean_and_spread(), "development"))
    if result.scores is None or result.ensemble is None:
        echo(result.runs[0].scores.setting_line())
        echo(f"runs written to {out}, one folder a seed")
        return
    show(score_table(result.scores, f"development, ensemble of {count}, threshold {result.ensemble.decision.threshold:.3f}"))
    echo(result.scores.setting_line())
    _write_card(result.ensemble, out)
    echo(f"ensemble written to {out / 'model'}")
