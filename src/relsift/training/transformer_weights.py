"""The weights that a transformer brings from its own training."""

from __future__ import annotations

import re
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from relsift.encoding.subwords import SubwordInput
from relsift.encoding.tokenizers import quiet, reason
from relsift.errors import ConfigError
from relsift.models.base.model import RelationModel

TRIED = 1024  # pieces at most in a trial: transformers that read more have no table of positions that could end
_OF_A_LAYER = re.compile(r"\.\d+\..*(weight|bias)$")  # names of weights inside a list of layers; heads and poolers stand outside


@runtime_checkable
class HasTransformer(Protocol):
    """An encoder around a transformer of Hugging Face."""

    transformer: nn.Module


@runtime_checkable
class StartsFromEncoder(Protocol):
    """A model with weights of its own that start from those of its encoder."""

    def start_from_encoder(self) -> None: ...


def load_pretrained(model: RelationModel[Any], source: str, subwords: SubwordInput | None) -> None:
    """Fill the transformer of a fresh model from a folder or hub id, and try it.

    Args: subwords: its tokenizer. Raises: ConfigError as `fill_transformer`.
    """
    transformers = [encoder.transformer for encoder in model.encoders if isinstance(encoder, HasTransformer)]
    if not transformers or subwords is None:
        got = f"{type(model).__name__} without a transformer"
        raise ConfigError(f"--encoder {source}: expected a model with model.encoder=huggingface, got {got}")
    fill_transformer(transformers[0], source, subwords)
    for transformer in transformers[1:]:
        transformer.load_state_dict(transformers[0].state_dict())
    if isinstance(model, StartsFromEncoder):
        model.start_from_encoder()


def fill_transformer(transformer: nn.Module, source: str, subwords: SubwordInput) -> None:
    """Give a fresh transformer the weights of a folder or hub id, and try it on a long text.

    Raises: ConfigError if there are no weights of that architecture, or they do not work.
    """
    from transformers import AutoModel

    options: dict[str, Any] = {"dtype": torch.float32, "output_loading_info": True, "ignore_mismatched_sizes": True}
    try:
        with quiet():
            loaded, report = AutoModel.from_pretrained(source, trust_remote_code=False, **options)
    except Exception as error:  # of many kinds, from several packages
        is_pickle = "weights_only" in str(error)
        got = "a pickle file, which may hold code and is not read; save it as safetensors" if is_pickle else reason(error)
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
    unread = [name for name in sorted(report["unexpected_keys"]) if _OF_A_LAYER.search(name)]
    if unread:
        raise ConfigError(
            f"--encoder {source}: expected the weights of the transformer that config.json describes, got others beside them, such as "
            f"{', '.join(unread[:3])}; do both files belong to the same model?"
        )
    broken = [name for name in own if weights[name].is_floating_point() and not bool(weights[name].isfinite().all())]
    if broken:
        raise ConfigError(f"--encoder {source}: expected finite weights, got infinity or not-a-number in {broken[0]}; copy the files again")
    with torch.no_grad():
        for name, tensor in own.items():
            tensor.copy_(weights[name])
    _try(transformer, source, subwords)


def _try(transformer: nn.Module, source: str, subwords: SubwordInput) -> None:
    """Raises ConfigError unless it gives a finite state of each piece of a text as long as it is to read."""
    before, after = subwords.around
    piece = (subwords.ids("a") or [subwords.stand_in])[0]
    ids = torch.tensor([[*before, *[piece] * min(subwords.room, TRIED), *after]], device=next(transformer.parameters()).device)
    was_training = transformer.training
    transformer.eval()
    try:
        with torch.no_grad(), quiet():
            states = transformer(input_ids=ids, attention_mask=torch.ones_like(ids), return_dict=True).last_hidden_state
    except Exception as error:  # each architecture raises what it likes
        got = f"{type(error).__name__}: {reason(error)}"
        raise ConfigError(f"--encoder {source}: expected a transformer that reads {ids.shape[1]} pieces at once, got {got}") from error
    finally:
        transformer.train(was_training)
    if states.shape[:2] != ids.shape or not bool(states.isfinite().all()):
        got = f"{tuple(states.shape)} numbers, {'' if bool(states.isfinite().all()) else 'not '}all finite"
        raise ConfigError(f"--encoder {source}: expected a finite state of each of {ids.shape[1]} pieces, got {got}")
