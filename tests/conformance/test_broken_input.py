"""What every reader does with input that is broken at one place, hidden, or in another encoding: one odd line never costs a corpus."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport
from relsift.registry import READERS, find
from relsift.schema import Document, sentences_of

READER: list[Reader] = [find("reader", name) for name in READERS if name not in ("spacy", "store")]  # all but those of no text
each = pytest.mark.parametrize("reader", READER, ids=lambda reader: reader.name)


def write(reader: Reader, folder: Path, *, encoding: str = "utf-8", line_end: str = "\n") -> Path:
    for name, text in reader.samples.items():
        (folder / name).write_bytes(text.replace("\n", line_end).encode(encoding))
    return folder


def read(reader: Reader, path: Path, report: ReadReport | None = None, **options: str) -> list[Document]:
    return list(reader.read(path, report if report is not None else ReadReport(), **options))


def faults(text: str) -> Iterator[str]:
    """The text with one fault: a number that is none, negative, huge or missing; a line left out or cut; another value for a string."""
    for match in re.finditer(r"\d+", text):
        for new in ("x", "9" * 5000, "-7", "1e400", ""):
            yield text[: match.start()] + new + text[match.end() :]
    for match in re.finditer(r'"[^"\n]*"', text):
        for new in ('""', "null", "[]"):
            yield text[: match.start()] + new + text[match.end() :]
    lines = text.splitlines(keepends=True)
    for number, line in enumerate(lines):
        yield "".join([*lines[:number], *lines[number + 1 :]])
        yield "".join([*lines[:number], line[: len(line) // 2] + "\n", *lines[number + 1 :]])


@each
def test_stop_raises_the_first_fault_and_skip_lists_it_and_reads_on(reader: Reader, tmp_path: Path):
    folder = write(reader, tmp_path)
    num_refused = 0
    for name, text in reader.samples.items():
        file = folder / name
        target = file if reader.recognises(file) else folder
        for changed in faults(text):
            file.write_text(changed, encoding="utf-8")
            report = ReadReport(on_error="skip")
            kept = read(reader, target, report)
            assert sum(count for reason, count in report.dropped.items() if reason.startswith("broken ")) == len(report.faults)
            try:
                assert read(reader, target) == kept
                assert not report.faults
            except DataError as error:
                num_refused += 1
                assert report.faults[0] == str(error)
                assert re.match(rf"{re.escape(str(folder))}/[^:]*(:\d+)?: .*expected .*, got ", str(error)), str(error)
                assert "\n" not in str(error)
                assert len(str(error)) < 1000
        file.write_text(text, encoding="utf-8")
    assert num_refused > 10 or reader.is_raw


@each
def test_under_skip_sentences_without_the_fault_stay_as_they_are(reader: Reader, tmp_path: Path):
    """The last relation or entity of each sample is broken; what stands before it is read as before."""

    def contents(documents: list[Document]) -> list[tuple[str, ...]]:
        return [sentence.tokens for sentence in sentences_of(documents)]

    folder = write(reader, tmp_path)
    before = contents(read(reader, folder))
    longest = max(len(document.sentences) for document in read(reader, folder)) if reader.name == "native" else 1
    for name, text in reader.samples.items():
        last_number = list(re.finditer(r"(?<=[\[(:\-|\" ])\d+(?=[\])\-|\",])", text))[-1:]
        for match in last_number:
            (folder / name).write_text(text[: match.start()] + "x" + text[match.end() :], encoding="utf-8")
            report = ReadReport(on_error="skip")
            after = contents(read(reader, folder, report))
            if not report.dropped.keys() & {"broken files", "broken documents"}:
                assert len(before) - len(after) <= longest  # a line of text may hold several sentences
        (folder / name).write_text(text, encoding="utf-8")


@each
def test_an_encoding_that_is_named_is_read(reader: Reader, tmp_path: Path):
    plain = read(reader, write(reader, tmp_path))
    assert reader.has_encoding
    assert read(reader, write(reader, tmp_path, encoding="utf-16"), encoding="utf-16") == plain
    if all(name.endswith(".xml") for name in reader.samples):
        assert read(reader, tmp_path) == plain  # as for any XML, the byte-order mark decides
        return
    with pytest.raises(DataError, match=r"it looks like UTF-16: name it with FORMAT\[encoding=utf-16\]:"):
        read(reader, tmp_path)


@each
@pytest.mark.parametrize("line_end", ["\r\n", "\r"])
def test_line_ends_of_other_systems_change_nothing(reader: Reader, tmp_path: Path, line_end: str):
    if reader.name in ("ace2005", "brat") and line_end == "\r\n":
        return  # their offsets count line ends
    def contents(folder: Path) -> list[tuple[object, ...]]:
        return [(sentence.id, sentence.tokens, sentence.entities, sentence.relations) for sentence in sentences_of(read(reader, folder))]

    plain = contents(write(reader, tmp_path))
    assert contents(write(reader, tmp_path, line_end=line_end)) == plain
    assert reader.recognises(tmp_path)


@each
def test_hidden_files_are_no_data(reader: Reader, tmp_path: Path):
    plain = read(reader, write(reader, tmp_path))
    for name in reader.samples:
        (tmp_path / f"._{name}").write_bytes(b"\x00\x05\x16\x07Mac OS X")
        for folder in ("__MACOSX", ".ipynb_checkpoints"):
            (tmp_path / folder).mkdir(exist_ok=True)
            (tmp_path / folder / name).write_bytes(b"\x00")
    report = ReadReport()
    assert reader.recognises(tmp_path)
    assert read(reader, tmp_path, report) == plain
    assert not report.dropped


@pytest.mark.parametrize("reader", [reader for reader in READER if reader.name != "native"], ids=lambda reader: reader.name)
def test_a_text_with_the_character_zero_is_refused_with_its_line(reader: Reader, tmp_path: Path):
    folder = write(reader, tmp_path)
    file = next(folder / name for name in reader.samples if reader.recognises(folder / name))
    file.write_bytes(file.read_bytes()[:-1] + b"\x00\n")
    with pytest.raises(DataError, match=rf"{re.escape(file.name)}:\d+: expected text, got the character U\+0000"):
        read(reader, file)
