"""Scores of a model on data that was read for it: with what the reader could not keep, and with the interval of the micro scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from relsift.bundle import Bundle
from relsift.evaluation.scores import Scores
from relsift.evaluation.significance import Counts, Interval, by_document, interval_of, sentence_counts, with_lost
from relsift.inference import InferenceReport
from relsift.schema import Sentence
from relsift.training.data import ScoringData
from relsift.training.run import evaluate_predicted

_NAMED = 5  # types in a message


def scored_data(
    bundle: Bundle, data: ScoringData, predicted: Sequence[Sentence], report: InferenceReport
) -> tuple[Scores, Interval | None]:
    """Evaluate predictions of the data's sentences.

    Relations that the reader could not keep count as missed, each of its type. What was left out when a corpus was prepared is only named
    in the setting: published figures on such corpora leave it out too. The interval is over documents if some have several sentences,
    which are not independent, and over sentences otherwise.
    """
    sentences = data.sentences
    scores = evaluate_predicted(bundle, sentences, predicted, report).with_lost_relations(data.lost_relations)
    if data.dropped_before:
        left_out = ", ".join(f"{count} {reason}" for reason, count in data.dropped_before.items())
        scores = scores.with_setting("left out when prepared", left_out)
    return scores, interval_of(counts_of(data, predicted, bundle), unit=unit_of(data))


def unseen_relation_types(bundle: Bundle, data: ScoringData) -> list[str]:
    """A line if the data has relations of types that the model cannot find, since its training data had none."""
    known = set(bundle.encoding.labels)
    gold = Counter(relation.type for sentence in data.sentences for relation in sentence.relations or ()) + data.lost_relations
    unseen = Counter({name: count for name, count in gold.items() if name not in known})
    if not unseen:
        return []
    names = ", ".join(name for name, _ in unseen.most_common(_NAMED)) + (", …" if len(unseen) > _NAMED else "")
    return [
        f"{data.name}: {unseen.total()} of {gold.total()} relations are of types that the model's training data had not ({names}); "
        "they count as missed"
    ]


def unit_of(data: ScoringData) -> str:
    """`document` if at least two documents are annotated and one of them has several sentences; or `sentence`."""
    sizes = [size for size in annotated_sizes(data) if size]
    return "document" if len(sizes) > 1 and max(sizes) > 1 else "sentence"


def annotated_sizes(data: ScoringData) -> list[int]:
    """Annotated sentences of each document."""
    return [sum(sentence.relations is not None for sentence in document.sentences) for document in data.documents]


def counts_of(data: ScoringData, predicted: Sequence[Sentence], bundle: Bundle, unit: str | None = None) -> Counts:
    """(U, 3) counts of every unit, relations that were lost in reading among the gold ones; they sum to the micro scores.

    Args: unit: document or sentence; None: as `unit_of` has it. Documents without annotated sentences are no units.
    """
    counts = sentence_counts(data.sentences, predicted, direction=bundle.candidates.direction)
    sizes = annotated_sizes(data)
    counts = with_lost(counts, [lost.total() for lost in data.losses], sizes)
    return by_document(counts, sizes) if (unit or unit_of(data)) == "document" else counts
