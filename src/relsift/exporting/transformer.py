"""The transformer of an encoder as a file in the format ONNX, in 32 or in 8 bits.

Letters: W windows, U pieces of the longest, H states.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from relsift.encoders.huggingface import HuggingFaceEncoder
from relsift.errors import ConfigError
from relsift.exported.transformer import INPUTS, INSTALL, OUTPUT

OPSET = 18  # of ONNX; onnxruntime reads it since 1.14 (2023)
_SIZES = (2, 7)  # windows and pieces of the example that the graph is traced with; both dimensions are free afterwards


class _States(nn.Module):
    """(W, U) ids and (W, U) 1 for real pieces -> (W, U, H): the mean of the states behind the last layers that the encoder reads."""

    def __init__(self, encoder: HuggingFaceEncoder) -> None:
        super().__init__()
        self.transformer, self.last_layers = encoder.transformer, encoder.last_layers

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        last = self.last_layers
        output = self.transformer(input_ids=ids, attention_mask=real, output_hidden_states=last > 1, return_dict=True)
        states: Tensor = output.last_hidden_state if last == 1 else torch.stack(output.hidden_states[-last:]).mean(0)
        return states


def write_transformer(encoder: HuggingFaceEncoder, file: Path, *, quantize: bool) -> None:
    """Write the file.

    Args: quantize: weights of the linear layers and the embeddings in 8 bits; the values they meet are put into 8 bits as they come.
    Raises: ConfigError for a missing package, and for a transformer that torch cannot write.
    """
    _check_packages(quantize=quantize)
    ids = torch.full(_SIZES, 1)
    real = torch.ones(_SIZES, dtype=torch.int64)
    free = {0: torch.export.Dim("windows"), 1: torch.export.Dim("pieces")}
    written = file.with_suffix(".32.onnx") if quantize else file
    try:
        with torch.no_grad(), _quiet():
            torch.onnx.export(
                _States(encoder).eval(), (ids, real), written, input_names=list(INPUTS), output_names=[OUTPUT], opset_version=OPSET,
                dynamic_shapes=(free, free), dynamo=True, external_data=False,
            )  # fmt: skip
    except Exception as error:  # the exporter raises what it likes
        reason = " ".join(str(error).split())[:200]
        raise ConfigError(f"export: expected a transformer that torch can write in the format ONNX, got {reason}") from error
    if quantize:
        with _quiet():
            _quantize(written, file)
        written.unlink()


@contextmanager
def _quiet() -> Iterator[None]:
    """Without what the packages say of their own work; what matters is an error of relsift."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _quantize(source: Path, target: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    options: dict[str, Any] = {"weight_type": QuantType.QInt8, "per_channel": True, "reduce_range": False}
    quantize_dynamic(source, target, **options)


def _check_packages(*, quantize: bool) -> None:
    try:
        import onnx  # noqa: F401
        import onnxruntime  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise ConfigError(f"export: expected the packages of ONNX, got none ({error}); {INSTALL}") from error
