"""Finished cells as files: loose, packed, or both."""

from __future__ import annotations

import json
import lzma
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invented_cells import ONE, OTHER, PLAN, cell
from relsift.errors import CheckpointError, DataError
from relsift.evaluation.scores import ErrorSplit, Scores, TypeScore
from relsift.experiments.cell_files import (
    PACK_FILE,
    cells_of_one_system,
    finished_names,
    pack_loose_cells,
    read_pack,
    stored_cells,
    write_pack,
)
from relsift.experiments.grid import load_results, pack_grid
from relsift.experiments.result import CellResult
from relsift.files import locked, write_json

RIGHT, SILENT = (1, 1, 1), (0, 0, 1)
RUN = {"model": {"name": "multitask_cnn"}, "training": {"seed": 1}}
CELLS = [replace(cell(system, fold, seed, [RIGHT, SILENT]), config=RUN) for system in (ONE, OTHER) for fold in (1, 2) for seed in (1, 10)]


def save(folder: Path, cells: Sequence[CellResult]) -> None:
    for one in cells:
        one.save(folder / "cells" / f"{one.name}.json")
    write_json(folder / "plan.json", asdict(PLAN))


def names(folder: Path) -> list[str]:
    return [stored.result.name for stored in stored_cells(folder)]


def changed(file: Path, *replacements: tuple[str, str]) -> None:
    text = lzma.decompress(file.read_bytes()).decode("utf-8")
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    file.write_bytes(lzma.compress(text.encode("utf-8")))


# ---- a pack


def test_packed_cells_come_back_as_they_were_by_system_fold_and_seed(tmp_path):
    save(tmp_path, CELLS)
    loose = [stored.result.to_json() for stored in stored_cells(tmp_path)]
    assert pack_grid(tmp_path) == len(CELLS) == 8
    assert [path.name for path in sorted(tmp_path.iterdir()) if path.name != "lock"] == [PACK_FILE, "plan.json"]
    assert [one.to_json() for one in read_pack(tmp_path / PACK_FILE)] == loose
    assert names(tmp_path)[:4] == ["one/fold1-seed1", "one/fold1-seed10", "one/fold2-seed1", "one/fold2-seed10"]
    assert finished_names(tmp_path) == {one.name for one in CELLS}


def test_the_same_cells_make_the_same_bytes_however_often_they_are_packed(tmp_path):
    write_pack(tmp_path / "one", PLAN, CELLS)
    write_pack(tmp_path / "two", PLAN, read_pack(tmp_path / "one")[::-1])
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5), st.integers(0, 9), st.integers(0, 9))
def test_any_relation_name_and_all_counts_are_kept(tmp_path_factory, label, missed, wrong):
    counts, errors = {label: TypeScore(1, wrong, missed)}, ErrorSplit(missed, wrong, 0, 0)
    scores = Scores({"direction": "directed"}, 2, counts, errors, {(label, label): 1})
    whole = replace(CELLS[0], test=scores, sampled=scores, notes=[label], extra={"tagger": {"f1": 0.5}})
    file = tmp_path_factory.mktemp("pack") / PACK_FILE
    write_pack(file, PLAN, [whole])
    (read,) = read_pack(file)
    assert read.to_json() == whole.to_json()


def test_what_a_cell_did_not_record_stays_unrecorded(tmp_path):
    write_pack(tmp_path / PACK_FILE, PLAN, [replace(CELLS[0], counts=None, curve=None)])
    (read,) = read_pack(tmp_path / PACK_FILE)
    assert read.counts is None and read.curve is None


def test_the_header_has_format_plan_number_and_checksum(tmp_path):
    write_pack(tmp_path / PACK_FILE, PLAN, CELLS[:3])
    first, *lines = lzma.decompress((tmp_path / PACK_FILE).read_bytes()).decode("utf-8").splitlines()
    header = json.loads(first)
    assert (header["format"], header["plan"], header["cells"], len(header["sha256"])) == (1, PLAN.to_json(), len(lines), 64)
    assert all("plan" not in json.loads(line) for line in lines)


@pytest.mark.parametrize(
    ("replacement", "message"),
    [
        (('"threshold":0.0', '"threshold":0.5'), r"expected 3 cells of sha256 \w+ as in its first line, got 3 cells of sha256"),
        (('"cells":3', '"cells":4'), "expected 4 cells of sha256"),
        (('"format":1', '"format":2'), "of format 1, got 2; use a newer relsift"),
        (('"folds":5', '"fold":5'), "expected packed cells of a grid, got TypeError"),
        (('"split":"folds"', '"split":"halves"'), "expected packed cells of a grid, got ConfigError"),
    ],
)  # fmt: skip
def test_a_pack_that_was_changed_is_refused_by_name(replacement, message, tmp_path):
    write_pack(tmp_path / PACK_FILE, PLAN, CELLS[:3])
    changed(tmp_path / PACK_FILE, replacement)
    with pytest.raises(DataError, match=rf"cells\.jsonl\.xz: .*{message}"):
        read_pack(tmp_path / PACK_FILE)


@pytest.mark.parametrize("content", [b"", b"no pack", lzma.compress(b""), lzma.compress(b"[]\n"), lzma.compress(b'{"format":1}\n')[:-9]])
def test_a_file_that_is_no_pack_is_refused_by_name(content, tmp_path):
    (tmp_path / PACK_FILE).write_bytes(content)
    with pytest.raises(DataError, match=r"cells\.jsonl\.xz: expected packed cells of a grid, got"):
        stored_cells(tmp_path)


# ---- loose and packed cells together


def test_loose_and_packed_cells_stand_together_and_are_packed_together(tmp_path):
    save(tmp_path, CELLS[:5])
    pack_grid(tmp_path)
    save(tmp_path, CELLS[5:])
    assert names(tmp_path) == sorted(names(tmp_path)) and len(names(tmp_path)) == 8
    assert load_results(tmp_path, [OTHER]).seeds(OTHER) == [1, 10]
    assert pack_grid(tmp_path) == 8
    assert not (tmp_path / "cells").exists()


def test_the_same_cell_in_both_must_be_equal(tmp_path):
    save(tmp_path, CELLS)
    pack_grid(tmp_path)
    save(tmp_path, CELLS[:1])
    assert len(names(tmp_path)) == 8
    save(tmp_path, [replace(CELLS[0], threshold=0.5)])
    with pytest.raises(DataError, match=r"one/fold1-seed1\.json: expected the same result as in .*cells\.jsonl\.xz, one/fold1-seed1"):
        stored_cells(tmp_path)


def test_a_cell_of_format_1_as_older_versions_wrote_it_still_loads(tmp_path):
    save(tmp_path, CELLS[:1])
    file = tmp_path / "cells" / f"{CELLS[0].name}.json"
    old = json.loads(file.read_text(encoding="utf-8"))
    del old["plan"]["split"], old["content_sha256"]
    file.write_text(json.dumps(old), encoding="utf-8")
    assert CellResult.load(file).plan == PLAN
    plan = {name: value for name, value in asdict(PLAN).items() if name != "split"}
    (tmp_path / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    assert pack_grid(tmp_path) == 1


def test_what_cannot_be_packed_stays_as_it_is(tmp_path):
    save(tmp_path, [])
    with pytest.raises(DataError, match="expected finished cells to pack, got none"):
        pack_grid(tmp_path)
    save(tmp_path, [CELLS[0], replace(CELLS[1], plan=replace(PLAN, folds=3))])
    with pytest.raises(DataError, match=r"one/fold1-seed10\.json: expected a cell of the folder's plan"):
        pack_loose_cells(tmp_path, PLAN)
    assert len(names(tmp_path)) == 2 and not (tmp_path / PACK_FILE).exists()


def test_a_folder_in_which_cells_are_computed_is_not_packed(tmp_path):
    import multiprocessing

    save(tmp_path, CELLS)
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    other = context.Process(target=_hold, args=(tmp_path / "lock", held, done))
    other.start()
    assert held.wait(60)
    with pytest.raises(CheckpointError, match="expected no process that computes cells here, got one"):
        pack_grid(tmp_path)
    done.set()
    other.join()
    assert pack_grid(tmp_path) == 8


def _hold(file: Path, held: object, done: object) -> None:
    with locked(file, busy="busy"):
        held.set()
        done.wait(60)


# ---- one system


def test_cells_are_found_in_the_folder_of_the_only_system_or_of_the_one_that_is_named(tmp_path):
    with pytest.raises(DataError, match="finished cells of one system, got none"):
        (tmp_path / "cells" / "one").mkdir(parents=True)
        cells_of_one_system(tmp_path)
    save(tmp_path, CELLS[:1])
    for folder in (tmp_path, tmp_path / "cells" / "one"):
        (stored,) = cells_of_one_system(folder)
        assert stored.counts is not None and np.array_equal(stored.counts, [RIGHT, SILENT])
    save(tmp_path, CELLS)
    with pytest.raises(DataError, match=r"got one, other; name one: .*cells/one"):
        cells_of_one_system(tmp_path)
    assert cells_of_one_system(tmp_path / "nowhere") == []


def test_a_packed_system_is_named_as_a_loose_one(tmp_path):
    save(tmp_path, CELLS)
    loose = [one.to_json() for one in cells_of_one_system(tmp_path / "cells" / "other")]
    pack_grid(tmp_path)
    assert [one.to_json() for one in cells_of_one_system(tmp_path / "cells" / "other")] == loose
    assert cells_of_one_system(tmp_path / "cells" / "third") == []
    with pytest.raises(DataError, match=r"got one, other; name one: .*cells/one"):
        cells_of_one_system(tmp_path)
