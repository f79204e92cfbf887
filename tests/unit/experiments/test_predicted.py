"""A fold's predicted tags: computed once, kept, and never those of other sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from grids import plan_of, write_sentences

from relsift.annotators.tagger import PredictedTags
from relsift.errors import DataError
from relsift.evaluation.scores import PRF
from relsift.experiments import predicted
from relsift.experiments.cell import folds_of
from relsift.experiments.predicted import tagged_fold
from relsift.schema import Entity, Sentence


@pytest.fixture
def plan(tmp_path):
    return plan_of(write_sentences(tmp_path / "toy.jsonl"))


@pytest.fixture
def calls(monkeypatch) -> list[dict[str, Any]]:
    """The tagger's calls. It tags the token of each sentence's number among those of its part, modulo three."""

    def tagged(group: Sequence[Sentence], kind: str) -> list[Sentence]:
        return [replace(s, tagged=(Entity(n % 3, n % 3 + 1, kind),) if n else ()) for n, s in enumerate(group)]

    def tags(training: Sequence[Sentence], others: Sequence[Sentence], **options: Any) -> PredictedTags:
        calls.append({"training": list(training), "others": list(others), **options})
        return PredictedTags(tagged(training, "PER"), tagged(others, "ORG"), PRF.of(3, 1, 1), PRF.of(1, 1, 1), 4)

    calls: list[dict[str, Any]] = []
    monkeypatch.setattr(predicted, "predicted_tags", tags)
    return calls


def test_each_part_gets_its_own_tags_and_they_are_computed_once(plan, calls, tmp_path):
    fold = folds_of(plan)[1]
    training, development, test = fold.sentences()
    first = tagged_fold(fold, plan, tmp_path)
    assert calls == [{"training": training, "others": [*development, *test], "seed": plan.fold_seed + 1, "language": plan.language}]
    for given, sentences_with_tags, kind, number in (
        (training, first.training, "PER", 0), (development, first.development, "ORG", 0), (test, first.test, "ORG", len(development))
    ):  # fmt: skip
        assert [replace(s, tagged=None) for s in sentences_with_tags] == given
        wanted = [(Entity(n % 3, n % 3 + 1, kind),) if n else () for n in range(number, number + len(given))]
        assert [s.tagged for s in sentences_with_tags] == wanted
    assert first.facts["training"] == {"precision": 0.75, "recall": 0.75, "f1": 0.75}
    assert first.facts["elsewhere"]["f1"] == 0.5 and first.facts["overlapping"] == 4
    assert tagged_fold(fold, plan, tmp_path) == first
    assert len(calls) == 1
    assert [file.name for file in (tmp_path / "tagged").iterdir()] == ["fold2.json"]


def test_tags_of_other_data_or_of_the_same_data_cut_in_another_way_are_refused(plan, calls, tmp_path):
    fold = folds_of(plan)[0]
    tagged_fold(fold, plan, tmp_path)
    refused = r"fold1\.json: expected the tags of this fold, got those of other sentences or of an older tagger; delete the file"
    for other_fold, other_plan in (
        (fold, replace(plan, checksum="another")),
        (replace(fold, test=fold.test[1:]), plan),
        (replace(fold, training=fold.training[::-1]), plan),  # as many sentences of the same data
        (replace(fold, training=fold.development, development=fold.training), plan),
    ):
        with pytest.raises(DataError, match=refused):
            tagged_fold(other_fold, other_plan, tmp_path)
    assert len(calls) == 1


def test_tags_of_an_older_tagger_are_refused(plan, calls, tmp_path, monkeypatch):
    fold = folds_of(plan)[0]
    tagged_fold(fold, plan, tmp_path)
    monkeypatch.setattr("relsift.experiments.predicted.VERSION", 10**6)
    with pytest.raises(DataError, match=r"fold1\.json: expected the tags of this fold, got those of .*an older tagger; delete the file"):
        tagged_fold(fold, plan, tmp_path)
    assert len(calls) == 1
