"""What constraints, thresholds of single relations, calibrations and aims are worth: the figures of docs/decisions.md.

    python benchmarks/decision_rules.py RUN [--data conll04]

RUN: a trained run, as `relsift train --data conll04 --model multitask_cnn --set training.threads=1 --out RUN` makes it. Everything is tuned
on the development part; of each decision F1 is printed on the development and on the test part, in percent.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from relsift.bundle import Bundle, model_folder
from relsift.decisions.aims import F1, Aim
from relsift.decisions.calibration import METHODS
from relsift.decisions.decision import Decision
from relsift.decisions.fitting import calibrated
from relsift.decisions.scored import Scored
from relsift.decisions.tuning import STRENGTHS, TuningData, _shrunk, _Stacked, tuned  # of one fixed strength there is no public way
from relsift.evaluation.calibration import calibration_scores, found_probabilities
from relsift.evaluation.scores import PRF, evaluate
from relsift.evaluation.significance import compare_runs, sentence_counts
from relsift.inference import score
from relsift.schema import Sentence
from relsift.training.data import scoring_data

AIMS = ("f0.5", "f2", "precision>=0.9", "precision>=0.8")


class Part:
    """The annotated sentences of a part with their scores."""

    def __init__(self, bundle: Bundle, data: str, part: str) -> None:
        self.bundle = bundle
        self.gold: list[Sentence] = [s for s in scoring_data(data, part=part).sentences if s.relations is not None]
        self.scored: Sequence[Scored] = score(bundle.scorer, self.gold)

    def decided(self, decision: Decision) -> list[Sentence]:
        return [decision.decide(scored, self.bundle.encoding.labels) for scored in self.scored]

    def micro(self, decision: Decision) -> PRF:
        return evaluate(self.gold, self.decided(decision), direction=self.bundle.candidates.direction).micro

    def against(self, decision: Decision, base: Decision) -> str:
        """The difference of micro F1, with its interval over sentences."""
        counts = [
            sentence_counts(self.gold, self.decided(one), direction=self.bundle.candidates.direction) for one in (decision, base)
        ]
        result = compare_runs([counts[0]], [counts[1]])
        low, high = (100 * bound for bound in result.interval)
        return f"{100 * result.difference:+.1f} ({low:+.1f} to {high:+.1f}), p {result.p_value:.3f}"


def chance_and_surest(test: Part) -> str:
    """The calibration error if every probability were right, and where the wrong ones of the surest 50 relations stand."""
    direction, found = test.bundle.candidates.direction, test.decided(test.bundle.decision)
    probabilities, _ = found_probabilities(test.gold, found, direction=direction)
    rng = np.random.default_rng(0)
    draws = [calibration_scores(probabilities, [bool(one) for one in rng.random(len(probabilities)) < probabilities]) for _ in range(200)]
    each = [
        (probability, is_right, number)
        for number, (gold, sentence) in enumerate(zip(test.gold, found))
        for probability, is_right in zip(*found_probabilities([gold], [sentence], direction=direction))
    ]
    wrong = Counter(number for _, is_right, number in sorted(each, reverse=True)[:50] if not is_right)
    error = 100 * sum(draw.expected_error for draw in draws) / len(draws)
    most = ", ".join(f"{count} in {test.gold[number].id}" for number, count in wrong.most_common(2))
    return f"by chance alone: {error:.1f} %; wrong among the surest 50: {sum(wrong.values())} ({most})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--data", default="conll04")
    args = parser.parse_args()
    bundle = Bundle.load(model_folder(args.run))
    labels, direction, triples = bundle.encoding.labels, bundle.candidates.direction, bundle.decision.triples
    development, test = (Part(bundle, args.data, part) for part in ("dev", "test"))
    data = TuningData(development.gold, development.scored, labels, direction)
    plain = tuned(Decision(), data).decision
    for constraints in (False, True):
        base = Decision(constraints=constraints, triples=triples)
        common = tuned(base, data).decision
        stacked = _Stacked.of(common, data)
        free = stacked._free(common)
        best = stacked._ascent(stacked._vector(common), free, F1)
        for strength in STRENGTHS:
            vector = _shrunk(best, common.threshold, stacked.support, strength)
            decision = replace(common, thresholds={labels[column]: float(vector[column]) for column in free})
            f1 = [100 * part.micro(decision).f1 for part in (development, test)]
            print(f"constraints {constraints}, m {strength}: development {f1[0]:.1f}, test {f1[1]:.1f}")
        chosen = tuned(base, data, per_relation=True)
        print(f"m that cross-validation chooses: {chosen.strength}; against one threshold alone: {test.against(chosen.decision, plain)}")
    for method in METHODS:
        calibration, _ = calibrated(bundle.decision, development.scored, labels, method)
        found = test.decided(replace(bundle.decision, calibration=calibration))
        result = calibration_scores(*found_probabilities(test.gold, found, direction=direction))
        print(f"{method}, test: expected calibration error {100 * result.expected_error:.1f} %, log loss {result.log_loss:.3f}")
    print(chance_and_surest(test))
    for aim in AIMS:
        decision = tuned(Decision(constraints=True, triples=triples), data, aim=Aim.of(aim)).decision
        micro = test.micro(decision)
        print(f"{aim}, test: precision {100 * micro.precision:.1f} %, recall {100 * micro.recall:.1f} %")


if __name__ == "__main__":
    main()
