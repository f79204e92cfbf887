"""Convert data to another format: one file, or a folder with one file a part."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
    writers_of_suffix = [writer for writer in writers.values() if writer.suffix == target.suffix]
    if len(writers_of_suffix) == 1:
        return writers_of_suffix[0]
    known = ", ".join(f"{writer.suffix} ({key})" for key, writer in writers.items())
    raise ConfigError(
        f"{target}: expected a name that ends with one of {known}, or --format, got {target.suffix or 'no suffix'!r}"
    )


def is_folder(target: Path) -> bool:
    """Is the target a folder? Yes if it exists as one, or has no suffix."""
    return target.is_dir() or not (target.suffix or target.exists())


def convert(data: Data, target: Path, writer: Writer, report: ReadReport, *, reads: Iterable[Path] = ()) -> list[Path]:
    """Write every part of `data`, and return the files. Each file is written whole or not at all.

    Args: reads: files that are read beside the data.
    Raises: ConfigError if the data has parts and the target is one file, which would mix them, and for a target that is read;
        CheckpointError if another process writes there.
    """
    inputs = (*data.inputs, *reads)
    if not is_folder(target):
        if data.splits:
            name = data.splits[0]
            raise ConfigError(
                f"{target}: expected a folder for data with parts ({', '.join(data.splits)}), got a file; "
                f"name a folder without a suffix, or one part, such as {data.name}/{name} for a corpus"
            )
        check_output(target, inputs)
        _write(data.documents(None, report), target, writer)
        return [target]
    files = {split: target / f"{split or 'data'}{writer.suffix}" for split in data.splits or (None,)}
    for file in files.values():
        check_output(file, inputs)  # all of them, before one is written
    for split, file in files.items():
        _write(data.documents(split, report), file, writer)
    return list(files.values())


def _write(documents: Iterator[Document], target: Path, writer: Writer) -> None:
    make_folder(target.parent)
    with replaced_file(target) as stream:
        writer.write(documents, stream)
