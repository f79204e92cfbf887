"""relsift doctor"""

from __future__ import annotations

import typer


def command() -> None:
    """Show versions, threads, devices, switches and folders."""
    from relsift.environment import facts, optional_packages
    from relsift.report.blocks import Table
    from relsift.report.terminal import plain_text

    typer.echo(plain_text(Table.list_of(facts())))
    extras = [(f"relsift[{extra}]", package, state) for extra, package, state in optional_packages()]
    if extras:
        typer.echo("\noptional packages")
        typer.echo(plain_text(Table.list_of(extras)))
