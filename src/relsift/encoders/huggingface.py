"""Features from a transformer of Hugging Face: contextual states of subwords, pooled to tokens; one pass a sentence.

Letters: W windows, U pieces of the longest, M pieces of all sentences, N real tokens of all sentences, H states of the transformer, D token
features.
Any architecture will do that gives one state a piece: BERT, RoBERTa, DeBERTa, ELECTRA, DistilBERT, MPNet, XLM-R … A sentence longer than
the transformer is read in windows that overlap. A fresh encoder has random weights; training fills them from a folder
(`relsift.training.pretrained`), a bundle from its own file.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

import torch
from torch import Tensor, nn

from relsift.encoders.base import EncoderOptions, TokenEncoder, drop_dimensions, side_by_side
from relsift.encoders.frozen_states import FrozenStates
from relsift.encoding.batch import Batch, Subwords
from relsift.encoding.encoding import Encoding, Input
from relsift.encoding.subwords import INSTALL
from relsift.errors import ConfigError, ShapeError, require
from relsift.layers.bilstm import TwoLSTMs
from relsift.layers.character_cnn import maxima
from relsift.layers.token_looks import TokenLooks

Pooling: TypeAlias = Literal["first", "last", "mean", "max"]


@dataclass(frozen=True, kw_only=True)
class HuggingFaceOptions(EncoderOptions):
    """How pieces become tokens, and what stands on top."""

    pooling: Pooling = "mean"  # of the pieces of a token
    last_layers: int = 1  # the state of a piece is the mean of those behind so many of the last layers; 0: behind all of them
    character_filters: int = 0  # over the characters of a token, for what the pieces do not show, such as capital letters; 0: not read
    character_size: int = 25
    case_size: int = 0  # of a vector of a token's case, likewise; 0: not read
    units: int = 0  # of a direction of a BiLSTM over all of these, whose states are added as features; 0: none
    dropout: float = 0.0  # share dropped of what the BiLSTM reads

    def __post_init__(self) -> None:
        section = "model.encoder_options"
        require(self.last_layers >= 0, f"{section}.last_layers", expected="a number >= 0", got=self.last_layers)
        for name, least in (("units", 0), ("character_filters", 0), ("case_size", 0), ("character_size", 1)):
            require(getattr(self, name) >= least, f"{section}.{name}", expected=f"a number >= {least}", got=getattr(self, name))
        require(0 <= self.dropout < 1, f"{section}.dropout", expected="a number in [0, 1)", got=self.dropout)


class HuggingFaceEncoder(TokenEncoder):
    """State of the transformer ++ tag embedding ++ what the token looks like, and states of a BiLSTM over these.

    Raises: ConfigError if the encoding has no subwords.
    """

    READS = frozenset({"subwords"})
    Options = HuggingFaceOptions

    def __init__(
        self, encoding: Encoding, *, word_size: int, tag_size: int | None, dropout: float = 0.0, options: EncoderOptions | None = None
    ) -> None:
        super().__init__(encoding, word_size=word_size, tag_size=tag_size, dropout=dropout, options=options)
        if encoding.subwords is None or (tag_size is not None and encoding.tags is None):
            raise ConfigError(
                f"encoder huggingface: expected an encoding of subwords and tags, got one of {', '.join(sorted(encoding.reads))}"
            )
        self.options = cast(HuggingFaceOptions, options or HuggingFaceOptions())
        self.transformer = make_transformer(encoding.subwords.config)
        self.tags = nn.Embedding(encoding.tags.num_rows, tag_size) if encoding.tags is not None and tag_size is not None else None
        layers = int(cast(Any, self.transformer).config.num_hidden_layers)
        self.last_layers = self.options.last_layers or layers
        expected = f"at most {layers}, the layers of the encoder"
        require(self.last_layers <= layers, "model.encoder_options.last_layers", expected=expected, got=self.last_layers)
        self.word_size = hidden_size(self.transformer)
        o = self.options
        self.looks = TokenLooks(encoding, o.character_size, o.character_filters, o.case_size)
        read = self.word_size + (tag_size or 0) + self.looks.size
        self.lstm = TwoLSTMs(read, self.options.units) if self.options.units else None
        self.size = read + 2 * self.options.units
        self.kept: FrozenStates | None = None  # while a training with frozen weights is under way
        self.given: Tensor | None = None  # (N, H) `base` of the batch at hand, while another encoder has it already

    @classmethod
    def reads(cls, options: HuggingFaceOptions) -> frozenset[Input]:
        return cls.READS | ({"characters"} if options.character_filters or options.case_size else set[Input]())

    def features(self, batch: Batch) -> Tensor:
        return self.above(self.base(batch) if self.given is None else self.given, batch)

    def base(self, batch: Batch) -> Tensor:
        """(N, H): the states of the tokens, from the file where they are kept."""
        subwords = read_subwords(batch)
        return self.states(subwords) if self.kept is None else self.kept.rows(subwords, batch.lengths, self.states)

    def features_and_first(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """(N, D) `features`, and (S, H) the state of the first piece of each sentence, such as [CLS]: that of its first window.

        For a tokenizer that puts a special piece before the text.
        """
        subwords = read_subwords(batch)
        if self.kept is None:
            first, rows = self._first_and_states(subwords)
        else:
            both = self.kept.rows(subwords, batch.lengths, lambda one: torch.cat(self._first_and_states(one)), further=1)  # (N + S, H)
            is_first = torch.zeros(len(both), dtype=torch.bool, device=both.device)
            is_first[batch.first + torch.arange(len(batch.first), device=both.device)] = True
            first, rows = both[is_first], both[~is_first]
        return self.above(rows, batch), first

    def above(self, rows: Tensor, batch: Batch) -> Tensor:
        """(N, H) -> (N, D): with the tags, what the tokens look like, and the states of the BiLSTM."""
        if self.tags is not None:
            if batch.tags is None:
                raise ShapeError("batch.tags", expected="the tags that this encoder reads", got=None)
            rows = torch.cat([rows, self.tags(batch.tags[batch.mask])], dim=1)          # (N, H + tag size)
        if self.looks.size:
            rows = torch.cat([rows, self.looks(batch)], dim=1)
        if self.lstm is None:
            return rows
        read = rows
        if self.training and self.options.dropout:
            mask = batch.mask                                                           # (S, T)
            read = drop_dimensions(side_by_side(rows, mask), self.options.dropout, self.training)[mask]
        states = self.lstm(read, torch.arange(len(read), device=read.device), batch.lengths)
        return torch.cat([rows, states], dim=1)                                         # (N, D)

    def states(self, subwords: Subwords) -> Tensor:
        """(N, H): the states of the tokens; they depend on nothing but the pieces and the transformer's weights."""
        return self._of_tokens(self._of_pieces(subwords), subwords)

    def _first_and_states(self, subwords: Subwords) -> tuple[Tensor, Tensor]:
        """(S, H) and (N, H)"""
        states = self._of_pieces(subwords)                                              # (W, U, H)
        window = torch.searchsorted(subwords.sentence, torch.arange(len(subwords.counts), device=states.device))  # (S,)
        return states[window, 0], self._of_tokens(states, subwords)

    def _of_tokens(self, states: Tensor, subwords: Subwords) -> Tensor:
        """(W, U, H) -> (N, H)"""
        return pooled(states.flatten(0, 1)[subwords.place], subwords, self.options.pooling)

    def _of_pieces(self, subwords: Subwords) -> Tensor:
        """(W, U, H)"""
        last = self.last_layers
        output = self.transformer(
            input_ids=subwords.ids, attention_mask=subwords.real.long(), output_hidden_states=last > 1, return_dict=True
        )
        states: Tensor = output.last_hidden_state if last == 1 else torch.stack(output.hidden_states[-last:]).mean(0)
        return states

    def pretrained_layers(self) -> list[list[nn.Parameter]]:
        return layers_of(self.transformer)


def read_subwords(batch: Batch) -> Subwords:
    """Raises ShapeError for a batch without subwords."""
    if batch.subwords is None:
        raise ShapeError("batch.subwords", expected="the pieces that this model reads", got=None)
    return batch.subwords


def pooled(pieces: Tensor, subwords: Subwords, pooling: Pooling) -> Tensor:
    """(M, H) values of pieces -> (N, H) of tokens."""
    if pooling == "first":
        return pieces[subwords.first]
    if pooling == "last":
        return pieces[subwords.last]
    several = subwords.last - subwords.first + 1                                        # (N,)
    if bool((several == 1).all()):
        return pieces[subwords.first]
    token = torch.arange(len(several), device=several.device).repeat_interleave(several)
    offset = torch.arange(len(token), device=token.device) - (several.cumsum(0) - several)[token]
    own = pieces[subwords.first[token] + offset]                                        # pieces of each token, those of several ones too
    if pooling == "max":
        return maxima(own, several)
    total = pieces.new_zeros(len(several), pieces.shape[1]).index_add(0, token, own)
    return total / several[:, None].to(total.dtype)


def make_transformer(config: dict[str, Any]) -> nn.Module:
    """A transformer with random weights, without a pooling layer. Raises ConfigError for a configuration that makes none."""
    try:
        from transformers import MODEL_FOR_CAUSAL_LM_MAPPING, MODEL_FOR_MASKED_LM_MAPPING, AutoConfig, AutoModel
    except ImportError as error:
        raise ConfigError(f"encoder huggingface: expected the packages of Hugging Face, got none ({error}); {INSTALL}") from error
    try:
        described = AutoConfig.for_model(config["model_type"], **{name: value for name, value in config.items() if name != "model_type"})
        kind = type(described)
        writes_only = kind in MODEL_FOR_CAUSAL_LM_MAPPING and kind not in MODEL_FOR_MASKED_LM_MAPPING
        decodes = any(getattr(described, option, False) for option in ("is_encoder_decoder", "is_decoder"))
        model: Any = None if writes_only or decodes else AutoModel.from_config(described, dtype=torch.float32)  # type: ignore[no-untyped-call]
        words = None
        if model is not None:
            with suppress(NotImplementedError):  # of a model that reads images beside text
                words = model.get_input_embeddings()
    except Exception as error:  # each architecture raises what it likes
        message = " ".join(str(error).split())[:200]
        raise ConfigError(
            f"encoder: expected the configuration of an architecture that transformers knows, got {message}; is config.json complete?"
        ) from error
    if not isinstance(words, nn.Embedding) or not isinstance(getattr(described, "hidden_size", None), int):
        raise ConfigError(
            f"encoder: expected an encoder of text with one state a piece (BERT, RoBERTa, DeBERTa, …), got {described.model_type}, which "
            "is none"
        )
    layers = getattr(described, "num_hidden_layers", None)
    if not isinstance(layers, int) or layers < 1:
        raise ConfigError(f"encoder: expected a config.json with num_hidden_layers of 1 or more, got {layers}")
    positions = str(getattr(described, "position_embedding_type", None))
    if positions.startswith("relative"):  # transformers 5 builds the model without them and says nothing
        raise ConfigError(f"encoder: expected absolute positions in {described.model_type}, got position_embedding_type={positions}")
    if getattr(model, "pooler", None) is not None:
        model.pooler = None if isinstance(model.pooler, nn.Linear) else _NoPooler()  # ALBERT asks first whether there is one
    transformer: nn.Module = model
    return transformer


class _NoPooler(nn.Module):
    """In place of what makes one vector of a sentence, which some architectures call whether there is one or not."""

    def forward(self, *_: Any, **__: Any) -> None:
        return None


def hidden_size(transformer: nn.Module) -> int:
    """H"""
    config: Any = transformer.config
    return int(config.hidden_size)


def layers_of(transformer: nn.Module) -> list[list[nn.Parameter]]:
    """The weights of a transformer from the embeddings up: first what stands before its list of layers, then layer by layer."""
    blocks = max((module for module in transformer.modules() if isinstance(module, nn.ModuleList)), key=len, default=None)
    layers = [] if blocks is None else [list(block.parameters()) for block in blocks]
    inside = {id(weight) for layer in layers for weight in layer}
    return [[weight for weight in transformer.parameters() if id(weight) not in inside], *layers]
