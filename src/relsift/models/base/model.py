"""The contract of a model. Tensors only: no file, no label name, no device move inside `forward`.

Letters: P pairs, K relation types.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor, nn

from relsift.encoders.base import TokenEncoder
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding, Input
from relsift.encoding.example import Example
from relsift.encoding.units import Unit
from relsift.errors import ConfigError

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
    """A source's published values: for the model, and for the training around it."""

    summary: str  # names the source
    model: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)


class RelationModel(nn.Module, ABC, Generic[Output]):
    """forward(batch) -> output; loss(output, batch) -> named parts, unweighted; scores(output) -> (P, K).

    Nothing here decides: scores become relations by a `Decision`.
    """

    Config: ClassVar[type[ModelConfig]]
    PRESETS: ClassVar[dict[str, Preset]]
    SUMMARY: ClassVar[str]
    READS: ClassVar[frozenset[Input]]  # the inputs that batches hold for it
    UNIT: ClassVar[Unit] = "sentence"  # which pairs share one reading of their sentence
    SEVERAL_LABELS: ClassVar[bool] = False  # its losses learn from every relation of a pair, not from the first one only

    config: Any  # the subclass's Config

    def __init__(self, config: ModelConfig, encoding: Encoding) -> None:
        super().__init__()
        self.config = config

    @property
    @abstractmethod
    def paper_threshold(self) -> float:
        """The decision threshold of the source, in units of `scores`; training may tune another one on development data."""

    @property
    def encoder(self) -> TokenEncoder | None:
        """What makes the token features; None for a model that reads no tokens."""
        return None

    def notes(self, examples: Sequence[Example]) -> list[str]:
        """What of these examples the model will not see, one line a reason, for the user to know; most models see everything."""
        return []

    def limit_cache(self, megabytes: float) -> None:
        """Memory for what prediction remembers from one batch to the next (0: nothing); models without such memory take no notice."""

    def constrain(self) -> None:
        """Called after every training step: put back weights that the model's source keeps within a bound."""

    @abstractmethod
    def forward(self, batch: Batch) -> Output: ...

    @abstractmethod
    def loss(self, output: Output, batch: Batch) -> dict[str, Tensor]: ...

    @abstractmethod
    def scores(self, output: Output) -> Tensor:
        """(P, K) float: log-odds of each relation against "none"; a ranking score stands for it where there is no "none"."""
