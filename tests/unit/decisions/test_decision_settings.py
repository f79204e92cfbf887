"""Rules in the words of the command line, and a decision in words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from relsift.decisions.calibration import Calibration
from relsift.decisions.decision import Decision
from relsift.decisions.description import threshold_table, words
from relsift.decisions.settings import changed
from relsift.errors import ConfigError
from relsift.evaluation.scores import TypeScore

LABELS = ("Kill", "Live_In", "org.part of")
OLD = Decision(
    thresholds={"Kill": 2.0}, triples=frozenset({("Peop", "Loc", "Live_In")}), constraints=True,
    calibration=Calibration(method="temperature", temperature=1.0),
)  # fmt: skip


def test_every_key_sets_its_rule_and_a_later_one_wins():
    settings = changed(
        OLD,
        ["mode=several", "threshold=0.4", "threshold=-1", "thresholds.org.part of=1e-1", "constraints=false", "calibration=platt",
         "symmetric=Kill,Live_In", "at_most.org.part of.head=2", "at_most.Kill.tail=1"],
        LABELS,
    )  # fmt: skip
    new = settings.decision
    assert (new.mode, new.threshold, new.thresholds) == ("several", -1.0, {"Kill": 2.0, "org.part of": 0.1})
    assert (new.constraints, new.triples, new.symmetric) == (False, OLD.triples, ("Kill", "Live_In"))
    assert new.at_most == {"org.part of": {"head": 2}, "Kill": {"tail": 1}}
    assert (settings.calibration, new.calibration, settings.relations) == ("platt", None, {"org.part of"})
    assert settings.changes_choices(OLD)


def test_none_takes_a_rule_away():
    limits = {"Kill": {"head": 1, "tail": 2}}
    full = Decision(thresholds={"Kill": 2.0}, inverse={"Kill": "Live_In"}, at_most=limits, calibration=OLD.calibration)
    assert changed(full, ["at_most.Kill.head=none"], LABELS).decision.at_most == {"Kill": {"tail": 2}}
    bare = changed(full, ["thresholds=none", "inverse=none", "at_most=none", "calibration=none", "symmetric=none"], LABELS)
    assert bare.decision == Decision() and bare.calibration is None
    assert changed(OLD, [], LABELS).decision == OLD
    one = changed(full, ["thresholds.Kill=none", "inverse.Live_In=none"], LABELS)  # either of two inverse relations takes both away
    assert one.decision == replace(full, thresholds={}, inverse={}) and one.relations == frozenset()


def test_a_rule_that_is_set_to_what_it_was_changes_no_choices():
    same = [f"mode={OLD.mode}", f"constraints={str(OLD.constraints).lower()}", "threshold=3"]
    assert not changed(OLD, same, LABELS).changes_choices(OLD)
    unused = replace(OLD, constraints=False, triples=frozenset())  # triples say nothing while constraints are off
    assert not changed(unused, [], LABELS).changes_choices(replace(unused, triples=None))


def test_detected_relations_come_from_training_data():
    detected = Decision(symmetric=("Kill",), inverse={"Live_In": "org.part of"})
    new = changed(OLD, ["symmetric=detected"], LABELS, detected).decision
    assert (new.symmetric, new.inverse) == (("Kill",), {"Live_In": "org.part of"})
    with pytest.raises(ConfigError, match=r"--set symmetric=detected: expected training data .* --learn-from"):
        changed(OLD, ["symmetric=detected"], LABELS)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("threshold", "--set: expected KEY=VALUE, such as threshold=0.5, got 'threshold'"),
        ("threshold=", "--set: expected KEY=VALUE"),
        ("treshold=1", "--set treshold: expected one of mode, threshold, .* got an unknown key"),
        ("mode.x=single", "--set mode.x: expected one of"),
        ("threshold=high", "--set threshold: expected a number that is finite, got 'high'"),
        ("threshold=nan", "expected a number that is finite, got 'nan'"),
        ("thresholds.Kil=1", r"--set thresholds.Kil: expected relations of the model, got 'Kil'; did you mean Kill\?"),
        ("thresholds=1", "--set thresholds: expected none, got '1'"),
        ("mode=both", "--set mode: expected single or several, got 'both'"),
        ("constraints=yes", "--set constraints: expected true or false, got 'yes'"),
        ("calibration=magic", "expected none or temperature or platt or isotonic, got 'magic'"),
        ("symmetric=Kill,", "--set symmetric: expected relations of the model, got ''"),
        ("symmetric=Kill,Kill", "each relation once"),
        ("inverse.Kill=Eats", "got 'Eats'"),
        ("at_most.Kill=1", "expected at_most.RELATION.head or at_most.RELATION.tail, got 'at_most.Kill'"),
        ("at_most.Kill.middle=1", "expected at_most.RELATION.head or at_most.RELATION.tail, got 'at_most.Kill.middle'"),
        ("at_most.Kill.head=0", "expected a whole number of relations, 1 to 999999, or none, got '0'"),
        ("at_most.Kill.head=1.5", "got '1.5'"),
    ],
)
def test_what_cannot_be_set_is_one_clear_error(text: str, message: str):
    with pytest.raises(ConfigError, match=message):
        changed(OLD, [text], LABELS)


def test_constraints_of_a_model_without_triples_say_how_to_learn_them():
    with pytest.raises(ConfigError, match=r"got none; `relsift decide RUN --learn-from TRAINING` learns them"):
        changed(Decision(), ["constraints=true"], LABELS)


def test_a_decision_in_words_names_every_rule():
    decision = Decision(
        mode="several", threshold=-0.5, thresholds={"Kill": 2.0}, triples=OLD.triples, symmetric=("Kill",),
        at_most={"Live_In": {"head": 1}},
    )  # fmt: skip
    assert words(decision) == [
        "A pair has every relation whose score reaches its threshold.",
        "The common threshold is -0.500. Relations with one of their own: Kill.",
        "Constraints are off; they would need entity types between which the training data has it (1 triple of head type, tail type and "
        "relation).",
        "Decided in both directions together, by the mean score: Kill.",
        "An entity is the head of at most 1 relation Live_In.",
        "Relations get no probability.",
        "It is not recorded on which data this decision was tuned, or it was changed by hand since; "
        "`relsift decide RUN --data DATA --dry-run` scores it.",
    ]
    counts = {"Kill": TypeScore(3, 1, 0), "eats": TypeScore(0, 0, 1)}
    table = threshold_table(decision, ("Kill", "Live_In"), counts, "x")
    assert table.rows == (
        ("Kill", "2.000", "3", "75.0", "100.0", "85.7"), ("Live_In", "-0.500", "0", "–", "–", "–"), ("eats", "–", "1", "0.0", "0.0", "0.0"),
        ("micro", "", "4", "75.0", "75.0", "75.0"),
    )  # fmt: skip
    untold = threshold_table(decision, ("Kill",), {}, "x")
    assert untold.rows == (("Kill", "2.000", "–", "–", "–", "–"),)  # not counted, which is not 0
