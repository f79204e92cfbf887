"""relsift models"""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the models as JSON.")] = False,
) -> None:
    """List the models, what they read of a sentence, and their presets."""
    from relsift.models.base.model import RelationModel
    from relsift.registry import find, table
    from relsift.report.terminal import visible

    models: dict[str, type[RelationModel[Any]]] = {name: find("model", name) for name in table("model")}
    if as_json:
        records = [
            {
                "name": name,
                "summary": model.SUMMARY,
                "reads": sorted(model.READS),
                "presets": {preset: values.summary for preset, values in model.PRESETS.items()},
            }
            for name, model in models.items()
        ]
        typer.echo(json.dumps(records, ensure_ascii=False, indent=1))
        return
    for name, model in models.items():
        typer.echo(visible(f"{name}: {model.SUMMARY}"))
        typer.echo(visible(f"  reads {', '.join(sorted(model.READS))}"))
        for preset, values in model.PRESETS.items():
            typer.echo(visible(f"  --preset {preset}: {values.summary}"))
