"""The choice of the epoch and the threshold on development data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from relsift.annotators.trees import with_trees
from relsift.candidates import Direction
from relsift.config import TrainingConfig
from relsift.decisions.constraints import learnt_triples
from relsift.decisions.decision import Decision
from relsift.decisions.fitting import calibrated
from relsift.decisions.scored import Scored
from relsift.decisions.thresholds import best_threshold
from relsift.decisions.tuning import TuningData
from relsift.errors import DataError
from relsift.evaluation.entities import evaluate_entities
from relsift.evaluation.facts import count_gold
from relsift.inference import AnyScorer, InferenceReport, Scorer, score
from relsift.schema import Sentence


@dataclass(frozen=True)
class ScoredPart:
    """Annotated sentences with the scores of their pairs."""

    scored: list[Scored]
    report: InferenceReport


def first_rule(c: TrainingConfig, training: Sequence[Sentence], direction: Direction, *, plain: bool) -> Decision:
    """The decision that a training begins with: all but its threshold and calibration.

    Args: plain: as of `relsift.training.loop.prepare`.
    """
    if plain and not c.constraints:
        return Decision()
    return Decision(constraints=c.constraints is not False, triples=learnt_triples(training, direction))


class Selection:
    """Chooses the threshold on the development data, as configured, and computes the micro F1.

    A joint model is judged by the relations between the entities that it finds: span and type of both have to be right.

    The fixed threshold of a source is that of an ensemble's first member: members have one configuration.
    """

    def __init__(self, c: TrainingConfig, scorer: AnyScorer, development: Sequence[Sentence], rule: Decision | None = None) -> None:
        """Args: rule: the decision, whose threshold is chosen here; None: a threshold alone.

        Raises: DataError if there are no annotated relations to select on.
        """
        self.c, self.scorer, self.rule = c, scorer, rule or Decision()
        self.development = [sentence for sentence in development if sentence.relations is not None]  # as the evaluator does
        self.num_gold = count_gold(self.development, scorer.candidates.direction)
        if isinstance(scorer, Scorer) and "trees" in scorer.encoding.reads:  # parsed once, not in every epoch
            self.development = with_trees(self.development, scorer.annotators.get("trees"))
        if not self.num_gold:
            raise DataError("development data: expected annotated relations to select the epoch and the threshold on, got none")
        self.entity_f1: float | None = None  # of the last epoch, for a model that finds entities
        self.last: ScoredPart | None = None  # of the last epoch
        self.best: ScoredPart | None = None  # of the best epoch so far

    def keep(self) -> None:
        """The last epoch is the best one."""
        self.best = self.last

    def scored(self) -> ScoredPart:
        """The development data with the scores of the model as it is now."""
        report = InferenceReport()
        return ScoredPart(score(self.scorer, self.development, report), report)

    def select(self) -> tuple[float, float]:
        """(threshold, micro F1) of the model as it is now."""
        self.last = self.scored()
        if self.scorer.finds_entities:
            self.entity_f1 = evaluate_entities(self.development, [scored.sentence for scored in self.last.scored]).micro.f1
        scores, correct = self._data(self.last).outcomes(self.rule)
        if not scores and self.scorer.finds_entities:  # no two entities were found yet
            return self.scorer.trainable.paper_threshold, 0.0
        if self.c.threshold == "tuned":
            return best_threshold(scores, correct, self.num_gold)
        threshold = self.scorer.trainable.paper_threshold if self.c.threshold == "paper" else float(self.c.threshold)
        taken = [is_correct for value, is_correct in zip(scores, correct) if value >= threshold]
        return threshold, 2 * sum(taken) / (len(taken) + self.num_gold)

    def calibrated(self, threshold: float, part: ScoredPart) -> tuple[Decision, list[str]]:
        """The decision with its threshold, and probabilities fitted on development scores; warnings for the user."""
        decision = replace(self.rule, threshold=threshold)
        calibration, warnings = calibrated(decision, part.scored, self.scorer.encoding.labels)
        return replace(decision, calibration=calibration), warnings

    def _data(self, part: ScoredPart) -> TuningData:
        return TuningData(self.development, part.scored, self.scorer.encoding.labels, self.scorer.candidates.direction)
