"""For readers of formats with many documents a file: which files of a folder are read, and what is counted beside them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import ReadReport, beginning_of, input_files, is_hidden, packed_files_hint, visible_files
from relsift.readers.encodings import UTF8
from relsift.registry import find, table
from relsift.schema import Document


@dataclass(frozen=True, slots=True)
class FileKind:
    """How files of one format are told from others."""

    name: str  # of the reader
    suffixes: tuple[str, ...]  # of file names, in small letters
    recognises: Callable[[Path], bool]  # strict: does the beginning of the file show the format?
    sign: re.Pattern[str]  # on lines of this format, or of one much like it; broken files have it too
    least_share: float = 0.0  # of the filled lines that have the sign; 0: one line is enough


def read_files(
    path: Path, report: ReadReport, kind: FileKind, documents_of: Callable[[Path], Iterator[Document]], encoding: str = UTF8
) -> Iterator[Document]:
    """The documents of all files that `matching_files` finds, in their order.

    Counts: sentence ids that stand twice, files that are broken.
    """
    return each_file(matching_files(path, report, kind, encoding), report, documents_of)


def each_file(files: Sequence[Path], report: ReadReport, documents_of: Callable[[Path], Iterator[Document]]) -> Iterator[Document]:
    """The documents of the files, in their order. Counts: sentence ids that stand twice, files that are broken."""
    seen: set[str] = set()
    for file in files:
        with report.leaving_out("files"):
            for document in documents_of(file):
                for sentence in document.sentences:
                    if sentence.id in seen:
                        report.drop("sentence ids that stand twice", f"{file}: {sentence.id!r}")
                    seen.add(sentence.id)
                yield document


def matching_files(path: Path, report: ReadReport, kind: FileKind, encoding: str = UTF8) -> list[Path]:
    """The file itself, or the files below the folder that are in the format; all others are counted.

    A file that is named itself is always read. In a folder, a file is read if its beginning shows the format, or if it has the sign of
    the format and no other reader recognises it. A fault in it then becomes an error with its place, not a file that is missing.
    Raises: DataError if the folder has no such file.
    """
    if path.is_file():
        return [path]
    files = input_files(path, *kind.suffixes)
    in_format = []
    for file in files:
        if kind.recognises(file):
            in_format.append(file)
        elif not _has_sign(_text(file, encoding), kind) or _is_in_another_format(file, kind):
            report.drop("files of a folder that are in another format", str(file))
        else:
            in_format.append(file)
    if not in_format:
        got = f"{len(files)} others, such as {files[0].name}{packed_files_hint(path)}"
        raise DataError(f"{path}: expected a folder with files in the format {kind.name}, got {got}")
    with_suffix = frozenset(files)
    for file in sorted(path.rglob("*")):
        if file not in with_suffix and not is_hidden(file, path) and file.is_file():
            report.drop("files of a folder with another ending", str(file))
    return in_format


def file_or_children(path: Path, kind: FileKind) -> bool:
    """Whether the file, or one below the folder, as deep as readers look, is in the format."""
    if path.is_dir():
        return any(kind.recognises(file) for file in visible_files(path, kind.suffixes))
    return path.suffix.lower() in kind.suffixes and kind.recognises(path)


def file_key(file: Path, path: Path) -> str:
    """A name for what has none in a file: where the file lies in the folder that is read, without its suffix."""
    return (file.relative_to(path) if path.is_dir() else Path(file.name)).with_suffix("").as_posix()


def _is_in_another_format(file: Path, kind: FileKind) -> bool:
    readers = (find("reader", name) for name in table("reader") if name != kind.name)
    return any(reader.recognises(file) for reader in readers if not reader.is_raw)


def _has_sign(text: str, kind: FileKind) -> bool:
    lines = [line for line in text.split("\n") if line.strip()]
    return sum(kind.sign.search(line) is not None for line in lines) >= max(1, kind.least_share * len(lines)) or not kind.sign.pattern


def _text(file: Path, encoding: str) -> str:
    return beginning_of(file, -1) if encoding == UTF8 else file.read_bytes().decode(encoding, errors="replace")
