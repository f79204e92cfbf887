"""relsift compare as a user calls it: cells of a grid, and two models that train in seconds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from invented_cells import ONE, OTHER, PLAN, cell
from relsift.cli.main import main
from relsift.experiments.grid import pack_grid
from relsift.experiments.system import System
from relsift.files import write_json

SMALL = ["--model", "multitask_cnn"] + [
    text
    for setting in ("model.word_size=8", "model.filters=4", "model.windows=[2]", "model.hidden=8", "training.threads=1")
    for text in ("--set", setting)
]
RIGHT, SILENT = (1, 1, 1), (0, 0, 1)


def relsift(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output, standard error of one command."""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relsift", *map(str, arguments)])
        patch.setenv("COLUMNS", "200")
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    return status, *capsys.readouterr()


def assert_one_clear_line(status: int, err: str, *parts: str) -> None:
    lines = [line for line in err.splitlines() if line.startswith("relsift: error: ")]
    assert (status, len(lines)) == (2, 1), err
    assert "Traceback" not in err
    for part in parts:
        assert part in lines[0], lines[0]


def save(folder: Path, system: System, rows: Sequence[tuple[int, int, int]], computed_folds: int = 5, **plan: object) -> Path:
    """Cells of two seeds that all have the same counts, fold by fold one more relation."""
    for fold in range(1, computed_folds + 1):
        for seed in (1, 2):
            result = cell(system, fold, seed, [*rows, *[RIGHT] * fold], **plan)
            result.save(folder / "cells" / system.name / f"fold{fold}-seed{seed}.json")
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A directed model that has learned something, one that has not, and an undirected one."""
    folder = tmp_path_factory.mktemp("models")
    settings = {"good": ["training.epochs=3"], "poor": ["training.epochs=1"], "undirected": ["training.epochs=1"]}
    settings["undirected"].append("candidates.direction=undirected")
    settings["poor"].append("training.threshold=1000")
    for name, overrides in settings.items():
        further = [text for setting in overrides for text in ("--set", setting)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("sys.argv", ["relsift", "train", "--data", "gazette-en", "--out", str(folder / name), *SMALL, *further])
            with pytest.raises(SystemExit) as stop:
                main()
            assert not stop.value.code
    return {name: folder / name for name in settings}


# ---- folders of cells


def test_systems_that_saw_the_test_part_or_the_annotation_are_named(tmp_path, capsys):
    one = save(tmp_path / "a", replace(ONE, select_on="test"), [RIGHT] * 9)
    other = save(tmp_path / "b", OTHER, [RIGHT] * 9)
    for file in other.glob("cells/*/*.json"):
        cell = json.loads(file.read_text()) | {"config": {"candidates": {"order_leak": True}}}
        del cell["content_sha256"]
        file.write_text(json.dumps(cell))
    status, _, err = relsift(capsys, "compare", one, other)
    assert status == 0
    assert err.splitlines() == [
        "note: System one chose epoch and threshold on its test parts, which makes its score too high",
        "note: System other chose its candidates by the gold annotation (order leak), which makes its score too high",
    ]


def test_the_better_system_of_two_grids_is_named_with_folds_won_and_what_they_can_show(tmp_path, capsys):
    one = save(tmp_path / "a", ONE, [RIGHT] * 9)
    other = save(tmp_path / "b", OTHER, [RIGHT, SILENT, SILENT] * 3)
    status, out, err = relsift(capsys, "compare", one, other, "--samples", 500)
    assert (status, err) == (0, "")
    assert "System one is better than System other by " in out
    assert "5, 0 of 5" in out
    assert "smallest possible 0.0625" in out
    assert "folds share training data" in out
    assert "data=invented · 5 folds by document · direction=directed" in out
    assert "folds 1, 2, 3, 4, 5 · seeds 1, 2" in out


def test_as_json_the_same_numbers_come_out_whole(tmp_path, capsys):
    one, other = save(tmp_path / "a", ONE, [RIGHT] * 9), save(tmp_path / "b", OTHER, [RIGHT, SILENT, SILENT] * 3)
    status, out, _ = relsift(capsys, "compare", one, other, "--samples", 500, "--units", "sentence", "--json")
    assert status == 0
    value = json.loads(out)
    # 45 + 15 sentences; the second finds 15 + 15 of 60: F 1 against 2 * 30 / 90.
    assert (value["first"], value["second"], value["units"], value["unit"], value["runs"]) == (1, pytest.approx(2 / 3), 60, "sentence", 2)
    assert value["p_value"] == pytest.approx(1 / 501)
    assert value["fold_p_value"] == value["smallest_fold_p_value"] == 2 / 2**5
    assert list(value["fold_differences"]) == ["1", "2", "3", "4", "5"]
    assert value["names"] == ["System one", "System other"]
    assert value["verdict"].startswith("System one is better")


def test_one_of_several_systems_is_named_by_its_folder_and_what_is_left_out_is_counted(tmp_path, capsys):
    save(tmp_path, ONE, [RIGHT, SILENT])
    save(tmp_path, OTHER, [RIGHT, SILENT], computed_folds=3)
    status, _, err = relsift(capsys, "compare", tmp_path, tmp_path / "cells" / "other")
    assert_one_clear_line(status, err, "got one, other", "name one")
    status, out, err = relsift(capsys, "compare", tmp_path / "cells" / "one", tmp_path / "cells" / "other", "--samples", 50)
    assert status == 0
    assert "No difference that these folds can show" in out
    assert "all folds alike" in out
    assert "4 cells left out" in err and "3 of 5 folds only" in err


def test_packed_cells_are_compared_as_loose_ones(tmp_path, capsys):
    save(tmp_path, ONE, [RIGHT] * 9)
    save(tmp_path, OTHER, [RIGHT, SILENT, SILENT] * 3)
    sides = tmp_path / "cells" / "one", tmp_path / "cells" / "other"
    loose = relsift(capsys, "compare", *sides, "--samples", 100, "--json")
    write_json(tmp_path / "plan.json", asdict(PLAN))
    assert pack_grid(tmp_path) == 20
    assert not sides[0].exists()
    assert relsift(capsys, "compare", *sides, "--samples", 100, "--json") == loose


def test_with_the_own_split_nothing_is_said_of_folds(tmp_path, capsys):
    one, other = (
        save(tmp_path / system.name, system, rows, computed_folds=1, split="own", folds=1)
        for system, rows in ((ONE, [RIGHT] * 9), (OTHER, [SILENT] * 9))
    )
    status, out, err = relsift(capsys, "compare", one, other, "--samples", 100)
    assert (status, err) == (0, "")
    assert "System one is better than System other" in out
    assert "data=invented · the corpus's own split · direction=directed · type filter on · seeds 1, 2" in out
    assert "fold" not in out


def test_two_folders_of_one_system_are_told_apart_by_their_names(tmp_path, capsys):
    one, other = save(tmp_path / "before", ONE, [RIGHT]), save(tmp_path / "after", ONE, [SILENT])
    _, out, _ = relsift(capsys, "compare", one, other, "--samples", 50, "--json")
    assert json.loads(out)["names"] == [str(one), str(other)]


def test_folders_that_do_not_belong_together_are_refused(tmp_path, capsys):
    one, other = save(tmp_path / "a", ONE, [RIGHT]), save(tmp_path / "b", OTHER, [RIGHT], direction="undirected")
    status, _, err = relsift(capsys, "compare", one, other)
    assert_one_clear_line(status, err, "direction directed and undirected")
    status, _, err = relsift(capsys, "compare", one, one, "--data", "gazette-en")
    assert_one_clear_line(status, err, "--data", "expected none")
    status, _, err = relsift(capsys, "compare", one, one, "--units", "token")
    assert_one_clear_line(status, err, "--units", "'token'")
    for folder in ("nowhere", "empty"):
        (tmp_path / "empty").mkdir(exist_ok=True)
        status, _, err = relsift(capsys, "compare", one, tmp_path / folder)
        assert_one_clear_line(status, err, folder, "expected cells of `relsift cv`", "two of a kind")
        status, _, err = relsift(capsys, "compare", tmp_path / folder, tmp_path / folder, "--data", "gazette-en")
        assert_one_clear_line(status, err, folder, "run or model folder")
    (tmp_path / "b" / "cells" / "other" / "fold1-seed1.json").write_text("{}")
    status, _, err = relsift(capsys, "compare", other, other)
    assert_one_clear_line(status, err, "fold1-seed1.json")


# ---- models


def test_two_models_are_compared_as_evaluate_scores_them(models, capsys):
    scores = [json.loads(relsift(capsys, "evaluate", models[name], "--data", "gazette-en", "--json")[1]) for name in ("good", "poor")]
    options = ["--data", "gazette-en", "--samples", 300]
    status, out, err = relsift(capsys, "compare", models["good"], models["poor"] / "model", *options, "--json")
    assert status == 0, err
    value = json.loads(out)
    assert [value["first"], value["second"]] == pytest.approx([score["micro"]["f1"] for score in scores])
    assert value["second"] == 0 < value["first"]
    assert value["verdict"].startswith(f"{models['good']} is better than {models['poor'] / 'model'} by ")
    assert "direction=directed" in value["setting"]
    sentences = json.loads(relsift(capsys, "compare", models["good"], models["poor"], *options, "--units", "sentence", "--json")[1])
    assert sentences["units"] == scores[0]["sentences"] > value["units"]
    status, out, _ = relsift(capsys, "compare", models["poor"], models["poor"], *options)
    assert status == 0
    assert "No difference that this data can show" in out


def test_a_model_that_was_trained_on_the_data_of_the_comparison_is_named(models, tmp_path, capsys):
    assert relsift(capsys, "convert", "gazette-en", tmp_path / "data")[0] == 0
    status, _, err = relsift(capsys, "compare", models["good"], models["poor"], "--data", tmp_path / "data/train.jsonl", "--samples", 20)
    assert status == 0, err
    for name in ("good", "poor"):
        assert f"warning: {models[name]}: " in err
    assert err.count("(all of them): 352 sentences stand in the training data of the model too") == 2


def test_models_of_two_directions_or_without_data_are_not_compared(models, capsys):
    status, _, err = relsift(capsys, "compare", models["good"], models["undirected"], "--data", "gazette-en")
    assert_one_clear_line(status, err, "undirected", "directed, got undirected")
    status, _, err = relsift(capsys, "compare", models["good"], models["poor"])
    assert_one_clear_line(status, err, "--data")


def _cells(table: str) -> list[str]:
    """Lines without the frame of the table."""
    return [line.replace("│", " ").rstrip() for line in table.splitlines()]


def test_the_figure_of_cv_and_the_pooled_one_are_both_shown_and_named(tmp_path, capsys):
    """Fold by fold one more relation is found, so that the pooled F1 is above the mean over cells."""
    one, other = save(tmp_path / "a", ONE, [SILENT] * 3), save(tmp_path / "b", OTHER, [RIGHT] * 3)
    _, out, _ = relsift(capsys, "compare", one, other, "--samples", 50)
    rows = {line.rsplit(maxsplit=1)[0].strip(): line.split()[-1] for line in _cells(out) if "micro F1 of System one" in line}
    # Fold k: k of k + 3 relations, F = 2k / (2k + 3): 0.4, 4/7, 2/3, 8/11, 10/13. Together 15 of 30: 30 / 45.
    assert rows == {"micro F1 of System one, all cells together": "66.7", "micro F1 of System one, mean over all cells": "62.7"}


@pytest.mark.parametrize("samples", [0, 10**12])
def test_a_number_of_samples_that_cannot_be_is_one_line(tmp_path, capsys, samples):
    one = save(tmp_path / "a", ONE, [RIGHT])
    status, _, err = relsift(capsys, "compare", one, one, "--samples", samples)
    assert_one_clear_line(status, err, "--samples: expected 1 to 1000000")
