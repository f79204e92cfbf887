"""Rows that a model computes from an integer key alone, computed once: in a batch while it trains, once and for all while it predicts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

Compute = Callable[[Tensor], tuple[Tensor, ...]]  # (V,) different keys -> tables of V rows each


class Rows(NamedTuple):
    tables: tuple[Tensor, ...]
    place: Tensor  # for every key (any shape) its row in the tables; int64
    finite: bool  # the tables are known to hold neither infinity nor not-a-number


def each_once(keys: Tensor, compute: Compute) -> Rows:
    """Compute one row for each different key."""
    kept, place = torch.unique(keys, return_inverse=True)
    return Rows(compute(kept), place, False)


class RowCache:
    """`each_once` that remembers: what was computed under the same weights is not computed again. For inference.

    Memory is bounded: when new rows do not fit, all are forgotten, which costs no more than having had no cache. Threads may share it.
    A copy starts empty.
    """

    def __init__(self, limit: int) -> None:
        """limit: bytes."""
        self.limit = limit
        self._lock = threading.Lock()
        self._state: list[Any] = []  # of the weights
        self._weights: list[Tensor] = []  # held, so that no other tensor can get their identity
        self._tables: tuple[Tensor, ...] = ()
        self._row_of = torch.empty(0, dtype=torch.int32)
        self._used = self._capacity = 0

    def __reduce__(self) -> Any:
        return RowCache, (self.limit,)

    def rows(self, keys: Tensor, count: int, widths: Sequence[int], compute: Compute, weights: Sequence[Tensor]) -> Rows:
        """One row for each key; the tables may hold rows of other keys too.

        Args:
            keys: int64, of any shape, 0 <= key < count.
            widths: values in a row of each table that `compute` returns.
            weights: what the rows are computed from; when one of them changes, everything is forgotten.
        """
        with self._lock:
            state = [(id(weight), weight.data_ptr(), _version(weight), weight.device) for weight in weights]
            if state != self._state:
                self._state, self._weights = state, list(weights)
                self._start(count, widths)
            if self._take_in(keys, count, widths, compute):
                tables = tuple(table[: self._used] for table in self._tables)  # what lies behind is whatever memory held before
                return Rows(tables, self._row_of[keys].long(), True)
        return each_once(keys, compute)

    @property
    def used(self) -> int:
        """Rows that are remembered."""
        return self._used

    def _start(self, count: int, widths: Sequence[int]) -> None:
        """Fresh, empty tables; the old ones are left to whoever still reads them. The system gives the memory as rows come."""
        like = self._weights[0]
        size = sum(widths) * like.element_size()
        self._used, self._capacity = 0, max(0, min(count, (self.limit - 4 * count) // size))
        with torch.inference_mode(False):  # an inference tensor could not be written to outside that mode
            self._tables = tuple(torch.empty(self._capacity, width, dtype=like.dtype, device=like.device) for width in widths)
            self._row_of = torch.full((count if self._capacity else 0,), -1, dtype=torch.int32, device=like.device)

    def _take_in(self, keys: Tensor, count: int, widths: Sequence[int], compute: Compute) -> bool:
        """Compute what is missing. False if the rows do not fit, or are not finite: such rows are not kept."""
        if not self._capacity:
            return False
        missing = keys[self._row_of[keys] < 0]
        if not len(missing):
            return True
        missing = torch.unique(missing)
        if self._used + len(missing) > self._capacity:
            missing = torch.unique(keys)
            if len(missing) > self._capacity:
                return False
            self._start(count, widths)
        tables = compute(missing)
        if not all(bool(rows.isfinite().all()) for rows in tables):
            return False
        stop = self._used + len(missing)
        for table, rows in zip(self._tables, tables):
            table[self._used : stop] = rows
        self._row_of[missing] = torch.arange(self._used, stop, dtype=torch.int32, device=missing.device)
        self._used = stop
        return True


def _version(weight: Tensor) -> int:
    """Counts the changes of a tensor in place; a tensor made under inference mode has no such count, and cannot be trained."""
    return 0 if weight.is_inference() else weight._version

