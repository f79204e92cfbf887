"""The contract of a model. Tensors only: no file, no label name, no device move inside `forward`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor, nn

from relsift.encoders.lookup import LookupEncoder
from relsift.encoding.batch import Batch, Example
from relsift.encoding.vocabulary import Encoding
from relsift.errors import ConfigError
from relsift.layers.pair_convolution import PairConvolution

Output = TypeVar("Output")


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Base of every model's configuration: frozen, keyword-only, checked once when made."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @classmethod
    def tiny(cls) -> Self:
        """A configuration of a few hundred parameters, for the shared tests."""
        return cls()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Raises ConfigError naming the key for an unknown or unfit value."""
        try:
            return TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise ConfigError(f"model.{key}: {first['msg'].lower()}, got {first.get('input')!r}") from error

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Preset:
    """A source's published values: for the model, and for the training around it. `summary` names the source."""

    summary: str
    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Prediction:
    """For every pair its best relation and that relation's score; the pair is related if the score reaches the decision threshold."""

    label: Tensor  # (P,) int64
    score: Tensor  # (P,) float


class RelationModel(nn.Module, ABC, Generic[Output]):
    """forward(batch) -> output; loss(output, batch) -> named parts, unweighted; predict(output) -> Prediction."""

    Config: ClassVar[type[ModelConfig]]
    PRESETS: ClassVar[dict[str, Preset]]
    SUMMARY: ClassVar[str]
    NEEDS_SYNTAX: ClassVar[bool] = False  # every sentence must have dependency trees; batches then hold them
    READS_WORDS: ClassVar[bool] = True  # False: the types of its two entities are all that it sees of a pair

    config: Any  # the subclass's Config

    def __init__(self, config: ModelConfig, encoding: Encoding) -> None:
        super().__init__()
        self.config = config

    @property
    @abstractmethod
    def paper_threshold(self) -> float:
        """The decision threshold of the source, in units of `Prediction.score`; training may tune another one on development data."""

    def notes(self, examples: Sequence[Example]) -> list[str]:
        """What of these examples the model will not see, one line a reason, for the user to know; most models see everything."""
        return []

    def limit_cache(self, megabytes: float) -> None:
        """Memory for what prediction remembers from one batch to the next (0: nothing); models without such memory take no notice."""
        for module in self.modules():
            if isinstance(module, PairConvolution):
                module.limit_cache(megabytes)

    def word_table(self) -> nn.Embedding | None:
        """The embedding that word vectors from a file may fill; None for a model that has none."""
        return next((module.words for module in self.modules() if isinstance(module, LookupEncoder)), None)

    def constrain(self) -> None:
        """Called after every training step: put back weights that the model's source keeps within a bound."""

    @abstractmethod
    def forward(self, batch: Batch) -> Output: ...

    @abstractmethod
    def loss(self, output: Output, batch: Batch) -> dict[str, Tensor]: ...

    @abstractmethod
    def predict(self, output: Output) -> Prediction: ...
