"""What every registered reader does: it reads its own samples, knows them from those of others, and refuses anything broken.

A new reader is tested here by its line in the registry alone.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.corpora.data import recognise, resolve
from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport
from relsift.registry import READERS, find
from relsift.schema import Document, Sentence, sentences_of
from relsift.writers.native import lines

READER: list[Reader] = [find("reader", name) for name in READERS]
TEXT_READER = [reader for reader in READER if all(isinstance(text, str) for text in reader.samples.values())]
each = pytest.mark.parametrize("reader", READER, ids=lambda reader: reader.name)
SOME = settings(max_examples=40)


def write(reader: Reader, folder: Path, **changed: bytes) -> Path:
    """The samples as files of an empty folder; `changed` by name, dots as two underscores."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in reader.samples.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(changed.get(name.replace(".", "__"), text if isinstance(text, bytes) else text.encode()))
    return folder


def read(reader: Reader, path: Path, **options: str) -> tuple[list[Document], ReadReport]:
    report = ReadReport()
    return list(reader.read(path, report, **options)), report


def sample_files(reader: Reader, folder: Path) -> list[Path]:
    """The samples that can be named to the reader by themselves."""
    return [folder / name for name in reader.samples if reader.recognises(folder / name)]


# ---- samples ----------------------------------------------------------------------------------------------------------------


@each
def test_reads_its_samples_with_default_options_and_drops_nothing(reader: Reader, tmp_path: Path):
    documents, report = read(reader, write(reader, tmp_path / "all"))
    assert not report.dropped
    if reader.is_raw:
        assert all(sentence.relations is None and not sentence.entities for sentence in sentences_of(documents))
    else:
        assert any(sentence.relations for sentence in sentences_of(documents))


@each
def test_recognises_its_samples_and_no_other_reader_does(reader: Reader, tmp_path: Path):
    folder = write(reader, tmp_path / "all")
    assert reader.recognises(folder)
    assert sample_files(reader, folder)
    for other in READER:
        if other is not reader and (reader.is_raw or not other.is_raw):  # those of raw text are asked last
            claimed = [path.name for path in (folder, *folder.rglob("*")) if other.recognises(path)]
            assert not claimed, f"{other.name} claims {claimed}"


@each
def test_a_path_is_taken_for_what_its_own_reader_reads(reader: Reader, tmp_path: Path):
    folder = write(reader, tmp_path / "all")
    for path in (folder, *sample_files(reader, folder)):
        assert recognise(path) is reader


@each
@pytest.mark.parametrize("below", ["", "deeper/still"])
def test_folders_called_by_parts_are_parts_whatever_text_lies_beside_them(reader: Reader, below: str, tmp_path: Path):
    if reader.is_raw:
        pytest.skip("raw text has no parts")
    for part in ("Train", "dev", "test"):
        write(reader, tmp_path / part / below)
    (tmp_path / "README.txt").write_text("How this was annotated.", encoding="utf-8")
    (tmp_path / "counts.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    data = resolve(str(tmp_path))
    assert (data.splits, data.raw) == (("train", "dev", "test"), None)
    assert any(sentence.relations for sentence in sentences_of(data.documents("test")))


@each
def test_reads_a_single_file_as_it_reads_the_folder(reader: Reader, tmp_path: Path):
    folder = write(reader, tmp_path / "all")

    def texts(path: Path) -> list[tuple[Any, ...]]:
        return [(s.tokens, s.entities, s.relations) for s in sentences_of(read(reader, path)[0])]

    files = {file.with_suffix("").stem: file for file in sample_files(reader, folder)}  # one of those that belong together
    assert sorted(map(repr, texts(folder))) == sorted(repr(s) for file in files.values() for s in texts(file))


@each
def test_recognises_nothing_in_an_empty_folder_and_in_what_is_not_there(reader: Reader, tmp_path: Path):
    assert not reader.recognises(tmp_path)
    assert not reader.recognises(tmp_path / "none.json")
    for suffix in {Path(name).suffix for name in reader.samples}:
        (tmp_path / f"empty{suffix}").touch()
    if reader.name != "brat":  # an empty .ann beside its text says that there is nothing to annotate
        assert not reader.recognises(tmp_path)


@each
def test_documents_are_valid_and_ids_differ(reader: Reader, tmp_path: Path):
    documents, _ = read(reader, write(reader, tmp_path / "all"))
    check(documents)
    assert len({d.id for d in documents}) == len(documents)
    ids = [s.id for s in sentences_of(documents)]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("reader", TEXT_READER, ids=lambda reader: reader.name)
def test_a_byte_order_mark_changes_nothing(reader: Reader, tmp_path: Path):
    plain, _ = read(reader, write(reader, tmp_path / "all"))
    marked = {name.replace(".", "__"): b"\xef\xbb\xbf" + text.encode() for name, text in reader.samples.items()}
    folder = write(reader, tmp_path / "all", **marked)
    assert reader.recognises(folder)
    assert read(reader, folder)[0] == plain


@each
def test_every_value_of_every_option_reads_the_samples(reader: Reader, tmp_path: Path):
    folder = write(reader, tmp_path / "all")
    plain, _ = read(reader, folder)
    for name, values in reader.options.items():
        assert len(set(values)) == len(values) > 1
        assert read(reader, folder, **{name: values[0]})[0] == plain, f"{name}={values[0]} is listed as the default"
        for value in values:
            with contextlib.suppress(DataError) if reader.is_raw else contextlib.nullcontext():  # other separators than the sample's
                check(read(reader, folder, **{name: value})[0])


@each
def test_an_open_option_takes_any_value(reader: Reader, tmp_path: Path):
    folder = write(reader, tmp_path / "all")
    assert not set(reader.open_options) & set(reader.options)
    for name, meaning in reader.open_options.items():
        assert meaning
        is_name = reader.is_raw or name.endswith(("_layer", "_feature"))  # of a column, a layer, a feature: nothing has that name
        for value in ("", "a", "x.+y", "\u00e9 汉"):
            with contextlib.suppress(DataError) if value and is_name else contextlib.nullcontext():
                check(read(reader, folder, **{name: value})[0])


@each
def test_documents_are_made_one_at_a_time(reader: Reader, tmp_path: Path):
    stream = reader.read(write(reader, tmp_path / "all"), ReadReport())
    assert isinstance(stream, Iterator)
    assert isinstance(next(stream), Document)


@each
def test_describes_itself_in_one_line(reader: Reader):
    assert READERS[reader.name].startswith("relsift.readers.")
    assert reader.summary
    assert "\n" not in reader.summary


def test_names_are_those_of_the_registry():
    assert [reader.name for reader in READER] == list(READERS)


# ---- what is broken ----------------------------------------------------------------------------------------------------------


@each
def test_a_path_that_does_not_exist_and_an_empty_folder_are_refused(reader: Reader, tmp_path: Path):
    for path in (tmp_path, tmp_path / "no such folder", tmp_path / "none.json"):
        with pytest.raises(DataError, match=tmp_path.name):
            read(reader, path)


@each
def test_empty_files_are_refused_by_name(reader: Reader, tmp_path: Path):
    folder = write(reader, tmp_path / "all")
    files = sample_files(reader, folder)
    for file in folder.rglob("*"):
        file.write_bytes(b"")
    for file in files:
        if file.suffix == ".ann":  # brat: an empty annotation of an empty text is a document without sentences
            assert not list(sentences_of(read(reader, file)[0]))
        else:
            with pytest.raises(DataError, match=file.stem):
                read(reader, file)


def check(documents: list[Document]) -> None:
    """What comes out is what the data model promises, and plain text that can be written as UTF-8."""
    for document in documents:
        assert isinstance(document, Document)
        for sentence in document.sentences:
            assert isinstance(sentence, Sentence)
            assert all(isinstance(token, str) and token for token in sentence.tokens)
            for entity in sentence.entities:
                assert type(entity.start) is type(entity.end) is int
                assert isinstance(entity.type, str)
                assert isinstance(entity.subtype, str | None)
                assert isinstance(entity.id, str | None)
            for relation in sentence.relations or ():
                assert type(relation.head) is type(relation.tail) is int
                assert isinstance(relation.type, str)
                assert isinstance(relation.score, float | None)
            if document.text is not None and sentence.offsets is not None:
                for token, (start, end) in zip(sentence.tokens, sentence.offsets):
                    assert isinstance(document.text[start:end], str)
                    assert token.strip()
        "".join(lines(document)).encode()


def refuse_or_read(reader: Reader, path: Path) -> None:
    """DataError in one line, or valid documents; no other exception."""
    for file in (path, *path.rglob("*")):
        assert reader.recognises(file) in (True, False)
    for target in (path, *sorted(path.rglob("*"))):
        with contextlib.suppress(DataError):
            check(read(reader, target)[0])


def error_of(reader: Reader, path: Path) -> str:
    try:
        read(reader, path)
    except DataError as error:
        return str(error)
    return ""


NESTED = b"[" * 50_000
DIGITS = b"1" * 5000


@each
@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xfe\x00", b"\x00", "张".encode("gb18030"), b"{", b"[]", b"{}", b"[{}]", b"null", b"1", b'"x"', b"[null]", b"\n\n",
        NESTED, DIGITS, b'{"id": ' + DIGITS + b"}", b'[{"tokens": ' + NESTED, b"<", b"<a>", b"<document/>", b"<source_file/>",
    ],
    ids=lambda content: repr(content[:24]),
)  # fmt: skip
def test_a_file_of_something_else_is_refused_with_its_name(reader: Reader, content: bytes, tmp_path: Path):
    folder = write(reader, tmp_path / "all")
    files = sample_files(reader, folder)
    for file in files:
        file.write_bytes(content)
        refuse_or_read(reader, folder)
        message = error_of(reader, file)
        assert "\n" not in message
        assert file.name.split(".")[0] in message or (file.suffix == ".ann" and not content.strip()) or reader.is_raw


@each
@SOME
@given(content=st.binary(max_size=40) | st.text(st.sampled_from('[]{}",:<>/=#|\t\n 0-9aT1é张'), max_size=40).map(str.encode))
def test_garbage_is_refused_or_read_and_never_breaks(reader: Reader, content: bytes, tmp_path_factory: pytest.TempPathFactory):
    folder = write(reader, tmp_path_factory.getbasetemp() / f"garbage-{reader.name}")
    for file in sorted(folder.rglob("*")):
        before = file.read_bytes()
        file.write_bytes(content)
        refuse_or_read(reader, folder)
        file.write_bytes(before)


@each
@SOME
@given(data=st.data())
def test_a_damaged_sample_is_refused_or_read_and_never_breaks(
    reader: Reader, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
):
    """Truncated, with a piece left out, doubled or replaced by other bytes."""
    folder = write(reader, tmp_path_factory.getbasetemp() / f"damaged-{reader.name}")
    file = data.draw(st.sampled_from(sorted(folder.rglob("*"))))
    content = file.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, len(content)) | st.integers(start, min(start + 3, len(content))))
    pieces = [b"", content[start:end] * 2, b"-1", b"999", b'""', b"null", b"\t", b"\n", b"\r", b" "]
    new = data.draw(st.sampled_from(pieces) | st.binary(max_size=3))
    file.write_bytes(content[:start] + new + content[end:])
    refuse_or_read(reader, folder)


JSON_VALUES: tuple[Any, ...] = (
    None, True, -1, 0, 1, 10**6, 1.5, float("nan"), "", "x", "0", "\ud800", [], ["x"], [0, 1], [[0, 1]], {}, {"a": 1},
)  # fmt: skip
JSON_READER = [reader for reader in READER if all(name.endswith((".json", ".jsonl")) for name in reader.samples)]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a JSON value something stands that can be replaced."""
    yield path
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(inner, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """`value` with something else at `path`, or without it if `new` is Ellipsis."""
    if not path:
        return None if new is ... else new
    key, *rest = path
    pairs = list(value.items()) if isinstance(value, dict) else list(enumerate(value))
    kept = [(k, replaced(v, tuple(rest), new) if k == key else v) for k, v in pairs if k != key or rest or new is not ...]
    return dict(kept) if isinstance(value, dict) else [v for _, v in kept]


@pytest.mark.parametrize("reader", JSON_READER, ids=lambda reader: reader.name)
def test_any_json_value_at_any_place_is_refused_or_read_and_never_breaks(reader: Reader, tmp_path: Path):
    for name, text in reader.samples.items():
        folder = write(reader, tmp_path / "all")
        records = text.splitlines() if name.endswith(".jsonl") else [text]
        for number, line in enumerate(records):
            record = json.loads(line)
            for path in places(record):
                for new in (*JSON_VALUES, ...):
                    changed = json.dumps(replaced(record, path, new))
                    (folder / name).write_text("\n".join([*records[:number], changed, *records[number + 1 :]]), encoding="utf-8")
                    with contextlib.suppress(DataError):
                        check(read(reader, folder / name)[0])
