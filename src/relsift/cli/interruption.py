"""Long work that a user or a system ends early: how far it came, and how it goes on."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

from relsift.cli.output import echo

TERMINATED = 128 + signal.SIGTERM  # exit status


@contextmanager
def resume_hint(out: Path | None, sentences: Callable[[], int], always: str = "") -> Iterator[None]:
    """Say what was done if the block is interrupted or can write no more, and that --resume goes on, if it does.

    Args: out: the file that is written; None: standard output. sentences: the number done so far. always: says how to go on, if it is
        possible at any time.
    """
    from relsift.errors import OutputError
    from relsift.streaming.resume import mark

    def how_to_resume() -> str:
        return "; the same command with --resume goes on from here" if out is not None and mark(out).exists() else always

    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    except (KeyboardInterrupt, SystemExit):
        echo(f"relsift: interrupted after {sentences()} sentences{how_to_resume()}", err=True)
        raise
    except OutputError as error:
        raise OutputError(f"{error}{how_to_resume()}") from error


def _terminate(*_: object) -> NoReturn:
    raise SystemExit(TERMINATED)  # the signal itself could end the process in the middle of a line
