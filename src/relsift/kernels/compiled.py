"""How kernels are compiled with Numba: on first use, cached on disk, run with as many threads as torch.

Every kernel is compiled twice, serial and parallel. With one thread the serial form runs, so that Numba starts no pool of threads beside
torch's: two pools that wait for work on the same cores cost more than the work.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numba
from numba.core.caching import FunctionCache
from numba.np import linalg
from numba.np.ufunc.parallel import threading_layer

from relsift.kernels.notes import note

if TYPE_CHECKING:
    from torch import Tensor

_MOST_THREADS: int = numba.config.NUMBA_NUM_THREADS  # type: ignore[attr-defined]
_ONE_CALLER = threading.Lock()


def _load_without_scipy() -> None:
    """Load Numba's functions of arrays. They look for scipy's BLAS, and load all of scipy.linalg for that, which takes longer than they do.

    What needs BLAS looks for it again when it is compiled, so that this look is all that goes.
    """
    look = linalg.ensure_blas
    linalg.ensure_blas = lambda: None
    try:
        import numba.np.arraymath  # noqa: F401
    finally:
        linalg.ensure_blas = look


_load_without_scipy()


def kernel(function: Any) -> Callable[..., None]:
    """Compile a loop over `numba.prange`, serial and parallel, chosen at each call by torch's number of threads."""
    serial = _kept_on_disk(numba.njit(nogil=True)(function))
    parallel = _kept_on_disk(numba.njit(parallel=True, nogil=True)(_under_another_name(function)))

    def call(*arguments: Any) -> None:
        threads = min(_wanted_threads(), _MOST_THREADS)
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


class _Cache(FunctionCache):
    """Numba's cache, which is a help and no condition: a full disk or a broken file costs the time of compiling, and a note."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)  # type: ignore[no-untyped-call]
        except Exception as error:  # unpickling a broken file raises anything
            _not_kept(error)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        except Exception as error:  # it first reads the index, as `load_overload` does
            _not_kept(error)


def _kept_on_disk(compiled: Any) -> Any:
    """The kernel with a cache, where there is a place for one: a read-only package and no home folder leave none."""
    try:
        compiled._cache = _Cache(compiled.py_func)  # type: ignore[no-untyped-call]
    except (RuntimeError, OSError) as error:
        _not_kept(error)
    return compiled


def _not_kept(error: Exception) -> None:
    reason = "no folder that can be written" if isinstance(error, (RuntimeError, OSError)) else "a broken file"
    note(
        f"compiled kernels cannot be kept on disk ({reason}), so every start compiles them anew, which takes some seconds; "
        "let NUMBA_CACHE_DIR name a folder that can be written"
    )


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only kernels call; it is inlined."""
    compiled: Callable[..., Any] = numba.njit(nogil=True, forceinline=True)(function)
    return compiled


def arrays(*tensors: Tensor) -> list[Any]:
    """The tensors' memory as contiguous numpy arrays."""
    return [tensor.detach().contiguous().numpy() for tensor in tensors]


def _under_another_name(function: Any) -> FunctionType:
    """A copy with another name. Numba's cache finds functions by name and content, not by options, and would confuse the two forms."""
    copy = FunctionType(function.__code__, function.__globals__, function.__name__, function.__defaults__, function.__closure__)
    copy.__module__ = function.__module__
    copy.__qualname__ = f"{function.__qualname__}_parallel"
    return copy


def _wanted_threads() -> int:
    """Torch's number of threads, where a process has loaded torch; else OpenMP's, by the variable that torch reads too."""
    torch = sys.modules.get("torch")
    if torch is not None:
        return int(torch.get_num_threads())
    named = os.environ.get("OMP_NUM_THREADS", "")
    return int(named) if named.isdecimal() and int(named) else _MOST_THREADS


def _set_threads(threads: int) -> None:
    """Set the number of Numba's threads. Its pool changes the number of OpenMP's threads, and so torch's, which is restored."""
    torch: Any = sys.modules.get("torch")
    torch_threads = None if torch is None else torch.get_num_threads()
    numba.set_num_threads(threads)
    if torch is not None and torch.get_num_threads() != torch_threads:
        torch.set_num_threads(torch_threads)


def _is_thread_safe() -> bool:
    """May two threads call parallel kernels at once?"""
    try:
        return str(threading_layer()) != "workqueue"  # type: ignore[no-untyped-call]
    except ValueError:  # unknown before the first parallel call
        return False
