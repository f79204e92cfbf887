"""relsift models"""

from __future__ import annotations

from typing import Annotated, Any

import typer

from relsift.cli.output import echo, echo_json


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the models as JSON.")] = False,
) -> None:
    """List the models, what they read of a sentence, and their presets."""
    from relsift.models.base.model import RelationModel
    from relsift.registry import find, table

    models: dict[str, type[RelationModel[Any]]] = {name: find("model", name) for name in table("model")}
    if as_json:
        echo_json(
            [
                {
                    "name": name,
                    "summary": model.SUMMARY,
                    "reads": sorted(model.READS),
                    "presets": {preset: values.summary for preset, values in model.PRESETS.items()},
                }
                for name, model in models.items()
            ]
        )
        return
    for name, model in models.items():
        echo(f"{name}: {model.SUMMARY}", f"  reads {', '.join(sorted(model.READS))}")
        for preset, values in model.PRESETS.items():
            echo(f"  --preset {preset}: {values.summary}")
