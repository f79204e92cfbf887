"""What is registered, for lists and for the help of commands: names with their summaries, those of plug-ins too."""

from __future__ import annotations

from typing import Any, ClassVar

import typer.core

HEADINGS = {"experiment": "Experiments", "writer": "Output formats", "reader": "Input formats"}


def summaries(kind: str) -> list[tuple[str, str]]:
    """Name and summary of each entry. A plug-in that cannot be loaded has the reason as its summary: help must always come."""
    from relsift.errors import ConfigError
    from relsift.registry import find, table
    from relsift.report.terminal import printable

    rows = []
    for name in table(kind):
        try:
            text = str(find(kind, name).summary)
        except ConfigError as error:
            text = str(error)
        rows.append((printable(name), printable(text)))
    return rows


class _Command(typer.core.TyperCommand):
    kinds: ClassVar[tuple[str, ...]]

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        for kind in self.kinds:
            with formatter.section(HEADINGS[kind]):
                formatter.write_dl(summaries(kind))
        super().format_epilog(ctx, formatter)


def help_lists(*kinds: str) -> type[_Command]:
    """A class for `app.command(cls=…)`: the help ends with all entries of these kinds. They are looked up only when it is shown."""
    return type("Command", (_Command,), {"kinds": kinds})
