"""From what a user asks of a grid to its plan, its systems and its cells."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.config import _override
from relsift.errors import ConfigError
from relsift.experiments.planning import cells_asked_for, flattened, make_plan, system_of


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


def from_options(file: dict[str, Any], **options: Any) -> Any:
    given = {"name": None, "model": None, "preset": None, "tagger": "none", "select_on": "development", "test_ratio": None} | options
    return system_of(file, "my.yaml", **given)


def test_a_file_names_the_model_unless_an_option_does():
    file = {"model": {"name": "walk", "preset": "other", "steps": 2}, "training": {"epochs": 3}}
    system = from_options(file)
    assert (system.name, system.model, system.preset, system.overrides) == ("walk", "walk", "other", ("model.steps=2", "training.epochs=3"))
    system = from_options(file, model="pcnn", preset="paper", name="mine")
    assert (system.name, system.title, system.model, system.preset) == ("mine", "mine", "pcnn", "paper")
    assert (from_options({}).model, from_options({}).preset, from_options({}).overrides) == ("multitask_cnn", "paper", ())
    assert from_options(file, preset="").preset is None
    assert from_options({"model": {"preset": None}}).preset is None
    assert from_options({"model": {"name": "pcnn"}}).overrides == ()


@pytest.mark.parametrize(
    "file", [{"candidates": {"direction": "undirected"}}, {"candidates": {"type_filter": False}}, {"training": {"seed": 4}}]
)
def test_a_file_cannot_say_what_the_report_says_of_the_whole_grid(file):
    with pytest.raises(ConfigError, match=r"my\.yaml (candidates|training)\.\w+: expected what all systems of the grid share"):
        from_options(file)


def test_a_model_that_is_no_section_and_options_that_do_not_exist_are_refused():
    with pytest.raises(ConfigError, match=r"my\.yaml: model: expected a section"):
        from_options({"model": "walk"})
    for option, value in (("tagger", "training"), ("select_on", "train"), ("test_ratio", -1.0)):
        with pytest.raises(ConfigError, match=rf"system\.{option}: expected"):
            from_options({}, **{option: value})


# ---- plans and cells


def asked(**options: Any) -> Any:
    given = {
        "data": "gazette-en", "split": "folds", "folds": None, "direction": None, "language": None, "type_filter": True, "sentences": None,
        "development": 0.125, "fold_seed": 0, "quick": False,
    }  # fmt: skip
    return make_plan(**(given | options))


def test_what_is_left_out_is_five_folds_in_the_corpus_usual_direction():
    plan = asked()
    assert (plan.split, plan.folds, plan.direction, plan.language, plan.sentences) == ("folds", 5, "directed", "en", None)
    quick = asked(quick=True)
    assert (quick.folds, quick.sentences, quick.quick) == (2, 300, True)


def test_the_own_split_has_one_fold_and_takes_no_options_of_folds():
    plan = asked(split="own")
    assert (plan.split, plan.folds, plan.sentences) == ("own", 1, None)
    assert (asked(split="own", quick=True).folds, asked(split="own", quick=True).sentences) == (1, 300)
    for option, value in (("folds", 5), ("development", 0.2)):
        with pytest.raises(ConfigError, match=f"--{option}: expected none beside --split own, .*, got {value}"):
            asked(split="own", **{option: value})
    with pytest.raises(ConfigError, match="--split: expected folds or own, got 'official'"):
        asked(split="official")


def test_cells_are_of_all_folds_and_three_seeds_unless_some_are_named():
    systems = [from_options({})]

    def places(plan: Any, **options: Any) -> list[tuple[int, int]]:
        given = {"seeds": None, "only_folds": None, "only_seeds": None, "device": "cpu"} | options
        return [(cell.fold, cell.seed) for cell in cells_asked_for(systems, plan, **given)]

    assert places(asked(folds=2)) == [(fold, seed) for seed in (1, 2, 3) for fold in (1, 2)]
    assert places(asked(quick=True)) == [(1, 1), (2, 1)]
    assert places(asked(split="own"), seeds=2) == [(1, 1), (1, 2)]
    assert places(asked(), only_folds=[4], only_seeds=[7, 9]) == [(4, 7), (4, 9)]
    with pytest.raises(ConfigError, match="--only-fold: expected folds 1 to 1, got"):
        places(asked(split="own"), only_folds=[2])
