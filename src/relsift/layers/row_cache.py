"""Rows that a model computes from integer keys: each different key once a batch in training, once for all batches in prediction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

Compute = Callable[[Tensor], tuple[Tensor, ...]]  # (V,) different keys -> tables of V rows each


class Rows(NamedTuple):
    """Computed rows, and where each key finds its row."""

    tables: tuple[Tensor, ...]
    place: Tensor  # int64, the shape of the keys: the row of each key in the tables
    finite: bool  # the tables are known to hold neither infinity nor not-a-number


def each_once(keys: Tensor, compute: Compute) -> Rows:
    """Compute one row for each different key; `keys` may have any shape."""
    distinct, place = torch.unique(keys, return_inverse=True)
    return Rows(compute(distinct), place, False)


class RowCache:
    """`each_once` with a memory: rows are computed again only when the weights change. For inference.

    Memory is bounded: when new rows do not fit, all rows are dropped, which costs no more than no cache. Threads may share a cache. A copy
    starts empty.
    """

    def __init__(self, limit: int) -> None:
        """limit: bytes."""
        self.limit = limit
        self._lock = threading.Lock()
        self._weight_state: list[Any] = []  # identity, version and device of each weight
        self._weights: list[Tensor] = []  # referenced here, so that no new tensor gets their id
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
            weights: from which the rows are computed; when one of them changes, all rows are dropped.
        """
        with self._lock:
            weight_state = [(id(weight), weight.data_ptr(), _version(weight), weight.device) for weight in weights]
            if weight_state != self._weight_state:
                self._weight_state, self._weights = weight_state, list(weights)
                self._reset(count, widths)
            if self._add_missing(keys, count, widths, compute):
                tables = tuple(table[: self._used] for table in self._tables)  # the rest is uninitialised memory
                return Rows(tables, self._row_of[keys].long(), True)
        return each_once(keys, compute)

    @property
    def used(self) -> int:
        """Number of rows in the cache."""
        return self._used

    def _reset(self, count: int, widths: Sequence[int]) -> None:
        """New, empty tables; readers may still use the old ones. The system allocates the memory as rows are written."""
        like = self._weights[0]
        size = sum(widths) * like.element_size()
        self._used, self._capacity = 0, max(0, min(count, (self.limit - 4 * count) // size))
        with torch.inference_mode(False):  # an inference tensor could not be written to outside that mode
            self._tables = tuple(torch.empty(self._capacity, width, dtype=like.dtype, device=like.device) for width in widths)
            self._row_of = torch.full((count if self._capacity else 0,), -1, dtype=torch.int32, device=like.device)

    def _add_missing(self, keys: Tensor, count: int, widths: Sequence[int], compute: Compute) -> bool:
        """Compute the missing rows and keep them. False if they do not fit or are not finite."""
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
            self._reset(count, widths)
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
    """The count of in-place changes; 0 for a tensor made under inference mode, which has no count and cannot be trained."""
    return 0 if weight.is_inference() else weight._version

