"""Add-max operations a second of the pair pooling kernel, against the machine's measured peak for the same loop.

    python benchmarks/add_max.py [--quick]

One operation is one float32 addition and one maximum: a case has pairs x tokens x channels of them. What the kernel does besides (adding
the sentence and head parts, once a head) takes its time and is not counted. The peak is its inner loop, written with the same vector
instructions, on operands that stay in the level-1 cache. With two threads both cores run it at once. The clock is CPU time, of all threads
together, and divided by their number: other work on the machine counts little, and a thread that waits for the other counts as busy.

benchmarks/results/performance/add_max.json: "figures" has "peak" (one row a number of threads) and "kernel" (one row a shape and number
of threads), in operations a second.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any
from unittest.mock import patch

import numba
import numpy as np
import torch
from cases import SHAPES, Case, options, pair_tokens, shape_case, thread_counts
from measure import print_table, save, seconds

from relsift.kernels.pair_pool import pair_max
from relsift.kernels.simd import VECTOR_SIZE, add, empty_aligned, greater, load, select, store

AIM = 0.6  # of the peak
PAIRS = 20_480  # of a case: ten full batches
LENGTHS = (28, 40, 60)  # tokens of the peak loop; at 60 both operands take 30 KiB
PASSES = 100_000  # of the peak loop between two readings of the clock: about 0.01 s
cpu_seconds = partial(seconds, clock=time.process_time)
POOL = "relsift.layers.pair_convolution.pair_max"


@numba.njit(nogil=True)
def run_loop(sums: Any, tail: Any, tokens: int, out: Any, passes: int) -> None:
    """`passes` pairs, one strip of channels each."""
    for _ in range(passes):
        best = add(load(sums, 0), load(tail, 0))
        for i in range(1, tokens):
            value = add(load(sums, i * VECTOR_SIZE), load(tail, i * VECTOR_SIZE))
            best = select(greater(value, best), value, best)
        store(out, 0, best)


@numba.njit(parallel=True)
def run_loops(threads: int, tokens: int, passes: int, maxima: Any) -> None:
    """`run_loop` on every thread, on memory of its own."""
    for thread in numba.prange(threads):
        sums, tail, out = empty_aligned(tokens * VECTOR_SIZE), empty_aligned(tokens * VECTOR_SIZE), empty_aligned(VECTOR_SIZE)
        sums[:], tail[:] = 1, thread
        run_loop(sums, tail, tokens, out, passes)
        maxima[thread] = out[0]


def measure_peak(threads: int, *, quick: bool) -> dict[str, Any]:
    passes = PASSES // 10 if quick else PASSES
    maxima = np.zeros(threads)
    rates = {}
    before = numba.get_num_threads()
    numba.set_num_threads(threads)
    for tokens in LENGTHS:
        one = cpu_seconds(lambda tokens=tokens: run_loops(threads, tokens, passes, maxima), budget=0.1 if quick else 1.0)
        rates[tokens] = threads * threads * passes * tokens * VECTOR_SIZE / one
        if list(maxima) != list(range(1, threads + 1)):
            raise SystemExit(f"the peak loop computed {maxima}")
    numba.set_num_threads(before)  # the kernels, loaded later, take this for the most they may use
    return {"threads": threads, "rate": max(rates.values()), "rates": {str(tokens): rate for tokens, rate in rates.items()}}


def measure_kernel(case: Case, threads: int, peak: float, *, quick: bool) -> dict[str, Any]:
    """The calls of `pair_max` that the model makes for these sentences, again and again."""
    model = case.model()
    calls: list[tuple[Any, Any]] = []

    def record(*arguments: Any, **named: Any) -> torch.Tensor:
        calls.append((arguments, named))
        return pair_max(*arguments, **named)

    with torch.inference_mode():
        with patch(POOL, record):
            for batch in case.batches():
                model.pooled(batch)
        one = cpu_seconds(lambda: [pair_max(*arguments, **named) is None for arguments, named in calls], budget=0.1 if quick else 2.0)
    rate = threads * pair_tokens(case.examples) * model.convolve.size / one
    return {**case.facts(), "threads": threads, "rate": rate, "share": rate / peak, "aim": AIM}


def main() -> None:
    quick = options(__doc__).quick
    cases = [shape_case(*shape, PAIRS // 10 if quick else PAIRS) for shape in SHAPES]
    peaks, rows = [], []
    for threads in thread_counts():
        peaks.append(measure_peak(threads, quick=quick))
        print(f"peak, {threads} thread(s): {peaks[-1]['rate'] / 1e9:.1f} billion a second", flush=True)
        rows += [measure_kernel(case, threads, peaks[-1]["rate"], quick=quick) for case in cases]
    head = ["case", "threads", "billion add-max a second", "of the peak", "aim"]
    lines = [[r["title"], r["threads"], f"{r['rate'] / 1e9:.1f}", f"{r['share']:.0%}", f"{r['aim']:.0%}"] for r in rows]
    print_table(head, lines)
    if not quick:
        print(save("add_max", "python benchmarks/add_max.py", {"peak": peaks, "kernel": rows}))


if __name__ == "__main__":
    main()
