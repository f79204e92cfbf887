"""SHA-256 of files, of folders of many files, and of groups of both."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from relsift.errors import DataError


def file_sha256(file: Path) -> str:
    """Raises DataError if the file cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error


def files_below(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """The files below the folder that have one of the suffixes (any file if there are none given), sorted by relative path."""
    wanted = frozenset(suffixes)
    found = [p for p in folder.rglob("*") if p.is_file() and (not wanted or p.suffix in wanted)]
    return sorted(found, key=lambda p: p.relative_to(folder).as_posix())


def folder_sha256(folder: Path, suffixes: Iterable[str] = (), digest: Callable[[Path], str] = file_sha256) -> str:
    """One digest of a folder: over the lines `relative path, tab, digest of the file`, sorted by path.

    Only files with one of the suffixes count, so that what an operating system leaves behind (`.DS_Store`) changes nothing.
    """
    return joint_sha256({p.relative_to(folder).as_posix(): digest(p) for p in files_below(folder, suffixes)})


def joint_sha256(digests: Mapping[str, str]) -> str:
    """One digest of several, with their names."""
    lines = "".join(f"{name}\t{digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()
