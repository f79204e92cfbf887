"""How kernels are compiled with Numba: on first use, cached on disk, run with as many threads as torch.

Every kernel is compiled twice, serial and parallel. With one thread the serial form runs, so that Numba starts no pool of threads beside
torch's: two pools that wait for work on the same cores cost more than the work.
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
_ONE_CALLER = threading.Lock()


def kernel(function: Any) -> Callable[..., None]:
    """Compile a loop over `numba.prange`, serial and parallel, chosen at each call by torch's number of threads."""
    serial = numba.njit(cache=True, nogil=True)(function)
    parallel = numba.njit(parallel=True, cache=True, nogil=True)(_under_another_name(function))

    def call(*arguments: Any) -> None:
        threads = min(torch.get_num_threads(), _MOST_THREADS)
        if threads <= 1:
            serial(*arguments)
            return
        _set_threads(threads)
        if _is_thread_safe():
            parallel(*arguments)
        else:
            # Numba's own threading layer (macOS without OpenMP and TBB) ends the process if two threads call it at once.
            with _ONE_CALLER:
                parallel(*arguments)

    return call


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only kernels call; it is inlined."""
    compiled: Callable[..., Any] = numba.njit(nogil=True, forceinline=True)(function)
    return compiled


def arrays(*tensors: Tensor) -> list[Any]:
    """The tensors' memory as contiguous numpy arrays."""
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _under_another_name(function: Any) -> FunctionType:
    """A copy with another name. Numba's cache knows a function by name and content, not by options: it would mix up the two forms."""
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    copy.__module__ = function.__module__
    copy.__qualname__ = f"{function.__qualname__}_parallel"
    return copy


def _set_threads(threads: int) -> None:
    """Set the number of Numba's threads. Its pool changes the number of OpenMP's threads, and so torch's, which is restored."""
    torch_threads = torch.get_num_threads()
    numba.set_num_threads(threads)
    if torch.get_num_threads() != torch_threads:
        torch.set_num_threads(torch_threads)


def _is_thread_safe() -> bool:
    """May two threads call parallel kernels at once?"""
    try:
        return str(threading_layer()) != "workqueue"  # type: ignore[no-untyped-call]
    except ValueError:  # unknown before the first parallel call
        return False
