"""The weights that a transformer brings from its own training."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

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
    from transformers.utils import logging

    shows_progress = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # it takes a second
    try:
        loaded = AutoModel.from_pretrained(source, dtype=torch.float32)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        got = str(error).partition("\n")[0][:200]
        raise ConfigError(f"--encoder {source}: expected the weights of a transformer (model.safetensors), got {got}") from error
    finally:
        if shows_progress:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    weights = loaded.state_dict()
    own = transformer.state_dict()
    missing = [name for name in own if name not in weights]
    wrong = [name for name in own if name in weights and weights[name].shape != own[name].shape]
    if missing or wrong:
        names = ", ".join([*missing, *wrong][:3])
        expected = "expected weights for all of the transformer that config.json describes"
        raise ConfigError(f"--encoder {source}: {expected}, got others: {names}")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(weights[name])
