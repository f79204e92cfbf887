"""The cache of parses: what is put in comes out, and what is broken is reported and given up."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from relsift.annotators.tree_cache import TreeCache
from relsift.schema import Syntax

ADA, ZHANG = ("Ada", "left"), ("张伟", "left", ".")
TREES = {ADA: Syntax((1, -1), ("subject", "root"), ("N", "V")), ZHANG: Syntax((1, -1, 1), ("主语", "root", "punct"), ("NR", "V", "."))}


def cache(folder: Path, version: str = "1.0") -> TreeCache:
    return TreeCache("en", version, "3.8", folder)


def test_trees_come_out_as_they_went_in(tmp_path: Path):
    cache(tmp_path).put(TREES)
    assert cache(tmp_path).get([ADA, ZHANG, ADA, ("Bo",)]) == TREES


def test_nothing_is_known_before_anything_was_parsed_and_asking_makes_no_file(tmp_path: Path):
    assert cache(tmp_path).get([ADA]) == {}
    assert list(tmp_path.iterdir()) == []


def test_another_version_of_the_parser_has_trees_of_its_own(tmp_path: Path):
    cache(tmp_path).put(TREES)
    assert cache(tmp_path, "1.1").get([ADA]) == {}


def test_tokens_that_read_the_same_are_told_apart(tmp_path: Path):
    cache(tmp_path).put({("a b",): Syntax((-1,), ("root",), ("N",))})
    assert cache(tmp_path).get([("a", "b")]) == {}


@pytest.mark.parametrize(
    "row", ["", "{}", "[[1, -1]", "[[1, 0], [\"a\", \"b\"], [\"N\", \"V\"]]", "[[-1], [\"a\"], [\"N\"]]", "[[1, \"x\"], [], []]"]
)
def test_a_broken_row_is_reported_and_may_be_replaced(row, tmp_path: Path):
    cache(tmp_path).put(TREES)
    with sqlite3.connect(cache(tmp_path).file) as database:
        database.execute("UPDATE trees SET tree = ? WHERE tree LIKE '%subject%'", (row,))
    database.close()
    with pytest.warns(UserWarning, match="'Ada left' is parsed again: broken row"):
        assert cache(tmp_path).get([ADA, ZHANG]) == {ZHANG: TREES[ZHANG]}
    cache(tmp_path).put({ADA: TREES[ADA]})
    assert cache(tmp_path).get([ADA]) == {ADA: TREES[ADA]}


def test_a_file_that_is_no_database_is_reported_and_begun_again(tmp_path: Path):
    cache(tmp_path).file.write_text("not a database " * 100)
    with pytest.warns(UserWarning, match="expected a cache of parses, got file is not a database; it is begun again"):
        assert cache(tmp_path).get([ADA]) == {}
    cache(tmp_path).put(TREES)
    assert cache(tmp_path).get([ADA]) == {ADA: TREES[ADA]}


def test_a_file_that_cannot_be_opened_is_no_broken_one(tmp_path: Path):
    cache(tmp_path).file.mkdir()
    with pytest.warns(UserWarning, match="expected a file that can be read and written"):
        cache(tmp_path).put(TREES)
    assert cache(tmp_path).file.is_dir()


def test_a_place_that_cannot_be_written_costs_the_cache_and_not_the_trees(tmp_path):
    (tmp_path / "file").write_text("x")
    cache = TreeCache("en", "1.0", "3.8", tmp_path / "file" / "below")  # a folder below a file cannot be made
    with pytest.warns(UserWarning, match="expected a place to keep parses, got Not a directory; these 1 sentences will be parsed again"):
        cache.put({("Ada",): Syntax((-1,), ("root",), ("N",))})
    assert cache.get([("Ada",)]) == {}
