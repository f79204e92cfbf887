"""Blocks of documents into a file, line by line where an interrupted run is to go on; what `predict` and `annotate` share."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TextIO

from relsift.errors import ConfigError
from relsift.files import lock_output, make_folder, open_output
from relsift.inference import InferenceReport
from relsift.omissions import Omissions
from relsift.streaming.inputs import STANDARD_INPUT
from relsift.streaming.resume import Block, Job, complete_mark, mark, remaining
from relsift.writers.base import Writer, check_target, write_documents


def is_resumable(source: str, out: Path | None, output_format: Writer) -> bool:
    """Whether what is written so far can be compared with an input that is read again."""
    is_repeatable = source != STANDARD_INPUT and out is not None and (out.is_file() or not out.exists())
    return is_repeatable and output_format.lines is not None


def not_resumable(source: str, out: Path | None, writer: str) -> ConfigError:
    """The error for --resume where it cannot be."""
    return ConfigError(
        "--resume: expected an INPUT that can be read again and --out with a file in a format of one line a sentence, got input "
        f"{source!r}, output {'standard output' if out is None else str(out)!r}, format {writer!r}; leave out --resume"
    )


def write_file(
    blocks: Iterator[Block], work: Callable[[Iterator[Block]], Iterator[Block]], output_format: Writer, out: Path, job: Job | None,
    *, resume: bool, report: InferenceReport,
) -> list[str]:  # fmt: skip
    """Do the work on the blocks that are not in the file yet, and write them; returns what the user should know.

    Args: work: from blocks to the same blocks with what was found. job: its settings; None: it cannot be resumed.
    """
    notes: list[str] = []
    with ExitStack() as stack:
        if is_shared := out.is_file() or not out.exists():  # nobody writes into a pipe or /dev/null by mistake
            make_folder(out.parent)
        if is_shared and output_format.lines is not None:  # `replaced_file` has its own lock
            stack.enter_context(lock_output(out))
        if resume and job is not None and output_format.lines is not None and job.has_lines(out):
            found = job.entities != "gold"
            missing = remaining(blocks, out, output_format.lines, partial(job.mark_begun, out), found=found)
            first = next(missing, None)
            if first is None:
                notes.append(f"{out}: already complete, nothing was left to do")
            else:
                with open_output(out, "a") as stream:
                    write_blocks(work(chain([first], missing)), output_format, stream, report)
        else:
            predicted = work(blocks)
            predicted = chain([next(predicted, [])], predicted)
            if is_shared:
                complete_mark(out).unlink(missing_ok=True)
            if output_format.lines is None:  # half a page is of no use
                notes += _write_whole(predicted, output_format, out)
            else:  # line by line: what is there after an interruption is of use
                with open_output(out) as stream:
                    if job is not None:  # emptied before it is marked: the mark is for new lines only
                        job.mark_begun(out)
                    write_blocks(predicted, output_format, stream, report)
        if job is not None and resume:
            job.mark_complete(out)
        elif is_shared:
            mark(out).unlink(missing_ok=True)
    return notes


def check_place(out: Path | None, output_format: Writer) -> None:
    """Raises, before any work: ConfigError for a format that needs --out; DataError if it cannot be written there."""
    if out is not None:
        check_target(output_format, out)
    elif not output_format.is_text or output_format.is_folder:
        needed = "a folder" if output_format.is_folder else f"a file, such as relations{output_format.suffix}"
        raise ConfigError(f"--out: expected {needed} for the format {output_format.name}, got standard output; name one")


def write_to_standard_output(blocks: Iterable[Block], output_format: Writer, report: InferenceReport) -> list[str]:
    """Lines at once, other text when it is whole; returns what the user should know."""
    if output_format.lines is not None:
        write_blocks(blocks, output_format, sys.stdout, report)
        return []
    with TemporaryDirectory() as place:
        file = Path(place) / f"output{output_format.suffix}"
        notes = _write_whole(blocks, output_format, file)
        with file.open(encoding="utf-8", newline="") as stream:
            shutil.copyfileobj(stream, sys.stdout)
    return notes


def _write_whole(blocks: Iterable[Block], output_format: Writer, out: Path) -> list[str]:
    left_out = Omissions()
    write_documents(output_format, chain.from_iterable(blocks), out, left_out)
    return not_written(output_format, left_out)


def not_written(output_format: Writer, left_out: Omissions) -> list[str]:
    """What a user is told of a format that cannot hold everything."""
    return [f"not in the format {output_format.name}: {line}" for line in left_out.lines()]


def write_blocks(blocks: Iterable[Block], output_format: Writer, stream: TextIO, report: InferenceReport) -> None:
    """Write the lines of a format of lines, block by block."""
    lines = output_format.lines
    if lines is None:
        raise ConfigError(f"{output_format.name}: expected a format of one line a sentence, got another one")
    for block in blocks:
        with report.busy("writing"):
            # All lines of a block in one system call: only a kill during that call leaves part of a line.
            stream.write("".join([f"{line}\n" for document in block for line in lines(document)]))
            stream.flush()
