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


def test_odd_but_right_files_are_read(tmp_path: Path):
    """A mark, other line ends, blanks on the line between sentences, and no line end after the last token."""
    lines = ["# text = Ada runs", "1\tAda\t_\tX\t_\t_\t2\tnsubj\t_\t_", "2\truns\t_\tX\t_\t_\t0\troot\t_\t_"]
    plain = "\n".join([*lines, "", *lines])
    expected = None
    others = [plain.replace("\n", "\r\n"), plain.replace("\n\n", "\n  \n"), plain + "\n\n\n"]
    for number, text in enumerate([plain, "\ufeff" + plain, *others]):
        (tmp_path / f"{number}.conllu").write_bytes(text.encode())
        trees = list(read_trees(tmp_path / f"{number}.conllu"))
        assert [tokens for tokens, _ in trees] == [("Ada", "runs")] * 2
        expected = expected or trees
        assert trees == expected


def test_a_chain_of_a_hundred_thousand_heads_is_a_tree_and_a_ring_is_not(tmp_path: Path):
    size = 100_000
    rows = [f"{token}\ta\t_\tX\t_\t_\t{token + 1 if token < size else 0}\td\t_\t_\n" for token in range(1, size + 1)]
    (tmp_path / "a.conllu").write_text("".join(rows), encoding="utf-8")
    ((tokens, _),) = read_trees(tmp_path / "a.conllu")
    assert len(tokens) == size
    (tmp_path / "b.conllu").write_text("".join(rows).replace("\t0\td", "\t1\td"), encoding="utf-8")
    with pytest.raises(DataError, match="expected trees, got a cycle of heads through tokens") as caught:
        list(read_trees(tmp_path / "b.conllu"))
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("number", ["9" * 5000, "9" * 30, "٣", "-1", "1.5"])
def test_heads_that_are_no_token_are_refused_in_one_short_line(tmp_path: Path, number: str):
    (tmp_path / "a.conllu").write_text(f"1\tAda\t_\tX\t_\t_\t{number}\tnsubj\t_\t_\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"a\.conllu:1: ") as caught:
        list(read_trees(tmp_path / "a.conllu"))
    assert len(str(caught.value)) < 400
