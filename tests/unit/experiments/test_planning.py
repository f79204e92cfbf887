"""From what a user asks of a grid to its plan, its systems and its cells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.config import _override
from relsift.errors import ConfigError
from relsift.experiments.planning import flattened, system_of


def test_a_configuration_is_flattened_by_hand():
    values = {
        "model": {"name": "walk", "windows": [2, 3], "deep": {"er": None}},
        "training": {"epochs": 3, "learning_rate": 1e-05, "average": True, "loss_weights": {}},
        "encoding": {"vectors": "my file: a #1", "parser": "yes"},
    }
    assert flattened(values) == [
        "model.name=walk", "model.windows=[2, 3]", "model.deep.er=null", "training.epochs=3", "training.learning_rate=1.0e-05",
        "training.average=true", "training.loss_weights={}", "encoding.vectors='my file: a #1'", "encoding.parser='yes'",
    ]  # fmt: skip


def number_like(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


keys = st.text("abcxyz_", min_size=1, max_size=5)
texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=200).filter(lambda text: not number_like(text))
scalars = st.none() | st.booleans() | st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False) | texts
leaves = scalars | st.lists(st.integers(0, 99), max_size=60)
values = st.recursive(leaves, lambda inner: st.dictionaries(keys, inner, max_size=3), max_leaves=6)


@settings(max_examples=60)
@given(st.dictionaries(keys, values, max_size=4))
def test_what_was_flattened_sets_the_same_values_again_in_lines_of_their_own(nested):
    again: dict[str, Any] = {}
    for line in flattened(nested):
        assert "\n" not in line
        _override(again, line)
    assert again == nested


def made(file: dict[str, Any], **options: Any) -> Any:
    given = {"name": None, "model": None, "preset": None, "tagger": "none", "select_on": "development", "test_ratio": None} | options
    return system_of(file, "my.yaml", **given)


def test_a_file_names_the_model_unless_an_option_does():
    file = {"model": {"name": "walk", "preset": "other", "steps": 2}, "training": {"epochs": 3}}
    system = made(file)
    assert (system.name, system.model, system.preset, system.overrides) == ("walk", "walk", "other", ("model.steps=2", "training.epochs=3"))
    system = made(file, model="pcnn", preset="paper", name="mine")
    assert (system.name, system.title, system.model, system.preset) == ("mine", "mine", "pcnn", "paper")
    assert (made({}).model, made({}).preset, made({}).overrides) == ("multitask_cnn", "paper", ())
    assert made(file, preset="").preset is None
    assert made({"model": {"preset": None}}).preset is None
    assert made({"model": {"name": "pcnn"}}).overrides == ()


@pytest.mark.parametrize(
    "file", [{"candidates": {"direction": "undirected"}}, {"candidates": {"type_filter": False}}, {"training": {"seed": 4}}]
)
def test_a_file_cannot_say_what_the_report_says_of_the_whole_grid(file):
    with pytest.raises(ConfigError, match=r"my\.yaml (candidates|training)\.\w+: expected what all systems of the grid share"):
        made(file)


def test_a_model_that_is_no_section_and_options_that_do_not_exist_are_refused():
    with pytest.raises(ConfigError, match=r"my\.yaml: model: expected a section"):
        made({"model": "walk"})
    for option, value in (("tagger", "training"), ("select_on", "train"), ("test_ratio", -1.0)):
        with pytest.raises(ConfigError, match=rf"system\.{option}: expected"):
            made({}, **{option: value})
