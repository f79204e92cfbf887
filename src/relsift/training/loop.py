"""The training loop: epochs of batches, development scores, early stopping, resume.

Repeatable bit for bit on one machine with one number of threads: order, dropout and initial weights come from the seed alone.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import torch
import torch.utils.deterministic

from relsift.annotators.trees import pinned, with_trees
from relsift.bundle import Bundle, build
from relsift.candidates import CandidateReport, Candidates, Pair, sample_negatives
from relsift.config import CandidateConfig, RunConfig, TrainingConfig
from relsift.decisions.thresholds import best_threshold
from relsift.encoding.batch import Example, collate, cut, examples_of
from relsift.encoding.vectors import VectorReport
from relsift.encoding.vocabulary import UNKNOWN_WORD, Encoding
from relsift.errors import DataError, require
from relsift.evaluation.scores import count_gold
from relsift.inference import InferenceReport, ScoredPairs, decisions, score_pairs
from relsift.models.base.model import RelationModel
from relsift.registry import find
from relsift.schema import Sentence
from relsift.training.average import EpochMean, snapshot
from relsift.training.optimisers import make_optimiser, set_rate
from relsift.training.state import Progress, clear_state, load_state, save_state
from relsift.training.word_table import prepare_words

RARE = 2  # a word seen fewer times than this in training may be shown as unknown


@dataclass(frozen=True)
class TrainingResult:
    bundle: Bundle
    progress: Progress
    candidates: CandidateReport  # of the training data
    notes: list[str]  # what of the training data the model did not see, or sees otherwise than asked
    vectors: VectorReport | None = None  # of the pre-trained word vectors


def train(
    config: RunConfig,
    training: Sequence[Sentence],
    development: Sequence[Sentence],
    *,
    state_folder: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[dict[str, Any]], None] | None = None,
    on_batch: Callable[[int, int], None] | None = None,
) -> TrainingResult:
    """Train on `training`, select the epoch and the threshold on `development`.

    Args:
        state_folder: where the state after each epoch is kept; None keeps none. resume: go on from there if it holds a state.
        on_epoch: called with each epoch's record (losses, development F1, seconds). on_batch: called with (done, all) batches.
    Raises: DataError if there is nothing to learn from or to select on; CheckpointError if the saved state is broken; ConfigError for
        options that the model does not have, or a learning rate at which it diverges.
    """
    c = config.training
    annotated = [sentence for sentence in training if sentence.relations is not None]
    development = [sentence for sentence in development if sentence.relations is not None]  # as the evaluator does
    needs_syntax = find("model", config.model.name).NEEDS_SYNTAX
    parser = pinned(config.encoding.parser) if needs_syntax else None
    if needs_syntax:  # once, not in every epoch
        annotated, development = with_trees(annotated, parser), with_trees(development, parser)
    e = config.encoding
    encoding = Encoding.fit(
        annotated, lowercase=e.lowercase, min_count=e.min_count, syntax=needs_syntax, parser=parser, tags=e.tags, tag_seed=e.tags_seed
    )
    rule = config.candidates
    candidates = Candidates.fit(
        annotated,
        direction=rule.direction,
        type_filter=rule.type_filter,
        max_distance=rule.max_distance,
        order_leak=rule.order_leak,
    )
    pairs, report, notes = _training_pairs(rule, candidates, annotated)
    examples = [examples_of(sentence, its, encoding) for sentence, its in zip(annotated, pairs)]
    gold = count_gold(development, rule.direction)
    if not gold:
        raise DataError("development data: expected annotated relations to select the epoch and the threshold on, got none")
    with _repeatable(c.threads, torch_device(c.device)):
        torch.manual_seed(c.seed)
        model = build(config.model.name, config.model.options, encoding).to(torch_device(c.device))
        vectors = prepare_words(config, model, encoding)
        optimiser = make_optimiser(c, [weight for weight in model.parameters() if weight.requires_grad])
        progress, best = Progress(history=[]), snapshot(model)
        mean = EpochMean() if c.average else None
        if state_folder is not None and not resume:
            clear_state(state_folder)  # else a run killed in its first epoch would be resumed from an older run's weights
        if resume and state_folder is not None and (saved := load_state(state_folder, model, optimiser, mean)) is not None:
            progress, best = saved
        rare = _rare_words(examples) if c.unknown_rate else set()
        while progress.epoch < c.epochs and progress.epoch - progress.best_epoch < c.patience:
            started = time.perf_counter()
            progress.epoch += 1
            set_rate(optimiser, c, progress.epoch)
            losses = _run_epoch(model, optimiser, examples, c, progress.epoch, rare, on_batch)
            seconds = time.perf_counter() - started
            if mean is not None:
                mean.add(model, progress.epoch)
            with nullcontext() if mean is None else mean.applied_to(model):
                scored = score_pairs(model, encoding, candidates, development, InferenceReport())
                threshold, f1 = _select(c, model, encoding, scored, gold)
            record = {"epoch": progress.epoch, **losses, "dev_f1": f1, "threshold": threshold, "seconds": round(seconds, 3)}
            assert progress.history is not None
            progress.history.append(record)
            if f1 > progress.best_f1:
                progress.best_epoch, progress.best_f1, progress.best_threshold = progress.epoch, f1, threshold
                best = snapshot(model) if mean is None else dict(mean.tensors)
            if state_folder is not None:
                save_state(state_folder, progress, model, best, optimiser, mean)
            if on_epoch is not None:
                on_epoch(record)
    model.load_state_dict(best)
    model.eval()
    bundle = Bundle(config.model.name, model, encoding, candidates, progress.best_threshold)
    return TrainingResult(bundle, progress, report, [*notes, *model.notes(list(chain.from_iterable(examples)))], vectors)


def _training_pairs(
    rule: CandidateConfig, candidates: Candidates, sentences: Sequence[Sentence]
) -> tuple[list[list[Pair]], CandidateReport, list[str]]:
    """The pairs to train on, of each sentence, what was counted on the way, and what the user has to know of them."""
    report = CandidateReport()
    pairs = [candidates.pairs(sentence, report) for sentence in sentences]
    if rule.negatives is None:
        return pairs, report, []
    there = report.ratio()
    sampled = sample_negatives(pairs, sentences, rule.negatives, rule.negatives_seed, report)
    few = report.dropped["negative not sampled"] == 0 and report.negative < int(rule.negatives * report.positive)
    note = f"candidates.negatives: expected related to unrelated pairs 1:{rule.negatives:g}, the training data has {there}: all are kept"
    return sampled, report, [note] if few else []


def _run_epoch(
    model: RelationModel[Any],
    optimiser: torch.optim.Optimizer,
    examples: Sequence[Sequence[Example]],
    c: TrainingConfig,
    epoch: int,
    rare: set[int],
    on_batch: Callable[[int, int], None] | None,
) -> dict[str, float]:
    """One pass over the data; returns the mean of each loss part over the pairs.

    examples: of every sentence its copies. They stay together, so a batch has the same pairs whatever the tags show.
    """
    seed = c.seed * 1_000_003 + epoch
    torch.manual_seed(seed)
    draw = random.Random(seed)
    model.train()
    device = next(model.parameters()).device
    sizes = [(len(copies[0].tokens), sum(len(copy.heads) for copy in copies)) for copies in examples]
    batches = list(cut(sizes, max_pairs=c.batch_pairs, max_tokens=c.batch_tokens, seed=seed))
    if not batches:
        raise DataError("training data: expected candidate pairs, got none after the candidate filter")
    totals: dict[str, float] = {}
    pairs = 0
    for done, numbers in enumerate(batches, start=1):
        batch = collate([copy for number in numbers for copy in examples[number]]).to(device)
        if rare:
            hidden = torch.tensor(
                [[word in rare and draw.random() < c.unknown_rate for word in row] for row in batch.tokens.tolist()]
            )
            batch.tokens[hidden.to(device)] = UNKNOWN_WORD
        parts = model.loss(model(batch), batch)
        require(
            c.loss_weights.keys() <= parts.keys(),
            "training.loss_weights",
            expected=f"some of {', '.join(parts)}",
            got=c.loss_weights,
        )
        loss = torch.stack([c.loss_weights.get(name, 1.0) * part for name, part in parts.items()]).sum()
        require(
            bool(loss.isfinite()),
            "training.learning_rate",
            expected="one that keeps the loss finite (lower it, or set training.gradient_clip)",
            got=f"loss {loss.item()} in epoch {epoch} at rate {c.learning_rate}",
        )
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        if c.gradient_clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), c.gradient_clip)
        optimiser.step()
        model.constrain()
        pairs += batch.num_pairs
        for name, part in parts.items():
            totals[name] = totals.get(name, 0.0) + part.item() * batch.num_pairs
        if on_batch is not None:
            on_batch(done, len(batches))
    return {f"loss_{name}": total / pairs for name, total in totals.items()}


def _select(
    c: TrainingConfig, model: RelationModel[Any], encoding: Encoding, scored: Sequence[ScoredPairs], gold: int
) -> tuple[float, float]:
    """Threshold and micro F1 on development data, under the configured threshold policy."""
    scores, correct = decisions(scored, encoding)
    if c.threshold == "tuned":
        return best_threshold(scores, correct, gold)
    threshold = model.paper_threshold if c.threshold == "paper" else float(c.threshold)
    taken = [right for score, right in zip(scores, correct) if score >= threshold]
    return threshold, 2 * sum(taken) / (len(taken) + gold)


def _rare_words(examples: Sequence[Sequence[Example]]) -> set[int]:
    counts: dict[int, int] = {}
    for copies in examples:
        for word in copies[0].tokens:
            counts[word] = counts.get(word, 0) + 1
    return {word for word, count in counts.items() if count < RARE and word != UNKNOWN_WORD}


def torch_device(name: str) -> torch.device:
    """By its name; `auto` is a GPU where there is one. Raises RuntimeError for a name that torch does not know."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(name)


@contextmanager
def _repeatable(threads: int | None, device: torch.device) -> Iterator[None]:
    """Deterministic algorithms and the configured number of threads, put back afterwards."""
    if device.type == "cuda":  # cuBLAS refuses deterministic mode without it; read once, when cuBLAS starts
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    memory: Any = torch.utils.deterministic
    before = torch.are_deterministic_algorithms_enabled(), memory.fill_uninitialized_memory, torch.get_num_threads()
    torch.use_deterministic_algorithms(True)
    # Deterministic mode would also fill every fresh tensor with not-a-number: a tenth of the time, for memory nobody reads.
    memory.fill_uninitialized_memory = False
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before[0])
        memory.fill_uninitialized_memory = before[1]
        torch.set_num_threads(before[2])
