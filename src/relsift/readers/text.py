"""Raw text: a `.txt` file, or a folder of them, sub-folders too. Nothing is annotated: there are no entities and no relations.

The id of a document is the file's name, or its path in the folder. Memory does not grow with a file (see `relsift.readers.raw`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relsift.readers.base import Reader, ReadReport, beginning_of, input_files, is_hidden, no_text
from relsift.readers.encodings import UTF8
from relsift.readers.raw import Split, documents_of, file_chunks, split_by_rules
from relsift.schema import Document

SAMPLES = {"mill.txt": "Ada Berg runs the Old Mill in Lund.\n\nBo left. 他走了。\n"}
_SUFFIX = ".txt"


def read(path: Path, report: ReadReport, *, encoding: str = UTF8, split: Split = split_by_rules) -> Iterator[Document]:
    """Yield the documents of each file, sorted by path. Raises DataError naming file and line; also if nothing has words.

    Args: split: from text to sentences.
    """
    files = input_files(path, _SUFFIX)
    blank: list[Document] | None = []  # held back until a text has words; None: one has had some
    for link in path.rglob("*") if path.is_dir() else ():
        if link.suffix.lower() == _SUFFIX and link.is_symlink() and not link.exists():
            report.drop("links that lead nowhere", str(link))
    for file in files:
        with report.leaving_out("files"):
            key = file.relative_to(path).as_posix() if path.is_dir() else file.name
            for document in documents_of(key, file_chunks(file, encoding), split, report, str(file)):
                if not document.sentences and path.is_file():
                    raise no_text(file, "a file of blanks only" if document.text else "an empty file")
                if blank is None:
                    yield document
                    continue
                blank.append(document)
                if document.sentences:
                    yield from blank
                    blank = None
    if blank and path.is_dir():
        with report.leaving_out("folders"):
            raise no_text(path, "a folder of empty files only")


def recognises(path: Path) -> bool:
    """A .txt file that is not blank at its beginning, or a folder with one; not if annotation (.ann) stands beside it."""
    if path.is_dir():
        files = [file for file in sorted(path.rglob("*")) if not is_hidden(file, path) and file.is_file()]
        return not any(file.suffix.lower() == ".ann" for file in files) and any(recognises(file) for file in files)
    if path.suffix.lower() != _SUFFIX or path.with_suffix(".ann").exists():
        return False
    return beginning_of(path).strip("\ufeff \t\r\n") != ""


READER = Reader(
    name="text",
    summary="raw text without annotation: a .txt file or a folder of them",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
    has_split=True,
    is_raw=True,
)
