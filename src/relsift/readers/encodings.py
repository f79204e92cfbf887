"""From bytes to text: strict decoding, and what to tell a user whose file is in another encoding."""

from __future__ import annotations

from pathlib import Path

from relsift.errors import DataError

UTF8 = "utf-8"


def decode(data: bytes, path: Path, encoding: str = UTF8) -> str:
    """The text of a file's bytes, without a byte-order mark. Raises DataError naming line and byte.

    Args: encoding: a name that Python knows.
    """
    try:
        return data.decode("utf-8-sig" if encoding == UTF8 else encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataError(
            f"{path}:{line}: expected {encoding.upper()} text, got byte 0x{data[error.start]:02x} at offset {error.start}; "
            "convert the file first, for example with `iconv -f GB18030 -t UTF-8`"
        ) from error
