"""Tables and captions: the numbers by hand, and what a reader must be told beside them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hand_made import ONE, PLAN, TWO, cell, f1_of, results, scores, two_systems

from relsift.experiments.comparison import SystemComparison
from relsift.experiments.report import figures, setting, tables
from relsift.experiments.report.plots import Line
from relsift.experiments.report.summary import Spread
from relsift.report.blocks import Commands, Paragraph, Table


def compared(**changes: Any) -> SystemComparison:
    values: dict[str, Any] = {
        "first": 0.5, "second": 0.4486, "difference": 0.0514, "interval": (-0.0004, 0.102), "confidence": 0.95, "p_value": 0.00004,
        "units": 1200, "runs": 2, "samples": 10_000, "seed": 0, "unit": "document", "split": "folds", "folds": (1, 2, 3),
        "seeds": (1, 2), "unpaired": 0,
        "first_mean": 0.49, "second_mean": 0.51,
        "mean_difference": -0.02, "fold_differences": {1: 0.05, 2: -0.02, 3: 1e-17}, "effect_size": -0.5, "fold_interval": (-0.1, 0.05),
        "fold_p_value": 0.25, "smallest_fold_p_value": 0.0078,
    }  # fmt: skip
    return SystemComparison(**values | changes)


def row(table: Table, name: str) -> dict[str, str]:
    """Title of a column, with its group if that is not the only one of this title -> cell."""
    cells = next(cells for cells in table.rows if cells[0] == name)
    return {f"{column.group}: {column.title}" if column.group else column.title: cell for column, cell in zip(table.columns, cells)}


def test_the_score_table_by_hand():
    table = tables.score_table(two_systems())
    # one: cells .5 .7 | .6 .8, folds .6 .7, seeds .55 .75; a single relation makes all averages alike
    baseline = row(table, "Baseline")
    assert baseline["micro: F1"] == baseline["micro: P"] == baseline["weighted: F1"] == baseline["macro: F1"] == "65.0 ± 7.1"
    assert (baseline["sd over seeds, micro F1"], baseline["folds × seeds"], baseline["cells"]) == ("14.1", "2 × 2", "4")
    assert row(table, "+Tag")["micro: F1"] == "85.0 ± 7.1" and row(table, "+Tag")["sd over seeds, micro F1"] == "0.0"
    notes = " ".join(table.notes)
    assert "standard deviation over folds" in notes
    assert "2 folds, 8 cells, 10 test sentences, 20 gold relations" in notes  # a sentence counts once, not once a seed
    assert "missing" not in notes


def test_missing_cells_are_marked_in_the_table_and_said_at_the_top():
    full = two_systems()
    short = results(*full.of(ONE), full.of(TWO)[0], systems=(ONE, TWO, replace(ONE, name="three", title="Third")))
    table = tables.score_table(short)
    assert [row(table, name)["cells"] for name in ("Baseline", "+Tag", "Third")] == ["4", "1 of 4 *", "0 of 4 *"]
    assert row(table, "Third")["micro: F1"] == "–" and any(note.startswith("* Cells are missing") for note in table.notes)
    assert setting.opening(short) == [
        Paragraph("5 of 12 cells (every system on 2 folds with 2 seeds) are computed: a row with fewer rests on fewer tests.", "warning")
    ]
    assert setting.opening(full) == []
    assert setting.opening(full, seeds=[1, 2, 3]) == [
        Paragraph("8 of 12 cells (every system on 2 folds with 3 seeds) are computed: a row with fewer rests on fewer tests.", "warning")
    ]
    assert "Not computed yet: Third." in tables.error_table(short).notes
    assert "Not computed yet: Third." in figures.caption(short, "F1.")


def test_a_trial_says_so_before_anything_else():
    quick = results(*two_systems().of(ONE), systems=(ONE,), plan=replace(PLAN, quick=True))
    first = setting.opening(quick)[0]
    assert isinstance(first, Paragraph) and first.kind == "warning" and first.text.startswith("QUICK: a trial")


def test_published_numbers_stand_apart_and_are_said_to_be_of_other_data():
    table = tables.score_table(two_systems(), published={"two": (61.3, 76.7, 67.4)})
    assert [row(table, "+Tag")[f"{tables.PUBLISHED}: {title}"] for title in ("P", "R", "F1")] == ["61.3", "76.7", "67.4"]
    assert row(table, "Baseline")[f"{tables.PUBLISHED}: F1"] == "" and "not the same data" in tables.PUBLISHED


def test_systems_that_were_helped_or_hindered_say_so():
    odd = replace(ONE, name="odd", title="Odd", select_on="test", tagger="both")
    notes = tables.score_table(results(cell(odd, 1, 1, f1_of(1, 1, 1)), systems=(odd,))).notes
    assert any(note.startswith("Odd: epoch and threshold were chosen on the test part") for note in notes)
    assert any("training, development and test parts the tags show a tagger's entities" in note for note in notes)
    assert not any("gold annotation" in note for note in notes)
    leak = cell(ONE, 1, 1, f1_of(1, 1, 1), config={"candidates": {"order_leak": True}})
    notes = tables.score_table(results(leak, systems=(ONE,))).notes
    assert any(note.startswith("Baseline: candidates were chosen by the gold annotation") for note in notes)


def test_the_difference_table_writes_a_comparison_in_points():
    table = tables.difference_table(two_systems(), ONE, {"two": compared(unpaired=3)})
    assert table.rows == ((
        "+Tag", "+5.1", "0.0 to +10.2", "< 0.0001", "1,200", "−2.0", "−10.0 to +5.0", "1 of 3 folds", "0.250", "0.0078", "−0.50", "3 × 2",
    ),)  # fmt: skip
    assert {"95 % interval", "documents"} <= {column.title for column in table.columns}
    assert "+Tag: 3 cells have no partner and are left out." in table.notes
    lacking = tables.difference_table(two_systems(), ONE, {"two": compared(effect_size=None, fold_interval=None)})
    assert lacking.rows[0][6] == lacking.rows[0][10] == "–"
    assert set(tables.difference_table(two_systems(), ONE, {}).rows[0][1:]) == {"–"}


def test_the_error_table_pools_all_cells():
    # 3 missed, 1 spurious, 1 wrong relation of 8 gold ones, twice
    test = scores({"a": (3, 1, 3), "b": (1, 1, 1)}, {("a", "b"): 1})
    table = tables.error_table(results(cell(ONE, 1, 1, test), cell(ONE, 2, 1, test)), published={"one": (30.2, 62.8, 7.0)})
    assert table.rows == (("Baseline", "60.0", "20.0", "20.0", "10", "0", "0.62", "30.2", "62.8", "7.0"),)


def test_the_relation_table_orders_by_frequency_and_takes_the_fullest_system():
    small, large = scores({"a": (1, 0, 0), "b": (1, 1, 2)}), scores({"b": (2, 0, 1), "c": (0, 1, 0)})
    all_results = results(cell(ONE, 1, 1, small), cell(ONE, 2, 1, small), cell(TWO, 1, 1, large))
    table = tables.relation_table(all_results, measures=("precision", "recall"))
    assert [column.group for column in table.columns] == ["", "", "Baseline", "Baseline", "+Tag", "+Tag"]
    assert table.rows == (
        ("b", "6", "50.0", "33.3", "100.0", "66.7"), ("a", "2", "100.0", "100.0", "0.0", "0.0"), ("c", "0", "0.0", "0.0", "0.0", "0.0"),
    )  # fmt: skip


def test_cells_of_several_machines_are_said_to_be_where_they_are_compared():
    full = two_systems()
    one, *others = full.of(TWO)
    mixed = replace(full, cells=full.cells | {"two": [replace(one, machine=one.machine | {"gpu": "a GPU"}), *others]})
    comparisons = {"two": compared()}
    note = f"1 of {len(full.of(TWO))} pairs of cells are from different machines, which can differ as two seeds do."
    assert note in tables.difference_table(mixed, ONE, comparisons).notes
    assert not any("machines" in text for text in tables.difference_table(full, ONE, comparisons).notes)
    assert any("trained on several machines" in text for text in tables.cost_table(mixed).notes)
    assert not any("several machines" in text for text in tables.cost_table(full).notes)


def test_the_cost_table_has_means_over_cells():
    assert tables.cost_table(two_systems()).rows[0] == ("Baseline", "1,000", "15.0", "4.0", "3.0", "−0.250")


def test_the_setting_says_what_was_left_out_and_how_to_repeat_it():
    all_results = results(cell(ONE, 1, 1, f1_of(1, 1, 1), notes=["odd"]), cell(ONE, 2, 1, f1_of(1, 1, 1), notes=["odd"]), systems=(ONE,))
    blocks = setting.setting(all_results, commands=["relsift reproduce x"])
    assert isinstance(blocks[0], Table)
    facts = dict(blocks[0].rows)
    assert facts["size"] == "all 2 cells computed; 2 folds, 2 cells, 10 test sentences, 4 gold relations"
    assert facts["test candidates"] == (
        "40 candidate pairs in all cells, positive to negative 1:4.0; pairs left out: 6 (type combination); "
        "gold relations that no candidate carries: 2 (too far)"
    )
    assert facts["note"] == "odd (in 2 cells)" and facts["training time"] == "30 seconds in all" and facts["seeds"] == "1"
    assert [block.lines for block in blocks if isinstance(block, Commands)] == [
        ("relsift reproduce x",),
        (
            "relsift cv --data toy --direction directed --no-type-filter --folds 2 --language en --name one --model multitask_cnn "
            "--preset paper --only-fold 1 --only-seed 1 --out OUT",
        ),
    ]
    assert len(setting.setting(results(systems=(ONE,)))) == 1  # nothing computed yet


def test_every_figure_has_its_own_name_and_a_caption_that_says_on_how_much():
    pytest.importorskip("matplotlib")
    all_results = two_systems()
    lines = {"whole test part": [Line("Baseline", {1.0: Spread(0.5, {1: 0.5}, {})})]}
    drawn = [
        figures.f1_figure(all_results, command="c"), figures.precision_recall_figure(all_results, command="c"),
        figures.relation_figure(all_results, command="c"), figures.confusion_figure(all_results, TWO, command="c"),
        figures.negatives_figure(all_results, lines, command="c"),
    ]  # fmt: skip
    assert len({figure.name for figure in drawn}) == len(drawn)
    for figure in drawn:
        assert PLAN.setting() in figure.caption and "seeds 1, 2 · 2 folds" in figure.caption and figure.command == "c"
        assert f"{4 if figure.name == 'confusion-two' else 8} cells, 10 test sentences, 20 gold relations" in figure.caption
    assert "Baseline 65.0 ± 7.1, +Tag 85.0 ± 7.1" in drawn[0].alt
    assert "50.0 at 1" in drawn[4].alt


def _decisions(error: float, false_positives: float | None, gain: float) -> dict[str, object]:
    rows = [{"recall": recall, "threshold": 0.0, "false_positives": false_positives, "precision": 0.5} for recall in (0.5, 0.7, 0.9)]
    return {"decisions": {
        "calibration_error": error, "error_by_chance": 0.04, "co_occurrence": {"unrelated_pairs": 9, "relations": 3, "at_recall": rows},
        "rules": {"threshold": 0.5, "constraints": 0.5 + gain, "per relation": 0.5, "both": 0.5 - gain},
    }}  # fmt: skip


def test_the_table_of_decisions_has_means_and_a_dash_where_a_cell_does_not_reach_a_recall():
    cells = [cell(ONE, n, 1, f1_of(5, 5, 5), extra=_decisions(0.1 * n, 10.0 * n, 0.01 * n)) for n in (1, 2)]
    table = tables.decision_table(results(*cells))
    assert table is not None
    found = row(table, "Baseline")
    assert found["calibration error: measured"] == found["of 100 unrelated pairs, called related: recall 70 %"] == "15.0 ± 7.1"
    assert [found[f"micro F1 by other rules, points: {rule}"] for rule in ("constraints", "per relation", "both")] == [
        "+1.5 ± 0.7", "0.0 ± 0.0", "−1.5 ± 0.7"
    ]  # fmt: skip
    cells[1] = replace(cells[1], extra=_decisions(0.1, None, 0.0))
    assert row(tables.decision_table(results(*cells)), "Baseline")["of 100 unrelated pairs, called related: recall 70 %"] == "–"
    assert tables.decision_table(two_systems()) is None
