"""relsift cv"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import grids


def command(
    data: grids.Data = None,
    model: Annotated[str, typer.Option(help="Model name, see `relsift models`.")] = "multitask_cnn",
    out: grids.Out = None,
    preset: Annotated[str | None, typer.Option(help="Published values to start from, see `relsift models`.")] = "paper",
    config: Annotated[Path | None, typer.Option(help="YAML file.")] = None,
    overrides: grids.Overrides = None,
    name: Annotated[str | None, typer.Option(help="Name of the system among others in --out; the model's if left out.")] = None,
    folds: grids.Folds = None,
    seeds: grids.Seeds = None,
    jobs: grids.Jobs = 1,
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
    """Cross-validate a model: folds by document, an inner development part, several seeds; resumes by itself."""
    from relsift.config import read_yaml
    from relsift.errors import require
    from relsift.experiments.cv import EXPERIMENT
    from relsift.experiments.grid import load_results
    from relsift.experiments.system import System

    require(out is not None, "--out", expected="a folder for the cells", got=out)
    assert out is not None
    plan = grids.make_plan(data, folds, direction, language, type_filter, sentences, development, fold_seed, quick)
    given = tuple(grids.flattened(read_yaml(config))) if config is not None else ()
    system = System(name=name or model, title=name or model, model=model, preset=preset, overrides=given)
    systems = grids.adapted([system], plan, overrides or [])
    grids.compute(systems, plan, out, jobs, seeds, only_folds, only_seeds)
    grids.write(EXPERIMENT, load_results(out), out)
