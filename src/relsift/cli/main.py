"""The entry point `relsift`: the commands, and how errors are reported to the user.

The module of a command imports only typer at its top, so that `--help` answers at once. The rest is imported when the command runs.
"""

from __future__ import annotations

import atexit
import gc
import os
import signal
import sys
import threading
import warnings
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

from relsift.cli import (
    annotate,
    card,
    compare,
    convert,
    corpora,
    curve,
    cv,
    decide,
    demo,
    doctor,
    evaluate,
    export,
    formats,
    list_errors,
    models,
    parse,
    predict,
    registered,
    reproduce,
    serve,
    split,
    stats,
    suggest,
    train,
    tune,
    validate,
    vectors,
)
from relsift.cli.output import discard_output, echo, open_streams
from relsift.errors import OutputError, RelsiftError, shortened
from relsift.locks import is_full, reason
from relsift.report.terminal import printable

CANNOT_WRITE, BAD_INPUT, INTERRUPTED = 1, 2, 130  # exit statuses
_GC_THRESHOLD = 100_000  # new objects between two garbage collections: with Python's 700, loading torch takes half as long again

_LEFT_OUT = {"torch": "torch", "numba": "numba", "sklearn": "scikit-learn"}  # where only exported models are used (docs/export.md)

# Of typer or of click, as the version of typer has it.
_UsageError: Any = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException")

app = typer.Typer(
    name="relsift",
    help="Find the few related entity pairs among the many unrelated ones.",
    no_args_is_help=True,
    rich_markup_mode=None,  # importing rich takes longer than everything else
    pretty_exceptions_enable=False,
)


def _version(requested: bool) -> None:
    if requested:
        from relsift import __version__

        echo(f"relsift {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")] = False,
) -> None:
    """Find the few related entity pairs among the many unrelated ones."""


app.command("demo")(demo.command)
app.add_typer(corpora.app, name="corpora")
app.command("stats")(stats.command)
app.command("validate")(validate.command)
app.command("convert", cls=registered.help_lists("reader", "writer"))(convert.command)
app.command("split")(split.command)
app.command("annotate")(annotate.command)
app.command("parse")(parse.command)
app.add_typer(vectors.app, name="vectors")
app.command("train")(train.command)
app.command("decide")(decide.command)
app.command("evaluate")(evaluate.command)
app.command("errors")(list_errors.command)
app.command("compare")(compare.command)
app.command("predict", cls=registered.help_lists("writer"))(predict.command)
app.command("suggest", cls=registered.help_lists("writer"))(suggest.command)
app.command("serve")(serve.command)
app.command("export")(export.command)
app.command("card")(card.command)
app.command("cv")(cv.command)
app.command("tune")(tune.command)
app.command("curve")(curve.command)
app.command("reproduce", cls=registered.help_lists("experiment"))(reproduce.command)
app.command("models")(models.command)
app.command("formats")(formats.command)
app.command("doctor")(doctor.command)


def main() -> None:
    """Run the command line, and end the process with its exit status.

    What the user can correct is one line on standard error: status 2 for input and options, 1 where the result cannot be written.
    """
    gc.set_threshold(_GC_THRESHOLD)
    atexit.register(gc.freeze)  # Python looks for garbage a last time when it ends, which takes as long as a fifth of loading torch
    open_streams()
    warnings.showwarning = _show_warning
    interruptions = _noted_interruptions()
    try:
        status = app(standalone_mode=False)
        sys.stdout.flush()
    except OutputError as error:
        _fail(str(error), CANNOT_WRITE)
    except RelsiftError as error:
        _fail(str(error))
    except _UsageError as error:
        error.message = "\n".join(map(printable, error.message.split("\n")))
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.exit(0)  # the reader of the output has closed it, as `head` does
    except SystemExit as end:  # click and rich make one of a closed pipe
        sys.exit(0 if end.code == 1 and isinstance(end.__context__, BrokenPipeError) else end.code)
    except MemoryError:
        _fail("expected enough memory for this work, got no more from the system; use smaller data, batches or a smaller model")
    except ModuleNotFoundError as error:
        package = _LEFT_OUT.get((error.name or "").partition(".")[0])
        if package is None:
            raise
        _fail(f"expected the package {package}, which this command needs, got none; pip install {package}")
    except OSError as error:
        _fail(_system_error(error), CANNOT_WRITE if is_full(error) else BAD_INPUT)
    except Exception:
        if interruptions:  # a library that was being loaded swallowed the interruption, and is half loaded
            sys.exit(INTERRUPTED)
        raise
    finally:
        discard_output()
    sys.exit(status or 0)


def _noted_interruptions() -> list[int]:
    """A list that gets an entry with every interruption, which is raised as KeyboardInterrupt as ever."""
    noted: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append(number)
        signal.default_int_handler(number, frame)

    # A process in the background ignores interruptions: that stays.
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, note)
    return noted


def _system_error(error: OSError) -> str:
    """In the house form: where, what was expected, what came, what to do."""
    if error.filename is None:
        return f"expected to read and write what the command needs, got {reason(error)}"
    names = " and ".join(os.fsdecode(name) if isinstance(name, str | bytes) else f"file descriptor {name}"
                         for name in (error.filename, error.filename2) if name is not None)  # fmt: skip
    return f"{names}: expected a file or folder that can be read and written, got {reason(error)}"


def _fail(message: str, status: int = BAD_INPUT) -> NoReturn:
    echo(f"relsift: error: {shortened(' '.join(message.splitlines()))}", err=True)
    sys.exit(status)


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    """In place of Python's two lines, which quote our source."""
    echo(f"warning: {str(message).removeprefix('relsift: ')}", err=True)


if __name__ == "__main__":
    main()
