"""The pre-trained weights of a model's encoder: rates of their own, or none at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Any

from torch import nn

from relsift.config import TrainingConfig
from relsift.encoders.frozen_states import FrozenStates
from relsift.encoders.huggingface import HuggingFaceEncoder
from relsift.errors import ConfigError
from relsift.models.base.model import RelationModel


def pretrained_layers(model: RelationModel[Any]) -> list[list[nn.Parameter]]:
    """The pre-trained weights of a model, from the embeddings up to the last layer; empty if it has none."""
    by_encoder = [encoder.pretrained_layers() for encoder in model.encoders]
    layers = zip_longest(*by_encoder, fillvalue=list[nn.Parameter]())
    return [list({id(weight): weight for part in parts for weight in part}.values()) for parts in layers]  # shared ones once


def check_pretrained(c: TrainingConfig, model: RelationModel[Any], name: str) -> None:
    """Raises ConfigError for options of pre-trained weights in a model without any, or that contradict each other.

    Args: name: of the model, for the message.
    """
    given = {
        "encoder_learning_rate": c.encoder_learning_rate is not None,
        "layer_decay": c.layer_decay != 1.0,
        "freeze_encoder": c.freeze_encoder,
        "freeze_embeddings": c.freeze_embeddings,
    }
    options = [option for option, is_given in given.items() if is_given]
    if options and not pretrained_layers(model):
        raise ConfigError(
            f"training.{options[0]}: expected a model with a pre-trained encoder, got {name}, whose weights all start at random; "
            "leave the option out"
        )
    rates = [option for option in options if not option.startswith("freeze")]
    if c.freeze_encoder and rates:
        raise ConfigError(f"training.{rates[0]}: expected none beside training.freeze_encoder, got both; leave one out")


def freeze(c: TrainingConfig, model: RelationModel[Any]) -> None:
    """Exclude the pre-trained weights from training, or their lowest layer, as configured."""
    layers = pretrained_layers(model)
    for layer in layers if c.freeze_encoder else layers[:1] if c.freeze_embeddings else []:
        for weight in layer:
            weight.requires_grad_(False)


def start_training_mode(model: RelationModel[Any], *, frozen: bool) -> None:
    """Training mode, dropout included, but for parts whose weights are all pre-trained, if those are frozen.

    So frozen layers give the same features in every epoch, and equal to those in prediction.
    """
    model.train()
    if not frozen:
        return
    fixed = {id(weight) for layer in pretrained_layers(model) for weight in layer}
    for part in (part for encoder in model.encoders for part in encoder.modules()):
        weights = {id(weight) for weight in part.parameters()}
        if weights and weights <= fixed:
            part.eval()


@contextmanager
def frozen_states_kept(c: TrainingConfig, model: RelationModel[Any], folder: Path | None) -> Iterator[None]:
    """Within the block, a frozen transformer reads each sentence once, and its states come from a file afterwards.

    Not with word dropout, which shows another sentence in every epoch. Args: folder: of the file; None: that of temporary files.
    """
    encoders = [encoder for encoder in model.encoders if isinstance(encoder, HuggingFaceEncoder)]
    if not c.freeze_encoder or c.word_dropout:
        encoders = []
    kept: dict[tuple[str, int], FrozenStates] = {}  # encoders that make the same states of one transformer share them
    with ExitStack() as stack:
        for encoder in encoders:
            key = encoder.options.pooling, encoder.last_layers
            if key not in kept:
                kept[key] = stack.enter_context(closing(FrozenStates(encoder.word_size, folder)))
            encoder.kept = kept[key]
            stack.callback(setattr, encoder, "kept", None)
        yield
