"""Precision, recall and F1 of relations, against the gold file.

The evaluator compares sentences with sentences, without candidates: a gold relation whose pair was dropped by a type filter or a
distance, or whose entity was missed, is a false negative like any other. Every result carries the setting in which it was measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, Literal, Self, get_args

from relsift.candidates import DIRECTIONS, Direction
from relsift.errors import ConfigError, DataError
from relsift.schema import Entity, Relation, Sentence

Entities = Literal["gold", "predicted"]
Match = Literal["boundaries", "strict"]
ENTITIES: tuple[Entities, ...] = get_args(Entities)
MATCHES: tuple[Match, ...] = get_args(Match)


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
    """Counts of one type. `support` is its number of gold relations, or entities."""

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
    """Counts of each type, and the averages over types that follow from them."""

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
    """The result of `evaluate`. The setting names entities, match, direction and candidates."""

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
            "errors": {
                "false_negative": self.errors.false_negative, "false_positive": self.errors.false_positive,
                "wrong_class": self.errors.wrong_class, "reversed": self.errors.reversed, "shares": self.errors.shares(),
            },
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
    """Counts from (gold, predicted) values of each sentence, the last part of each value being its type; types in alphabetical order."""
    true_positive, false_negative, false_positive = Counter[str](), Counter[str](), Counter[str]()
    for gold, predicted in sides:
        true_positive.update(value[-1] for value in gold & predicted)
        false_negative.update(value[-1] for value in gold - predicted)
        false_positive.update(value[-1] for value in predicted - gold)
    types = sorted({*true_positive, *false_negative, *false_positive})
    return {name: TypeScore(true_positive[name], false_positive[name], false_negative[name]) for name in types}


def left_out(num_annotated: int, gold: Sequence[Sentence]) -> dict[str, str]:
    """For the setting: how many sentences are not annotated, if any."""
    return {"not annotated, left out": f"{len(gold) - num_annotated} sentences"} if num_annotated < len(gold) else {}


def gold_and_predicted_facts(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], direction: Direction, entities: Entities, match: Match
) -> Iterator[tuple[int, set[Fact], set[Fact]]]:
    """Yield (position, gold facts, predicted facts) of every annotated sentence. Arguments and errors: as of `evaluate`."""
    if direction not in DIRECTIONS:
        raise ConfigError(f"evaluate: expected direction directed|undirected, got {direction!r}")
    for position, g, p in annotated_sentences(gold, predicted, entities, match):
        yield position, facts_of(g, direction, entities, match), facts_of(p, direction, entities, match)


def annotated_sentences(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], entities: Entities, match: Match
) -> Iterator[tuple[int, Sentence, Sentence]]:
    """Yield (position, gold sentence, predicted sentence) of every annotated sentence. Arguments and errors: as of `evaluate`."""
    if entities not in ENTITIES or match not in MATCHES:
        raise ConfigError(f"evaluate: expected entities gold|predicted and match boundaries|strict, got {entities!r}, {match!r}")
    if len(gold) != len(predicted):
        raise DataError(f"evaluate: expected as many predicted as gold sentences ({len(gold)}), got {len(predicted)}")
    annotated = 0
    for position, (g, p) in enumerate(zip(gold, predicted)):
        if g.tokens != p.tokens or (entities == "gold" and _spans(g) != _spans(p)):
            what = "tokens and entities" if entities == "gold" else "tokens"
            raise DataError(f"evaluate: expected the same {what} on both sides, got a difference in sentence {g.id!r}")
        if g.relations is None:
            continue
        annotated += 1
        yield position, g, p
    if not annotated:
        raise DataError('evaluate: expected annotated sentences (with "relations"), got none')


EntityKey = tuple[int, int, str]  # of an entity, comparable between gold and predicted sentences
Fact = tuple[tuple[EntityKey, EntityKey], str]  # (head, tail), relation type


def key_of(entity: Entity, match: Match) -> EntityKey:
    """Of an entity that is matched by its span, with match=strict by its type too."""
    return entity.start, entity.end, entity.type if match == "strict" else ""


def fact_of(sentence: Sentence, relation: Relation, direction: Direction, entities: Entities = "gold", match: Match = "strict") -> Fact:
    """The relation as a value that does not depend on its sentence. With gold entities, the key of an entity is its position alone."""

    def key(position: int) -> EntityKey:
        return (position, 0, "") if entities == "gold" else key_of(sentence.entities[position], match)

    head, tail = key(relation.head), key(relation.tail)
    if direction == "undirected" and tail < head:  # ordered by key: the two sides may list their entities in another order
        head, tail = tail, head
    return (head, tail), relation.type


def facts_of(sentence: Sentence, direction: Direction, entities: Entities = "gold", match: Match = "strict") -> set[Fact]:
    """The sentence's relations as comparable values, each once."""
    return {fact_of(sentence, relation, direction, entities, match) for relation in sentence.relations or ()}


def count_gold(sentences: Iterable[Sentence], direction: Direction) -> int:
    """The number of gold relations, as `evaluate` counts them."""
    return sum(len(facts_of(sentence, direction)) for sentence in sentences)


def count_errors(gold_facts: set[Fact], predicted_facts: set[Fact], errors: Counter[str], confusion: Counter[tuple[str, str]]) -> None:
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


def wrong_facts(gold_facts: set[Fact], predicted_facts: set[Fact]) -> Iterator[tuple[tuple[EntityKey, EntityKey], str | None, str | None]]:
    """Yield each wrong decision as (pair, gold type, predicted type), None for "no relation".

    Of a pair with several wrong types, the missed and the spurious ones are joined in alphabetical order.
    """
    missed_types, spurious_types = _by_pair(gold_facts - predicted_facts), _by_pair(predicted_facts - gold_facts)
    for pair in sorted(missed_types.keys() | spurious_types.keys()):
        for gold_type, predicted_type in zip_longest(missed_types.get(pair, []), spurious_types.get(pair, [])):
            yield pair, gold_type, predicted_type


def _by_pair(facts: set[Fact]) -> dict[tuple[EntityKey, EntityKey], list[str]]:
    types: dict[tuple[EntityKey, EntityKey], list[str]] = {}
    for pair, relation_type in sorted(facts):
        types.setdefault(pair, []).append(relation_type)
    return types


def _spans(sentence: Sentence) -> list[tuple[int, int, str]]:
    return [(e.start, e.end, e.type) for e in sentence.entities]
