"""Resolve DATA as users write it: the name of a corpus, a format and a path, or a path whose format is recognised.

conll04                     a prepared corpus with its parts          gazette-en     the shipped one needs no preparing
conll04/test                one part of it
brat:notes                  a file or folder in a format
brat[unit=characters]:notes the same with options of its reader; `encoding=NAME` for those that read any text encoding
notes                       a path that exactly one reader recognises; a folder with train, dev and test files has parts
notes.txt                   raw text, if no reader of annotated text recognises it; a folder of raw text has no parts
notes/test                  one part of such a folder
notes.zip  notes.jsonl.gz   an archive, as if it were unpacked (see `relsift.corpora.packed`)
./conll04  corpus:conll04   where both exist: the path, the corpus
"""

from __future__ import annotations

import codecs
import difflib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from relsift.candidates import Direction
from relsift.corpora.corpus import SPLITS, Corpus
from relsift.corpora.description import DESCRIPTION_FILE, read_description
from relsift.corpora.no_relation import without_types
from relsift.corpora.packed import Unpacked, archive_and_place, is_archive
from relsift.corpora.parts import Parts, find_parts, part_word
from relsift.corpora.prepare import read_raw
from relsift.corpora.unrecognised import what_instead_of_text, what_to_do
from relsift.errors import ConfigError, DataError
from relsift.files import file_sha256, folder_sha256, joint_sha256
from relsift.format_options import parse_options
from relsift.home import corpus_folder
from relsift.readers import native
from relsift.readers.base import Reader, ReadReport, is_hidden, no_text
from relsift.readers.raw import Split
from relsift.registry import find, table
from relsift.schema import Document
from relsift.text import half_character

_CORPUS = "corpus:"  # before the name of a corpus where a path has the same name
_DATA_BESIDE = "data files beside the parts, not read"
OTHERS_BESIDE = "other files beside the parts, not read"  # such as a README
_DATA_AMONG = "data files in another format, not read"
OTHERS_AMONG = "files of a folder with another ending"  # as readers that look into each file count them
_ONLY_SUFFIXES = {  # of readers that look at nothing else
    "native": (".jsonl",), "brat": (".ann", ".txt", ".conf"), "bionlp": (".a1", ".a2", ".rel", ".txt"), "text": (".txt",),
    "table": (".csv", ".tsv", ".parquet"),
}  # fmt: skip
_SPEC = re.compile(r"(?P<format>\w[\w-]*)(?:\[(?P<options>[^\]]*)\])?:(?P<path>.+)", re.DOTALL)

Source = Callable[[ReadReport], Iterator[Document]]


@dataclass(frozen=True, kw_only=True)
class Data:
    """Documents that can be read as often as needed, annotated ones or raw text.

    >>> data = resolve("gazette-en")
    >>> data.splits, data.language, data.direction
    (('train', 'dev', 'test'), 'en', 'directed')
    """

    name: str  # as the user wrote it
    sources: Mapping[str | None, Source]  # split -> its documents; None: data without parts
    checksum: Callable[[], str]
    inputs: tuple[Path, ...] = ()  # files and folders that are read
    places: Mapping[str | None, tuple[Path, str | None]] = field(default_factory=dict)  # split -> where it is read, and which part there
    language: str | None = None  # None: unknown
    direction: Direction | None = None  # None: unknown
    dropped: Mapping[str, int] = field(default_factory=dict)  # reason -> items left out when the corpus was prepared
    has_split: bool = False  # whether a splitter has an effect: raw text, and native lines, which may hold some
    raw: str | None = None  # name of the format of text without annotation; None: annotated data
    licence: str | None = None  # as the source of a named corpus states it; None: unknown

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


def resolve(spec: str, no_relation: Sequence[str] = (), split: Split | None = None) -> Data:
    """The data that `spec` names (see the top of this module). Nothing is read yet, except to check a prepared corpus.

    Args:
        no_relation: relation types that mean "not related"; their relations are taken out of the documents, and counted.
        split: from text without annotation to sentences; None: by relsift's rules.
    Raises: DataError if nothing or several things fit, or a prepared corpus was changed; ConfigError for an unknown format or
        option of a reader.

    >>> from relsift.readers.base import ReadReport
    >>> documents = list(resolve("gazette-en").documents("dev", ReadReport()))
    >>> len(documents), sum(len(document.sentences) for document in documents)
    (10, 76)
    """
    if not spec.strip():
        raise DataError("DATA: expected a corpus, format:path, or a path, got an empty name")
    if half_character(spec):
        raise DataError(f"{spec!a}: expected a name in UTF-8, got other bytes; rename it")
    data = _named(spec, split)
    if any(not name for name in no_relation):
        raise ConfigError("--no-relation: expected a relation type, got an empty name")
    if not no_relation:
        return data
    names = frozenset(no_relation)
    return replace(data, sources={split: partial(_without_types, source, names) for split, source in data.sources.items()})


def _without_types(source: Source, names: frozenset[str], report: ReadReport) -> Iterator[Document]:
    return without_types(source(report), names, report)


def _named(spec: str, split: Split | None) -> Data:
    name, _, part = spec.removeprefix(_CORPUS).partition("/")
    path = Path(spec)
    if name in table("corpus") and (not part or part in SPLITS):
        if spec.startswith(_CORPUS) or not _exists(Path(name)):
            return _corpus_data(find("corpus", name)) if not part else _one_part(_corpus_data(find("corpus", name)), part)
        _refuse_two_of_a_name(spec, name)
    elif spec.startswith(_CORPUS):
        find("corpus", name)  # raises for a name that is none
        raise DataError(f"{spec}: expected a part of {', '.join(SPLITS)}, got {part!r}")
    if _exists(path):
        return _path_data(spec, path, None, {}, split)
    match = _SPEC.fullmatch(spec)
    if match is not None:
        if match["format"] in table("corpus") and match["path"] in SPLITS:
            raise DataError(f"{spec}: expected a slash between a corpus and its part, got a colon; write {spec.replace(':', '/')}")
        reader = _reader(match["format"])
        return _path_or_part(spec, Path(match["path"]), reader, _options(match["options"], reader), split)
    if _exists(path.parent) and part_word(path.name) is not None:
        return _path_or_part(spec, path, None, {}, split)
    if name in table("corpus"):
        raise DataError(f"{spec}: expected a part of {', '.join(SPLITS)}, got {part!r}")
    close_matches = difflib.get_close_matches(name, table("corpus"), n=1, cutoff=0.6)
    hint = f"; did you mean {close_matches[0]}?" if close_matches else ""
    known = ", ".join(table("corpus"))
    raise DataError(f"{spec}: expected a corpus ({known}), format:path, or a path, got a path that does not exist{hint}")


def _refuse_two_of_a_name(spec: str, name: str) -> None:
    """A path hides a corpus that is not there, and no other: raises DataError where both could be meant."""
    corpus: Corpus = find("corpus", name)
    place = corpus.shipped or corpus_folder(name)
    if place.is_dir() and place.resolve() != Path(name).resolve():
        raise DataError(
            f"{spec}: expected a name that only one thing has, got a corpus (in {place}) and the path ./{name}; "
            f"write {_CORPUS}{spec} for the corpus, or ./{spec} for the path"
        )


def _path_or_part(spec: str, path: Path, reader: Reader | None, options: Mapping[str, str], split: Split | None) -> Data:
    """A path, or where there is none, FOLDER/PART of a folder with parts."""
    part = part_word(path.name)
    if not _exists(path) and part is not None and (path.parent.is_dir() or is_archive(path.parent)):
        data = _path_data(spec, path.parent, reader, options, split)
        if data.splits:
            return replace(_one_part(data, part), name=spec)
    return _path_data(spec, path, reader, options, split)


def recognise(path: Path) -> Reader:
    """The one reader that recognises a file or folder; those of raw text are asked last.

    Raises DataError naming the formats if none or several do.

    >>> recognise(resolve("gazette-en").inputs[0]).name
    'gazette'
    """
    readers: dict[str, Reader] = {name: find("reader", name) for name in table("reader")}
    recognising = _recognising(path, raw=False) or _recognising(path, raw=True)
    if len(recognising) == 1:
        return readers[recognising[0]]
    if (nothing := what_instead_of_text(path)) is not None:
        raise no_text(path, nothing)
    if not recognising and (hint := what_to_do(path)):
        raise DataError(f"{path}: expected a file or folder in a known format, got one that no format recognises; {hint}")
    got = f"one that {' and '.join(recognising)} could both be" if recognising else "one that no format recognises"
    choices = recognising or sorted(readers)
    raise DataError(
        f"{path}: expected a file or folder in a known format, got {got}; write FORMAT:{path} with one of {', '.join(choices)}"
    )


def _recognising(path: Path, *, raw: bool) -> list[str]:
    """The names of the readers that recognise a path. Args: raw: those of raw text, or all others."""
    readers: dict[str, Reader] = {name: find("reader", name) for name in table("reader")}
    return [name for name, reader in readers.items() if reader.is_raw == raw and reader.recognises(path)]


def _chained(sources: list[Source], report: ReadReport) -> Iterator[Document]:
    for source in sources:
        yield from source(report)


def _one_part(data: Data, split: str) -> Data:
    if split not in data.sources:
        raise DataError(f"{data.name}: expected a part of {', '.join(data.splits)}, got {split!r}")
    places: dict[str | None, tuple[Path, str | None]] = {None: data.places[split]} if split in data.places else {}
    return replace(data, name=f"{data.name}/{split}", sources={None: data.sources[split]}, places=places)


def _corpus_data(corpus: Corpus) -> Data:
    data = _shipped_data(corpus, corpus.shipped) if corpus.shipped is not None else _prepared_data(corpus)
    return replace(data, licence=corpus.licence)


def _shipped_data(corpus: Corpus, folder: Path) -> Data:
    def read(split: str, report: ReadReport) -> Iterator[Document]:
        raw_paths = {reading.raw: folder for reading in corpus.readings}
        return (document for name, document in read_raw(corpus, raw_paths, report) if name == split)

    def checksum() -> str:
        # The content of a part depends on the texts and on the list of splits.
        return joint_sha256({folder.name: folder_sha256(folder), "splits.json": file_sha256(folder.parent / "splits.json")})

    return Data(
        name=corpus.name, sources={split: partial(read, split) for split in SPLITS}, checksum=checksum, inputs=(folder,),
        places={split: (folder, split) for split in SPLITS}, language=corpus.language, direction=corpus.direction,
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
        places={split: (folder / facts["file"], None) for split, facts in description["splits"].items()},
        language=corpus.language, direction=corpus.direction, dropped=description["dropped"],
    )  # fmt: skip


def _reader(name: str) -> Reader:
    reader: Reader = find("reader", name)
    return reader


def _options(text: str | None, reader: Reader) -> dict[str, str]:
    """`key=value,key=value`, checked against the reader's options."""
    options = parse_options(reader.name, text, reader.options, [*(["encoding"] if reader.has_encoding else []), *reader.open_options])
    if "encoding" in options and reader.has_encoding:
        options["encoding"] = _encoding(options["encoding"], f"{reader.name}[{text}]")
    return options


def _encoding(name: str, where: str) -> str:
    """Raises ConfigError for what is no text encoding that Python knows."""
    try:
        codec = codecs.lookup(name)
        "".encode(name)  # refuses codecs from bytes to bytes, such as zlib
    except (LookupError, ValueError) as error:
        raise ConfigError(f"{where}: expected encoding to be a text encoding, such as cp1252 or gb18030, got {name!r}") from error
    return codec.name


def _path_data(name: str, path: Path, reader: Reader | None, options: Mapping[str, str], split: Split | None) -> Data:
    if not _exists(path):
        raise DataError(f"{path}: expected a file or a folder, got a path that does not exist")
    if (packed := archive_and_place(path)) is not None:
        return _packed_data(name, *packed, reader, options, split)
    is_raw = _recognising(path, raw=True) and not _is_data(path) if reader is None else reader.is_raw
    parts = Parts({}) if is_raw else find_parts(path, _is_data if reader is None else reader.recognises)
    left = {_DATA_BESIDE: parts.beside, OTHERS_BESIDE: parts.others} if parts.paths else {}
    sources: dict[str | None, Source] = {}
    places: dict[str | None, tuple[Path, str | None]] = {}
    readers: list[Reader] = []
    for part, part_path in parts.paths.items() if parts.paths else [(None, path)]:
        # Each part is recognised on its own: the parts of a folder may have different formats.
        chosen = reader or recognise(part_path)
        splitting = {"split": split} if chosen.has_split and split is not None else {}
        sources[part] = partial(_read, partial(chosen.read, part_path, **options, **splitting), left, chosen, part_path)
        places[part] = part_path, None
        readers.append(chosen)
    checksum = partial(folder_sha256, path) if path.is_dir() else partial(file_sha256, path)
    return Data(
        name=name, sources=sources, checksum=checksum, inputs=(path,), places=places,
        has_split=any(chosen.has_split for chosen in readers), raw=next((chosen.name for chosen in readers if chosen.is_raw), None),
    )  # fmt: skip


def _packed_data(
    name: str, archive: Path, place: str, reader: Reader | None, options: Mapping[str, str], split: Split | None
) -> Data:
    unpacked = Unpacked(archive)
    with unpacked.named():
        data = _path_data(name, unpacked.path_of(place), reader, options, split)
    return replace(
        data, sources={part: partial(_read_packed, unpacked, source) for part, source in data.sources.items()},
        places={part: (archive, part or place or None) for part in data.places}, checksum=partial(file_sha256, archive),
        inputs=(archive,),
    )  # fmt: skip


def _read_packed(unpacked: Unpacked, source: Source, report: ReadReport) -> Iterator[Document]:
    if unpacked.as_named not in report.renaming:
        report.renaming.append(unpacked.as_named)
    with unpacked.named():
        yield from source(report)


def _read(
    source: Source, left: Mapping[str, Sequence[Path]], reader: Reader, path: Path, report: ReadReport
) -> Iterator[Document]:
    """The documents of one part. The report hears of files that are not read: once of those beside the parts, and of those in the part."""
    for reason, paths in left.items():
        if reason not in report.dropped:
            for beside in paths:
                report.drop(reason, str(beside))
    for file in _other_files(reader, path):
        report.drop(_DATA_AMONG if _is_data(file) else OTHERS_AMONG, str(file))
    yield from source(report)


def _other_files(reader: Reader, path: Path) -> list[Path]:
    """The files below a folder that the reader does not look at; none for readers that count these themselves."""
    suffixes = _ONLY_SUFFIXES.get(reader.name)
    if suffixes is None or not path.is_dir():
        return []
    return sorted(p for p in path.rglob("*") if p.suffix.lower() not in suffixes and not is_hidden(p, path) and p.is_file())


def _is_data(path: Path) -> bool:
    """Whether some reader of annotated text recognises the file or folder."""
    return bool(_recognising(path, raw=False))


def _exists(path: Path) -> bool:
    """Or it lies in an archive that does."""
    try:
        return path.exists() or archive_and_place(path) is not None
    except (OSError, ValueError):  # a name longer than the file system takes, or with a character that none has
        return False
