"""CoNLL-U as a source of trees: columns, passed-over lines, and what is broken."""

from __future__ import annotations

from pathlib import Path

import pytest

from relsift.errors import DataError
from relsift.readers.conllu import read_trees
from relsift.schema import Syntax


def line(number: object, form: str, head: object, label: str = "dep", upos: str = "NOUN", xpos: str = "_") -> str:
    return "\t".join((str(number), form, form, upos, xpos, "_", str(head), label, "_", "_"))


def written(path: Path, *lines: str) -> Path:
    file = path / "trees.conllu"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_heads_are_counted_from_zero_and_the_finer_part_of_speech_is_taken(tmp_path: Path):
    file = written(
        tmp_path, "# text = 张伟 left", line(1, "张伟", 2, "nsubj", xpos="NR"), line(2, "left", 0, "root", "VERB"), "", "",
        line(1, "Go", 0, "root"),
    )  # fmt: skip
    assert list(read_trees(file)) == [
        (("张伟", "left"), Syntax((1, -1), ("nsubj", "root"), ("NR", "VERB"))),
        (("Go",), Syntax((-1,), ("root",), ("NOUN",))),
    ]


def test_multi_word_tokens_and_empty_nodes_are_no_nodes(tmp_path: Path):
    file = written(tmp_path, line("1-2", "dunno", "_"), line(1, "do", 0), line(2, "not", 1), line("2.1", "know", "_"), line(3, "know", 1))
    assert [tokens for tokens, _ in read_trees(file)] == [("do", "not", "know")]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["1 Ada"], ":1: expected 10 columns with tabs between, got 1"),
        ([line(1, "Ada", 0), line(3, "ran", 1)], ":2: expected token 2, got '3'"),
        ([line(1, "Ada", "_")], ":1: expected a form and a number as head, got 'Ada' and '_'"),
        (["", line(1, "Ada", 2), line(2, "ran", 1)], ":2: syntax, token 0: expected trees, got a cycle"),
        ([line(1, "Ada", 5)], ":1: syntax, token 0: expected another token"),
    ],
)
def test_what_is_broken_is_named_with_its_line(lines, message, tmp_path: Path):
    with pytest.raises(DataError, match=message):
        list(read_trees(written(tmp_path, *lines)))
