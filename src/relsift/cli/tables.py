"""Scores and errors as tables for people."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from relsift.evaluation.scores import PRF, Scores, TypeScore
from relsift.evaluation.semeval2010 import OfficialScores


def score_table(scores: Scores, title: str) -> Table:
    """Per relation type, then the three averages. Print the scores' setting line below it."""
    table = _relation_table(scores.per_type, f"{title}: {scores.sentences} sentences")
    total = sum(counts.support for counts in scores.per_type.values())
    for name, prf in scores.averages.items():
        table.add_row(name, *_cells(prf), str(total))
    return table


def official_table(scores: OfficialScores, title: str) -> Table:
    """SemEval-2010 Task 8. Print its setting line below it."""
    table = _relation_table(scores.per_relation, f"{title}: {scores.sentences} answers")
    table.add_row("macro", *_cells(scores.macro), str(sum(counts.support for counts in scores.per_relation.values())))
    return table


def _relation_table(per_relation: Mapping[str, TypeScore], title: str) -> Table:
    """One row a relation, and a line below them."""
    table = Table(title=title)
    table.add_column("relation")
    for name in ("precision", "recall", "F1", "gold"):
        table.add_column(name, justify="right")
    for name, counts in per_relation.items():
        table.add_row(name, *_cells(counts.prf), str(counts.support))
    table.add_section()
    return table


def error_table(scores: Scores) -> Table:
    """Wrong decisions by kind (Ye et al. 2019, introduction)."""
    table = Table(title=f"errors: {scores.errors.total} wrong decisions")
    for name in ("kind", "count", "share"):
        table.add_column(name, justify="left" if name == "kind" else "right")
    names = {
        "false_negative": "related, called unrelated",
        "false_positive": "unrelated, called related",
        "wrong_class": "related, wrong relation",
    }
    for key, share in scores.errors.shares().items():
        table.add_row(names[key], str(getattr(scores.errors, key)), f"{100 * share:.1f} %")
    if scores.setting["direction"] == "directed":
        table.add_row("of the unrelated: right relation, reversed", str(scores.errors.reversed), "")
    return table


def _cells(prf: PRF) -> tuple[str, str, str]:
    return f"{100 * prf.precision:.1f}", f"{100 * prf.recall:.1f}", f"{100 * prf.f1:.1f}"
