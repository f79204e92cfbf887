"""`Extract` without Ray: what it makes of the batches that Ray Data gives it."""

from __future__ import annotations

import doctest
import json

import numpy as np
import pytest

import relsift.integrations.ray
import relsift.streaming.partitioned
import toy
from partitioned_work import documents, save_model
from relsift.errors import ConfigError
from relsift.extractor import RelationExtractor
from relsift.integrations import ray_cluster
from relsift.integrations.ray import Extract
from relsift.writers.native import lines

pyarrow = pytest.importorskip("pyarrow")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return save_model(tmp_path_factory.mktemp("extract") / "model")


@pytest.fixture(autouse=True)
def _without_compiling(monkeypatch):
    monkeypatch.setenv("RELSIFT_KERNEL", "torch")


def native_lines(count: int) -> list[str]:
    return [line for document in documents(toy.sentences(count), [1] * count) for line in lines(document)]


def test_lines_of_json_come_out_as_the_extractor_predicts_them(model):
    text = native_lines(12)
    found = Extract(str(model), lines="text")({"text": np.array(text, dtype=object)})
    wanted = [list(lines(document)) for document in RelationExtractor.from_pretrained(model).documents(map(json.loads, text))]
    assert [row.split("\n") for row in found.column("json").to_pylist()] == wanted
    assert found.column("error").null_count == 12


def test_columns_are_records_and_other_columns_stay(model):
    records = [json.loads(line) for line in native_lines(3)]
    batch = {
        "id": np.array([record["id"] for record in records], dtype=object), "page": np.array([7, 8, 9]),
        "tokens": np.array([np.array(record["tokens"], dtype=object) for record in records] + [None], dtype=object)[:3],
        "entities": np.array([record["entities"] for record in records] + [None], dtype=object)[:3],
    }  # fmt: skip
    extract = Extract(str(model))
    as_numpy, as_table = extract(batch), extract(pyarrow.table({name: [r[name] for r in records] for name in ("id", "tokens", "entities")}))
    assert as_numpy.column("page").to_pylist() == [7, 8, 9]
    assert as_numpy.column("document").to_pylist() == [record["id"] for record in records]
    assert as_numpy.column("relations").to_pylist() == as_table.column("relations").to_pylist()
    assert all(len(relations) > 0 for relations in as_table.column("relations").to_pylist())


def test_a_bad_row_has_an_error_and_the_others_their_results(model):
    good = native_lines(2)
    found = Extract(str(model), lines="text")(pyarrow.table({"text": [good[0], '{"tokens": [', None, good[1], "[1]", '{"id": "x"}']}))
    errors = found.column("error").to_pylist()
    assert [error is None for error in errors] == [True, False, False, True, False, False]
    assert errors[1].startswith("row 1: expected one JSON object a line")
    assert errors[2] == "row 2: expected a line of JSON, got NoneType"
    assert [rows is None for rows in found.column("relations").to_pylist()] == [False, True, True, False, True, True]


def test_what_is_predicted_together_is_cut_by_tokens(model, monkeypatch):
    monkeypatch.setattr("relsift.integrations.ray.TOKENS_AT_ONCE", 20)
    text, sizes = native_lines(10), []
    extract = Extract(str(model), lines="text")
    predicted = extract._predicted
    monkeypatch.setattr(extract, "_predicted", lambda block: sizes.append(len(block)) or predicted(block))
    found = extract(pyarrow.table({"text": text}))
    tokens = [len(json.loads(line)["tokens"]) for line in text]
    assert sum(sizes) == 10
    assert len(sizes) > 2
    assert all(sum(tokens[sum(sizes[:n]) : sum(sizes[: n + 1]) - 1]) < 20 for n in range(len(sizes)))
    assert found.column("json").null_count == 0


def test_a_batch_without_the_named_column_is_refused(model):
    with pytest.raises(ConfigError, match="lines: expected the name of a column, one of body, got 'text'"):
        Extract(str(model), lines="text")(pyarrow.table({"body": ["x"]}))
    with pytest.raises(ConfigError, match=r"batch: expected a table of pyarrow, .* got list"):
        Extract(str(model))([1])


def test_the_examples_of_the_documentation_hold():
    for module in (relsift.integrations.ray, relsift.streaming.partitioned):
        results = doctest.testmod(module)
        assert (results.failed, results.attempted > 0) == (0, True), module


def test_without_ray_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(ConfigError, match=r"^--ray: expected the package ray, got none; pip install 'relsift\[ray\]'$"):
        ray_cluster.require_ray()
