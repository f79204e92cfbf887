"""Convert data to another format: one file, or a folder with one file or folder a part."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from relsift.corpora.data import Data
from relsift.corpora.losses import holding
from relsift.errors import ConfigError
from relsift.files import check_name, check_output, recovered, replaced_files
from relsift.omissions import Omissions
from relsift.readers.base import ReadReport
from relsift.registry import find, table, unknown_name
from relsift.schema import Document
from relsift.writers.base import Writer, check_target, write_at, write_documents

_SPEC = re.compile(r"(?P<name>\w[\w-]*)(?:\[(?P<options>.*)\])?", re.DOTALL)


def writer_for(target: Path | None, spec: str | None, option: str = "--format") -> Writer:
    """The writer that is named, as in `csv[formulas=kept]`; or the one whose suffix the target has, or the native one where it has none.

    Args: option: of the command, that names the format; for messages.
    Raises: ConfigError for an unknown name, option or suffix, and for a target such as `brat:out`, which is how data to read is named.
    """
    _refuse_format_before(target, option)
    if spec is not None:
        named = _SPEC.fullmatch(spec)
        name = spec if named is None else named["name"]
        if name not in table("writer"):
            raise unknown_name(option, name, table("writer"))
        writer: Writer = find("writer", name)
        return writer.with_options(named["options"] if named is not None else None)
    writers: dict[str, Writer] = {key: find("writer", key) for key in table("writer")}
    if target is None or is_folder(target) or not target.suffix:
        return writers["native"]
    first = next((writer for writer in writers.values() if writer.suffix == target.suffix.lower()), None)
    if first is not None:  # of several, such as those of JSON lines, the first in the registry
        return first
    known = ", ".join(f"{writer.suffix} ({key})" for key, writer in writers.items() if writer.suffix)
    raise ConfigError(
        f"{target}: expected a name that ends with one of {known}, or {option} NAME, got {target.suffix or 'no suffix'!r}"
    )


def _refuse_format_before(target: Path | None, option: str) -> None:
    name, colon, rest = str(target).partition(":")
    if target is not None and colon and (name in table("writer") or name in table("reader")):
        raise ConfigError(f"{target}: expected a path alone, got a format before it; write {rest or 'the path'} and {option} {name}")


def is_folder(target: Path) -> bool:
    """Is the target a folder? Yes if it exists as one, or has no suffix."""
    return target.is_dir() or not (target.suffix or target.exists())


def convert(
    data: Data, target: Path, writer: Writer, report: ReadReport, *, left_out: Omissions | None = None, reads: Sequence[Path] = ()
) -> list[Path]:
    """Write every part of `data`, and return the files, or the folders of a format of several files. All are written, or none.

    Args: left_out: collects what the format cannot hold. reads: further files that are read meanwhile, such as trees.
    Raises: ConfigError if the data has parts and the target is one file, which would mix them; or for a target that is read;
        DataError for a target that the format cannot be written to; CheckpointError if another process writes there.
    """
    check_name(target)
    as_folder = writer.is_folder or is_folder(target)
    if not as_folder and data.splits:
        raise ConfigError(
            f"{target}: expected a folder for data with parts ({', '.join(data.splits)}), got a file; "
            f"name a folder without a suffix, or one part, such as {data.name}/{data.splits[0]}"
        )
    splits = data.splits or (None,)
    if writer.is_folder:
        places = [target / split if split else target for split in splits]
    else:
        places = [target / f"{split or 'data'}{writer.suffix}" for split in splits] if as_folder else [target]
    for place in places:
        check_output(place, [*data.inputs, *reads])  # all of them, before one is written
        check_target(writer, recovered(place) if writer.is_folder else place)
    lost = Omissions() if left_out is None else left_out
    if not data.splits:
        write_documents(writer, _documents(data, None, writer, report), places[0], lost)
        return places
    with replaced_files(target, [place.name for place in places], as_folders=writer.is_folder) as written:
        for place, split in zip(places, data.splits, strict=True):
            write_at(written[place.name], writer, _documents(data, split, writer, report), place, lost)
    return places


def _documents(data: Data, split: str | None, writer: Writer, report: ReadReport) -> Iterator[Document]:
    return with_ids(holding(data.documents(split, report), report, writer.keeps), report)


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
