"""Processes that are started together end together, with one line for what went wrong."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from relsift.cli.processes import FAILED, LOST, WATCHED, run_together


def run(capsys: pytest.CaptureFixture[str], code: str, count: int = 2) -> tuple[int, str]:
    """Exit status and standard error of small programs that know their `rank`."""
    program = f"import os, signal, sys, time\nrank = int(os.environ['RANK'])\n{code}"
    status = run_together([sys.executable, "-S", "-c", program], count, os.environ)
    return status, capsys.readouterr().err


def test_all_of_them_know_their_place_and_succeed_together(capsys):
    names = "RANK WORLD_SIZE LOCAL_RANK MASTER_ADDR MASTER_PORT"
    assert run(capsys, f"assert rank < 3 and all(os.environ[name] for name in '{names}'.split())", 3) == (0, "")


def test_a_killed_process_ends_the_others_and_is_named(capsys):
    status, err = run(capsys, f"os.kill(os.getpid(), signal.SIGKILL) if rank else sys.exit({LOST})")
    assert status == FAILED
    (line,) = err.splitlines()
    assert line.startswith("relsift: error: --processes: expected 2 processes that train to the end, got process 2 of 2 ended by SIGKILL")
    assert "--resume goes on from the last saved state" in line


def test_what_one_of_the_others_says_of_its_error_is_shown_with_its_status(capsys):
    status, err = run(capsys, f"print('note', 'relsift: error: no memory', sep='\\n', file=sys.stderr); sys.exit(2 if rank else {LOST})")
    assert (status, err) == (2, "relsift: error: process 2 of 2: no memory\n")


def test_an_error_that_the_first_process_has_told_is_not_told_again(capsys):
    assert run(capsys, "sys.exit(2)") == (2, "")


def test_a_process_that_hangs_after_another_has_died_is_ended(capsys, monkeypatch):
    monkeypatch.setattr("relsift.cli.processes._PATIENCE", 0.2)
    status, err = run(capsys, "time.sleep(60) if rank == 0 else os.kill(os.getpid(), signal.SIGKILL)")
    assert status == FAILED
    assert err.count("\n") == 1


def test_a_process_ends_when_the_one_that_started_it_is_gone():
    code = "from relsift.cli.processes import _end_with_starter; _end_with_starter()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, env=os.environ | {WATCHED: "1"})
    time.sleep(0.05)
    assert child.poll() is None
    child.communicate(timeout=60)
    assert child.returncode == LOST
