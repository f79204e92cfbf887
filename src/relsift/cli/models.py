"""relsift models"""

from __future__ import annotations

from dataclasses import fields
from typing import Annotated, Any

import typer

from relsift.cli.output import echo, echo_json


def command(
    as_json: Annotated[bool, typer.Option("--json", help="Print the models as JSON.")] = False,
) -> None:
    """List the models, what they read of a sentence, and their presets; then the losses that models of pairs can be trained with."""
    from relsift.losses.base import BOTH, OF_BOTH
    from relsift.models.base.model import RelationModel
    from relsift.registry import find, table

    models: dict[str, type[RelationModel[Any]]] = {name: find("model", name) for name in table("model")}
    losses = {name: find("loss", name).SUMMARY for name in table("loss")} | {BOTH: f"{' and '.join(OF_BOTH)}; {OF_BOTH[0]} decides"}
    if as_json:
        echo_json(
            [
                {
                    "name": name,
                    "summary": model.SUMMARY,
                    "reads": sorted(model.READS),
                    "presets": {preset: values.summary for preset, values in model.PRESETS.items()},
                    "classification": losses if "classification" in _options(model) else {},
                }
                for name, model in models.items()
            ]
        )
        return
    for name, model in models.items():
        echo(f"{name}: {model.SUMMARY}", f"  reads {', '.join(sorted(model.READS))}")
        for preset, values in model.PRESETS.items():
            echo(f"  --preset {preset}: {values.summary}")
    echo("", "Losses of models that classify pairs:")
    for name, summary in losses.items():
        echo(f"  --set model.classification={name}: {summary}")


def _options(model: Any) -> set[str]:
    return {option.name for option in fields(model.Config)}
