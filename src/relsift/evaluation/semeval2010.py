"""The official score of SemEval-2010 Task 8: (9+1)-way, direction taken into account, macro F1 over the nine relations.

A sentence has one answer: a relation with its direction, or Other. An answer counts as correct if both are right. Precision divides a
relation's correct answers by all answers of that relation, in either direction; recall by all gold labels of it, in either direction. A
right relation in the wrong direction is so at the same time a false positive and a false negative of its own relation. Other has no row,
but an Other that was called a relation, and a relation that was called Other, count against that relation.

Source: Hendrickx et al., SemEval 2010 (S10-1006), section 4, and the task's scorer, whose official figure this is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from relsift.errors import DataError
from relsift.evaluation.scores import PRF, TypeScore
from relsift.schema import Sentence

RELATIONS = (
    "Cause-Effect", "Component-Whole", "Content-Container", "Entity-Destination", "Entity-Origin",
    "Instrument-Agency", "Member-Collection", "Message-Topic", "Product-Producer",
)  # fmt: skip
SETTING = "SemEval-2010 Task 8, official: (9+1)-way, direction taken into account, macro average without Other"

Answer = tuple[str, int, int]  # relation, head, tail


@dataclass(frozen=True)
class OfficialScores:
    """The result of `official_scores`."""

    per_relation: dict[str, TypeScore]  # all nine, in alphabetical order; 0 for a relation without gold labels or answers
    sentences: int

    @property
    def macro(self) -> PRF:
        """The mean of each measure over the nine relations; `f1` is the figure that papers report."""
        rows = [counts.prf for counts in self.per_relation.values()]
        return PRF(*(sum(getattr(row, name) for row in rows) / len(rows) for name in ("precision", "recall", "f1")))

    def to_json(self) -> dict[str, Any]:
        def row(prf: PRF) -> dict[str, float]:
            return {"precision": prf.precision, "recall": prf.recall, "f1": prf.f1}

        return {
            "setting": SETTING,
            "sentences": self.sentences,
            "macro": row(self.macro),
            "per_relation": {name: row(counts.prf) | {"support": counts.support} for name, counts in self.per_relation.items()},
        }


def official_scores(gold: Sequence[Sentence], predicted: Sequence[Sentence]) -> OfficialScores:
    """Compare one answer a sentence; of several predicted relations the one with the highest score is the answer.

    Raises: DataError if the two sides do not hold the same sentences, or the gold side is not annotated as the task is.
    """
    if [s.tokens for s in gold] != [s.tokens for s in predicted]:
        raise DataError("semeval2010 score: expected the same sentences on both sides, got others")
    num_correct, num_answers, num_gold = Counter[str](), Counter[str](), Counter[str]()
    for gold_sentence, predicted_sentence in zip(gold, predicted):
        label, answer = _gold_label(gold_sentence), _answer(predicted_sentence)
        if label is not None:
            num_gold[label[0]] += 1
        if answer is not None:
            num_answers[answer[0]] += 1
            num_correct[answer[0]] += answer == label
    per_relation = {
        name: TypeScore(num_correct[name], num_answers[name] - num_correct[name], num_gold[name] - num_correct[name]) for name in RELATIONS
    }
    return OfficialScores(per_relation, len(gold))


def _gold_label(sentence: Sentence) -> Answer | None:
    where = f"semeval2010 score: sentence {sentence.id!r}"
    if sentence.relations is None or len(sentence.relations) > 1:
        got = "no annotation" if sentence.relations is None else f"{len(sentence.relations)} relations"
        raise DataError(f"{where}: expected one annotated relation, or none for Other, got {got}")
    label = _answer(sentence)
    if label is not None and label[0] not in RELATIONS:
        raise DataError(f"{where}: expected one of the task's relations ({', '.join(RELATIONS)}), got {label[0]!r}")
    return label


def _answer(sentence: Sentence) -> Answer | None:
    """The relation with the highest score, None for Other. Among relations without scores the first one counts."""
    if not sentence.relations:
        return None
    best = max(sentence.relations, key=lambda relation: float("-inf") if relation.score is None else relation.score)
    return best.type, best.head, best.tail
