"""One cell: what it is trained on and what it is scored on, without training one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from grids import SMALL, WITH_TAGS, plan_of
from hypothesis import given
from hypothesis import strategies as st

from relsift.candidates import Candidates, Pair
from relsift.corpora.data import resolve
from relsift.decisions.scored import Scored
from relsift.evaluation.scores import PRF, TypeScore
from relsift.evaluation.significance import micro_f1
from relsift.experiments import cell as module
from relsift.experiments.cell import Cell, documents_of, folds_of, left_out, run_cell, sampled, sampled_scores, why_not_trainable
from relsift.experiments.cell_files import read_pack, write_pack
from relsift.experiments.predicted import TaggedFold
from relsift.experiments.result import CellResult, Plan
from relsift.experiments.system import SPTREE, System
from relsift.readers import native
from relsift.readers.base import ReadReport
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.stable_random import stable_integer
from relsift.training.run import RunData
from relsift.writers.native import record_of
from toy import sentences

LABELS = ("kin", "owns")
ENTITIES = tuple(Entity(n, n + 1, "X") for n in range(3))
PAIRS = ((0, 1), (0, 2), (1, 2))  # undirected, in text order


def sentence(name: str, annotated: bool = True) -> Sentence:
    """Three entities; the first two are kin."""
    return Sentence(name, (name, "b", "c"), ENTITIES, (Relation(0, 1, "kin"),) if annotated else None)


def scored(one: Sentence, first: tuple[str, float], others: float) -> Scored:
    """The first pair, gold "kin" where annotated, with its best relation and score; the best of the others is kin."""
    pairs = [Pair(*place, ("kin",) if one.relations and place == (0, 1) else ()) for place in PAIRS]
    scores = np.full((len(PAIRS), len(LABELS)), -9.0, np.float32)
    scores[0, LABELS.index(first[0])] = first[1]
    scores[1:, LABELS.index("kin")] = others
    return Scored(one, pairs, scores)


DEVELOPMENT = [sentence("d1"), sentence("d2"), *(sentence(f"bare{n}", annotated=False) for n in range(20))]
TEST = [sentence("t1"), *(sentence(f"void{n}", annotated=False) for n in range(20)), sentence("t2")]
SCORED_TEST = [
    scored(TEST[0], ("kin", 3.0), 1.6), *(scored(one, ("kin", 4.0), 4.0) for one in TEST[1:-1]), scored(TEST[-1], ("owns", 1.8), 1.6),
]  # fmt: skip


@pytest.mark.parametrize(("ratio", "negatives"), [(0.0, 0), (0.5, 1), (1.0, 2), (2.0, 4), (9.0, 4)])
def test_the_sampled_test_part_is_scored_by_hand(ratio, negatives, monkeypatch):
    # Development: two right ones at 2, negatives at 1, so the threshold is 1.5 (without negatives, 1 below 2). Test: one right at 3, one
    # wrong at 1.8, and every negative that is kept, at 1.6, is spurious; two gold relations. Sentences without annotation count nowhere,
    # high as their scores are.
    def score(scorer: Any, group: list[Sentence]) -> list[Scored]:
        return [scored(one, ("kin", 2.0), 1.0) if one.relations else scored(one, ("kin", 5.0), 5.0) for one in group]

    monkeypatch.setattr(module, "score", score)
    bundle: Any = SimpleNamespace(scorer=None, encoding=SimpleNamespace(labels=LABELS), candidates=Candidates(direction="undirected"))
    result = sampled_scores(bundle, DEVELOPMENT, SCORED_TEST, ratio)
    assert result.per_type == {"kin": TypeScore(1, negatives, 1), "owns": TypeScore(0, 1, 0)}
    assert result.micro == PRF.of(1, 1 + negatives, 1)
    assert result.sentences == 2
    assert result.setting["candidates"] == f"{2 + negatives} kept, {4 - negatives} negatives left out for 1:{ratio:g}"


@given(st.lists(st.lists(st.booleans(), min_size=1, max_size=3), min_size=1, max_size=6), st.sampled_from([0.0, 0.5, 1.0, 1.5, 4.0]))
def test_a_sample_keeps_the_negatives_of_the_lowest_draws_with_their_scores(rows, ratio):
    group = [sentence(f"s{number}") for number in range(len(rows))]
    pairs = [[Pair(*place, ("kin",) if related else ()) for place, related in zip(PAIRS, row)] for row in rows]
    scores = [np.array([[10.0 * n + at, at] for at in range(len(row))], np.float32) for n, row in enumerate(rows)]
    whole = [Scored(one, *rest) for one, *rest in zip(group, pairs, scores)]
    ranks = sorted(
        stable_integer(stable_integer(0, one.id, one.tokens), pair.head, pair.tail)
        for one, row in zip(group, pairs)
        for pair in row
        if not pair.types
    )
    count = int(ratio * sum(map(sum, rows)))
    last = ranks[count - 1] if 0 < count <= len(ranks) else float("inf") if count else -1
    for number, (one, before, after) in enumerate(zip(group, whole, sampled(whole, ratio), strict=True)):
        kept = [
            at for at, pair in enumerate(before.pairs)
            if pair.types or stable_integer(stable_integer(0, one.id, one.tokens), pair.head, pair.tail) <= last
        ]  # fmt: skip
        assert (after.sentence, after.pairs) == (one, [before.pairs[at] for at in kept])
        assert after.scores.tolist() == [[10.0 * number + at, at] for at in kept]


# ---- what it is trained on


def saved(file: Path, group: list[Sentence]) -> Plan:
    """A document a sentence."""
    file.write_text("".join(json.dumps(record_of(s, doc_id=s.id)) + "\n" for s in group), encoding="utf-8")
    return plan_of(file)


class Stop(Exception):
    pass


@pytest.mark.parametrize(
    ("changes", "training", "development"),
    [
        ({}, "gold", "development"), ({"tagger": "test"}, "gold", "tagged development"),
        ({"tagger": "both"}, "tagged", "tagged development"), ({"select_on": "test"}, "gold", "test"),
        ({"select_on": "test", "tagger": "both"}, "tagged", "tagged test"),
    ],
)  # fmt: skip
def test_tags_and_selection_are_those_of_the_system(changes, training, development, tmp_path, monkeypatch):
    plan = saved(tmp_path / "toy.jsonl", sentences(12))
    parts = folds_of(plan)[1].sentences()
    tagged = [[replace(s, tagged=(Entity(0, 1, "PER"),)) for s in part] for part in parts]
    seen: list[RunData] = []

    def stop(config: Any, data: RunData, folder: Path, *, resume: bool, plain: bool) -> None:
        assert plain  # systems are compared by a threshold alone
        seen.append(data)
        raise Stop

    monkeypatch.setattr(module, "tagged_fold", lambda *_: TaggedFold(*tagged, facts={}))
    monkeypatch.setattr(module, "train_run", stop)
    with pytest.raises(Stop):
        run_cell(Cell(replace(WITH_TAGS, **changes), 2, 1), plan, tmp_path)
    named = {"gold": parts[0], "development": parts[1], "test": parts[2]}
    named |= {"tagged": tagged[0], "tagged development": tagged[1], "tagged test": tagged[2]}
    assert seen[0].training == named[training]
    assert seen[0].development == named[development]


def test_what_is_not_annotated_is_left_out_of_the_folds_and_counted(tmp_path):
    group = [replace(s, relations=None) if number < 3 else s for number, s in enumerate(sentences(15))]
    plan = saved(tmp_path / "toy.jsonl", group)
    assert left_out(plan) == [f"3 documents without annotated relations (first: {group[0].id})"]
    assert {d.id for fold in folds_of(plan) for d in fold.test} == {s.id for s in group[3:]}
    report = ReadReport()
    assert len(documents_of(resolve(plan.data), None, report, {})) == 12 and report.dropped.total() == 3


def test_a_model_that_reads_trees_needs_trees_or_a_parser(tmp_path):
    some = saved(tmp_path / "some.jsonl", [replace(s, syntax=None) if number < 3 else s for number, s in enumerate(sentences(12))])
    whole = saved(tmp_path / "all.jsonl", sentences(12))
    assert why_not_trainable(SPTREE, some) == "3 sentences have no dependency trees; name a spaCy pipeline with --set encoding.parser=NAME"
    assert why_not_trainable(SPTREE.with_overrides("encoding.parser=some_pipeline"), some) is None
    assert why_not_trainable(SPTREE, whole) is None
    assert why_not_trainable(System(name="x", title="x", overrides=SMALL), some) is None


def test_predicted_tags_need_spacy(tmp_path, monkeypatch):
    plan = saved(tmp_path / "toy.jsonl", sentences(12))
    tagged = replace(WITH_TAGS, tagger="test")
    monkeypatch.setattr(module, "find_spec", lambda name: None)
    assert why_not_trainable(tagged, plan) == "its tagger needs spaCy: pip install 'relsift[spacy]'"
    assert why_not_trainable(WITH_TAGS, plan) is None
    monkeypatch.setattr(module, "find_spec", lambda name: object())
    assert why_not_trainable(tagged, plan) is None


def test_relations_that_the_reader_lost_are_missed_in_the_fold_that_tests_their_document(tmp_path, monkeypatch):
    plan = saved(tmp_path / "toy.jsonl", sentences(12))
    plain = [run_cell(Cell(System(name="x", title="x", overrides=SMALL), fold, 1), plan, tmp_path / "plain") for fold in (1, 2)]
    module._read.cache_clear()
    read, lossy = native.READER.read, sentences(12)[4].id

    def losing(path: Path, report: ReadReport) -> Iterator[Document]:
        for document in read(path, report):
            if document.id == lossy:
                report.lose_relation("relations across sentences", "x", "lost_type")
                report.lose_relation("relations across sentences", "x", "lost_type")
            yield document

    monkeypatch.setitem(native.READER.__dict__, "read", losing)
    cells = [run_cell(Cell(System(name="x", title="x", overrides=SMALL), fold, 1), plan, tmp_path / "lossy") for fold in (1, 2)]
    module._read.cache_clear()
    (fold,) = [number for number in (0, 1) if lossy in {d.id for d in folds_of(plan)[number].test}]
    assert cells[1 - fold].test == plain[1 - fold].test
    test, before = cells[fold].test, plain[fold].test
    assert test.lost_relations == {"lost_type": 2}
    assert test.per_type == before.per_type | {"lost_type": TypeScore(0, 0, 2)}
    assert cells[fold].curve.gold == plain[fold].curve.gold + 2
    for one, other in zip(cells, plain):
        assert one.counts.sum(axis=0).tolist() == (other.counts.sum(axis=0) + ([0, 0, 2] if one is cells[fold] else [0, 0, 0])).tolist()
        sums = one.counts.sum(axis=0)
        assert micro_f1(sums) == pytest.approx(one.test.micro.f1)
    assert CellResult.load(tmp_path / "lossy" / "cells" / "x" / f"fold{fold + 1}-seed1.json").test == test
    write_pack(tmp_path / "pack", plan, cells)
    assert [cell.test for cell in read_pack(tmp_path / "pack")] == [cell.test for cell in cells]
