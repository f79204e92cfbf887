"""Annotated sentences as what a model is trained on: symbols, candidate pairs, examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from relsift.annotators.base import Addition
from relsift.annotators.trees import pinned, with_trees
from relsift.candidates import CandidateReport, Candidates, Pair, sample_negatives
from relsift.config import CandidateConfig, RunConfig
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example, Work, examples_of
from relsift.encoding.words import UNKNOWN_WORD
from relsift.models.base.model import RelationModel
from relsift.registry import find
from relsift.schema import Sentence

RARE = 2  # a word seen fewer times than this in training may be shown as unknown
TOKENS_AT_ONCE = 2**16  # of the readings of one sentence that stay in one batch: bounds the memory of a sentence of hundreds of entities


@dataclass(frozen=True)
class TrainingSet:
    encoding: Encoding
    candidates: Candidates
    annotators: dict[Addition, str]  # what added that which the sentences lacked, with versions
    groups: list[list[Example]]  # examples that stay in one batch: the readings of one sentence
    rare_words: frozenset[int]  # rows of the word table that few tokens have, the unknown word's aside
    report: CandidateReport
    notes: list[str]  # what the user has to know of the data

    @property
    def examples(self) -> list[Example]:
        return [example for group in self.groups for example in group]

    def works(self) -> list[Work]:
        """Of each group: the tokens of one reading, and the pairs of all, so that batches have the same pairs whatever the tags show."""
        return [Work(group[0].length, sum(example.work.pairs for example in group)) for group in self.groups]


def make_training_set(config: RunConfig, training: Sequence[Sentence]) -> TrainingSet:
    """Learn symbols and candidates from the sentences with relation annotation, and encode them; the others are left out.

    Raises: DataError if there is nothing to learn from; ConfigError for an annotator that is not installed.
    """
    model: type[RelationModel[object]] = find("model", config.model.name)
    annotated = [sentence for sentence in training if sentence.relations is not None]
    annotators: dict[Addition, str] = {}
    if "trees" in model.READS:  # once, not in every epoch
        parser = pinned(config.encoding.parser)
        annotated = with_trees(annotated, parser)
        annotators |= {} if parser is None else {"trees": parser}
    e, rule = config.encoding, config.candidates
    encoding = Encoding.fit(
        annotated, reads=model.READS, unit=model.UNIT, lowercase=e.lowercase, min_count=e.min_count, tags=e.tags, tags_seed=e.tags_seed
    )
    candidates = Candidates.fit(
        annotated,
        direction=rule.direction,
        type_filter=rule.type_filter,
        max_distance=rule.max_distance,
        order_leak=rule.order_leak,
    )
    pairs, report, notes = _training_pairs(rule, candidates, annotated)
    further = sum(len(pair.types) - 1 for sentence_pairs in pairs for pair in sentence_pairs if pair.types)
    if further and not model.SEVERAL_LABELS:
        notes.append(f"{further} training relations are further ones of their pair: the losses of this model learn one relation a pair")
    groups = [group for item in zip(annotated, pairs) for group in _together(examples_of(*item, encoding))]
    return TrainingSet(encoding, candidates, annotators, groups, _rare_words(annotated, encoding), report, notes)


def _training_pairs(
    rule: CandidateConfig, candidates: Candidates, sentences: Sequence[Sentence]
) -> tuple[list[list[Pair]], CandidateReport, list[str]]:
    """The pairs to train on, of each sentence, what was counted on the way, and what the user has to know of them."""
    report = CandidateReport()
    pairs = [candidates.pairs(sentence, report) for sentence in sentences]
    if rule.negatives is None:
        return pairs, report, []
    ratio = report.ratio()
    sampled = sample_negatives(pairs, sentences, rule.negatives, rule.negatives_seed, report)
    few = report.dropped["negative not sampled"] == 0 and report.negative < int(rule.negatives * report.positive)
    note = f"candidates.negatives: expected related to unrelated pairs 1:{rule.negatives:g}, the training data has {ratio}: all are kept"
    return sampled, report, [note] if few else []


def _rare_words(sentences: Sequence[Sentence], encoding: Encoding) -> frozenset[int]:
    """By sentence, not by example: however many readings a sentence has, its words stand in it once."""
    if encoding.words is None:
        return frozenset()
    counts = Counter(word for sentence in sentences for word in encoding.words.ids(sentence.tokens))
    return frozenset(word for word, count in counts.items() if count < RARE and word != UNKNOWN_WORD)


def _together(examples: list[Example]) -> list[list[Example]]:
    """The readings of one sentence in one group; in several where they have more than TOKENS_AT_ONCE tokens."""
    size = max(1, TOKENS_AT_ONCE // examples[0].length)
    return [examples[start : start + size] for start in range(0, len(examples), size)]
