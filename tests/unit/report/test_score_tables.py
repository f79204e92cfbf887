"""Scores and errors as tables, by hand."""

from __future__ import annotations

from dataclasses import replace

from relsift.evaluation.entities import EntityErrorSplit, EntityScores
from relsift.evaluation.error_causes import CauseCounts, ErrorCauses
from relsift.evaluation.scores import ErrorSplit, Scores, TypeScore
from relsift.evaluation.semeval2010 import official_scores
from relsift.evaluation.significance import Interval
from relsift.report.score_tables import (
    cause_table,
    entity_error_table,
    entity_table,
    error_table,
    interval_line,
    official_table,
    score_table,
)
from relsift.schema import Entity, Relation, Sentence


def scores(direction: str = "directed") -> Scores:
    """a: 1 of 2 gold found, 1 spurious; b: 2 of 2 found. 1 missed, 1 spurious which is a reversed one."""
    per_type = {"a": TypeScore(1, 1, 1), "b": TypeScore(2, 0, 0)}
    return Scores({"direction": direction}, 5, per_type, ErrorSplit(1, 1, 0, 1), {("a", "a"): 1, ("b", "b"): 2})


def test_a_row_a_relation_and_the_three_averages_as_totals():
    table = score_table(scores(), "toy")
    assert table.title == "toy: 5 sentences" and table.totals == 3
    assert table.rows[:2] == (("a", "50.0", "50.0", "50.0", "2"), ("b", "100.0", "100.0", "100.0", "2"))
    assert [row[0] for row in table.rows[2:]] == ["micro", "macro", "weighted"]
    assert table.rows[2] == ("micro", "75.0", "75.0", "75.0", "4")


def test_errors_are_counted_by_kind_and_reversed_ones_are_named_where_direction_counts():
    table = error_table(scores())
    assert table.title == "errors: 2 wrong decisions"
    assert table.rows == (
        ("related, called unrelated", "1", "50.0 %"),
        ("unrelated, called related", "1", "50.0 %"),
        ("related, wrong relation", "0", "0.0 %"),
        ("of the unrelated: right relation, reversed", "1", ""),
    )
    assert error_table(scores("undirected")).rows == table.rows[:3]


def test_entities_have_a_row_a_type_and_their_errors_by_kind():
    scores = EntityScores({"match": "strict"}, 5, {"PER": TypeScore(1, 1, 1)}, EntityErrorSplit(0, 1, 0, 0, 0))
    table = entity_table(scores, "toy")
    assert table.title == "toy: entities, match=strict" and table.columns[0].title == "entity"
    assert table.rows[0] == ("PER", "50.0", "50.0", "50.0", "2") and len(table.rows) == 4
    errors = entity_error_table(scores)
    assert errors.title == "entities: 1 errors" and errors.rows[1] == ("right type, span overlaps only", "1")
    assert [row[1] for row in errors.rows] == ["0", "1", "0", "0", "0"]


def test_causes_stand_side_by_side_for_missed_and_spurious_relations():
    table = cause_table(ErrorCauses(CauseCounts(1, 2, 3, 4, 5), CauseCounts(6, 7, 8, 9)))
    assert [row[1:] for row in table.rows] == [("1", "6"), ("2", "7"), ("3", "8"), ("4", "9"), ("5", "0"), ("15", "30")]
    assert table.rows[0][0] == "span of an entity" and table.totals == 1


def test_the_official_score_has_one_average():
    sentence = Sentence("s", ("fire", "smoke"), (Entity(0, 1, "e"), Entity(1, 2, "e")), (Relation(0, 1, "Cause-Effect"),))
    table = official_table(official_scores([sentence], [sentence]), "toy")
    assert table.title == "toy: 1 answers" and table.totals == 1
    assert next(row for row in table.rows if row[0] == "Cause-Effect") == ("Cause-Effect", "100.0", "100.0", "100.0", "1")
    assert table.rows[-1][0] == "macro" and table.rows[-1][-1] == "1"


def test_an_interval_is_told_in_percent_with_its_units_and_none_is_made_up():
    interval = Interval((0.25, 0.5), (0.1, 0.2), (0.15, 0.3), 0.95, "document", 12, 100, 0)
    assert interval_line(interval) == (
        "95 % interval of the micro scores, by bootstrap over 12 documents: precision 25.0 to 50.0, recall 10.0 to 20.0, F1 15.0 to 30.0"
    )
    assert interval_line(None).startswith("No interval of the scores: it takes at least two")
    assert "every sample of the 12 documents has the same F1" in interval_line(replace(interval, f1=(0.0, 0.0)))
