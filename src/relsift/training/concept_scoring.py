"""Scores of a model's relations between the concepts of documents, as `relsift.training.scoring` has them between mentions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from relsift.bundle import Bundle
from relsift.concepts import without_mentions
from relsift.errors import DataError
from relsift.evaluation.concepts import evaluate_concepts, is_annotated
from relsift.evaluation.significance import interval_of, with_lost
from relsift.inference import InferenceReport
from relsift.passages import held_of_concepts, with_relations_of_passages
from relsift.schema import Sentence
from relsift.training.data import ScoringData
from relsift.training.predicting import with_window
from relsift.training.scoring import Evaluation


def scored_concepts(bundle: Bundle, data: ScoringData, predicted: Sequence[Sentence], report: InferenceReport) -> Evaluation:
    """Evaluate what predictions of the data's sentences, or passages, say of concepts. Entities are given.

    Relations that the reader could not keep count as missed, unless they are among those of the concepts. The interval is over documents.

    Raises: DataError if no entity has a concept: the scores would be those of mentions.
    """
    if not any(entity.concepts for sentence in data.sentences for entity in sentence.entities):
        expected = "entities with concepts, as in PubTator, BioC, DocRED and native files of this version"
        raise DataError(f"{data.name}: expected {expected}, got none; leave out --relations concepts, or prepare the corpus anew")
    window = bundle.candidates.window
    passages = iter(predicted)
    found = [with_relations_of_passages(document, list(islice(passages, len(document.sentences)))) for document in data.read]
    result = evaluate_concepts(
        data.read, found, direction=bundle.candidates.direction, candidates=report.candidates.setting(), window=window
    )
    losses = lost_to_concepts(data, window)
    scores = with_window(result.scores, bundle).with_lost_relations(sum(losses, Counter[str]()))
    if data.dropped_before:
        left_out = ", ".join(f"{count} {reason}" for reason, count in data.dropped_before.items())
        scores = scores.with_setting("left out when prepared", left_out)
    counts = with_lost(result.counts, [lost.total() for lost in losses], [int(is_annotated(document)) for document in data.read])
    return Evaluation(scores, interval_of(counts, unit="document"))


def lost_to_concepts(data: ScoringData, window: int) -> list[Counter[str]]:
    """What the reader could not keep of each document in any way.

    Relations of concepts and relations across sentences that no passage holds are lost to the scores of mentions, not to these.
    """
    losses = []
    for document, passages, lost in zip(data.read, data.documents, data.losses):
        beyond = Counter(one.type for one in without_mentions(document)) - Counter(one.type for one in held_of_concepts(document, window))
        losses.append(lost - beyond - Counter(one.type for one in passages.across))
    return losses
