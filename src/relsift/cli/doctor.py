"""relsift doctor"""

from __future__ import annotations

from relsift.cli.output import echo, echo_table


def command() -> None:
    """Show versions, threads, devices, switches and folders."""
    from relsift.environment import facts, optional_packages
    from relsift.report.blocks import Table

    echo_table(Table.list_of(facts()))
    extras = [(f"relsift[{extra}]", package, state) for extra, package, state in optional_packages()]
    if extras:
        echo("", "optional packages")
        echo_table(Table.list_of(extras))
