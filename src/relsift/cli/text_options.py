"""Options of the commands that take raw text, and what such commands check in the same way."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from relsift.annotators.entities import EntitySource

INPUT = "Raw text or annotated data: file, folder, format:path, corpus name, or - for standard input."

Source = Annotated[str, typer.Argument(metavar="INPUT", help=INPUT)]
IsText = Annotated[
    bool, typer.Option("--text", help="Standard input is raw text; if left out, what begins like JSON is taken for JSON lines.")
]
Splitter = Annotated[
    str | None,
    typer.Option(
        "--splitter",
        metavar="SPEC",
        help="What makes sentences of raw text: rules (the usual), rules:wrapped for lines of a fixed width, sentencex, spacy:NAME.",
        show_default=False,
    ),
]
EntitiesFrom = Annotated[
    list[str] | None,
    typer.Option(
        "--entities-from", metavar="SPEC", show_default=False,
        help="What finds entities in sentences without any, such as spacy:en_core_web_sm; in place of what the model folder names. "
        "May be given several times; the first one wins.",
    ),
]  # fmt: skip
Types = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="JSON or YAML table of entity types, theirs to ours; null leaves one out. If left out, that of the model folder, if any.",
        show_default=False,
    ),
]


def entity_source(specs: Sequence[str], types: Path | None, option: str) -> EntitySource | None:
    """What finds entities, of the values of the option that names it; None: nothing. Raises ConfigError for a table without use."""
    from relsift.annotators.entities import EntitySource
    from relsift.annotators.type_table import read_types
    from relsift.errors import ConfigError

    if not specs:
        if types is not None:
            raise ConfigError(f"--types: expected {option} beside it, whose types it renames, got none")
        return None
    return EntitySource(tuple(specs), {} if types is None else read_types(types))
