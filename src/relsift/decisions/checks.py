"""What a decision may hold: by itself, and for a model."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from relsift.candidates import Direction
from relsift.decisions.calibration import Calibration, is_finite
from relsift.decisions.provenance import TunedOn
from relsift.errors import ConfigError

if TYPE_CHECKING:
    from relsift.decisions.decision import Decision

ROLES = ("head", "tail")
LEARN = "`relsift decide RUN --learn-from TRAINING` learns them"


def check(decision: Decision) -> None:
    """Raises ConfigError naming the field for a value that it cannot have."""
    if decision.mode not in ("single", "several"):
        raise _error("mode", "single or several", decision.mode)
    if not is_finite(decision.threshold):  # infinity would be no JSON; the largest numbers take every pair, or none, as well
        raise _error("threshold", "a number that is finite", decision.threshold)
    for name, value in _mapping("thresholds", decision.thresholds).items():
        if not is_finite(value):
            raise _error(f"thresholds.{name}", "a number that is finite", value)
    if not isinstance(decision.constraints, bool):
        raise _error("constraints", "true or false", decision.constraints)
    _check_triples(decision.triples)
    if decision.constraints and decision.triples is None:
        raise ConfigError(f"decision.constraints: expected the triples of the training data with it, got none; {LEARN}")
    _check_directions(decision)
    for name, limits in _mapping("at_most", decision.at_most).items():
        for role, value in _mapping(f"at_most.{name}", limits).items():
            if role not in ROLES:
                raise _error(f"at_most.{name}", "head or tail", role)
            if type(value) is not int or value < 1:
                raise _error(f"at_most.{name}.{role}", "a whole number of relations, 1 or more", value)
    if not isinstance(decision.calibration, Calibration | None):
        raise _error("calibration", "a Calibration or None", decision.calibration)
    if not isinstance(decision.tuned_on, TunedOn | None):
        raise _error("tuned_on", "a TunedOn or None", decision.tuned_on)


def check_model(decision: Decision, labels: tuple[str, ...], direction: Direction) -> None:
    """Raises ConfigError for relations that the model does not know, and for rules on head and tail where pairs have neither."""
    named = {
        "thresholds": decision.thresholds,
        "symmetric": decision.symmetric,
        "inverse": (*decision.inverse, *decision.inverse.values()),
        "at_most": decision.at_most,
    }
    for where, names in named.items():
        for name in names:
            check_relation(name, labels, f"decision.{where}")
    for *_, name in sorted(decision.triples or ()):
        check_relation(name, labels, "decision.triples")
    if direction == "undirected":
        for where in ("symmetric", "inverse", "at_most"):
            if getattr(decision, where):
                expected = "none for a model of undirected pairs, which have no head and no tail"
                raise ConfigError(f"decision.{where}: expected {expected}, got {', '.join(getattr(decision, where))}")


def check_relation(name: str, labels: Iterable[str], where: str) -> None:
    """Raises ConfigError for a relation that is not among the labels, with similar names."""
    known = list(labels)
    if name not in known:
        similar = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {similar[0]}?" if similar else f"; it knows {', '.join(known[:10])}{', …' if len(known) > 10 else ''}"
        raise ConfigError(f"{where}: expected relations of the model, got {name!r:.80}{hint}")


def _check_triples(triples: Any) -> None:
    if triples is None:
        return
    if not isinstance(triples, frozenset):
        raise _error("triples", "(head type, tail type, relation) triples, or null", triples)
    for triple in triples:
        as_triple(triple)


def as_triple(value: Any) -> tuple[str, str, str]:
    """A triple from a list or tuple. Raises ConfigError for what is none."""
    if not isinstance(value, list | tuple) or len(value) != 3 or not all(isinstance(part, str) for part in value):
        raise _error("triples", "(head type, tail type, relation) triples", value)
    head, tail, name = value
    return head, tail, name


def _check_directions(decision: Decision) -> None:
    symmetric = decision.symmetric
    if not isinstance(symmetric, tuple) or not all(isinstance(name, str) for name in symmetric):
        raise _error("symmetric", "a list of relations", symmetric)
    inverse = _mapping("inverse", decision.inverse)
    if not all(isinstance(name, str) for name in inverse.values()):
        raise _error("inverse", "a relation for each relation", dict(inverse))
    once = (*symmetric, *inverse, *inverse.values())
    if repeated := [name for name in once if once.count(name) > 1]:
        raise _error("symmetric and inverse", "each relation once; a relation that is its own inverse is symmetric", repeated[0])


def _mapping(where: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        raise _error(where, "an object with relations as keys" if where.count(".") == 0 else "head or tail with a number", value)
    return value


def _error(where: str, expected: str, got: Any) -> ConfigError:
    return ConfigError(f"decision.{where}: expected {expected}, got {_shown(got)}")


def _shown(value: Any) -> str:
    try:
        return repr(value)[:60]
    except ValueError:  # a whole number of thousands of digits
        return "a whole number beyond all floats"
