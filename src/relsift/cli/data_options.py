"""The options of every command that reads annotated data, and what such commands check and tell in the same way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Annotated

import typer

from relsift.cli.output import echo

if TYPE_CHECKING:
    from relsift.readers.base import OnError, ReadReport

WHAT = "a prepared corpus, format:path, or a path"

DataArgument = Annotated[str | None, typer.Argument(metavar="DATA", help=f"Annotated data: {WHAT}.", show_default=False)]
DataOption = Annotated[str | None, typer.Option("--data", metavar="DATA", help="The same as DATA.", show_default=False)]
OnErrorOption = Annotated[
    str,
    typer.Option(
        "--on-error",
        metavar="stop|skip",
        help="What to do about broken data: stop there, or skip the smallest unit (relation, entity, sentence, document) and count it.",
    ),
]
NoRelation = Annotated[
    list[str] | None,
    typer.Option(
        "--no-relation",
        metavar="NAME",
        help="A label of the data that means: no relation. Such pairs count as annotated, unrelated. May be given several times.",
        show_default=False,
    ),
]


def one_data(argument: str | None, option: str | None) -> str:
    """DATA, which may stand as an argument or behind --data. Raises ConfigError for both, and for none."""
    from relsift.errors import ConfigError

    given = [value for value in (argument, option) if value is not None]
    if len(given) != 1:
        got = f"DATA {argument!r} and --data {option!r}; give one of them" if given else f"none; name {WHAT}"
        raise ConfigError(f"DATA: expected annotated data, as an argument or as --data, got {got}")
    return given[0]


def as_on_error(value: str) -> OnError:
    """Raises ConfigError for anything but stop and skip."""
    from relsift.errors import require

    require(value in ("stop", "skip"), "--on-error", expected="stop or skip", got=value)
    return "skip" if value == "skip" else "stop"


def read_report(on_error: str) -> ReadReport:
    """An empty report for readers. Raises ConfigError as `as_on_error` does."""
    from relsift.readers.base import ReadReport

    return ReadReport(on_error=as_on_error(on_error))


def lost_in_copies(report: ReadReport) -> list[str]:
    """A line if annotated relations are not in files that were written from what was read."""
    if not (lost := report.lost_relations.total()):
        return []
    return [
        f"{lost} annotated relations could not be kept and are not in the files: an evaluation on them does not count these as missed, "
        "one on the original data does"
    ]


def tell(notes: Iterable[str] = (), warnings: Iterable[str] = ()) -> None:
    """One line each on standard error."""
    echo(*(f"note: {line}" for line in notes), *(f"warning: {line}" for line in warnings), err=True)
