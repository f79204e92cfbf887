"""Resuming an interrupted prediction: how its incomplete file is marked, and where the next run starts.

While lines are written to FILE, FILE.resume.json beside it holds the settings that they depend on: model, threshold, writer, input,
what reads it, version. It is created before the first line is written, and deleted after the last. A prediction with `--resume` then leaves
.FILE.complete.json, with the same settings and the size and time of FILE: the next `--resume` finds nothing missing, and ends.

Sentences are predicted in blocks of whole documents; the blocks depend on the input alone. A resumed run starts at the first incomplete
block. Its lines are those of an uninterrupted run, but a score may differ in its last digit: cached words and distances of earlier blocks
may be summed in another order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

from relsift.errors import ConfigError
from relsift.files import write_json
from relsift.json_text import read_json
from relsift.locks import output_errors
from relsift.schema import Document, Entity

# What records that are older than a setting were made with.
_BEFORE = {"on_error": "stop", "entities": "gold", "splitter": "rules==1", "entities_from": ""}
Block = Sequence[Document]
Lines = Callable[[Document], Iterable[str]]


@dataclass(frozen=True, kw_only=True)
class Job:
    """The settings that the written lines depend on."""

    model: str  # checksum of its folder (see `relsift.bundle.model_checksum`)
    threshold: float
    writer: str  # name of the format
    input: str  # as the user named it
    relsift: str  # version
    on_error: str = "stop"  # what is left out of the input
    entities: str = "gold"  # whose are related: those of the input, predicted ones, or found ones where they are missing
    splitter: str = "rules==1"  # makes sentences of raw text, with its version
    precision: str = "float32"  # in which the model computes
    entity_files: str = ""  # checksum of the files that it reads; empty: nothing
    entities_from: str = ""  # what finds entities in sentences without any, with its version, and the names of types; empty: nothing

    def mark_begun(self, out: Path) -> None:
        """Mark `out` as incomplete."""
        write_json(mark(out), asdict(self))
        complete_mark(out).unlink(missing_ok=True)

    def mark_complete(self, out: Path) -> None:
        """Mark `out` as complete, so that a later run knows with which settings."""
        write_json(complete_mark(out), asdict(self) | _facts(out))
        mark(out).unlink(missing_ok=True)

    def has_lines(self, out: Path) -> bool:
        """Whether `out` has lines of this job, after which a resumed run goes on.

        Raises: ConfigError if another job wrote the file, or it is not known which.
        """
        if not out.exists() or not out.stat().st_size:
            return False
        record, before = mark(out), _read(mark(out))
        if before is None:
            record, before = complete_mark(out), _read(complete_mark(out))
            if before is not None and {name: before.get(name) for name in _facts(out)} != _facts(out):
                before = None  # something else has written the file since
        if before is None:
            raise ConfigError(
                f"--resume: expected {mark(out)} beside {out}, as an interrupted run leaves it, got none: the file is "
                "complete, or something else wrote it; leave out --resume to write it anew"
            )
        for name, value in asdict(self).items():
            got = before.get(name, _BEFORE.get(name))
            if got != value:
                raise ConfigError(
                    f"--resume: expected the {name} with which {out} was begun, {got!r} (in {record}), got {value!r}; "
                    "use the same command as before, or leave out --resume to start again"
                )
        return True


def mark(out: Path) -> Path:
    """The file that marks `out` as incomplete."""
    return out.with_name(f"{out.name}.resume.json")


def complete_mark(out: Path) -> Path:
    """The file that tells with which settings a complete `out` was written."""
    return out.with_name(f".{out.name}.complete.json")


def _facts(out: Path) -> dict[str, int]:
    """What changes when something else writes the file."""
    facts = out.stat()
    return {"size": facts.st_size, "mtime_ns": facts.st_mtime_ns}


def _read(record: Path) -> dict[str, Any] | None:
    """None if it is not there. Raises ConfigError if it is no record."""
    if not record.is_file():
        return None
    advice = "leave out --resume to start again"
    value = read_json(record, error=ConfigError, advice=advice)
    if not isinstance(value, dict):
        raise ConfigError(f"{record}: expected a JSON object with the settings of a prediction, got {str(value)[:60]}; {advice}")
    return value


def remaining(
    blocks: Iterator[Block], out: Path, lines: Lines, begin: Callable[[], None] | None = None, *, found: bool = False
) -> Iterator[Block]:
    """The blocks that are not yet in `out`; an incomplete block is cut off from the file.

    Args: begin: called before the file is cut. found: the entities in the file are those that a model found, and not the input's.
    Raises: ConfigError naming the line if the file holds other sentences than those the input begins with.
    """
    with out.open("r+b") as stream:
        end = number = 0
        for block in blocks:
            number = _last_line(block, stream, number, out, lines, found)
            if number < 0:
                if begin is not None:
                    begin()
                with output_errors(out):
                    stream.truncate(end)
                return chain([block], blocks)
            end = stream.tell()
        if stream.read(1):
            raise _changed(out, number + 1, "the end of the input", "more sentences")
    return iter(())


def _last_line(block: Block, stream: BinaryIO, number: int, out: Path, lines: Lines, found: bool) -> int:
    """The number of the block's last line in the file; -1 if the file ends before it. Args: number: of the line before the block."""
    for document in block:
        names = [sentence.id for sentence in document.sentences] or [document.id]
        for expected, name in zip(_beginnings(document, lines, found), names):
            got = stream.readline()
            if not got.endswith(b"\n"):
                return -1
            number += 1
            if not got.startswith(expected.encode()):
                raise _changed(out, number, f"sentence {name!r} as it is in the input", repr(got[:60].decode(errors="replace")))
    return number


def _beginnings(document: Document, lines: Lines, found: bool) -> Iterator[str]:
    """Of each line, what does not depend on the prediction."""
    document = replace(document, across=(), concept_relations=None)
    sentences = [sentence.with_relations(None) for sentence in document.sentences]
    if not found or not sentences:
        yield from (line[:-1] for line in lines(replace(document, sentences=tuple(sentences))))
        return
    # What lines have in common that differ in their entities alone.
    without, some = (
        lines(replace(document, sentences=tuple(replace(s, entities=entities, tagged=None) for s in sentences)))
        for entities in ((), (Entity(0, 1, "X"),))
    )
    for one, other in zip(without, some):
        shared = next((place for place, (a, b) in enumerate(zip(one, other)) if a != b), min(len(one), len(other)))
        yield one[:shared]


def _changed(out: Path, number: int, expected: str, got: str) -> ConfigError:
    return ConfigError(
        f"{out}:{number}: --resume: expected {expected}, got {got}; the input has changed since, or the file has: leave out --resume to "
        "start again"
    )
