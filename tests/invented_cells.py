"""Cells of a grid as they would be left, with counts that a test chooses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from relsift.evaluation.scores import ErrorSplit, Scores, TypeScore
from relsift.experiments.result import CellResult, Curve, Plan
from relsift.experiments.system import System

PLAN = Plan(data="invented", checksum="0" * 64, language=None, direction="directed", type_filter=True, folds=5)
ONE, OTHER = System(name="one", title="System one"), System(name="other", title="System other")


def cell(
    system: System, fold: int, seed: int, counts: Sequence[tuple[int, int, int]], documents: Sequence[int] = (), **plan: object
) -> CellResult:
    """counts: of each test sentence. documents: sentences of each; left out, every sentence is one."""
    right, predicted, gold = np.array(counts, np.int64).sum(axis=0).tolist()
    kin = TypeScore(right, predicted - right, gold - right)
    scores = Scores({"direction": "directed"}, len(counts), {"kin": kin}, ErrorSplit(0, 0, 0, 0))
    return CellResult(
        system=system, plan=replace(PLAN, **plan), fold=fold, seed=seed, config={}, command="", machine={}, seconds=1.0,
        seconds_per_epoch=1.0, parameters=1, epochs=1, best_epoch=1, threshold=0.0, training_candidates={}, test_candidates={},
        development=scores, test=scores, counts=np.array(counts, np.int64), documents=list(documents) or [1] * len(counts),
        curve=Curve([0.5], [1], [1], 1),
    )  # fmt: skip
