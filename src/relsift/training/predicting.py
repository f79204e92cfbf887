"""A trained model's relations for annotated sentences, and their scores; without torch, for exported models too."""

from __future__ import annotations

from collections.abc import Sequence

from relsift.annotators.entities import entity_annotator
from relsift.bundle import Bundle
from relsift.errors import require
from relsift.evaluation.scores import Entities, Match, Scores, evaluate
from relsift.found_entities import without_entities
from relsift.inference import InferenceReport, entities_of, predict
from relsift.schema import Sentence


def score_bundle(bundle: Bundle, sentences: Sequence[Sentence]) -> tuple[Scores, InferenceReport]:
    """Predict the relations of annotated sentences, and evaluate them; between the entities that the model finds, if it finds any."""
    predicted, report = predict_all(bundle, sentences)
    return evaluate_predicted(bundle, sentences, predicted, report), report


def predict_all(
    bundle: Bundle, sentences: Sequence[Sentence], entities: Entities | None = None
) -> tuple[list[Sentence], InferenceReport]:
    """The sentences with predicted relations, all in memory.

    Args: entities: as of `relsift.inference.score`; predicted ones of a model that finds none are those of its annotators.
    """
    report = InferenceReport()
    window = bundle.candidates.window
    require(entities != "predicted" or window == 1, "entities", expected=f"gold, with a window of {window} sentences", got=entities)
    if entities == "predicted" and not bundle.scorer.finds_entities and bundle.entity_source is not None:
        sentences = entity_annotator(bundle.entity_source).annotate([without_entities(sentence) for sentence in sentences])
        entities = "gold"
    return list(predict(bundle.scorer, bundle.decision, sentences, report, entities=entities)), report


def evaluate_predicted(
    bundle: Bundle,
    gold: Sequence[Sentence],
    predicted: Sequence[Sentence],
    report: InferenceReport,
    entities: Entities | None = None,
    match: Match = "strict",
) -> Scores:
    """Scores in the model's own direction, with its numbers of candidates in the setting line.

    Args: entities: those of `predicted`, as of `relsift.inference.score`. match: as of `evaluate`.
    """
    whose = entities_of(bundle.scorer, entities, has_annotator=bundle.entity_source is not None)
    scores = evaluate(
        gold, predicted, direction=bundle.candidates.direction, entities=whose, match=match,
        candidates=report.candidates.setting(),
    )  # fmt: skip
    return with_window(scores, bundle)


def with_window(scores: Scores, bundle: Bundle) -> Scores:
    """The scores with the model's window in the setting, if it has one."""
    window = bundle.candidates.window
    return scores if window == 1 else scores.with_setting("window", f"{window} sentences")
