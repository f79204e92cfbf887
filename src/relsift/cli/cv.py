"""relsift cv"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import grids


def command(
    data: grids.Data = None,
    model: Annotated[str | None, typer.Option(help="Model name, see `relsift models`; the file's or multitask_cnn if left out.")] = None,
    out: grids.Out = None,
    preset: Annotated[str | None, typer.Option(help="Published values; the file's or paper if left out, '' for none.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file.")] = None,
    overrides: grids.Overrides = None,
    name: Annotated[str | None, typer.Option(help="Name of the system among others in --out; the model's if left out.")] = None,
    tagger: Annotated[str, typer.Option(help="Tags of a tagger's entities, not the annotated ones: none, test or both.")] = "none",
    select_on: Annotated[str, typer.Option(help="development; or test, a habit of some papers, only to measure it.")] = "development",
    test_ratio: Annotated[float | None, typer.Option(help="Score a second time with so many negatives a positive.", min=0)] = None,
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
    """Cross-validate a model: folds by document, an inner development part, several seeds; resumes by itself."""
    from relsift.config import read_yaml
    from relsift.errors import require
    from relsift.experiments.cv import EXPERIMENT
    from relsift.experiments.grid import load_results

    require(out is not None, "--out", expected="a folder for the cells", got=out)
    assert out is not None
    plan = grids.make_plan(data, folds, direction, language, type_filter, sentences, development, fold_seed, quick)
    file = read_yaml(config) if config is not None else {}
    system = grids.system_of(file, str(config), name, model, preset, tagger, select_on, test_ratio)
    systems = grids.adapted([system], plan, overrides or [])
    grids.compute(systems, plan, out, jobs, device, seeds, only_folds, only_seeds)
    grids.write(EXPERIMENT, load_results(out), out, out)
