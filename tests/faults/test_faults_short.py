"""A few trials of every kind of `run_faults.py`, which `make faults` carries out at length."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "unit/corpora"))  # small_corpus

import bad_places
import broken_inputs
import damaged_files
import fault_trials
import kills
import odd_options
from fault_trials import Command, Outcome, Tally, run

SOURCES = ("native", "brat", "bioc")
STANDS = ("model folder", "prepared corpus")
WORKS = ("train, on the disk", "convert")

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs the accounting of Linux")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("RELSIFT_KERNEL", "torch")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    yield


@pytest.fixture
def tally() -> Tally:
    return Tally()


@pytest.fixture(scope="module", autouse=True)
def _imports() -> None:
    """Once, and not in every child."""
    fault_trials.prepare_imports(few=True)


@pytest.fixture(scope="module")
def works(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("works")
    kills.make_inputs(place)
    return place


@pytest.fixture(scope="module")
def stands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("stands")
    damaged_files.make_all(place, only=("run", "home"))
    return place


def test_mutated_inputs_are_read_right_or_refused_in_one_line(tmp_path: Path, tally: Tally):
    for source in broken_inputs.sources():
        if source.name in SOURCES:
            broken_inputs.try_source(source, tmp_path, tally, count=2)
    assert tally.trials == {broken_inputs.KIND: 2 * len(SOURCES)}
    assert not tally.faults


def test_damaged_files_are_named_or_change_nothing(stands: Path, tally: Tally):
    for stand in damaged_files.STANDS:
        if stand.name in STANDS:
            damaged_files.try_stand(stand, stands, tally, flips=2, only=4)
    assert tally.trials == {damaged_files.KIND: 4 * len(STANDS)}
    assert not tally.faults


def test_killed_commands_come_to_the_same_bytes(works: Path, tally: Tally):
    for work in kills.WORKS:
        if work.name in WORKS:
            kills.try_work(work, works, tally, 1)
    assert tally.trials[kills.KIND] >= len(WORKS)
    assert not tally.faults


def test_bad_places_are_one_line_and_then_the_right_result(works: Path, tally: Tally):
    work = next(work for work in kills.WORKS if work.name == "convert")
    bad_places.try_work(work, works, tally, 1)
    assert set(tally.trials) == set(bad_places.KINDS)
    assert not tally.faults


def test_odd_options_are_used_or_refused_in_one_line(tmp_path: Path, tally: Tally):
    odd_options.try_options(tmp_path / "options", tally, 4)
    assert tally.trials[odd_options.KIND] >= 4
    assert not tally.faults


# ---- the trials themselves see faults


def test_a_traceback_a_wrong_status_and_two_lines_are_faults():
    assert Outcome(0, "", "").fault(0) is None
    assert Outcome(2, "", "relsift: error: a: expected b, got c\n").fault(0, 2) is None
    assert Outcome(2, "", "relsift: error: x\nrelsift: error: y\n").fault(0, 2) == "2 error lines"
    assert Outcome(2, "", "").fault(0, 2) == "0 error lines"
    assert Outcome("traceback", "", "Traceback (most recent call last)").fault(0, 2) == "traceback"
    assert Outcome(1, "", "relsift: error: x\n").fault(0, 2) == "exit status 1"
    assert Outcome(0, "", "", memory_mb=3000).fault(0, 2) == "memory: 3000 MB"


def test_a_child_that_dies_is_one_fault_and_the_others_go_on():
    def call(arguments: Command) -> tuple[int | str, str, str]:
        return os.kill(os.getpid(), signal.SIGKILL) if arguments[0] == "formats" else (0, "", "")  # type: ignore[return-value]

    def broken() -> None:
        fault_trials.call = call

    outcomes = run([[("--version",), ("formats",), ("--version",)]], setup=broken)[0]
    assert [outcome.status for outcome in outcomes] == [0, "signal 9", 0]


def test_a_score_may_differ_in_its_last_digit_and_nothing_else_may():
    line = '{{"type": "a", "score": -0.5, "probability": {}}}'
    one, last, more = (line.format(score) for score in (0.451571, 0.45157, 0.451471))
    assert kills._alike(one, last)
    assert not kills._alike(one, more) and not kills._alike(one, last.replace('"a"', '"b"')) and not kills._alike(one, "")


def test_a_changed_file_after_a_kill_is_seen(tmp_path: Path):
    (tmp_path / "out.jsonl").write_text('{"seconds": 1.5, "id": "a"}')
    whole = kills.content(tmp_path, "")
    (tmp_path / "out.jsonl").write_text('{"seconds": 9.5, "id": "a"}')
    assert kills.content(tmp_path, "") == whole
    (tmp_path / "out.jsonl").write_text('{"seconds": 1.5, "id": "b"}')
    assert kills.content(tmp_path, "") != whole


def test_a_report_does_not_say_where_code_and_scratch_folders_of_the_machine_lie():
    tally = Tally()
    told = 'File "/home/ada/src/relsift/files.py", /opt/lib/site-packages/numpy.py, /tmp/relsift-faults-x1_y/works/out.jsonl:3: broken'
    tally.fault("kills", "traceback", "train", Outcome(1, "", told))
    assert tally.faults[0]["told"] == 'File "src/relsift/files.py", site-packages/numpy.py, relsift-faults-x1_y/works/out.jsonl:3: broken'
