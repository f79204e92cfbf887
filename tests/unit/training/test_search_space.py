"""Search spaces: those of the models hold the values that a search starts from, and a file's are checked before anything is trained."""

from __future__ import annotations

from pathlib import Path

import pytest

from relsift.config import load_config
from relsift.errors import ConfigError
from relsift.registry import find, table
from relsift.training.search_space import BY_MODEL, Choice, Range, default_space, read_space, value_of
from relsift.training.tuning import check_space, overrides_of


def write(folder: Path, text: str) -> Path:
    (folder / "space.yaml").write_text(text, encoding="utf-8")
    return folder / "space.yaml"


@pytest.mark.parametrize("model", table("model"))
def test_every_space_has_options_of_its_model_alone_and_holds_the_values_of_the_presets(model: str):
    for preset in find("model", model).PRESETS:
        config = load_config(model=model, preset=preset)
        space = default_space(config)
        assert {"training.learning_rate", "training.epochs"} <= space.keys()
        check_space(lambda more, preset=preset: load_config(model=model, preset=preset, overrides=list(more)), space)
        if preset == "paper":
            outside = [name for name, part in space.items() if not part.holds(value_of(config, name))]
            assert outside in ([], ["model.classification"]), outside


def test_spaces_are_those_of_registered_models():
    assert BY_MODEL.keys() <= table("model").keys()


def test_rates_and_sizes_are_searched_around_the_preset():
    space = default_space(load_config(model="multitask_cnn"))  # 0.001, 15 epochs, 64 filters
    assert space["training.learning_rate"] == Range(low=0.001 / 5, high=0.001 * 5, log=True)
    assert space["training.epochs"] == Range(low=8, high=30, log=True)
    assert space["model.filters"] == Range(low=32, high=128, log=True)
    assert "training.word_dropout" not in space and "training.encoder_learning_rate" not in space  # the preset uses neither


def test_a_file_may_name_options_in_sections_or_in_full(tmp_path: Path):
    text = (
        "training.learning_rate: {low: 1e-4, high: 1e-2, log: true}\n"
        "model:\n  filters: {low: 32, high: 256, step: 32}\n  windows: [[2, 3], [4]]\n  hidden_dropout: {low: 0, high: 0.5}\n"
    )
    space = read_space(write(tmp_path, text))
    assert space == {
        "training.learning_rate": Range(low=1e-4, high=1e-2, log=True), "model.filters": Range(low=32, high=256, step=32),
        "model.windows": Choice(([2, 3], [4])), "model.hidden_dropout": Range(low=0, high=0.5),
    }  # fmt: skip
    assert space["model.filters"].holds(64) and not space["model.filters"].holds(65) and not space["model.filters"].holds(64.0)
    assert space["model.hidden_dropout"].holds(0.25) and space["model.windows"].holds([4]) and not space["model.windows"].holds([5])


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", "expected options with their ranges"),
        ("training.epochs: 5", "training.epochs: expected a list of values, or low and high"),
        ("training.epochs: [5]", "expected 2 to 100 values to choose from, got 1"),
        ("training.epochs: {low: 5}", "training.epochs: expected a list of values, or low and high"),
        ("training.epochs: {low: 5, high: 5}", "expected low below high, got 5 and 5"),
        ("training.epochs: {low: 5, high: many}", r"training.epochs.high: expected a number, got 'many'"),
        ("training.epochs: {low: 5, high: .inf}", r"training.epochs.high: expected a number, got inf"),
        ("training.epochs: {low: 0, high: 9, log: true}", "log: expected true with a low above 0"),
        ("training.epochs: {low: 0.5, high: 9, step: 2}", "step: expected a whole number >= 1, between whole numbers"),
        ("training.epochs: {low: 5, high: 9, by: 2}", "expected a list of values, or low and high"),
    ],
)
def test_what_is_no_range_is_refused_with_file_and_option(tmp_path: Path, text: str, parts: str):
    with pytest.raises(ConfigError, match=rf"space\.yaml: .*{parts}"):
        read_space(write(tmp_path, text))


@pytest.mark.parametrize(
    ("space", "message"),
    [
        ({"training.rate": Range(low=0.1, high=0.2)}, "space of training.rate: .*expected an option that exists"),
        ({"model.filtres": Range(low=1, high=2)}, "space of model.filtres: .*filters"),
        ({"training.epochs": Range(low=0, high=2)}, "space of training.epochs: training.epochs: .*greater than or equal to 1"),
        ({"model.classification": Choice(("ranking", "rank"))}, "space of model.classification: .*ranking"),
    ],
)
def test_an_option_that_is_none_or_a_value_that_it_cannot_have_is_found_before_training(space: dict[str, Range | Choice], message: str):
    with pytest.raises(ConfigError, match=message):
        check_space(lambda more: load_config(model="multitask_cnn", overrides=list(more)), space)


def test_values_become_overrides_that_give_them_back():
    values = {"training.learning_rate": 1.5e-5, "model.windows": [2, 3], "model.classification": "ranking", "model.tags": False}
    config = load_config(model="multitask_cnn", overrides=overrides_of(values))
    assert {name: value_of(config, name) for name in values} == values | {"model.windows": (2, 3)}
