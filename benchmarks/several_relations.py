"""What deciding for several relations a pair finds that deciding for one cannot: the figures of docs/decisions.md.

    python benchmarks/several_relations.py RUN DEVELOPMENT TEST

RUN: a trained run whose loss learns several relations of a pair, on data that has such pairs (CrossRE: 6 % of its related pairs). Each
mode's threshold is tuned on DEVELOPMENT; all figures are of TEST. "Both found" counts pairs of two relations that get two right ones.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from relsift.bundle import Bundle, model_folder
from relsift.decisions.scored import Scored
from relsift.decisions.tuning import TuningData, tuned
from relsift.evaluation.scores import evaluate
from relsift.inference import score
from relsift.schema import Sentence
from relsift.training.data import scoring_data

Pair = tuple[int, int]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("development")
    parser.add_argument("test")
    args = parser.parse_args()
    bundle = Bundle.load(model_folder(args.run))
    labels, direction = bundle.encoding.labels, bundle.candidates.direction
    development, gold = annotated(args.development), annotated(args.test)
    data = TuningData(development, score(bundle.scorer, development), labels, direction)
    scores: Sequence[Scored] = score(bundle.scorer, gold)
    print("| decision | precision | recall | micro F1 | of single relations found | of relations that share a pair found | both found |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    for mode in ("single", "several"):
        decision = tuned(replace(bundle.decision, mode=mode), data).decision
        found = [decision.decide(scored, labels) for scored in scores]
        micro = evaluate(gold, found, direction=direction).micro
        alone, shared, both = shares(gold, found)
        print(f"| {mode} | {micro.precision:.1%} | {micro.recall:.1%} | {micro.f1:.1%} | {alone:.1%} | {shared:.1%} | {both} |")


def annotated(data: str) -> list[Sentence]:
    return [sentence for sentence in scoring_data(data).sentences if sentence.relations is not None]


def shares(gold: Sequence[Sentence], found: Sequence[Sentence]) -> tuple[float, float, str]:
    """Recall of relations that have their pair for themselves, of those that share it, and pairs of which all relations are found."""
    alone, shared, pairs, whole = [0, 0], [0, 0], 0, 0
    for annotation, prediction in zip(gold, found, strict=True):
        right, given = types_of(annotation), types_of(prediction)
        for pair, types in right.items():
            hits = len(types & given.get(pair, set()))
            count = alone if len(types) == 1 else shared
            count[0] += hits
            count[1] += len(types)
            if len(types) > 1:
                pairs += 1
                whole += hits == len(types)
    return alone[0] / max(1, alone[1]), shared[0] / max(1, shared[1]), f"{whole} of {pairs}"


def types_of(sentence: Sentence) -> dict[Pair, set[str]]:
    types: dict[Pair, set[str]] = defaultdict(set)
    for relation in sentence.relations or ():
        types[relation.head, relation.tail].add(relation.type)
    return types


if __name__ == "__main__":
    main()
