"""A joint model's test scores by every convention of the field: entities, relations strict and by boundaries, and between gold entities."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from relsift.bundle import Bundle
from relsift.evaluation.entities import evaluate_entities
from relsift.evaluation.scores import Match, evaluate
from relsift.inference import score
from relsift.schema import Sentence

MATCHES: tuple[Match, ...] = ("strict", "boundaries")


def end_to_end(bundle: Bundle, gold: Sequence[Sentence], predicted: Sequence[Sentence] | None) -> dict[str, Any]:
    """Averages by name. Args: predicted: with the entities that the model found; None: it finds them here."""
    direction, labels = bundle.candidates.direction, bundle.encoding.labels
    if predicted is None:
        predicted = [bundle.decision.decide(scored, labels) for scored in score(bundle.scorer, gold, entities="predicted")]
    related = [bundle.decision.decide(scored, labels) for scored in score(bundle.scorer, gold, entities="gold")]
    relations = {match: evaluate(gold, predicted, direction=direction, entities="predicted", match=match) for match in MATCHES}
    return {
        "entities": evaluate_entities(gold, predicted).to_json(),
        **{f"relations, {match}": scores.to_json() for match, scores in relations.items()},
        "relations of gold entities": evaluate(gold, related, direction=direction).to_json(),
    }
