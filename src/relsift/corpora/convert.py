"""Convert data to another format: one file, or a folder with one file a part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from relsift.corpora.data import Data
from relsift.errors import ConfigError
from relsift.files import check_output, make_folder, replaced_file
from relsift.readers.base import ReadReport
from relsift.registry import find, table
from relsift.schema import Document
from relsift.writers.base import Writer


def writer_for(target: Path, name: str | None) -> Writer:
    """The named writer, or the one whose suffix the target has, or the native one where it has none. Raises ConfigError."""
    if name is not None:
        writer: Writer = find("writer", name)
        return writer
    writers: dict[str, Writer] = {key: find("writer", key) for key in table("writer")}
    if is_folder(target) or not target.suffix:
        return writers["native"]
    writers_of_suffix = [writer for writer in writers.values() if writer.suffix == target.suffix.lower()]
    if len(writers_of_suffix) == 1:
        return writers_of_suffix[0]
    known = ", ".join(f"{writer.suffix} ({key})" for key, writer in writers.items())
    raise ConfigError(
        f"{target}: expected a name that ends with one of {known}, or --format, got {target.suffix or 'no suffix'!r}"
    )


def is_folder(target: Path) -> bool:
    """Is the target a folder? Yes if it exists as one, or has no suffix."""
    return target.is_dir() or not (target.suffix or target.exists())


def convert(data: Data, target: Path, writer: Writer, report: ReadReport, *, reads: Sequence[Path] = ()) -> list[Path]:
    """Write every part of `data`, and return the files. Each file is written whole or not at all.

    Args: reads: further files that are read meanwhile, such as trees.
    Raises: ConfigError if the data has parts and the target is one file, which would mix them; or for a target that is read;
        CheckpointError if another process writes there.
    """
    if not is_folder(target) and data.splits:
        raise ConfigError(
            f"{target}: expected a folder for data with parts ({', '.join(data.splits)}), got a file; "
            f"name a folder without a suffix, or one part, such as {data.name}/{data.splits[0]}"
        )
    splits = data.splits or (None,)
    files = [target / f"{split or 'data'}{writer.suffix}" for split in splits] if is_folder(target) else [target]
    for file in files:
        check_output(file, [*data.inputs, *reads])  # all of them, before one is written
    for file, split in zip(files, splits, strict=True):
        make_folder(file.parent)
        with replaced_file(file) as stream:
            writer.write(with_ids(data.documents(split, report), report), stream)
    return files


def with_ids(documents: Iterable[Document], report: ReadReport) -> Iterator[Document]:
    """Sentences and documents without an id get one from their position: a file without ids could not be read back."""
    for number, document in enumerate(documents, start=1):
        if document.id and all(sentence.id and sentence.doc_id for sentence in document.sentences):
            yield document
            continue
        doc_id = document.id or f"document-{number}"
        report.drop("documents with empty ids (kept, with made-up ones)", f"document {number}")
        sentences = (
            replace(sentence, id=sentence.id or f"{doc_id}-{position}", doc_id=sentence.doc_id or doc_id)
            for position, sentence in enumerate(document.sentences)
        )
        yield replace(document, id=doc_id, sentences=tuple(sentences))
