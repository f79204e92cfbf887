"""What the habits of the paper and its released code are worth: selection on the test fold, and an order that gives the answer away.

The habits: its validation set is the test fold, so that epoch and threshold are chosen on what is reported. It keeps related pairs in any
order, but unrelated ones in text order only, so that a pair from right to left is always related (so its code; its data is not public).
Its averages are weighted by gold relations. None of this is ever on by default: it flatters the scores.
"""

from __future__ import annotations

from dataclasses import replace

from relsift.experiments.experiment import Experiment, full_report
from relsift.experiments.report.summary import summaries
from relsift.experiments.result import Plan, Results
from relsift.experiments.system import MTL_TAG, System
from relsift.report.blocks import Column, Report, Section, Table
from relsift.report.wording import points

HONEST = MTL_TAG
ON_TEST = replace(MTL_TAG, name="mtl_tag_on_test", title="selected on the test fold", select_on="test")
LEAK = replace(MTL_TAG, name="mtl_tag_leak", title="order leak").with_overrides("candidates.order_leak=true")
BOTH = replace(LEAK, name="mtl_tag_leak_on_test", title="order leak, selected on the test fold", select_on="test")
QUESTION = (
    "How much of a published figure can be habits of its evaluation? Each row adds one to +MTL+Tag; micro and weighted F1 stand "
    "side by side "
    "in every row, since the choice of average is one of them."
)


def systems(plan: Plan) -> tuple[System, ...]:
    """Undirected pairs have one order, which cannot leak."""
    return (HONEST, ON_TEST, LEAK, BOTH) if plan.direction == "directed" else (HONEST, ON_TEST)


def report(results: Results, command: str) -> Report:
    return full_report(
        results, command, title="Habits of evaluation", question=QUESTION, base=HONEST, more=[Section("Averages", (_averages(results),))],
        notes=[] if results.plan.direction == "directed" else ["Pairs are undirected here: the order leak needs directed ones."],
    )  # fmt: skip


def _averages(results: Results) -> Table:
    columns = (
        Column(title="system", align="left"),
        Column(title="weighted minus micro F1, points"),
        Column(title="macro minus micro F1, points"),
    )
    rows = []
    for row in summaries(results):
        micro = row.f1.mean
        rows.append((row.system.title, *(points(row.scores[average]["f1"].mean - micro) for average in ("weighted", "macro"))))
    return Table(columns=columns, rows=tuple(rows), notes=("What another average alone changes, mean of all cells.",))


EXPERIMENT = Experiment(
    name="evaluation_habits",
    summary="what selection on the test fold and the order leak of the released code are worth",
    systems=systems,
    report=report,
)
