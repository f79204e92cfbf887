"""Blocks of documents into a file, line by line, so that an interrupted run can go on; what `predict` and `annotate` share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TextIO

from relsift.errors import ConfigError
from relsift.files import lock_output, make_folder, open_output, replaced_file
from relsift.inference import InferenceReport
from relsift.streaming.inputs import STANDARD_INPUT
from relsift.streaming.resume import Block, Job, complete_mark, mark, remaining
from relsift.writers.base import Writer


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
            first = next(predicted, [])
            if is_shared:
                complete_mark(out).unlink(missing_ok=True)
            # Line by line: what is there after an interruption is of use. A page would be half of one.
            with open_output(out) if output_format.lines is not None else replaced_file(out) as stream:
                if job is not None:  # emptied before it is marked: the mark is for new lines only
                    job.mark_begun(out)
                write_blocks(chain([first], predicted), output_format, stream, report)
        if job is not None and resume:
            job.mark_complete(out)
        elif is_shared:
            mark(out).unlink(missing_ok=True)
    return notes


def write_blocks(blocks: Iterable[Block], output_format: Writer, stream: TextIO, report: InferenceReport) -> None:
    if output_format.lines is None:
        output_format.write(chain.from_iterable(blocks), stream)
        return
    for block in blocks:
        with report.busy("writing"):
            # All lines of a block in one system call: only a kill during that call leaves part of a line.
            stream.write("".join([f"{line}\n" for document in block for line in output_format.lines(document)]))
            stream.flush()
