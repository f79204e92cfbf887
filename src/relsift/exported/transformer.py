"""A transformer in the format ONNX, run by onnxruntime: the states of the pieces.

Letters: W windows, U pieces of the longest, M pieces of all sentences, H states; B rows of text and markers, V places of the longest.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from relsift.encoding.arrays import IntArray, SubwordArrays
from relsift.errors import CheckpointError, ConfigError
from relsift.exported.weights import FloatArray

INSTALL = "pip install 'relsift[onnx]'"
Inputs: TypeAlias = tuple[str, ...]  # names of the inputs of a graph, all int64 of one shape
TEXT_INPUTS: Inputs = ("ids", "real")  # (W, U) each -> (W, U, H) float32
MARKER_INPUTS: Inputs = ("ids", "tags", "positions", "window", "group")  # (B, V) each -> (B, V, H) (see `relsift.exported.markers`)
OUTPUT = "states"
AT_ONCE = 16_384  # places W * U of a call: bounds its memory


class Transformer:
    """Weights and graph stay in the file; the model folder must not change while it is used."""

    def __init__(self, file: Path, inputs: Inputs = TEXT_INPUTS) -> None:
        """Raises: ConfigError if onnxruntime is not installed; CheckpointError for a file that is no such transformer."""
        try:
            import onnxruntime
        except ImportError as error:
            raise ConfigError(f"{file}: expected the package onnxruntime, which this model needs, got none ({error}); {INSTALL}") from error
        self.file = file
        try:
            options = onnxruntime.SessionOptions()
            options.log_severity_level = 3  # errors alone
            threads = os.environ.get("OMP_NUM_THREADS", "")  # as torch takes it; onnxruntime reads no variable
            options.intra_op_num_threads = int(threads) if threads.isdecimal() else 0
            self._session: Any = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # onnxruntime raises its own kinds, which share no base
            reason = " ".join(str(error).split())[:200]
            raise CheckpointError(f"{file}: expected a transformer in the format ONNX, got {reason}; copy the folder again") from error
        names = tuple(sorted(each.name for each in self._session.get_inputs())), [each.name for each in self._session.get_outputs()]
        size = self._session.get_outputs()[0].shape[-1]
        if names != (tuple(sorted(inputs)), [OUTPUT]) or not isinstance(size, int):
            expected = f"inputs {', '.join(inputs)} and an output {OUTPUT} of a fixed size"
            raise CheckpointError(f"{file}: expected {expected}, got {names} and {size!r}; copy the folder again")
        self.size = size  # H

    def states(self, subwords: SubwordArrays) -> FloatArray:
        """(M, H)"""
        windows, width = subwords.ids.shape
        result = np.empty((windows, width, self.size), np.float32)
        count = max(1, AT_ONCE // width)
        for start in range(0, windows, count):
            rows = slice(start, start + count)
            result[rows] = self.run(ids=subwords.ids[rows], real=subwords.real[rows].astype(np.int64))
        return result.reshape(windows * width, self.size)[subwords.place]

    def run(self, **inputs: IntArray) -> FloatArray:
        """The output for one value of each input."""
        [states] = self._session.run([OUTPUT], inputs)
        result: FloatArray = states
        return result
