"""Which entity pairs are scored: direction, type filter, distance, window. What is left out is counted.

The choice of candidates changes the scores more than any architecture does. It is therefore one frozen object, fitted on training
data, stored with the model and printed with every score. Evaluation does not use it: a gold relation without a candidate is a miss.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

from relsift.errors import ConfigError
from relsift.schema import Entity, Sentence
from relsift.stable_random import stable_integer

Direction = Literal["directed", "undirected"]
DIRECTIONS: tuple[Direction, ...] = ("directed", "undirected")
NO_RELATION = -1  # the label of a negative pair: it has no column in a model's scores
MOST_WINDOW = 100  # sentences of a passage; most documents are shorter, and every sentence is read once in each of its passages
OTHER_TYPES = "type combination not in training relations"
AGAINST_THE_TEXT = "against the text order"
_ROUNDING = 1e-6  # pairs; 0.29 * 100 is 28.999… in floating point, and has to count as 29


class Pair(NamedTuple):
    """Two entities of a sentence, and the types of the relations annotated between them."""

    head: int  # position in the sentence's entities
    tail: int  # position in the sentence's entities
    types: tuple[str, ...] = ()  # in file order; empty: an unrelated pair


@dataclass
class CandidateReport:
    """Counts of the pairs of all sentences so far."""

    kept: int = 0  # candidates
    positive: int = 0  # candidates with a relation
    dropped: Counter[str] = field(default_factory=Counter)  # pairs, by reason
    lost: Counter[str] = field(default_factory=Counter)  # annotated relations whose pair was dropped, by reason

    @property
    def negative(self) -> int:
        return self.kept - self.positive

    def leave_out_negatives(self, count: int) -> None:
        """So many negative candidates were not sampled."""
        if count:
            self.kept -= count
            self.dropped["negative not sampled"] += count

    def ratio(self) -> str:
        """Positives to negatives as the field writes it, such as 1:8.4."""
        return f"1:{self.negative / self.positive:.1f}" if self.positive else f"0:{self.negative}"

    def setting(self) -> str:
        """Kept and dropped pairs in words, for the setting line of a score."""
        by_annotation = f", {self.dropped[AGAINST_THE_TEXT]} of them by the gold annotation" if self.dropped[AGAINST_THE_TEXT] else ""
        return f"{self.kept} kept, {sum(self.dropped.values())} dropped{by_annotation}"


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """The rule that selects the pairs of a sentence.

    *undirected* gives each unordered pair once, in text order. *directed* gives both orders of a pair; only the order that is annotated
    as related is positive.

    `order_leak` keeps a pair whose head follows its tail only if it is annotated as related in this order, as the code of Ye et al. 2019
    seems to do. The choice of candidates then *reads the gold annotation*: every pair against the text order is related. The option exists
    to measure this effect and should not be used otherwise. It needs *directed*. Sentences without annotation give pairs in text order
    only.

    >>> from relsift.schema import Entity
    >>> sentence = Sentence("s", ("Ada", "leads", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")))
    >>> [(pair.head, pair.tail) for pair in Candidates().pairs(sentence)]
    [(0, 1), (1, 0)]
    >>> [(pair.head, pair.tail) for pair in Candidates(direction="undirected").pairs(sentence)]
    [(0, 1)]
    """

    direction: Direction = "directed"
    type_pairs: frozenset[tuple[str, str]] | None = None  # (head type, tail type) to keep, sorted if undirected; None keeps all
    max_distance: int | None = None  # most tokens between the two entities; None keeps all
    order_leak: bool = False
    window: int = 1  # sentences of the passages whose pairs are scored (see `relsift.passages`)

    def __post_init__(self) -> None:
        if self.direction not in DIRECTIONS:
            raise ConfigError(f"candidates.direction: expected directed or undirected, got {self.direction!r}")
        if self.max_distance is not None and not (type(self.max_distance) is int and self.max_distance >= 0):
            raise ConfigError(f"candidates.max_distance: expected a number of tokens >= 0, got {self.max_distance!r}")
        if not all(len(pair) == 2 and all(isinstance(name, str) for name in pair) for pair in self.type_pairs or ()):
            raise ConfigError(f"candidates.type_pairs: expected pairs of entity types, got {list(self.type_pairs or ())}")
        if not (type(self.window) is int and 1 <= self.window <= MOST_WINDOW):
            raise ConfigError(f"candidates.window: expected 1 to {MOST_WINDOW} sentences, got {self.window!r}")
        if not isinstance(self.order_leak, bool):
            raise ConfigError(f"candidates.order_leak: expected true or false, got {self.order_leak!r}")
        if self.order_leak and self.direction != "directed":
            raise ConfigError(f"candidates.order_leak: expected candidates.direction=directed beside it, got {self.direction}")
        if self.direction == "undirected" and any(first > second for first, second in self.type_pairs or ()):
            raise ConfigError(f"candidates.type_pairs: expected sorted pairs if undirected, got {sorted(self.type_pairs or ())}")

    @classmethod
    def fit(
        cls,
        sentences: Iterable[Sentence],
        *,
        direction: Direction,
        type_filter: bool = True,
        max_distance: int | None = None,
        order_leak: bool = False,
        window: int = 1,
    ) -> Candidates:
        """Learn the type filter from the relations of the *training* sentences."""
        type_pairs = None
        if type_filter:
            type_pairs = frozenset(
                _type_pair(sentence.entities[relation.head].type, sentence.entities[relation.tail].type, direction)
                for sentence in sentences
                for relation in sentence.relations or ()
            )
        return cls(direction=direction, type_pairs=type_pairs, max_distance=max_distance, order_leak=order_leak, window=window)

    def to_json(self) -> dict[str, Any]:
        value: dict[str, Any] = {
            "direction": self.direction,
            "type_pairs": None if self.type_pairs is None else sorted(self.type_pairs),
            "max_distance": self.max_distance,
        }
        return value | ({"order_leak": True} if self.order_leak else {}) | ({"window": self.window} if self.window > 1 else {})

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Candidates:
        """Raises KeyError, TypeError or ValueError for what `to_json` does not write."""
        type_pairs = value["type_pairs"]
        if unknown := value.keys() - {"direction", "type_pairs", "max_distance", "order_leak", "window"}:
            raise ValueError(f"candidates: expected no other keys, got {sorted(unknown)}")
        of_lists = isinstance(type_pairs, list) and all(isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in type_pairs)
        if type_pairs is not None and not of_lists:
            raise TypeError(f"candidates.type_pairs: expected null or a list of pairs, got {str(type_pairs)[:80]}")
        pairs = None if type_pairs is None else [tuple(pair) for pair in type_pairs]
        if pairs is not None and len(set(pairs)) < len(pairs):
            raise ValueError("candidates.type_pairs: expected each pair once, got one twice")
        return cls(
            direction=value["direction"],
            type_pairs=None if pairs is None else frozenset(pairs),
            max_distance=value["max_distance"],
            order_leak=value.get("order_leak", False),
            window=value.get("window", 1),
        )

    def pairs(self, sentence: Sentence, report: CandidateReport | None = None) -> list[Pair]:
        """The candidate pairs of one sentence, heads in text order, then tails; of a passage those that it owns (see `Sentence.owns`)."""
        report = report if report is not None else CandidateReport()
        types_of = self._relation_types(sentence)
        entities = sentence.entities
        order = sorted(range(len(entities)), key=lambda i: text_order(entities[i], i))
        if len(sentence.parts) < 2 and self.max_distance is None and not self.order_leak:
            return self._pairs_by_type(sentence, order, types_of, report)
        result: list[Pair] = []
        for place, first in enumerate(order):
            for second in order if self.direction == "directed" else order[place + 1 :]:
                if first == second or not sentence.owns(entities[first], entities[second]):
                    continue
                reason = self.reason_to_drop(entities[first], entities[second])
                types = types_of.get((first, second), ())
                if self.order_leak and reason is None and not types and second in order[:place]:
                    reason = AGAINST_THE_TEXT
                if reason is None:
                    result.append(Pair(first, second, types))
                    report.kept += 1
                    report.positive += bool(types)
                else:
                    report.dropped[reason] += 1
                    if types:
                        report.lost[reason] += len(types)
        return result

    def _pairs_by_type(
        self, sentence: Sentence, order: Sequence[int], types_of: Mapping[tuple[int, int], tuple[str, ...]], report: CandidateReport
    ) -> list[Pair]:
        """The pairs where types alone decide; in little time, since a sentence may have millions. Args: order: the entities."""
        make = tuple.__new__  # what `Pair` calls, without a call in Python for each pair
        kinds = [entity.type for entity in sentence.entities]
        related, result = types_of.get, list[Pair]()
        for place, first in enumerate(order):
            others = order if self.direction == "directed" else order[place + 1 :]
            if self._partners is not None:
                partners = self._partners.get(kinds[first], ())
                others = [second for second in others if kinds[second] in partners]
            result += [make(Pair, (first, second, related((first, second), ()))) for second in others if second != first]
        for (head, tail), types in types_of.items():
            if self._partners is None or kinds[tail] in self._partners.get(kinds[head], ()):
                report.positive += 1
            else:
                report.lost[OTHER_TYPES] += len(types)
        size = len(order) * (len(order) - 1) // (1 if self.direction == "directed" else 2)
        report.kept += len(result)
        if size > len(result):
            report.dropped[OTHER_TYPES] += size - len(result)
        return result

    @cached_property
    def _partners(self) -> dict[str, set[str]] | None:
        """Entity type -> types that it makes pairs with, as a head if directed; None: all."""
        if self.type_pairs is None:
            return None
        partners: dict[str, set[str]] = {}
        for head, tail in self.type_pairs:
            partners.setdefault(head, set()).add(tail)
            if self.direction == "undirected":
                partners.setdefault(tail, set()).add(head)
        return partners

    def _relation_types(self, sentence: Sentence) -> dict[tuple[int, int], tuple[str, ...]]:
        """The relation types of each related pair (head, tail), each once."""
        types_of: dict[tuple[int, int], tuple[str, ...]] = {}
        for relation in sentence.relations or ():
            key = (relation.head, relation.tail)
            if self.direction == "undirected":
                key = in_text_order(sentence, *key)
            types = types_of.get(key, ())
            if relation.type not in types:
                types_of[key] = (*types, relation.type)
        return types_of

    def reason_to_drop(self, head: Entity, tail: Entity) -> str | None:
        """Why the pair is no candidate, whatever is annotated; None if it is one."""
        if self.type_pairs is not None and _type_pair(head.type, tail.type, self.direction) not in self.type_pairs:
            return OTHER_TYPES
        if self.max_distance is not None and _tokens_between(head, tail) > self.max_distance:
            return f"more than {self.max_distance} tokens apart"
        return None


def sample_negatives(
    pairs: Sequence[Sequence[Pair]], sentences: Sequence[Sentence], ratio: float, seed: int = 0, report: CandidateReport | None = None
) -> list[list[Pair]]:
    """All positive pairs, and `ratio` negative ones for each of them, or all if there are fewer; the order stays.

    The rank of a negative depends on the seed, its sentence (id and tokens), its head and its tail alone; the first ones are kept. So those
    kept at ratio 1 are among those kept at 5, and other sentences or pairs do not change a rank.

    Args:
        pairs: of each of the `sentences`, its candidate pairs.
        ratio: >= 0, over all sentences together; the number of negatives is rounded down.
        report: of these pairs; those left out are moved from kept to dropped.
    """
    kept = kept_negatives(pairs, sentences, ratio, seed)
    if report is not None:
        report.leave_out_negatives(kept.count(0))
    return list(with_kept(pairs, kept))


def kept_negatives(pairs: Iterable[Sequence[Pair]], sentences: Iterable[Sentence], ratio: float, seed: int = 0) -> bytes:
    """Which negative pairs `sample_negatives` keeps: of each of them, in order, 1 if it is kept, else 0.

    Args: pairs: as there; each is read once. So this needs 17 bytes a negative pair, whatever the sentences need.
    """
    import numpy as np  # not above: every `--help` imports this module

    if ratio < 0:
        raise ConfigError(f"candidates.negatives: expected a ratio >= 0, got {ratio}")
    ranks, positive = array("Q"), 0
    for sentence, sentence_pairs in zip(sentences, pairs, strict=True):
        sentence_key = stable_integer(seed, sentence.id, sentence.tokens)
        for pair in sentence_pairs:
            if pair.types:
                positive += 1
            else:
                ranks.append(stable_integer(sentence_key, pair.head, pair.tail))
    count = count_of_negatives(ratio, positive)
    if count >= len(ranks):
        return bytes([1]) * len(ranks)
    values = np.frombuffer(ranks, np.uint64)
    limit = np.partition(values, count)[count]  # the first rank that is left out; equal ones are kept in order, as long as there is room
    kept = values < limit
    kept[np.flatnonzero(values == limit)[: count - int(kept.sum())]] = True
    return bytes(kept)


def with_kept(pairs: Iterable[Sequence[Pair]], kept: bytes) -> Iterator[list[Pair]]:
    """Of each sentence the positive pairs, and the negative ones that are kept. Args: kept: as `kept_negatives` returns it."""
    are_kept = iter(kept)
    return ([pair for pair in sentence_pairs if bool(pair.types) or next(are_kept)] for sentence_pairs in pairs)


def count_of_negatives(ratio: float, positive: int) -> int:
    """How many negative pairs `ratio` of them for each of the `positive` ones are, rounded down."""
    return int(ratio * positive + _ROUNDING)


def text_order(entity: Entity, position: int) -> tuple[int, int, int]:
    """Sort key: by start, then end; entities on the same span keep their order in the list."""
    return entity.start, entity.end, position


def in_text_order(sentence: Sentence, head: int, tail: int) -> tuple[int, int]:
    """The two positions, that of the first entity in the text first."""
    if text_order(sentence.entities[head], head) <= text_order(sentence.entities[tail], tail):
        return head, tail
    return tail, head


def _type_pair(head: str, tail: str, direction: Direction) -> tuple[str, str]:
    """The two types, sorted if undirected."""
    return (head, tail) if direction == "directed" or head <= tail else (tail, head)


def _tokens_between(head: Entity, tail: Entity) -> int:
    return max(0, max(head.start, tail.start) - min(head.end, tail.end))
