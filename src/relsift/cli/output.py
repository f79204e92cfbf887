"""All that commands print, and the streams that they print to.

Every function here shows text as it is: text from the data is never markup, and its control characters are shown as escapes. Commands
print in no other way (`tests/architecture/test_layers.py` checks it).
"""

from __future__ import annotations

import io
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

from relsift.errors import RelsiftError
from relsift.files import standard_stream, to_json
from relsift.report.terminal import plain_text, printable

if TYPE_CHECKING:
    from rich.console import Console

    from relsift.report.blocks import Table


def echo(*lines: str, err: bool = False) -> None:
    """Print lines, on standard error if `err`."""
    stream = sys.stderr if err else sys.stdout
    stream.write("".join(f"{printable(line)}\n" for line in lines))
    stream.flush()


def note(line: str) -> None:
    """Print what the user should know beside the result, on standard error."""
    echo(f"note: {line}", err=True)


def echo_json(value: Any) -> None:
    """Print a value as JSON; what is no visible text stays as it is inside its strings."""
    sys.stdout.write(to_json(value) + "\n")


def echo_table(table: Table) -> None:
    """Print a table as plain text."""
    sys.stdout.write(plain_text(table) + "\n")


def as_documents() -> None:
    """Make standard output what a file of documents is: UTF-8, whatever the terminal has, with line feeds alone."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")


def show(*tables: Table) -> None:
    """Print tables with lines, as wide as the terminal."""
    from relsift.report.terminal import rich_table

    console = new_console(err=False)
    for table in tables:
        console.print(rich_table(table))


def new_console(*, err: bool) -> Console:
    """A console of rich, which takes no text for markup."""
    from rich.console import Console

    return Console(stderr=err, markup=False, emoji=False, highlight=False)


def print_above(console: Console, line: str) -> None:
    """Print a line above the progress bar of a console."""
    from rich.text import Text

    console.print(Text(printable(line)), soft_wrap=True)


# ---- streams


class _Patient(io.FileIO):
    """Standard error that takes everything: what cannot be said must not end the work."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError:
            return len(data)


def open_streams() -> None:
    """Make standard output an `open_output`, whose errors are one line, and let standard error take everything.

    A stream that the caller has closed is opened on nothing, so that no file of ours gets its number; using it is an error.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_WRONLY if number == 0 else os.O_RDONLY)
    if sys.stdout is sys.__stdout__:  # else a test or another program has its own
        sys.stdout = standard_stream(1, "standard output", **_options(sys.stdout, os.isatty(1)))
    if sys.stderr is sys.__stderr__:
        raw = _Patient(2, "w", closefd=False)
        sys.stderr = io.TextIOWrapper(io.BufferedWriter(raw), **_options(sys.stderr, True))


def _options(stream: TextIO | None, line_buffering: bool) -> dict[str, Any]:
    encoding = getattr(stream, "encoding", None) or "utf-8"
    return {"encoding": encoding, "errors": "backslashreplace", "line_buffering": line_buffering}


def discard_output() -> None:
    """Flush standard output. If nobody takes the rest, throw it away, or Python would report an error at exit."""
    try:
        sys.stdout.flush()
    except (OSError, RelsiftError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
