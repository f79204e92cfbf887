"""Entities predicted by a tagger, as tags for a relation model, so that its tags have as many errors as in practice.

The tagger is a small spaCy pipeline (a convolutional encoder, a transition-based decoder), trained from random weights on the training
sentences of the relation model. The training sentences themselves are tagged by jack-knife: each by a tagger that was not trained on its
document, nor on a document that shares a long sentence with it (see `relsift.corpora.groups`). So their tags have as many errors as those
of other text.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from relsift.annotators.base import Addition, Annotator
from relsift.corpora.groups import folds_of
from relsift.errors import ConfigError, DataError, require
from relsift.evaluation.scores import PRF
from relsift.schema import Entity, Sentence
from relsift.text import is_mostly_cjk

VERSION = 2  # raised when the same sentences get other tags than before
FOLDS = 5
EPOCHS = 12
BATCH = 16  # sentences
DROPOUT = 0.2
_ENCODER = {
    "@architectures": "spacy.HashEmbedCNN.v2", "width": 64, "depth": 2, "embed_size": 2000, "window_size": 1, "maxout_pieces": 3,
    "subword_features": True, "pretrained_vectors": None,
}  # fmt: skip
_MODEL = {
    "@architectures": "spacy.TransitionBasedParser.v2", "state_type": "ner", "extra_state_tokens": False, "hidden_width": 64,
    "maxout_pieces": 2, "use_upper": True, "nO": None, "tok2vec": _ENCODER,
}  # fmt: skip


@dataclass(frozen=True)
class PredictedTags:
    """The sentences with `tagged` set, and the scores of these tags."""

    training: list[Sentence]
    others: list[Sentence]
    training_score: PRF  # of `training`: tags against annotated entities, by span and type
    others_score: PRF  # of `others`
    overlapping: int  # annotated training entities that no tagger learned from, since they overlap a longer one


def predicted_tags(
    training: Sequence[Sentence], others: Sequence[Sentence], *, folds: int = FOLDS, seed: int = 1, language: str | None = None
) -> PredictedTags:
    """Tag `others` by a tagger trained on `training`, and `training` by jack-knife over its documents: `folds` + 1 taggers are trained.

    Args:
        folds: of the jack-knife, >= 2.
        language: spaCy's code, such as en or zh; None: zh if most tokens are Chinese, else en.
    Raises: ConfigError if spaCy is not installed; DataError for training sentences without entities, or with fewer documents than folds.
    """
    if importlib.util.find_spec("spacy") is None:
        raise ConfigError("experiments.tagger: expected spaCy, which is not installed: pip install 'relsift[spacy]'")
    require(folds >= 2, "experiments.tagger: folds", expected="a number >= 2", got=folds)
    language = language or _language(training)
    fold_of = folds_of(training, folds, seed, error_of="tagger")
    tagged_of: dict[int, Sentence] = {}
    for held_out in range(folds):
        tagger = Tagger.train([s for s, sentence_fold in zip(training, fold_of) if sentence_fold != held_out], language, seed)
        numbers = [number for number, sentence_fold in enumerate(fold_of) if sentence_fold == held_out]
        tagged_of |= zip(numbers, tagger.annotate([training[number] for number in numbers]), strict=True)
    tagged_training = [tagged_of[number] for number in range(len(training))]
    tagged_others = Tagger.train(training, language, seed).annotate(others)
    overlapping = sum(len(s.entities) - len(_without_overlaps(s.entities)) for s in training)
    return PredictedTags(tagged_training, tagged_others, tag_score(tagged_training), tag_score(tagged_others), overlapping)


def tag_score(sentences: Sequence[Sentence]) -> PRF:
    """Precision, recall and F1 of `tagged` against `entities`, by span and type."""
    num_correct = num_tagged = num_gold = 0
    for sentence in sentences:
        gold, tagged = ({(e.start, e.end, e.type) for e in entities} for entities in (sentence.entities, sentence.tagged or ()))
        num_correct, num_tagged, num_gold = num_correct + len(gold & tagged), num_tagged + len(tagged), num_gold + len(gold)
    return PRF.of(num_correct, num_tagged - num_correct, num_gold - num_correct)


class Tagger(Annotator):
    """A trained spaCy pipeline. Its labels are numbers of entity types, since spaCy's labels cannot hold every character."""

    ADDS: ClassVar[Addition] = "tags"

    def __init__(self, pipeline: Any, types: Sequence[str]) -> None:
        self.pipeline = pipeline
        self.types = types

    @classmethod
    def train(cls, sentences: Sequence[Sentence], language: str, seed: int) -> Tagger:
        """Train a tagger; the same sentences and seed give the same one. The states of all random generators are restored."""
        import spacy
        from spacy.training import Example

        types = sorted({entity.type for sentence in sentences for entity in sentence.entities})
        if not types:
            raise DataError(f"tagger: expected training sentences with entities, got {len(sentences)} sentences without any")
        with _seeded(seed):
            tagger = cls(spacy.blank(language), types)
            tagger.pipeline.add_pipe("ner", config={"model": _MODEL})
            examples = [Example(tagger._doc(s), tagger._annotated(s)) for s in sentences]
            optimiser = tagger.pipeline.initialize(lambda: examples)
            for _ in range(EPOCHS):
                random.shuffle(examples)
                for start in range(0, len(examples), BATCH):
                    tagger.pipeline.update(examples[start : start + BATCH], sgd=optimiser, drop=DROPOUT)
        return tagger

    @property
    def spec(self) -> str:
        """Kind and version; there is no argument, since a tagger cannot be saved and found again."""
        return f"tagger:{VERSION}"

    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """The same sentences with `tagged` set, also in place of tags that they had."""
        return [replace(sentence, tagged=entities) for sentence, entities in zip(sentences, self.tag(sentences), strict=True)]

    def tag(self, sentences: Sequence[Sentence]) -> Iterator[tuple[Entity, ...]]:
        """The predicted entities of each sentence, in text order, without overlaps."""
        for doc in self.pipeline.pipe(map(self._doc, sentences)):
            yield tuple(Entity(span.start, span.end, self.types[int(span.label_)]) for span in doc.ents)

    def _doc(self, sentence: Sentence) -> Any:
        from spacy.tokens import Doc

        # spaCy refuses entities that begin or end with a blank token, so "_" replaces it here.
        return Doc(self.pipeline.vocab, words=["_" if token.isspace() else token for token in sentence.tokens])

    def _annotated(self, sentence: Sentence) -> Any:
        from spacy.tokens import Span

        doc = self._doc(sentence)
        spans = [Span(doc, e.start, e.end, label=str(self.types.index(e.type))) for e in _without_overlaps(sentence.entities)]
        doc.set_ents(spans, default="outside")
        return doc


def _without_overlaps(entities: Sequence[Entity]) -> list[Entity]:
    """The entities but those that overlap a longer (or an earlier equally long) one, as in `relsift.encoding.tags`."""
    covered: set[int] = set()
    kept = []
    for entity in sorted(entities, key=lambda e: (e.start - e.end, e.start)):
        tokens = range(entity.start, entity.end)
        if covered.isdisjoint(tokens):
            covered.update(tokens)
            kept.append(entity)
    return kept


def _language(sentences: Sequence[Sentence]) -> str:
    return "zh" if is_mostly_cjk([token for sentence in sentences for token in sentence.tokens]) else "en"


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Seed the global generators of Python, numpy and torch, which spaCy uses, and restore their states afterwards."""
    from thinc.api import fix_random_seed

    torch: Any = sys.modules.get("torch")  # if torch is imported, fix_random_seed seeds it too
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    fix_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch is not None:
            torch.set_rng_state(before[2])
