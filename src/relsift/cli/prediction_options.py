"""Options that the commands share that use a trained model."""

from __future__ import annotations

from typing import Annotated

import typer

Device = Annotated[str, typer.Option(help="Where scores are computed: cpu, cuda, cuda:1 …, or auto for a GPU if there is one.")]
