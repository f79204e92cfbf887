"""relsift cv"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import data_options, grid_options, grids, prediction_options, ray_options


def command(
    data: data_options.DataArgument = None,
    data_option: grid_options.Data = None,
    model: Annotated[str | None, typer.Option(help="Model name, see `relsift models`; the file's or multitask_cnn if left out.")] = None,
    out: grid_options.Out = None,
    preset: Annotated[str | None, typer.Option(help="Published values; the file's or paper if left out, '' for none.")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file.")] = None,
    overrides: grid_options.Overrides = None,
    encoder: Annotated[str | None, typer.Option(help="Folder or hub id of a Hugging Face transformer that reads the text.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the system among others in --out; the model's if left out.")] = None,
    tagger: Annotated[str, typer.Option(help="Tags of a tagger's entities, not the annotated ones: none, test or both.")] = "none",
    select_on: Annotated[str, typer.Option(help="development; or test, a habit of some papers, only to measure it.")] = "development",
    test_ratio: Annotated[float | None, typer.Option(help="Score a second time with so many negatives a positive.")] = None,
    entities: prediction_options.Entities = None,
    match: prediction_options.Match = "strict",
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
    """Cross-validate a model: folds by document, an inner development part, several seeds; resumes by itself."""
    from relsift.config import encoder_overrides, read_yaml
    from relsift.errors import require
    from relsift.experiments.cv import EXPERIMENT
    from relsift.experiments.grid import load_results
    from relsift.experiments.planning import adapted, cells_asked_for, make_plan, system_of, usable_device, usable_jobs

    require(out is not None, "--out", expected="a folder for the cells", got=out)
    assert out is not None
    usable_jobs(jobs, cluster=ray)
    ray_options.check(ray, ray_address=ray_address)
    grids.check_out(out, data or data_option)
    file = read_yaml(config) if config is not None else {}
    system = system_of(
        file, str(config), name=name, model=model, preset=preset, tagger=tagger, select_on=select_on, test_ratio=test_ratio
    )
    given, matched = prediction_options.of_model(system.model, entities, match)
    plan = make_plan(
        data=data_options.one_data(data, data_option), split=split, folds=folds, direction=direction, language=language,
        type_filter=type_filter, sentences=sentences, development=development, fold_seed=fold_seed, quick=quick,
        no_relation=no_relation or (), on_error=data_options.as_on_error(on_error), entities=given, match=matched,
    )  # fmt: skip
    systems = adapted([system], plan, [*encoder_overrides(encoder), *(overrides or [])])
    cells = cells_asked_for(systems, plan, seeds=seeds, only_folds=only_folds, only_seeds=only_seeds, device=usable_device(device))
    grids.compute(cells, plan, out, jobs=jobs, ray=ray, address=ray_address)
    if pack:
        grids.pack(out)
    grids.write(EXPERIMENT, load_results(out), out, out)
