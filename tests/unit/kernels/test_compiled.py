"""In processes of their own: what is tested happens once a process, when Numba starts its threads or first compiles."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from relsift.kernels.switch import SWITCH

POOL = """
import sys, torch
from numba.core.caching import CacheImpl
CacheImpl._locator_classes = CacheImpl._locator_classes[:1]  # NUMBA_CACHE_DIR; the folder of the package can be written here
from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool import pair_max

place, pairs = torch.randint(0, 9, (6, 20)), [torch.randint(0, high, (80,)) for high in (2, 6, 6)]
index = PairIndex(torch.tensor([0, 20]), torch.tensor([20, 20]), place, *pairs)
parts = [torch.randn(rows, 70) for rows in (40, 9, 9)]
for threads in map(int, sys.argv[1:]):
    torch.set_num_threads(threads)
    pair_max(*parts, index)
    print(torch.get_num_threads())
"""


def run(cache: Path, *threads: int, after: str = "") -> list[str]:
    """torch's number of threads after a kernel has run under each wanted number; then what `after` prints."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "NUMBA_NUM_THREADS": "3", SWITCH: "numba"}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run([sys.executable, "-c", POOL + after, *map(str, threads)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def kept(cache: Path) -> set[str]:
    """The kernels in a cache."""
    return {file.name.partition("-")[0] for file in cache.rglob("*.nbi")}


@pytest.fixture(scope="module")
def serial_then_parallel(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, set[str]]:
    """A cache in which one thread has run, then two; and what it held between. Compiling is slow, so tests share it."""
    cache = tmp_path_factory.mktemp("cache")
    run(cache, 1)
    serial = kept(cache)
    run(cache, 2)
    return cache, serial


@pytest.fixture
def cache(serial_then_parallel: tuple[Path, set[str]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(serial_then_parallel[0], tmp_path / "cache"))


@pytest.mark.parametrize("threads", [(1,), (2,), (2, 1, 3)], ids=str)
def test_running_a_kernel_leaves_the_number_of_threads_as_it_was_set(cache, threads):
    assert run(cache, *threads) == [str(number) for number in threads]


def test_the_serial_and_the_parallel_form_are_kept_apart_on_disk(serial_then_parallel):
    cache, serial = serial_then_parallel
    assert serial == {"pair_pool_loops.forward_max"}
    assert kept(cache) == serial | {"pair_pool_loops.forward_max_parallel"}


NOTES = "from relsift.inference import InferenceReport\nprint('|'.join(InferenceReport().lines()))"


def note_of(cache: Path) -> str:
    return " ".join(run(cache, 1, after=NOTES)[1:])


def test_without_a_place_for_a_cache_kernels_run_and_a_note_says_what_is_slower(cache, tmp_path):
    (tmp_path / "file").write_text("x")
    note = note_of(tmp_path / "file" / "below")  # a folder below a file cannot be made, not even by root
    assert note.startswith("compiled kernels cannot be kept on disk (no folder that can be written), so every start compiles them anew")
    assert note.count("NUMBA_CACHE_DIR") == 1
    assert note_of(cache) == ""


def test_a_broken_file_of_the_cache_costs_the_time_of_compiling_only(cache):
    for file in cache.rglob("*.nb?"):
        file.write_bytes(file.read_bytes()[:20])
    assert note_of(cache).startswith("compiled kernels cannot be kept on disk (a broken file)")
