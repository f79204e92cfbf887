"""Scores and errors of one evaluation as tables, in percent. Print the setting line of the scores below each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from relsift.evaluation.entities import EntityErrorKind, EntityScores
from relsift.evaluation.error_causes import Cause, ErrorCauses
from relsift.evaluation.scores import PRF, Scores, TypeScore
from relsift.evaluation.semeval2010 import OfficialScores
from relsift.evaluation.significance import Interval
from relsift.report.blocks import Table
from relsift.report.wording import percent

ERROR_KINDS = {  # field of `ErrorSplit` -> what the wrong decision was
    "false_negative": "related, called unrelated",
    "false_positive": "unrelated, called related",
    "wrong_class": "related, wrong relation",
}

ENTITY_ERROR_KINDS: dict[EntityErrorKind, str] = {
    "wrong_type": "right span, wrong type",
    "wrong_span": "right type, span overlaps only",
    "wrong_both": "wrong type, span overlaps only",
    "missed": "missed",
    "spurious": "spurious",
}
CAUSES: dict[Cause | Literal["reading"], str] = {  # field of `CauseCounts` -> what failed first
    "span": "span of an entity",
    "type": "type of an entity",
    "pair": "pair: related or not",
    "relation": "relation: another one, or reversed",
    "reading": "not kept by the reader",
}


def score_table(scores: Scores, title: str) -> Table:
    """One row a relation, then the three averages."""
    return _type_table("relation", scores.per_type, scores.averages, f"{title}: {scores.sentences} sentences")


def entity_table(scores: EntityScores, title: str) -> Table:
    """One row an entity type, then the three averages."""
    return _type_table("entity", scores.per_type, scores.averages, f"{title}: entities, match={scores.setting['match']}")


def seed_table(by_seed: Mapping[int, PRF], mean: float, spread: float | None, title: str) -> Table:
    """Micro scores, one row a seed. Args: mean, spread: of F1 over the seeds; spread None for one seed."""
    rows = [(f"seed {seed}", percent(prf.precision), percent(prf.recall), percent(prf.f1)) for seed, prf in by_seed.items()]
    total = [("mean", "", "", percent(mean)), ("standard deviation", "", "", "–" if spread is None else percent(spread))]
    return Table.of(("micro", "precision", "recall", "F1"), [*rows, *total], title=title, totals=len(total))


def interval_line(interval: Interval | None, what: str = "the micro scores") -> str:
    """How sure the micro scores are, in percent. Args: what: whose scores."""
    if interval is None:
        return "No interval of the scores: it takes at least two documents or sentences."
    if interval.f1[0] == interval.f1[1]:
        units = f"{interval.units} {interval.unit}s"
        return f"No interval of the scores: every sample of the {units} has the same F1, which does not make it sure."
    measures = ", ".join(
        f"{name} {percent(low)} to {percent(high)}"
        for name, (low, high) in (("precision", interval.precision), ("recall", interval.recall), ("F1", interval.f1))
    )
    return f"{100 * interval.confidence:g} % interval of {what}, by bootstrap over {interval.units} {interval.unit}s: {measures}"


def official_table(scores: OfficialScores, title: str) -> Table:
    """SemEval-2010 Task 8: one row a relation, then the macro average."""
    return _type_table("relation", scores.per_relation, {"macro": scores.macro}, f"{title}: {scores.sentences} answers")


def error_table(scores: Scores) -> Table:
    """Wrong decisions by kind (Ye et al. 2019, introduction)."""
    rows = [
        (ERROR_KINDS[kind], str(getattr(scores.errors, kind)), f"{percent(share)} %") for kind, share in scores.errors.shares().items()
    ]
    if scores.setting["direction"] == "directed":
        rows.append(("of the unrelated: right relation, reversed", str(scores.errors.reversed), ""))
    return Table.of(("kind", "count", "share"), rows, title=f"errors: {scores.errors.total} wrong decisions")


def entity_error_table(scores: EntityScores) -> Table:
    """Wrong entities by kind."""
    rows = [(name, str(getattr(scores.errors, kind))) for kind, name in ENTITY_ERROR_KINDS.items()]
    return Table.of(("kind", "count"), rows, title=f"entities: {scores.errors.total} errors")


def cause_table(causes: ErrorCauses) -> Table:
    """What failed first where relations between found entities are wrong."""
    sides = causes.missed, causes.spurious
    rows = [(name, *(str(getattr(side, cause)) for side in sides)) for cause, name in CAUSES.items()]
    return Table.of(
        ("cause", "missed", "spurious"), [*rows, ("all", *(str(side.total) for side in sides))],
        title="relations: the first step that failed", totals=1,
    )  # fmt: skip


def _type_table(kind: str, types: Mapping[str, TypeScore], averages: Mapping[str, PRF], title: str) -> Table:
    gold = sum(counts.support for counts in types.values())
    rows = [(name, *_in_percent(counts.prf), str(counts.support)) for name, counts in types.items()]
    rows += [(name, *_in_percent(prf), str(gold)) for name, prf in averages.items()]
    return Table.of((kind, "precision", "recall", "F1", "gold"), rows, title=title, totals=len(averages))


def _in_percent(prf: PRF) -> tuple[str, str, str]:
    return percent(prf.precision), percent(prf.recall), percent(prf.f1)
