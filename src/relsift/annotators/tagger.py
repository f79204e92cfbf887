"""Entities as a tagger finds them, to show a relation model tags that are wrong as often as they would be in practice.

The tagger is a small spaCy pipeline (one convolutional encoder, one transition-based decoder) that starts from nothing and is trained on
the relation model's own training sentences. These are tagged by jack-knife, each by a tagger that has seen neither its document nor
another one with a long sentence of it (`folds.group_documents`), so that their tags are as noisy as those of other text.
"""

from __future__ import annotations

import importlib.util
import random
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from relsift.corpora.groups import group_documents
from relsift.errors import ConfigError, DataError, require
from relsift.evaluation.scores import PRF
from relsift.schema import Document, Entity, Sentence, is_cjk
from relsift.stable_random import stable_integer

VERSION = 2  # rises when the same sentences would be tagged otherwise than before
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
    """The sentences with `tagged` set, and how right it is: F1 of entities, span and type, against all annotated ones.

    overlapping: annotated entities of the training sentences that no tagger was taught, since a longer one lies on their tokens.
    """

    training: list[Sentence]
    others: list[Sentence]
    training_score: PRF
    others_score: PRF
    overlapping: int


def predicted_tags(
    training: Sequence[Sentence], others: Sequence[Sentence], *, folds: int = FOLDS, seed: int = 1, language: str | None = None
) -> PredictedTags:
    """Tag `others` by a tagger trained on `training`, and `training` by jack-knife over its documents: `folds` + 1 trainings.

    Args:
        language: spaCy's code, such as en or zh; None: zh if most tokens are Chinese, else en.
    Raises: ConfigError if spaCy is not installed; DataError for training sentences without entities, or with fewer documents than folds.
    """
    if importlib.util.find_spec("spacy") is None:
        raise ConfigError("experiments.tagger: expected spaCy, which is not installed: pip install 'relsift[spacy]'")
    require(folds >= 2, "experiments.tagger: folds", expected="a number >= 2", got=folds)
    language = language or _language(training)
    fold = _folds(training, folds, seed)
    found: dict[int, tuple[Entity, ...]] = {}
    for held in range(folds):
        tagger = Tagger.train([s for s, its in zip(training, fold) if its != held], language, seed)
        numbers = [number for number, its in enumerate(fold) if its == held]
        found |= zip(numbers, tagger.tag([training[number] for number in numbers]), strict=True)
    inside = [replace(sentence, tagged=found[number]) for number, sentence in enumerate(training)]
    tags = Tagger.train(training, language, seed).tag(others)
    outside = [replace(sentence, tagged=its) for sentence, its in zip(others, tags, strict=True)]
    overlapping = sum(len(s.entities) - len(_side_by_side(s.entities)) for s in training)
    return PredictedTags(inside, outside, tag_score(inside), tag_score(outside), overlapping)


def tag_score(sentences: Sequence[Sentence]) -> PRF:
    """Precision, recall and F1 of `tagged` against `entities`: right is what has the same span and type."""
    right = found = wanted = 0
    for sentence in sentences:
        gold, tagged = ({(e.start, e.end, e.type) for e in its} for its in (sentence.entities, sentence.tagged or ()))
        right, found, wanted = right + len(gold & tagged), found + len(tagged), wanted + len(gold)
    return PRF.of(right, found - right, wanted - right)


class Tagger:
    """A trained spaCy pipeline. Entity types go by number inside it: spaCy's labels may not hold every character."""

    def __init__(self, pipeline: Any, types: Sequence[str]) -> None:
        self.pipeline = pipeline
        self.types = types

    @classmethod
    def train(cls, sentences: Sequence[Sentence], language: str, seed: int) -> Tagger:
        """The same tagger for the same sentences and seed; the state of all random generators is put back afterwards."""
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

    def tag(self, sentences: Sequence[Sentence]) -> Iterator[tuple[Entity, ...]]:
        """The entities found in each sentence, in text order, side by side."""
        for doc in self.pipeline.pipe(map(self._doc, sentences)):
            yield tuple(Entity(span.start, span.end, self.types[int(span.label_)]) for span in doc.ents)

    def _doc(self, sentence: Sentence) -> Any:
        from spacy.tokens import Doc

        # spaCy lets no entity begin or end with a blank; what stands for one here is seen by nobody else.
        return Doc(self.pipeline.vocab, words=["_" if token.isspace() else token for token in sentence.tokens])

    def _annotated(self, sentence: Sentence) -> Any:
        from spacy.tokens import Span

        doc = self._doc(sentence)
        spans = [Span(doc, e.start, e.end, label=str(self.types.index(e.type))) for e in _side_by_side(sentence.entities)]
        doc.set_ents(spans, default="outside")
        return doc


def _side_by_side(entities: Sequence[Entity]) -> list[Entity]:
    """Of entities that overlap the longest (then the first), as tags show them."""
    taken: set[int] = set()
    kept = []
    for entity in sorted(entities, key=lambda e: (e.start - e.end, e.start)):
        tokens = range(entity.start, entity.end)
        if taken.isdisjoint(tokens):
            taken.update(tokens)
            kept.append(entity)
    return kept


def _folds(sentences: Sequence[Sentence], folds: int, seed: int) -> list[int]:
    """The fold of each sentence: documents that hold the same text stay together, and folds have about as many sentences."""
    documents: dict[str, list[int]] = {}
    for number, sentence in enumerate(sentences):
        documents.setdefault(sentence.doc_id or sentence.id, []).append(number)
    groups = group_documents([Document(name, tuple(sentences[number] for number in its)) for name, its in documents.items()])
    if len(groups) < folds:
        raise DataError(
            f"tagger: expected training sentences of at least {folds} documents, one a fold, got {len(groups)}; "
            "those that share sentences count as one"
        )
    result, sizes = [0] * len(sentences), [0] * folds
    for group in sorted(groups, key=lambda group: stable_integer(seed, group[0].id)):
        fold = sizes.index(min(sizes))
        for document in group:
            sizes[fold] += len(document.sentences)
            for number in documents[document.id]:
                result[number] = fold
    return result


def _language(sentences: Sequence[Sentence]) -> str:
    tokens = [token for sentence in sentences for token in sentence.tokens]
    return "zh" if 2 * sum(is_cjk(token[0]) for token in tokens) > len(tokens) else "en"


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """spaCy draws from the global generators of Python, numpy and torch: they are seeded, and put back afterwards."""
    from thinc.api import fix_random_seed

    torch: Any = sys.modules.get("torch")  # spaCy's library seeds it if it is loaded
    before = random.getstate(), np.random.get_state(), torch and torch.get_rng_state()
    fix_random_seed(seed)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        if torch is not None:
            torch.set_rng_state(before[2])
