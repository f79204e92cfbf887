"""Words that training shows as unknown, so that the unknown word is trained, and no single word is relied on."""

from __future__ import annotations

import random
from collections.abc import Callable

import torch

from relsift.config import TrainingConfig
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import ConfigError

Hide = Callable[[Batch], None]
"""Changes the words of a batch in place."""
_STREAM = 2**61  # added to the seed: else the words would be drawn by the same random numbers as the dropout of the model


def check_words(c: TrainingConfig, encoding: Encoding, model: str) -> None:
    """Raises ConfigError for word dropout in a model that reads no words. Args: model: its name."""
    if c.word_dropout and encoding.words is None and encoding.subwords is None:
        raise ConfigError(f"training.word_dropout: expected a model that reads words, got {model}; leave the option out")


def hide_rare_words(rare: frozenset[int], rate: float, seed: int) -> Hide:
    """A function that replaces a share of the rare words of a batch by the unknown word, so that the latter is trained."""
    random_numbers = random.Random(seed)

    def hide(batch: Batch) -> None:
        if rare and rate and batch.words is not None:
            rows = [[word in rare and random_numbers.random() < rate for word in row] for row in batch.words.tolist()]
            batch.words[torch.tensor(rows).to(batch.words.device)] = UNKNOWN_WORD

    return hide


def drop_words(share: float, encoding: Encoding, seed: int) -> Hide:
    """A function that replaces a share of all words of a batch by the unknown word, and of all pieces by the one that stands for it.

    Special pieces stay. A piece that two windows hold is drawn for each of them.
    """
    random_numbers = torch.Generator().manual_seed(seed + _STREAM)  # of the CPU: the same words on every device

    def draw(of: torch.Tensor) -> torch.Tensor:
        return (torch.rand(of.shape, generator=random_numbers) < share).to(of.device) & of

    def hide(batch: Batch) -> None:
        if share and batch.words is not None:
            batch.words.masked_fill_(draw(batch.mask), UNKNOWN_WORD)                    # (S, T)
        if share and batch.subwords is not None and encoding.subwords is not None:
            text = batch.subwords.real & ~batch.subwords.special                        # (W, U)
            batch.subwords.ids.masked_fill_(draw(text), encoding.subwords.stand_in)

    return hide
