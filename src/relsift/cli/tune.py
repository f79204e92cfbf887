"""relsift tune"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from relsift.cli import data_options, ray_options, training_options
from relsift.cli.output import echo, echo_json, show
from relsift.omissions import counted

if TYPE_CHECKING:
    from relsift.training.tuning import TrialResult

_SHOWN = 5  # trials in the table


def command(
    *,
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    out: Annotated[Path, typer.Option(help="Folder of the study; the same command goes on with what is there.")],
    trials: Annotated[int, typer.Option(help="Trainings of the study, those of earlier calls counted.")] = 30,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="Begin no training after so many seconds.")] = None,
    space: Annotated[
        Path | None, typer.Option(metavar="FILE.yaml", help="Options to search with their ranges; the model's own if left out.")
    ] = None,
    dev: training_options.Dev = None,
    dev_fraction: training_options.DevFraction = None,
    model: training_options.Model = "auto",
    preset: training_options.Preset = None,
    config: training_options.Config = None,
    overrides: training_options.Overrides = None,
    encoder: training_options.Encoder = None,
    device: training_options.Device = None,
    jobs: Annotated[int, typer.Option(min=1, help="With --ray: trainings at once; which values are tried then depends on chance.")] = 1,
    ray: ray_options.Ray = False,
    ray_address: ray_options.RayAddress = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print best values and all trials as JSON.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Search for options with a better development F1 (optuna); resumes by itself."""
    from contextlib import ExitStack
    from dataclasses import asdict
    from functools import partial

    from relsift.cli.grid_progress import GridProgress
    from relsift.training.search_space import default_space, read_space
    from relsift.training.tuning import BEST_FILE, best_of, overrides_of, require_optuna, tune

    require_optuna()
    ray_options.check(ray, ray_address=ray_address, jobs=None if jobs == 1 else jobs)
    name = data_options.one_data(data, data_option)
    asked = None if space is None else read_space(space)
    configure, loaded = training_options.configured(
        name, out, dev=dev, dev_fraction=dev_fraction, model=model, preset=preset, config=config, overrides=overrides or [],
        encoder=encoder, device=device, no_relation=no_relation or (), on_error=on_error,
    )  # fmt: skip
    start = configure([])
    searched = default_space(start) if asked is None else asked
    echo(f"{start.model.name} on {name}: {counted(trials, 'trials')} of {', '.join(searched)}", err=True)
    done: list[TrialResult] = []
    with GridProgress(trials, 0, "trials") as progress, ExitStack() as stack:
        each = None
        if ray:
            from relsift.integrations.ray_cluster import cluster, tasks

            each = partial(tasks, stack.enter_context(cluster(ray_address, jobs)), gpus=float(start.training.device.startswith("cuda")))

        def tell(result: TrialResult, count: int) -> None:
            done.append(result)
            f1 = "–" if result.f1 is None else f"{100 * result.f1:.1f}"
            left = (trials - count) * sum(one.seconds for one in done) / len(done) / jobs
            text = f"trial {result.number}  {result.state}  development F1 {f1}  {result.epochs} epochs  {result.seconds:.0f} s"
            progress.line(f"{text}{_because(result)}", count, trials, left)

        try:
            results = tune(configure, loaded.run, out, searched, trials=trials, timeout=timeout, jobs=jobs, each=each, on_trial=tell)
        except KeyboardInterrupt:
            echo(f"relsift: interrupted after {len(done)} trials; the same command goes on from here", err=True)
            raise
    best = best_of(results)
    if as_json:
        echo_json(
            {"data": name, "model": start.model.name, "config": str(out / BEST_FILE), "best": asdict(best)}
            | {"set": overrides_of(best.values), "trials": [asdict(result) for result in results]}
        )
        return
    _show(results)
    if len(results) < trials:
        echo(f"{len(results)} of {trials} trials are done; the same command goes on from here")
    echo(f"best: trial {best.number}, development F1 {100 * (best.f1 or 0):.1f} (the best of several is a little too high)")
    echo(*(f"--set {shlex.quote(text)}" for text in overrides_of(best.values)), f"configuration written to {out / BEST_FILE}")


def _because(result: TrialResult) -> str:
    return f"  ({result.error})" if result.error else ""


def _show(results: list[TrialResult]) -> None:
    from relsift.report.blocks import Table
    from relsift.report.wording import percent

    ranked = sorted((one for one in results if one.f1 is not None), key=lambda one: (-(one.f1 or 0.0), one.number))[:_SHOWN]
    rows = [(one.number, one.state, percent(one.f1), one.epochs, f"{one.seconds:.0f}") for one in ranked]
    counts = ", ".join(f"{sum(one.state == state for one in results)} {state}" for state in ("complete", "pruned", "failed"))
    show(Table.of(("trial", "state", "F1", "epochs", "seconds"), rows, title=f"best {len(rows)} trials", notes=(f"All trials: {counts}.",)))
