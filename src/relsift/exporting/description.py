"""A model in torch as the description and the tables that `relsift.exported` computes from.

One function here for each architecture and each encoder that can be exported. Batch normalisation is folded into the layer beside it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from relsift.encoders.bilstm import BiLSTMEncoder
from relsift.encoders.huggingface import HuggingFaceEncoder
from relsift.encoders.lookup import LookupEncoder
from relsift.errors import ConfigError
from relsift.exported.spec import ConvolutionSpec, MarkerSpec, ModelSpec, ScoreSpec, TokenSpec
from relsift.exported.weights import FloatArray
from relsift.exporting.transformer import Graph, MarkerGraph, TextGraph
from relsift.layers.bilstm import TwoLSTMs
from relsift.layers.character_cnn import CharacterCNN
from relsift.layers.pair_convolution import PairConvolution
from relsift.layers.relation_classifier import RelationClassifier
from relsift.models.base.model import RelationModel
from relsift.models.bilstm_pcnn import BiLSTMPCNN
from relsift.models.cr_cnn import CRCNN
from relsift.models.multitask_cnn import MultiTaskCNN
from relsift.models.multiwindow_cnn import MultiWindowCNN
from relsift.models.packed_markers import PackedMarkers
from relsift.models.pcnn import PCNN

Activation = Literal["relu", "gelu", "none"]


@dataclass
class Parts:
    """What is collected of a model."""

    tables: dict[str, FloatArray] = field(default_factory=dict)
    transformer: Graph | None = None  # exported by itself

    def put(self, name: str, value: Tensor | NDArray[Any]) -> None:
        array = value.detach().cpu().numpy() if isinstance(value, Tensor) else value
        self.tables[name] = np.ascontiguousarray(array, np.float32)


def described(model: RelationModel[Any]) -> tuple[ModelSpec, Parts]:
    """Description and tables. Raises ConfigError for an architecture, an encoder or a loss that has no exported form."""
    function = _ARCHITECTURES.get(type(model))
    if function is None:
        known = ", ".join(sorted(kind.__module__.rpartition(".")[2] for kind in _ARCHITECTURES))
        raise ConfigError(f"export: expected one of {known}, got {_name(model)}, which has no form without torch; predict with the run")
    parts = Parts()
    return function(model.eval(), parts), parts


def _name(part: object) -> str:
    """Of a class of relsift its module, which users know as the name; of a plug-in's the whole path."""
    kind = type(part)
    own = kind.__module__.startswith("relsift.")
    return kind.__module__.rpartition(".")[2] if own else f"{kind.__module__}.{kind.__qualname__} of a plug-in"


# ---- architectures


def _multitask(model: Any, parts: Parts) -> ModelSpec:
    c = model.config
    tokens = _tokens(model.embed, parts)
    is_whole, average = c.context == "sentence", c.pooling == "max_average"
    convolution = _convolution(
        model.convolve, model.head_distance, model.tail_distance, c.max_distance, parts, over="sentence" if is_whole else "crop",
        crop=None if is_whole else c.context_size, average=average, activation="relu",
    )  # fmt: skip
    norm_pooled, _, linear, _, norm_hidden, _ = model.trunk
    _put_linear(parts, "layers.0", *_shifted(*_exact(linear), *_affine(norm_pooled)))
    scores = _classifier(model.classifier, parts, _affine(norm_hidden))
    return ModelSpec(tokens=tokens, convolution=convolution, layers=["relu"], scores=scores)


def _convolved(model: Any, parts: Parts, over: Literal["sentence", "pieces", "between"]) -> ModelSpec:
    part, c = model.convolved, model.config
    tokens = _tokens(part.embed, parts)
    activation: Literal["relu", "tanh"] = getattr(c, "activation", "tanh")
    convolution = _convolution(
        part.convolve, part.head_distance, part.tail_distance, c.max_distance, parts, over=over, crop=None, average=False,
        activation=activation,
    )  # fmt: skip
    if not isinstance(model, BiLSTMPCNN):
        return ModelSpec(tokens=tokens, convolution=convolution, layers=[], scores=_classifier(model.classifier, parts))
    if model.types is not None:
        parts.put("types", model.types.weight)
    _put_table(parts, "between.tokens", model.tokens_between)
    _put_table(parts, "between.entities", model.entities_between)
    _put_linear(parts, "layers.0", *_exact(model.trunk[1]))
    scores = _classifier(model.classifier, parts)
    return ModelSpec(
        tokens=tokens, convolution=convolution, spans=c.spans, types=model.types is not None, between=model.tokens_between is not None,
        layers=["gelu"], scores=scores,
    )  # fmt: skip


def _markers(model: PackedMarkers, parts: Parts) -> ModelSpec:
    types, roles = model.markers.types.weight, model.markers.roles.weight               # (types + 1, E), (Q, E)
    markers = (types[:, None] + roles).flatten(0, 1)
    tags = None if model.tags is None else model.tags.tags.weight
    parts.transformer = MarkerGraph(model.embed.transformer, markers, tags, model.marker_layers)
    parts.put("norm.weight", model.norm.weight)
    parts.put("norm.bias", model.norm.bias)
    parts.put("distances", model.distances.weight)
    _put_table(parts, "types", model.type_pairs)
    _put_linear(parts, "layers.0", *_exact(model.trunk[0]))
    spec = MarkerSpec(pieces=len(parts.transformer.words) - len(markers), tags=tags is not None, type_pairs=model.type_pairs is not None)
    return ModelSpec(markers=spec, layers=["gelu"], scores=_classifier(model.classifier, parts))


_ARCHITECTURES: dict[type, Callable[[Any, Parts], ModelSpec]] = {
    MultiTaskCNN: _multitask,
    MultiWindowCNN: lambda model, parts: _convolved(model, parts, "sentence"),
    CRCNN: lambda model, parts: _convolved(model, parts, model.config.context),
    PCNN: lambda model, parts: _convolved(model, parts, "pieces"),
    BiLSTMPCNN: lambda model, parts: _convolved(model, parts, "pieces"),
    PackedMarkers: _markers,
}


# ---- parts


def _tokens(encoder: nn.Module, parts: Parts) -> TokenSpec:
    """The encoder. Raises ConfigError for one that has no exported form."""
    if type(encoder) is LookupEncoder:
        parts.put("tokens.words", encoder.words.weight)
        _put_table(parts, "tokens.tags", encoder.tags)
        return TokenSpec(source="words", tags=encoder.tags is not None, features=["read"])
    if type(encoder) is BiLSTMEncoder:
        parts.put("tokens.words", encoder.words.weight)
        if encoder.added is not None:
            parts.put("tokens.added", encoder.added)
        for number, layer in enumerate(encoder.layers):
            _put_lstm(parts, number, layer)
        return TokenSpec(
            source="words", added=encoder.added is not None, layers=len(encoder.layers),
            features=["states", "read"] if encoder.options.keep_input else ["states"],
            **_looks(encoder, encoder.characters, encoder.cases, parts),
        )  # fmt: skip
    if type(encoder) is HuggingFaceEncoder:
        parts.transformer = TextGraph(encoder)
        if encoder.lstm is not None:
            _put_lstm(parts, 0, encoder.lstm)
        return TokenSpec(
            source="transformer", pooling=encoder.options.pooling, layers=int(encoder.lstm is not None),
            features=["read"] if encoder.lstm is None else ["read", "states"],
            **_looks(encoder, encoder.looks.characters, encoder.looks.cases, parts),
        )  # fmt: skip
    raise ConfigError(f"export: expected the encoder bilstm, huggingface or lookup, got {_name(encoder)}, which has no form without torch")


def _looks(encoder: Any, characters: CharacterCNN | None, cases: nn.Embedding | None, parts: Parts) -> dict[str, Any]:
    """Tags, characters and cases, in whatever encoder."""
    _put_table(parts, "tokens.tags", encoder.tags)
    _put_table(parts, "tokens.cases", cases)
    if characters is not None:
        parts.put("tokens.characters", characters.characters.weight)
        parts.put("tokens.characters.kernel", characters.convolution.weight)
        bias = characters.convolution.bias
        parts.put("tokens.characters.bias", torch.zeros(characters.size) if bias is None else bias)
    return {"tags": encoder.tags is not None, "characters": characters is not None, "cases": cases is not None}


def _put_table(parts: Parts, name: str, table: nn.Embedding | None) -> None:
    if table is not None:
        parts.put(name, table.weight)


def _put_lstm(parts: Parts, number: int, layer: nn.Module) -> None:
    assert isinstance(layer, TwoLSTMs)
    for side, lstm in (("forth", layer.forth), ("back", layer.back)):
        name = f"tokens.lstm.{number}.{side}"
        inputs, recurrent, *biases = lstm.all_weights[0]
        parts.put(f"{name}.inputs", inputs)
        parts.put(f"{name}.recurrent", recurrent)
        parts.put(f"{name}.bias", biases[0] + biases[1])  # torch has two and adds them


def _convolution(
    module: PairConvolution, heads: nn.Embedding, tails: nn.Embedding, max_distance: int, parts: Parts, **form: Any
) -> ConvolutionSpec:
    parts.put("convolution.head", heads.weight)
    parts.put("convolution.tail", tails.weight)
    biases = []
    for number, convolution in enumerate(module.convolutions):
        assert isinstance(convolution, nn.Conv1d) and convolution.bias is not None
        parts.put(f"convolution.{number}.kernel", convolution.weight)
        biases.append(convolution.bias)
    parts.put("convolution.bias", torch.cat(biases))
    windows = list(module.windows.sizes)
    return ConvolutionSpec(windows=windows, filters=module.size // len(windows), max_distance=max_distance, **form)


def _classifier(module: RelationClassifier, parts: Parts, before: tuple[Any, Any] = (1.0, None)) -> ScoreSpec:
    """Args: before: scale and shift of each feature, which the layers take in. Raises ConfigError for scores of an unknown form."""
    decisive = module.choose if module.rank is None else module.rank
    assert decisive is not None
    _put_linear(parts, "logits", *_shifted(*_exact(decisive), *before))
    if module.at_prediction != "none" and module.identify is not None:
        _put_linear(parts, "identify", *_shifted(*_exact(module.identify), *before))
        if module.at_prediction == "filter":
            parts.put("floor", module.floor.reshape(1))
    loss = module.decisive
    trial = torch.randn(4, decisive.out_features, generator=torch.Generator().manual_seed(0))
    made = loss.scores(trial)
    difference = trial[:, :-1] - trial[:, -1:]
    minus_none = made.shape == difference.shape
    if not torch.equal(made, difference if minus_none else trial):  # of a plug-in
        raise ConfigError(f"export: expected a loss whose scores are its logits, or differences to the last one, got {_name(loss)}")
    return ScoreSpec(minus_none=minus_none, identification=module.at_prediction, several_labels=loss.SEVERAL_LABELS)


def _exact(linear: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Weight and bias in double precision, in which they are folded."""
    weight = linear.weight.detach().cpu().double().numpy()
    return weight, np.zeros(len(weight)) if linear.bias is None else linear.bias.detach().cpu().double().numpy()


def _affine(norm: nn.Module) -> tuple[NDArray[np.float64] | float, NDArray[np.float64] | None]:
    """Scale and shift that batch normalisation is in prediction; (1, None) for no normalisation."""
    if not isinstance(norm, nn.BatchNorm1d):
        return 1.0, None
    assert norm.running_var is not None and norm.running_mean is not None
    scale = norm.weight.detach().cpu().double().numpy() / np.sqrt(norm.running_var.cpu().double().numpy() + norm.eps)
    return scale, norm.bias.detach().cpu().double().numpy() - norm.running_mean.cpu().double().numpy() * scale


def _shifted(weight: Any, bias: Any, scale: Any, shift: Any) -> tuple[Any, Any]:
    """A layer behind a scale and a shift as one layer."""
    return weight * scale, bias if shift is None else bias + weight @ shift


def _put_linear(parts: Parts, name: str, weight: Any, bias: Any) -> None:
    parts.put(f"{name}.weight", weight)
    parts.put(f"{name}.bias", bias)
