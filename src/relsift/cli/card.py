"""relsift card"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from relsift.cli.output import echo


def command(
    run: Annotated[Path, typer.Argument(help="Run or model folder.")],
    name: Annotated[str | None, typer.Option(help="Of the model; that of the folder if left out.", show_default=False)] = None,
) -> None:
    """Write the model card, README.md in the model folder: data, licence, scores, decision, limits, how to load it."""
    from relsift.errors import require
    from relsift.model_card import write_card
    from relsift.model_source import is_own

    require(is_own(run), "RUN", expected="a folder of your own to write into", got=run)
    echo(f"card written to {write_card(run, name)}")
