"""Scores of a model on data that was read for it: with what the reader could not keep, and with the interval of the micro scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from relsift.bundle import Bundle
from relsift.decisions.scored import Scored
from relsift.evaluation.calibration import CalibrationScores, calibration_scores, found_probabilities
from relsift.evaluation.co_occurrence import CoOccurrences, co_occurrences
from relsift.evaluation.entities import EntityScores, evaluate_entities
from relsift.evaluation.error_causes import ErrorCauses, error_causes
from relsift.evaluation.facts import count_gold
from relsift.evaluation.scores import Entities, Match, Scores
from relsift.evaluation.significance import Counts, Interval, by_document, entity_counts, interval_of, sentence_counts, with_lost
from relsift.inference import InferenceReport, score
from relsift.omissions import counted
from relsift.schema import Sentence
from relsift.training.data import ScoringData
from relsift.training.predicting import evaluate_predicted

_NAMED = 5  # types in a message


@dataclass(frozen=True)
class Evaluation:
    """All scores of a model on one data set."""

    relations: Scores
    interval: Interval | None  # of the relations' micro scores; None for a single unit
    entities: EntityScores | None = None  # this and what follows: None where entities were given
    entity_interval: Interval | None = None
    causes: ErrorCauses | None = None
    calibration: CalibrationScores | None = None  # of the probabilities; None: the decision is not calibrated, or nothing was found

    def to_json(self) -> dict[str, Any]:
        value = self.relations.to_json() | {"interval": _json(self.interval), "lost_relations": self.relations.lost_relations}
        if self.entities is not None and self.causes is not None:
            value |= {"entities": self.entities.to_json() | {"interval": _json(self.entity_interval)}, "causes": self.causes.to_json()}
        return value | ({} if self.calibration is None else {"calibration": self.calibration.to_json()})


def _json(interval: Interval | None) -> dict[str, Any] | None:
    return None if interval is None else interval.to_json()


def scored_data(
    bundle: Bundle,
    data: ScoringData,
    predicted: Sequence[Sentence],
    report: InferenceReport,
    *,
    entities: Entities = "gold",
    match: Match = "strict",
) -> Evaluation:
    """Evaluate predictions of the data's sentences.

    Relations that the reader could not keep count as missed, each of its type. What was left out when a corpus was prepared is only named
    in the setting: published figures on such corpora leave it out too. An interval is over documents if some have several sentences,
    which are not independent, and over sentences otherwise.

    Args: entities, match: as of `evaluate`; entities as they were predicted.
    """
    sentences, unit = data.sentences, unit_of(data)
    scores = evaluate_predicted(bundle, sentences, predicted, report, entities=entities, match=match)
    scores = scores.with_lost_relations(data.lost_relations)
    if data.dropped_before:
        left_out = ", ".join(counted(count, reason) for reason, count in data.dropped_before.items())
        scores = scores.with_setting("left out when prepared", left_out)
    interval = interval_of(counts_of(data, predicted, bundle, entities=entities, match=match), unit=unit)
    probabilities, right = found_probabilities(sentences, predicted, direction=bundle.candidates.direction, entities=entities, match=match)
    calibration = calibration_scores(probabilities, right) if probabilities else None
    if entities == "gold":
        return Evaluation(scores, interval, calibration=calibration)
    found = entity_counts(sentences, predicted, match=match)
    causes = error_causes(sentences, predicted, direction=bundle.candidates.direction, match=match)
    return Evaluation(
        scores, interval, evaluate_entities(sentences, predicted, match=match),
        interval_of(by_document(found, annotated_sizes(data)) if unit == "document" else found, unit=unit),
        causes.with_lost_in_reading(data.lost_relations.total()), calibration,
    )  # fmt: skip


def co_occurrences_of(bundle: Bundle, data: ScoringData) -> CoOccurrences:
    """How many unrelated pairs of given entities the decision would call related, at fixed recalls; the data is scored for it.

    Constraints and thresholds of single relations are in force; the common threshold is what is moved.
    Raises: DataError without annotated relations, or without unrelated pairs of fitting types.
    """
    annotated = [sentence for sentence in data.sentences if sentence.relations is not None]
    return co_occurrences_in(bundle, score(bundle.scorer, annotated, entities="gold"), data.lost_relations.total())


def co_occurrences_in(bundle: Bundle, annotated: Sequence[Scored], lost: int) -> CoOccurrences:
    """The same of sentences that are scored already.

    Args: annotated: with the relations that they should have. lost: gold relations that their reader could not keep.
    """
    labels, right, wrong, unrelated = bundle.encoding.labels, list[float](), list[float](), list[float]()
    for scored in annotated:
        its_right, its_wrong, its_unrelated = _levels(scored, bundle, labels)
        right += its_right
        wrong += its_wrong
        unrelated += its_unrelated
    relations = count_gold((scored.sentence for scored in annotated), bundle.candidates.direction) + lost
    return co_occurrences(right, wrong, unrelated, relations=relations)


def _levels(scored: Scored, bundle: Bundle, labels: tuple[str, ...]) -> tuple[list[float], list[float], list[float]]:
    """Of a sentence: levels of the right choices, of the wrong ones, and the best one of each unrelated pair."""
    found = bundle.decision.choices(scored, labels)
    right, wrong, best = list[float](), list[float](), dict[int, float]()
    for pair, column, level in zip(found.pairs.tolist(), found.columns.tolist(), found.levels.tolist()):
        types = scored.pairs[pair].types
        (right if labels[column] in types else wrong).append(level)
        if not types:
            best[pair] = max(level, best.get(pair, level))
    return right, wrong, list(best.values())


def unseen_types(bundle: Bundle, data: ScoringData, entities: Entities = "gold") -> list[str]:
    """A line if the data has relations, or with predicted entities entities, of types that the model's training data had not."""
    gold = Counter(relation.type for sentence in data.sentences for relation in sentence.relations or ()) + data.lost_relations
    lines = _unseen(data.name, "relations", gold, bundle.encoding.labels)
    if entities == "predicted":
        annotated = (sentence for sentence in data.sentences if sentence.relations is not None)
        gold = Counter(entity.type for sentence in annotated for entity in sentence.entities)
        lines += _unseen(data.name, "entities", gold, bundle.encoding.types.names)
    return lines


def _unseen(name: str, what: str, gold: Counter[str], known: Collection[str]) -> list[str]:
    unseen = Counter({kind: count for kind, count in gold.items() if kind not in known})
    if not unseen:
        return []
    names = ", ".join(kind for kind, _ in unseen.most_common(_NAMED)) + (", …" if len(unseen) > _NAMED else "")
    return [
        f"{name}: {unseen.total()} of {gold.total()} {what} are of types that the model's training data had not ({names}); "
        "they count as missed"
    ]


def unit_of(data: ScoringData) -> str:
    """`document` if at least two documents are annotated and one of them has several sentences; or `sentence`."""
    sizes = [size for size in annotated_sizes(data) if size]
    return "document" if len(sizes) > 1 and max(sizes) > 1 else "sentence"


def annotated_sizes(data: ScoringData) -> list[int]:
    """Annotated sentences of each document."""
    return [sum(sentence.relations is not None for sentence in document.sentences) for document in data.documents]


def counts_of(
    data: ScoringData,
    predicted: Sequence[Sentence],
    bundle: Bundle,
    unit: str | None = None,
    *,
    entities: Entities = "gold",
    match: Match = "strict",
) -> Counts:
    """(U, 3) counts of every unit, relations that were lost in reading among the gold ones; they sum to the micro scores.

    Args: unit: document or sentence; None: as `unit_of` has it. Documents without annotated sentences are no units.
    """
    counts = sentence_counts(data.sentences, predicted, direction=bundle.candidates.direction, entities=entities, match=match)
    sizes = annotated_sizes(data)
    counts = with_lost(counts, [lost.total() for lost in data.losses], sizes)
    return by_document(counts, sizes) if (unit or unit_of(data)) == "document" else counts
