"""Relations as a table: with pandas where it is installed, and its rows without it."""

from __future__ import annotations

import importlib.util
import math
import sys
from types import ModuleType
from typing import Any

import pytest

from relsift.errors import ConfigError, DataError
from relsift.integrations.pandas import COLUMNS, to_dataframe
from relsift.schema import Document, Entity, Relation, Sentence

# characters: Bo 0-2, ran 3-6, ". ", Ada 8-11, leads, Acme 18-22
WITH_TEXT = Document(
    "news",
    (
        Sentence("0", ("Bo", "ran"), (Entity(0, 1, "PER"),), (), offsets=((0, 2), (3, 6))),
        Sentence(
            "1", ("Ada", "leads", "Acme"), (Entity(0, 1, "PER", score=0.5), Entity(2, 3, "ORG")), (Relation(0, 1, "leads", 2.0, 0.75),),
            offsets=((8, 11), (12, 17), (18, 22)),
        ),
    ),
    "Bo ran. Ada leads Acme.",
)  # fmt: skip
TOKENS = Document("bare", (Sentence("0", ("Ada", "left", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(1, 0, "lost"),)),))
ROWS = [
    ("news", 1, "Ada", "PER", 8, 11, 0.5, "leads", "Acme", "ORG", 18, 22, None, 2.0, 0.75),
    ("bare", 0, "Acme", "ORG", None, None, None, "lost", "Ada", "PER", None, None, None, None, None),
]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pandas whose frames are dicts of columns, each with its type and values."""
    module: Any = ModuleType("pandas")
    module.Series = lambda values, dtype: (dtype, values)
    module.DataFrame = dict
    monkeypatch.setitem(sys.modules, "pandas", module)


def rows_of(frame: Any) -> list[tuple[Any, ...]]:
    assert [kind for kind, _ in frame.values()] == list(COLUMNS.values())
    return list(zip(*(values for _, values in frame.values())))


def test_each_relation_is_a_row_with_both_entities(stand_in: None):
    frame = to_dataframe([WITH_TEXT, TOKENS])
    assert list(frame) == [
        "document", "sentence", "head_text", "head_type", "head_start", "head_end", "head_score", "relation", "tail_text", "tail_type",
        "tail_start", "tail_end", "tail_score", "score", "probability",
    ]  # fmt: skip
    assert rows_of(frame) == ROWS


def test_one_document_and_lazy_documents_are_taken_and_nothing_gives_an_empty_table(stand_in: None):
    assert rows_of(to_dataframe(WITH_TEXT)) == ROWS[:1]
    assert rows_of(to_dataframe(document for document in (WITH_TEXT, TOKENS))) == ROWS
    for nothing in ([], [Document("d", (), "")], [Document("d", (Sentence("s", ("a",)),))]):
        assert list(to_dataframe(nothing)) == list(COLUMNS)
        assert rows_of(to_dataframe(nothing)) == []


@pytest.mark.parametrize(
    ("documents", "message"),
    [
        ([WITH_TEXT, TOKENS.sentences[0]], r"documents: expected documents, as rx\(items\) .* got Sentence at 1"),
        ("text", "got str at 0"),
        (3, "documents: expected a list of documents, got int"),
    ],
)
def test_anything_but_documents_is_refused(stand_in: None, documents: Any, message: str):
    with pytest.raises(DataError, match=message):
        to_dataframe(documents)


def test_without_pandas_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(ConfigError, match=r"to_dataframe: expected the package pandas, got none .*; pip install pandas"):
        to_dataframe([WITH_TEXT])


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="pandas is not installed")
def test_pandas_has_the_same_rows_with_whole_numbers_and_missing_values():
    frame = to_dataframe([WITH_TEXT, TOKENS])
    assert frame["head_start"].tolist()[0] == 8
    assert frame["head_start"].isna().tolist() == [False, True]
    assert str(frame["head_start"].dtype) == "Int64"
    assert math.isnan(frame["score"].tolist()[1])
    assert frame["document"].tolist() == ["news", "bare"]
    assert to_dataframe([]).dtypes.astype(str).to_dict() == COLUMNS
