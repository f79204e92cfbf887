"""Numba as the kernels use it: machine code on first use, kept on disk, with as many threads as torch.

Every kernel is compiled twice. With one thread the serial form runs, so that no second pool of threads waits beside torch's: two pools
that spin for work on the same cores cost more than the work.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import FunctionType
from typing import Any

import numba
import torch
from numba.np.ufunc.parallel import threading_layer
from torch import Tensor

_MOST_THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_ALONE = threading.Lock()


def kernel(function: Any) -> Callable[..., None]:
    """Compile a loop over `numba.prange`, serial and parallel, chosen at each call by torch's number of threads."""
    serial = numba.njit(cache=True, nogil=True)(function)
    parallel = numba.njit(parallel=True, cache=True, nogil=True)(_under_another_name(function))

    def call(*arguments: Any) -> None:
        threads = min(torch.get_num_threads(), _MOST_THREADS)
        if threads <= 1:
            serial(*arguments)
            return
        _use(threads)
        if _callers_may_meet():
            parallel(*arguments)
        else:
            # Numba's own threads (macOS, where there is neither OpenMP nor TBB) end the process when two callers meet.
            with _ALONE:
                parallel(*arguments)

    return call


def inner(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a part of a kernel, to be called from kernels only."""
    compiled: Callable[..., Any] = numba.njit(nogil=True, forceinline=True)(function)
    return compiled


def arrays(*tensors: Tensor) -> list[Any]:
    """The tensors' memory as contiguous numpy arrays."""
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _under_another_name(function: Any) -> FunctionType:
    """Numba looks up code on disk by name and content, not by its options: under one name, one form would be loaded for the other."""
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    copy.__module__ = function.__module__
    copy.__qualname__ = f"{function.__qualname__}_parallel"
    return copy


def _use(threads: int) -> None:
    """Set Numba's threads. Its pool, when it starts, sets those of OpenMP, and so torch's, to the number of cores: put back."""
    wanted = torch.get_num_threads()
    numba.set_num_threads(threads)
    if torch.get_num_threads() != wanted:
        torch.set_num_threads(wanted)


def _callers_may_meet() -> bool:
    try:
        return str(threading_layer()) != "workqueue"  # type: ignore[no-untyped-call]
    except ValueError:  # no parallel call yet: not known
        return False
