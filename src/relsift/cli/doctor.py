"""relsift doctor"""

from __future__ import annotations

import typer


def command() -> None:
    """Show versions, threads, devices, switches and folders."""
    from relsift.cli.columns import columns
    from relsift.environment import facts, optional_packages

    typer.echo(columns(list(facts())))
    extras = [(f"relsift[{extra}]", package, state) for extra, package, state in optional_packages()]
    if extras:
        typer.echo("\noptional packages")
        typer.echo(columns(extras))
