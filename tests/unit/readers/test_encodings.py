"""From bytes to text: what is refused, and which encoding a message names."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from relsift.corpora.data import resolve
from relsift.errors import DataError
from relsift.readers.base import read_text, text_lines
from relsift.readers.likely_encoding import likely_encoding


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("gb18030", "张三在北京工作，他是经理。"),
        ("gb18030", "他说A公司在武汉市。"),
        ("big5", "他在台灣大學工作，我們的公司在臺北。"),
        ("shift_jis", "彼は東京の会社で働いています。"),
        ("euc_jp", "彼は東京の会社で働いています。"),
        ("euc_kr", "그는 서울에 있는 회사에서 일하고 있습니다."),
        ("cp1251", "Иван Петров работает в ООО «Ромашка»."),
        ("koi8_r", "Иван Петров работает в Москве."),
        ("cp1252", "René runs Zed."),
        ("cp1252", "Renée"),  # the last bytes would be one character of GB18030
        ("cp1252", "“Zed” – it’s 5 µm ± 2°"),
        ("cp1252", "Åsa Öberg, ÉCOLE, Señor Ñandú"),
        ("cp1250", "Łódź jest piękna, żółć"),
        ("mac_roman", "René’s café, Müller"),
        ("utf-16", "Ada runs"),
        ("utf-16-le", "Ada runs"),
        ("utf-16-be", "Ada runs"),
    ],
)
def test_the_encoding_is_told_by_what_its_texts_look_like(encoding: str, text: str):
    found = likely_encoding(text.encode(encoding))
    assert found is not None
    assert found.encoding == encoding


def test_bytes_without_any_plausible_encoding_get_no_name():
    assert likely_encoding(bytes(range(128, 256))) is None
    assert likely_encoding(b"Ada") is None


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("one\r\nRené\r\n".encode("cp1252"), r"a\.txt:2: expected UTF-8 text, got byte 0xe9 at offset 8; it looks like Windows-1252"),
        ("one\rRené\r".encode("cp1252"), r"a\.txt:2: expected UTF-8 text"),
        ("张三在北京工作".encode("gb18030"), r"FORMAT\[encoding=gb18030\]:.*a\.txt, or convert the file with `iconv -f GB18030 -t UTF-8`"),
        ("Ada".encode("utf-16"), "it looks like UTF-16: name it with"),
        ("éèêçà ùôîûëï".encode() + b"\xe9 ", "the rest of the file is UTF-8, so mend this place"),
        (b"Ada\nBo\x00", r"a\.txt:2: expected text, got the character U\+0000"),
        (b"\xed\xa0\x80", "expected UTF-8 text, got byte 0xed at offset 0"),  # half a character
    ],
)
def test_what_is_no_utf_8_is_refused_with_line_and_advice(tmp_path: Path, data: bytes, expected: str):
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(DataError, match=expected):
        read_text(tmp_path / "a.txt")


def test_a_named_encoding_is_read_and_its_mark_left_out(tmp_path: Path):
    (tmp_path / "a.txt").write_bytes("René".encode("utf-16"))
    assert read_text(tmp_path / "a.txt", "utf-16") == "René"
    (tmp_path / "a.txt").write_bytes(b"\xff\xfe" + "René".encode("utf-16-le"))
    assert read_text(tmp_path / "a.txt", "utf-16-le") == "René"


@pytest.mark.parametrize(
    ("data", "encoding", "expected"),
    [
        (b"\xef\xbb\xbfRen", "cp1252", "got the byte-order mark of UTF-8"),
        ("张三在北京工作".encode("gb18030"), "ascii", "expected ASCII text, got byte 0xd5 at offset 0; it looks like GB18030"),
        (b"\x00\xd8\x00\xd8", "utf-16-le", "expected UTF-16-LE text"),
        (b"+2AA-", "utf-7", "the lone surrogate"),
    ],
)
def test_a_wrong_name_is_refused(tmp_path: Path, data: bytes, encoding: str, expected: str):
    (tmp_path / "a.txt").write_bytes(data)
    with pytest.raises(DataError, match=expected):
        read_text(tmp_path / "a.txt", encoding)


def test_a_lone_cr_ends_a_line_only_where_no_lf_does():
    assert text_lines("a\rb\r") == ["a", "b", ""]
    assert text_lines("a\r\nb\rc\n") == ["a", "b\rc", ""]


PACKED = [
    ("export.jsonl.bz2", b"BZh91AY&SY\xb3", "a file packed by bzip2"),
    ("export.json", gzip.compress(b"[]", mtime=0), "a file packed by gzip"),
    ("export.jsonl", b"PK\x03\x04\x14\x00\x08\xb3", "a ZIP archive"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "content", "kind"), PACKED)
@pytest.mark.parametrize("named", ["", "doccano:", "label_studio:", "pubtator:"])
def test_an_archive_is_to_be_unpacked_and_is_no_text_in_another_encoding(tmp_path: Path, name: str, content: bytes, kind: str, named: str):
    (tmp_path / name).write_bytes(content)
    for path in (tmp_path / name, tmp_path):
        with pytest.raises(DataError, match=rf"it is {kind}: unpack it|{re.escape(name)} is {kind}: unpack it"):
            list(resolve(f"{named}{path}").documents())
