"""A model, an encoder, a loss and an annotator of somebody else: one file and one line of metadata each, used through the command line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MODEL = '''
"""Bag of words between two entities, a toy."""
from dataclasses import dataclass

import torch
from torch import nn

from relsift.encoders.base import make_encoder
from relsift.models.base.model import Preset
from relsift.models.base.pair_classifier import PairClassifier, PairClassifierConfig


@dataclass(frozen=True, kw_only=True)
class BagConfig(PairClassifierConfig):
    word_size: int = 8
    tag_size: int = 4


class Bag(PairClassifier):
    Config = BagConfig
    PRESETS = {"paper": Preset("nobody")}
    SUMMARY = "mean of the sentence's tokens ++ the two entities' first tokens"
    READS = frozenset({"words", "tags", "spans"})

    def __init__(self, config, encoding):
        super().__init__(config, encoding)
        self.embed = make_encoder(config.encoder, encoding, word_size=config.word_size, tag_size=config.tag_size if config.tags else None)
        self.classifier = self.make_classifier(3 * self.embed.size, len(encoding.labels))

    @property
    def encoder(self):
        return self.embed

    def forward(self, batch):
        x = self.embed.padded(batch) * batch.mask[:, :, None]
        mean = x.sum(dim=1) / batch.lengths[:, None]
        pairs, first = batch.pairs, batch.entities.span[:, 0]
        ends = [x[pairs.sentence, first[entity]] for entity in (pairs.head, pairs.tail)]
        return self.classifier(torch.cat([mean[pairs.sentence], *ends], dim=1))
'''

ENCODER = '''
"""A word and its left neighbour: features that depend on the sentence."""
import torch
from torch import nn

from relsift.encoders.base import TokenEncoder


class Neighbour(TokenEncoder):
    def __init__(self, encoding, *, word_size, tag_size, dropout=0.0):
        super().__init__(encoding, word_size=word_size, tag_size=tag_size, dropout=dropout)
        self.table = nn.Embedding(encoding.words.num_rows, word_size)
        self.size = self.word_size = word_size

    def features(self, batch):
        x = self.table(batch.words)
        left = torch.nn.functional.pad(x, (0, 0, 1, 0))[:, :-1]
        return (x + left)[batch.mask]
'''

LOSS = '''
"""Logistic regression of each relation by itself."""
from dataclasses import dataclass

from torch.nn.functional import binary_cross_entropy_with_logits

from relsift.losses.base import PairLoss


@dataclass(frozen=True)
class Logistic(PairLoss):
    SUMMARY = "each relation by itself"
    SEVERAL_LABELS = True
    NONE_COLUMN = False

    def loss(self, logits, labels):
        self.require_shapes(logits, labels)
        return binary_cross_entropy_with_logits(logits, labels.to(logits))

    def scores(self, logits):
        return logits
'''

ANNOTATOR = '''
"""Every token hangs on the one before it."""
from dataclasses import replace

from relsift.annotators.base import NamedAnnotator
from relsift.schema import Syntax


class Chain(NamedAnnotator):
    ADDS = "trees"

    def __init__(self, label):
        self.label = label

    @classmethod
    def named(cls, argument):
        return cls(argument)

    @property
    def spec(self):
        return f"chain:{self.label}"

    def annotate(self, sentences):
        return [s if s.syntax is not None else replace(s, syntax=self._chain(len(s.tokens))) for s in sentences]

    def _chain(self, size):
        return Syntax(tuple(range(-1, size - 1)), (self.label,) * size, ("X",) * size)
'''

ENTRY_POINTS = """
[relsift.models]
bag = toy_model:Bag

[relsift.encoders]
neighbour = toy_encoder:Neighbour

[relsift.losses]
logistic = toy_loss:Logistic

[relsift.annotators]
chain = toy_annotator:Chain
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder as `pip install` would leave it."""
    folder = tmp_path_factory.mktemp("site")
    for name, source in (("toy_model", MODEL), ("toy_encoder", ENCODER), ("toy_loss", LOSS), ("toy_annotator", ANNOTATOR)):
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    info = folder / "toys-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS, encoding="utf-8")
    return folder


@pytest.fixture
def relsift(site: Path, tmp_path: Path):
    def run(*arguments: str) -> str:
        path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "relsift.cli.main", *arguments]
        environment = os.environ | {"PYTHONPATH": path, "RELSIFT_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    "settings",
    [
        ["--model", "bag", "--set", "model.encoder=neighbour", "--set", "model.classification=logistic"],
        ["--model", "eatt_bigru", "--set", "model.encoder=neighbour"],
        ["--model", "sptree", "--set", "encoding.parser=chain:after"],
    ],
    ids=["model-with-encoder-and-loss", "encoder", "annotator"],
)
def test_a_plug_in_is_trained_saved_evaluated_and_predicts(settings, relsift, tmp_path: Path):
    run = tmp_path / "run"
    relsift("train", "--data", "gazette-en/dev", "--dev", "gazette-en/test", "--out", str(run), "--set", "training.epochs=1", *settings)
    scores = json.loads(relsift("evaluate", str(run), "--data", "gazette-en", "--json"))
    relsift("predict", str(run), "gazette-en/test", "--out", str(tmp_path / "predicted.jsonl"))
    lines = [json.loads(line) for line in (tmp_path / "predicted.jsonl").read_text(encoding="utf-8").splitlines()]
    num_predicted = sum(len(line["relations"]) for line in lines)
    assert num_predicted == sum(counts["tp"] + counts["fp"] for counts in scores["per_type"].values())
    if "sptree" in settings:  # a model remembers its annotator
        assert json.loads((run / "model" / "annotators.json").read_text(encoding="utf-8")) == {"trees": "chain:after"}


def test_plug_ins_are_listed(relsift):
    listing = relsift("models")
    assert "bag: " in listing and "model.classification=logistic: each relation by itself" in listing
