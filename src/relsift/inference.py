"""From sentences to scored pairs and to sentences with relations: one path for development scores, evaluation and prediction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any, Literal, get_args

import torch

from relsift.annotators.trees import with_trees
from relsift.candidates import CandidateReport, Candidates, Pair
from relsift.encoding.batch import Example, collate, cut, examples_of
from relsift.encoding.vocabulary import Encoding
from relsift.errors import RelsiftError
from relsift.models.base.model import RelationModel
from relsift.schema import Relation, Sentence

BATCH_PAIRS = 8192
BATCH_TOKENS = 16384
SENTENCES_AT_ONCE = 1024  # read before they are sorted by length into batches; bounds the memory of an endless input

Stage = Literal["reading", "encoding", "model", "writing"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class ScoredPairs:
    """One sentence's candidate pairs with their best relation and its score."""

    pairs: list[Pair]
    labels: list[int]
    scores: list[float]


@dataclass
class InferenceReport:
    """What happened on the way: candidates, what the model had never seen, and where the time went.

    seconds: what each stage kept its thread busy. encoding: candidates, symbols to integers, batches; writing: decisions and lines.
    """

    candidates: CandidateReport = field(default_factory=CandidateReport)
    sentences: int = 0
    unseen_types: dict[str, int] = field(default_factory=dict)
    seconds: dict[Stage, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def busy(self, stage: Stage) -> Iterator[None]:
        """Count the time until the end of the block, by the clock of this thread: waiting for another one is no work."""
        started = time.thread_time()
        try:
            yield
        finally:
            self.seconds[stage] += time.thread_time() - started

    def shares(self) -> str:
        """Each stage's share of the time that all of them were busy."""
        total = sum(self.seconds.values()) or 1.0
        return ", ".join(f"{stage} {100 * seconds / total:.0f} %" for stage, seconds in self.seconds.items())

    def lines(self) -> list[str]:
        kinds = ", ".join(f"{name} ({count})" for name, count in sorted(self.unseen_types.items()))
        return [f"entity types never seen in training, tagged as no entity: {kinds}"] if kinds else []


def score_pairs(
    model: RelationModel[Any], encoding: Encoding, candidates: Candidates, sentences: Sequence[Sentence], report: InferenceReport
) -> list[ScoredPairs]:
    """Score every candidate pair; the result has the order of the sentences. The model is left in evaluation mode."""
    with report.busy("encoding"):
        if model.NEEDS_SYNTAX:
            sentences = with_trees(sentences, encoding.parser)
        pairs = [candidates.pairs(sentence, report.candidates) for sentence in sentences]
        copies = [examples_of(sentence, its, encoding, labelled=False) for sentence, its in zip(sentences, pairs)]
        report.sentences += len(sentences)
        for sentence, its in zip(sentences, copies):
            if -1 in its[0].types or sentence.tagged is not None:
                _count_unseen(sentence, encoding, report)
        examples = [example for its in copies for example in its]
        batches = list(cut(sizes_of(examples), max_pairs=BATCH_PAIRS, max_tokens=BATCH_TOKENS))
    found: list[tuple[list[int], list[float]]] = [([], []) for _ in examples]
    for batch in batches:
        labels, scores = predict_batch(model, [examples[number] for number in batch], report)
        at = 0
        for number in batch:
            count = len(examples[number].heads)
            found[number] = labels[at : at + count], scores[at : at + count]
            at += count
    parts = iter(found)
    return [_joined(its, list(islice(parts, len(its_copies)))) for its, its_copies in zip(pairs, copies)]


def _joined(pairs: list[Pair], parts: Sequence[tuple[list[int], list[float]]]) -> ScoredPairs:
    """What the copies of one sentence got, put together again."""
    labels, scores = zip(*parts)
    return ScoredPairs(pairs, list(chain.from_iterable(labels)), list(chain.from_iterable(scores)))


def predict_batch(model: RelationModel[Any], examples: Sequence[Example], report: InferenceReport) -> tuple[list[int], list[float]]:
    """Best label and score of every pair, in the order of the examples."""
    with report.busy("encoding"):
        batch = collate(examples)
    with report.busy("model"), torch.inference_mode():
        model.eval()
        prediction = model.predict(model(batch.to(next(model.parameters()).device)))
        return prediction.label.tolist(), prediction.score.tolist()


def _count_unseen(sentence: Sentence, encoding: Encoding, report: InferenceReport) -> None:
    for entity in (*sentence.entities, *(sentence.tagged or ())):
        if encoding.type_id(entity.type) < 0:
            report.unseen_types[entity.type] = report.unseen_types.get(entity.type, 0) + 1


def sizes_of(examples: Iterable[Example]) -> list[tuple[int, int]]:
    return [(len(example.tokens), len(example.heads)) for example in examples]


def decisions(scored: Iterable[ScoredPairs], encoding: Encoding) -> tuple[list[float], list[bool]]:
    """Score of every pair's best relation, and whether that is the pair's gold one; what thresholds are tuned on."""
    rows = [
        (score, pair.type == encoding.labels[label])
        for its in scored
        for pair, label, score in zip(its.pairs, its.labels, its.scores)
    ]
    return [score for score, _ in rows], [right for _, right in rows]


def decide(sentence: Sentence, scored: ScoredPairs, encoding: Encoding, threshold: float) -> Sentence:
    """The sentence with a relation for every pair whose score reaches the threshold, replacing whatever it carried."""
    return sentence.with_relations(
        Relation(pair.head, pair.tail, encoding.labels[label], score)
        for pair, label, score in zip(scored.pairs, scored.labels, scored.scores)
        if score >= threshold
    )


def predict_sentences(
    model: RelationModel[Any],
    encoding: Encoding,
    candidates: Candidates,
    threshold: float,
    sentences: Iterable[Sentence],
    report: InferenceReport,
) -> Iterator[Sentence]:
    """Predict a stream of any length in bounded memory, in input order.

    If the input turns out broken on the way, everything read before that place is predicted first, then the error is raised.
    """
    stream = iter(sentences)
    broken: RelsiftError | None = None
    while broken is None:
        block: list[Sentence] = []
        try:
            block.extend(islice(stream, SENTENCES_AT_ONCE))
        except RelsiftError as error:
            broken = error
        scored = score_pairs(model, encoding, candidates, block, report)
        with report.busy("writing"):
            decided = [decide(sentence, its, encoding, threshold) for sentence, its in zip(block, scored)]
        yield from decided
        if broken is None and len(block) < SENTENCES_AT_ONCE:
            return
    raise broken
