"""Archives as data: read as what is in them, named as the user knows them, and gone from the disk afterwards."""

from __future__ import annotations

import gc
import gzip
import io
import tarfile
import tempfile
from contextlib import suppress
from itertools import cycle
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_archive import zipped

from relsift import archive
from relsift.corpora.data import resolve
from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.registry import READERS, find
from relsift.schema import Document

LINE = b'{"id": "s", "tokens": ["Ada", "met", "Bo"], "entities": [], "relations": []}\n'
BROKEN = b'{"id": "s", "tokens": 3}\n'


def tarred(*members: tuple[str | tarfile.TarInfo, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as packed:
        for name, content in members:
            info = tarfile.TarInfo(name) if isinstance(name, str) else name
            info.size = len(content)
            packed.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def link(name: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def read(spec: Path | str, **options: str) -> list[Document]:
    return list(resolve(str(spec)).documents(None, ReadReport(**options)))  # type: ignore[arg-type]


@pytest.mark.parametrize(("name", "kind"), list(zip(sorted(READERS), cycle(["zip", "tar", "tgz", "tar.gz"]))))
def test_an_archive_is_read_as_the_folder_that_it_holds(tmp_path: Path, name: str, kind: str):
    reader = find("reader", name)
    members = [(f"export/{file}", text if isinstance(text, bytes) else text.encode()) for file, text in reader.samples.items()]
    members += [("__MACOSX/export/._a", b"\0"), ("export/.DS_Store", b"\0")]
    for file, content in members:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_bytes(content)
    content = zipped(*members) if kind == "zip" else tarred(*members)
    (tmp_path / f"a.{kind}").write_bytes(content if kind in ("zip", "tar") else gzip.compress(content))
    expected, found = ReadReport(), ReadReport()
    only = next(iter(reader.samples)) if len(reader.samples) == 1 else ""  # an archive of one file is that file
    assert list(resolve(f"{name}:{tmp_path / f'a.{kind}'}").documents(None, found)) == list(
        resolve(f"{name}:{tmp_path / 'export' / only}").documents(None, expected)
    )
    assert found.dropped == expected.dropped


@settings(max_examples=25)
@given(st.binary(max_size=60), st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), min_size=1, max_size=9))
def test_a_packed_text_is_read_as_the_text(tmp_path_factory: pytest.TempPathFactory, content: bytes, text: str):
    folder = tmp_path_factory.mktemp("packed")
    content = text.encode() + content
    (folder / "n.txt").write_bytes(content)
    (folder / "n.txt.gz").write_bytes(gzip.compress(content))
    results = []
    for spec in ("n.txt", "n.txt.gz"):
        try:
            results.append((read(f"text:{folder / spec}"), ""))
        except DataError as error:
            results.append(([], str(error).replace("n.txt.gz", "n.txt")))
    assert results[0] == results[1]


def test_messages_name_the_archive_and_the_file_in_it(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(zipped(("d/train.jsonl", LINE), ("d/test.jsonl", BROKEN)))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(LINE + BROKEN))
    with pytest.raises(DataError, match=rf"^{tmp_path}/a\.zip!/d/test\.jsonl:1: tokens: expected a list"):
        read(tmp_path / "a.zip")
    with pytest.raises(DataError, match=rf"^{tmp_path}/b\.jsonl\.gz:2: tokens: expected a list"):
        read(tmp_path / "b.jsonl.gz")
    report = ReadReport(on_error="skip")
    assert len(list(resolve(str(tmp_path / "b.jsonl.gz")).documents(None, report))) == 1
    assert [message.partition(": ")[0] for message in report.faults] == [f"{tmp_path}/b.jsonl.gz:2"]
    assert report.examples["broken lines"] == report.faults


def test_what_was_unpacked_is_deleted_when_the_data_are_no_longer_in_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "a.zip").write_bytes(zipped(("train.jsonl", LINE), ("dev.jsonl", LINE)))
    (tmp_path / "b.zip").write_bytes(zipped(("d/b.zip", b"")))
    data = resolve(str(tmp_path / "a.zip"))
    assert len(list(tmp_path.glob("relsift-*"))) == 1
    assert list(data.documents()) == list(data.documents()) != []
    del data
    with suppress(DataError):
        resolve(str(tmp_path / "b.zip"))
    gc.collect()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.zip", "b.zip"]


def test_a_part_or_a_file_of_an_archive_can_be_named(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(zipped(("d/train.jsonl", LINE), ("d/test.jsonl", LINE + LINE), ("other.jsonl", BROKEN)))
    data = resolve(f"{tmp_path}/a.zip!/d")
    assert data.splits == ("train", "test") and data.inputs == (tmp_path / "a.zip",)
    assert len(read(f"native:{tmp_path}/a.zip!/d/test.jsonl")) == 2
    (tmp_path / "b.zip").write_bytes(zipped(("d/train.jsonl", LINE), ("d/test.jsonl", LINE + LINE)))
    assert len(read(f"{tmp_path}/b.zip/test")) == 2
    for place in ("x", "../b.zip", "/etc/passwd", "d/train.jsonl/x", "x" * 999):
        with pytest.raises(DataError, match="expected a file or folder of the archive, got a name that it does not hold"):
            resolve(f"{tmp_path}/a.zip!/{place}")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.zip", zipped(("d/b.zip", b""), ("d/a.jsonl", LINE)), "a.zip!/d/b.zip: expected a file to read, got an archive in an archive"),
        ("a.zip", zipped(("b.jsonl.gz", b"")), "a.zip!/b.jsonl.gz: expected a file to read, got an archive in an archive"),
        ("a.json.gz.gz", gzip.compress(gzip.compress(b"[]")), "a.json.gz.gz: expected a file to read, got an archive in an archive"),
        ("a.zip", b"PK\x03\x04", "a.zip: expected a whole zip archive"),
        ("a.jsonl.gz", gzip.compress(LINE * 999)[:-9], "a.jsonl.gz: expected a whole file packed by gzip"),
        ("a.jsonl.gz", LINE, "a.jsonl.gz: expected a whole file packed by gzip"),
        ("a.tgz", gzip.compress(LINE * 99), "a.tgz: expected a whole tar archive"),
        ("a.tar", tarred(("a", LINE))[:600], "a.tar: expected a whole tar archive"),
        ("a.tar", tarred(("../a.jsonl", LINE)), "'../a.jsonl': expected a name below the archive's own folder"),
        ("a.tar", tarred(("/tmp/a.jsonl", LINE)), "'/tmp/a.jsonl': expected a name below the archive's own folder"),
        ("a.tar", tarred((link("a.jsonl"), b"")), "'a.jsonl': expected a file or a folder, got a link"),
        ("a.tar", tarred((link("a.jsonl", tarfile.LNKTYPE), b"")), "'a.jsonl': expected a file or a folder, got a link"),
        ("a.tar", tarred((link("a.jsonl", tarfile.FIFOTYPE), b"")), "'a.jsonl': expected a file or a folder, got a device"),
        ("a.tar", tarred(("a\udcff.jsonl", LINE)), "expected a name in UTF-8, got other bytes"),
        ("a.tar", tarred(("a", LINE), ("a", LINE)), "'a': expected one file or folder of a name, got two"),
        ("a.zip", zipped(("a.bin", b"\1\2")), "a.zip!/a.bin: expected a file or folder in a known format"),
        ("a.zip", zipped(), "a.zip: expected text, annotated or not, got none"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes, words: str):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as raised:
        resolve(str(tmp_path / name))
    assert words in str(raised.value) and "\n" not in str(raised.value)
    assert "relsift-" not in str(raised.value)


def test_a_bomb_is_refused_whatever_it_is_packed_by(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(archive, "LARGEST", 1000)
    for name, content in (
        ("a.jsonl.gz", gzip.compress(b"0" * 1001)), ("a.tar", tarred(("a.jsonl", b"0" * 1001))),
        ("a.zip", zipped(("a.jsonl", b"0" * 1001))),
        ("a.tgz", gzip.compress(tarred(("a.jsonl", b"0")))),  # the tar itself has 10,240 bytes
    ):  # fmt: skip
        (tmp_path / name).write_bytes(content)
        with pytest.raises(DataError, match="expected at most 1000 bytes unpacked, got"):
            resolve(str(tmp_path / name))


def test_a_header_that_asks_for_much_memory_is_refused(tmp_path: Path):
    info = tarfile.TarInfo("a")
    info.type, info.size = tarfile.XHDTYPE, archive._LONGEST_READ + 512
    (tmp_path / "a.tar").write_bytes(info.tobuf() + bytes(2 * archive._LONGEST_READ))
    with pytest.raises(DataError, match="a header of more than"):
        resolve(str(tmp_path / "a.tar"))


@settings(max_examples=40)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4), st.booleans())
def test_whatever_the_bytes_are_the_answer_is_documents_or_a_data_error(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], is_tar: bool
):
    content = bytearray(tarred(("a.jsonl", LINE), ("d/b.jsonl", LINE)) if is_tar else gzip.compress(LINE))
    for place, value in changes:
        content[place % len(content)] = value
    file = tmp_path_factory.mktemp("changed") / ("a.tar" if is_tar else "a.jsonl.gz")
    file.write_bytes(content)
    try:
        read(file)
    except DataError as error:
        assert str(file) in str(error)
