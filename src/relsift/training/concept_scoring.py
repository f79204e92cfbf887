"""Scores of a model's relations between the concepts of documents, as `relsift.training.scoring` has them between mentions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from relsift.bundle import Bundle
from relsift.concepts import without_mentions
from relsift.evaluation.concepts import evaluate_concepts, is_annotated
from relsift.evaluation.significance import interval_of, with_lost
from relsift.inference import InferenceReport
from relsift.passages import held_of_concepts, with_relations_of_passages
from relsift.schema import Document, Sentence
from relsift.training.data import ScoringData
from relsift.training.run import with_window
from relsift.training.scoring import Evaluation


def scored_concepts(bundle: Bundle, data: ScoringData, predicted: Sequence[Sentence], report: InferenceReport) -> Evaluation:
    """Evaluate what predictions of the data's sentences, or passages, say of concepts. Entities are given.

    Relations that the reader could not keep count as missed, unless they are among those of the concepts. The interval is over documents.
    """
    window = bundle.candidates.window
    passages = iter(predicted)
    found = [with_relations_of_passages(document, list(islice(passages, len(document.sentences)))) for document in data.read]
    result = evaluate_concepts(
        data.read, found, direction=bundle.candidates.direction, candidates=report.candidates.setting(), window=window
    )
    losses = [_lost(document, passage, lost, window) for document, passage, lost in zip(data.read, data.documents, data.losses)]
    scores = with_window(result.scores, bundle).with_lost_relations(sum(losses, Counter[str]()))
    if data.dropped_before:
        left_out = ", ".join(f"{count} {reason}" for reason, count in data.dropped_before.items())
        scores = scores.with_setting("left out when prepared", left_out)
    counts = with_lost(result.counts, [lost.total() for lost in losses], [int(is_annotated(document)) for document in data.read])
    return Evaluation(scores, interval_of(counts, unit="document"))


def _lost(document: Document, passages: Document, lost: Counter[str], window: int) -> Counter[str]:
    """What the reader could not keep of a document in any way.

    Relations of concepts and relations across sentences that no passage holds are lost to the scores of mentions, not to these.
    Args: passages: the document in passages, whose `across` no passage holds. lost: to the scores of mentions.
    """
    beyond = Counter(one.type for one in without_mentions(document)) - Counter(one.type for one in held_of_concepts(document, window))
    return lost - beyond - Counter(one.type for one in passages.across)
