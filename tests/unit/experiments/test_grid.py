"""A grid: every cell once, never again, and never mixed up with other settings."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace

import pytest
from grids import SMALL, WITH_TAGS, WITHOUT_TAGS, plan_of, write_sentences

from relsift.corpora.data import resolve
from relsift.errors import CheckpointError, DataError, RelsiftError
from relsift.evaluation.scores import PRF
from relsift.experiments.cell import folds_of
from relsift.experiments.comparison import compare_systems
from relsift.experiments.cv import EXPERIMENT as CV
from relsift.experiments.grid import FinishedCell, _Clock, cells_of, load_results, pack_grid, run_grid
from relsift.experiments.result import CellResult, Plan, Results
from relsift.experiments.system import System
from relsift.report import markdown


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    return plan_of(write_sentences(tmp_path_factory.mktemp("data") / "toy.jsonl"))


@pytest.fixture(scope="module")
def finished(plan, tmp_path_factory):
    """A folder with two systems x two folds x two seeds, and what was reported on the way."""
    folder, events = tmp_path_factory.mktemp("grid"), list[FinishedCell]()
    run_grid(cells_of([WITH_TAGS, WITHOUT_TAGS], [1, 2], [1, 2]), plan, folder, on_cell=events.append)
    return folder, events


def test_cells_come_seed_by_seed_and_fold_by_fold():
    names = [cell.name for cell in cells_of([WITH_TAGS, WITHOUT_TAGS], [1, 2], [7])]
    assert names == ["tags/fold1-seed7", "plain/fold1-seed7", "tags/fold2-seed7", "plain/fold2-seed7"]


def test_of_two_systems_that_share_a_tagger_one_comes_first_and_one_last():
    both, test = replace(WITH_TAGS, name="both", tagger="both"), replace(WITH_TAGS, name="test", tagger="test")
    assert [cell.system.name for cell in cells_of([WITHOUT_TAGS, test, both, WITH_TAGS], [1], [1])] == ["test", "plain", "tags", "both"]


def test_what_is_named_twice_is_one_cell():
    assert [cell.name for cell in cells_of([WITH_TAGS], [1, 1, 2], [3, 3])] == ["tags/fold1-seed3", "tags/fold2-seed3"]


def test_every_cell_is_computed_reported_and_saved(finished):
    folder, events = finished
    assert [event.done for event in events] == list(range(1, 9))
    assert {event.total for event in events} == {8}
    assert events[-1].seconds_left == 0 < events[0].seconds_left
    assert len(list((folder / "cells").glob("*/fold*-seed*.json"))) == 8
    assert not (folder / "unfinished").exists()


def test_finished_cells_are_not_computed_again(finished, plan, monkeypatch):
    folder, _ = finished
    monkeypatch.setattr("relsift.experiments.grid.run_cell", lambda *_: pytest.fail("computed again"))
    run_grid(cells_of([WITHOUT_TAGS, WITH_TAGS], [1, 2], [1, 2]), plan, folder)


def test_a_missing_cell_alone_is_computed_and_comes_out_the_same(finished, plan, tmp_path):
    folder, _ = finished
    file = folder / "cells" / "tags" / "fold2-seed1.json"
    before, events = CellResult.load(file), list[FinishedCell]()
    file.unlink()
    run_grid(cells_of([WITH_TAGS], [1, 2], [1, 2]), plan, folder, on_cell=events.append)
    assert [(event.cell.name, event.done) for event in events] == [("tags/fold2-seed1", 4)]
    after = CellResult.load(file)
    assert (after.test, after.threshold, after.curve) == (before.test, before.threshold, before.curve)


def test_a_cell_that_was_killed_goes_on_from_its_last_epoch(plan, tmp_path, monkeypatch):
    cells = cells_of([WITH_TAGS], [1], [1])
    run_grid(cells, plan, tmp_path / "whole")
    epochs: list[int] = []

    def stop_after_two(record):
        epochs.append(record["epoch"])
        if len(epochs) == 2:
            raise KeyboardInterrupt

    from relsift.experiments import cell as module

    train_run = module.train_run
    monkeypatch.setattr(module, "train_run", lambda *a, **k: train_run(*a, **k, on_epoch=stop_after_two))
    with pytest.raises(KeyboardInterrupt):
        run_grid(cells, plan, tmp_path / "killed")
    run_grid(cells, plan, tmp_path / "killed")
    assert epochs == [1, 2, 3]
    whole, killed = (CellResult.load(cells[0].file(tmp_path / name)) for name in ("whole", "killed"))
    assert (whole.test, whole.threshold, whole.epochs, whole.curve) == (killed.test, killed.threshold, killed.epochs, killed.curve)
    assert not (tmp_path / "killed" / "unfinished").exists()


def test_results_are_loaded_by_system_fold_and_seed(finished):
    folder, _ = finished
    results = load_results(folder, [replace(WITHOUT_TAGS, title="Baseline"), replace(WITH_TAGS, name="not-there")])
    assert [system.title for system in results.systems] == ["Baseline", "with tags"]
    assert [(cell.fold, cell.seed) for cell in results.of("plain")] == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert results.of("not-there") == []
    assert {system.name for system in load_results(folder).systems} == {"plain", "tags"}


def test_shared_cells_pair_fold_and_seed(finished):
    results: Results = load_results(finished[0])
    fewer = replace(results, cells=results.cells | {"plain": results.of("plain")[1:]})
    assert [(a.system.name, b.system.name, a.fold, a.seed, b.fold, b.seed) for a, b in fewer.shared("tags", "plain")] == [
        ("tags", "plain", 1, 2, 1, 2), ("tags", "plain", 2, 1, 2, 1), ("tags", "plain", 2, 2, 2, 2)
    ]  # fmt: skip


def test_a_cell_counts_what_its_scores_say(finished, plan):
    for result in load_results(finished[0]).of("tags"):
        right, predicted, gold = result.counts.sum(axis=0).tolist()
        assert result.test.micro == PRF.of(right, predicted - right, gold - right)
        test = folds_of(plan)[result.fold - 1].test
        assert result.documents == [len(document.sentences) for document in test]
        assert sum(result.documents) == len(result.counts)
        assert result.curve.gold == gold
        assert result.epochs == 3 and result.config["training"]["seed"] == result.seed


def test_the_curve_passes_through_the_decision_threshold(finished):
    # At the lowest of its thresholds that is no lower than the cell's own, the curve has the cell's own counts (small data: every
    # pair is a point of the curve).
    for result in load_results(finished[0]).of("plain"):
        right, predicted, _ = result.counts.sum(axis=0).tolist()
        at = [n for n, threshold in enumerate(result.curve.thresholds) if threshold >= result.threshold - 1e-5]
        assert (result.curve.taken[at[-1]], result.curve.right[at[-1]]) == (predicted, right) if at else predicted == 0


def test_the_command_of_a_cell_names_everything(finished):
    command = load_results(finished[0]).of("plain")[0].command
    assert command.startswith("relsift cv --data native:")
    assert "--direction directed --type-filter --folds 2 --development 0.25 --name plain --model multitask_cnn --preset paper" in command
    assert " --set 'model.windows=[2, 3]' " in command  # as a shell takes it
    assert command.endswith("--set model.tags=false --only-fold 1 --only-seed 1 --out OUT")


def test_another_plan_in_the_folder_is_refused(finished, plan):
    with pytest.raises(CheckpointError, match="expected a folder with folds=3, got one with folds=2; use another --out"):
        run_grid([], replace(plan, folds=3), finished[0])


def test_other_settings_under_a_name_that_exists_are_refused(finished, plan):
    changed = replace(WITH_TAGS, overrides=(*SMALL, "training.epochs=4"))
    with pytest.raises(CheckpointError, match=r"fold1-seed1.json: expected a cell with training.epochs 4 and not 3"):
        run_grid(cells_of([changed], [1], [1]), plan, finished[0])
    with pytest.raises(CheckpointError, match="select_on 'test' and not 'development'"):
        run_grid(cells_of([replace(WITH_TAGS, select_on="test")], [1], [1]), plan, finished[0])


def test_other_settings_are_refused_before_a_cell_of_another_seed_is_trained(finished, plan, monkeypatch):
    monkeypatch.setattr("relsift.experiments.grid.run_cell", lambda *_: pytest.fail("trained"))
    changed = replace(WITH_TAGS, overrides=(*SMALL, "training.epochs=4"))
    with pytest.raises(CheckpointError, match=r"tags/fold1-seed1.json: expected a cell with training.epochs 4 and not 3"):
        run_grid(cells_of([changed], [1], [3]), plan, finished[0])


def test_time_left_is_that_of_each_system_on_all_processes():
    slow, fast, new = (cells_of([System(name=name, title=name)], [1], range(5)) for name in ("slow", "fast", "new"))
    assert _Clock(2).seconds_left(slow) == 0  # nothing is known yet
    clock = _Clock(2)
    for cell, seconds in ((slow[0], 10.0), (slow[1], 30.0), (fast[0], 4.0)):
        clock.add(cell, seconds)
    assert clock.seconds_left(slow[2:]) == 3 * 20 / 2
    assert clock.seconds_left([*slow[4:], *fast[4:], *new[4:]]) == (20 + 4 + (20 + 4) / 2) / 2  # the usual time, where none is known
    assert clock.seconds_left(slow[4:]) == 20  # one cell is not computed by two processes
    assert clock.seconds_left([]) == 0


def test_an_option_younger_than_the_cell_has_its_default_there(finished, plan):
    file = finished[0] / "cells" / "tags" / "fold1-seed1.json"
    old = json.loads(file.read_text(encoding="utf-8"))
    del old["config"]["training"]["weight_decay"], old["content_sha256"]
    file.write_text(json.dumps(old), encoding="utf-8")
    run_grid(cells_of([WITH_TAGS], [1], [1]), plan, finished[0])


def test_cells_of_several_devices_stand_in_one_folder_and_say_which(finished, plan, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "grid")
    run_grid(cells_of([WITH_TAGS], [1, 2], [1, 2, 3], "cpu:0"), plan, folder)
    cells = load_results(folder, [WITH_TAGS]).of(WITH_TAGS)
    assert [(cell.fold, cell.seed) for cell in cells if cell.device == "cpu:0"] == [(1, 3), (2, 3)]
    assert {cell.command.partition("--only-seed ")[2] for cell in cells if cell.seed > 1} == {"2 --out OUT", "3 --device cpu:0 --out OUT"}


def test_a_second_process_in_a_folder_is_refused_unless_all_is_computed_and_until_the_first_is_killed(finished, plan, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "grid")
    code = (
        "import sys, pathlib, relsift.files as f\n"
        "with f.locked(pathlib.Path(sys.argv[1]) / 'lock', busy='busy'): print('held', flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code, folder], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline().strip() == b"held"
        run_grid(cells_of([WITH_TAGS], [1, 2], [1, 2]), plan, folder)
        with pytest.raises(CheckpointError, match="grid: expected no other process that computes cells here, got one"):
            run_grid(cells_of([WITH_TAGS], [1], [3]), plan, folder)
        other.kill()
    run_grid(cells_of([WITH_TAGS], [1], [3]), plan, folder)


def test_a_folder_that_cannot_be_locked_is_an_error(finished, plan, tmp_path):
    folder = shutil.copytree(finished[0], tmp_path / "grid")
    (folder / "lock").unlink()
    (folder / "lock").mkdir()
    with pytest.raises(DataError, match="lock: expected an empty file to lock, in a folder to write in, got unable to open"):
        run_grid(cells_of([WITH_TAGS], [1], [3]), plan, folder)


def test_a_training_killed_on_another_device_is_begun_anew_and_leaves_nothing(plan, tmp_path, monkeypatch):
    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    cells = cells_of([WITH_TAGS], [1], [1])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("relsift.experiments.cell.score", killed)
        run_grid(cells, plan, tmp_path)
    assert (tmp_path / "unfinished" / "tags" / "fold1-seed1").exists()
    run_grid([replace(cell, device="cpu:0") for cell in cells], plan, tmp_path)
    assert load_results(tmp_path).of(WITH_TAGS)[0].device == "cpu:0"
    assert not (tmp_path / "unfinished").exists()


@pytest.mark.parametrize("missing", [False, True])
def test_a_kill_after_the_last_save_leaves_no_run_folder_at_the_next_run(finished, plan, tmp_path, missing):
    """It stood there for ever: of all finished cells nothing was looked at, and of some only what was missing."""
    folder, cells = shutil.copytree(finished[0], tmp_path / "grid"), cells_of([WITH_TAGS], [1, 2], [1])
    for device in ("", "@cuda0"):
        (folder / f"unfinished/tags/fold1-seed1{device}/state").mkdir(parents=True)
    if missing:
        (folder / "cells/tags/fold2-seed1.json").unlink()
    run_grid(cells, plan, folder)
    assert not (folder / "unfinished").exists()
    (folder / "unfinished/tags/fold9-seed9").mkdir(parents=True)  # of a cell that is not finished
    run_grid(cells, plan, folder)
    assert (folder / "unfinished/tags/fold9-seed9").is_dir()


def test_data_that_changed_is_refused(plan, tmp_path):
    with pytest.raises(RelsiftError, match=r"tags/fold1-seed1: .*expected the data of the folder's cells"):
        run_grid(cells_of([WITH_TAGS], [1], [1]), replace(plan, checksum="another"), tmp_path)


def test_an_error_in_a_cell_names_the_cell(plan, tmp_path):
    wrong = replace(WITH_TAGS, overrides=(*SMALL, "training.loss_weights.nothing=1"))
    with pytest.raises(RelsiftError, match=r"tags/fold1-seed1: training\.loss_weights"):
        run_grid(cells_of([wrong], [1], [1]), plan, tmp_path)


def test_folders_that_are_no_grid_and_broken_cells_are_errors(finished, tmp_path):
    with pytest.raises(DataError, match=r"plan\.json: expected a folder made by `relsift cv`"):
        load_results(tmp_path)
    broken = tmp_path / "cell.json"
    broken.write_text('{"format": 1}', encoding="utf-8")
    with pytest.raises(DataError, match=r"cell\.json: expected the result of a cell"):
        CellResult.load(broken)
    broken.write_text('{"format": 99}', encoding="utf-8")
    with pytest.raises(DataError, match="format 1, got 99"):
        CellResult.load(broken)


def test_selection_on_the_test_part_is_at_least_as_good_there(finished, plan, tmp_path):
    # The habit of some papers, only for measuring: the best epoch and threshold of the test part itself.
    cheat = replace(WITH_TAGS, name="cheat", select_on="test")
    run_grid(cells_of([cheat], [1], [1]), plan, tmp_path)
    (cheated,) = load_results(tmp_path).of("cheat")
    assert cheated.test == replace(cheated.development, setting=cheated.test.setting)
    assert cheated.test.micro.f1 >= load_results(finished[0]).of("tags")[0].test.micro.f1


def test_packed_cells_are_not_computed_again_and_come_out_the_same(finished, plan, tmp_path, monkeypatch):
    folder = shutil.copytree(finished[0], tmp_path / "grid")
    before = load_results(folder)
    pack_grid(folder)
    after = load_results(folder)
    for system in before.systems:
        assert [cell.to_json() for cell in after.of(system)] == [cell.to_json() for cell in before.of(system)]
    monkeypatch.setattr("relsift.experiments.grid.run_cell", lambda *_: pytest.fail("computed again"))
    run_grid(cells_of([WITHOUT_TAGS, WITH_TAGS], [1, 2], [1, 2]), plan, folder)
    changed = replace(WITH_TAGS, overrides=(*SMALL, "training.epochs=4"))
    with pytest.raises(CheckpointError, match=r"cells\.jsonl\.xz, tags/fold1-seed1: expected a cell with training.epochs 4 and not 3"):
        run_grid(cells_of([changed], [1], [3]), plan, folder)


def test_a_presets_tuple_is_the_list_that_a_stored_cell_has(plan, tmp_path, monkeypatch):
    released = System(name="released", title="released", preset="released", overrides=("training.epochs=1", "model.filters=2"))
    cells = cells_of([released], [1], [1])
    run_grid(cells, plan, tmp_path)
    monkeypatch.setattr("relsift.experiments.grid.run_cell", lambda *_: pytest.fail("computed again"))
    run_grid(cells, plan, tmp_path)


def test_the_own_split_is_a_grid_of_one_fold(tmp_path):
    for name, count in (("train", 24), ("dev", 8), ("test", 12)):
        write_sentences(tmp_path / "corpus" / f"{name}.jsonl", count)
    data = resolve(str(tmp_path / "corpus"))
    own = Plan(
        data=data.name, checksum=data.sha256(), language=None, direction="directed", type_filter=True, folds=1, split="own"
    )
    (fold,) = folds_of(own)
    assert [len(part) for part in fold.sentences()] == [24, 8, 12]
    run_grid(cells_of([WITH_TAGS, WITHOUT_TAGS], [1], [1, 2]), own, tmp_path / "grid")
    results = load_results(tmp_path / "grid")
    assert [(cell.fold, cell.seed, cell.test.sentences) for cell in results.of("tags")] == [(1, 1, 12), (1, 2, 12)]
    assert compare_systems(results.of("tags"), results.of("plain"), samples=20).split == "own"
    text = markdown.report(CV.report(results, "command"), "cv")
    assert "the corpus's own split" in text and "all 4 cells computed" in text
