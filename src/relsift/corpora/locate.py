"""Find a corpus's raw files in a folder of the user or of a download, and check them.

The files are searched by name first: in the folder, in its `raw`, and in the folders directly below. If that fails, or a checksum
differs, all files below the folder are searched by checksum, since public archives name and nest files in any way.
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
    """The path of each raw input, by its `Raw.path`. All checksums hold.

    Raises: DataError if the folder does not exist, an input is missing, or it differs from what the catalogue expects.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: expected a folder with the raw files of {corpus.name}, got {_kind_of_path(folder)}")
    digests = _Digests()
    complete_folders = [base for base in _possible_folders(folder) if all(_exists(raw, base / raw.path) for raw in corpus.raw)]
    for base in complete_folders:
        if all(digests.of(raw, base / raw.path) == raw.sha256 for raw in corpus.raw):
            return {raw.path: base / raw.path for raw in corpus.raw}
    located = _by_checksum(corpus, folder, digests)
    if len(located) == len(corpus.raw):
        return located
    if complete_folders:
        for raw in corpus.raw:
            place = complete_folders[0] / raw.path
            got = digests.of(raw, place)
            if got != raw.sha256:
                raise DataError(
                    f"{place}: expected sha256 {raw.sha256}, got {got}; it was changed, damaged, or is from another release: "
                    f"take it again from {corpus.source}"
                )
    missing = ", ".join(raw.path for raw in corpus.raw if raw.path not in located)
    raise DataError(
        f"{folder}: expected the raw files of {corpus.name} there or below, {missing} not found; get them from {_where_to_get(corpus)}"
    )


def _possible_folders(folder: Path) -> Iterator[Path]:
    """Folders that may hold the raw files: the user may name that folder, its parent, or a folder of many corpora."""
    for base in (folder, *sorted(p for p in folder.iterdir() if p.is_dir())):
        yield base
        if (base / _RAW).is_dir():
            yield base / _RAW


def _exists(raw: Raw, place: Path) -> bool:
    return place.is_dir() if raw.is_folder else place.is_file()


def _by_checksum(corpus: Corpus, folder: Path, digests: _Digests) -> dict[str, Path]:
    suffixes = {suffix for raw in corpus.raw for suffix in raw.suffixes or (Path(raw.path).suffix,)}
    files = files_below(folder, suffixes)
    if len(files) > _MOST_FILES:
        raise DataError(f"{folder}: expected a folder with the raw files of {corpus.name}, got one with {len(files)} files")
    folders = sorted({parent for file in files for parent in file.parents if parent.is_relative_to(folder)})
    located: dict[str, Path] = {}
    for raw in corpus.raw:
        for place in folders if raw.is_folder else (file for file in files if file.suffix == Path(raw.path).suffix):
            if digests.of(raw, place) == raw.sha256:
                located[raw.path] = place
                break
    return located


class _Digests:
    """SHA-256 of files and folders; each file is read once."""

    def __init__(self) -> None:
        self._known: dict[Path, str] = {}

    def of(self, raw: Raw, place: Path) -> str:
        return folder_sha256(place, raw.suffixes, self._file) if raw.is_folder else self._file(place)

    def _file(self, file: Path) -> str:
        if file not in self._known:
            self._known[file] = file_sha256(file)
        return self._known[file]


def _where_to_get(corpus: Corpus) -> str:
    return corpus.download or corpus.homepage or corpus.source


def _kind_of_path(path: Path) -> str:
    return "a file" if path.exists() else "a path that does not exist"
