"""relsift validate"""

from __future__ import annotations

from typing import Annotated

import typer

from relsift.cli import data_options
from relsift.cli.output import echo, echo_json
from relsift.omissions import counted

NOT_STRICT, BROKEN = 1, 2  # exit statuses


def command(
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 1 if anything is left out, changed or warned of.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
    max_errors: Annotated[int, typer.Option("--max-errors", metavar="N", help="List the first N errors; 0 lists all.", min=0)] = 0,
) -> None:
    """Read everything; list every error, what is left out, and what to be careful about.

    Exit status 2 if there are errors. With --on-error skip, errors that such reading leaves out are only counted.
    """
    from relsift.corpora.data import resolve
    from relsift.corpora.no_relation import never_seen
    from relsift.corpora.validation import validate

    skip = data_options.as_on_error(on_error) == "skip"
    resolved = resolve(data_options.one_data(data, data_option), no_relation or ())
    findings = validate(resolved)
    findings.warnings += never_seen(no_relation or (), findings.report)
    broken = bool(findings.stopped if skip else findings.faults)
    if as_json:
        echo_json({"data": resolved.name} | findings.to_json(max_errors or None))
    else:
        for split, sentences in findings.sentences.items():
            echo(f"{split}: {counted(sentences, 'sentences')}")
        for line in findings.dropped_lines():
            echo(f"left out or changed: {line}")
        for line in findings.warnings:
            echo(f"warning: {line}")
        listed = findings.faults[: max_errors or None]
        for line in listed:
            echo(f"error: {line}")
        if unlisted := findings.num_faults - len(listed):
            echo(f"and {unlisted} more error{'' if unlisted == 1 else 's'}")
        verdict = _verdict(findings.num_faults, len(findings.warnings), broken=broken, skippable=not findings.stopped)
        echo(f"{resolved.name}: {verdict}")
    if broken:
        raise typer.Exit(BROKEN)
    if strict and not findings.is_clean:
        raise typer.Exit(NOT_STRICT)


def _verdict(errors: int, warnings: int, *, broken: bool, skippable: bool) -> str:
    warned = f"{warnings or 'no'} warning{'' if warnings == 1 else 's'}"
    if not errors:
        return f"valid, {warned}"
    counted = f"{errors} error{'' if errors == 1 else 's'}, {warned}"
    if not broken:
        return f"valid but for what --on-error skip leaves out, {counted}"
    return f"not valid, {counted}; correct the data{' or read it with --on-error skip' if skippable else ''}"
