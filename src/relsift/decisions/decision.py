"""The rule that turns scores into relations. It needs no model and no torch, and is stored beside a model as `decision.json`.

In this order:

1. Relations that never occurred between two entity types are left out (`constraints`).
2. Relations that hold in both directions get the mean of both scores (`symmetric`, `inverse`).
3. Of each pair the best relation is chosen, or all (`mode`).
4. Of too many relations of one entity the best stay (`at_most`).
5. What reaches its threshold is taken, with a probability if the decision is calibrated.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from relsift.candidates import Direction
from relsift.decisions import checks, choices
from relsift.decisions.calibration import Calibration
from relsift.decisions.choices import Cells, Choices, Taken
from relsift.decisions.constraints import Triple
from relsift.decisions.provenance import TunedOn
from relsift.decisions.scored import Scored
from relsift.errors import CheckpointError, ConfigError
from relsift.files import write_json
from relsift.json_text import read_json
from relsift.schema import Relation, Sentence

DECISION_FILE = "decision.json"
FORMAT = 2  # raised when decision.json changes in a way that older versions cannot read; format 1 has mode and threshold alone
Mode = Literal["single", "several"]
MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, kw_only=True)
class Decision:
    """Thresholds and rules.

    See also: `relsift.decisions.scored.Scored`, `relsift.decisions.calibration.Calibration`.

    >>> import numpy as np
    >>> from relsift.candidates import Pair
    >>> from relsift.schema import Entity
    >>> sentence = Sentence("s", ("Ada", "leads", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")))
    >>> scored = Scored(sentence, [Pair(0, 1)], np.array([[-1.0, 2.0]], np.float32))
    >>> Decision(threshold=0.5).decide(scored, ("based_in", "leads")).relations
    (Relation(head=0, tail=1, type='leads', score=2.0, probability=None),)
    """

    mode: Mode = "single"  # at most one relation a pair, or every relation that reaches its threshold
    threshold: float = 0.0  # the score from which on a relation is taken, in units of the model's scores
    thresholds: Mapping[str, float] = field(default_factory=dict)  # of some relations, in place of the common one
    constraints: bool = False  # whether a relation needs its triple among `triples`
    triples: frozenset[Triple] | None = None  # (head type, tail type, relation) of the training data; None: not known
    symmetric: tuple[str, ...] = ()  # relations that hold in both directions or in none
    inverse: Mapping[str, str] = field(default_factory=dict)  # relation -> the one that says the same of the reversed pair
    at_most: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # relation -> head, tail -> the most of one entity
    calibration: Calibration | None = None  # None: relations get no probability
    tuned_on: TunedOn | None = None

    def __post_init__(self) -> None:
        checks.check(self)

    def cells(self, scored: Scored, labels: tuple[str, ...]) -> Cells:
        """All scores, after constraints and means over both directions."""
        allowed = choices.allowed_by(self.triples if self.constraints else None, scored, labels)
        return choices.cells_of(scored, allowed, self._partners(labels))

    def choices(self, scored: Scored, labels: tuple[str, ...]) -> Choices:
        """All that would be taken if every score were enough; the thresholds decide on each alone."""
        cells = self.cells(scored, labels)
        offsets = np.array([self.threshold_of(name) - self.threshold for name in labels]) if self.thresholds else np.zeros(len(labels))
        found = choices.choices(cells, offsets, self.threshold, several=self.mode == "several")
        if self.thresholds and not cells.twins:  # exactly as they are given, without rounding
            found = found._replace(bars=np.array([self.threshold_of(name) for name in labels])[found.columns])
        limits = {column: self.at_most[name] for column, name in enumerate(labels) if name in self.at_most}
        return choices.at_most(found, scored.pairs, cells.twins, limits) if limits else found

    def decide(self, scored: Scored, labels: tuple[str, ...]) -> Sentence:
        """The sentence with its relations, each with its score; whatever relations it carried are replaced.

        Args: labels: the relation type of each column of the scores.
        """
        [decided] = self.decide_all([scored], labels)
        return decided

    def decide_all(self, those: Sequence[Scored], labels: tuple[str, ...]) -> list[Sentence]:
        """`decide` of several sentences, in less time."""
        if self.mode == "single" and not (self.thresholds or self.symmetric or self.inverse or self.at_most):
            taken = choices.best_above(those, labels, self.threshold, self.triples if self.constraints else None)  # the common case
        else:
            taken = [self._taken(scored, labels) for scored in those]
        scores = [score for of_sentence in taken for *_, score in of_sentence]
        chances = iter([None] * len(scores) if self.calibration is None or not scores else self.calibration.probability(scores).tolist())
        return [
            scored.sentence.with_relations([
                Relation(scored.pairs[pair].head, scored.pairs[pair].tail, labels[column], score, next(chances))
                for pair, column, score in of_sentence
            ])
            for scored, of_sentence in zip(those, taken)
        ]

    def _taken(self, scored: Scored, labels: tuple[str, ...]) -> list[Taken]:
        found = self.choices(scored, labels)
        enough = found.scores >= found.bars
        return list(zip(found.pairs[enough].tolist(), found.columns[enough].tolist(), found.scores[enough].tolist()))

    def threshold_of(self, relation: str) -> float:
        """The score from which on this relation is taken."""
        return self.thresholds.get(relation, self.threshold)

    def with_threshold(self, threshold: float) -> Decision:
        """The same rules with one threshold for all relations. Raises ConfigError for no finite number."""
        return replace(self, threshold=threshold, thresholds={}, tuned_on=None)

    def checked_for(self, labels: tuple[str, ...], direction: Direction) -> Decision:
        """The decision itself, if it fits a model.

        Raises: ConfigError for relations that the model does not know, or rules it has no use for.
        """
        checks.check_model(self, labels, direction)
        return self

    def _partners(self, labels: tuple[str, ...]) -> dict[int, int]:
        if not self.symmetric and not self.inverse:
            return {}
        column = {name: number for number, name in enumerate(labels)}
        partners = {column[name]: column[name] for name in self.symmetric if name in column}
        for name, other in self.inverse.items():
            if name in column and other in column:
                partners |= {column[name]: column[other], column[other]: column[name]}
        return partners

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT, "mode": self.mode, "threshold": self.threshold, "thresholds": dict(self.thresholds),
            "constraints": self.constraints, "triples": None if self.triples is None else sorted(map(list, self.triples)),
            "symmetric": list(self.symmetric), "inverse": dict(self.inverse),
            "at_most": {name: dict(limits) for name, limits in self.at_most.items()},
            "calibration": None if self.calibration is None else self.calibration.to_json(),
            "tuned_on": None if self.tuned_on is None else self.tuned_on.to_json(),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: Any, where: Path | str) -> Decision:
        """Raises CheckpointError, with `where`, for what is no decision of this version or of format 1."""
        version = value.get("format") if isinstance(value, dict) else value
        if not isinstance(value, dict) or version not in (1, FORMAT) or isinstance(version, bool):
            raise CheckpointError(
                f"{where}: expected a decision of format 1 or {FORMAT}, got {version!r:.60}; use the relsift version that wrote it"
            )
        if "threshold" not in value:  # the default in its place would be a guess
            raise CheckpointError(f"{where}: expected mode and threshold of a decision, got no threshold")
        parts = {name: part for name, part in value.items() if name != "format"}
        known = {"mode", "threshold"} if version == 1 else set(cls.__dataclass_fields__)
        if unknown := parts.keys() - known:
            close = difflib.get_close_matches(min(unknown), known, n=1)
            hint = f"; did you mean {close[0]}?" if close else f"; its keys are {', '.join(sorted(known))}"
            raise CheckpointError(f"{where}: expected keys of a decision of format {version}, got {min(unknown)!r:.60}{hint}")
        try:
            if isinstance(triples := parts.get("triples"), list):
                parts["triples"] = frozenset(checks.as_triple(triple) for triple in triples)
            if isinstance(symmetric := parts.get("symmetric"), list):
                parts["symmetric"] = tuple(symmetric)
            if parts.get("calibration") is not None:
                parts["calibration"] = Calibration.from_json(parts["calibration"])
            if parts.get("tuned_on") is not None:
                parts["tuned_on"] = TunedOn.from_json(parts["tuned_on"], f"{where}: tuned_on")
            return cls(**parts)
        except ConfigError as error:
            raise CheckpointError(f"{where}: {error}; correct it there, or copy the folder again") from error

    def save(self, folder: Path) -> None:
        write_json(folder / DECISION_FILE, self.to_json())  # not sealed: users edit it, and its values are checked when it is loaded

    @classmethod
    def load(cls, folder: Path) -> Decision:
        """Raises CheckpointError naming the file if it is missing or broken."""
        file = folder / DECISION_FILE
        if not file.exists():
            raise CheckpointError(f"{file}: expected the decision of the model, got No such file; copy the whole folder again")
        return cls.from_json(read_json(file, is_editable=True), file)
