"""Precision, recall and F1 of relations, against the gold file.

The evaluator compares sentences with sentences, without candidates: a gold relation whose pair was dropped by a type filter or a
distance, or whose entity was missed, is a false negative like any other. Every result carries the setting in which it was measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from relsift.candidates import Direction
from relsift.evaluation.facts import ENTITIES as ENTITIES
from relsift.evaluation.facts import MATCHES as MATCHES
from relsift.evaluation.facts import Entities as Entities
from relsift.evaluation.facts import Fact, gold_and_predicted_facts, wrong_facts
from relsift.evaluation.facts import Match as Match
from relsift.schema import Sentence


@dataclass(frozen=True, slots=True)
class PRF:
    """Precision, recall and F1 as shares of one; 0 where a denominator is 0.

    >>> PRF.of(true_positive=2, false_positive=2, false_negative=0)
    PRF(precision=0.5, recall=1.0, f1=0.6666666666666666)
    """

    precision: float
    recall: float
    f1: float

    @classmethod
    def of(cls, true_positive: int, false_positive: int, false_negative: int) -> PRF:
        precision = true_positive / (true_positive + false_positive) if true_positive else 0.0
        recall = true_positive / (true_positive + false_negative) if true_positive else 0.0
        return cls(precision, recall, 2 * precision * recall / (precision + recall) if true_positive else 0.0)


@dataclass(frozen=True, slots=True)
class TypeScore:
    """Counts of one type. `support` is its number of gold relations, or entities.

    >>> TypeScore(true_positive=2, false_positive=2, false_negative=0).prf.precision
    0.5
    """

    true_positive: int
    false_positive: int
    false_negative: int

    @property
    def support(self) -> int:
        return self.true_positive + self.false_negative

    @property
    def prf(self) -> PRF:
        return PRF.of(self.true_positive, self.false_positive, self.false_negative)


@dataclass(frozen=True)
class ScoresByType:
    """Counts of each type, and the averages over types that follow from them.

    See also: `Scores`, `relsift.evaluation.entities.EntityScores`.

    >>> scores = ScoresByType({"entities": "gold"}, 9, {"founder": TypeScore(3, 1, 1), "owner": TypeScore(0, 0, 1)})
    >>> scores.micro.precision, scores.macro.precision  # of all relations, and the mean over both types
    (0.75, 0.375)
    >>> scores.summary()[1]
    ('micro', '75.0', '60.0', '66.7')
    """

    setting: dict[str, str]  # how they were counted
    sentences: int  # annotated ones
    per_type: dict[str, TypeScore]

    @property
    def micro(self) -> PRF:
        """Over all types together."""
        counts = [(c.true_positive, c.false_positive, c.false_negative) for c in self.per_type.values()]
        return PRF.of(*(sum(column) for column in zip((0, 0, 0), *counts)))

    @property
    def macro(self) -> PRF:
        """Unweighted mean over the types that occur on the gold or the predicted side, each measure averaged by itself."""
        return self._mean([1] * len(self.per_type))

    @property
    def weighted(self) -> PRF:
        """Mean over the types weighted by gold support, the average in Ye et al.'s tables. F1 is not 2PR/(P+R) here."""
        return self._mean([c.support for c in self.per_type.values()])

    @property
    def averages(self) -> dict[str, PRF]:
        """`micro`, `macro` and `weighted`."""
        return {"micro": self.micro, "macro": self.macro, "weighted": self.weighted}

    def with_setting(self, key: str, value: str) -> Self:
        """The same scores with one more statement of how they were measured."""
        return replace(self, setting=self.setting | {key: value})

    def setting_line(self) -> str:
        """`entities=gold · match=strict · direction=directed · …`"""
        return " · ".join(f"{key}={value}" for key, value in self.setting.items())

    def summary(self) -> list[tuple[str, ...]]:
        """A small table for reports: a head row, then one row an average, in percent."""
        rows: list[tuple[str, ...]] = [("average", "precision", "recall", "F1")]
        for name, prf in self.averages.items():
            rows.append((name, *(f"{100 * value:.1f}" for value in (prf.precision, prf.recall, prf.f1))))
        return rows

    def counts_to_json(self) -> dict[str, Any]:
        """Setting, averages and counts. `counts_from_json` reads all but the averages, which are computed anew."""

        def row(prf: PRF) -> dict[str, float]:
            return {"precision": prf.precision, "recall": prf.recall, "f1": prf.f1}

        return {
            "setting": self.setting,
            "sentences": self.sentences,
            **{name: row(prf) for name, prf in self.averages.items()},
            "per_type": {
                name: row(c.prf) | {"support": c.support, "tp": c.true_positive, "fp": c.false_positive, "fn": c.false_negative}
                for name, c in self.per_type.items()
            },
        }

    @staticmethod
    def counts_from_json(value: dict[str, Any]) -> tuple[dict[str, str], int, dict[str, TypeScore]]:
        """Setting, sentences and counts of each type."""
        per_type = {name: TypeScore(row["tp"], row["fp"], row["fn"]) for name, row in value["per_type"].items()}
        return value["setting"], value["sentences"], per_type

    def _mean(self, weights: Sequence[int]) -> PRF:
        total = sum(weights)
        if not total:
            return PRF(0.0, 0.0, 0.0)
        rows = [c.prf for c in self.per_type.values()]
        return PRF(*(sum(w * getattr(r, name) for w, r in zip(weights, rows)) / total for name in ("precision", "recall", "f1")))


@dataclass(frozen=True, slots=True)
class ErrorSplit:
    """Wrong decisions about entity pairs, by kind (Ye et al. 2019, introduction).

    Each relation of a pair counts. The missed and the spurious relations of one pair are joined to wrong classes in alphabetical order,
    so false_negative + wrong_class are all missed relations, and false_positive + wrong_class all spurious ones.

    >>> ErrorSplit(false_negative=2, false_positive=1, wrong_class=1, reversed=0).shares()
    {'false_negative': 0.5, 'false_positive': 0.25, 'wrong_class': 0.25}
    """

    false_negative: int  # related pairs predicted as unrelated
    false_positive: int  # unrelated pairs predicted as related
    wrong_class: int  # related pairs predicted with another relation
    reversed: int  # of the false positives: the right relation in the wrong direction (directed only)

    @property
    def total(self) -> int:
        return self.false_negative + self.false_positive + self.wrong_class

    def shares(self) -> dict[str, float]:
        """Share of all errors, summing to 1 (all 0 if there are none)."""
        total = self.total or 1
        return {name: getattr(self, name) / total for name in ("false_negative", "false_positive", "wrong_class")}


@dataclass(frozen=True)
class Scores(ScoresByType):
    """The result of `evaluate`. The setting names entities, match, direction and candidates.

    See also: `evaluate`, `relsift.evaluation.wrong_decisions.wrong_decisions`.

    >>> from relsift.schema import Entity, Relation
    >>> gold = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> scores = evaluate([gold], [gold.with_relations((Relation(0, 1, "owner"),))], direction="directed")
    >>> scores.errors.wrong_class, scores.confusion, scores.setting["match"]
    (1, {('founder', 'owner'): 1}, 'strict')
    """

    errors: ErrorSplit
    confusion: dict[tuple[str, str], int] = field(default_factory=dict)  # (gold type, predicted type) of pairs that have both
    lost_relations: dict[str, int] = field(default_factory=dict)  # type -> annotated, not kept by the reader; among the missed ones

    def with_lost_relations(self, lost: Mapping[str, int]) -> Scores:
        """The same scores where relations that the reader could not keep count as missed: they lower recall, and leave precision.

        Args: lost: relation type -> number of annotated relations, as `ReadReport.lost_relations` counts them.
        """
        lost = {name: count for name, count in sorted(lost.items()) if count}
        if not lost:
            return self
        per_type = dict(self.per_type)
        for name, count in lost.items():
            before = per_type.get(name, TypeScore(0, 0, 0))
            per_type[name] = replace(before, false_negative=before.false_negative + count)
        total = sum(lost.values())
        return replace(
            self, per_type={name: per_type[name] for name in sorted(per_type)},
            errors=replace(self.errors, false_negative=self.errors.false_negative + total),
            setting=self.setting | {"lost in reading, counted as missed": f"{total} relation{'' if total == 1 else 's'}"},
            lost_relations={name: self.lost_relations.get(name, 0) + lost.get(name, 0) for name in sorted({*self.lost_relations, *lost})},
        )  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        return self.counts_to_json() | {
            "errors": asdict(self.errors) | {"shares": self.errors.shares()},
            "confusion": [{"gold": g, "predicted": p, "count": n} for (g, p), n in sorted(self.confusion.items())],
            **({"lost_relations": self.lost_relations} if self.lost_relations else {}),
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Scores:
        """The inverse of `to_json`: averages are computed anew."""
        errors = value["errors"]
        return cls(
            *cls.counts_from_json(value),
            ErrorSplit(errors["false_negative"], errors["false_positive"], errors["wrong_class"], errors["reversed"]),
            {(row["gold"], row["predicted"]): row["count"] for row in value["confusion"]}, value.get("lost_relations", {}),
        )  # fmt: skip


def evaluate(
    gold: Sequence[Sentence],
    predicted: Sequence[Sentence],
    *,
    direction: Direction,
    entities: Entities = "gold",
    match: Match = "strict",
    candidates: str = "not recorded",
) -> Scores:
    """Compare the relations of the same sentences in the same order.

    Args:
        direction: *undirected* takes a relation and its reverse for the same.
        entities: *gold* matches entities by their place in the sentence's list, which must be the same on both sides; *predicted*
            matches them by span, and with match=strict by span and type.
        candidates: which pairs the predictor scored and dropped, for the setting line.
    Raises: DataError if the two sides do not hold the same sentences, or no gold sentence is annotated.

    See also: `Scores`, `relsift.evaluation.significance.compare_runs`, `relsift.evaluation.wrong_decisions.wrong_decisions`.

    >>> from relsift.schema import Entity, Relation
    >>> entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    >>> gold = Sentence("s", ("Ada", "leads", "Acme"), entities, (Relation(0, 1, "leads"),))
    >>> found = gold.with_relations((Relation(1, 0, "leads"),))           # the wrong way round
    >>> evaluate([gold], [found], direction="directed").micro.f1, evaluate([gold], [found], direction="undirected").micro.f1
    (0.0, 1.0)
    """
    confusion: Counter[tuple[str, str]] = Counter()
    errors: Counter[str] = Counter()
    sides = [facts for _, *facts in gold_and_predicted_facts(gold, predicted, direction, entities, match)]
    for gold_facts, predicted_facts in sides:
        count_errors(gold_facts, predicted_facts, errors, confusion)
    setting = {"entities": entities, "match": match, "direction": direction, "candidates": candidates} | left_out(len(sides), gold)
    return Scores(
        setting, len(sides), counts_by_type(sides),
        ErrorSplit(errors["fn"], errors["fp"], errors["wc"], errors["reversed"]), dict(confusion),
    )  # fmt: skip


def counts_by_type(sides: Iterable[Sequence[set[Any]]]) -> dict[str, TypeScore]:
    """Counts from (gold, predicted) values of each sentence, the last part of each value being its type; types in alphabetical order.

    Args: sides: the two of each sentence.

    >>> gold, found = {("Ada", "Acme", "founder")}, {("Ada", "Acme", "founder"), ("Bo", "Acme", "owner")}
    >>> counts_by_type([(gold, found)])["owner"]
    TypeScore(true_positive=0, false_positive=1, false_negative=0)
    """
    true_positive, false_negative, false_positive = Counter[str](), Counter[str](), Counter[str]()
    for gold, predicted in sides:
        true_positive.update(value[-1] for value in gold & predicted)
        false_negative.update(value[-1] for value in gold - predicted)
        false_positive.update(value[-1] for value in predicted - gold)
    types = sorted({*true_positive, *false_negative, *false_positive})
    return {name: TypeScore(true_positive[name], false_positive[name], false_negative[name]) for name in types}


def left_out(num_annotated: int, gold: Sequence[Sentence]) -> dict[str, str]:
    """For the setting: how many sentences are not annotated, if any.

    Args: num_annotated: sentences of `gold` whose relations are annotated.

    >>> left_out(1, [Sentence("s1", ("Ada", "left"), relations=()), Sentence("s2", ("Bo", "left"))])  # the second is not annotated
    {'not annotated, left out': '1 sentences'}
    """
    return {"not annotated, left out": f"{len(gold) - num_annotated} sentences"} if num_annotated < len(gold) else {}


def count_errors(gold_facts: set[Fact], predicted_facts: set[Fact], errors: Counter[str], confusion: Counter[tuple[str, str]]) -> None:
    """Count the facts of one sentence, as of `relsift.evaluation.facts.facts_of`.

    Args: errors: of the kinds `fn`, `fp`, `wc` and `reversed`. confusion: as in `Scores`.

    >>> errors, pair = Counter(), ((0, 0, ""), (1, 0, ""))  # positions of head and tail
    >>> count_errors({(pair, "founder")}, {(pair, "owner")}, errors, Counter())
    >>> dict(errors)
    {'wc': 1}
    """
    for _, relation_type in gold_facts & predicted_facts:
        confusion[relation_type, relation_type] += 1
    for pair, gold_type, predicted_type in wrong_facts(gold_facts, predicted_facts):
        if predicted_type is None:
            errors["fn"] += 1
        elif gold_type is None:
            errors["fp"] += 1
            errors["reversed"] += ((pair[1], pair[0]), predicted_type) in gold_facts
        else:
            errors["wc"] += 1
            confusion[gold_type, predicted_type] += 1
