"""The scripts of `benchmarks/` keep up with the package: their calls fit it, their options are read, and the quick ones run.

`make bench-smoke` runs all of them.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
CACHE = ROOT / ".mypy_cache"  # of the check of types before the tests: without it, this one would take a minute
CALLS = ("attr-defined", "call-arg", "name-defined", "syntax")  # what mypy finds of calls and names that the package no longer has
FALSE_ALARMS = ('"hash_string"', "does not explicitly export")  # a name in compiled code; names that a module has from another one


@pytest.fixture(scope="module")
def smoke() -> Iterator[Any]:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("smoke_benchmark", BENCHMARKS / "smoke.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
        spec.loader.exec_module(module)
        yield module


def test_every_script_has_a_small_run(smoke):
    scripts = {file.stem for file in BENCHMARKS.glob("*.py") if "__main__" in file.read_text(encoding="utf-8")}
    assert {trial.script for trial in smoke.TRIALS} | set(smoke.WITHIN_OTHERS) == scripts - {"smoke"}


def test_quick_scripts_run_and_the_others_read_their_options():
    done = subprocess.run([sys.executable, BENCHMARKS / "smoke.py", "--cheap"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "faults_page: ok" in done.stdout and "marker_speed --help: ok" in done.stdout


@pytest.mark.skipif(not CACHE.is_dir(), reason="needs the cache of `make lint`")
def test_no_script_calls_what_the_package_does_not_have():
    command = [sys.executable, "-m", "mypy", *(str(file) for file in sorted(BENCHMARKS.glob("*.py")))]
    path = os.pathsep.join(str(ROOT / folder) for folder in ("benchmarks", "tests", "tests/integration"))
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, env=os.environ | {"MYPYPATH": path})
    assert "source files" in done.stdout, done.stdout + done.stderr  # it came to its end
    found = [line for line in done.stdout.splitlines() if re.search(rf"\[({'|'.join(CALLS)})\]$", line)]
    assert [line for line in found if not any(known in line for known in FALSE_ALARMS)] == []
