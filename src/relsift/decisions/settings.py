"""Changes to a decision in the words of the command line: `threshold=0.4`, `thresholds.Kill=1.0`, `at_most.Live_In.head=1`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from relsift.decisions.calibration import METHODS, Method
from relsift.decisions.checks import ROLES, check_relation
from relsift.decisions.decision import MODES, Decision
from relsift.errors import ConfigError

KEYS = (
    "mode", "threshold", "thresholds", "thresholds.RELATION", "constraints", "calibration", "symmetric", "inverse", "inverse.RELATION",
    "at_most", "at_most.RELATION.head", "at_most.RELATION.tail",
)  # fmt: skip
NONE, DETECTED = "none", "detected"


@dataclass(frozen=True)
class Settings:
    """What the user has set."""

    decision: Decision  # the old one with the changes
    given: frozenset[str] = frozenset()  # the first parts of the keys that were set
    relations: frozenset[str] = frozenset()  # those whose thresholds were set
    calibration: Method | None = None  # to be fitted; None: not set
    warnings: list[str] = field(default_factory=list)

    def changes_choices(self, old: Decision) -> bool:
        """Whether the rules leave other choices to the thresholds than those that the old decision was tuned and calibrated on."""
        return _rules(self.decision) != _rules(old)


def changed(decision: Decision, texts: Sequence[str], labels: tuple[str, ...], detected: Decision | None = None) -> Settings:
    """The decision with changes, one KEY=VALUE each; a later one wins.

    Args: labels: relations that the model knows. detected: has the symmetric and inverse relations of training data, if it is there.
    Raises: ConfigError for a key, a relation or a value that does not exist.
    """
    values: dict[str, Any] = {}
    given, relations, method = set[str](), set[str](), None
    thresholds, inverse = dict(decision.thresholds), dict(decision.inverse)
    at_most = {name: dict(limits) for name, limits in decision.at_most.items()}
    for text in texts:
        key, equals, value = text.partition("=")
        first, _, rest = key.partition(".")
        if not equals or not value:
            raise ConfigError(f"--set: expected KEY=VALUE, such as threshold=0.5, got {text!r:.80}")
        if first not in {known.partition(".")[0] for known in KEYS} or (rest and first not in ("thresholds", "inverse", "at_most")):
            raise ConfigError(f"--set {key:.80}: expected one of {', '.join(KEYS)}, got an unknown key")
        given.add(first)
        if first == "mode":
            values["mode"] = _one_of(key, value, MODES)
        elif first == "threshold":
            values["threshold"] = _number(key, value)
        elif first == "constraints":
            values["constraints"] = _one_of(key, value, ("true", "false")) == "true"
        elif first == "calibration":
            method = None if _one_of(key, value, (NONE, *METHODS)) == NONE else next(name for name in METHODS if name == value)
            values["calibration"] = None
        elif first == "symmetric" and value == DETECTED:
            if detected is None:
                raise ConfigError("--set symmetric=detected: expected training data to detect them in, got none; name it with --learn-from")
            values["symmetric"], inverse = detected.symmetric, dict(detected.inverse)
        elif first == "symmetric":
            values["symmetric"] = () if value == NONE else tuple(_relation(key, name, labels) for name in value.split(","))
        elif not rest:
            _one_of(key, value, (NONE,))
            tables: dict[str, dict[str, Any]] = {"thresholds": thresholds, "inverse": inverse, "at_most": at_most}
            tables[first].clear()
        elif first == "thresholds" and value == NONE:
            thresholds.pop(_relation(key, rest, labels), None)
            relations.discard(rest)
        elif first == "thresholds":
            relations.add(_relation(key, rest, labels))
            thresholds[rest] = _number(key, value)
        elif first == "inverse" and value == NONE and NONE not in labels:
            _relation(key, rest, labels)
            inverse = {name: other for name, other in inverse.items() if rest not in (name, other)}
        elif first == "inverse":
            inverse[_relation(key, rest, labels)] = _relation(key, value, labels)
        else:
            _set_limit(at_most, key, rest, value, labels)
    decision = replace(decision, **values, thresholds=thresholds, inverse=inverse, at_most=at_most)
    return Settings(decision, frozenset(given), frozenset(relations), method)


def _rules(decision: Decision) -> tuple[object, ...]:
    triples = decision.triples if decision.constraints else None
    both_ways = {frozenset(pair) for pair in decision.inverse.items()}
    return decision.mode, triples, frozenset(decision.symmetric), both_ways


def _set_limit(at_most: dict[str, dict[str, int]], key: str, rest: str, value: str, labels: tuple[str, ...]) -> None:
    name, _, role = rest.rpartition(".")
    if role not in ROLES or not name:
        raise ConfigError(f"--set {key:.80}: expected at_most.RELATION.head or at_most.RELATION.tail, got {key!r:.80}")
    limits = at_most.setdefault(_relation(key, name, labels), {})
    if value == NONE:
        limits.pop(role, None)
        if not limits:
            del at_most[name]
    elif value.isdecimal() and value.isascii() and len(value) < 7 and int(value) >= 1:
        limits[role] = int(value)
    else:
        raise ConfigError(f"--set {key:.80}: expected a whole number of relations, 1 to 999999, or none, got {value!r:.80}")


def _relation(key: str, name: str, labels: tuple[str, ...]) -> str:
    check_relation(name, labels, f"--set {key:.80}")
    return name


def _number(key: str, value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ConfigError(f"--set {key:.80}: expected a number that is finite, got {value!r:.80}")
    return number


def _one_of(key: str, value: str, words: Sequence[str]) -> str:
    if value not in words:
        raise ConfigError(f"--set {key:.80}: expected {' or '.join(words)}, got {value!r:.80}")
    return value
