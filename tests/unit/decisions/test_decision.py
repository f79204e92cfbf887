"""From scores to relations by hand; a decision as JSON, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from relsift.candidates import Pair
from relsift.decisions.decision import DECISION_FILE, Decision
from relsift.decisions.scored import Scored
from relsift.errors import CheckpointError, ConfigError
from relsift.json_text import read_json
from relsift.schema import Entity, Relation, Sentence

LABELS = ("owns", "works_for")
ENTITIES = (Entity(0, 1, "PER"), Entity(1, 2, "ORG"), Entity(2, 3, "PER"))
SENTENCE = Sentence("s", ("Ada", "Acme", "Bo"), ENTITIES, (Relation(2, 0, "knows"),))


def scored(*rows: tuple[Pair, list[float]]) -> Scored:
    return Scored(SENTENCE, [pair for pair, _ in rows], np.array([scores for _, scores in rows], np.float32).reshape(-1, 2))


def test_the_best_relation_of_a_pair_is_taken_if_its_score_reaches_the_threshold():
    decided = Decision(threshold=0.5).decide(
        scored((Pair(0, 1), [0.75, 2.0]), (Pair(1, 0), [0.25, -1.0]), (Pair(2, 1), [3.0, 2.5]), (Pair(1, 2), [0.5, 0.0])), LABELS
    )
    # Of (2, 1) both scores reach the threshold: one relation a pair. Of (1, 2) the score is the threshold itself.
    assert decided.relations == (Relation(0, 1, "works_for", 2.0), Relation(2, 1, "owns", 3.0), Relation(1, 2, "owns", 0.5))


def test_a_score_just_below_the_threshold_is_not_taken():
    below = float(np.nextafter(np.float32(0.5), np.float32(0)))
    assert Decision(threshold=0.5).decide(scored((Pair(0, 1), [below, -1.0])), LABELS).relations == ()


def test_a_threshold_between_neighbouring_scores_tells_them_apart():
    upper = float(np.nextafter(np.float32(1), np.float32(2)))
    decided = Decision(threshold=(1.0 + upper) / 2).decide(scored((Pair(0, 1), [1.0, 0.0]), (Pair(1, 0), [upper, 0.0])), LABELS)
    assert decided.relations == (Relation(1, 0, "owns", upper),)


def test_annotated_relations_are_replaced_and_all_else_stays():
    assert Decision().decide(scored((Pair(0, 1), [-1.0, -1.0])), LABELS) == SENTENCE.with_relations(())
    assert Decision().decide(scored(), LABELS).relations == ()  # no pairs at all


def test_the_largest_numbers_as_thresholds_take_everything_or_nothing():
    pairs = scored((Pair(0, 1), [-50.0, -60.0]), (Pair(1, 0), [50.0, 60.0]))
    assert len(Decision(threshold=-1e308).decide(pairs, LABELS).relations or ()) == 2
    assert Decision(threshold=1e308).decide(pairs, LABELS).relations == ()


@pytest.mark.parametrize("threshold", ["high", None, True, float("nan"), float("inf"), float("-inf"), [0.5], 10**400])
def test_a_threshold_that_is_no_number_is_refused(threshold: Any):
    with pytest.raises(ConfigError, match=r"decision\.threshold: expected a number that is finite, got"):
        Decision(threshold=threshold)


def test_a_mode_that_does_not_exist_is_refused():
    with pytest.raises(ConfigError, match=r"decision\.mode: expected single or several, got 'many'"):
        Decision(mode="many")  # type: ignore[arg-type]


# ---- JSON and file


@pytest.mark.parametrize("threshold", [0, 0.1, -2.5, 1e-30])
def test_json_gives_the_decision_back(threshold: float):
    decision = Decision(threshold=threshold)
    assert Decision.from_json(json.loads(json.dumps(decision.to_json())), "here") == decision


def test_the_file_holds_format_mode_and_threshold(tmp_path: Path):
    decision = Decision(threshold=0.1 + 0.2)
    decision.save(tmp_path)
    assert read_json(tmp_path / DECISION_FILE) == {
        "format": 2, "mode": "single", "threshold": 0.1 + 0.2, "thresholds": {}, "constraints": False, "triples": None, "symmetric": [],
        "inverse": {}, "at_most": {}, "calibration": None, "tuned_on": None,
    }  # fmt: skip
    assert Decision.load(tmp_path) == decision


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"format": 1, "mode": "many", "threshold": 0.0}, r"here: decision\.mode: expected single .* correct it there"),
        ({"format": 1, "threshold": "high"}, r"here: decision\.threshold: expected a number"),
        ({"format": 1, "threshold": 10**400}, r"here: decision\.threshold: expected a number"),
        ({"format": 1, "threshold": 0.0, "mood": "good"}, "here: expected keys of a decision of format 1, got 'mood'; did you mean mode"),
        ({"format": 1, "threshold": 0.0, "constraints": False}, "of format 1, got 'constraints'; its keys are mode, threshold"),
        ({"format": 2, "threshold": 0.0, "mood": "good"}, "here: expected keys of a decision of format 2, got 'mood'; did you mean mode"),
        ({"format": 2, "threshold": 0.0, "triples": [["PER", ["a"], "Kill"]]}, r"here: decision\.triples: expected \(head type"),
        ({"format": 1, "mode": "single"}, "here: expected mode and threshold of a decision, got no threshold"),
        ({"format": True, "threshold": 0.0}, "here: expected a decision of format 1 or 2, got True"),
        ({"format": 3, "mode": "single", "threshold": 0.0}, "here: expected a decision of format 1 or 2, got 3; use the relsift version"),
        ({"mode": "single", "threshold": 0.0}, "here: expected a decision of format 1 or 2, got None"),
        ([0.5], r"here: expected a decision of format 1 or 2, got \[0\.5\]"),
        (None, "here: expected a decision of format 1 or 2, got None"),
    ],
)
def test_what_is_no_decision_of_this_version_is_refused(value: Any, message: str):
    with pytest.raises(CheckpointError, match=message):
        Decision.from_json(value, "here")


def test_a_missing_or_broken_file_is_named(tmp_path: Path):
    with pytest.raises(CheckpointError, match=rf"{DECISION_FILE}: expected the decision of the model, got No such file"):
        Decision.load(tmp_path)
    twice, infinite = b'{"format": 1, "threshold": 1, "threshold": 2}', b'{"format": 1, "threshold": Infinity}'
    broken = (b"", b"{", b"\xff\xfe", b"[" * 100_000, twice, infinite, b'{"format": 1, "threshold": 1e999}')
    for content in broken:
        (tmp_path / DECISION_FILE).write_bytes(content)
        with pytest.raises(CheckpointError, match=rf"{DECISION_FILE}: expected JSON, got .*; correct it there, or copy"):
            Decision.load(tmp_path)
