"""What holds for every registered experiment, plug-ins included."""

from __future__ import annotations

import re
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from invented_cells import PLAN, cell
from relsift.cli.main import main
from relsift.errors import ConfigError
from relsift.experiments.cell import Cell, configured
from relsift.experiments.experiment import Experiment, command_of
from relsift.experiments.planning import adapted, usable_device
from relsift.experiments.result import CellResult, Plan, Results, cell_command
from relsift.experiments.system import System
from relsift.registry import find, table
from relsift.report import html, markdown

PLANS = [
    replace(PLAN, direction="directed", language="en"),
    replace(PLAN, direction="undirected", language="zh"),
    replace(PLAN, direction="undirected", language=None),
]
NAMES = sorted(set(table("experiment")) - {"cv"})  # cv has no systems of its own
each = pytest.mark.parametrize("name", NAMES)


def results(plan: Plan, systems: tuple[System, ...], skip: str = "") -> Results:
    """Two folds x two seeds of every system, each a little better than the one before."""
    plan = replace(plan, folds=2)

    def result(system: System, fold: int, seed: int, number: int) -> CellResult:
        one = cell(system, fold, seed, [(1 + number, 20, 20), (2, 4 + fold, 6)], folds=2, language=plan.language, direction=plan.direction)
        facts: dict[str, Any] = {"kept": 2000, "positive": 100, "ratio": "1:19.0", "dropped": {}, "lost": {}}
        return replace(one, training_candidates=facts, test_candidates=facts, sampled=one.test if system.test_ratio is not None else None)

    cells = {
        system.name: [result(system, fold, seed, number) for fold in (1, 2) for seed in (1, 2)]
        for number, system in enumerate(systems)
        if system.name != skip
    }
    return Results(plan, systems, cells)


@each
@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.direction}-{plan.language}")
def test_systems_have_names_of_their_own_and_configurations_that_load(name, plan):
    experiment: Experiment = find("experiment", name)
    assert experiment.name == name
    systems = adapted(experiment.systems(plan), plan, ["training.epochs=7"])
    assert len({system.name for system in systems}) == len({system.title for system in systems}) == len(systems) >= 2
    for system in systems:
        config = configured(Cell(system, 1, 3), plan)
        assert (config.training.seed, config.training.epochs, config.candidates.direction) == (3, 7, plan.direction)
        assert System.from_json(system.to_json()) == system


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: f"{plan.direction}-{plan.language}")
def test_one_name_means_one_configuration_in_all_experiments(plan):
    # Their cells lie in one folder, so that table 2 need not compute again what table 1 has.
    settings: dict[str, dict[str, Any]] = {}
    for name in NAMES:
        for system in find("experiment", name).systems(plan):
            setting = system.to_json() | {"title": ""}
            assert settings.setdefault(system.name, setting) == setting, f"{name}: {system.name}"


def test_chinese_data_takes_the_values_for_chinese():
    (english,), (chinese,) = (adapted([System(name="x", title="x")], plan, []) for plan in PLANS[:2])
    assert (english.preset, chinese.preset) == ("paper", "paper_zh")


@each
def test_the_report_shows_every_system_the_setting_and_the_command(name):
    experiment: Experiment = find("experiment", name)
    grid = results(PLANS[0], experiment.systems(PLANS[0]))
    command = command_of(experiment, grid, Path("OUT"))
    report = experiment.report(grid, command)
    for text in (markdown.report(report, name), html.report(report)):
        plain = re.sub(r"[\\*]", "", text)
        assert all(system.title in plain for system in grid.systems)
        assert "data=invented" in plain
        assert f"relsift reproduce {name} --data invented" in plain
        assert "No plot" not in plain


@each
def test_the_report_can_do_without_any_one_system(name):
    experiment: Experiment = find("experiment", name)
    systems = experiment.systems(PLANS[0])
    for system in systems:
        grid = results(PLANS[0], systems, skip=system.name)
        text = markdown.report(experiment.report(grid, "command"), name)
        assert "cells (every system on " in text
        assert "nan" not in text.lower().split()


@each
def test_the_report_can_do_with_any_one_system(name):
    experiment: Experiment = find("experiment", name)
    systems = experiment.systems(PLANS[0])
    whole = results(PLANS[0], systems)
    for system in systems:
        text = markdown.report(experiment.report(replace(whole, cells={system.name: whole.of(system)}), "command"), name)
        assert "cells (every system on " in text


@each
def test_the_report_can_do_without_a_seed_that_all_folds_have(name):
    # As `--only-fold` and `--only-seed` may leave it: each fold has another seed.
    experiment: Experiment = find("experiment", name)
    systems = experiment.systems(PLANS[0])
    grid = results(PLANS[0], systems)
    odd = {key: [cell for cell in cells if cell.fold == cell.seed] for key, cells in grid.cells.items()}
    text = markdown.report(experiment.report(replace(grid, cells=odd), "command"), name)
    assert "cells (every system on " in text


@each
def test_the_report_of_the_own_split_says_nothing_of_folds(name):
    experiment: Experiment = find("experiment", name)
    plan = replace(PLANS[0], split="own", folds=1)
    systems = experiment.systems(plan)
    folds = results(PLANS[0], systems)
    cells = {key: [replace(cell, plan=plan) for cell in group if cell.fold == 1] for key, group in folds.cells.items()}
    text = markdown.report(experiment.report(Results(plan, systems, cells), "command"), name)
    assert "the corpus's own split" in text and "over folds*: " not in text and "Over folds: " not in text
    assert f"all {2 * len(systems)} cells computed" in text
    missing = Results(plan, systems, cells | {systems[0].name: cells[systems[0].name][:1]})
    assert "(every system on the corpus's own split with 2 seeds)" in markdown.report(experiment.report(missing, "command"), name)


@each
def test_the_report_can_do_without_counts_and_curves(name):
    # As in cells that an older script has left.
    experiment: Experiment = find("experiment", name)
    systems = experiment.systems(PLANS[0])
    whole = results(PLANS[0], systems)
    bare = {key: [replace(cell, counts=None, curve=None) for cell in group] for key, group in whole.cells.items()}
    text = markdown.report(experiment.report(replace(whole, cells=bare), "command"), name)
    assert "nan" not in text.lower().split()
    assert ("precision-recall curves, got some without; compute them anew" in text) == (name != "figure3")


@each
def test_without_any_cell_it_says_so(name):
    experiment: Experiment = find("experiment", name)
    with pytest.raises(ConfigError, match="at least one finished cell"):
        experiment.report(Results(PLANS[0], experiment.systems(PLANS[0]), {}), "command")


@pytest.mark.parametrize("name", ["table1", "table2", "table3", "table4", "errors"])
def test_published_figures_are_marked_as_not_the_same_data(name):
    experiment: Experiment = find("experiment", name)
    text = markdown.report(experiment.report(results(PLANS[0], experiment.systems(PLANS[0])), "command"), name)
    published = {"table1": "68.9", "table2": "62.9", "table3": "61.1", "table4": "61.7", "errors": "62.8"}
    assert published[name] in text
    assert "not the same data" in text


def test_the_command_repeats_what_was_given_to_all_systems():
    experiment: Experiment = find("experiment", "table4")
    plan = replace(PLANS[0], quick=True)
    grid = results(plan, adapted(experiment.systems(plan), plan, ["training.patience=2"]))
    command = command_of(experiment, grid, Path("OUT"))
    assert command == (
        "relsift reproduce table4 --data invented --direction directed --type-filter --folds 2 --language en --quick --seeds 2 "
        "--set training.patience=2 --out OUT"
    )


def test_the_command_of_a_report_asks_for_the_folds_and_seeds_that_it_shows():
    experiment: Experiment = find("experiment", "errors")
    whole = results(PLANS[0], experiment.systems(PLANS[0]))
    part = replace(whole, cells={name: [c for c in cells if (c.fold, c.seed) == (2, 2)] for name, cells in whole.cells.items()})
    assert "--language en --only-seed 2 --only-fold 2 --out 'my folder'" in command_of(experiment, part, Path("my folder"))


def test_the_command_of_a_report_names_the_device_that_all_its_cells_have():
    experiment: Experiment = find("experiment", "errors")
    grid = results(PLANS[0], experiment.systems(PLANS[0]))

    def on(cell: CellResult, device: str) -> CellResult:
        return replace(cell, config=cell.config | {"training": {"device": device}})

    gpu = {name: [on(cell, "cuda") for cell in cells] for name, cells in grid.cells.items()}
    assert "--device" not in command_of(experiment, grid, Path("OUT"))
    assert " --device cuda --out OUT" in command_of(experiment, replace(grid, cells=gpu), Path("OUT"))
    both = gpu | {name: grid.cells[name] for name in list(gpu)[:1]}
    assert "--device" not in command_of(experiment, replace(grid, cells=both), Path("OUT"))


@pytest.mark.parametrize("name", ["gpu", "cuda:99"])
def test_a_device_that_cannot_be_used_is_refused_before_any_training(name):
    with pytest.raises(ConfigError, match=rf"--device: expected cpu, auto, or cuda \(.*\) on a machine that has it, got '{name}'"):
        usable_device(name)
    assert usable_device("auto") == ("cuda" if torch.cuda.is_available() else "cpu")


@each
def test_the_command_of_a_cell_computes_that_cell(name, monkeypatch):
    experiment: Experiment = find("experiment", name)
    plan = PLANS[0]
    asked: list[Any] = []
    monkeypatch.setattr(
        "relsift.experiments.planning.make_plan", lambda **options: plan if options["data"] == plan.data else pytest.fail(str(options))
    )
    monkeypatch.setattr("relsift.experiments.planning.usable_device", lambda name: name)
    monkeypatch.setattr("relsift.cli.grids.check_out", lambda *_: None)
    monkeypatch.setattr("relsift.cli.grids.compute", lambda cells, _, out, **options: asked.append((cells, out)))
    monkeypatch.setattr("relsift.cli.grids.write", lambda *_: None)
    monkeypatch.setattr("relsift.experiments.grid.load_results", lambda _: None)
    for system in adapted(experiment.systems(plan), plan, ["training.loss_weights={identification: 0.5}"]):
        monkeypatch.setattr("sys.argv", shlex.split(cell_command(system, plan, 2, 7, "cuda:1")))
        with pytest.raises(SystemExit) as stop:
            main()
        assert stop.value.code in (0, None)
        ((again,), out) = asked.pop()
        assert (again.fold, again.seed, again.device, str(out)) == (2, 7, "cuda:1", "OUT")
        assert replace(again.system, title=system.title) == system


SHARED = [
    "candidates.direction=undirected", "candidates.type_filter=false", "training.seed=4", "training.threads=2", "training.device=cuda",
]  # fmt: skip


@pytest.mark.parametrize("key", SHARED)
def test_what_all_systems_share_cannot_be_overridden_in_one_place_and_not_the_other(key):
    with pytest.raises(ConfigError, match="--direction, --type-filter, --seeds, --jobs or --device, got --"):
        adapted([System(name="x", title="x")], PLANS[0], [key])


def test_undirected_pairs_have_no_order_that_could_leak():
    habits: Experiment = find("experiment", "evaluation_habits")
    directed, undirected = ([system.name for system in habits.systems(plan)] for plan in PLANS[:2])
    assert undirected == ["mtl_tag", "mtl_tag_on_test"] == directed[:2]
    assert directed[2:] == ["mtl_tag_leak", "mtl_tag_leak_on_test"]
    for plan, undirected in ((PLANS[0], False), (PLANS[1], True)):
        text = markdown.report(habits.report(results(plan, habits.systems(plan)), "command"), "evaluation_habits")
        assert ("the order leak needs directed ones" in text) == undirected
        assert ("order leak, selected on the test fold" in text) != undirected


def test_a_parser_is_given_to_the_systems_that_read_trees_alone():
    table1: Experiment = find("experiment", "table1")
    systems = adapted(table1.systems(PLANS[0]), PLANS[0], ["encoding.parser=some_pipeline", "training.epochs=2"])
    with_parser = {system.name for system in systems if "encoding.parser=some_pipeline" in system.overrides}
    assert with_parser == {"sptree"}
    assert all(system.overrides[-1] == "training.epochs=2" for system in systems)
    assert "--set encoding.parser=some_pipeline --set training.epochs=2" in command_of(table1, results(PLANS[0], systems), Path("OUT"))
