"""relsift reproduce"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options, grid_options, grids, ray_options


def command(
    experiment: Annotated[str, typer.Argument(metavar="EXPERIMENT", help="Name of an experiment, see below.")],
    data: data_options.DataArgument = None,
    data_option: grid_options.Data = None,
    out: grid_options.Out = None,
    from_results: Annotated[Path | None, typer.Option(help="Write the report anew from a folder's cells; trains nothing.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Train this system only; may be given several times.")] = None,
    overrides: grid_options.Overrides = None,
    encoder: Annotated[str | None, typer.Option(help="Folder or hub id of a transformer, for the systems that read one.")] = None,
    split: grid_options.Split = "folds",
    folds: grid_options.Folds = None,
    seeds: grid_options.Seeds = None,
    jobs: grid_options.Jobs = 1,
    ray: ray_options.Ray = False,
    ray_address: ray_options.RayAddress = None,
    device: grid_options.Device = "cpu",
    direction: grid_options.DirectionOption = None,
    language: grid_options.Language = None,
    type_filter: grid_options.TypeFilter = True,
    sentences: grid_options.Sentences = None,
    development: grid_options.Development = 0.125,
    fold_seed: grid_options.FoldSeed = 0,
    only_folds: grid_options.OnlyFold = None,
    only_seeds: grid_options.OnlySeed = None,
    pack: grid_options.Pack = False,
    quick: grid_options.Quick = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Compute a table, figure or study of the papers on any annotated data, and write its report."""
    from relsift.config import encoder_overrides
    from relsift.errors import require
    from relsift.experiments.experiment import Experiment
    from relsift.experiments.grid import load_results, read_plan
    from relsift.experiments.planning import adapted, cells_asked_for, make_plan, usable_device, usable_jobs
    from relsift.registry import find

    chosen: Experiment = find("experiment", experiment)
    if from_results is not None:
        for option, value in (("--data", data or data_option), ("--set", overrides), ("--only", only)):
            require(not value, option, expected="none beside --from-results, which takes the cells as they are", got=value)
        plan = read_plan(from_results)
        if pack:
            grids.pack(from_results)
        grids.write(chosen, load_results(from_results, chosen.systems(plan) or None), from_results, out or from_results)
        return
    require(experiment != "cv", "experiment", expected="--from-results with cv; train with `relsift cv`", got="cv alone")
    require(out is not None, "--out", expected="a folder for the cells", got=out)
    assert out is not None
    usable_jobs(jobs, cluster=ray)
    ray_options.check(ray, ray_address=ray_address)
    grids.check_out(out, data or data_option)
    plan = make_plan(
        data=data_options.one_data(data, data_option), split=split, folds=folds, direction=direction, language=language,
        type_filter=type_filter, sentences=sentences, development=development, fold_seed=fold_seed, quick=quick,
        no_relation=no_relation or (), on_error=data_options.as_on_error(on_error),
    )  # fmt: skip
    systems = adapted(chosen.systems(plan), plan, [*encoder_overrides(encoder)[:1], *(overrides or [])])
    names = {system.name for system in systems}
    require(set(only or ()) <= names, "--only", expected=f"some of {', '.join(sorted(names))}", got=only)
    wanted = grids.trainable([system for system in systems if only is None or system.name in only], plan)
    cells = cells_asked_for(wanted, plan, seeds=seeds, only_folds=only_folds, only_seeds=only_seeds, device=usable_device(device))
    grids.compute(cells, plan, out, jobs=jobs, ray=ray, address=ray_address)
    if pack:
        grids.pack(out)
    grids.write(chosen, load_results(out, systems), out, out)
