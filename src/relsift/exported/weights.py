"""The numbers of an exported model, taken by name and shape: a file that does not fit is refused before anything is computed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load_file

from relsift.errors import CheckpointError

FloatArray = NDArray[np.float32]


class Weights:
    """Tables by name. Every one has to be taken; `check_all_taken` refuses a file with others."""

    def __init__(self, tables: Mapping[str, FloatArray], where: str) -> None:
        self._tables, self._where = tables, where
        self._taken: set[str] = set()

    def take(self, name: str, *shape: int | None) -> FloatArray:
        """The table. Args: shape: of each dimension its size; None: any. Raises CheckpointError if it is not there or has another."""
        expected = f"({', '.join('any' if size is None else str(size) for size in shape)})"
        if name not in self._tables:
            raise CheckpointError(f"{self._where}: expected weights {name} {expected}, got none; copy the folder again")
        table = self._tables[name]
        if table.ndim != len(shape) or any(size not in (None, found) for size, found in zip(shape, table.shape)):
            got = tuple(table.shape)
            raise CheckpointError(f"{self._where}: {name}: expected weights of shape {expected}, got {got}; copy the folder again")
        self._taken.add(name)
        return table

    def check_all_taken(self) -> None:
        """Raises CheckpointError for a table that the model does not read."""
        if further := sorted(self._tables.keys() - self._taken):
            raise CheckpointError(f"{self._where}: expected the weights that model.json describes, got others too: {further[0]}")


def load_tables(file: Path) -> dict[str, FloatArray]:
    """All tables of a file of safetensors, as float32. Raises CheckpointError for what is no such file, and for a number that is not."""
    try:
        tables = load_file(file)
    except (OSError, SafetensorError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file}: expected a file of weights, got {error}; copy the folder again") from error
    for name, table in tables.items():
        if table.dtype not in (np.float16, np.float32):
            raise CheckpointError(f"{file}: {name}: expected numbers of type float32 or float16, got {table.dtype}")
        if not np.isfinite(table).all():
            raise CheckpointError(f"{file}: {name}: expected finite numbers, got infinity or not-a-number; export again, or copy it again")
    return {name: np.asarray(table, np.float32) for name, table in tables.items()}
