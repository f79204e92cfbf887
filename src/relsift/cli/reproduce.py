"""relsift reproduce"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import grids


def command(
    experiment: Annotated[
        str, typer.Argument(metavar="EXPERIMENT", help="table1 table2 table3 table4 figure3 errors ablations evaluation_habits")
    ],
    data: grids.Data = None,
    out: grids.Out = None,
    from_results: Annotated[Path | None, typer.Option(help="Write the report anew from a folder's cells; trains nothing.")] = None,
    only: Annotated[list[str] | None, typer.Option("--only", help="Train this system only; may be given several times.")] = None,
    overrides: grids.Overrides = None,
    folds: grids.Folds = None,
    seeds: grids.Seeds = None,
    jobs: grids.Jobs = 1,
    device: grids.Device = "cpu",
    direction: grids.DirectionOption = None,
    language: grids.Language = None,
    type_filter: grids.TypeFilter = True,
    sentences: grids.Sentences = None,
    development: grids.Development = 0.125,
    fold_seed: grids.FoldSeed = 0,
    only_folds: grids.OnlyFold = None,
    only_seeds: grids.OnlySeed = None,
    quick: grids.Quick = False,
) -> None:
    """Compute a table, figure or study of the papers on any annotated data, and write its report."""
    from relsift.errors import require
    from relsift.experiments.experiment import Experiment
    from relsift.experiments.grid import load_results, read_plan
    from relsift.registry import find

    chosen: Experiment = find("experiment", experiment)
    if from_results is not None:
        for option, value in (("--data", data), ("--set", overrides), ("--only", only)):
            require(not value, option, expected="none beside --from-results, which takes the cells as they are", got=value)
        plan = read_plan(from_results)
        grids.write(chosen, load_results(from_results, chosen.systems(plan) or None), from_results, out or from_results)
        return
    require(experiment != "cv", "experiment", expected="--from-results with cv; train with `relsift cv`", got="cv alone")
    require(out is not None, "--out", expected="a folder for the cells", got=out)
    assert out is not None
    plan = grids.make_plan(data, folds, direction, language, type_filter, sentences, development, fold_seed, quick)
    systems = grids.adapted(chosen.systems(plan), plan, overrides or [])
    names = {system.name for system in systems}
    require(set(only or ()) <= names, "--only", expected=f"some of {', '.join(sorted(names))}", got=only)
    wanted = grids.trainable([system for system in systems if only is None or system.name in only], plan)
    grids.compute(wanted, plan, out, jobs, device, seeds, only_folds, only_seeds)
    grids.write(chosen, load_results(out, systems), out, out)
