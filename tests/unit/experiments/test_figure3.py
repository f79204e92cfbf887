"""Figure 3: both scores of a cell, the gap, and ratios that the data does not have."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from invented_cells import PLAN, cell
from relsift.errors import DataError
from relsift.experiments.figure3 import WHOLE, at_ratio, report, systems, trend, trend_sentences
from relsift.experiments.result import CellResult, Results
from relsift.experiments.system import BASE, MTL_TAG, System
from relsift.report.blocks import Paragraph, Table


def scored(base: System, ratio: float, fold: int, whole: int, sampled: int | None, negatives: int) -> CellResult:
    """whole, sampled: F1 in tenths. negatives: of the training part, for each of its ten positives."""
    system = at_ratio(base, ratio)
    one, other = (cell(system, fold, 1, [(tenths, 10, 10)], folds=2) for tenths in (whole, sampled or 0))
    facts = {"kept": 10 + 10 * negatives, "positive": 10, "dropped": {}, "lost": {}}
    return replace(one, sampled=None if sampled is None else other.test, training_candidates=facts, test_candidates=facts)


def results(*cells: CellResult, folds: int = 2) -> Results:
    plan = replace(PLAN, folds=folds)
    return Results(plan, systems(plan), {s.name: [c for c in cells if c.system.name == s.name] for s in systems(plan)})


def table_and_notes(grid: Results) -> tuple[Table, list[str]]:
    """The table, and the notes beside it."""
    blocks = report(grid, "command").sections[0].blocks
    assert isinstance(blocks[0], Table)
    return blocks[0], [block.text for block in blocks if isinstance(block, Paragraph)]


CELLS = (
    scored(BASE, 1, 1, 5, 6, 1), scored(BASE, 1, 2, 7, 8, 1), scored(MTL_TAG, 1, 1, 6, 8, 1), scored(MTL_TAG, 1, 2, 8, 8, 1),
    scored(BASE, 5, 1, 3, 4, 3), scored(MTL_TAG, 5, 1, 4, 5, 3),
)  # fmt: skip


def test_the_table_by_hand():
    # 1:1, sampled: base .6 and .8, full .8 and .8, gaps .2 and 0. Whole: base .5 and .7, full .6 and .8, gaps .1 and .1. The training
    # part has 3 negatives a positive: "1:5" was not 1:5.
    table, notes = table_and_notes(results(*CELLS))
    assert [row[0] for row in table.rows] == ["1 : 0.5", "1 : 1", "1 : 5", "1 : 10", "1 : 15"]
    assert table.rows[1][1:] == ("70.0 ± 14.1", "80.0 ± 0.0", "+10.0", "60.0 ± 14.1", "70.0 ± 14.1", "+10.0")
    assert all(set(row[1:]) == {"–"} for number, row in enumerate(table.rows) if number != 1)
    assert any(note.startswith("Not shown: 1:0.5, 1:5, 1:10, 1:15, where not computed") for note in notes)


def test_the_gap_is_over_cells_that_both_systems_have():
    # Without fold 2 of the full model its mean is .6 against .6 of the baseline, whose easy fold 2 it lacks: the gap is that of fold 1.
    table, _ = table_and_notes(results(*CELLS[:3]))
    assert table.rows[1][1:] == ("70.0 ± 14.1", "80.0", "+20.0", "60.0 ± 14.1", "60.0", "+10.0")
    table, _ = table_and_notes(results(CELLS[1], CELLS[2]))
    assert [table.rows[1][at] for at in (3, 6)] == ["–", "–"]


def test_the_trend_is_the_slope_of_the_gap_a_doubling_mean_over_folds_by_hand():
    # Gaps at 1:0.5 and 1:1. Fold 1: 0 and .1, fold 2: 0 and .3, fold 3: 0 and .2. Then fold 1 alone, with a gap of .3 at 1:5.
    def pair(ratio: float, fold: int, base: int, full: int) -> tuple[CellResult, CellResult]:
        return scored(BASE, ratio, fold, base, 5, 5), scored(MTL_TAG, ratio, fold, full, 5, 5)

    first, second = (*pair(0.5, 1, 5, 5), *pair(1, 1, 5, 6)), (*pair(0.5, 2, 4, 4), *pair(1, 2, 4, 7))
    three = (*first, *second, *pair(0.5, 3, 4, 4), *pair(1, 3, 4, 6))
    line = trend(results(*three, folds=3), WHOLE)
    assert line is not None and line.interval is not None
    assert (line.ratios, line.folds, line.seeds) == ((0.5, 1.0), 3, 1)
    assert line.slope == pytest.approx((0.1 + 0.3 + 0.2) / 3)  # one doubling: the differences themselves
    half = 4.30265 * (0.01 * (1 / 3 + 1 / 2)) ** 0.5  # t, two degrees of freedom; variance .01; test parts half the training
    assert line.interval == pytest.approx((0.2 - half, 0.2 + half), rel=1e-4)
    two = trend(results(*first, *second), WHOLE)
    assert two is not None and two.slope == pytest.approx(0.2) and two.interval is None
    one = trend(results(*first, *second, *pair(5, 1, 5, 8)), WHOLE)  # fold 2 has no 1:5
    assert one is not None and one.folds == 1
    assert one.slope == pytest.approx(np.polyfit(np.log2([0.5, 1, 5]), [0, 0.1, 0.3], 1)[0])
    assert trend(results(*first[:2]), WHOLE) is None
    assert trend_sentences(results(*three, folds=3))[0] == (
        "On the test part at the same ratio, each doubling of the negatives from 1:0.5 to 1:1 changes the gap by 0.0 points "
        "(95 % interval over folds 0.0 to 0.0; 3 folds with all of them, 1 seed)."
    )
    assert "(no interval; 2 folds with all of them, 1 seed)" in trend_sentences(results(*first, *second))[0]


def test_data_without_enough_negatives_for_any_ratio_still_has_a_report():
    table, notes = table_and_notes(results(scored(BASE, 5, 1, 3, 4, 0), scored(MTL_TAG, 5, 1, 3, 4, 0)))
    assert all(set(row[1:]) == {"–"} for row in table.rows)
    assert any(note.startswith("Not shown: 1:0.5, 1:1, 1:5, 1:10, 1:15") for note in notes)


def test_a_cell_without_a_second_score_is_an_error():
    with pytest.raises(DataError, match="expected a second score of base-1to1, fold 1, seed 1, got none"):
        table_and_notes(results(scored(BASE, 1, 1, 5, None, 1)))


def test_each_ratio_samples_training_and_test_alike():
    pairs = systems(PLAN)
    assert [system.test_ratio for system in pairs] == [0.5, 0.5, 1, 1, 5, 5, 10, 10, 15, 15]
    assert [system.overrides[-1] for system in pairs[::2]] == [f"candidates.negatives={ratio}" for ratio in ("0.5", "1", "5", "10", "15")]
