"""relsift stats"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from relsift.cli import data_options
from relsift.cli.output import echo, echo_json, echo_table

if TYPE_CHECKING:
    from relsift.corpora.statistics import SplitStatistics

_FARTHEST = 5  # sentences apart with a row of their own


def command(
    data: data_options.DataArgument = None,
    data_option: data_options.DataOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the numbers as JSON.")] = False,
    on_error: data_options.OnErrorOption = "stop",
    no_relation: data_options.NoRelation = None,
) -> None:
    """Count sentences, entities and relations, and how few of the entity pairs are related."""
    from relsift.corpora.data import resolve
    from relsift.corpora.no_relation import never_seen, no_relation_warnings
    from relsift.corpora.statistics import describe
    from relsift.corpora.validation import loss_warnings
    from relsift.report.blocks import Table

    report = data_options.read_report(on_error)
    resolved = resolve(data_options.one_data(data, data_option), no_relation or ())
    parts = describe(resolved, report)
    counts = {kind: sum(getattr(part, kind).total() for part in parts) for kind in ("entities", "relations")}
    warnings = [
        *no_relation_warnings(kind for part in parts for kind in part.relations),
        *never_seen(no_relation or (), report),
        *loss_warnings(report, **counts),
    ]
    if as_json:
        result = {
            "data": resolved.name,
            "sha256": resolved.sha256(),
            "language": resolved.language,
            "direction": resolved.direction,
            "splits": {part.name: part.to_json() for part in parts},
            "dropped": dict(Counter(resolved.dropped) + report.dropped),
            "lost_relations": dict(report.lost_relations),
            "warnings": warnings,
        }
        echo_json(result)
        return
    echo_table(Table.of(["", *(part.name for part in parts)], _rows(parts)))
    for line in report.lines():
        echo(f"left out or changed: {line}", err=True)
    data_options.tell(warnings=warnings)


def _rows(parts: list[SplitStatistics]) -> list[list[str]]:
    """One row a number, one column a part."""
    rows = [
        ["documents", *(str(part.documents) for part in parts)],
        ["sentences", *(str(part.sentences) for part in parts)],
        ["  without relation annotation", *(str(part.not_annotated) for part in parts)],
        ["tokens", *(str(part.tokens) for part in parts)],
    ]
    for kind in ("entities", "relations"):
        counts: list[Counter[str]] = [getattr(part, kind) for part in parts]
        rows.append([kind, *(str(count.total()) for count in counts)])
        rows.append(["  a sentence", *(f"{count.total() / max(part.sentences, 1):.2f}" for count, part in zip(counts, parts))])
        types = sum(counts, Counter[str]()).most_common()
        rows += [[f"  {name}", *(str(count[name]) for count in counts)] for name, _ in types]
    rows += _across([part.across for part in parts])
    rows += _concepts([part.concepts for part in parts])
    rows.append(["related : unrelated pairs", *("" for _ in parts)])
    for balances in zip(*(part.balance for part in parts)):
        selection = "with type filter" if balances[0].type_filter else "all pairs"
        rows.append([f"  {balances[0].direction}, {selection}", *(balance.ratio for balance in balances)])
        if any(balance.lost for balance in balances):
            rows.append(["    relations lost", *(str(balance.lost) for balance in balances)])
    return rows


def _concepts(counts: list[Counter[int | None]]) -> list[list[str]]:
    """Relations of concepts by the distance of their nearest mentions; nothing if there are none."""
    if not any(counts):
        return []
    rows = [["relations of concepts", *(str(count.total()) for count in counts)]]
    rows.append(["  with mentions in one sentence", *(str(count[0]) for count in counts)])
    apart = [Counter({distance: number for distance, number in count.items() if distance}) for count in counts]
    rows += _by_distance(apart)
    rows.append(["  without two mentions", *(str(count[None]) for count in counts)])
    return rows


def _across(counts: list[Counter[int]]) -> list[list[str]]:
    """Relations across sentences by their distance, for who chooses candidates.window; nothing if there are none."""
    if not any(counts):
        return []
    return [["relations across sentences, not counted above", *(str(count.total()) for count in counts)], *_by_distance(counts)]


def _by_distance(counts: list[Counter[int]]) -> list[list[str]]:
    farthest = max((distance for count in counts for distance in count), default=0)
    rows = []
    for distance in range(1, min(farthest, _FARTHEST) + 1):
        rows.append([f"  {distance} apart (candidates.window={distance + 1})", *(str(count[distance]) for count in counts)])
    if farthest > _FARTHEST:
        more = (str(sum(number for distance, number in count.items() if distance > _FARTHEST)) for count in counts)
        rows.append([f"  more than {_FARTHEST} apart", *more])
    return rows
