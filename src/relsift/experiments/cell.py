"""One training of a grid: one system, one fold, one seed."""

from __future__ import annotations

import os
import platform
import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from relsift.bundle import Bundle, inputs_of
from relsift.candidates import CandidateReport, sample_negatives
from relsift.config import RunConfig, load_config
from relsift.corpora.data import Data, resolve
from relsift.corpora.leaks import duplicates_line, fingerprint, seen_before
from relsift.corpora.losses import documents_with_losses
from relsift.corpora.no_relation import never_seen, no_relation_warnings
from relsift.decisions.decision import Decision
from relsift.decisions.outcomes import best_outcomes
from relsift.decisions.scored import Scored
from relsift.decisions.thresholds import best_threshold
from relsift.environment import cpu_name
from relsift.errors import ConfigError, DataError
from relsift.evaluation.facts import count_gold
from relsift.evaluation.scores import Scores, evaluate
from relsift.evaluation.significance import sentence_counts, with_lost
from relsift.experiments.decision_facts import decision_facts
from relsift.experiments.end_to_end import end_to_end
from relsift.experiments.folds import Fold, make_folds, own_fold, sample_documents
from relsift.experiments.predicted import tagged_fold
from relsift.experiments.result import DECISIONS, END_TO_END, CellResult, Curve, Plan, cell_command, cell_name
from relsift.experiments.system import System
from relsift.inference import InferenceReport, entities_of, score
from relsift.models.base.joint_model import finds_entities
from relsift.passages import held_across, held_of_concepts, passages
from relsift.readers.base import ReadReport
from relsift.schema import Document, Sentence, sentences_of
from relsift.training.predicting import with_window
from relsift.training.run import train_run
from relsift.training.run_folder import RunData, file_checksums
from relsift.training.windows import check_window

UNFINISHED = "unfinished"  # folder of the run folders of cells that are being trained
THREADS = 1  # of a cell: several cells side by side use a machine better than several threads in one, and scores depend on it (rounding)


@dataclass(frozen=True)
class Cell:
    """device: where it is trained, as `training.device` has it; not part of its name, for it moves a result as another seed would."""

    system: System
    fold: int
    seed: int
    device: str = "cpu"

    @property
    def name(self) -> str:
        return cell_name(self.system, self.fold, self.seed)

    def file(self, folder: Path) -> Path:
        return folder / "cells" / f"{self.name}.json"


def documents_of(data: Data, split: str | None, report: ReadReport, losses: dict[int, Counter[str]]) -> list[Document]:
    """Of one part, or of data without parts, those with annotated relations; the others are counted.

    Args: losses: what a document lost in reading is added, under the `id` of the document.
    """
    documents = []
    for document, lost in documents_with_losses(data.documents(split, report), report):
        if any(sentence.relations is not None for sentence in document.sentences):
            documents.append(document)
            if lost:
                losses[id(document)] = lost
        else:
            report.drop("documents without annotated relations", document.id)
    return documents


def folds_of(plan: Plan) -> list[Fold]:
    """Read the plan's data and cut it. Raises DataError if the data is not that of the plan."""
    return _read(plan).folds


def left_out(plan: Plan) -> list[str]:
    """What of the plan's data is in no fold, one line a reason. Raises as `folds_of` does."""
    return _read(plan).notes


def warnings_of(plan: Plan) -> list[str]:
    """Why scores of the plan's data may mislead, one line each. Raises as `folds_of` does."""
    return _read(plan).warnings


@dataclass(frozen=True)
class _PlanData:
    folds: list[Fold]
    losses: dict[int, Counter[str]]  # by `id` of a document that the folds hold: type -> relations that its reader could not keep
    notes: list[str]
    warnings: list[str]

    def lost(self, documents: Sequence[Document], window: int) -> list[Counter[str]]:
        """Of each document, beside what passages of so many sentences hold."""
        held = (
            Counter(one.type for one in held_across(document, window)) + Counter(one.type for one in held_of_concepts(document, window))
            for document in documents
        )
        return [self.losses.get(id(document), Counter()) - those for document, those in zip(documents, held)]


@lru_cache(maxsize=1)  # a process computes many cells of one plan
def _read(plan: Plan) -> _PlanData:
    data = resolve(plan.data, plan.no_relation)
    if (checksum := data.sha256()) != plan.checksum:
        raise DataError(
            f"{plan.data}: expected the data of the folder's cells (sha256 {plan.checksum}), got another one ({checksum}); "
            "use another --out"
        )
    report = ReadReport(on_error=plan.on_error)
    losses: dict[int, Counter[str]] = {}
    if plan.split == "own":
        parts = {split: documents_of(data, split, report, losses) for split in data.splits}
        folds = [own_fold(parts, where=plan.data, sentences=plan.sentences, seed=plan.fold_seed)]
    else:
        documents = [document for split in data.splits or (None,) for document in documents_of(data, split, report, losses)]
        if not documents:
            raise DataError(f'{data.name}: expected annotated sentences (with "relations"), got none')
        if plan.sentences is not None:
            documents = sample_documents(documents, plan.sentences, seed=plan.fold_seed)
        folds = make_folds(documents, plan.folds, seed=plan.fold_seed, development=plan.development)
    return _PlanData(folds, losses, report.lines(), _warnings(plan, folds[0], report))


def _warnings(plan: Plan, fold: Fold, report: ReadReport) -> list[str]:
    """Args: fold: any one; together its parts hold all documents."""
    sentences = [sentence for part in fold.sentences() for sentence in part]
    lines = no_relation_warnings(relation.type for sentence in sentences for relation in sentence.relations or ())
    lines += never_seen(plan.no_relation, report)
    if plan.split == "own":
        training, development, test = fold.sentences()
        known = {fingerprint(sentence) for sentence in training}
        for name, part in (("development", development), ("test", test)):
            if leaked := seen_before(part, known):
                lines.append(duplicates_line(name, "training", leaked))
    return lines


def why_not_trainable(system: System, plan: Plan) -> str | None:
    """Why the system cannot be trained on the plan's data as it stands; None if it can."""
    config = configured(Cell(system, 1, 1), plan)
    if plan.entities == "predicted" and not finds_entities(config.model.name):
        return "it finds no entities itself; leave out --entities predicted"
    try:
        check_window(config)
    except ConfigError as error:
        return str(error)
    if system.tagger != "none" and config.candidates.window > 1:
        return "its tagger reads single sentences; leave out candidates.window"
    reads = inputs_of(config.model.name, config.model.options)
    if "subwords" in reads:
        if config.encoding.encoder is None:
            return "no transformer is named; name a folder with --encoder"
        if find_spec("transformers") is None:
            return "its encoder needs transformers: pip install 'relsift[transformers]'"
    if "trees" in reads and config.encoding.parser is None:
        bare = sum(sentence.syntax is None for fold in folds_of(plan) for sentence in sentences_of(fold.test))
        if bare:
            return f"{bare} sentences have no dependency trees; name a spaCy pipeline with --set encoding.parser=NAME"
    if system.tagger != "none" and find_spec("spacy") is None:
        return "its tagger needs spaCy: pip install 'relsift[spacy]'"
    return None


def run_cell(cell: Cell, plan: Plan, folder: Path) -> CellResult:
    """Train, select on the development part, score the test part once, save. A training that was killed goes on where it was."""
    before = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        result = _train_and_score(cell, plan, folder)
    finally:
        torch.set_num_threads(before)
    result.save(cell.file(folder))
    scratch = _scratch(replace(cell, device="cpu"), folder)
    for unfinished in (scratch, *scratch.parent.glob(f"{scratch.name}@*")):  # another device's too, if that was killed
        shutil.rmtree(unfinished, ignore_errors=True)
    return result


def _scratch(cell: Cell, folder: Path) -> Path:
    """A training goes on where it was on the same device only."""
    device = "" if cell.device == "cpu" else f"@{cell.device.replace(':', '')}"
    return folder / UNFINISHED / f"{cell.name}{device}"


def _train_and_score(cell: Cell, plan: Plan, folder: Path) -> CellResult:
    fold = folds_of(plan)[cell.fold - 1]
    system = cell.system
    config = configured(cell, plan)
    training, development, test = fold.sentences()
    losses = _read(plan).lost(fold.test, config.candidates.window)
    lost = sum(losses, Counter[str]())
    extra: dict[str, Any] = {}
    if system.tagger != "none":
        tagged = tagged_fold(fold, plan, folder)
        development, test, extra = tagged.development, tagged.test, {"tagger": tagged.facts}
        training = tagged.training if system.tagger == "both" else training
    dev_documents = fold.development
    if system.select_on == "test":
        development, dev_documents = test, fold.test
    documents = fold.training, dev_documents
    data = RunData(f"{plan.data}, fold {cell.fold}", training, development, {plan.data: plan.checksum}, documents=documents)
    window = config.candidates.window
    test = _in_passages(test, fold.test, window)  # `train_run` makes those of the other parts
    result, scores = train_run(config, data, _scratch(cell, folder), resume=True, plain=True)
    bundle = result.bundle
    report = InferenceReport()
    convention: dict[str, Any] = {
        "direction": bundle.candidates.direction, "entities": entities_of(bundle.scorer, plan.entities), "match": plan.match,
    }  # fmt: skip
    scored = score(bundle.scorer, test, report, entities=plan.entities)
    predicted = [bundle.decision.decide(sentence, bundle.encoding.labels) for sentence in scored]
    if bundle.scorer.finds_entities:
        extra |= {END_TO_END: end_to_end(bundle, test, predicted if convention["entities"] == "predicted" else None)}
    elif system.tagger == "none":
        held_out = score(bundle.scorer, _in_passages(development, dev_documents, window))
        extra |= {DECISIONS: decision_facts(bundle, _in_passages(training, fold.training, window), held_out, scored, lost)}
    history = result.state.history
    ratio = system.test_ratio
    again = None if ratio is None else sampled_scores(bundle, _in_passages(development, dev_documents, window), scored, ratio)
    sizes = [sum(s.relations is not None for s in document.sentences) for document in fold.test]
    return CellResult(
        system=system, plan=plan, fold=cell.fold, seed=cell.seed, config=config.model_dump(),
        command=cell_command(system, plan, cell.fold, cell.seed, cell.device), machine=machine(next(bundle.model.parameters()).device),
        seconds=round(sum(record["seconds"] for record in history), 1),
        seconds_per_epoch=round(sum(record["seconds"] for record in history) / len(history), 2),
        parameters=sum(weight.numel() for weight in bundle.model.parameters()),
        epochs=result.state.epoch, best_epoch=result.state.best_epoch, threshold=bundle.decision.threshold,
        training_candidates=_facts(result.candidates), test_candidates=_facts(report.candidates),
        development=scores,
        test=with_window(evaluate(test, predicted, **convention, candidates=report.candidates.setting()), bundle).with_lost_relations(lost),
        counts=with_lost(sentence_counts(test, predicted, **convention), [one.total() for one in losses], sizes),
        documents=sizes, curve=curve_of(bundle, scored, lost.total()), notes=[*result.notes, *report.lines()], extra=extra,
        sampled=again and again.with_lost_relations(lost), files=file_checksums(config),
    )  # fmt: skip


def _in_passages(sentences: list[Sentence], documents: Iterable[Document], window: int) -> list[Sentence]:
    """Args: sentences: those of the documents, perhaps with tags of their own."""
    return sentences if window == 1 else list(sentences_of([passages(document, window) for document in documents]))


def configured(cell: Cell, plan: Plan) -> RunConfig:
    """The plan's choice of pairs comes first: a system may differ from it on purpose."""
    system, own = cell.system, (f"training.seed={cell.seed}", f"training.threads={THREADS}", f"training.device={cell.device}")
    return load_config(model=system.model, preset=system.preset, overrides=[*plan.overrides(), *system.overrides, *own])


def sampled_scores(bundle: Bundle, development: Sequence[Sentence], scored: Sequence[Scored], ratio: float) -> Scores:
    """Of the test part with so many negatives a positive, the threshold tuned on a development part sampled in the same way.

    Whatever is left out is not scored at all, as if the pair were not there; gold relations are those of the whole test part. Sentences
    without annotation have no negatives to draw from.
    """
    labels, direction = bundle.encoding.labels, bundle.candidates.direction
    held_out = score(bundle.scorer, [sentence for sentence in development if sentence.relations is not None])
    gold = count_gold((sentence.sentence for sentence in held_out), direction)
    threshold, _ = best_threshold(*best_outcomes(sampled(held_out, ratio), labels), gold)
    annotated = [sentence for sentence in scored if sentence.sentence.relations is not None]
    kept = sampled(annotated, ratio)
    decision = Decision(threshold=threshold)
    pairs = sum(len(sentence.pairs) for sentence in kept)
    left_out = sum(len(sentence.pairs) for sentence in annotated) - pairs
    return evaluate(
        [sentence.sentence for sentence in annotated], [decision.decide(sentence, labels) for sentence in kept], direction=direction,
        candidates=f"{pairs} kept, {left_out} negatives left out for 1:{ratio:g}",
    )  # fmt: skip


def sampled(scored: Sequence[Scored], ratio: float) -> list[Scored]:
    """All positive pairs, and so many negatives for each; nested samples, as in training."""
    result = []
    for sentence, pairs in zip(scored, sample_negatives([s.pairs for s in scored], [s.sentence for s in scored], ratio)):
        chosen = set(pairs)
        places = [place for place, pair in enumerate(sentence.pairs) if pair in chosen]
        result.append(Scored(sentence.sentence, pairs, sentence.scores[places]))
    return result


def curve_of(bundle: Bundle, scored: Sequence[Scored], lost: int) -> Curve:
    """Args: lost: gold relations that are in no sentence, since the reader could not keep them."""
    annotated = [sentence for sentence in scored if sentence.sentence.relations is not None]
    gold = count_gold((sentence.sentence for sentence in annotated), bundle.candidates.direction)
    return Curve.of(*best_outcomes(annotated, bundle.encoding.labels), gold + lost)


def machine(device: torch.device) -> dict[str, Any]:
    packages = {name: version(name) for name in ("relsift", "torch", "numpy", "numba")}
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cpu": cpu_name(),
        **({"gpu": torch.cuda.get_device_name(device)} if device.type == "cuda" else {}),
        "processors": os.cpu_count(),
        "threads": THREADS,
        "python": platform.python_version(),
    } | packages


def _facts(report: CandidateReport) -> dict[str, Any]:
    return {
        "kept": report.kept,
        "positive": report.positive,
        "ratio": report.ratio(),
        "dropped": dict(report.dropped),
        "lost": dict(report.lost),
    }
