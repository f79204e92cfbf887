"""The weights that a transformer brings from its own training."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from relsift.encoding.tokenizers import quiet
from relsift.errors import ConfigError
from relsift.models.base.model import RelationModel


@runtime_checkable
class HasTransformer(Protocol):
    """An encoder around a transformer of Hugging Face."""

    transformer: nn.Module


@runtime_checkable
class StartsFromEncoder(Protocol):
    """A model with weights of its own that start from those of its encoder."""

    def start_from_encoder(self) -> None: ...


def load_pretrained(model: RelationModel[Any], source: str) -> None:
    """Fill the transformer of a fresh model from a folder or hub id.

    Raises: ConfigError if it holds no weights of that architecture.
    """
    encoder = model.encoder
    if not isinstance(encoder, HasTransformer):
        got = f"{type(model).__name__} without a transformer"
        raise ConfigError(f"--encoder {source}: expected a model with model.encoder=huggingface, got {got}")
    fill_transformer(encoder.transformer, source)
    if isinstance(model, StartsFromEncoder):
        model.start_from_encoder()


def fill_transformer(transformer: nn.Module, source: str) -> None:
    """Give a fresh transformer the weights of a folder or hub id. Raises ConfigError if it holds no weights of that architecture."""
    from transformers import AutoModel

    try:
        with quiet():
            loaded, report = AutoModel.from_pretrained(source, dtype=torch.float32, output_loading_info=True, ignore_mismatched_sizes=True)
    except Exception as error:  # of many kinds, from several packages
        got = str(error).partition("\n")[0][:200]
        raise ConfigError(f"--encoder {source}: expected the weights of a transformer (model.safetensors), got {got}") from error
    weights, own = loaded.state_dict(), transformer.state_dict()
    # Weights that the folder does not have, or of another shape: transformers drew them.
    random = {*report["missing_keys"], *(key[0] for key in report["mismatched_keys"])}
    missing = [name for name in own if name not in weights or name in random or weights[name].shape != own[name].shape]
    if missing:
        names = ", ".join(missing[:3])
        raise ConfigError(
            f"--encoder {source}: expected weights for all of the transformer that config.json describes, got none that fit for {names}; "
            "do both files belong to the same model?"
        )
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(weights[name])
