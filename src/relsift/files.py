"""Checksums, checked outputs, and files and folders that are replaced as a whole.

A process that reads while another one writes sees the old file or folder, or the complete new one. While NAME is written, these stand
beside it:

.NAME.lock       held by the process that writes; nobody holds it after a kill
.NAME.PID.tmp    the new file or folder, until it is complete
.NAME.PID.old    the old folder, until the new one is in its place

The next process that writes there, or loads the folder (`recovered`), takes the lock: then whatever else is left is of a dead process. An
old folder without a new one goes back to its place, the rest is deleted.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import shutil
import stat
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TextIO

from relsift.errors import CheckpointError, ConfigError, DataError, OutputError
from relsift.locks import locked as locked
from relsift.locks import no_place, output_errors, reason

PATIENCE = 60.0  # seconds to wait for another process that writes the same small file
_LONGEST_NAME = 230  # bytes of a name that a lock's or a temporary file's can be made of; file systems take 255

# ---- checksums


def file_sha256(file: Path) -> str:
    """Raises DataError if the file cannot be read."""
    try:
        with file.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {reason(error)}") from error


def files_below(folder: Path, suffixes: Iterable[str]) -> list[Path]:
    """The files below the folder that have one of the suffixes (any file if there are none given), sorted by relative path."""
    wanted = frozenset(suffixes)
    files = [p for p in folder.rglob("*") if p.is_file() and (not wanted or p.suffix in wanted)]
    return sorted(files, key=lambda p: p.relative_to(folder).as_posix())


def folder_sha256(folder: Path, suffixes: Iterable[str] = (), digest: Callable[[Path], str] = file_sha256) -> str:
    """One digest of a folder: over the lines `relative path, tab, digest of the file`, sorted by path.

    Only files with one of the suffixes count, so that what an operating system leaves behind (`.DS_Store`) changes nothing.
    """
    return joint_sha256({p.relative_to(folder).as_posix(): digest(p) for p in files_below(folder, suffixes)})


def joint_sha256(digests: Mapping[str, str]) -> str:
    """One digest of several, with their names."""
    lines = "".join(f"{name}\t{digests[name]}\n" for name in sorted(digests))
    return hashlib.sha256(lines.encode("utf-8")).hexdigest()


# ---- outputs

# see `relsift.bundle`, which names all files of a model, an ensemble and a run
MODEL_MARK, WEIGHTS_NAME, FIRST_MEMBER = "model.json", "model.safetensors", "member-1"
RUN_MARKS = ("config.yaml", "run.json")
RUN_CONTENT = frozenset((*RUN_MARKS, "training_sentences.sha256", "history.jsonl", "metrics.json", "lock", "state", "model"))


def check_name(out: Path, where: str | None = None) -> None:
    """Refuse `-`, which many programs take for standard output: else a file of that name would be written. Raises: ConfigError."""
    if str(out) == "-":
        instead = "for standard output name /dev/stdout, or leave --out out where the command allows that"
        raise ConfigError(f"{where or out}: expected the name of a file or folder, got '-'; {instead}")


def check_output(out: Path, reads: Iterable[Path], *, option: str | None = None) -> None:
    """Refuse to write where something would be lost: over what the command reads, or over a part of a run or model folder.

    Args:
        out: a file or folder to write; it need not exist. A run folder itself passes: training has its own rules for it.
        reads: files and folders that are read. Links, hard links and other names of them count as the same.
        option: of the command that names the place, for the message.
    Raises: ConfigError.
    """
    where = f"{option}: {out}" if option is not None else f"{out}"
    check_name(out, where)
    place = _real(out)
    if _kind(place) == "other":
        return  # a pipe or a device keeps nothing that could be lost
    for read in reads:
        source = _real(read)
        if place == source or _same_file(place, source):
            raise ConfigError(f"{where}: expected a place that is not read, got the input {read}, which would be overwritten; name another")
        if source in place.parents and _kind(source) == "folder":
            raise ConfigError(f"{where}: expected a place outside the input {read}, which would be changed; name another")
        if _kind(place) == "file" and _kind(source) == "folder" and (twin := _twin(place, source)):
            raise ConfigError(f"{where}: expected a place that is not read, got the input {twin} under another name; name another")
        if place in source.parents:
            raise ConfigError(f"{where}: expected a place of its own, got a folder that holds the input {read}; name another")
    for folder in place.parents:
        if _is_model(folder) or (_is_run(folder) and place.relative_to(folder).parts[0] in RUN_CONTENT):
            raise ConfigError(f"{where}: expected a place of its own, got a part of the {_content(folder)} {folder}; name another")
    children = [] if _is_run(place) else _children(place)
    if inner := [child for child in children if _is_run(child) or _is_model(child)]:
        got = f"a folder that holds the {_content(inner[0])} {inner[0]}"
        raise ConfigError(f"{where}: expected a place of its own, got {got}; name another")


def _real(path: Path) -> Path:
    """Absolute, without links as far as it exists. Unlike `Path.resolve`, it takes links that lead to themselves.

    A link that leads to a pipe, as /dev/stdout may, stays: a pipe has no other name.
    """
    real = Path(os.path.realpath(path))
    return real if _kind(path) != "other" or real.exists() else path.absolute()


def _possible(path: Path) -> Path:
    """The same for a place to write. Raises DataError, before any work, for a name that nothing can have."""
    try:
        path.stat()
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        raise no_place(path, error) from error
    return _real(path)


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except (OSError, ValueError):  # one of them does not exist, or has a name that nothing can have
        return False


def _twin(place: Path, folder: Path) -> Path | None:
    """The file below the folder that is the one at `place`, by a link."""
    files = (Path(base, name) for base, _, names in os.walk(folder) for name in names)
    return next((file for file in files if _same_file(place, file)), None)


def _children(folder: Path) -> list[Path]:
    try:
        return sorted(child for child in folder.iterdir() if child.is_dir())
    except OSError:
        return []


def _is_model(folder: Path) -> bool:
    has_weights = _kind(folder / WEIGHTS_NAME) == "file" or _kind(folder / FIRST_MEMBER) == "folder"
    return _kind(folder / MODEL_MARK) == "file" and has_weights


def _is_run(folder: Path) -> bool:
    return all(_kind(folder / name) == "file" for name in RUN_MARKS)


def _kind(path: Path) -> Literal["file", "folder", "other"] | None:
    """None if nothing is there, or nothing that one may look at."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return None
    return "file" if stat.S_ISREG(mode) else "folder" if stat.S_ISDIR(mode) else "other"


def _content(folder: Path) -> str:
    return "model folder" if _is_model(folder) else "run folder"


# ---- writing


class _NamedOutput(io.FileIO):
    """A file whose errors say which one it is."""

    place = ""  # for messages

    def __init__(self, file: str | int, mode: str, place: str) -> None:
        super().__init__(file, mode, closefd=not isinstance(file, int))
        self.place = place

    def write(self, data: Any) -> int:
        with output_errors(self.place):
            return super().write(data)

    def close(self) -> None:
        with output_errors(self.place):  # some network drives report a full disk here
            super().close()


def open_output(file: Path, mode: str = "w", *, place: Path | None = None) -> TextIO:
    """A text stream (UTF-8, line feeds) to write or append ("a").

    Args: place: what to call the file in messages, if not by its own name.
    Raises: DataError if the file cannot be opened. Later, OutputError naming the file if nothing more can be written.
    """
    if _kind(file) == "folder":
        raise DataError(f"{place or file}: expected a file to write, got a folder; name another place")
    try:
        raw = _NamedOutput(os.fspath(file), mode, str(place or file))
    except (OSError, ValueError) as error:
        raise no_place(place or file, error) from error
    return io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", newline="\n")


def standard_stream(number: int, place: str, **options: Any) -> TextIO:
    """A text stream on an open file descriptor, which stays open; see `open_output`. Args: options: of `io.TextIOWrapper`."""
    return io.TextIOWrapper(io.BufferedWriter(_NamedOutput(number, "w", place)), **options)


def make_folder(folder: Path) -> None:
    """Make a folder, and those above it, if they are not there. Raises DataError if it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        raise no_place(folder, error) from error


def to_json(value: Any, *, indent: int | None = 1) -> str:
    """JSON as relsift writes it, without a last line break. Raises DataError for NaN and infinity, which JSON does not have."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent, allow_nan=False)
    except ValueError as error:
        raise DataError(f"JSON: expected finite numbers, got {error}") from error


def write_json(path: Path, value: Any) -> None:
    """Write JSON. Readers see the old file or the complete new one, also after a power cut."""
    text = to_json(value)
    with replaced_file(path, wait=PATIENCE) as stream:
        stream.write(text + "\n")
        stream.flush()
        with output_errors(path):
            os.fsync(stream.fileno())


@contextmanager
def replaced_file(path: Path, *, wait: float = 0.0) -> Iterator[TextIO]:
    """A text stream whose content takes the place of `path` when the block ends; see `replaced_path`."""
    with replaced_path(path, wait=wait) as temporary, open_output(temporary, place=path) as stream:
        yield stream


@contextmanager
def replaced_path(path: Path, *, wait: float = 0.0) -> Iterator[Path]:
    """A name for a file that takes the place of `path` when the block ends; an error in the block leaves `path` as it was.

    A link stays, and what it points to is replaced; permissions stay too. What is no regular file (a pipe, `/dev/stdout`) is written to.

    Args: wait: seconds to wait for another process that writes the same file.
    Raises: DataError if nothing can be written there; OutputError if the writing fails; CheckpointError if another process writes it.
    """
    target = _possible(path)
    if _kind(target) in ("folder", "other"):
        yield path
        return
    with locked(_lock_of(target), busy=_busy(path), wait=wait, remove=True, place=path):
        _recover(target)
        temporary = _beside(target, f"{os.getpid()}.tmp")
        try:
            yield temporary
            with output_errors(path):
                if _kind(target) is not None:
                    temporary.chmod(stat.S_IMODE(target.stat().st_mode))
                temporary.replace(target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)


@contextmanager
def replaced_folder(folder: Path) -> Iterator[Path]:
    """An empty folder that takes the place of `folder` when the block ends; an error in the block leaves `folder` as it was.

    A link stays, and what it points to is replaced.
    Raises: DataError for a file in the folder's place, and for the working folder; CheckpointError if another process writes it.
    """
    name, folder = folder, _possible(folder)
    if _kind(folder) in ("file", "other") or folder == Path.cwd() or folder in Path.cwd().parents:
        obstacle = "the working folder, or one around it" if _kind(folder) == "folder" else "a file"
        raise DataError(f"{folder}: expected a folder that can be written or replaced, got {obstacle}; name another place")
    make_folder(folder.parent)
    with locked(_lock_of(folder), busy=_busy(name), remove=True, place=name):
        _recover(folder)
        fresh, old = (_beside(folder, f"{os.getpid()}.{end}") for end in ("tmp", "old"))
        make_folder(fresh)
        try:
            yield fresh
            with output_errors(folder):
                if _kind(folder) is not None:
                    folder.rename(old)
                fresh.rename(folder)
        finally:
            with suppress(OSError):
                _recover(folder)


@contextmanager
def replaced_files(folder: Path, names: Collection[str], *, as_folders: bool = False) -> Iterator[dict[str, Path]]:
    """By name a place to write each file of `folder` to. When the block ends, all are there; after a kill or an error, none.

    A folder that has to stay, since it holds something, is a disk or the working folder, gets one file after another when the block ends.
    Args: as_folders: make folders of these names.
    Raises: as `replaced_folder` and `replaced_path`; DataError if another process has filled a new or an empty folder meanwhile.
    """
    with ExitStack() as stack:
        if not _may_go(folder):
            replaced = replaced_folder if as_folders else replaced_path
            yield {name: stack.enter_context(replaced(folder / name)) for name in names}
            return
        fresh = stack.enter_context(replaced_folder(folder))
        if not _may_go(folder):
            raise DataError(f"{folder}: expected an empty folder, got one that another process has just filled; name another place")
        for name in names if as_folders else ():
            make_folder(fresh / name)
        yield {name: fresh / name for name in names}


def _may_go(folder: Path) -> bool:
    """Whether a new folder can take its place, and nothing is lost."""
    place = _possible(folder)
    has_to_stay = place in (Path.cwd(), *Path.cwd().parents) or os.path.ismount(place) or not os.access(place.parent, os.W_OK)
    return _kind(place) != "folder" or (not has_to_stay and not any(place.iterdir()))


def recovered(folder: Path) -> Path:
    """The same folder, after tidying up what dead processes have left of its replacement: call it before the folder is read.

    Raises: DataError if the old folder cannot be put back in its place.
    """
    place = _real(folder)
    left = _leftovers(place)
    if not left:
        return folder
    old = next((path for path in left if path.suffix == ".old"), None)
    between_two_steps = old is not None and _kind(place) is None
    try:
        with locked(_lock_of(place), busy=_busy(folder), wait=PATIENCE if between_two_steps else 0.0, remove=True, place=folder):
            _recover(place)
    except (CheckpointError, DataError, OutputError, OSError) as error:
        if between_two_steps and _kind(place) is None:
            raise DataError(
                f"{folder}: expected a folder, got only {old}, where an interrupted replacement left it: rename it ({error})"
            ) from error
    return folder


def _recover(place: Path) -> None:
    """Put an old folder back if there is no new one, and delete all other leftovers. The caller holds the lock."""
    left = _leftovers(place)
    old = [path for path in left if path.name.endswith(".old")]
    if old and _kind(place) is None:
        kept = max(old, key=lambda path: path.stat().st_mtime)
        kept.rename(place)
        left.remove(kept)
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):
                path.unlink(missing_ok=True)


def _leftovers(place: Path) -> list[Path]:
    """Temporary files and folders beside a place, of living and dead processes."""
    pattern = re.compile(re.escape(_beside(place, "").name) + r"\d+\.(tmp|old)")
    try:
        return sorted(path for path in place.parent.iterdir() if pattern.fullmatch(path.name))
    except OSError:
        return []


def _lock_of(place: Path) -> Path:
    return _beside(place, "lock")


def _beside(place: Path, end: str) -> Path:
    """A hidden name beside a place; a name too long for an addition is replaced by its checksum."""
    name = os.fsencode(place.name)
    kept = place.name if len(name) <= _LONGEST_NAME else hashlib.sha256(name).hexdigest()[:32]
    return place.with_name(f".{kept}.{end}")


def _busy(path: Path) -> str:
    return f"{path}: expected no other process that writes it, got one; wait for it, or name another place"


def lock_output(out: Path) -> AbstractContextManager[None]:
    """Hold the lock of an output file within a block, as `replaced_file` does. Raises CheckpointError if another process holds it."""
    return locked(_lock_of(_real(out)), busy=_busy(out), remove=True, place=out)
