"""Cells whose scores can be reckoned by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from relsift.evaluation.scores import ErrorSplit, Scores, TypeScore
from relsift.experiments.result import CellResult, Curve, Plan, Results
from relsift.experiments.system import System

ONE = System(name="one", title="Baseline")
TWO = System(name="two", title="+Tag")
PLAN = Plan(data="toy", checksum="abc", language="en", direction="directed", type_filter=False, folds=2)
SETTING = {"entities": "gold", "candidates": "9 kept, 0 dropped"}
CURVE = Curve([0.9, 0.5, 0.1], [1, 2, 4], [1, 1, 2], 4)


def scores(
    types: dict[str, tuple[int, int, int]], confusion: dict[tuple[str, str], int] | None = None, setting: dict[str, str] | None = None
) -> Scores:
    """types: relation -> true positives, false positives, false negatives. confusion: the wrong relations only."""
    wrong = confusion or {}
    counts = {name: TypeScore(*row) for name, row in types.items()}
    missed, spurious, confused = sum(c[2] for c in types.values()), sum(c[1] for c in types.values()), sum(wrong.values())
    right = {(name, name): row[0] for name, row in types.items() if row[0]}
    return Scores(setting or SETTING, 5, counts, ErrorSplit(missed - confused, spurious - confused, confused, 0), right | wrong)


def cell(system: System, fold: int, seed: int, test: Scores, **changes: Any) -> CellResult:
    facts = {"kept": 20, "positive": 4, "ratio": "1:4.0", "dropped": {"type combination": 3}, "lost": {"too far": 1}}
    values: dict[str, Any] = {
        "system": system, "plan": PLAN, "fold": fold, "seed": seed, "config": {}, "command": f"relsift cv {system.name}",
        "machine": {"python": "3.11"}, "seconds": 10.0 * fold, "seconds_per_epoch": 1.0, "parameters": 1000, "epochs": 4, "best_epoch": 3,
        "threshold": -0.25, "training_candidates": facts, "test_candidates": facts, "development": test, "test": test,
        "counts": np.zeros((5, 3), np.int64), "documents": [3, 2], "curve": CURVE,
    }  # fmt: skip
    return CellResult(**values | changes)


def results(*cells: CellResult, systems: tuple[System, ...] = (ONE, TWO), plan: Plan = PLAN) -> Results:
    return Results(plan, systems, {system.name: [c for c in cells if c.system.name == system.name] for system in systems})


def f1_of(*numbers: int) -> Scores:
    """One relation with these true positives, false positives and false negatives."""
    return scores({"r": (numbers[0], numbers[1], numbers[2])})


def two_systems() -> Results:
    """Two folds and two seeds; micro F1 of one: .5 .7 | .6 .8, of two: .8 .8 | .9 .9."""
    one = [(1, 1, (5, 5, 5)), (1, 2, (7, 3, 3)), (2, 1, (6, 4, 4)), (2, 2, (8, 2, 2))]
    two = [(1, 1, (8, 2, 2)), (1, 2, (8, 2, 2)), (2, 1, (9, 1, 1)), (2, 2, (9, 1, 1))]
    return results(*(cell(system, f, s, f1_of(*n)) for system, rows in ((ONE, one), (TWO, two)) for f, s, n in rows))
