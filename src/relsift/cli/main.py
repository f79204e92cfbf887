"""The entry point `relsift`: the commands, and how errors are reported to the user.

The module of a command imports only typer at its top, so that `--help` answers at once. The rest is imported when the command runs.
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
    evaluate,
    formats,
    list_errors,
    models,
    parse,
    predict,
    registered,
    reproduce,
    split,
    stats,
    train,
    validate,
)
from relsift.errors import RelsiftError

BAD_INPUT, INTERRUPTED = 2, 130  # exit statuses
_LONGEST_MESSAGE = 1000  # characters of an error message, which may quote long input

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
app.command("convert", cls=registered.help_lists("reader", "writer"))(convert.command)
app.command("split")(split.command)
app.command("parse")(parse.command)
app.command("train")(train.command)
app.command("evaluate")(evaluate.command)
app.command("errors")(list_errors.command)
app.command("compare")(compare.command)
app.command("predict", cls=registered.help_lists("writer"))(predict.command)
app.command("cv")(cv.command)
app.command("reproduce", cls=registered.help_lists("experiment"))(reproduce.command)
app.command("models")(models.command)
app.command("formats")(formats.command)
app.command("doctor")(doctor.command)


def main() -> None:
    """Run the command line. An error that the user can correct gives one line on standard error and exit status 2."""
    try:
        app()
    except RelsiftError as error:
        _fail(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        pass  # the reader of the output has closed it, as `head` does
    except OSError as error:
        if error.filename is None:
            raise
        _fail(f"{error.filename}: {error.strerror}")
    finally:
        _flush()


def _fail(message: str) -> None:
    line = " ".join(message.splitlines())
    if len(line) > _LONGEST_MESSAGE:
        line = f"{line[: _LONGEST_MESSAGE // 2]} … {line[-_LONGEST_MESSAGE // 2 :]}"
    typer.echo(f"relsift: error: {line}", err=True)
    sys.exit(BAD_INPUT)


def _flush() -> None:
    """Flush standard output. If its reader has closed it, discard the rest, or Python would report an error at exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
