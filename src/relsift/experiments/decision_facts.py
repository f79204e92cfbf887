"""What a cell's scores are worth to somebody who decides by them: probabilities, unrelated pairs called related, and other rules.

All is tuned and fitted on the development part, and measured on the test part. Nothing is trained for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from relsift.bundle import Bundle
from relsift.decisions.constraints import learnt_triples
from relsift.decisions.decision import Decision
from relsift.decisions.fitting import calibrated
from relsift.decisions.scored import Scored
from relsift.decisions.tuning import TuningData, tuned
from relsift.errors import DataError
from relsift.evaluation.calibration import calibration_scores, found_probabilities
from relsift.evaluation.scores import evaluate
from relsift.schema import Sentence
from relsift.training.scoring import co_occurrences_in

RULES = {  # name -> constraints, one threshold a relation
    "threshold": (False, False), "constraints": (True, False), "per relation": (False, True), "both": (True, True),
}  # fmt: skip
DRAWS = 100  # of right and wrong relations, for the calibration error that chance alone shows


def decision_facts(
    bundle: Bundle, training: Sequence[Sentence], development: Sequence[Scored], test: Sequence[Scored], lost: Mapping[str, int]
) -> dict[str, Any]:
    """Of a model of given entities.

    Args:
        development, test: all sentences of the parts, scored.
        lost: relation type -> relations of the test part that its reader could not keep.
    Returns: `calibration_error`, `error_by_chance` (shares; absent without probabilities), `co_occurrence` (see
        `relsift.evaluation.co_occurrence`) and `rules` (name -> micro F1); empty where a part has no relation to tune on or to find.
    """
    tune_on, test = (tuple(one for one in part if one.sentence.relations is not None) for part in (development, test))
    labels, direction = bundle.encoding.labels, bundle.candidates.direction
    data = TuningData([one.sentence for one in tune_on], tune_on, labels, direction)
    gold, triples = [one.sentence for one in test], learnt_triples(training, direction)

    def decided(decision: Decision) -> list[Sentence]:
        return [decision.decide(scored, labels) for scored in test]

    facts: dict[str, Any] = {}
    try:
        rules = {
            name: tuned(Decision(mode=bundle.decision.mode, constraints=constraints, triples=triples), data, per_relation=own).decision
            for name, (constraints, own) in RULES.items()
        }
        facts["co_occurrence"] = co_occurrences_in(bundle, test, sum(lost.values())).to_json()
    except DataError:
        return {}
    scores = {name: evaluate(gold, decided(rule), direction=direction).with_lost_relations(lost) for name, rule in rules.items()}
    facts["rules"] = {name: one.micro.f1 for name, one in scores.items()}
    calibration, _ = calibrated(bundle.decision, tune_on, labels)
    probabilities, right = found_probabilities(gold, decided(replace(bundle.decision, calibration=calibration)), direction=direction)
    if probabilities:
        facts["calibration_error"] = calibration_scores(probabilities, right).expected_error
        facts["error_by_chance"] = error_by_chance(probabilities)
    return facts


def error_by_chance(probabilities: Sequence[float]) -> float:
    """The expected calibration error that would be seen if every probability were right: the mean over draws with a fixed seed.

    >>> error_by_chance([1.0] * 100)
    0.0
    """
    rng, given = np.random.default_rng(0), np.asarray(probabilities, np.float64)
    draws = (rng.random(len(given)) < given for _ in range(DRAWS))
    return float(np.mean([calibration_scores(probabilities, draw.tolist()).expected_error for draw in draws]))
