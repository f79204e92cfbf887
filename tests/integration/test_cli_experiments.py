"""cv and reproduce as a user calls them: real processes, on the shipped corpus and on documents in the format of ACE 2005."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import calling
import pytest

from ace_documents import write_ace
from relsift.cli.main import main
from relsift.corpora.data import resolve
from relsift.experiments.grid import load_results
from relsift.experiments.result import CellResult
from relsift.registry import table

SMALL = [
    text
    for setting in ("model.word_size=20", "model.filters=8", "model.windows=[2,3]", "model.hidden=16")
    for text in ("--set", setting)
]


def relsift(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Exit status and standard error of one command, in this process."""
    status, _, err = calling.relsift(capsys, *arguments)
    return status, err


def command(*arguments: object) -> list[str]:
    """The same in a process of its own."""
    return [sys.executable, "-m", "relsift.cli.main", *map(str, arguments)]


def numbers(result: CellResult) -> tuple[object, ...]:
    """All of a cell that chance or a kill could change."""
    return result.system, result.fold, result.seed, result.test, result.threshold, result.epochs, result.curve


@pytest.fixture(scope="module")
def grid(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`relsift cv` with two processes."""
    out = tmp_path_factory.mktemp("cv") / "out"
    arguments = command("cv", "--data", "gazette-en", "--quick", "--jobs", "2", "--seeds", "2", "--out", out, *SMALL)
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert "1 systems x 2 folds x 2 seeds = 4 cells, 0 ready, 2 at a time" in done.stderr
    assert "4/4" in done.stderr
    return out


def test_cv_leaves_cells_and_a_report_that_says_it_is_quick(grid):
    assert sorted(str(file.relative_to(grid)) for file in grid.glob("cells/*/*.json")) == [
        f"cells/multitask_cnn/fold{fold}-seed{seed}.json" for fold in (1, 2) for seed in (1, 2)
    ]
    for name in ("cv.md", "cv.html"):
        text = (grid / name).read_text(encoding="utf-8")
        assert "QUICK: a trial of the machinery, not a result" in text
        assert "2 folds by document" in text
    assert (grid / "plots" / "cv-precision-recall.svg").exists()


def test_cv_again_computes_nothing(grid, capsys):
    before = {file: file.stat().st_mtime_ns for file in grid.glob("cells/*/*.json")}
    status, err = relsift(capsys, "cv", "--data", "gazette-en", "--quick", "--seeds", "2", "--out", grid, *SMALL)
    assert status == 0, err
    assert "4 cells, 4 ready" in err
    assert before == {file: file.stat().st_mtime_ns for file in grid.glob("cells/*/*.json")}


def test_one_process_or_two_and_killed_or_not_the_cells_are_the_same(grid, tmp_path, capsys):
    arguments = ["cv", "--data", "gazette-en", "--quick", "--seeds", "2", "--out", tmp_path, *SMALL]
    process = subprocess.Popen(command(*arguments), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("1/4"):
            break
    process.kill()
    process.communicate(timeout=60)
    assert len(list(tmp_path.glob("cells/*/*.json"))) in (1, 2)
    assert relsift(capsys, *arguments)[0] == 0
    whole, resumed = (load_results(folder).of("multitask_cnn") for folder in (grid, tmp_path))
    assert [numbers(one) for one in whole] == [numbers(other) for other in resumed]


@pytest.mark.skipif(not Path("/proc").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_a_grid_that_is_stopped(how, tmp_path):
    arguments = command("cv", "--data", "gazette-en", "--jobs", "2", "--out", tmp_path)
    process = subprocess.Popen(arguments, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(tmp_path.glob("unfinished/*/*"))) < 2 and time.monotonic() < deadline:
        time.sleep(0.2)
    children = offspring(process.pid)
    assert len(children) >= 2
    process.send_signal(how)
    assert process.wait(timeout=60) != 0
    deadline = time.monotonic() + 20
    while any(alive(child) for child in children) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(alive(child) for child in children)


def offspring(parent: int) -> list[int]:
    return [int(n) for task in Path(f"/proc/{parent}/task").iterdir() for n in (task / "children").read_text().split()]


def alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_a_report_is_drawn_anew_without_data_or_training(grid, tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path / "nothing"))
    monkeypatch.setattr("relsift.experiments.grid.run_cell", lambda *_: pytest.fail("trained"))
    status, err = relsift(capsys, "reproduce", "cv", "--from-results", grid, "--out", tmp_path / "new")
    assert status == 0, err
    one, other = ((folder / "cv.md").read_text(encoding="utf-8") for folder in (grid, tmp_path / "new"))
    assert one == other
    assert f"relsift reproduce cv --from-results {grid}\n" in one  # where the cells are, wherever the report is
    status, err = relsift(capsys, "reproduce", "cv", "--from-results", grid, "--data", "gazette-en")
    assert status == 2 and "--data: expected none beside --from-results" in err


def test_a_packed_grid_draws_the_same_report_and_is_not_computed_again(grid, tmp_path, capsys, monkeypatch):
    folder = shutil.copytree(grid, tmp_path / "grid")
    monkeypatch.setattr("relsift.experiments.grid.run_cell", lambda *_: pytest.fail("trained"))
    status, err = relsift(capsys, "reproduce", "cv", "--from-results", folder, "--out", tmp_path / "report", "--pack")
    assert status == 0, err
    assert f"4 cells packed in {folder / 'cells.jsonl.xz'}" in err
    assert not (folder / "cells").exists()
    one, other = ((place / "cv.md").read_text(encoding="utf-8") for place in (grid, tmp_path / "report"))
    assert one.replace(str(grid), "") == other.replace(str(folder), "")
    status, err = relsift(capsys, "cv", "--data", "gazette-en", "--quick", "--seeds", "2", "--out", folder, *SMALL)
    assert status == 0, err
    assert "4 cells, 4 ready" in err


def test_the_own_split_of_a_corpus_is_used_and_packed(tmp_path, capsys):
    arguments = ["cv", "--data", "gazette-en", "--split", "own", "--quick", "--out", tmp_path, "--pack", *SMALL]
    status, err = relsift(capsys, *arguments)
    assert status == 0, err
    assert "data=gazette-en · the corpus's own split · direction=directed" in err
    assert "1 systems x 1 folds x 1 seeds = 1 cells" in err
    (cell,) = load_results(tmp_path).of("multitask_cnn")
    tested = {sentence.id for document in resolve("gazette-en").documents("test") for sentence in document.sentences}
    assert 0 < cell.test.sentences <= len(tested)
    assert cell.command.startswith("relsift cv --data gazette-en --direction directed --type-filter --split own --language en")
    assert "the corpus's own split" in (tmp_path / "cv.md").read_text(encoding="utf-8")
    status, err = relsift(capsys, "cv", "--data", "gazette-en", "--quick", "--out", tmp_path)
    assert status == 2 and "expected a folder with folds=2, split=folds, got one with folds=1, split=own" in err


def test_the_help_of_reproduce_names_every_experiment(capsys):
    with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit):
        patch.setattr("sys.argv", ["relsift", "reproduce", "--help"])
        main()
    lines = capsys.readouterr().out.partition("Experiments:")[2].splitlines()
    names = [line.split()[0] for line in lines if line.startswith("  ") and not line.startswith("   ")]
    assert names == list(table("experiment"))


@pytest.mark.parametrize("arguments", [("cv",), ("reproduce", "table4")])
def test_without_data_or_out_one_line_says_what_is_missing(arguments, tmp_path, capsys):
    for further, missing in ((("--out", tmp_path), "DATA"), (("--data", "gazette-en"), "--out")):
        status, err = relsift(capsys, *arguments, *further)
        assert status == 2
        assert err.splitlines()[-1].startswith(f"relsift: error: {missing}: expected")


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--test-ratio", "inf"), ("--test-ratio", "nan"), ("--sentences", 10**30), ("--folds", 10**9), ("--seeds", 10**12), ("--seeds", 0),
        ("--folds", 1), ("--only-fold", 0), ("--test-ratio", -1), ("--sentences", 0), ("--jobs", 0),
        ("--jobs", 10**6), ("--development", "nan"), ("--development", "inf"), ("--fold-seed", 2**64), ("--only-seed", 2**64),
        ("--on-error", "ignore"),
    ],
)  # fmt: skip
def test_a_number_that_cannot_be_is_one_line_before_any_work(option, value, tmp_path, capsys):
    status, err = relsift(capsys, "cv", "gazette-en", "--out", tmp_path / "out", option, value)
    assert status == 2
    (line,) = err.splitlines()
    assert line.startswith("relsift: error: ") and option.strip("-").replace("-", "_") in line.replace("-", "_")
    assert not (tmp_path / "out").exists()


def test_an_unknown_experiment_or_system_is_named_with_those_that_exist(tmp_path, capsys):
    status, err = relsift(capsys, "reproduce", "tabel4", "--data", "gazette-en", "--out", tmp_path)
    assert status == 2 and "did you mean table4" in err
    status, err = relsift(capsys, "reproduce", "table4", "--data", "gazette-en", "--out", tmp_path, "--only", "best")
    assert status == 2 and "expected some of mtl_tag, mtl_tag_ce, tag, tag_ce, tag_ce_rank" in err


def test_documents_in_the_format_of_ace_2005_go_from_files_to_reports(tmp_path, capsys):
    data = resolve("gazette-en")
    documents = [document for split in data.splits for document in data.documents(split)]
    assert write_ace(documents, tmp_path / "ace") == len(documents) > 50
    spec = f"ace2005[entity_types=coarse]:{tmp_path / 'ace'}"
    read = list(resolve(spec).documents())
    wanted, got = (
        sorted(r.type for document in group for s in document.sentences for r in s.relations or ()) for group in (documents, read)
    )
    assert got == wanted
    arguments = ["--data", spec, "--direction", "directed", "--quick", "--sentences", "120", "--out", tmp_path / "out"]
    arguments += ["--set", "training.epochs=1"]
    for name in ("table1", "evaluation_habits"):
        status, err = relsift(capsys, "reproduce", name, *arguments)
        assert status == 0, err
        assert "ORG-AFF" in (tmp_path / "out" / f"{name}.md").read_text(encoding="utf-8")
        if name == "table1":  # ACE 2005 comes without trees
            assert "note: SPTree is left out" in err and "--set encoding.parser=NAME" in err
    cells = [json.loads(file.read_text(encoding="utf-8")) for file in (tmp_path / "out").glob("cells/*/*.json")]
    assert {cell["plan"]["data"] for cell in cells} == {spec}
    assert len({cell["system"]["name"] for cell in cells}) == 5 + 3  # mtl_tag is in both
