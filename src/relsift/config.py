"""The configuration of a run: YAML in and out, presets, `a.b=c` overrides. An unknown key is an error, not a surprise later.

Values are taken in this order, the later one wins: defaults, the preset's values, the configuration file, `--set`.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from relsift.candidates import Direction
from relsift.errors import ConfigError

TagView = Literal["entities", "untyped", "pair", "others", "random", "word", "constant"]  # see `relsift.encoding.tags`


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class CandidateConfig(_Section):
    """Which pairs are scored (see `relsift.candidates`)."""

    direction: Direction = "directed"
    type_filter: bool = True  # keep only combinations of entity types that occur in training relations
    max_distance: int | None = Field(None, ge=0)  # tokens between the two entities; None: any number
    order_leak: bool = False  # keep pairs against the text order only where annotated as related: only to measure that effect
    negatives: float | None = Field(None, ge=0, allow_inf_nan=False)  # unrelated pairs for each related one in training; None: all
    negatives_seed: int = Field(0, ge=0)  # which of them; a larger `negatives` adds to those of a smaller one


class EncodingConfig(_Section):
    """What a model reads of a sentence (see `relsift.encoding`)."""

    lowercase: bool = False  # compare words in lower case
    min_count: int = Field(1, ge=1)  # words rarer than this in training data are unknown
    vectors: str | None = None  # file of pre-trained word vectors (see `relsift.encoding.vectors`); None: all start at random
    vectors_scale: float = Field(1.0, gt=0)  # the vectors are multiplied by this
    parser: str | None = None  # spaCy pipeline for sentences without dependency trees, where the model needs trees
    tags: TagView = "entities"  # what the tag input shows
    tags_seed: int = Field(0, ge=0)  # of the views that draw tags: random, word


class TrainingConfig(_Section):
    """How a model is trained (see `relsift.training`)."""

    optimiser: Literal["rmsprop", "adam", "adamw", "adadelta", "sgd"] = "rmsprop"  # settings: `relsift.training.optimisers`
    learning_rate: float = Field(1e-3, gt=0)
    schedule: Literal["constant", "inverse_epoch"] = "constant"  # inverse_epoch: learning_rate / t in epoch t = 1, 2, …
    weight_decay: float = Field(0.0, ge=0)  # of weights and embeddings; biases and norms are exempt
    gradient_clip: float | None = Field(None, gt=0)  # bound on the L2 norm of the gradient of all parameters; None: no bound
    batch_pairs: int = Field(256, ge=1)  # at most, of whole sentences
    batch_tokens: int = Field(8192, ge=1)  # at most, padding counted
    unknown_rate: float = Field(0.0, ge=0, lt=1)  # share of rare words that training shows as unknown, to train the unknown word
    freeze_words: bool = False  # do not train the word embeddings, neither those from a file nor random ones
    epochs: int = Field(30, ge=1)  # at most
    patience: int = Field(6, ge=1)  # epochs without a better development F1
    average: bool = False  # score and keep the running mean over epochs of the parameters, not those of one epoch
    seed: int = Field(1, ge=0, le=2**40)  # torch's seeds are made of it and the epoch, and have 64 bits
    threshold: Literal["tuned", "paper"] | float = "tuned"  # of the decision: tuned on development data, the source's, or a number
    loss_weights: dict[str, float] = Field(default_factory=dict)  # by the name of the loss part; 1 for a part without a weight
    device: str = "cpu"  # a name that torch knows, or auto: a GPU if there is one
    threads: int | None = Field(None, ge=1)  # CPU threads; None leaves torch's choice


class ModelSection(BaseModel):
    """`name`, `preset`, and the model's own options, which the model's Config checks."""

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str = "multitask_cnn"
    preset: str | None = "paper"

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class RunConfig(_Section):
    """The whole configuration of a run; one section a part."""

    model: ModelSection = ModelSection()
    candidates: CandidateConfig = CandidateConfig()
    encoding: EncodingConfig = EncodingConfig()
    training: TrainingConfig = TrainingConfig()

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True)

    def same_as(self, file: Path) -> bool:
        """Whether the file says the same; an option that is younger than the file has its default there.

        Raises: ConfigError if it is no configuration.
        """
        return _validate(read_yaml(file), f"{file}: ") == _validate(yaml.safe_load(self.to_yaml()))  # YAML has lists, and no tuples


def load_config(
    *,
    model: str | None = None,
    file: Path | None = None,
    overrides: list[str] | None = None,
    preset: str | None = None,
    direction: Direction | None = None,
) -> RunConfig:
    """Build the whole configuration of a run; `direction` is the data's usual one, which file and overrides may change.

    Raises: ConfigError naming the key, what was expected and what came.
    """
    given: dict[str, Any] = {}
    if file is not None:
        given = read_yaml(file)
    for text in overrides or []:
        _override(given, text)
    section = given.setdefault("model", {})
    if not isinstance(section, dict):
        raise ConfigError(f"model: expected a section with name, preset and options, got {section!r}")
    if model is not None:
        section["name"] = model
    if preset is not None:
        section["preset"] = preset
    model_section = _validate({"model": section}).model
    values = _preset(model_section.name, model_section.preset)
    if direction is not None:
        values["candidates"] = {"direction": direction}
    return _validate(_merged(values, given))


def _preset(model: str, name: str | None) -> dict[str, Any]:
    from relsift.registry import find  # imports torch: not needed to import this module

    presets = find("model", model).PRESETS
    if name is None:
        return {}
    if name not in presets:
        raise ConfigError(f"model.preset: expected one of {', '.join(presets)} for {model}, got {name!r}")
    return {"model": dict(presets[name].model), "training": dict(presets[name].training)}


def read_yaml(file: Path) -> dict[str, Any]:
    """The sections of a configuration file, not yet checked. Raises ConfigError naming the file if it is not YAML with sections."""
    try:
        value = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: expected a readable configuration file, got {error.strerror}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"{file}: expected YAML, got {' '.join(str(error).split())}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{file}: expected sections (model, candidates, encoding, training), got {type(value).__name__}")
    return value


def _override(values: dict[str, Any], text: str) -> None:
    path, equals, raw = text.partition("=")
    keys = path.split(".")
    if not equals or not all(keys):
        raise ConfigError(f"--set: expected section.key=value, such as training.epochs=10, got {text!r}")
    try:
        value = yaml.safe_load(raw)
    except yaml.YAMLError as error:
        raise ConfigError(f"--set {path}: expected a YAML value, got {raw!r}") from error
    if isinstance(value, str):
        with suppress(ValueError):  # YAML reads 1e-3 as text
            value = float(value)
    for key in keys[:-1]:
        values = values.setdefault(key, {})
        if not isinstance(values, dict):
            raise ConfigError(f"--set {path}: expected {key!r} to be a section, got a value")
    values[keys[-1]] = value


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _merged(result[key], value) if both else value
    return result


def _validate(values: dict[str, Any], where: str = "") -> RunConfig:
    try:
        return RunConfig.model_validate(values)
    except ValidationError as error:
        raise invalid_value(error, where) from error


def invalid_value(error: ValidationError, where: str = "") -> ConfigError:
    """The first problem of a validation as an error to raise. where: what the message says before the key, such as `model.`."""
    first = error.errors()[0]
    key = ".".join(map(str, first["loc"]))
    return ConfigError(f"{where}{key}: {first['msg'].lower()}, got {first.get('input')!r}")
