"""The rule that turns scores into relations. It needs no model and no torch, and is stored beside a model as `decision.json`.

A pair has at most one relation: the one with the highest score, if that score reaches the threshold.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from relsift.decisions.scored import Scored
from relsift.errors import CheckpointError, ConfigError
from relsift.files import write_json
from relsift.json_text import read_json
from relsift.schema import Relation, Sentence

DECISION_FILE = "decision.json"
FORMAT = 1  # raised when decision.json changes in a way that older versions cannot read


@dataclass(frozen=True, kw_only=True)
class Decision:
    """The mode and the threshold.

    >>> import numpy as np
    >>> from relsift.candidates import Pair
    >>> from relsift.schema import Entity
    >>> sentence = Sentence("s", ("Ada", "leads", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")))
    >>> scored = Scored(sentence, [Pair(0, 1)], np.array([[-1.0, 2.0]], np.float32))
    >>> Decision(threshold=0.5).decide(scored, ("based_in", "leads")).relations
    (Relation(head=0, tail=1, type='leads', score=2.0),)
    """

    mode: Literal["single"] = "single"  # at most one relation a pair
    threshold: float = 0.0  # the score from which on a pair is related, in units of the model's scores

    def __post_init__(self) -> None:
        if self.mode != "single":
            raise ConfigError(f"decision.mode: expected single, got {self.mode!r}")
        if not _is_finite(self.threshold):  # infinity would be no JSON; the largest numbers take every pair, or none, as well
            raise ConfigError(f"decision.threshold: expected a number that is finite, got {_shown(self.threshold)}")

    def decide(self, scored: Scored, labels: tuple[str, ...]) -> Sentence:
        """The sentence with its relations, each with its score; whatever relations it carried are replaced.

        Args: labels: the relation type of each column of the scores.
        """
        columns, scores = scored.best()
        return scored.sentence.with_relations(
            Relation(pair.head, pair.tail, labels[column], score)
            for pair, column, score in zip(scored.pairs, columns.tolist(), scores.tolist())
            if score >= self.threshold
        )

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT} | asdict(self)

    @classmethod
    def from_json(cls, value: Any, where: Path | str) -> Decision:
        """Raises CheckpointError, with `where`, for what is no decision of this version."""
        version = value.get("format") if isinstance(value, dict) else value
        if not isinstance(value, dict) or version != FORMAT or isinstance(version, bool):
            raise CheckpointError(
                f"{where}: expected a decision of format {FORMAT}, got {version!r}; use the relsift version that wrote it"
            )
        expected = "expected mode and threshold of a decision"
        if "threshold" not in value:  # the default in its place would be a guess
            raise CheckpointError(f"{where}: {expected}, got no threshold")
        try:
            return cls(**{name: part for name, part in value.items() if name != "format"})
        except (TypeError, ConfigError) as error:
            raise CheckpointError(f"{where}: {expected}, got {error}") from error

    def save(self, folder: Path) -> None:
        write_json(folder / DECISION_FILE, self.to_json())

    @classmethod
    def load(cls, folder: Path) -> Decision:
        """Raises CheckpointError naming the file if it is missing or broken."""
        file = folder / DECISION_FILE
        if not file.exists():
            raise CheckpointError(f"{file}: expected the decision of the model, got No such file; copy the whole folder again")
        return cls.from_json(read_json(file), file)


def _shown(value: Any) -> str:
    try:
        return repr(value)[:60]
    except ValueError:  # a whole number of thousands of digits
        return "a whole number beyond all floats"


def _is_finite(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that is beyond all floats
        return False
