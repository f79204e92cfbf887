"""Which options `relsift tune` searches, and in which ranges: a table for the registered models, or a YAML file of the user's.

    training.learning_rate: {low: 0.0001, high: 0.01, log: true}    numbers; whole ones if both ends are whole numbers without a point
    model.filters: {low: 32, high: 256, step: 32}
    model.classification: [ranking, cross_entropy]                  one of these values
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from relsift.config import TRANSFORMER, RunConfig, read_yaml
from relsift.errors import ConfigError
from relsift.registry import find

MOST_CHOICES = 100


@dataclass(frozen=True, kw_only=True)
class Range:
    """Numbers from `low` to `high`, both included."""

    low: float
    high: float
    log: bool = False  # draw the logarithm evenly, for what counts by its order of magnitude
    step: int | None = None  # of whole numbers; None: 1

    @property
    def is_whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int)

    def holds(self, value: Any) -> bool:
        """Whether the value is one of them."""
        if isinstance(value, bool) or not isinstance(value, int if self.is_whole else (int, float)) or not self.low <= value <= self.high:
            return False
        return self.step is None or (value - self.low) % self.step == 0

    def ends(self) -> list[Any]:
        return [self.low, self.high]


@dataclass(frozen=True)
class Choice:
    """One of these values."""

    values: tuple[Any, ...]

    def holds(self, value: Any) -> bool:
        """Whether the value is one of them."""
        return any(json.dumps(one) == json.dumps(value) for one in self.values)

    def ends(self) -> list[Any]:
        return list(self.values)


@dataclass(frozen=True)
class Around:
    """From a `factor`-th of the preset's value to `factor` times of it, by order of magnitude."""

    factor: float

    def range(self, start: float) -> Range:
        """Whole numbers for a whole number."""
        low, high = start / self.factor, start * self.factor
        if isinstance(start, int):
            return Range(low=max(1, round(low)), high=max(1, round(high)), log=True)
        return Range(low=low, high=high, log=True)


Part = Range | Choice
Space = Mapping[str, Part]
"""Full name of an option -> its values."""

# ---- the default spaces

_SHARE = Range(low=0.0, high=0.6)  # of what dropout drops
_LOSSES = Choice(("cross_entropy", "ranking", "atloss", "multilabel_cross_entropy"))

# Of every model. An option that the preset does not use, such as the share of unknown words in a model without words, is left out.
COMMON: dict[str, Around | Part] = {
    "training.learning_rate": Around(5), "training.encoder_learning_rate": Around(5), "training.epochs": Around(2),
    "training.unknown_rate": Range(low=0.0, high=0.5), "training.word_dropout": Range(low=0.0, high=0.3),
}  # fmt: skip
# Of single models, beside those.
BY_MODEL: dict[str, dict[str, Around | Part]] = {
    "bilstm_pcnn": {"classification": _LOSSES, "filters": Around(2), "hidden": Around(2), "dropout": _SHARE, "hidden_dropout": _SHARE},
    "cr_cnn": {"filters": Around(2), "gamma": Around(2), "margin_pos": Around(2)},
    "eatt_bigru": {"classification": _LOSSES, "units": Around(2), "dropout": _SHARE},
    "joint_birnn": {"units": Around(2), "re_hidden": Around(2), "dropout": _SHARE, "re_dropout": _SHARE},
    "multitask_cnn": {
        "classification": _LOSSES, "filters": Around(2), "hidden": Around(2), "hidden_dropout": _SHARE, "input_dropout": _SHARE,
        "pooled_dropout": _SHARE,
    },
    "multiwindow_cnn": {"classification": _LOSSES, "filters": Around(2), "dropout": _SHARE},
    "packed_markers": {"classification": _LOSSES, "hidden": Around(2), "dropout": _SHARE, "tag_dropout": _SHARE},
    "pcnn": {"classification": _LOSSES, "filters": Around(2), "dropout": _SHARE},
    "pipeline": {"hidden": Around(2), "dropout": _SHARE},
    "spert": {"negative_spans": Around(2), "negative_pairs": Around(2), "dropout": _SHARE},
    "spert_mt": {"negative_spans": Around(2), "negative_pairs": Around(2), "dropout": _SHARE},
    "sptree": {"tree_size": Around(2), "hidden": Around(2), "input_dropout": _SHARE, "hidden_dropout": _SHARE},
    "typed_markers": {"classification": _LOSSES, "dropout": _SHARE, "tag_dropout": _SHARE},
    "walk": {"lstm_units": Around(2), "beta": Range(low=0.5, high=1.0), "input_dropout": _SHARE, "edge_dropout": _SHARE},
}  # fmt: skip


def default_space(config: RunConfig) -> dict[str, Part]:
    """The space of the configured model, around the configured values."""
    own = BY_MODEL.get(config.model.name, {})
    space: dict[str, Part] = {}
    for name, part in {**{f"model.{name}": part for name, part in own.items()}, **COMMON}.items():
        start = value_of(config, name)
        if name in COMMON and not start:  # not used
            continue
        if name == "training.encoder_learning_rate" and config.training.freeze_encoder:
            continue
        if name == "training.unknown_rate" and config.model.options.get("encoder") == TRANSFORMER:  # no words are read
            continue
        space[name] = part.range(start) if isinstance(part, Around) else part
    return space


def value_of(config: RunConfig, name: str) -> Any:
    """The value of an option by its full name, as in JSON. Raises ConfigError for an option that is none."""
    section, _, key = name.partition(".")
    if section == "model":
        values = find("model", config.model.name).Config.from_dict(config.model.options).to_dict()
    else:
        values = config.model_dump(mode="json").get(section, {})
    for part in key.split("."):
        if not isinstance(values, dict):
            raise ConfigError(f"{name}: expected an option, got a part of one")
        values = values.get(part)
    return values


# ---- spaces of users


def read_space(file: Path) -> dict[str, Part]:
    """The space of a YAML file. Raises ConfigError naming file and option; whether there are such options is not checked."""
    values = _flat(read_yaml(file))
    if not values:
        raise ConfigError(f"{file}: expected options with their ranges, such as training.learning_rate, got none")
    return {name: _part(f"{file}: {name}", value) for name, value in values.items()}


def _flat(values: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    """Full names, whether options stand in sections or by them."""
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and not value.keys() & {"low", "high"}:
            flat |= _flat(value, f"{before}{name}.")
        else:
            flat[f"{before}{name}"] = value
    return flat


def _part(where: str, value: Any) -> Part:
    if isinstance(value, list):
        if not 2 <= len(value) <= MOST_CHOICES:
            raise ConfigError(f"{where}: expected 2 to {MOST_CHOICES} values to choose from, got {len(value)}")
        return Choice(tuple(value))
    expected = "a list of values, or low and high, with log: true or step: N if wanted"
    if not isinstance(value, dict) or not {"low", "high"} <= value.keys() <= {"low", "high", "log", "step"}:
        raise ConfigError(f"{where}: expected {expected}, got {value!r:.200}")
    low, high = (_number(f"{where}.{end}", value[end]) for end in ("low", "high"))
    log, step = value.get("log", False), value.get("step")
    whole = isinstance(low, int) and isinstance(high, int)
    if low >= high:
        raise ConfigError(f"{where}: expected low below high, got {low} and {high}")
    if not isinstance(log, bool) or (log and low <= 0):
        raise ConfigError(f"{where}.log: expected true with a low above 0, or false, got {log!r} with low {low}")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int) or step < 1 or not whole or log):
        raise ConfigError(f"{where}.step: expected a whole number >= 1, between whole numbers and without log, got {step!r}")
    return Range(low=low, high=high, log=log, step=step)


def _number(where: str, value: Any) -> float:
    """YAML reads 1e-3 as text. Raises ConfigError for what is no number."""
    number = value
    if isinstance(value, str):
        with suppress(ValueError):
            number = float(value)
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ConfigError(f"{where}: expected a number, got {value!r:.200}")
    return number


def space_to_json(space: Space) -> dict[str, Any]:
    """For the record of a study."""
    return {name: list(part.values) if isinstance(part, Choice) else asdict(part) for name, part in space.items()}
