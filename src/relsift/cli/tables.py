"""Scores and errors as tables for people."""

from __future__ import annotations

from rich.table import Table

from relsift.evaluation.scores import PRF, Scores


def score_table(scores: Scores, title: str) -> Table:
    """Per relation type, then the three averages. Print the scores' setting line below it."""
    table = Table(title=f"{title}: {scores.sentences} sentences")
    table.add_column("relation")
    for name in ("precision", "recall", "F1", "gold"):
        table.add_column(name, justify="right")
    for name, counts in scores.per_type.items():
        table.add_row(name, *_cells(counts.prf), str(counts.support))
    table.add_section()
    total = sum(counts.support for counts in scores.per_type.values())
    for name, prf in scores.averages.items():
        table.add_row(name, *_cells(prf), str(total))
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
