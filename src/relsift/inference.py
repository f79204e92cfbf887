"""From sentences to scored pairs and to sentences with relations: one path for development scores, evaluation and prediction."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args

import numpy as np

from relsift.annotators.base import Addition
from relsift.annotators.trees import with_trees
from relsift.candidates import CandidateReport, Candidates
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored, Scores
from relsift.encoding.arrays import cut
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example, examples_of, with_entities
from relsift.encoding.subwords import PieceCounts
from relsift.encoding.types import UNKNOWN_TYPE
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import ConfigError, RelsiftError, require
from relsift.evaluation.scores import ENTITIES, Entities
from relsift.exported.model import ExportedModel
from relsift.found_entities import agreed, without_entities
from relsift.kernels.notes import notes
from relsift.schema import Sentence

if TYPE_CHECKING:
    from relsift.models.base.model import RelationModel
    from relsift.precision import Precision
    from relsift.tensor_inference import FoundBatch

AnyModel: TypeAlias = "RelationModel[Any] | ExportedModel"

BATCH_PAIRS = 8192
BATCH_TOKENS = 16384
BATCH_PIECES = 8192  # of transformers, which keep more of each
PAIRS_AT_ONCE = 500_000  # of entities; encoded pairs and their scores are all in memory before the first decision
SENTENCES_AT_ONCE = 1024  # read before they are sorted by length into batches; bounds the memory of an endless input

Stage = Literal["reading", "entities", "encoding", "model", "writing"]
STAGES: tuple[Stage, ...] = get_args(Stage)


@dataclass(frozen=True)
class Scorer:
    """All that scoring needs: a trained model without its decision."""

    model: AnyModel
    encoding: Encoding
    candidates: Candidates  # which pairs are scored
    annotators: Mapping[Addition, str] = field(default_factory=dict)  # by what they add to sentences that lack it
    precision: Precision = "float32"  # in which the model computes

    @property
    def models(self) -> tuple[AnyModel, ...]:
        return (self.model,)

    @property
    def trainable(self) -> RelationModel[Any]:
        """The model. Raises ConfigError for an exported one, which cannot be trained."""
        if isinstance(self.model, ExportedModel):
            raise ConfigError(f"model: expected a model in torch, got one exported to {self.model.form}; take the run that it came from")
        return self.model

    @property
    def finds_entities(self) -> bool:
        """Whether the model finds entities itself."""
        return not isinstance(self.model, ExportedModel) and bool(_tensors().finds_entities(self.model))


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
    def models(self) -> tuple[AnyModel, ...]:
        return tuple(member.model for member in self.members)

    @property
    def trainable(self) -> RelationModel[Any]:
        """The first model. Raises ConfigError for an exported one."""
        return self.members[0].trainable

    @property
    def finds_entities(self) -> bool:
        """Whether every member finds entities itself."""
        return all(member.finds_entities for member in self.members)

    @property
    def encoding(self) -> Encoding:
        """Of the first member. All members have its relation types; words may differ."""
        return self.members[0].encoding

    @property
    def candidates(self) -> Candidates:
        return self.members[0].candidates

    @property
    def precision(self) -> Precision:
        """Of the first member."""
        return self.members[0].precision


AnyScorer = Scorer | Ensemble


def with_precision(scorer: AnyScorer, precision: Precision) -> AnyScorer:
    """The scorer with models that compute in this precision; scores move a little, and some near the threshold pass it.

    Raises: ConfigError for bfloat16 on a device that cannot compute in it, and for any exported model.
    """
    require(precision in ("float32", "bfloat16"), "precision", expected="float32 or bfloat16", got=precision)
    if precision == "bfloat16":
        for model in scorer.models:
            if isinstance(model, ExportedModel):
                raise ConfigError(f"precision: expected float32, for a model exported to {model.form}, got {precision}; leave it out")
            _tensors().check_precision_of(model, precision)
    if isinstance(scorer, Ensemble):
        return Ensemble(tuple(replace(member, precision=precision) for member in scorer.members))
    return replace(scorer, precision=precision)


@dataclass
class InferenceReport:
    """Numbers of candidates, entity types that the model had never seen, and the time of each stage."""

    candidates: CandidateReport = field(default_factory=CandidateReport)
    sentences: int = 0
    relations: int = 0  # found in documents, as `relsift predict` writes them
    unseen_types: dict[str, int] = field(default_factory=dict)  # of entities, by a type that training did not have
    unknown_sentences: int = 0  # those read, none of whose words training had
    pieces: PieceCounts = field(default_factory=PieceCounts)  # of a transformer
    cut_pairs: int = 0  # pairs of whose sentence the model saw a part (see `RelationModel.cut_pairs`)
    # CPU time of each stage. reading: sentences and tokens of raw text too; entities: those of annotators, a joint model's are in `model`;
    # encoding: candidates, symbols to integers, batches; writing: decisions and lines
    seconds: dict[Stage, float] = field(default_factory=lambda: dict.fromkeys(STAGES, 0.0))

    @contextmanager
    def busy(self, stage: Stage) -> Iterator[None]:
        """Add the CPU time of the block to the stage. The clock is that of this thread, so waiting for another one does not count."""
        started = time.thread_time()
        try:
            yield
        finally:
            self.seconds[stage] += time.thread_time() - started

    def add_text(self, example: Example, encoding: Encoding) -> None:
        """Count what the model does not know of the words or pieces of a sentence."""
        if encoding.words is not None and encoding.words.words:
            self.unknown_sentences += set(example.words or ()) == {UNKNOWN_WORD}
        if encoding.subwords is not None and example.pieces is not None:
            self.pieces.add(example.pieces, encoding.subwords)

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


def score(
    scorer: AnyScorer, sentences: Sequence[Sentence], report: InferenceReport | None = None, *, entities: Entities | None = None
) -> list[Scored]:
    """Score every candidate pair of every sentence; the result has the order of the sentences. The model is left in evaluation mode.

    Args: entities: *gold* scores the pairs of the entities that a sentence has, *predicted* those that the model finds itself, in place of
        any others; None: predicted if the model finds entities, else gold.
    Raises: DataError or ConfigError if a sentence lacks what the model reads, and no annotator adds it; ConfigError for predicted entities
        of a model that finds none.
    """
    report = report if report is not None else InferenceReport()
    if entities_of(scorer, entities) == "predicted":
        return _score_found(scorer, sentences, report)
    if isinstance(scorer, Ensemble):
        return _mean_scores(scorer, sentences, report)
    encoding = scorer.encoding
    with report.busy("encoding"):
        complete = with_trees(sentences, scorer.annotators.get("trees")) if "trees" in scorer.model.READS else sentences
        pairs = [scorer.candidates.pairs(sentence, report.candidates) for sentence in complete]
        examples_by_sentence = [examples_of(*item, encoding, labelled=False) for item in zip(complete, pairs)]
        report.sentences += len(sentences)
        for sentence, examples in zip(sentences, examples_by_sentence):
            if len(sentence.entities) > 1:
                report.add_text(examples[0], encoding)
            report.cut_pairs += scorer.model.cut_pairs(examples)
            if UNKNOWN_TYPE in examples[0].types or sentence.tagged is not None:
                _count_unseen(sentence, encoding, report)
        numbered = [(number, example) for number, examples in enumerate(examples_by_sentence) for example in examples]
        batches = list(cut([example.work for _, example in numbered], max_pairs=BATCH_PAIRS, max_tokens=most_tokens(encoding)))
    scores = [np.empty((len(sentence_pairs), len(encoding.labels)), np.float32) for sentence_pairs in pairs]
    for batch in batches:
        rows = score_batch(scorer, [numbered[position][1] for position in batch], report)
        for position in batch:
            number, example = numbered[position]
            count = len(example.places)
            scores[number][example.places] = rows[:count]
            rows = rows[count:]
    return [Scored(*item) for item in zip(sentences, pairs, scores)]


def entities_of(scorer: AnyScorer, entities: Entities | None, *, has_annotator: bool = False) -> Entities:
    """Whose entities are scored. Raises ConfigError for predicted entities of a model that finds none, and for any other word.

    Args: has_annotator: whether something else finds them for the model.
    """
    require(entities is None or entities in ENTITIES, "entities", expected="gold or predicted", got=entities)
    if entities == "predicted" and not scorer.finds_entities and not has_annotator:
        raise ConfigError(
            "entities: expected gold, for a model that finds no entities itself, got predicted; name what finds them (--entities-from), or "
            "train a joint model (`relsift models`)"
        )
    return entities or ("predicted" if scorer.finds_entities else "gold")


def most_tokens(encoding: Encoding) -> int:
    """Of a batch in prediction."""
    return BATCH_TOKENS if encoding.subwords is None else BATCH_PIECES


def find_entities(scorer: AnyScorer, sentences: Sequence[Sentence], report: InferenceReport | None = None) -> list[Sentence]:
    """The sentences with the entities that the model finds, in text order, each with its score, in place of those that they had.

    Annotated relations stay where both of their entities were found, with the same span and type. An ensemble finds the entities that more
    than half of its members find; the score is the mean of theirs.

    Raises: ConfigError for a model that finds no entities.
    """
    report = report if report is not None else InferenceReport()
    entities_of(scorer, "predicted")
    if isinstance(scorer, Ensemble):
        members = enumerate(scorer.members)
        return agreed(sentences, [find_entities(member, sentences, _further(report, number)) for number, member in members])
    found: list[Sentence] = list(sentences)
    for part in _found(scorer, sentences, report):
        for number, sentence in zip(part.numbers, part.sentences):
            found[number] = sentence
    return found


def _found(scorer: Scorer, sentences: Sequence[Sentence], report: InferenceReport) -> Iterator[FoundBatch]:
    encoding = scorer.encoding
    with report.busy("encoding"):
        examples = [examples_of(without_entities(sentence), [], encoding, labelled=False)[0] for sentence in sentences]
        report.sentences += len(sentences)
        for example in examples:
            report.add_text(example, encoding)
        works = [example.work for example in examples]
        batches = list(cut(works, max_pairs=BATCH_PAIRS, max_tokens=most_tokens(encoding), without_pairs=True))
    yield from _tensors().found_in(scorer.model, encoding, scorer.precision, sentences, examples, batches, report)


def _score_found(scorer: AnyScorer, sentences: Sequence[Sentence], report: InferenceReport) -> list[Scored]:
    """`score` of the entities that the model finds. Annotated relations between them become the labels of their pairs."""
    if isinstance(scorer, Ensemble):
        return _mean_scores(scorer, find_entities(scorer, sentences, InferenceReport(seconds=report.seconds)), report)
    model, encoding = scorer.model, scorer.encoding
    result: dict[int, Scored] = {}
    for part in _found(scorer, sentences, report):
        with report.busy("encoding"):
            pairs = [scorer.candidates.pairs(sentence, report.candidates) for sentence in part.sentences]
            examples = [with_entities(*item, encoding) for item in zip(part.examples, part.sentences, pairs)]
        rows = _tensors().related(model, encoding, scorer.precision, part, examples, report)
        if rows is None:
            rows = np.empty((0, len(encoding.labels)), np.float32)
        for number, sentence, sentence_pairs, example in zip(part.numbers, part.sentences, pairs, examples):
            report.cut_pairs += model.cut_pairs([example])
            result[number] = Scored(sentence, sentence_pairs, rows[: len(sentence_pairs)])
            rows = rows[len(sentence_pairs) :]
    return [result[number] for number in range(len(sentences))]


def _mean_scores(ensemble: Ensemble, sentences: Sequence[Sentence], report: InferenceReport) -> list[Scored]:
    """`score` of the entities that are there by every member; the report counts sentences and pairs once, and the time of all."""
    by_member = [score(member, sentences, _further(report, number), entities="gold") for number, member in enumerate(ensemble.members)]
    return [replace(those[0], scores=np.mean([scored.scores for scored in those], axis=0)) for those in zip(*by_member)]


def _further(report: InferenceReport, member: int) -> InferenceReport:
    """The report for a member of an ensemble: the times are those of all, the numbers those of the first one. Args: member: from 0."""
    return report if member == 0 else InferenceReport(seconds=report.seconds)


def score_batch(scorer: Scorer, examples: Sequence[Example], report: InferenceReport) -> Scores:
    """(P, K) scores of every pair, in the order of the examples. Raises ShapeError if the model returns anything else."""
    model = scorer.model
    if isinstance(model, ExportedModel):
        with report.busy("model"):
            return model.scores(examples, scorer.encoding)
    scores: Scores = _tensors().batch_scores(model, scorer.encoding, scorer.precision, examples, report)
    return scores


def _tensors() -> Any:
    """What needs torch, imported when a model does."""
    from relsift import tensor_inference

    return tensor_inference


def _count_unseen(sentence: Sentence, encoding: Encoding, report: InferenceReport) -> None:
    for entity in (*sentence.entities, *(sentence.tagged or ())):
        if encoding.types.id(entity.type) == UNKNOWN_TYPE:
            report.unseen_types[entity.type] = report.unseen_types.get(entity.type, 0) + 1


def predict(
    scorer: AnyScorer,
    decision: Decision,
    sentences: Iterable[Sentence],
    report: InferenceReport | None = None,
    *,
    entities: Entities | None = None,
) -> Iterator[Sentence]:
    """Sentences with the relations that the decision takes, for a stream of any length in bounded memory, in input order.

    If the input is broken, the sentences before that place come first, then the error is raised.

    Args: entities: as of `score`.
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
        for part in _of_few_pairs(block):
            scored = score(scorer, part, report, entities=entities)
            with report.busy("writing"):
                decided = decision.decide_all(scored, scorer.encoding.labels)
            yield from decided
        if broken is None and len(block) < SENTENCES_AT_ONCE:
            return
    raise broken


def _of_few_pairs(block: Sequence[Sentence]) -> Iterator[Sequence[Sentence]]:
    """The block in parts of at most PAIRS_AT_ONCE pairs of their entities; a sentence with more is a part of its own."""
    start = pairs = 0
    for number, sentence in enumerate(block):
        further = len(sentence.entities) * (len(sentence.entities) - 1)
        if number > start and pairs + further > PAIRS_AT_ONCE:
            yield block[start:number]
            start, pairs = number, 0
        pairs += further
    if start < len(block):
        yield block[start:]
