"""Files in any reader's format to native records, and such records to a file in any writer's format: what the page at `/` loads and saves.

Everything happens in a temporary folder, which is gone when the answer is. A record is a line of relsift's own format (see
`relsift.readers.native`). Uploads are text: packed formats are refused, since a small file could unfold to a huge one.
"""

from __future__ import annotations

import binascii
import io
import json
import re
import tempfile
import zipfile
from base64 import b64decode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from pathlib import Path
from typing import Any

from relsift.corpora.data import resolve
from relsift.errors import RelsiftError
from relsift.omissions import Omissions
from relsift.readers.base import ReadReport, read_text, shown
from relsift.readers.native import read_records
from relsift.registry import find, table
from relsift.schema import Document, Entity, Sentence
from relsift.serving.problems import Problem
from relsift.text import half_character
from relsift.writers.base import Writer, write_documents
from relsift.writers.native import lines

_PACKED_FORMATS = ("spacy", "store")
_PACKED_SUFFIXES = (".spacy", ".parquet", ".zip", ".gz", ".bz2", ".xz")
_FILE_NAME = re.compile(r"[^./\\\x00-\x1f\ud800-\udfff][^/\\\x00-\x1f\ud800-\udfff]*")
_LONGEST_NAME = 200  # bytes of a file name; the system takes 255
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_STEM = "relsift"  # of the files that are made


@dataclass(frozen=True)
class Converted:
    """A file to save."""

    name: str
    content: bytes
    notes: tuple[str, ...]  # what the format cannot hold


def reader_names() -> list[str]:
    """The formats that uploads may have."""
    return [name for name in table("reader") if name not in _PACKED_FORMATS]


def read_files(files: Sequence[tuple[str, str]], format_: str | None) -> tuple[list[dict[str, Any]], list[str]]:
    """Native records, in file order, and what was left out or changed. Every record has a text; a raw text is a record of id and text.

    Args: files: name and base64 of each. format_: name of a reader; None: the format is recognised.
    Raises: Problem for files that cannot be read.
    """
    if format_ is not None and format_ not in reader_names():
        raise Problem("invalid", f"expected one of {', '.join(reader_names())}, got {shown(format_)}", "format")
    with tempfile.TemporaryDirectory(prefix="relsift-upload-") as place:
        folder = Path(place)
        for number, (name, content) in enumerate(files):
            _unpack(folder, name, content, f"files.{number}")
        path = folder / files[0][0] if len(files) == 1 else folder
        report = ReadReport()
        try:
            records = list(_records(path, format_, report))
        except RelsiftError as error:
            raise Problem("invalid", str(error).replace(f"{place}/", "").replace(place, "the files"), "files") from error
        return records, [line.replace(f"{place}/", "") for line in report.lines()]


def convert_records(records: Sequence[Any], to: str) -> Converted:
    """The file, or a zip archive of the folder, that a writer makes. Raises Problem for broken records and unknown formats."""
    try:
        writer: Writer = find("writer", to)
    except RelsiftError as error:
        raise Problem("invalid", str(error), "to") from error
    for number, record in enumerate(records):
        _check_characters(record, f"documents.{number}")
    report, left_out = ReadReport(), Omissions()
    with tempfile.TemporaryDirectory(prefix="relsift-download-") as place:
        target = Path(place) / f"{_STEM}{writer.suffix}"
        try:
            documents = list(read_records(enumerate(records), "documents", report))
            if "across" not in writer.keeps:
                for document in documents:
                    if document.across:
                        left_out.drop("relations across sentences", f"document {document.id}", len(document.across))
                documents = [replace(document, across=()) for document in documents]
            write_documents(writer, documents, target, left_out)
        except RelsiftError as error:
            raise Problem("invalid", str(error).replace(f"{place}/", ""), "documents") from error
        content = _zipped(target) if writer.is_folder else target.read_bytes()
    return Converted(f"{_STEM}-{to}.zip" if writer.is_folder else target.name, content, (*report.lines(), *left_out.lines()))


def _check_characters(record: Any, where: str) -> None:
    """Raises Problem for a lone surrogate, which no file can hold, and for a record that is too deep to be searched for one."""
    try:
        half = half_character(json.dumps(record, ensure_ascii=False))
    except RecursionError as error:
        raise Problem("invalid", "expected a line of relsift's own format, got brackets nested hundreds deep", where) from error
    if half is not None:
        raise Problem("invalid", f"expected whole characters, got half of one, the lone surrogate {half}", where)


def _unpack(folder: Path, name: str, content: str, where: str) -> None:
    if not _FILE_NAME.fullmatch(name) or len(name.encode()) > _LONGEST_NAME or (folder / name).exists():
        expected = f"a file name of its own, without folders, of at most {_LONGEST_NAME} bytes"
        raise Problem("invalid", f"expected {expected}, got {shown(name)}", f"{where}.name")
    try:
        data = b64decode(content, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem("invalid", f"expected base64, got {error}", f"{where}.content") from error
    if name.lower().endswith(_PACKED_SUFFIXES) or (b"\0" in data and not data.startswith(_UTF16_MARKS)):
        got = f"{shown(name)}, which is packed or binary"
        raise Problem("invalid", f"expected a file of text, got {got}; `relsift convert` reads such files", where)
    (folder / name).write_bytes(data)


def _records(path: Path, format_: str | None, report: ReadReport) -> Iterator[dict[str, Any]]:
    data = resolve(str(path) if format_ is None else f"{format_}:{path}")
    if data.raw is not None:
        files = [path] if path.is_file() else sorted(path.iterdir())
        yield from ({"id": file.stem, "text": read_text(file)} for file in files)
        return
    for document in data.documents(None, report):
        tagged = sum(sentence.tagged is not None for sentence in document.sentences)
        if tagged:
            report.drop("sentences with tagged entities (kept, without those)", f"document {document.id}", tagged)
        if document.concept_relations:
            report.drop("relations between concepts", f"document {document.id}", len(document.concept_relations))
        yield from map(json.loads, lines(_with_text(replace(document, concept_relations=()))))


def _with_text(document: Document) -> Document:
    """The document with a text and offsets: where they are unknown, its tokens as they are set in print, a sentence a line."""
    sentences = tuple(replace(sentence, tagged=None) for sentence in document.sentences)
    if all(sentence.original is not None for sentence in sentences):
        return replace(document, sentences=sentences)
    texts = [sentence.text for sentence in sentences]
    starts = accumulate((len(text) + 1 for text in texts), initial=0)
    placed = tuple(_placed(sentence, start) for sentence, start in zip(sentences, starts))
    return replace(document, sentences=placed, text="\n".join(texts))


def _placed(sentence: Sentence, start: int) -> Sentence:
    def without_characters(entity: Entity) -> Entity:
        return replace(entity, chars=None)

    offsets = tuple((a + start, b + start) for a, b in sentence.token_spans)
    return replace(sentence, offsets=offsets, original=None, entities=tuple(map(without_characters, sentence.entities)))


def _zipped(folder: Path) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, file.relative_to(folder))
    return packed.getvalue()
