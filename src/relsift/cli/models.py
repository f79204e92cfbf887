"""relsift models"""

from __future__ import annotations

import typer


def command() -> None:
    """List the models and their presets."""
    from relsift.registry import find, table

    for name in table("model"):
        model = find("model", name)
        lines = (model.__doc__ or "").strip().splitlines()
        typer.echo(f"{name}: {lines[0] if lines else ''}".rstrip(": "))
        for preset, its in model.PRESETS.items():
            typer.echo(f"  --preset {preset}: {its.summary}")
