"""Find a corpus's raw files in a folder that the user names or a download fills, and make sure that they are the right ones.

They are looked for by name first: in the folder, in its `raw`, and in the folders directly below. If they are not there, or are
others by that name, everything below the folder is searched by checksum, since public archives name and nest files at will.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from relsift.corpora.corpus import Corpus, Raw
from relsift.errors import DataError
from relsift.files import file_sha256, files_below, folder_sha256

_RAW = "raw"
_MOST_FILES = 50_000  # a folder with more is not a corpus: someone named a home folder


def locate(corpus: Corpus, folder: Path) -> dict[str, Path]:
    """The place of each raw input, by its `Raw.path`; all checksums hold.

    Raises: DataError if the folder does not exist, an input is missing, or it differs from what the catalogue expects.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder with the raw files of {corpus.name}, got {_instead(folder)}")
    checker = _Checker()
    complete = [base for base in _bases(folder) if all(_exists(raw, base / raw.path) for raw in corpus.raw)]
    for base in complete:
        if all(checker.digest(raw, base / raw.path) == raw.sha256 for raw in corpus.raw):
            return {raw.path: base / raw.path for raw in corpus.raw}
    found = _by_checksum(corpus, folder, checker)
    if len(found) == len(corpus.raw):
        return found
    if complete:
        for raw in corpus.raw:
            place = complete[0] / raw.path
            got = checker.digest(raw, place)
            if got != raw.sha256:
                raise DataError(
                    f"{place}: expected sha256 {raw.sha256}, got {got}; it was changed, damaged, or is from another release: "
                    f"take it again from {corpus.source}"
                )
    missing = ", ".join(raw.path for raw in corpus.raw if raw.path not in found)
    raise DataError(
        f"{folder}: expected the raw files of {corpus.name} there or below, {missing} not found; get them from {_origin(corpus)}"
    )


def _bases(folder: Path) -> Iterator[Path]:
    """The user may name the folder of raw files, the one it lies in, or one with many corpora."""
    for base in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        yield base
        if (base / _RAW).is_dir():
            yield base / _RAW


def _exists(raw: Raw, place: Path) -> bool:
    return place.is_dir() if raw.is_folder else place.is_file()


def _by_checksum(corpus: Corpus, folder: Path, checker: _Checker) -> dict[str, Path]:
    suffixes = {suffix for raw in corpus.raw for suffix in raw.suffixes or (Path(raw.path).suffix,)}
    files = files_below(folder, suffixes)
    if len(files) > _MOST_FILES:
        raise DataError(f"{folder}: expected a folder with the raw files of {corpus.name}, got one with {len(files)} files")
    folders = sorted({parent for file in files for parent in file.parents if parent.is_relative_to(folder)})
    found: dict[str, Path] = {}
    for raw in corpus.raw:
        for place in folders if raw.is_folder else (file for file in files if file.suffix == Path(raw.path).suffix):
            if checker.digest(raw, place) == raw.sha256:
                found[raw.path] = place
                break
    return found


class _Checker:
    """Digests, each file read once."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}

    def digest(self, raw: Raw, place: Path) -> str:
        return folder_sha256(place, raw.suffixes, self._file) if raw.is_folder else self._file(place)

    def _file(self, file: Path) -> str:
        if file not in self._known:
            self._known[file] = file_sha256(file)
        return self._known[file]


def _origin(corpus: Corpus) -> str:
    return corpus.download or corpus.homepage or corpus.source


def _instead(path: Path) -> str:
    return "a file" if path.exists() else "a path that does not exist"
