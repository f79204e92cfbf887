"""Counts of a corpus, and how few of its entity pairs are related: the numbers that decide how hard it is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from relsift.candidates import DIRECTIONS, CandidateReport, Candidates, Direction
from relsift.concepts import distances
from relsift.corpora.corpus import TRAIN
from relsift.corpora.data import Data
from relsift.readers.base import ReadReport
from relsift.schema import Sentence


@dataclass(frozen=True, slots=True)
class Balance:
    """Related and unrelated pairs under one choice of candidates."""

    direction: Direction
    type_filter: bool
    positive: int
    negative: int
    lost: int  # annotated relations whose pair is no candidate

    @property
    def ratio(self) -> str:
        """Positives to negatives, such as 1:8.4."""
        return CandidateReport(kept=self.positive + self.negative, positive=self.positive).ratio()

    def to_json(self) -> dict[str, Any]:
        return {
            "direction": self.direction,
            "type_filter": self.type_filter,
            "positive": self.positive,
            "negative": self.negative,
            "lost": self.lost,
        }


@dataclass
class SplitStatistics:
    """Counts of one part, or of the whole where there are no parts."""

    name: str
    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    not_annotated: int = 0  # sentences without relation annotation: not counted in the balance
    entities: Counter[str] = field(default_factory=Counter)
    relations: Counter[str] = field(default_factory=Counter)
    across: Counter[int] = field(default_factory=Counter)  # relations across sentences, not among `relations`: by sentences apart, from 1
    concepts: Counter[int | None] = field(default_factory=Counter)  # relations of concepts, by what `relsift.concepts.distances` says
    balance: list[Balance] = field(default_factory=list)

    def to_json(self) -> dict[str, Any]:
        return {
            "documents": self.documents,
            "sentences": self.sentences,
            "tokens": self.tokens,
            "sentences_not_annotated": self.not_annotated,
            "entities": self.entities.total(),
            "relations": self.relations.total(),
            "entity_types": dict(self.entities.most_common()),
            "relation_types": dict(self.relations.most_common()),
            "relations_across_sentences": {str(distance): count for distance, count in sorted(self.across.items())},
            **({"relations_of_concepts": self._concepts_to_json()} if self.concepts else {}),
            "balance": [balance.to_json() for balance in self.balance],
        }

    def _concepts_to_json(self) -> dict[str, int]:
        by_distance = {str(distance): count for distance, count in sorted((d, n) for d, n in self.concepts.items() if d is not None)}
        return by_distance | {"without two mentions": self.concepts[None]}


def describe(data: Data, report: ReadReport) -> list[SplitStatistics]:
    """Statistics of every part of `data`.

    The type filter is learned from the training part, as in training, or from all of the data where there are no parts.
    """
    result: list[SplitStatistics] = []
    filters: dict[Direction, Candidates] | None = None
    for split in data.splits or (None,):
        statistics = SplitStatistics(split or "all")
        annotated = _count(data, split, report, statistics)
        # The training part comes first; data without one (a corpus of one part only) is filtered by itself.
        if filters is None or split == TRAIN:
            filters = {direction: Candidates.fit(annotated, direction=direction) for direction in DIRECTIONS}
        for direction in DIRECTIONS:
            statistics.balance.append(_balance(annotated, filters[direction]))
            statistics.balance.append(_balance(annotated, Candidates(direction=direction)))
        result.append(statistics)
    return result


def _count(data: Data, split: str | None, report: ReadReport, statistics: SplitStatistics) -> list[Sentence]:
    """Fill in the counts; returns the sentences whose relations are annotated."""
    annotated = []
    for document in data.documents(split, report):
        statistics.documents += 1
        statistics.across.update(relation.distance for relation in document.across)
        statistics.concepts.update(distances(document))
        for sentence in document.sentences:
            statistics.sentences += 1
            statistics.tokens += len(sentence.tokens)
            statistics.entities.update(entity.type for entity in sentence.entities)
            if sentence.relations is None:
                statistics.not_annotated += 1
            else:
                statistics.relations.update(relation.type for relation in sentence.relations)
                annotated.append(sentence)
    return annotated


def _balance(sentences: Sequence[Sentence], candidates: Candidates) -> Balance:
    report = CandidateReport()
    for sentence in sentences:
        candidates.pairs(sentence, report)
    filtered = candidates.type_pairs is not None
    return Balance(candidates.direction, filtered, report.positive, report.negative, sum(report.lost.values()))
