"""relsift models"""

from __future__ import annotations

from relsift.cli.output import echo


def command() -> None:
    """List the models and their presets."""
    from importlib import import_module

    from relsift.registry import find, table

    for name in table("model"):
        model = find("model", name)
        # The first line of a model's file names its architecture.
        echo(f"{name}: {(import_module(model.__module__).__doc__ or '').partition(chr(10))[0]}")
        for preset, values in model.PRESETS.items():
            echo(f"  --preset {preset}: {values.summary}")
