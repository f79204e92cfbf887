"""relsift stats"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from relsift.corpora.statistics import SplitStatistics


def command(
    data: Annotated[str, typer.Argument(help="A prepared corpus, format:path, or a path.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
) -> None:
    """Count sentences, entities and relations, and how few of the entity pairs are related."""
    from relsift.cli.columns import columns
    from relsift.corpora.data import resolve
    from relsift.corpora.statistics import describe
    from relsift.readers.base import ReadReport

    source = resolve(data)
    report = ReadReport()
    parts = describe(source, report)
    if as_json:
        result = {
            "data": source.name,
            "sha256": source.sha256(),
            "language": source.language,
            "direction": source.direction,
            "splits": {part.name: part.to_json() for part in parts},
            "dropped": dict(Counter(source.dropped) + report.dropped),
        }
        typer.echo(json.dumps(result, ensure_ascii=False, indent=1))
        return
    rows = _rows(parts)
    typer.echo(columns(rows, right=range(1, len(parts) + 1)))
    for line in report.lines():
        typer.echo(f"left out or changed: {line}", err=True)


def _rows(parts: list[SplitStatistics]) -> list[tuple[str, ...]]:
    def row(name: str, value: Callable[[SplitStatistics], object]) -> tuple[str, ...]:
        return (name, *(str(value(part)) for part in parts))

    rows = [
        row(source_name, value)
        for source_name, value in (
            ("", lambda part: part.name),
            ("documents", lambda part: part.documents),
            ("sentences", lambda part: part.sentences),
            ("  without relation annotation", lambda part: part.not_annotated),
            ("tokens", lambda part: part.tokens),
            ("entities", lambda part: part.entities.total()),
            ("  a sentence", lambda part: f"{part.entities.total() / max(part.sentences, 1):.2f}"),
            ("relations", lambda part: part.relations.total()),
            ("  a sentence", lambda part: f"{part.relations.total() / max(part.sentences, 1):.2f}"),
        )
    ]
    for kind in ("entities", "relations"):
        rows.append(row(f"{kind} by type", lambda _: ""))
        total: Counter[str] = sum((getattr(part, kind) for part in parts), Counter[str]())
        rows += [row(f"  {name}", lambda part, k=kind, n=name: getattr(part, k)[n]) for name, _ in total.most_common()]  # type: ignore[misc]
    rows.append(row("related : unrelated pairs", lambda _: ""))
    for number, balance in enumerate(parts[0].balance):
        filtered = "with type filter" if balance.type_filter else "all pairs"
        rows.append(row(f"  {balance.direction}, {filtered}", lambda part, n=number: part.balance[n].ratio))  # type: ignore[misc]
        if any(part.balance[number].lost for part in parts):
            rows.append(row("    relations lost", lambda part, n=number: part.balance[n].lost))  # type: ignore[misc]
    return rows
