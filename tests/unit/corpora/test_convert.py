"""Data written in another format."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_corpus import SENTENCES, write_raw

from relsift.corpora.convert import convert, writer_for
from relsift.corpora.data import resolve
from relsift.errors import ConfigError, DataError
from relsift.readers.base import ReadReport
from relsift.schema import sentences_of
from relsift.writers import html, native


def test_a_file_becomes_a_file(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    target = tmp_path / "new/notes.jsonl"
    report = ReadReport()
    assert convert(resolve(str(raw / "held")), target, native.WRITER, report) == [target]
    before = list(sentences_of(resolve(str(raw / "held")).documents()))
    after = list(sentences_of(resolve(str(target)).documents()))
    assert after == before
    assert report.dropped == {"normalisations": 1}
    assert [child.name for child in target.parent.iterdir()] == ["notes.jsonl"]


def test_parts_become_files_of_a_folder(tmp_path: Path):
    files = convert(resolve("gazette-zh"), tmp_path / "zh", native.WRITER, ReadReport())
    assert [file.name for file in files] == ["train.jsonl", "dev.jsonl", "test.jsonl"]
    assert resolve(str(tmp_path / "zh")).splits == ("train", "dev", "test")
    before, after = (list(sentences_of(resolve(name).documents("dev"))) for name in ("gazette-zh", str(tmp_path / "zh")))
    assert after == before


def test_parts_are_not_mixed_in_one_file(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"expected a folder for data with parts .* such as gazette-en/train"):
        convert(resolve("gazette-en"), tmp_path / "all.jsonl", native.WRITER, ReadReport())
    assert not list(tmp_path.iterdir())


def test_broken_data_leaves_no_half_written_file(tmp_path: Path):
    source, target = tmp_path / "source.jsonl", tmp_path / "target.jsonl"
    source.write_text(SENTENCES + "{", encoding="utf-8")
    target.write_text("kept", encoding="utf-8")
    with pytest.raises(DataError):
        convert(resolve(str(source)), target, native.WRITER, ReadReport())
    assert target.read_text(encoding="utf-8") == "kept"
    assert sorted(child.name for child in tmp_path.iterdir()) == ["source.jsonl", "target.jsonl"]


def test_the_format_is_told_by_the_name(tmp_path: Path):
    assert writer_for(tmp_path / "x.jsonl", None) is native.WRITER
    assert writer_for(tmp_path / "x.html", None) is html.WRITER
    assert writer_for(tmp_path / "folder", None) is native.WRITER
    assert writer_for(tmp_path / "x.page", "html") is html.WRITER
    with pytest.raises(ConfigError, match=r"expected a name that ends with one of \.jsonl \(native\), .* got '\.zip'"):
        writer_for(tmp_path / "x.zip", None)
    with pytest.raises(ConfigError, match="did you mean native"):
        writer_for(tmp_path / "x.jsonl", "nativ")
