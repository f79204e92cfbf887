"""Preparing a corpus: read, split, written whole or not at all, and described."""

from __future__ import annotations

import http.client
import io
import json
import urllib.error
import zipfile
from dataclasses import replace
from email.message import Message
from pathlib import Path

import pytest
from small_corpus import ids_in, small_corpus, write_raw

from relsift.corpora.catalogue import GAZETTE_EN
from relsift.corpora.prepare import prepare
from relsift.errors import DataError
from relsift.files import file_sha256


def test_splits_options_and_counts(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    corpus = small_corpus(raw)
    folder = prepare(corpus, source=raw, home=tmp_path / "home")
    assert folder == tmp_path / "home/corpora/small"
    assert ids_in(folder / "train.jsonl") == ["s0", "s1", "s2", "s3"]
    assert ids_in(folder / "dev.jsonl") == ["s4"]
    assert json.loads((folder / "test.jsonl").read_text(encoding="utf-8"))["tokens"] == list("BoleftLund.")
    description = json.loads((folder / "corpus.json").read_text(encoding="utf-8"))
    assert description["splits"]["train"] == {
        "file": "train.jsonl", "sha256": file_sha256(folder / "train.jsonl"),
        "documents": 4, "sentences": 4, "entities": 8, "relations": 4,
    }  # fmt: skip
    assert description["inputs"] == {input.path: input.sha256 for input in corpus.raw}
    assert description["dropped"] == {"normalisations": 1, "documents without entities": 1}
    assert (description["licence"], description["source"]) == ("CC0 1.0", "tests")


def test_relations_across_sentences_are_described_as_left_out_and_not_written(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    (raw / "held/one.txt").write_text("Bo left Lund. Al stays.", encoding="utf-8")
    with (raw / "held/one.ann").open("a", encoding="utf-8") as notes:
        notes.write("T4\tPER 14 16\tAl\nR2\tknows Arg1:T1 Arg2:T4\n")
    folder = prepare(small_corpus(raw), source=raw, home=tmp_path)
    assert json.loads((folder / "corpus.json").read_text(encoding="utf-8"))["dropped"]["relations across sentences"] == 1
    assert "across" not in (folder / "test.jsonl").read_text(encoding="utf-8")


def test_preparing_again_replaces_the_folder(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    folder = prepare(small_corpus(raw), source=raw, home=tmp_path)
    (folder / "train.jsonl").write_text("changed", encoding="utf-8")
    prepare(small_corpus(raw), source=raw, home=tmp_path)
    assert len(ids_in(folder / "train.jsonl")) == 4
    assert [child.name for child in folder.parent.iterdir()] == ["small"]


def test_a_broken_raw_file_leaves_what_was_there_and_nothing_half_made(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    folder = prepare(small_corpus(raw), source=raw, home=tmp_path)
    (raw / "held/one.ann").write_text("T1\tPER 0 99\tBo\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"one\.ann:1"):
        prepare(small_corpus(raw), source=raw, home=tmp_path)
    assert len(ids_in(folder / "train.jsonl")) == 4
    assert [child.name for child in folder.parent.iterdir()] == ["small"]


def test_a_shipped_corpus_needs_no_preparing(tmp_path: Path):
    with pytest.raises(DataError, match="gazette-en: expected a corpus to prepare, got one that ships with relsift"):
        prepare(GAZETTE_EN, source=None, home=tmp_path)


class _Answer(io.BytesIO):
    """What urlopen returns."""

    def __init__(self, content: bytes) -> None:
        super().__init__(content)
        self.headers = Message()
        self.headers["Content-Length"] = str(len(content))


def _serve(monkeypatch: pytest.MonkeyPatch, content: bytes | Exception) -> list[str]:
    asked = []

    def urlopen(request, timeout):
        asked.append(request.full_url)
        if isinstance(content, Exception):
            raise content
        return _Answer(content)

    monkeypatch.setattr("urllib.request.urlopen", urlopen)
    return asked


def test_without_a_source_the_archive_is_downloaded_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    raw = write_raw(tmp_path / "raw")
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for file in sorted(raw.rglob("*.*")):
            archive.write(file, f"small-1f3c/{file.relative_to(raw)}")
    asked = _serve(monkeypatch, packed.getvalue())
    seen: list[tuple[str, int, int | None]] = []
    folder = prepare(small_corpus(raw), source=None, home=tmp_path, progress=lambda *step: seen.append(step))
    assert asked == ["https://example.org/small.zip"]
    assert len(ids_in(folder / "train.jsonl")) == 4
    size = len(packed.getvalue())
    assert ("downloading", size, size) in seen
    assert ("reading", 6, None) in seen


@pytest.mark.parametrize("problem", [urllib.error.URLError("no route"), TimeoutError("timed out"), ConnectionResetError("reset")])
def test_a_failed_download_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception):
    corpus = small_corpus(write_raw(tmp_path / "raw"))
    _serve(monkeypatch, problem)
    with pytest.raises(DataError, match=r"^https://example\.org/small\.zip: .*`relsift corpora prepare small --from DIR`$"):
        prepare(corpus, source=None, home=tmp_path)
    assert not list((tmp_path / "corpora").iterdir())


def test_a_page_instead_of_an_archive_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    corpus = small_corpus(write_raw(tmp_path / "raw"))
    _serve(monkeypatch, b"<html>gone</html>")
    with pytest.raises(DataError, match="expected a whole zip archive, got something else"):
        prepare(corpus, source=None, home=tmp_path)


def test_a_download_that_ends_early_is_named_with_both_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    class Short(_Answer):
        def __init__(self, content: bytes) -> None:
            super().__init__(content)
            self.headers.replace_header("Content-Length", "100")

    monkeypatch.setattr("urllib.request.urlopen", lambda request, timeout: Short(b"PK"))
    with pytest.raises(DataError, match=r"expected 100 bytes, got 2; the connection ended early"):
        prepare(small_corpus(write_raw(tmp_path / "raw")), source=None, home=tmp_path)


@pytest.mark.parametrize("problem", [http.client.IncompleteRead(b""), http.client.BadStatusLine("?"), OSError(28, "No space left")])
def test_a_broken_answer_and_a_full_disk_say_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception):
    _serve(monkeypatch, problem)
    with pytest.raises(DataError, match=r"^https://example\.org/small\.zip: .*`relsift corpora prepare small --from DIR`$"):
        prepare(small_corpus(write_raw(tmp_path / "raw")), source=None, home=tmp_path)


def test_a_home_that_cannot_be_written_is_one_line_that_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    raw = write_raw(tmp_path / "raw")
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="Not a directory"):
        prepare(small_corpus(raw), source=raw, home=tmp_path / "file")

    def write_on_a_full_disk(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("relsift.writers.native.write", write_on_a_full_disk)
    with pytest.raises(DataError, match=r"corpora/small: .*No space left on device; set \$RELSIFT_HOME"):
        prepare(small_corpus(raw), source=raw, home=tmp_path)
    assert not list((tmp_path / "corpora").iterdir())


def test_only_https_is_fetched_and_a_corpus_without_a_page_asks_for_a_folder(tmp_path: Path):
    corpus = small_corpus(write_raw(tmp_path / "raw"))
    with pytest.raises(DataError, match="expected an https address"):
        prepare(replace(corpus, download="file:///etc/passwd"), source=None, home=tmp_path)
    with pytest.raises(DataError, match="small: expected --from DIR"):
        prepare(replace(corpus, download=None), source=None, home=tmp_path)
