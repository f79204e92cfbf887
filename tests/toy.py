"""Invented sentences, encodings and batches for the tests of the layers above the data model."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from relsift.candidates import Candidates
from relsift.config import RunConfig
from relsift.encoding.batch import Batch, collate
from relsift.encoding.encoding import INPUTS, WITHOUT_SUBWORDS, Encoding
from relsift.encoding.example import examples_of
from relsift.encoding.tokenizers import missing_packages
from relsift.schema import ROOT, Entity, Relation, Sentence, Syntax
from toy_transformer import toy_subwords

HAS_TRANSFORMERS = missing_packages() is None

PEOPLE = ("Ada", "Bo", "Cleo", "Dan", "Eve Stone", "Finn")
FIRMS = ("Acme", "Borealis Ltd", "Corax", "Dynamo")
TOWNS = ("Oslo", "Porto", "New Quay", "Riga")
RELATED = {
    "works_for": ("PER", "ORG", ("works for", "joined", "is paid by")),
    "based_in": ("ORG", "LOC", ("has its office in", "moved to", "is run from")),
    "lives_in": ("PER", "LOC", ("lives in", "rents a room in", "settled in")),
}
UNRELATED = ("and", "met nobody from", "has never heard of")
NAMES = {"PER": PEOPLE, "ORG": FIRMS, "LOC": TOWNS}

FOUR = ("works_for", "based_in", "lives_in", None)  # the relations of `four_sentences`; None: annotated, unrelated


def sentence_of(relation: str | None, draw: random.Random, key: str) -> Sentence:
    """Two clauses: one that carries `relation` (or none), and a third entity that is related to neither."""
    first, second, verbs = RELATED[relation or draw.choice(list(RELATED))]
    kinds = (first, second, draw.choice(list(NAMES)))
    words: list[str] = []
    entities: list[Entity] = []
    for kind, link in zip(kinds, (draw.choice(verbs if relation else UNRELATED), "while", ".")):
        name = draw.choice(NAMES[kind]).split(" ")
        entities.append(Entity(len(words), len(words) + len(name), kind))
        words += [*name, *link.split(" ")]
    relations = (Relation(0, 1, relation),) if relation else ()
    return Sentence(key, tuple(words), tuple(entities), relations, syntax=forest(words, key))


def forest(words: Sequence[str], key: str) -> Syntax:
    """Random trees, one or several, of any shape; the same ones for the same words and key. They mean nothing."""
    draw = random.Random(f"{key} {' '.join(words)}")
    order = draw.sample(range(len(words)), len(words))  # a token hangs below an earlier one of this order, so there is no cycle
    heads = [ROOT] * len(words)
    for number, token in enumerate(order):
        if number and draw.random() > 0.1:
            heads[token] = order[draw.randrange(max(0, number - 3), number)]  # deep rather than broad
    dependencies = tuple("root" if head == ROOT else draw.choice(("subject", "object", "modifier", "case")) for head in heads)
    return Syntax(tuple(heads), dependencies, tuple("NAME" if word[0].isupper() else f"W{len(word) % 4}" for word in words))


def sentences(count: int, seed: int = 0) -> list[Sentence]:
    """Sentences that a model can learn from: the verb tells the relation, the entities' types narrow it down."""
    draw = random.Random(seed)
    kinds = [*RELATED, None]
    return [sentence_of(kinds[number % len(kinds)], draw, f"toy-{seed}-{number}") for number in range(count)]


def four_sentences() -> list[Sentence]:
    draw = random.Random(4)
    return [sentence_of(relation, draw, str(relation)) for relation in FOUR]


def one_token() -> Sentence:
    """The smallest sentence with a pair: one token, two entities on it."""
    entities = (Entity(0, 1, "PER"), Entity(0, 1, "ORG"))
    return Sentence("one", ("Ada",), entities, (Relation(0, 1, "works_for"),), syntax=forest(("Ada",), "one"))


def long_sentence(length: int, entities: int, seed: int = 0) -> Sentence:
    """Any number of entities anywhere: nested, overlapping, equal, at the edges, over the whole sentence."""
    draw = random.Random(seed)
    spans = [(0, 1), (length - 1, length), (0, length)][:entities]
    while len(spans) < entities:
        start = draw.randrange(length)
        spans.append((start, draw.randint(start + 1, length)))
    draw.shuffle(spans)
    words = tuple(draw.choice(("the", "of", "joined", "lives", "in", "Ada", "Oslo", "while", "unheard")) for _ in range(length))
    key = f"long-{length}-{seed}"
    return Sentence(key, words, tuple(Entity(*span, draw.choice(list(NAMES))) for span in spans), (), syntax=forest(words, key))


def encoding() -> Encoding:
    """Of all inputs. Without the packages of Hugging Face, of all but the pieces of a transformer."""
    if not HAS_TRANSFORMERS:
        return Encoding.fit(sentences(40), reads=WITHOUT_SUBWORDS)
    return Encoding.fit(sentences(40), reads=INPUTS, subwords=toy_subwords())


def batch_of(group: Sequence[Sentence], known: Encoding, candidates: Candidates | None = None) -> Batch:
    """All candidate pairs of the sentences, unfiltered and directed unless told otherwise."""
    rule = candidates or Candidates()
    return collate([example for sentence in group for example in examples_of(sentence, rule.pairs(sentence), known)], known)


def randomise(model: torch.nn.Module, seed: int = 0, scale: float = 0.5) -> None:
    """Weights large enough that every part of a model shows in its output, biases and norms included."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for weight in model.parameters():
            weight.copy_(torch.randn(weight.shape, generator=generator) * scale)
        for name, buffer in model.named_buffers():
            if buffer.is_floating_point():
                noise = torch.rand(buffer.shape, generator=generator)
                buffer.copy_(noise + 0.5 if "var" in name else noise - 0.5)


def run_config(**training: Any) -> RunConfig:
    """A tiny model with dropout, so that random numbers matter, and a few epochs."""
    return RunConfig.model_validate(
        {
            "model": {
                "preset": None, "word_size": 6, "tag_size": 3, "distance_size": 3, "max_distance": 5,
                "windows": [2, 3], "filters": 4, "hidden": 8, "hidden_dropout": 0.3, "input_dropout": 0.1,
            },
            "training": {
                "epochs": 4, "patience": 100, "batch_pairs": 24, "learning_rate": 0.01, "threads": 1, "unknown_rate": 0.2,
                **training,
            },
        }
    )  # fmt: skip


def same_tensors(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Bit for bit, names included."""
    return list(one) == list(other) and all(torch.equal(one[name], other[name]) for name in one)


@contextmanager
def threads(number: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
