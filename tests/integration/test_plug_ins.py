"""Plug-ins: the worked examples of docs/internals and two more, one file and one line of metadata each, used through the command line."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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

TREES = '''
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
[relsift.encoders]
neighbour = toy_encoder:Neighbour

[relsift.annotators]
chain = toy_trees:Chain
"""
KINDS = ("model", "loss", "reader", "writer", "annotator")


def examples() -> tuple[dict[str, str], str]:
    """The worked examples of the documentation (`KINDS`): module -> source, and their entry points as an installed package has them."""
    sources, points = {}, ""
    for kind in KINDS:
        page = (Path(__file__).parents[2] / "docs" / "internals" / f"add_{kind}.md").read_text(encoding="utf-8")
        [sources[f"toy_{kind}"]] = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
        [project] = re.findall(r"^```toml\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
        for group, names in tomllib.loads(project)["project"]["entry-points"].items():
            points += f"\n[{group}]\n" + "".join(f"{key} = {place}\n" for key, place in names.items())
    return sources, points


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder as `pip install` would leave it."""
    folder = tmp_path_factory.mktemp("site")
    sources, points = examples()
    for name, source in (sources | {"toy_encoder": ENCODER, "toy_trees": TREES}).items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    info = folder / "toys-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(ENTRY_POINTS + points, encoding="utf-8")
    return folder


@pytest.fixture
def relsift(site: Path, tmp_path: Path):
    def run(*arguments: str) -> str:
        path = os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))
        command = [sys.executable, "-m", "relsift.cli.main", *arguments]
        environment = os.environ | {"PYTHONPATH": path, "RELSIFT_HOME": str(tmp_path / "home"), "OMP_NUM_THREADS": "1"}
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout + done.stderr if arguments[0] == "convert" else done.stdout

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


def test_a_reader_and_a_writer_of_a_plug_in_convert_and_count(relsift, tmp_path: Path):
    lines = ["s1\tAda founded Acme Ltd\t0-0\t2-3\tfounder_of", "s2\tBo founded Zed\t0-0\t2-9\tfounder_of", "s3\tA | B is C\t0-2\t4-4\tis"]
    (tmp_path / "train.rel").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    target = tmp_path / "train.pairs"
    said = relsift("convert", str(tmp_path / "train.rel"), str(target), "--format", "pairs[separator=bar]", "--on-error", "skip")
    assert target.read_text(encoding="utf-8") == "Ada | founder_of | Acme Ltd\n"
    assert "1 broken sentence" in said and "whose text holds the separator" in said


def test_an_annotator_of_a_plug_in_finds_entities(relsift, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("Acme was founded in 1969 by 300 people.\n", encoding="utf-8")
    relsift("annotate", str(tmp_path / "notes.txt"), "--with", "years:DATE", "--out", str(tmp_path / "notes.jsonl"))
    [line] = (tmp_path / "notes.jsonl").read_text(encoding="utf-8").splitlines()
    assert [(entity["chars"], entity["type"]) for entity in json.loads(line)["entities"]] == [([20, 24], "DATE")]
