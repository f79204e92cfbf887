"""The entry point `relsift`: the table of commands, and how errors reach the user.

A command's module imports typer and nothing of relsift at its top, so that `--help` answers at once; what it needs is imported
when it runs.
"""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from relsift.cli import (
    compare,
    convert,
    corpora,
    cv,
    demo,
    doctor,
    errors,
    evaluate,
    models,
    parse,
    predict,
    reproduce,
    stats,
    train,
    validate,
)
from relsift.errors import RelsiftError

BAD_INPUT, INTERRUPTED = 2, 130  # exit statuses
_LONGEST = 1000  # characters of an error message; what was read may be quoted in it

app = typer.Typer(
    name="relsift",
    help="Find the few related entity pairs among the many unrelated ones.",
    no_args_is_help=True,
    rich_markup_mode=None,  # rich takes longer to import than all the rest
    pretty_exceptions_enable=False,
)


def _version(asked: bool) -> None:
    if asked:
        from relsift import __version__

        typer.echo(f"relsift {__version__}")
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
app.command("convert")(convert.command)
app.command("parse")(parse.command)
app.command("train")(train.command)
app.command("evaluate")(evaluate.command)
app.command("errors")(errors.command)
app.command("compare")(compare.command)
app.command("predict")(predict.command)
app.command("cv")(cv.command)
app.command("reproduce", cls=reproduce.Command)(reproduce.command)
app.command("models")(models.command)
app.command("doctor")(doctor.command)


def main() -> None:
    """Run the command line. What the user can mend is one line on standard error and exit status 2."""
    try:
        app()
    except RelsiftError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        pass  # the reader of our output has what it wanted; `finally` keeps the rest quiet
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}")
    finally:
        _flush()


def _fail(message: str) -> None:
    line = " ".join(message.splitlines())
    if len(line) > _LONGEST:
        line = f"{line[: _LONGEST // 2]} … {line[-_LONGEST // 2 :]}"
    typer.echo(f"relsift: error: {line}", err=True)
    sys.exit(BAD_INPUT)


def _flush() -> None:
    """Write out what is buffered; if nobody reads it any more, let the interpreter not complain about that at its end."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
