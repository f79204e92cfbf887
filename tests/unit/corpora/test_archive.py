"""Archives from elsewhere: unpacked whole, or refused in one line with nothing left behind. All of them are made here."""

from __future__ import annotations

import errno
import io
import stat
import struct
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_corpus import ids_in, small_corpus, write_raw

from relsift import archive
from relsift.archive import unpack
from relsift.corpora.prepare import prepare
from relsift.errors import DataError

LOCAL, CENTRAL = b"PK\x03\x04", b"PK\x01\x02"  # the heads of a member: before its data, and in the list at the end


def zipped(*members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", method) as packed:
        warnings.simplefilter("ignore")  # a name twice
        for name, content in members:
            packed.writestr(name, content)
    return stream.getvalue()


def patched(packed: bytes, local: int, central: int, value: bytes) -> bytes:
    """The bytes with `value` at these places after each local and each central head."""
    data = bytearray(packed)
    for head, place in ((LOCAL, local), (CENTRAL, central)):
        start = data.find(head)
        while start >= 0:
            data[start + place : start + place + len(value)] = value
            start = data.find(head, start + 4)
    return bytes(data)


def member(name: str, mode: int = stat.S_IFREG | 0o644) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def refused(folder: Path, content: bytes) -> str:
    """The message about the archive, of which nothing is left."""
    file = folder / "a.zip"
    file.write_bytes(content)
    with pytest.raises(DataError) as raised:
        unpack(file, folder / "out", "a.zip")
    assert [path.name for path in folder.iterdir()] == ["a.zip"]
    message = str(raised.value)
    assert message.startswith("a.zip: ") and "\n" not in message and len(message) < 400
    assert all(character.isprintable() for character in message)
    return message


def test_members_are_written_below_the_folder_those_of_windows_too(tmp_path):
    content = zipped(("./a.txt", b"1"), ("d/", b""), ("d/b.txt", b"2"), ("e\\c.txt", b"3"), ("f/中文 1.txt", "四".encode()))
    (tmp_path / "a.zip").write_bytes(content)
    unpack(tmp_path / "a.zip", tmp_path / "out", "a.zip")
    files = {path.relative_to(tmp_path / "out").as_posix(): path.read_text("utf-8") for path in (tmp_path / "out").rglob("*.txt")}
    assert files == {"a.txt": "1", "d/b.txt": "2", "e/c.txt": "3", "f/中文 1.txt": "四"}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<html>gone</html>", "expected a whole zip archive"),
        (b"", "expected a whole zip archive"),
        (zipped(("a", b"x" * 9000))[:60], "expected a whole zip archive"),
        (zipped(("a", b"x"))[:-1], "expected a whole zip archive"),
        (patched(zipped(("a.txt", b"x")), 6, 8, b"\1"), "'a.txt': expected a file without password, got an encrypted one"),
        (patched(zipped(("a.txt", b"x")), 8, 10, b"\x63"), "'a.txt': expected a file that is stored or deflated, got compression method"),
        (zipped(("a.txt", b"x"), method=zipfile.ZIP_BZIP2), "got compression method 12"),
        (zipped(("n" * 300, b"x")), "File name too long"),
        (zipped(("n/" * 1500 + "a", b"x")), "expected at most 100 folders within each other, got 1501"),
        (zipped(("a", b"x"), ("a/b", b"y")), "'a': expected one file or folder of a name, got both"),
        (zipped(("a/b", b"y"), ("a", b"x")), "'a': expected one file or folder of a name, got two"),
        (zipped(("a", b"x"), ("a/", b"")), "'a/': expected one file or folder of a name, got two"),
        (zipped(("a", b"x"), ("a", b"y")), "'a': expected one file or folder of a name, got two"),
        (zipped(("a", b"x"), ("./a", b"y")), "'./a': expected one file or folder of a name, got two"),
        (zipped(("../a", b"x")), "'../a': expected a name below the archive's own folder"),
        (zipped(("b/../../a", b"x")), "expected a name below the archive's own folder"),
        (zipped(("..\\a", b"x")), "expected a name below the archive's own folder"),
        (zipped(("/tmp/a", b"x")), "'/tmp/a': expected a name below the archive's own folder"),
        (zipped(("C:\\a", b"x")), "expected a name below the archive's own folder"),
        (zipped(("a\x1b[31m", b"x")), "expected a name without control characters"),
        (zipped((member("a", stat.S_IFLNK | 0o777), b"/etc/passwd")), "'a': expected a file or a folder, got a link"),
        (zipped((member("a", stat.S_IFIFO | 0o644), b"")), "'a': expected a file or a folder, got a device"),
    ],
    ids=[
        "a page", "nothing", "only the beginning", "without the last byte", "encrypted", "unknown method", "bzip2", "long name",
        "deep name", "file, then folder", "folder, then file", "file, then empty folder", "twice", "twice with a dot", "up", "up and up",
        "up on Windows", "absolute", "drive", "control character", "link", "pipe",
    ],
)  # fmt: skip
def test_what_cannot_be_unpacked_as_it_says_is_refused_in_one_line(tmp_path, content, words):
    assert words in refused(tmp_path, content)


def test_a_bomb_is_refused_by_its_declared_size_and_by_its_real_one(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST", 1000)
    assert "at most 1000 bytes unpacked, got 1200" in refused(tmp_path, zipped(("a", b"0" * 600), ("b", b"0" * 600)))
    lying = patched(zipped(("a", b"0" * 100_000)), 22, 24, struct.pack("<I", 10))  # says 10 bytes, holds 100,000
    assert "expected a whole zip archive" in refused(tmp_path, lying)
    monkeypatch.setattr(archive, "MOST_MEMBERS", 2)
    assert "at most 2 files and folders, got 3" in refused(tmp_path, zipped(*((str(number), b"") for number in range(3))))


def test_a_full_disk_is_one_line_that_says_where_another_place_can_be_named(tmp_path, monkeypatch):
    def open_on_a_full_disk(self: Path, *arguments: object, **options: object) -> object:
        raise OSError(errno.ENOSPC, "No space left on device")

    content = zipped(("a", b"x"))
    (tmp_path / "a.zip").write_bytes(content)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_on_a_full_disk)
        with pytest.raises(DataError, match=r"^a\.zip: 'a': .*No space left on device; set \$TMPDIR"):
            unpack(tmp_path / "a.zip", tmp_path / "out", "a.zip")
    assert not (tmp_path / "out").exists()


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 255)), min_size=1, max_size=4), st.integers(0, 400))
def test_whatever_the_bytes_are_the_answer_is_files_or_a_data_error(tmp_path_factory, changes, cut):
    content = bytearray(zipped(("a.txt", b"hello " * 30), ("d/b.txt", b"world")))
    for place, value in changes:
        content[place % len(content)] = value
    folder = tmp_path_factory.mktemp("changed")
    (folder / "a.zip").write_bytes(content[: len(content) - cut % 3])
    try:
        unpack(folder / "a.zip", folder / "out", "a.zip")
    except DataError:
        assert [path.name for path in folder.iterdir()] == ["a.zip"]


def test_a_corpus_is_prepared_from_an_archive_of_its_raw_files(tmp_path):
    raw = write_raw(tmp_path / "raw")
    content = zipped(*((f"small-1f3c/{path.relative_to(raw)}", path.read_bytes()) for path in raw.rglob("*.*")))
    (tmp_path / "small.ZIP").write_bytes(content)
    folder = prepare(small_corpus(raw), source=tmp_path / "small.ZIP", home=tmp_path / "home")
    assert len(ids_in(folder / "train.jsonl")) == 4
    (tmp_path / "small.ZIP").write_bytes(content[:-30])
    with pytest.raises(DataError, match=r"small\.ZIP: expected a whole zip archive"):
        prepare(small_corpus(raw), source=tmp_path / "small.ZIP", home=tmp_path / "home")
    assert len(ids_in(folder / "train.jsonl")) == 4  # what was there stays
