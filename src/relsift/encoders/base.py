"""The contract of an encoder, which makes the features of each token that a model sees.

Letters: S sentences, T tokens of the longest, N real tokens of all sentences, D token features.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import torch
import torch.nn.functional as F
from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor, nn

from relsift.config import invalid_value
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding, Input
from relsift.errors import ConfigError
from relsift.layers.keyed_tokens import KeyedTokens
from relsift.registry import find


@dataclass(frozen=True, kw_only=True)
class EncoderOptions:
    """Base of an encoder's own options, `model.encoder_options` of a configuration. An encoder without options uses this class.

    >>> from relsift.encoders.bilstm import BiLSTMOptions
    >>> BiLSTMOptions.from_dict({"units": 32}).layers
    1
    >>> BiLSTMOptions.from_dict({"unit": 32})  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    relsift.errors.ConfigError: model.encoder_options.unit: expected an option that exists, ... did you mean model.encoder_options.units?
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Raises ConfigError naming the key for an unknown option or an unfit value."""
        try:
            return TypeAdapter(cls).validate_python(dict(values))
        except ValidationError as error:
            section = "model.encoder_options."
            raise invalid_value(error, section=section, options=[section + field.name for field in fields(cls)]) from error


class TokenEncoder(nn.Module, ABC):
    """Makes the features of each token. Every encoder takes the arguments of `__init__`.

    See also: `make_encoder`, `encoder_reads`.

    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> encoder = make_encoder("lookup", Encoding.fit([sentence]), word_size=4, tag_size=2)
    >>> encoder.size, encoder.word_size, encoder.pretrained_layers()
    (6, 4, [])
    """

    READS: ClassVar[frozenset[Input]] = frozenset({"words"})  # what it reads of a sentence in place of words; tags only with a `tag_size`
    Options: ClassVar[type[EncoderOptions]] = EncoderOptions

    size: int  # D
    word_size: int  # how many of the D features, the first ones, are those of the word without its tag

    def __init__(
        self, encoding: Encoding, *, word_size: int, tag_size: int | None, dropout: float = 0.0, options: EncoderOptions | None = None
    ) -> None:
        """A fresh encoder.

        Args:
            word_size: features of a word; an encoder whose features have a fixed size may ignore it.
            tag_size: features of a tag; None: tags are not read.
            dropout: share of features that training drops, the same ones for all tokens of a sentence.
            options: the encoder's own, an instance of `Options`; None: the defaults.
        """
        super().__init__()
        self.dropout = dropout

    @classmethod
    def reads(cls, options: Any) -> frozenset[Input]:
        """What an encoder with these options, an instance of `Options`, reads in place of words."""
        return cls.READS

    @abstractmethod
    def features(self, batch: Batch) -> Tensor:
        """(N, D) features of the real tokens of all sentences, in order; without dropout."""

    def keyed(self, batch: Batch) -> KeyedTokens:
        """The real tokens as keys; tokens with equal features share one. Dropout is applied in training.

        Here every token has a key of its own, as is right where features depend on the sentence.
        """
        if self.dropout and self.training:
            return distinct(drop_dimensions(self.padded(batch), self.dropout, self.training)[batch.mask])
        return distinct(self.features(batch))

    def padded(self, batch: Batch) -> Tensor:
        """(S, T, D) features without dropout; values in the padding have no meaning."""
        return side_by_side(self.features(batch), batch.mask)

    def word_table(self) -> nn.Embedding | None:
        """The embedding that word vectors from a file may fill; None for an encoder that has none."""
        return None

    def freeze_words(self) -> None:
        """Do not train the word vectors, for an encoder that has a word table."""
        if (table := self.word_table()) is not None:
            table.weight.requires_grad_(False)

    def pretrained_layers(self) -> list[list[nn.Parameter]]:
        """The weights that were trained before, from the embeddings up to the last layer; empty where all weights start at random.

        Training may give them a learning rate of their own, a lower one for lower layers.
        """
        return []


def side_by_side(rows: Tensor, mask: Tensor) -> Tensor:
    """(N, D) features of the real tokens -> (S, T, D), zeros in the padding. Args: mask: (S, T) True = real token.

    >>> rows = torch.tensor([[1.0], [2.0], [3.0]])  # N = 3 tokens of one feature: one of the first sentence, two of the second
    >>> side_by_side(rows, torch.tensor([[True, False], [True, True]])).squeeze(2).tolist()
    [[1.0, 0.0], [2.0, 3.0]]
    """
    return rows.new_zeros(*mask.shape, rows.shape[1]).masked_scatter(mask[:, :, None], rows)


def distinct(rows: Tensor) -> KeyedTokens:
    """(N, D) features -> the tokens as keys, one key a token.

    >>> tokens = distinct(torch.tensor([[0.5, 1.0], [0.5, 1.0]]))  # N = 2 tokens
    >>> tokens.keys.tolist(), tokens.features(torch.tensor([1])).tolist()
    ([0, 1], [[0.5, 1.0]])
    """
    return KeyedTokens(torch.arange(len(rows), device=rows.device), len(rows), lambda keys: rows[keys], [], distinct=True)


def drop_dimensions(x: Tensor, share: float, training: bool) -> Tensor:
    """Keras's SpatialDropout1D: (…, T, D) -> the same with a share of the D dimensions dropped, the same ones for all T tokens of a row.

    Args: share: in [0, 1). training: False: nothing is dropped.

    >>> x = torch.ones(1, 3, 8)  # one sentence of three tokens
    >>> dropped = drop_dimensions(x, 0.5, training=True)
    >>> bool((dropped == dropped[:, :1]).all()), torch.equal(drop_dimensions(x, 0.5, training=False), x)  # the same ones for all tokens
    (True, True)
    """
    return F.dropout1d(x.transpose(1, 2), share, training).transpose(1, 2)


def encoder_reads(name: str, options: Mapping[str, Any]) -> frozenset[Input]:
    """What an encoder of a registered kind reads in place of words. Raises ConfigError for an unknown name or option.

    Args: options: its own, as a configuration has them.

    >>> sorted(encoder_reads("lookup", {})), sorted(encoder_reads("bilstm", {}))
    (['words'], ['characters', 'words'])
    """
    kind: type[TokenEncoder] = find("encoder", name)
    return kind.reads(kind.Options.from_dict(options))


def make_encoder(name: str, encoding: Encoding, options: Mapping[str, Any] | None = None, **sizes: Any) -> TokenEncoder:
    """A fresh encoder of a registered kind.

    Args: options: the encoder's own, as a configuration has them. sizes: the keyword arguments of `TokenEncoder`.
    Raises: ConfigError for an unknown name or option, and for an encoder that does not say its sizes.

    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> make_encoder("bilstm", Encoding.fit([sentence]), {"units": 16}, word_size=4, tag_size=None).size  # of both directions
    32
    """
    kind: type[TokenEncoder] = find("encoder", name)
    own: dict[str, Any] = {} if not options and kind.Options is EncoderOptions else {"options": kind.Options.from_dict(options or {})}
    encoder = kind(encoding, **sizes, **own)
    missing = [size for size in ("size", "word_size") if not isinstance(getattr(encoder, size, None), int)]
    if missing:
        raise ConfigError(f"encoder {name}: expected whole numbers as {' and '.join(missing)}, set by its __init__; got none")
    return encoder
