"""What the speed benchmarks measure on: invented sentences of four shapes, and the open corpora that are prepared."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import torch
from measure import invented

from relsift.candidates import Candidates, Direction
from relsift.encoding.batch import Batch, collate, cut
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example, examples_of
from relsift.environment import prepared_corpora
from relsift.inference import BATCH_PAIRS, BATCH_TOKENS
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.training.data import scoring_data, training_data

SHAPES = ((28, 4), (28, 8), (40, 12), (60, 25))  # tokens, entities a sentence
CORPORA: dict[str, Direction] = {"conll04": "directed", "ddi2013": "undirected", "chinese_literature": "directed"}
TITLES = {"conll04": "CoNLL04", "ddi2013": "DDI-2013", "chinese_literature": "Chinese Literature"}


@dataclass(frozen=True)
class Case:
    """Encoded sentences; those without candidate pairs are left out, nothing is computed for them."""

    name: str
    title: str
    examples: list[Example]
    encoding: Encoding

    def model(self) -> MultiTaskCNN:
        """The core model as the paper sizes it (448 channels), the same weights at every call."""
        torch.manual_seed(1)
        return MultiTaskCNN(MultiTaskCNNConfig(), self.encoding).eval()

    def collate(self, numbers: Sequence[int]) -> Batch:
        return collate([self.examples[number] for number in numbers], self.encoding)

    def batches(self, examples: Sequence[Example] | None = None, *, pairs: int = BATCH_PAIRS, tokens: int = BATCH_TOKENS) -> list[Batch]:
        """All examples, or these, as inference cuts them, already tensors."""
        chosen = self.examples if examples is None else examples
        cuts = cut([example.work for example in chosen], max_pairs=pairs, max_tokens=tokens)
        return [collate([chosen[number] for number in numbers], self.encoding) for numbers in cuts]

    def facts(self) -> dict[str, Any]:
        pairs = sum(len(example.heads) for example in self.examples)
        return {
            "name": self.name, "title": self.title, "sentences": len(self.examples), "pairs": pairs,
            "tokens_a_pair": round(pair_tokens(self.examples) / pairs, 2),
            "different_words": len({word for example in self.examples for word in example.words or ()}),
        }  # fmt: skip


def shape_case(tokens: int, entities: int, pairs: int) -> Case:
    """Invented sentences of one shape with about so many pairs: every ordered pair of entities is a candidate."""
    sentences = invented(tokens, entities, -(-pairs // (entities * (entities - 1))))
    encoding = Encoding.fit(sentences, reads=MultiTaskCNN.READS)
    candidates = Candidates(direction="directed")
    examples = [example for sentence in sentences for example in examples_of(sentence, candidates.pairs(sentence), encoding)]
    return Case(f"shape_{tokens}_{entities}", f"{tokens} tokens, {entities} entities", examples, encoding)


def corpus_case(name: str, part: str = "test") -> Case | None:
    """The test or training part of a corpus with the candidates of its training part; None, and a line that says so, if not prepared."""
    if name not in prepared_corpora():
        print(f"{name}: not prepared, left out", flush=True)
        return None
    training = training_data(name).run.training
    encoding = Encoding.fit(training, reads=MultiTaskCNN.READS)
    candidates = Candidates.fit(training, direction=CORPORA[name])
    sentences = training if part == "train" else scoring_data(name).sentences
    examples = [
        example
        for sentence in sentences
        for example in examples_of(sentence, candidates.pairs(sentence), encoding, labelled=part == "train")
    ]
    return Case(f"{name}_{part}", f"{TITLES[name]}, {part}", [example for example in examples if example.heads], encoding)


def pair_tokens(examples: Sequence[Example]) -> int:
    """Tokens that a convolution per pair reads: what its time depends on."""
    return sum(len(example.heads) * example.length for example in examples)


def sample(examples: Sequence[Example], work: int) -> list[Example]:
    """About so many pair tokens of the examples, spread evenly over short and long sentences."""
    order = sorted(examples, key=lambda example: example.length)
    parts = min(len(order), max(1, pair_tokens(order) // work))
    return order[parts // 2 :: parts]


def options(description: str | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a check of a few seconds: figures are printed and not saved")
    return parser.parse_args()


def thread_counts() -> Iterator[int]:
    """1 and 2 threads in turn, where the machine has as many, for torch and the kernels alike."""
    numba.get_num_threads()  # starts Numba's threads, which sets OpenMP's number, and torch's with it, to that of the cores
    for count in (1, 2):
        if count <= (os.cpu_count() or 1):
            torch.set_num_threads(count)
            yield count
            if torch.get_num_threads() != count:
                raise SystemExit(f"expected {count} thread(s), got {torch.get_num_threads()} at the end: the figures are not of {count}")
