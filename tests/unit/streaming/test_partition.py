"""How an input is cut: every document once, in order, whatever the size."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

import toy
from partitioned_work import BROKEN, documents, write
from relsift.annotators.splitters import RulesSplitter
from relsift.errors import ConfigError
from relsift.readers import native
from relsift.readers.base import ReadReport
from relsift.schema import Document
from relsift.streaming.partition import (
    LEAST,
    MOST,
    Partition,
    cut_documents,
    cut_lines,
    cut_rows,
    files_to_cut,
    size_of_partitions,
)

SPLIT = RulesSplitter().split


def read(partitions: list[Partition]) -> tuple[list[Document], list[str]]:
    found, faults = list[Document](), list[str]()
    for partition in partitions:
        report = ReadReport(on_error="skip")
        found += partition.read(report, SPLIT)
        faults += report.faults
    return found, faults


@given(
    size=st.integers(40, 3000), sizes=st.lists(st.integers(1, 6), min_size=1, max_size=8),
    bad=st.lists(st.tuples(st.integers(0, 20), st.sampled_from([BROKEN, "\n", "[]\n", "ä" * 30 + "\n"])), max_size=4),
)  # fmt: skip
def test_partitions_of_lines_hold_the_documents_and_faults_of_the_whole_file(size, sizes, bad):
    with TemporaryDirectory() as folder:
        file = Path(folder) / "in.jsonl"
        write(file, documents(toy.sentences(sum(sizes)), sizes), *bad)
        report = ReadReport(on_error="skip")
        lines = native.numbered_lines(file.read_bytes().splitlines(keepends=True))
        wanted = list(native.read_lines(lines, str(file), report, each_line=True))
        partitions = list(cut_lines([file], size))
        found, faults = read(partitions)
    assert found == wanted
    assert faults == report.faults
    assert [partition.number for partition in partitions] == list(range(len(partitions)))


def test_a_long_document_is_not_cut_and_the_next_partition_begins_behind_it(tmp_path):
    text = write(tmp_path / "in.jsonl", documents(toy.sentences(32), [1, 30, 1]))
    partitions = list(cut_lines([tmp_path / "in.jsonl"], len(text[0])))
    held = [[document.id for document in partition.read(ReadReport(), SPLIT)] for partition in partitions]
    assert [name for names in held for name in names] == ["d0", "d1", "d2"]
    assert partitions[-1].first in (32, 2)  # the last document stands alone, or with the long one


def test_a_file_that_is_one_array_is_one_partition(tmp_path):
    file = tmp_path / "in.jsonl"
    write(file, documents(toy.sentences(4), [2, 2]))
    file.write_text("[" + ",\n".join(file.read_text(encoding="utf-8").splitlines()) + "]\n", encoding="utf-8")
    (partition,) = cut_lines([file], 50)
    assert not partition.each_line
    assert [document.id for document in partition.read(ReadReport(on_error="skip"), SPLIT)] == ["d0", "d1"]


def test_lines_without_an_id_are_named_by_their_place_in_the_file(tmp_path):
    file = tmp_path / "in.jsonl"
    file.write_text("".join(f'{{"tokens": ["w{n}"], "entities": []}}\n' for n in range(1, 31)), encoding="utf-8")
    found, _ = read(list(cut_lines([file], 100)))
    names = [(document.sentences[0].id, document.sentences[0].tokens) for document in found]
    assert names == [(f"in-{n}", (f"w{n}",)) for n in range(1, 31)]


def test_row_groups_of_a_table_are_shared_out_whole(tmp_path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    texts = [f"Ada met Bo in town {number}." for number in range(20)]
    parquet.write_table(pyarrow.table({"text": texts, "page": range(20)}), tmp_path / "in.parquet", row_group_size=5)
    assert files_to_cut(str(tmp_path / "in.parquet")) == ("rows", [tmp_path / "in.parquet"])
    assert files_to_cut(str(tmp_path)) == ("rows", [tmp_path / "in.parquet"])
    partitions = list(cut_rows([tmp_path / "in.parquet"], 1))
    assert [(one.begin, one.end, one.first) for one in partitions] == [(0, 1, 0), (1, 2, 5), (2, 3, 10), (3, 4, 15)]
    found, _ = read(partitions)
    assert [document.text for document in found] == texts


def test_documents_are_carried_in_the_order_they_come(tmp_path):
    those = documents(toy.sentences(12), [1, 5, 2, 4])
    partitions = list(cut_documents(those, 200))
    assert len(partitions) > 1
    assert read(partitions)[0] == those


def test_a_file_that_was_cut_short_is_an_error_and_no_shorter_result(tmp_path):
    file = tmp_path / "in.jsonl"
    write(file, documents(toy.sentences(6), [6]))
    (partition,) = cut_lines([file], 1_000_000)
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(ConfigError, match="that nobody changes, got one that is 5 bytes shorter"):
        list(partition.read(ReadReport(on_error="skip"), SPLIT))


def test_partitions_grow_with_the_input_within_bounds():
    assert [size_of_partitions(total, None) for total in (0, 512 << 20, 1 << 50)] == [LEAST, 2 << 20, MOST]
    assert size_of_partitions(1 << 50, 3.0) == 3_000_000
