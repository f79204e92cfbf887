"""Precision, recall and F1 of relations, against the gold file.

The evaluator compares sentences with sentences. It never sees candidates: a gold relation that was lost to a type filter, to a
distance or to a missed entity is a false negative like any other. Every result carries the setting it was measured in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Literal

from relsift.candidates import DIRECTIONS, Direction, in_text_order
from relsift.errors import ConfigError, DataError
from relsift.schema import Relation, Sentence

Entities = Literal["gold", "predicted"]
Match = Literal["boundaries", "strict"]


@dataclass(frozen=True, slots=True)
class PRF:
    """Precision, recall and F1 as shares of one; 0 where a denominator is 0."""

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
    """One relation type's counts; support is its number of gold relations."""

    true_positive: int
    false_positive: int
    false_negative: int

    @property
    def support(self) -> int:
        return self.true_positive + self.false_negative

    @property
    def prf(self) -> PRF:
        return PRF.of(self.true_positive, self.false_positive, self.false_negative)


@dataclass(frozen=True, slots=True)
class ErrorSplit:
    """Wrong decisions about entity pairs, by kind (Ye et al. 2019, introduction).

    false_negative: a related pair left unrelated. false_positive: an unrelated pair called related. wrong_class: a related pair
    with the wrong relation. reversed: of the false positives, how many have the right relation in the wrong direction (directed
    only).
    Of a pair with several relations each one counts: what is missed and what is found instead are joined to wrong classes in
    alphabetical order, so that false_negative + wrong_class is all that was missed, and false_positive + wrong_class all that was
    found wrongly.
    """

    false_negative: int
    false_positive: int
    wrong_class: int
    reversed: int

    @property
    def total(self) -> int:
        return self.false_negative + self.false_positive + self.wrong_class

    def shares(self) -> dict[str, float]:
        """Share of all errors, summing to 1 (all 0 if there are none)."""
        total = self.total or 1
        return {name: getattr(self, name) / total for name in ("false_negative", "false_positive", "wrong_class")}


@dataclass(frozen=True)
class Scores:
    """The whole result of one comparison."""

    setting: dict[str, str]
    sentences: int
    per_type: dict[str, TypeScore]
    errors: ErrorSplit
    confusion: dict[tuple[str, str], int] = field(default_factory=dict)  # (gold type, predicted type) of pairs that have both

    @property
    def micro(self) -> PRF:
        """Over all relations together."""
        counts = [(c.true_positive, c.false_positive, c.false_negative) for c in self.per_type.values()]
        return PRF.of(*(sum(column) for column in zip((0, 0, 0), *counts)))

    @property
    def macro(self) -> PRF:
        """Unweighted mean over the relation types that occur in gold or predicted relations, each measure averaged by itself."""
        return self._mean([1] * len(self.per_type))

    @property
    def weighted(self) -> PRF:
        """Mean over relation types weighted by gold support, the average in Ye et al.'s tables. F1 is not 2PR/(P+R) here."""
        return self._mean([c.support for c in self.per_type.values()])

    @property
    def averages(self) -> dict[str, PRF]:
        return {"micro": self.micro, "macro": self.macro, "weighted": self.weighted}

    def setting_line(self) -> str:
        """`entities=gold · match=strict · direction=directed · …`"""
        return " · ".join(f"{key}={value}" for key, value in self.setting.items())

    def summary(self) -> list[tuple[str, ...]]:
        """A small table for reports: a head row, then one row an average, in percent."""
        rows: list[tuple[str, ...]] = [("average", "precision", "recall", "F1")]
        for name, prf in self.averages.items():
            rows.append((name, *(f"{100 * value:.1f}" for value in (prf.precision, prf.recall, prf.f1))))
        return rows

    def to_json(self) -> dict[str, Any]:
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
            "errors": {
                "false_negative": self.errors.false_negative, "false_positive": self.errors.false_positive,
                "wrong_class": self.errors.wrong_class, "reversed": self.errors.reversed, "shares": self.errors.shares(),
            },
            "confusion": [{"gold": g, "predicted": p, "count": n} for (g, p), n in sorted(self.confusion.items())],
        }  # fmt: skip

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Scores:
        """The inverse of `to_json`: averages are computed anew."""
        split = value["errors"]
        return cls(
            value["setting"], value["sentences"],
            {name: TypeScore(row["tp"], row["fp"], row["fn"]) for name, row in value["per_type"].items()},
            ErrorSplit(split["false_negative"], split["false_positive"], split["wrong_class"], split["reversed"]),
            {(row["gold"], row["predicted"]): row["count"] for row in value["confusion"]},
        )  # fmt: skip

    def _mean(self, weights: Sequence[int]) -> PRF:
        total = sum(weights)
        if not total:
            return PRF(0.0, 0.0, 0.0)
        rows = [c.prf for c in self.per_type.values()]
        return PRF(*(sum(w * getattr(r, name) for w, r in zip(weights, rows)) / total for name in ("precision", "recall", "f1")))


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
        candidates: what the predictor scored and left out, for the setting line.
    Raises: DataError if the two sides do not hold the same sentences, or no gold sentence is annotated.
    """
    hits, missed, spurious = Counter[str](), Counter[str](), Counter[str]()
    confusion: Counter[tuple[str, str]] = Counter()
    split: Counter[str] = Counter()
    seen = 0
    for _, wanted, found in compared(gold, predicted, direction, entities, match):
        seen += 1
        for _, kind in wanted & found:
            hits[kind] += 1
        for _, kind in wanted - found:
            missed[kind] += 1
        for _, kind in found - wanted:
            spurious[kind] += 1
        _count_errors(wanted, found, split, confusion)
    kinds = sorted(set(hits) | set(missed) | set(spurious))
    setting = {"entities": entities, "match": match, "direction": direction, "candidates": candidates}
    if seen < len(gold):
        setting["not annotated, left out"] = f"{len(gold) - seen} sentences"
    return Scores(
        setting, seen, {kind: TypeScore(hits[kind], spurious[kind], missed[kind]) for kind in kinds},
        ErrorSplit(split["fn"], split["fp"], split["wc"], split["reversed"]), dict(confusion),
    )  # fmt: skip


def compared(
    gold: Sequence[Sentence], predicted: Sequence[Sentence], direction: Direction, entities: Entities, match: Match
) -> Iterator[tuple[int, set[Fact], set[Fact]]]:
    """(position, wanted, found) of every annotated sentence: what every score counts. Arguments and errors: see `evaluate`."""
    if direction not in DIRECTIONS:
        raise ConfigError(f"evaluate: expected direction directed|undirected, got {direction!r}")
    if entities not in ("gold", "predicted") or match not in ("boundaries", "strict"):
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
        yield position, facts_of(g, direction, entities, match), facts_of(p, direction, entities, match)
    if not annotated:
        raise DataError('evaluate: expected annotated sentences (with "relations"), got none')


def key_of(sentence: Sentence, relation: Relation, direction: Direction) -> tuple[int, int]:
    """The pair a relation speaks of: (head, tail), in text order if direction does not count."""
    if direction == "undirected":
        return in_text_order(sentence, relation.head, relation.tail)
    return relation.head, relation.tail


Name = tuple[int, int, str]  # of an entity, comparable between gold and predicted sentences
Fact = tuple[tuple[Name, Name], str]


def facts_of(sentence: Sentence, direction: Direction, entities: Entities = "gold", match: Match = "strict") -> set[Fact]:
    """The sentence's relations as comparable values; with gold entities, a name is the entity's position and nothing else."""

    def name(position: int) -> Name:
        if entities == "gold":
            return position, 0, ""
        entity = sentence.entities[position]
        return entity.start, entity.end, entity.type if match == "strict" else ""

    facts: set[Fact] = set()
    for relation in sentence.relations or ():
        head, tail = name(relation.head), name(relation.tail)
        if direction == "undirected" and tail < head:  # by name, not by place in the list, which the two sides need not share
            head, tail = tail, head
        facts.add(((head, tail), relation.type))
    return facts


def count_gold(sentences: Iterable[Sentence], direction: Direction) -> int:
    """Relations that there are to find, as `evaluate` counts them."""
    return sum(len(facts_of(sentence, direction)) for sentence in sentences)


def _count_errors(wanted: set[Fact], found: set[Fact], split: Counter[str], confusion: Counter[tuple[str, str]]) -> None:
    for _, kind in wanted & found:
        confusion[kind, kind] += 1
    for pair, right, given in wrong_facts(wanted, found):
        if given is None:
            split["fn"] += 1
        elif right is None:
            split["fp"] += 1
            split["reversed"] += ((pair[1], pair[0]), given) in wanted
        else:
            split["wc"] += 1
            confusion[right, given] += 1


def wrong_facts(wanted: set[Fact], found: set[Fact]) -> Iterator[tuple[tuple[Name, Name], str | None, str | None]]:
    """Each wrong decision as (pair, gold type, found type), None for "no relation"; a pair's left-over types are matched in order."""
    missed, spurious = _by_pair(wanted - found), _by_pair(found - wanted)
    for pair in sorted(missed.keys() | spurious.keys()):
        for kind, given in zip_longest(missed.get(pair, []), spurious.get(pair, [])):
            yield pair, kind, given


def _by_pair(facts: set[Fact]) -> dict[tuple[Name, Name], list[str]]:
    kinds: dict[tuple[Name, Name], list[str]] = {}
    for pair, kind in sorted(facts):
        kinds.setdefault(pair, []).append(kind)
    return kinds


def _spans(sentence: Sentence) -> list[tuple[int, int, str]]:
    return [(e.start, e.end, e.type) for e in sentence.entities]
