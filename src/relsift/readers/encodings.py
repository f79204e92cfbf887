"""From bytes to text: strict decoding, and what to tell a user whose file is in another encoding."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.likely_encoding import byte_order_mark, encoding_hint

UTF8 = "utf-8"


def decode(data: bytes, path: Path, encoding: str = UTF8) -> str:
    """The text of a file's bytes, without a byte-order mark.

    Args: encoding: a name that Python knows.
    Raises: DataError naming line and byte for what is no text in this encoding, and for the character U+0000, which no text holds.
    """
    is_utf8 = codecs.lookup(encoding).name == UTF8
    if not is_utf8 and data.startswith(codecs.BOM_UTF8):
        raise DataError(f"{path}:1: expected {encoding.upper()} text, got the byte-order mark of UTF-8; leave the option `encoding` out")
    try:
        text = data.decode("utf-8-sig" if is_utf8 else encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = line_at(data[: error.start].decode("latin-1"))
        got = f"byte 0x{data[error.start]:02x} at offset {error.start}" if error.start < len(data) else "the end of the file"
        raise DataError(f"{path}:{line}: expected {encoding.upper()} text, got {got}; {encoding_hint(data, path)}") from error
    except UnicodeError as error:
        raise DataError(f"{path}:1: expected {encoding.upper()} text, got {error}; {encoding_hint(data, path)}") from error
    half = None if is_utf8 else re.search("[\ud800-\udfff]", text)
    if half is not None:
        where = f"{path}:{line_at(text[: half.start()])}"
        raise DataError(f"{where}: expected whole characters, got half of one, the lone surrogate {half.group()!a}")
    if "\0" in text:
        where = f"{path}:{line_at(text[: text.index(chr(0))])}"
        raise DataError(f"{where}: expected text, got the character U+0000; {encoding_hint(data, path)}")
    return text


def decode_leniently(data: bytes) -> str:
    """The text as far as it can be guessed, to see which format a file is in: the byte-order mark decides, else it is UTF-8.

    What cannot be decoded becomes U+FFFD; line ends become "\\n".
    """
    mark = byte_order_mark(data)
    text = data.decode(mark.encoding if mark else UTF8, errors="replace").removeprefix("\ufeff")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def line_at(before: str) -> int:
    """The number of the line on which a text ends, by any of the three line ends."""
    return before.count("\n") + (before.count("\r") if "\n" not in before else 0) + 1
