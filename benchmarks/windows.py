"""What it brings to read several sentences together: one training a window, scored between mentions and between concepts.

    python benchmarks/windows.py biored --model bilstm_pcnn --direction undirected --windows 1 2 3 --out windows-biored

DATA has training, development and test part. `--set` takes options as `relsift train` does. Each window has its run in OUT/window-N, and
OUT/windows.json is written after each one; started again, the program goes on where it was interrupted.

Figures of a window, all of the test part:

    mentions           scores of `relsift evaluate`. Where the data relates concepts, a wider window has more gold relations between
                       mentions, so these figures compare no two windows
    concepts           scores of `relsift evaluate --relations concepts`; null where no entity has concepts. The gold relations are the
                       same for every window
    concepts_at_best   the same with the threshold that gives the best F1 between concepts on the development part: training chooses the
                       one that is best between mentions
    ceiling            what the gold relations between mentions say of concepts: no system of this window that finds all of them, and no
                       others, scores higher recall; below 100 % precision where mentions stand for several concepts
    candidates         scored pairs of mentions; gold_between_mentions: relations that a passage holds, those of them that have a
                       candidate, and those that are lost; concepts_out_of_reach: gold relations of concepts without two mentions in a
                       passage
    seconds            training, the sum over epochs
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from measure import machine

from relsift.bundle import CONFIG_FILE, Bundle, model_folder
from relsift.config import load_config
from relsift.corpora.corpus import DEV, TEST
from relsift.decisions.scored import Scored
from relsift.errors import DataError
from relsift.evaluation.concepts import ConceptScores, concept_facts, concept_scores, evaluate_concepts
from relsift.evaluation.facts import count_gold
from relsift.evaluation.scores import Scores
from relsift.files import write_json
from relsift.inference import InferenceReport, score
from relsift.json_text import decode
from relsift.passages import with_relations_of_passages
from relsift.schema import Document, Sentence
from relsift.training.concept_scoring import lost_to_concepts, scored_concepts
from relsift.training.data import ScoringData, scoring_data, training_data
from relsift.training.run import train_run
from relsift.training.scoring import scored_data

RESULT = "windows.json"
ANY = -1e9  # a threshold that every score reaches


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data")
    parser.add_argument("--model", default="bilstm_pcnn")
    parser.add_argument("--direction", choices=("directed", "undirected"), required=True)
    parser.add_argument("--windows", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    asked = {key: getattr(args, key) for key in ("data", "model", "direction", "seed", "overrides")}
    result = begun(args.out / RESULT, asked)
    for window in args.windows:
        if str(window) not in result["windows"]:
            options = [*args.overrides, f"candidates.direction={args.direction}", f"candidates.window={window}"]
            options.append(f"training.seed={args.seed}")
            result["windows"][str(window)] = figures(args.data, args.model, options, window, args.out / f"window-{window}")
            write_json(args.out / RESULT, result)
        print(line(window, result["windows"][str(window)]))


def begun(file: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """What the file holds already. Raises: DataError for results of other settings."""
    if not file.exists():
        return {"command": "python benchmarks/windows.py", "settings": asked, "machine": machine(), "windows": {}}
    result: dict[str, Any] = decode(file.read_text(encoding="utf-8"))
    if result["settings"] != asked:
        raise DataError(f"{file}: expected results of {asked}, got those of {result['settings']}; name another --out")
    return result


def figures(data: str, model: str, options: list[str], window: int, folder: Path) -> dict[str, Any]:
    """Train with a window, or go on with an interrupted training, and score on the test part."""
    loaded = training_data(data, window=window)
    result, _ = train_run(load_config(model=model, overrides=options), loaded.run, folder, resume=(folder / CONFIG_FILE).exists())
    bundle = Bundle.load(model_folder(folder))
    test = scoring_data(data, folder, part=TEST, window=window)
    report = InferenceReport()
    scored = list(score(bundle.scorer, test.sentences, report))
    found = decided(bundle, scored)
    mentions = scored_data(bundle, test, found, report)
    record = {
        "training": {
            "candidates": result.candidates.kept, "related": result.candidates.positive, "epochs": result.state.epoch,
            "seconds": round(sum(epoch["seconds"] for epoch in result.state.history), 1),
        },
        "threshold": bundle.decision.threshold,
        "candidates": report.candidates.kept,
        "gold_between_mentions": {
            "held": count_gold(test.sentences, bundle.candidates.direction),
            "without_candidate": sum(report.candidates.lost.values()), "lost": test.lost_relations.total(),
        },
        "mentions": of_scores(mentions.relations), "concepts": None,
    }  # fmt: skip
    if any(entity.concepts for sentence in test.sentences for entity in sentence.entities):
        record |= of_concepts(bundle, data, test, scored, report)
    return record


def of_concepts(bundle: Bundle, data: str, test: ScoringData, scored: Sequence[Scored], report: InferenceReport) -> dict[str, Any]:
    """Scores between concepts, with the threshold of the model and with the best one of the development part."""
    window, direction = bundle.candidates.window, bundle.candidates.direction
    development = scoring_data(data, part=DEV, window=window)
    threshold = best_threshold(bundle, development)
    ceiling = against_gold(test, test.sentences, direction, window)
    return {
        "concepts": of_scores(scored_concepts(bundle, test, decided(bundle, scored), report).relations),
        "concepts_at_best": {"threshold": threshold}
        | of_scores(scored_concepts(bundle, test, decided(bundle, scored, threshold), report).relations),
        "ceiling": of_scores(ceiling.scores),
        "concepts_out_of_reach": ceiling.unreachable,
    }


def best_threshold(bundle: Bundle, data: ScoringData) -> float:
    """The score from which on relations of concepts are taken to get the best micro F1 on this data; the model's own without any."""
    direction = bundle.candidates.direction
    candidates: list[tuple[float, bool]] = []  # score of a relation of concepts, and whether it is right
    num_gold = sum(lost.total() for lost in lost_to_concepts(data, bundle.candidates.window))
    for gold, found in zip(data.read, in_documents(data, decided(bundle, score(bundle.scorer, data.sentences), ANY))):
        facts = concept_facts(gold, direction)
        num_gold += len(facts)
        own = gold.concept_relations is None
        candidates += [(level or 0.0, fact in facts) for fact, level in concept_scores(found, direction, own=own).items()]
    best, threshold, right = 0.0, bundle.decision.threshold, 0
    candidates.sort(reverse=True)
    for number, (level, is_right) in enumerate(candidates, start=1):
        right += is_right
        is_last = number == len(candidates) or candidates[number][0] < level  # equal scores are taken together
        if is_last and 2 * right / (number + num_gold) > best:
            best, threshold = 2 * right / (number + num_gold), level
    return threshold


def decided(bundle: Bundle, scored: Iterable[Scored], threshold: float | None = None) -> list[Sentence]:
    decision = bundle.decision if threshold is None else bundle.decision.with_threshold(threshold)
    return [decision.decide(one, bundle.encoding.labels) for one in scored]


def in_documents(data: ScoringData, found: Sequence[Sentence]) -> list[Document]:
    passages = iter(found)
    return [with_relations_of_passages(document, list(islice(passages, len(document.sentences)))) for document in data.read]


def against_gold(data: ScoringData, found: Sequence[Sentence], direction: Any, window: int) -> ConceptScores:
    return evaluate_concepts(data.read, in_documents(data, found), direction=direction, window=window)


def of_scores(scores: Scores) -> dict[str, Any]:
    micro, counts = scores.micro, scores.per_type.values()
    return {
        "precision": micro.precision, "recall": micro.recall, "f1": micro.f1,
        "right": sum(c.true_positive for c in counts), "wrong": sum(c.false_positive for c in counts),
        "gold": sum(c.support for c in counts), "setting": scores.setting,
    }  # fmt: skip


def line(window: int, record: dict[str, Any]) -> str:
    parts = [f"window {window}: {record['candidates']} candidates, {record['training']['seconds']:.0f} s of training"]
    for name in ("mentions", "concepts", "concepts_at_best"):
        if values := record.get(name):
            parts.append(f"{name} {values['precision']:.1%} {values['recall']:.1%} {values['f1']:.1%} of {values['gold']}")
    return ", ".join(parts)


if __name__ == "__main__":
    main()
