"""The contract of a model. Tensors only: no file, no label name, no device move inside `forward`.

Letters: P pairs, K relation types.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError
from torch import Tensor, nn

from relsift.config import invalid_value
from relsift.encoders.base import TokenEncoder
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding, Input
from relsift.encoding.example import Example
from relsift.encoding.units import Unit
from relsift.errors import require

Output = TypeVar("Output")
MOST_SIZE = 1_000_000  # of any size in a configuration: a model of the field has a hundred times less
MOST_PARTS = 100  # of a list in a configuration


@dataclass(frozen=True, kw_only=True)
class ModelConfig:
    """Base of every model's configuration: frozen, keyword-only, checked once when made.

    See also: `relsift.models.base.pair_classifier.PairClassifierConfig`, `relsift.config.load_config`.

    >>> from relsift.models.pcnn import PCNNConfig
    >>> PCNNConfig.from_dict({"filters": 8}).filters
    8
    >>> PCNNConfig.from_dict({"filter": 8})
    Traceback (most recent call last):
    relsift.errors.ConfigError: model.filter: expected an option that exists, got an unknown one; did you mean model.filters?
    """

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid", allow_inf_nan=False)

    @classmethod
    def tiny(cls) -> Self:
        """A configuration of a few hundred parameters, for the shared tests."""
        return cls()

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """From options as a file or `--set` gives them. Raises ConfigError naming the key for an unknown key or an unfit value."""
        try:
            config = TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            raise invalid_value(error, section="model.", options=[f"model.{field.name}" for field in fields(cls)]) from error
        for name, value in config.to_dict().items():
            numbers = value if isinstance(value, tuple) else (value,)
            option, is_switch = f"model.{name}", type(values.get(name)) is bool
            require(not is_switch or type(value) is bool, option, expected="a value other than true or false", got=values.get(name))
            require(len(numbers) <= MOST_PARTS, option, expected=f"at most {MOST_PARTS} values", got=len(numbers))
            for number in (number for number in numbers if isinstance(number, (int, float))):
                require(abs(number) <= MOST_SIZE, option, expected=f"a number of at most {MOST_SIZE}", got=number)
        return config

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Preset:
    """Named values of a model's options and of its training, mostly those that a paper published.

    >>> from relsift.models.type_prior import TypePrior
    >>> TypePrior.PRESETS["paper"].training["learning_rate"]
    0.05
    """

    summary: str  # names the source
    model: dict[str, Any] = field(default_factory=dict)  # options of the model's Config
    training: dict[str, Any] = field(default_factory=dict)  # options of `relsift.config.TrainingConfig`


class RelationModel(nn.Module, ABC, Generic[Output]):
    """A model gives scores of pairs; a `Decision` turns them into relations.

    See also: `relsift.bundle.build`, `relsift.models.base.pair_classifier.PairClassifier`.

    >>> from relsift.models.type_prior import TypePrior, TypePriorConfig
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> model = TypePrior(TypePriorConfig(), Encoding.fit([sentence], reads=TypePrior.READS))
    >>> model.paper_threshold, model.several_labels(model.config), model.encoder  # it reads no words
    (0.0, False, None)
    """

    Config: ClassVar[type[ModelConfig]]
    PRESETS: ClassVar[dict[str, Preset]]  # by name; one is `paper`, the default
    SUMMARY: ClassVar[str]  # one line for `relsift models`
    READS: ClassVar[frozenset[Input]]  # the inputs that its batches hold, with an encoder that reads words
    UNIT: ClassVar[Unit] = "sentence"  # which pairs share one reading of their sentence
    SEVERAL_LABELS: ClassVar[bool] = False  # what `several_labels` returns if no option changes it

    config: Any  # the subclass's Config

    def __init__(self, config: ModelConfig, encoding: Encoding) -> None:
        super().__init__()
        self.config = config

    @classmethod
    def reads(cls, config: Any) -> frozenset[Input]:
        """The inputs that batches hold for a model of this configuration, an instance of `Config`."""
        return cls.READS

    @classmethod
    def several_labels(cls, config: Any) -> bool:
        """Whether its losses learn from every relation of a pair, or from the first one only. Args: config: the subclass's Config."""
        return cls.SEVERAL_LABELS

    @property
    @abstractmethod
    def paper_threshold(self) -> float:
        """The decision threshold of the source, in units of `scores`; training may tune another one on development data."""

    @property
    def encoder(self) -> TokenEncoder | None:
        """The part that makes the token features; None for a model that reads no tokens."""
        return None

    @property
    def encoders(self) -> tuple[TokenEncoder, ...]:
        """All such parts, for a model that has several. They read the same transformer, where they read one."""
        return () if self.encoder is None else (self.encoder,)

    def notes(self, examples: Sequence[Example]) -> list[str]:
        """Messages for the user about the part of these training examples that the model does not see, one line a reason."""
        return []

    def cut_pairs(self, examples: Sequence[Example]) -> int:
        """How many pairs of these examples stand in a sentence of which the model sees a part only."""
        return 0

    def limit_cache(self, megabytes: float) -> None:
        """Bound the memory of what prediction caches between batches; 0 switches it off. Models without a cache ignore this."""

    def classified_labels(self, batch: Batch) -> Tensor:
        """(P, K) bool: the labels as its losses see them, whose frequencies some of them need; other rows and columns in some models."""
        return batch.pairs.labels

    def constrain(self) -> None:
        """Put weights back into their bounds, where the model's source has some. Called after every training step."""

    @abstractmethod
    def forward(self, batch: Batch) -> Output:
        """What `loss` and `scores` need."""

    @abstractmethod
    def loss(self, output: Output, batch: Batch) -> dict[str, Tensor]:
        """() each: the parts of the loss by name, unweighted; a mean over P, or over what the model classifies. Training adds them."""

    @abstractmethod
    def scores(self, output: Output) -> Tensor:
        """(P, K) float: log-odds of each relation against "none"; a ranking score stands for it where there is no "none"."""
