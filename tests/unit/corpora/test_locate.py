"""Raw files are found by name or by checksum, and never taken if they are not the right ones."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest
from small_corpus import small_corpus, write_raw

from relsift.corpora.locate import locate
from relsift.errors import DataError
from relsift.files import file_sha256, folder_sha256, joint_sha256


@pytest.mark.parametrize("below", ["", "raw", "small", "small/raw"])
def test_the_user_may_name_the_raw_folder_or_one_above_it(tmp_path: Path, below: str):
    raw = write_raw(tmp_path / "named" / below)
    places = locate(small_corpus(raw), tmp_path / "named")
    assert places == {"sentences.jsonl": raw / "sentences.jsonl", "held": raw / "held"}


def test_files_called_otherwise_are_found_by_checksum(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    corpus = small_corpus(raw)
    shutil.copytree(raw / "held", tmp_path / "archive-1/data/Test Set/notes")
    shutil.copy(raw / "sentences.jsonl", tmp_path / "archive-1/TRAIN.jsonl")
    assert locate(corpus, tmp_path / "archive-1") == {
        "sentences.jsonl": tmp_path / "archive-1/TRAIN.jsonl",
        "held": tmp_path / "archive-1/data/Test Set/notes",
    }


def test_a_right_copy_below_wins_over_a_wrong_one_by_name(tmp_path: Path):
    raw = write_raw(tmp_path / "first")
    corpus = small_corpus(raw)
    shutil.copytree(raw, tmp_path / "second")
    (raw / "sentences.jsonl").write_text("{}", encoding="utf-8")
    assert locate(corpus, tmp_path)["sentences.jsonl"] == tmp_path / "second/sentences.jsonl"


@pytest.mark.parametrize("changed", ["sentences.jsonl", "held/one.ann"])
def test_a_changed_file_is_named_with_both_checksums(tmp_path: Path, changed: str):
    raw = write_raw(tmp_path / "raw")
    corpus = small_corpus(raw)
    (raw / changed).write_text("changed", encoding="utf-8")
    place = raw / changed.split("/")[0]
    got = file_sha256(place) if place.is_file() else folder_sha256(place, (".ann", ".txt"))
    expected = {input.path: input.sha256 for input in corpus.raw}[place.name]
    with pytest.raises(DataError) as raised:
        locate(corpus, raw)
    assert str(raised.value).startswith(f"{place}: expected sha256 {expected}, got {got}; it was changed")


def test_what_is_missing_is_named(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    corpus = small_corpus(raw)
    shutil.rmtree(raw / "held")
    with pytest.raises(DataError, match=r"held not found; get them from https://example\.org/small\.zip"):
        locate(corpus, raw)
    with pytest.raises(DataError, match="got a path that does not exist"):
        locate(corpus, tmp_path / "nowhere")
    with pytest.raises(DataError, match="got a file"):
        locate(corpus, raw / "sentences.jsonl")


def test_a_folder_digest_counts_names_and_contents_of_the_wanted_files_only(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    before = folder_sha256(raw / "held", (".ann", ".txt"))
    (raw / "held/.DS_Store").write_text("x")
    assert folder_sha256(raw / "held", (".ann", ".txt")) == before != folder_sha256(raw / "held")
    (raw / "held/one.txt").rename(raw / "held/three.txt")
    assert folder_sha256(raw / "held", (".ann", ".txt")) != before


def test_a_joint_digest_is_that_of_its_sorted_lines():
    assert joint_sha256({"b": "2", "a": "1"}) == hashlib.sha256(b"a\t1\nb\t2\n").hexdigest()
