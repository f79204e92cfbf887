"""A transformer as a file in the format ONNX, in 32 or in 8 bits.

Letters: W windows, U pieces of the longest, H states; B rows of text and markers, V places of the longest, E size of the embeddings.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from relsift.encoders.huggingface import HuggingFaceEncoder
from relsift.errors import ConfigError
from relsift.exported.transformer import INSTALL, MARKER_INPUTS, OUTPUT, TEXT_INPUTS, Inputs
from relsift.layers.packed_attention import attention
from relsift.layers.transformer_layers import as_mask, heads_of, opened, without_heads

OPSET = 18  # of ONNX; onnxruntime reads it since 1.14 (2023)
_SIZES = (2, 7)  # windows and pieces of the example that the graph is traced with; both dimensions are free afterwards


class Graph(nn.Module):
    """What is written: a module of integers of one shape, (W, U), to states (W, U, H)."""

    INPUTS: ClassVar[Inputs]


class TextGraph(Graph):
    """(W, U) ids and (W, U) 1 for real pieces -> (W, U, H): the mean of the states behind the last layers that the encoder reads."""

    INPUTS = TEXT_INPUTS

    def __init__(self, encoder: HuggingFaceEncoder) -> None:
        super().__init__()
        self.transformer, self.last_layers = encoder.transformer, encoder.last_layers

    def forward(self, ids: Tensor, real: Tensor) -> Tensor:
        last = self.last_layers
        output = self.transformer(input_ids=ids, attention_mask=real, output_hidden_states=last > 1, return_dict=True)
        states: Tensor = output.last_hidden_state if last == 1 else torch.stack(output.hidden_states[-last:]).mean(0)
        return states


class MarkerGraph(Graph):
    """Text and the markers of many pairs in one sequence: text sees text, a marker its text and the markers of its pair."""

    INPUTS = MARKER_INPUTS
    words: Tensor  # (pieces + markers, E)
    tags: Tensor  # (tags + 1, E); the last row is zero

    def __init__(self, transformer: nn.Module, markers: Tensor, tags: Tensor | None, marker_layers: int) -> None:
        """Args: markers: (X, E). tags: (tags, E). marker_layers: so many of the last layers run the markers."""
        super().__init__()
        self.transformer, self.marker_layers = transformer, marker_layers
        table = opened(transformer, "export").words.weight.detach()
        self.register_buffer("words", torch.cat([table, markers.detach()]))
        zero = table.new_zeros(1, table.shape[1])
        self.register_buffer("tags", zero if tags is None else torch.cat([tags.detach(), zero]))

    def forward(self, ids: Tensor, tags: Tensor, positions: Tensor, window: Tensor, group: Tensor) -> Tensor:
        """(B, V) each -> (B, V, H)

        Args: window: whose text each place sees. group: -1 for text, else the pair of a marker; padding is a group of its own.
        """
        parts = opened(self.transformer, "export")
        x = parts.embed(F.embedding(ids, self.words) + F.embedding(tags, self.tags), positions, training=False)  # (B, V, H)
        is_text = (group < 0)[:, None, :]
        sees_text = (window[:, :, None] == window[:, None, :]) & is_text                # (B, V, V)
        sees = sees_text | ((group[:, :, None] == group[:, None, :]) & ~is_text)
        mask, bias = as_mask(sees, x)[:, None], parts.bias(positions, positions)        # (B, 1, V, V), (B, h, V, V) or None
        mask = mask if bias is None else mask + bias
        begin, given = len(parts.layers) - self.marker_layers, x
        for number, layer in enumerate(parts.layers):
            q, k, v = (heads_of(project(x), parts.heads) for project in (layer.query, layer.key, layer.value))
            attended = without_heads(attention(q, k, v, mask, 0.0, training=False))     # (B, V, H)
            x = layer.behind_attention(x, attended, training=False)
            if number < begin:
                x = torch.where((group < 0)[:, :, None], x, given)
        return x


def write_transformer(graph: Graph, file: Path, *, quantize: bool) -> None:
    """Write the file.

    Args: quantize: weights of the linear layers and the embeddings in 8 bits; the values they meet are put into 8 bits as they come.
    Raises: ConfigError for a missing package, and for a transformer that torch cannot write.
    """
    _check_packages(quantize=quantize)
    example = tuple(torch.ones(_SIZES, dtype=torch.int64) for _ in graph.INPUTS)
    free = {0: torch.export.Dim("windows"), 1: torch.export.Dim("pieces")}
    written = file.with_suffix(".32.onnx") if quantize else file
    try:
        with torch.no_grad(), _quiet():
            torch.onnx.export(
                graph.eval(), example, written, input_names=list(graph.INPUTS), output_names=[OUTPUT], opset_version=OPSET,
                dynamic_shapes=(free,) * len(example), dynamo=True, external_data=False,
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
