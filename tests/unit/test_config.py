"""The configuration of a run: what wins over what, and that nothing misspelt or ill-typed gets through."""

from __future__ import annotations

import math
import os
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from relsift.bundle import build, inputs_of
from relsift.config import RunConfig, encoder_overrides, load_config, option_names
from relsift.errors import ConfigError, RelsiftError
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.registry import MODELS, find
from relsift.weights import num_bytes, outline
from toy import HAS_TRANSFORMERS, encoding

KNOWN = encoding()
PRESETS = [(model, preset) for model in MODELS for preset in find("model", model).PRESETS]


@pytest.fixture
def write(tmp_path: Path):
    def file(text: str) -> Path:
        path = tmp_path / "run.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return file


# ---- presets


@pytest.mark.parametrize("preset", list(MultiTaskCNN.PRESETS))
def test_every_preset_gives_valid_options_and_training_values(preset):
    config = load_config(model="multitask_cnn", preset=preset)
    assert config.model.preset == preset
    assert MultiTaskCNNConfig.from_dict(config.model.options)
    for key, value in MultiTaskCNN.PRESETS[preset].training.items():
        assert getattr(config.training, key) == value


def test_the_paper_preset_holds_the_published_values():
    options = MultiTaskCNNConfig.from_dict(load_config(preset="paper").model.options)
    assert (options.word_size, options.tag_size, options.distance_size, options.hidden) == (200, 50, 50, 128)
    assert (options.windows, options.filters, options.hidden_dropout) == ((4, 5, 6, 7, 8, 9, 10), 64, 0.2)
    assert (options.gamma, options.margin_pos, options.margin_neg, options.threshold) == (2.0, 2.5, 0.5, 0.0)
    chinese = MultiTaskCNNConfig.from_dict(load_config(preset="paper_zh").model.options)
    assert (chinese.gamma, chinese.margin_pos, chinese.margin_neg, chinese.threshold) == (2.0, 4.5, -0.5, 1.0)
    training = load_config(preset="paper").training
    assert (training.optimiser, training.learning_rate, training.batch_pairs) == ("rmsprop", 1e-3, 256)


def test_an_unknown_preset_names_those_there_are():
    with pytest.raises(ConfigError, match=r"model\.preset: expected one of paper, .*released.*, got 'papr'"):
        load_config(preset="papr")


def test_an_unknown_model_hints_at_near_names():
    with pytest.raises(ConfigError, match="did you mean multitask_cnn"):
        load_config(model="multitask_cmn")


def test_no_preset_leaves_the_defaults():
    config = load_config(overrides=["model.preset=null"])
    assert config.model.options == {}
    assert config.training == RunConfig().training


# ---- precedence


def test_file_wins_over_preset_and_set_wins_over_file(write):
    file = write("training: {epochs: 7, patience: 3}\nmodel: {threshold: 2.5}\n")
    config = load_config(preset="paper_zh", file=file, overrides=["training.patience=9"])
    assert (config.training.epochs, config.training.patience) == (7, 9)  # the preset says 15 and 4
    assert config.model.options == {"margin_pos": 4.5, "margin_neg": -0.5, "threshold": 2.5}


def test_arguments_for_model_and_preset_win_over_the_file(write):
    file = write("model: {name: nothing, preset: paper}\n")
    config = load_config(model="multitask_cnn", preset="released", file=file)
    assert (config.model.name, config.model.preset) == ("multitask_cnn", "released")


def test_a_preset_named_in_the_file_or_by_set_is_used(write):
    assert load_config(file=write("model: {preset: released}")).model.options["context"] == "between"
    assert load_config(overrides=["model.preset=released"]).training.epochs == 30


def test_the_later_of_two_overrides_wins():
    assert load_config(overrides=["training.seed=1", "training.seed=2"]).training.seed == 2


def test_sections_in_the_file_are_merged_and_not_replaced(write):
    file = write("training: {loss_weights: {ranking: 2}}")
    config = load_config(file=file, overrides=["training.loss_weights.identification=0.5"])
    assert config.training.loss_weights == {"ranking": 2.0, "identification": 0.5}
    assert config.training.epochs == 15  # of the preset


def test_loading_a_configuration_does_not_change_the_preset():
    load_config(preset="paper_zh", overrides=["model.threshold=9", "training.epochs=1"])
    assert load_config(preset="paper_zh").model.options["threshold"] == 1.0


def test_written_and_read_again_it_is_the_same(write):
    overrides = ["training.threshold=0.25", "candidates.max_distance=30", "model.filters=3"]
    config = load_config(preset="released", overrides=overrides)
    again = load_config(file=write(config.to_yaml()))
    assert again.to_yaml() == config.to_yaml()
    assert again.training == config.training and again.candidates == config.candidates
    assert MultiTaskCNNConfig.from_dict(again.model.options) == MultiTaskCNNConfig.from_dict(config.model.options)
    assert yaml.safe_load(config.to_yaml())["training"]["threshold"] == 0.25


@pytest.mark.parametrize("preset", PRESETS, ids="-".join)
def test_a_configuration_is_the_same_as_its_file_and_no_other(preset, write):
    config = load_config(model=preset[0], preset=preset[1])
    file = write(config.to_yaml())
    assert config.differences(file) == ({}, {})
    other = load_config(model=preset[0], preset=preset[1], overrides=["training.seed=9"])
    assert other.differences(file) == ({"training.seed": 9}, {"training.seed": config.training.seed})


def test_a_file_that_says_less_has_the_defaults_and_an_edited_one_is_named(write):
    file = write(load_config(preset="released").to_yaml().replace("  average: false\n", ""))
    assert load_config(preset="released").differences(file) == ({}, {})
    file = write("training: {epochs: many}")
    with pytest.raises(ConfigError, match=rf"^{file}: training\.epochs: .*, got 'many'$"):
        load_config().differences(file)


def test_an_empty_file_leaves_the_defaults(write):
    assert load_config(file=write("")) == load_config()
    assert load_config(file=write("# nothing\n")) == load_config()


# ---- --set values are YAML


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("training.epochs=3", "epochs", 3),
        ("training.learning_rate=1e-3", "learning_rate", 0.001),
        ("training.learning_rate=.5", "learning_rate", 0.5),
        ("training.gradient_clip=null", "gradient_clip", None),
        ("training.gradient_clip=5", "gradient_clip", 5.0),
        ("training.threshold=paper", "threshold", "paper"),
        ("training.threshold=-1.5", "threshold", -1.5),
        ("training.loss_weights={identification: 0.5}", "loss_weights", {"identification": 0.5}),
        ("training.device=cuda:1", "device", "cuda:1"),
    ],
)
def test_set_values_are_read_as_yaml(text, key, value):
    read = getattr(load_config(overrides=[text]).training, key)
    assert read == value
    assert type(read) is type(value)


def test_set_reads_lists_booleans_and_values_with_an_equals_sign():
    config = load_config(overrides=["model.windows=[1, 2]", "model.tags=false", "training.device=a=b"])
    assert config.model.options["windows"] == [1, 2]
    assert MultiTaskCNNConfig.from_dict(config.model.options).windows == (1, 2)
    assert config.model.options["tags"] is False
    assert config.training.device == "a=b"


@pytest.mark.parametrize("text", ["training.epochs", "=3", ".epochs=3", "training.=3", "training..epochs=3"])
def test_a_set_without_key_or_value_is_refused(text):
    with pytest.raises(ConfigError, match=r"--set: expected section\.key=value"):
        load_config(overrides=[text])


def test_a_set_value_that_is_no_yaml_is_refused_by_its_key():
    with pytest.raises(ConfigError, match=r"--set training\.epochs: expected a YAML value, got '\[1'"):
        load_config(overrides=["training.epochs=[1"])


def test_a_set_below_a_plain_value_is_refused():
    with pytest.raises(ConfigError, match="'epochs' to be a section"):
        load_config(overrides=["training.epochs=3", "training.epochs.more=1"])


# ---- wrong keys, wrong values


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("training.epoch=3", "training.epoch"),
        ("trainig.epochs=3", "trainig"),
        ("epochs=3", "epochs"),
        ("candidates.directed=true", "candidates.directed"),
        ("encoding.lower=true", "encoding.lower"),
    ],
)
def test_an_unknown_key_is_refused_by_name(text, key):
    with pytest.raises(ConfigError, match=rf"^{key}: "):
        load_config(overrides=[text])


@pytest.mark.parametrize(
    ("text", "key", "got"),
    [
        ("training.epochs=ten", "training.epochs", "'ten'"),
        ("training.epochs=0", "training.epochs", "0"),
        ("training.epochs=2.5", "training.epochs", "2.5"),
        ("training.epochs=[3]", "training.epochs", r"\[3\]"),
        ("training.epochs=null", "training.epochs", "None"),
        ("training.learning_rate=0", "training.learning_rate", "0"),
        ("training.learning_rate=fast", "training.learning_rate", "'fast'"),
        ("training.optimiser=sdg", "training.optimiser", "'sdg'"),
        ("training.threshold=best", "training.threshold", "'best'"),
        ("training.unknown_rate=1", "training.unknown_rate", "1"),
        ("training.seed=-1", "training.seed", "-1"),
        ("training.loss_weights=2", "training.loss_weights", "2"),
        ("training.loss_weights={ranking: heavy}", "training.loss_weights.ranking", "'heavy'"),
        ("training=3", "training", "3"),
        ("candidates.direction=both", "candidates.direction", "'both'"),
        ("candidates.max_distance=-1", "candidates.max_distance", "-1"),
        ("encoding.min_count=0", "encoding.min_count", "0"),
        ("encoding.lowercase=maybe", "encoding.lowercase", "'maybe'"),
        ("model=3", "model", "3"),
        ("model.name=null", "model.name", "None"),
        ("training.threshold=.nan", "training.threshold", "nan"),
        ("training.threshold=.inf", "training.threshold", "inf"),
        ("training.learning_rate=.inf", "training.learning_rate", "inf"),
        ("training.loss_weights.ranking=.nan", "training.loss_weights.ranking", "nan"),
        ("encoding.vectors_scale=.inf", "encoding.vectors_scale", "inf"),
        ("training.seed=10000000000000000000", "training.seed", "10000000000000000000"),
    ],
)
def test_a_wrong_value_is_refused_with_its_key_and_what_came(text, key, got):
    with pytest.raises(ConfigError, match=rf"^{key}.*{got}") as caught:
        load_config(overrides=[text])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("model.windos=[1]", r"model\.windos"),
        ("model.windows=[]", r"model\.windows: expected one or more sizes >= 1, got \(\)"),
        ("model.windows=[0]", r"model\.windows"),
        ("model.windows=3", r"model\.windows.*got 3"),
        ("model.filters=many", r"model\.filters.*'many'"),
        ("model.filters=0", "model sizes"),
        ("model.hidden_dropout=1", r"model\.hidden_dropout: expected a number in \[0, 1\), got 1"),
        ("model.gamma=0", r"model\.gamma"),
        ("model.classification=rank", r"model\.classification.*'rank'"),
        ("model.pooling=average", r"model\.pooling.*'average'"),
    ],
)
def test_wrong_options_of_the_model_are_refused_before_anything_is_read(text, words):
    with pytest.raises(ConfigError, match=words):
        load_config(overrides=[text])


@pytest.mark.parametrize("text", ["[1, 2]", "3", "training: 3", "model: 3", "model: ", "a: [", "training: {epochs: 3", "\t- x"])
def test_a_file_that_is_no_configuration_is_refused(write, text):
    with pytest.raises(RelsiftError) as caught:
        load_config(file=write(text))
    assert isinstance(caught.value, ConfigError)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_file_in_another_encoding_are_refused_by_name(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.yaml"):
        load_config(file=tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9")
    with pytest.raises(ConfigError, match=r"latin\.yaml"):
        load_config(file=tmp_path / "latin.yaml")


def test_a_configuration_cannot_be_changed_after_it_was_checked():
    config = load_config()
    with pytest.raises(ValidationError, match="frozen"):
        config.training.epochs = 3  # type: ignore[misc]


# ---- near misses


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("training.epoch=3", "did you mean training.epochs?"),
        ("trainig.epochs=3", "did you mean training?"),
        ("epochs=3", "did you mean training.epochs?"),
        ("model.windos=[1]", "did you mean model.windows?"),
        ("model.epochs=3", "did you mean training.epochs?"),
        ("encoding.lower=true", "did you mean encoding.lowercase?"),
        ("training.batch_size=3", "did you mean training.batch_pairs"),
        ("candidates.q=3", "; options: candidates.direction, "),
    ],
)
def test_an_unknown_option_is_refused_with_those_that_may_be_meant(text, hint):
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[text])
    assert str(caught.value).startswith(text.partition(".")[0].partition("=")[0]) and hint in str(caught.value)


@pytest.mark.parametrize(
    ("encoder", "hint"), [("bilstm", "did you mean model.encoder_options.units?"), ("lookup", "; there are none here")]
)
def test_an_unknown_option_of_an_encoder_is_refused_with_those_that_may_be_meant(encoder, hint):
    with pytest.raises(ConfigError) as caught:
        load_config(overrides=[f"model.encoder={encoder}", "model.encoder_options={unit: 3}"])
    assert str(caught.value).startswith("model.encoder_options.unit: ") and hint in str(caught.value)


# ---- files


NINE = "a: &a [x, x, x, x, x, x, x, x, x]\n"
LAUGHS = NINE + "".join(f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (LAUGHS, "more than 10000 values, those behind anchors counted each time"),
        ("model: &a [*a]", "more than 20 deep"),
        ("training: " + "[" * 30 + "]" * 30, "more than 20 deep"),
        ("training: " + "[" * 5000 + "]" * 5000, "more than 20 deep"),
        ("training: {epochs: 1, epochs: 2}", "line 1: the key 'epochs' twice in one section"),
        ("training: {epochs: 1}\nmodel: {}\ntraining: {seed: 2}", "line 3: the key 'training' twice in one section"),
        ("training: !!python/object/apply:os.system [ls]", "tag 'python/object/apply:os.system'"),
        ("encoding: {vectors: !!binary aGVsbG8=}", "tag 'binary'"),
        ("training: !!set {epochs}", "tag 'set'"),
        ("training: {1: 2}", "'1' as a key"),
        ("training: {? [a] : 2}", "as a key"),
        ("training: {epochs: " + "9" * 5000 + "}", "expected YAML"),
        ("training: {epochs: 2020-01-01}", "training.epochs: "),
        ("training: {seed: 1e400}", "training.seed: "),
        ("training: {epochs: 1} # \x07", "special characters are not allowed"),
    ],
)  # fmt: skip
def test_yaml_that_multiplies_hides_or_guesses_is_refused_in_one_line(write, text, words):
    with pytest.raises(ConfigError) as caught:
        load_config(file=write(text))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 600


def test_anchors_and_merges_that_stay_small_are_read(write):
    config = load_config(file=write("candidates: &a {max_distance: 3}\nmodel: {windows: &w [2, 3]}\n"))
    assert (config.candidates.max_distance, config.model.options["windows"]) == (3, [2, 3])
    merged = load_config(file=write("encoding: {tags_seed: &s 7}\ntraining: {<<: {seed: *s}, epochs: 2}\n"))
    assert (merged.training.seed, merged.training.epochs) == (7, 2)


def test_a_folder_a_pipe_and_a_large_file_are_no_configuration(tmp_path, write):
    with pytest.raises(ConfigError, match="expected a configuration file, got a folder"):
        load_config(file=tmp_path)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigError, match="expected a configuration file, got a pipe or a device"):
        load_config(file=tmp_path / "pipe")
    with pytest.raises(ConfigError, match="at most 1048576 bytes"):
        load_config(file=write("# " + "x" * 2**20))
    (tmp_path / "binary.yaml").write_bytes(bytes(range(256)))
    with pytest.raises(ConfigError, match="expected YAML"):
        load_config(file=tmp_path / "binary.yaml")


def test_a_path_of_many_names_is_refused():
    with pytest.raises(ConfigError, match="expected section"):
        load_config(overrides=["a" + ".a" * 5000 + "=1"])


# ---- every option of every model with every odd value


ODD = (math.nan, math.inf, -math.inf, -1, 0, 10**30, 1e300, "x", "nan", "", None, True, [], {}, [math.nan], ["x"], {"x": math.nan})
CASES = [("multitask_cnn", option) for option in option_names() if not option.startswith("model.")] + [
    (model, f"model.{field.name}") for model in MODELS for field in fields(find("model", model).Config)
]


@pytest.mark.parametrize(("model", "option"), CASES)
def test_an_odd_value_of_any_option_is_refused_or_makes_a_model(model, option, tmp_path):
    section, _, key = option.partition(".")
    tiny = find("model", model).Config.tiny().to_dict()
    if not HAS_TRANSFORMERS and "subwords" in inputs_of(model, tiny):
        pytest.skip("the packages of Hugging Face are missing")
    for value in ODD:
        given = {"model": {"name": model, "preset": None, **tiny}}
        given.setdefault(section, {})[key] = value
        try:
            config = load_config(file=written(tmp_path, given))
            made = outline(partial(build, model, config.model.options, KNOWN))
            assert made is not None and num_bytes(made) < 2**40
            if num_bytes(made) < 2**24:
                build(model, config.model.options, KNOWN)
        except ConfigError as error:
            assert key in str(error) or "model sizes" in str(error), f"{option}={value!r}: {error}"
            assert "\n" not in str(error)


def written(folder: Path, given: dict[str, Any]) -> Path:
    (folder / "run.yaml").write_text(yaml.safe_dump(given, default_flow_style=False), encoding="utf-8")
    return folder / "run.yaml"


# ---- the model that is chosen


def test_auto_takes_the_model_of_the_file_before_any_other(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("model: {name: pcnn}\n", encoding="utf-8")
    assert load_config(model="auto", file=file).model.name == "pcnn"


def test_auto_takes_the_best_model_for_what_is_given():
    assert load_config(model="auto").model.name == "bilstm_pcnn"
    assert load_config(model="auto", overrides=encoder_overrides("folder")).model.name == "packed_markers"


def test_the_model_chosen_for_text_finds_entities_and_reads_a_given_transformer_without_training_it():
    on_words = load_config(model="auto", from_text=True)
    assert (on_words.model.name, on_words.model.preset, on_words.training.freeze_encoder) == ("pipeline", "paper", False)
    on_transformer = load_config(model="auto", overrides=encoder_overrides("folder"), from_text=True)
    assert (on_transformer.model.name, on_transformer.model.preset, on_transformer.training.freeze_encoder) == ("pipeline", "frozen", True)
    trained = load_config(model="auto", overrides=encoder_overrides("folder"), preset="paper", from_text=True)
    assert (trained.model.preset, trained.training.freeze_encoder) == ("paper", False)
    assert load_config(model="pcnn", from_text=True).model.name == "pcnn"  # a named model is not replaced


def test_a_named_model_wins_over_auto_and_the_file(tmp_path):
    file = tmp_path / "run.yaml"
    file.write_text("model: {name: pcnn}\n", encoding="utf-8")
    assert load_config(model="cr_cnn", file=file).model.name == "cr_cnn"


def test_a_preset_for_words_gets_the_training_of_a_transformer_and_keeps_its_sizes():
    words, transformer = load_config(model="pcnn"), load_config(model="pcnn", overrides=encoder_overrides("folder"))
    assert (words.training.optimiser, transformer.training.optimiser) == ("adadelta", "adamw")
    assert transformer.training.encoder_learning_rate == 1e-4
    assert transformer.encoding.encoder == "folder"
    assert load_config(model="pcnn", overrides=[*encoder_overrides("folder"), "training.epochs=3"]).training.epochs == 3


def test_a_second_task_is_switched_off_together_with_the_weight_that_the_preset_gives_it():
    model = "packed_markers"
    assert load_config(model=model).training.loss_weights == {"identification": 0.5}
    given = ["model.identification=false"]
    assert load_config(model=model, overrides=given).training.loss_weights == {}
    given.append("training.loss_weights={identification: 0.1}")
    assert load_config(model=model, overrides=given).training.loss_weights == {"identification": 0.1}


@pytest.mark.parametrize("model", ["pcnn", "packed_markers"])
def test_freezing_the_transformer_needs_no_other_option_to_be_taken_back(model):
    given = [*encoder_overrides("folder"), "training.freeze_encoder=true"]
    assert load_config(model=model, overrides=given).training.encoder_learning_rate is None
    assert load_config(model=model, overrides=[*given, "training.encoder_learning_rate=0.1"]).training.encoder_learning_rate == 0.1


def test_the_preset_for_frozen_transformers_keeps_its_own_training_and_can_be_thawed():
    given = encoder_overrides("folder")
    frozen = load_config(model="bilstm_pcnn", preset="frozen", overrides=given).training
    assert (frozen.freeze_encoder, frozen.encoder_learning_rate, frozen.ema, frozen.word_dropout) == (True, None, 0.99, 0.0)
    thawed = load_config(model="bilstm_pcnn", preset="frozen", overrides=[*given, "training.freeze_encoder=false"]).training
    assert (thawed.freeze_encoder, thawed.encoder_learning_rate) == (False, 1e-4)
