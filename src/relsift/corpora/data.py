"""Resolve DATA as users write it: the name of a corpus, a format and a path, or a path whose format is recognised.

conll04                     a prepared corpus with its parts          gazette-en     the shipped one needs no preparing
conll04/test                one part of it
brat:notes                  a file or folder in a format
brat[unit=characters]:notes the same with options of its reader
notes                       a path that exactly one reader recognises; a folder with train, dev and test files has parts
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from relsift.candidates import Direction
from relsift.corpora.corpus import SPLITS, Corpus
from relsift.corpora.description import DESCRIPTION_FILE, read_description
from relsift.corpora.prepare import read_raw
from relsift.errors import ConfigError, DataError
from relsift.files import file_sha256, folder_sha256, joint_sha256
from relsift.home import corpus_folder
from relsift.readers import native
from relsift.readers.base import Reader, ReadReport
from relsift.registry import find, table
from relsift.schema import Document

_SPEC = re.compile(r"(?P<format>\w[\w-]*)(?:\[(?P<options>[^\]]*)\])?:(?P<path>.+)", re.DOTALL)

Source = Callable[[ReadReport], Iterator[Document]]


@dataclass(frozen=True, kw_only=True)
class Data:
    """Annotated documents that can be read as often as needed."""

    name: str  # as the user wrote it
    sources: Mapping[str | None, Source]  # split -> its documents; None: data without parts
    checksum: Callable[[], str]
    inputs: tuple[Path, ...] = ()  # files and folders that are read
    language: str | None = None  # None: unknown
    direction: Direction | None = None  # None: unknown
    dropped: Mapping[str, int] = field(default_factory=dict)  # reason -> items left out when the corpus was prepared

    @property
    def splits(self) -> tuple[str, ...]:
        """The parts to choose from, in the order train, dev, test; empty for data without parts."""
        return tuple(name for name in self.sources if name is not None)

    def documents(self, split: str | None = None, report: ReadReport | None = None) -> Iterator[Document]:
        """The documents of one part, or of all of them if `split` is None.

        Raises: DataError if there is no such part, or if what is read is broken.
        """
        if split is not None and split not in self.sources:
            raise DataError(
                f"{self.name}: expected a part of {', '.join(self.splits) or 'none (this data has no parts)'}, got {split!r}"
            )
        chosen = self.sources.values() if split is None else [self.sources[split]]
        return _chained(list(chosen), report if report is not None else ReadReport())

    def sha256(self) -> str:
        """One checksum of all files that `documents()` reads."""
        return self.checksum()


def resolve(spec: str) -> Data:
    """The data that `spec` names (see the top of this module). Nothing is read yet, except to check a prepared corpus.

    Raises: DataError if nothing or several things fit, or a prepared corpus was changed; ConfigError for an unknown format or
        option of a reader.
    """
    name, _, split = spec.partition("/")
    if name in table("corpus") and (not split or split in SPLITS):
        return _one_part(_corpus_data(find("corpus", name)), split) if split else _corpus_data(find("corpus", name))
    path = Path(spec)
    if not _exists(path):
        match = _SPEC.fullmatch(spec)
        if match is not None:
            reader = _reader(match["format"])
            return _path_data(spec, Path(match["path"]), reader, _options(match["options"], reader))
        if name in table("corpus"):
            raise DataError(f"{spec}: expected a part of {', '.join(SPLITS)}, got {split!r}")
        close_matches = difflib.get_close_matches(name, table("corpus"), n=1, cutoff=0.6)
        hint = f"; did you mean {close_matches[0]}?" if close_matches else ""
        known = ", ".join(table("corpus"))
        raise DataError(f"{spec}: expected a corpus ({known}), format:path, or a path, got a path that does not exist{hint}")
    return _path_data(spec, path, None, {})


def recognise(path: Path) -> Reader:
    """The one reader that recognises a file or folder. Raises DataError naming the formats if none or several do."""
    readers: dict[str, Reader] = {name: find("reader", name) for name in table("reader")}
    recognising = [name for name, reader in readers.items() if reader.recognises(path)]
    if len(recognising) == 1:
        return readers[recognising[0]]
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"{path}: expected annotated text, got an empty file")
    got = f"one that {' and '.join(recognising)} could both be" if recognising else "one that no format recognises"
    choices = recognising or sorted(readers)
    raise DataError(
        f"{path}: expected a file or folder in a known format, got {got}; write FORMAT:{path} with one of {', '.join(choices)}"
    )


def _chained(sources: list[Source], report: ReadReport) -> Iterator[Document]:
    for source in sources:
        yield from source(report)


def _one_part(data: Data, split: str) -> Data:
    if split not in data.sources:
        raise DataError(f"{data.name}: expected a part of {', '.join(data.splits)}, got {split!r}")
    return replace(data, name=f"{data.name}/{split}", sources={None: data.sources[split]})


def _corpus_data(corpus: Corpus) -> Data:
    return _shipped_data(corpus, corpus.shipped) if corpus.shipped is not None else _prepared_data(corpus)


def _shipped_data(corpus: Corpus, folder: Path) -> Data:
    def read(split: str, report: ReadReport) -> Iterator[Document]:
        raw_paths = {reading.raw: folder for reading in corpus.readings}
        return (document for name, document in read_raw(corpus, raw_paths, report) if name == split)

    def checksum() -> str:
        # The content of a part depends on the texts and on the list of splits.
        return joint_sha256({folder.name: folder_sha256(folder), "splits.json": file_sha256(folder.parent / "splits.json")})

    return Data(
        name=corpus.name, sources={split: partial(read, split) for split in SPLITS}, checksum=checksum, inputs=(folder,),
        language=corpus.language, direction=corpus.direction,
    )  # fmt: skip


def _prepared_data(corpus: Corpus) -> Data:
    folder = corpus_folder(corpus.name)
    description = read_description(corpus.name, folder)
    digests: dict[str, str] = {}
    sources: dict[str | None, Source] = {}
    for split, facts in description["splits"].items():
        file = folder / facts["file"]
        digests[facts["file"]] = file_sha256(file)
        if digests[facts["file"]] != facts["sha256"]:
            raise DataError(
                f"{file}: expected sha256 {facts['sha256']} as in {DESCRIPTION_FILE}, got {digests[facts['file']]}; "
                f"run `relsift corpora prepare {corpus.name}` again"
            )
        sources[split] = partial(native.read, file)
    return Data(
        name=corpus.name, sources=sources, checksum=partial(joint_sha256, digests), inputs=(folder,),
        language=corpus.language, direction=corpus.direction, dropped=description["dropped"],
    )  # fmt: skip


def _reader(name: str) -> Reader:
    reader: Reader = find("reader", name)
    return reader


def _options(text: str | None, reader: Reader) -> dict[str, str]:
    """`key=value,key=value`, checked against the reader's options."""
    options: dict[str, str] = {}
    for item in (text or "").split(","):
        key, equals_sign, value = (part.strip() for part in item.partition("="))
        if not item.strip():
            continue
        if equals_sign and key in reader.open_options:
            options[key] = value
            continue
        if key not in reader.options or not equals_sign:
            known = ", ".join((*reader.options, *reader.open_options)) or "none (it has no options)"
            raise ConfigError(f"{reader.name}[{text}]: expected option=value with an option of {known}, got {item.strip()!r}")
        if value not in reader.options[key]:
            raise ConfigError(f"{reader.name}[{text}]: expected {key} to be {' or '.join(reader.options[key])}, got {value!r}")
        options[key] = value
    return options


def _path_data(name: str, path: Path, reader: Reader | None, options: Mapping[str, str]) -> Data:
    if not _exists(path):
        raise DataError(f"{path}: expected a file or a folder, got a path that does not exist")
    parts = _part_paths(path)
    sources: dict[str | None, Source] = {}
    for split, part_path in parts.items() if parts else [(None, path)]:
        # Each part is recognised on its own: the parts of a folder may have different formats.
        sources[split] = partial((reader or recognise(part_path)).read, part_path, **options)
    checksum = partial(folder_sha256, path) if path.is_dir() else partial(file_sha256, path)
    return Data(name=name, sources=sources, checksum=checksum, inputs=(path,))


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name longer than the file system takes
        return False


def _part_paths(folder: Path) -> dict[str, Path]:
    """train, dev and test in a folder: files by that name, whatever their suffix, or folders. Empty if there is no train."""
    if not folder.is_dir():
        return {}
    children = [child for child in folder.iterdir() if not child.name.startswith(".")]
    children_of = {split: [child for child in children if (child.name if child.is_dir() else child.stem) == split] for split in SPLITS}
    # Two files of one name (a text and its annotation): the folder is data without parts.
    if not children_of["train"] or any(len(split_children) > 1 for split_children in children_of.values()):
        return {}
    return {split: split_children[0] for split, split_children in children_of.items() if split_children}
