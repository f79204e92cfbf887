"""From annotated sentences to training data: symbols, candidate pairs, examples."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from relsift.annotators.base import Addition
from relsift.annotators.trees import pinned, with_trees
from relsift.bundle import inputs_of
from relsift.candidates import CandidateReport, Candidates, Pair, count_of_negatives, kept_negatives, with_kept
from relsift.config import CandidateConfig, RunConfig
from relsift.encoding.encoding import Encoding, no_transformer
from relsift.encoding.example import Example, Work, examples_of
from relsift.encoding.subwords import PieceCounts
from relsift.encoding.tags import BY_PAIR
from relsift.encoding.tokenizers import subwords_of
from relsift.encoding.vectors import first_words
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import ConfigError
from relsift.models.base.joint_model import JointModel
from relsift.models.base.model import RelationModel
from relsift.registry import find
from relsift.schema import Sentence
from relsift.training.example_file import ExampleFile
from relsift.training.on_disk import check_on_disk
from relsift.training.sentence_file import SentenceFile

RARE = 2  # occurrences; a word with fewer in the training data may be shown as unknown
TOKENS_AT_ONCE = 2**16  # tokens of a sentence's readings that stay in one batch: bounds the memory of a sentence of hundreds of entities


@dataclass(frozen=True)
class TrainingSet:
    """All that an epoch trains on."""

    encoding: Encoding
    candidates: Candidates
    annotators: dict[Addition, str]  # by what they added to sentences that lacked it; with versions
    sentences: Sequence[Sentence]  # those with relation annotation
    groups: Sequence[list[Example]]  # examples that stay in one batch: the readings of one sentence
    sentence_of: Sequence[int]  # of each group, its position in `sentences`
    rare_words: frozenset[int]  # rows of the word table, without that of the unknown word
    report: CandidateReport  # of the training pairs
    notes: list[str]  # about the data, for the user

    @property
    def examples(self) -> Sequence[Example]:
        if isinstance(self.groups, ExampleFile):
            return self.groups.examples
        return [example for group in self.groups for example in group]

    def works(self) -> Sequence[Work]:
        """Of each group: the tokens of one reading, or its pieces, and the pairs of all. So every view of the tags has the same batches."""
        if isinstance(self.groups, ExampleFile):
            return self.groups.works()
        return [Work(group[0].work.tokens, sum(example.work.pairs for example in group)) for group in self.groups]


def check_encoder(config: RunConfig) -> None:
    """Raises ConfigError if the model reads a transformer and none is named; before any data is read."""
    if config.encoding.encoder is None and "subwords" in inputs_of(config.model.name, config.model.options):
        raise no_transformer()


def make_training_set(config: RunConfig, training: Sequence[Sentence]) -> TrainingSet:
    """Learn symbols and candidates from the sentences with relation annotation, and encode them; the others are left out.

    Sentences in a file stay there, and their examples go to another one.

    Raises: DataError if there is nothing to learn from; ConfigError for an annotator that is not installed, or a transformer that the
        model does not read.
    """
    model: type[RelationModel[object]] = find("model", config.model.name)
    reads = inputs_of(config.model.name, config.model.options)
    if config.encoding.encoder is not None and "subwords" not in reads:
        own = config.model.options.get("encoder")
        got = config.model.name + ("" if own is None else f" with model.encoder={own}")
        raise ConfigError(
            f"encoding.encoder: expected a model that reads a transformer, got {got}; leave out --encoder, or take another model"
        )
    if (view := config.encoding.tags) != "entities" and ("tags" not in reads or config.model.options.get("tags") is False):
        without_effect = [f"encoding.tags={view} changes nothing: {config.model.name} reads no tags with these options"]
    else:
        without_effect = []
    if issubclass(model, JointModel) and config.encoding.tags in BY_PAIR:
        got = f"{config.encoding.tags!r}, which needs the pair"
        raise ConfigError(f"encoding.tags: expected a view of all entities, for a model that finds them itself, got {got}")
    filed = training if isinstance(training, SentenceFile) else None
    if filed is not None:
        check_on_disk(config)
    annotated = [s for s in training if s.relations is not None] if filed is None else filed.annotated()
    annotators: dict[Addition, str] = {}
    if "trees" in reads:  # parsed once, not in every epoch
        parser = pinned(config.encoding.parser)
        annotated = with_trees(annotated, parser)
        annotators |= {} if parser is None else {"trees": parser}
    e, rule = config.encoding, config.candidates
    encoding = Encoding.fit(
        annotated, reads=reads, unit=model.UNIT, lowercase=e.lowercase, min_count=e.min_count, tags=e.tags, tags_seed=e.tags_seed,
        further=first_words(Path(e.vectors), e.vectors_words) if e.vectors is not None and e.vectors_words and "words" in reads else (),
        subwords=None if e.encoder is None or "subwords" not in reads else subwords_of(e.encoder),
    )  # fmt: skip
    candidates = Candidates.fit(
        annotated,
        direction=rule.direction,
        type_filter=rule.type_filter,
        max_distance=rule.max_distance,
        order_leak=rule.order_leak,
        window=rule.window,
    )
    pairs, report, notes = _training_pairs(rule, candidates, annotated)
    encoded = _Encoded(annotated, pairs, encoding)
    groups = list(encoded.groups()) if filed is None else ExampleFile(encoded.groups(), filed.folder)
    num_further = encoded.relations - report.positive
    if num_further and not model.several_labels(model.Config.from_dict(config.model.options)):
        notes.append(f"{num_further} training relations are further ones of their pair: the losses of this model learn one relation a pair")
    notes += [*_few_negatives(config.training.negatives, report), *_piece_notes(groups, encoding), *without_effect]
    rare_words = _rare_words(annotated, encoding)
    return TrainingSet(encoding, candidates, annotators, annotated, groups, encoded.sentence_of, rare_words, report, notes)


def with_found_pairs(training_set: TrainingSet, found: Sequence[Sentence], rule: CandidateConfig, *, in_place: bool) -> TrainingSet:
    """The training set with the pairs of entities that a model found, beside those of the annotated ones.

    Args: found: the sentences of the training set with found entities, in order. in_place: leave out the pairs of annotated entities;
        those sentences then stay without pairs, since their entities are learned. If not in place, a sentence in which just the annotated
        entities were found is not added: it would only count twice.
    """
    encoding, sentences = training_set.encoding, list(training_set.sentences)
    pairs, report, notes = _training_pairs(rule, training_set.candidates, found)
    groups, sentence_of = list(training_set.groups), list(training_set.sentence_of)
    if in_place:
        groups = [[replace(example, heads=[], tails=[], labels=[], places=[]) for example in group] for group in groups]
    for annotated, sentence, sentence_pairs in zip(training_set.sentences, found, pairs, strict=True):
        if sentence_pairs and (in_place or _entity_keys(sentence) != _entity_keys(annotated)):
            (example,) = examples_of(sentence, sentence_pairs, encoding)
            groups.append([replace(example, annotated=False)])
            sentence_of.append(len(sentences))
            sentences.append(sentence)
    notes = [*notes, f"{len(sentences) - len(found)} of these sentences are trained on with the entities found in them"]
    report = report if in_place else training_set.report
    return replace(
        training_set, sentences=sentences, groups=groups, sentence_of=sentence_of, report=report, notes=[*training_set.notes, *notes]
    )


def _entity_keys(sentence: Sentence) -> set[tuple[int, int, str]]:
    return {(entity.start, entity.end, entity.type) for entity in sentence.entities}


class _Encoded:
    """Sentences as groups of examples, made one after the other, and what is counted meanwhile."""

    def __init__(self, sentences: Sequence[Sentence], pairs: Iterable[list[Pair]], encoding: Encoding) -> None:
        """Args: pairs: of each sentence."""
        self._sentences, self._pairs, self._encoding = sentences, pairs, encoding
        self.sentence_of = array("Q")  # of each group so far, the position of its sentence
        self.relations = 0  # labels so far

    def groups(self) -> Iterator[list[Example]]:
        for number, item in enumerate(zip(self._sentences, self._pairs)):
            for group in _together(examples_of(*item, self._encoding)):
                self.sentence_of.append(number)
                self.relations += sum(len(example.labels) for example in group)
                yield group


def _training_pairs(
    rule: CandidateConfig, candidates: Candidates, sentences: Sequence[Sentence]
) -> tuple[Iterator[list[Pair]], CandidateReport, list[str]]:
    """The pairs of each sentence to train on, their numbers, and notes for the user. The numbers are right once the pairs were read."""
    report = CandidateReport()
    pairs = (candidates.pairs(sentence, report) for sentence in sentences)
    if rule.negatives is None:
        return pairs, report, []
    kept = kept_negatives(pairs, sentences, rule.negatives, rule.negatives_seed)
    ratio, left_out = report.ratio(), kept.count(0)
    too_few = not left_out and report.negative < int(rule.negatives * report.positive)
    note = f"candidates.negatives: expected related to unrelated pairs 1:{rule.negatives:g}, the training data has {ratio}: all are kept"
    report.leave_out_negatives(left_out)
    again = (candidates.pairs(sentence) for sentence in sentences)
    return with_kept(again, kept), report, [note] if too_few else []


def _few_negatives(ratio: float | None, report: CandidateReport) -> list[str]:
    if ratio is None or count_of_negatives(ratio, report.positive) < report.negative:
        return []
    has = f"expected fewer unrelated pairs than the training data has, got 1:{ratio:g} where it has {report.ratio()}"
    return [f"training.negatives: {has}: every epoch has all"]


def _rare_words(sentences: Sequence[Sentence], encoding: Encoding) -> frozenset[int]:
    """Rows of the words that occur fewer than RARE times. A sentence counts once, however many readings it has."""
    if encoding.words is None:
        return frozenset()
    counts = Counter(word for sentence in sentences for word in encoding.words.ids(sentence.tokens))
    return frozenset(word for word, count in counts.items() if count < RARE and word != UNKNOWN_WORD)


def _piece_notes(groups: Sequence[Sequence[Example]], encoding: Encoding) -> list[str]:
    """What the tokenizer of a transformer does not know of the training sentences; each is counted once."""
    subwords, counts = encoding.subwords, PieceCounts()
    if subwords is None:
        return []
    for group in groups:
        if (pieces := group[0].pieces) is not None:
            counts.add(pieces, subwords)
    notes = [f"training: {line}" for line in counts.lines()]
    if counts.longer:
        notes.append(
            f"{counts.longer} of {counts.sentences} training sentences have more than the {subwords.room} pieces that the encoder reads at "
            "once: they are read in windows that overlap"
        )
    return notes


def _together(examples: list[Example]) -> list[list[Example]]:
    """The readings of one sentence as one group, or as several of at most TOKENS_AT_ONCE tokens."""
    size = max(1, TOKENS_AT_ONCE // examples[0].length)
    return [examples[start : start + size] for start in range(0, len(examples), size)]
