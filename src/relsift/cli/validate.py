"""relsift validate"""

from __future__ import annotations

from typing import Annotated

import typer

from relsift.cli.output import echo


def command(data: Annotated[str, typer.Argument(metavar="DATA", help="A prepared corpus, format:path, or a path.")]) -> None:
    """Read everything; say what is left out and what to be careful about. Broken data ends with an error."""
    from relsift.corpora.data import resolve
    from relsift.corpora.validation import validate

    resolved = resolve(data)
    findings = validate(resolved)
    for split, sentences in findings.sentences.items():
        echo(f"{split}: {sentences} sentences")
    for line in findings.dropped_lines():
        echo(f"left out or changed: {line}")
    for line in findings.warnings:
        echo(f"warning: {line}")
    warnings = len(findings.warnings)
    echo(f"{resolved.name}: valid, {warnings or 'no'} warning{'' if warnings == 1 else 's'}")
