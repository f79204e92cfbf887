"""From sentences to scored pairs and to sentences with relations: one path for development scores, evaluation and prediction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any, Literal, get_args

import numpy as np
import torch

from relsift.annotators.base import Addition
from relsift.annotators.trees import with_trees
from relsift.candidates import CandidateReport, Candidates
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored, Scores
from relsift.encoding.batch import collate, cut
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example, examples_of
from relsift.encoding.subwords import PieceCounts
from relsift.encoding.types import UNKNOWN_TYPE
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import ConfigError, RelsiftError, ShapeError, require
from relsift.kernels.notes import notes
from relsift.models.base.model import RelationModel
from relsift.schema import Sentence

BATCH_PAIRS = 8192
BATCH_TOKENS = 16384
BATCH_PIECES = 8192  # of transformers, which keep more of each
SENTENCES_AT_ONCE = 1024  # read before they are sorted by length into batches; bounds the memory of an endless input

Stage = Literal["reading", "encoding", "model", "writing"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class Scorer:
    """All that scoring needs: a trained model without its decision."""

    model: RelationModel[Any]
    encoding: Encoding
    candidates: Candidates  # which pairs are scored
    annotators: Mapping[Addition, str] = field(default_factory=dict)  # by what they add to sentences that lack it

    @property
    def models(self) -> tuple[RelationModel[Any], ...]:
        return (self.model,)


@dataclass(frozen=True)
class Ensemble:
    """Several models that score the same pairs; a score is the mean of theirs. Each reads sentences in its own way.

    Raises: ConfigError for members that differ in relation types or candidates, whose mean would mean nothing.
    """

    members: tuple[Scorer, ...]

    def __post_init__(self) -> None:
        require(len(self.members) > 0, "ensemble", expected="one member or more", got=0)
        for number, member in enumerate(self.members, start=1):
            if (labels := member.encoding.labels) != self.encoding.labels:
                got = f"{', '.join(labels[:5])} in member {number} and {', '.join(self.encoding.labels[:5])} in member 1"
                raise ConfigError(f"ensemble: expected members with the same relation types, got {got}; train all on the same data")
            if member.candidates != self.candidates:
                raise ConfigError(f"ensemble: expected members that score the same pairs, got other candidates in member {number}")

    @property
    def models(self) -> tuple[RelationModel[Any], ...]:
        return tuple(member.model for member in self.members)

    @property
    def encoding(self) -> Encoding:
        """Of the first member. All members have its relation types; words may differ."""
        return self.members[0].encoding

    @property
    def candidates(self) -> Candidates:
        return self.members[0].candidates


AnyScorer = Scorer | Ensemble


@dataclass
class InferenceReport:
    """Numbers of candidates, entity types that the model had never seen, and the time of each stage."""

    candidates: CandidateReport = field(default_factory=CandidateReport)
    sentences: int = 0
    unseen_types: dict[str, int] = field(default_factory=dict)  # of entities, by a type that training did not have
    unknown_sentences: int = 0  # those with two entities or more, none of whose words training had
    pieces: PieceCounts = field(default_factory=PieceCounts)  # of a transformer
    cut_pairs: int = 0  # pairs of whose sentence the model saw a part (see `RelationModel.cut_pairs`)
    # CPU time of each stage. encoding: candidates, symbols to integers, batches; writing: decisions and lines
    seconds: dict[Stage, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def busy(self, stage: Stage) -> Iterator[None]:
        """Add the CPU time of the block to the stage. The clock is that of this thread, so waiting for another one does not count."""
        started = time.thread_time()
        try:
            yield
        finally:
            self.seconds[stage] += time.thread_time() - started

    def shares(self) -> str:
        """Each stage's share of the CPU time of all of them."""
        total = sum(self.seconds.values()) or 1.0
        return ", ".join(f"{stage} {100 * seconds / total:.0f} %" for stage, seconds in self.seconds.items())

    def lines(self) -> list[str]:
        """What the user has to know, one line a reason; the candidates are reported elsewhere."""
        lines = []
        if self.unseen_types:
            kinds = ", ".join(f"{name} ({count})" for name, count in sorted(self.unseen_types.items()))
            lines.append(f"entity types never seen in training, tagged as no entity: {kinds}")
        if self.unknown_sentences:
            count = f"{self.unknown_sentences} of {self.sentences}"
            lines.append(f"sentences without a single word that training had: {count}; are they in the language of the training data?")
        if self.cut_pairs:
            lines.append(f"{self.cut_pairs} pairs stand in sentences too long for the encoder: the model saw the parts nearest to them")
        return [*lines, *self.pieces.lines(), *notes()]


def score(scorer: AnyScorer, sentences: Sequence[Sentence], report: InferenceReport | None = None) -> list[Scored]:
    """Score every candidate pair of every sentence; the result has the order of the sentences. The model is left in evaluation mode.

    Raises: DataError or ConfigError if a sentence lacks what the model reads, and no annotator adds it.
    """
    report = report if report is not None else InferenceReport()
    if isinstance(scorer, Ensemble):
        return _mean_scores(scorer, sentences, report)
    encoding = scorer.encoding
    with report.busy("encoding"):
        complete = with_trees(sentences, scorer.annotators.get("trees")) if "trees" in scorer.model.READS else sentences
        pairs = [scorer.candidates.pairs(sentence, report.candidates) for sentence in complete]
        examples_by_sentence = [examples_of(*item, encoding, labelled=False) for item in zip(complete, pairs)]
        report.sentences += len(sentences)
        if encoding.words is not None and encoding.words.words:
            report.unknown_sentences += sum(
                len(sentence.entities) > 1 and set(examples[0].words or ()) == {UNKNOWN_WORD}
                for sentence, examples in zip(sentences, examples_by_sentence)
            )
        for examples in examples_by_sentence:
            report.cut_pairs += scorer.model.cut_pairs(examples)
            if encoding.subwords is not None and (pieces := examples[0].pieces) is not None and len(examples[0].spans) > 1:
                report.pieces.add(pieces, encoding.subwords)
        for sentence, examples in zip(sentences, examples_by_sentence):
            if UNKNOWN_TYPE in examples[0].types or sentence.tagged is not None:
                _count_unseen(sentence, encoding, report)
        numbered = [(number, example) for number, examples in enumerate(examples_by_sentence) for example in examples]
        most = BATCH_TOKENS if encoding.subwords is None else BATCH_PIECES
        batches = list(cut([example.work for _, example in numbered], max_pairs=BATCH_PAIRS, max_tokens=most))
    scores = [np.empty((len(sentence_pairs), len(encoding.labels)), np.float32) for sentence_pairs in pairs]
    for batch in batches:
        rows = score_batch(scorer.model, encoding, [numbered[position][1] for position in batch], report)
        for position in batch:
            number, example = numbered[position]
            count = len(example.places)
            scores[number][example.places] = rows[:count]
            rows = rows[count:]
    return [Scored(*item) for item in zip(sentences, pairs, scores)]


def _mean_scores(ensemble: Ensemble, sentences: Sequence[Sentence], report: InferenceReport) -> list[Scored]:
    """`score` by every member; the report counts sentences and pairs once, and the time of all."""
    by_member = [score(ensemble.members[0], sentences, report)]
    for member in ensemble.members[1:]:
        further = InferenceReport()
        by_member.append(score(member, sentences, further))
        for stage, seconds in further.seconds.items():
            report.seconds[stage] += seconds
    return [replace(those[0], scores=np.mean([scored.scores for scored in those], axis=0)) for those in zip(*by_member)]


def score_batch(model: RelationModel[Any], encoding: Encoding, examples: Sequence[Example], report: InferenceReport) -> Scores:
    """(P, K) scores of every pair, in the order of the examples. Raises ShapeError if the model returns anything else."""
    with report.busy("encoding"):
        batch = collate(examples, encoding)
    with report.busy("model"), torch.inference_mode():
        model.eval()
        scores = model.scores(model(batch.to(next(model.parameters()).device)))
    if scores.shape != (expected := (len(batch.pairs), len(encoding.labels))):
        raise ShapeError(f"{type(model).__name__}.scores", expected=f"(pairs, relation types) = {expected}", got=tuple(scores.shape))
    return scores.float().cpu().numpy()


def _count_unseen(sentence: Sentence, encoding: Encoding, report: InferenceReport) -> None:
    for entity in (*sentence.entities, *(sentence.tagged or ())):
        if encoding.types.id(entity.type) == UNKNOWN_TYPE:
            report.unseen_types[entity.type] = report.unseen_types.get(entity.type, 0) + 1


def predict(
    scorer: AnyScorer, decision: Decision, sentences: Iterable[Sentence], report: InferenceReport | None = None
) -> Iterator[Sentence]:
    """Sentences with the relations that the decision takes, for a stream of any length in bounded memory, in input order.

    If the input is broken, the sentences before that place come first, then the error is raised.
    """
    report = report if report is not None else InferenceReport()
    stream = iter(sentences)
    broken: RelsiftError | None = None
    while broken is None:
        block: list[Sentence] = []
        try:
            block.extend(islice(stream, SENTENCES_AT_ONCE))
        except RelsiftError as error:
            broken = error
        scored = score(scorer, block, report)
        with report.busy("writing"):
            decided = [decision.decide(scores, scorer.encoding.labels) for scores in scored]
        yield from decided
        if broken is None and len(block) < SENTENCES_AT_ONCE:
            return
    raise broken
