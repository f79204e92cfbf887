"""In processes of their own: what is tested happens once a process, when Numba starts its threads or first compiles."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from relsift.kernels.switch import SWITCH

POOL = """
import sys, torch
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


def run(cache: Path, *threads: int) -> list[str]:
    """torch's number of threads after a kernel has run under each wanted number."""
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "NUMBA_NUM_THREADS": "3", SWITCH: "numba"}
    environment.pop("OMP_NUM_THREADS", None)
    done = subprocess.run([sys.executable, "-c", POOL, *map(str, threads)], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize("threads", [(1,), (2,), (2, 1, 3)], ids=str)
def test_running_a_kernel_leaves_the_number_of_threads_as_it_was_set(tmp_path, threads):
    assert run(tmp_path, *threads) == [str(number) for number in threads]


def test_the_serial_and_the_parallel_form_are_kept_apart_on_disk(tmp_path):
    def kept() -> set[str]:
        return {file.name.partition("-")[0] for file in tmp_path.rglob("*.nbi")}

    run(tmp_path, 1)
    serial = kept()
    run(tmp_path, 2)
    assert serial == {"pair_pool_cpu._forward_max"}
    assert kept() == serial | {"pair_pool_cpu._forward_max_parallel"}
