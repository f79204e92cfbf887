"""The configuration of a run: YAML in and out, presets, `a.b=c` overrides. An unknown key is an error, not a surprise later.

Values are taken in this order, the later one wins: defaults, the preset's values, the configuration file, `--set`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from relsift.candidates import MOST_WINDOW, Direction
from relsift.errors import ConfigError
from relsift.registry import find
from relsift.yaml_text import decode

TagView = Literal["entities", "untyped", "pair", "others", "random", "word", "constant"]  # see `relsift.encoding.tags`


MOST_BYTES = 2**20  # of a configuration file
_LONGEST = 200  # characters of a wrong value in a message
MOST_KEYS = 4  # names in a path such as training.loss_weights.ranking
MOST_SEED = 2**40  # torch's seeds are made of it and the epoch, and have 64 bits
MOST_WORDS = 10**7  # of a vocabulary
MOST = 10**9  # bound on counts that need no memory
MOST_RATE = 1e38  # 32-bit numbers, in which optimisers compute, end at 3.4e38
MOST_PAIRS, MOST_TOKENS = 2**20, 2**22  # of a batch: more would not fit into the memory of any machine


AUTO, AUTO_WITH_ENCODER, AUTO_WITHOUT = "auto", "packed_markers", "bilstm_pcnn"  # names of models: "the best one for what is given"
AUTO_FROM_TEXT, ON_FROZEN = "pipeline", "frozen"  # the model for text without entities, and its preset where a transformer is given
TRANSFORMER = "huggingface"  # the encoder that needs `encoding.encoder`
# How models are trained whose presets were made for words: the optimisers of their sources would ruin a transformer.
TRANSFORMER_TRAINING: dict[str, Any] = {
    "optimiser": "adamw", "learning_rate": 1e-3, "encoder_learning_rate": 1e-4, "schedule": "linear", "weight_decay": 0.01,
    "gradient_clip": 1.0, "batch_pairs": 64, "batch_tokens": 4096, "epochs": 15, "patience": 15, "ema": 0.999, "freeze_embeddings": True,
    "average": False,
}  # fmt: skip

RATES_OF_ENCODER = ("encoder_learning_rate", "layer_decay")  # options that a frozen encoder has no use for


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _no_switch_for_a_number(cls, value: Any, info: ValidationInfo) -> Any:
        """Without this, `epochs: yes` would mean 1."""
        if isinstance(value, bool) and cls.model_fields[info.field_name or ""].annotation not in (bool, bool | None):
            raise ValueError("expected a value other than true or false")
        return value


class CandidateConfig(_Section):
    """Which pairs are scored (see `relsift.candidates`).

    See also: `relsift.candidates.Candidates`, which selects pairs by it.

    >>> config = load_config(model="pcnn", overrides=["candidates.max_distance=30"])
    >>> config.candidates.max_distance, config.candidates.type_filter
    (30, True)
    """

    direction: Direction = "directed"
    type_filter: bool = True  # keep only combinations of entity types that occur in training relations
    max_distance: int | None = Field(None, ge=0, le=MOST)  # tokens between the two entities; None: any number
    order_leak: bool = False  # keep pairs against the text order only where annotated as related: only to measure that effect
    window: int = Field(1, ge=1, le=MOST_WINDOW)  # sentences that are read together: pairs may lie so many, less one, sentences apart
    negatives: float | None = Field(None, ge=0, le=MOST)  # unrelated pairs for each related one in training; None: all
    negatives_seed: int = Field(0, ge=0, le=MOST_SEED)  # which of them; a larger `negatives` adds to those of a smaller one


class EncodingConfig(_Section):
    """What a model reads of a sentence (see `relsift.encoding`).

    >>> load_config(model="pcnn", overrides=["encoding.lowercase=true"]).encoding.lowercase
    True
    """

    lowercase: bool = False  # compare words in lower case
    min_count: int = Field(1, ge=1, le=MOST)  # words rarer than this in training data are unknown
    vectors: str | None = None  # file of pre-trained word vectors (see `relsift.encoding.vectors`); None: all start at random
    vectors_scale: float = Field(1.0, gt=0, le=MOST)  # the vectors are multiplied by this
    vectors_words: int = Field(0, ge=0, le=MOST_WORDS)  # of the file's first words, so many are known although training lacks them
    encoder: str | None = None  # folder or hub id of a Hugging Face transformer, for model.encoder=huggingface
    parser: str | None = None  # spaCy pipeline for sentences without dependency trees, where the model needs trees
    tags: TagView = "entities"  # what the tag input shows
    tags_seed: int = Field(0, ge=0, le=MOST_SEED)  # of the views that draw tags: random, word


class TrainingConfig(_Section):
    """How a model is trained (see `relsift.training`).

    >>> TrainingConfig().optimiser, load_config(model="pcnn").training.optimiser  # the preset of this model has another one
    ('rmsprop', 'adadelta')
    """

    optimiser: Literal["rmsprop", "adam", "adamw", "adadelta", "sgd"] = "rmsprop"  # settings: `relsift.training.optimisers`
    learning_rate: float = Field(1e-3, gt=0, le=MOST_RATE)
    schedule: Literal["constant", "inverse_epoch", "linear"] = "constant"  # see `relsift.training.optimisers.rate_factor`
    warmup: float = Field(0.1, ge=0, lt=1)  # share of all steps over which the linear schedule rises; then it falls to 0
    encoder_learning_rate: float | None = Field(None, gt=0, le=MOST)  # of pre-trained weights; None: learning_rate
    layer_decay: float = Field(1.0, gt=0, le=1)  # the rate of each pre-trained layer is this share of the rate of the layer above it
    freeze_encoder: bool = False  # do not train pre-trained weights
    freeze_embeddings: bool = False  # do not train the lowest layer of them, the table of pieces, often half of all weights
    weight_decay: float = Field(0.0, ge=0, le=MOST)  # of weights and embeddings; biases and norms are exempt
    gradient_clip: float | None = Field(None, gt=0)  # bound on the L2 norm of the gradient of all parameters; None: no bound
    batch_pairs: int = Field(256, ge=1, le=MOST_PAIRS)  # at most, of whole sentences
    batch_tokens: int = Field(8192, ge=1, le=MOST_TOKENS)  # at most, padding counted
    batch_sentences: int | None = Field(None, ge=1, le=MOST)  # at most; None: any number within the two other bounds
    accumulate: int = Field(1, ge=1, le=MOST)  # batches a step of the optimiser, each weighted by its number of pairs
    precision: Literal["float32", "bfloat16"] = "float32"  # of the model in training; losses are always float32; prediction has its own
    negatives: float | None = Field(None, ge=0, le=MOST)  # unrelated pairs for each related one, drawn anew every epoch; None: all
    unknown_rate: float = Field(0.0, ge=0, lt=1)  # share of rare words that training shows as unknown, to train the unknown word
    word_dropout: float = Field(0.0, ge=0, lt=1)  # share of all words or pieces that training shows as unknown
    r_drop: float = Field(0.0, ge=0, le=MOST)  # weight of the divergence between two forward passes with different dropout; 0: one pass
    teacher: str | None = None  # run or model folder whose scores of the training pairs are learned too (see `relsift.training.teacher`)
    teacher_weight: float = Field(0.5, ge=0, le=1)  # share of the teacher's scores in the loss; the labels have the rest
    teacher_temperature: float = Field(2.0, gt=0, le=MOST)  # scores of both are divided by this: more weight on unlikely relations
    freeze_words: bool = False  # do not train the word embeddings, neither those from a file nor random ones
    epochs: int = Field(30, ge=1, le=MOST)  # at most
    patience: int = Field(6, ge=1, le=MOST)  # epochs without a better development F1
    save_minutes: float | None = Field(10.0, gt=0, le=MOST)  # between two states within an epoch, to resume from; None: after epochs alone
    average: bool = False  # score and keep the running mean over epochs of the parameters, not those of one epoch
    ema: float | None = Field(None, gt=0, lt=1)  # score and keep the exponential moving mean over steps, of this decay, in their place
    seed: int = Field(1, ge=0, le=MOST_SEED)
    pair_entities: Literal["gold", "predicted", "both"] = "gold"  # between which a joint model learns pairs (`relsift.training.jack_knife`)
    threshold: Literal["tuned", "paper"] | float = "tuned"  # of the decision: tuned on development data, the source's, or a number
    constraints: bool | None = None  # only relations that training has for the two entity types; None: yes, but not in experiments
    loss_weights: dict[str, float] = Field(default_factory=dict)  # by the name of the loss part; 1 for a part without a weight
    device: str = "cpu"  # a name that torch knows, or auto: a GPU if there is one
    threads: int | None = Field(None, ge=1)  # CPU threads; None leaves torch's choice


class TextConfig(_Section):
    """What a trained model finds entities with, in text that has none (see `relsift.annotators.entities`); stored with the model.

    >>> TextConfig(entities_from=("spacy:en_core_web_sm",), types={"PERSON": "PER", "DATE": None}).types["PERSON"]
    'PER'
    """

    entities_from: tuple[str, ...] = ()  # annotators, such as spacy:en_core_web_sm; an earlier one wins where entities overlap
    types: dict[str, str | None] = Field(default_factory=dict)  # their entity type -> the model's; None: left out; others stay
    tokens: Literal["corpus", "text"] = "corpus"  # to train on: those of the data, or those that its text gets (`relsift.text`)


class ModelSection(BaseModel):
    """`name`, `preset`, and the model's own options, which the model's Config checks.

    >>> ModelSection(name="pcnn", filters=100).options
    {'filters': 100}
    """

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str = "multitask_cnn"
    preset: str | None = "paper"

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})


class RunConfig(_Section):
    """The whole configuration of a run; one section a part.

    See also: `load_config`, which knows the values of presets.

    >>> config = RunConfig(training=TrainingConfig(epochs=5))
    >>> config.model.name, config.training.epochs, config.candidates.direction
    ('multitask_cnn', 5, 'directed')
    """

    model: ModelSection = ModelSection()
    candidates: CandidateConfig = CandidateConfig()
    encoding: EncodingConfig = EncodingConfig()
    training: TrainingConfig = TrainingConfig()
    text: TextConfig = TextConfig()

    def to_yaml(self) -> str:
        return yaml.safe_dump(self.model_dump(), sort_keys=False, allow_unicode=True)

    def flat(self) -> dict[str, Any]:
        """All values by their full names, such as `training.epochs`, as a file of YAML has them: with lists, and no tuples."""
        sections = yaml.safe_load(self.to_yaml())
        return {f"{section}.{name}": value for section, values in sections.items() for name, value in values.items()}

    def differences(self, file: Path) -> tuple[dict[str, Any], dict[str, Any]]:
        """What is not the same here and in the file, by full names; an option that is younger than the file has its default there.

        Raises: ConfigError if it is no configuration.
        """
        here, there = self.flat(), _validate(read_yaml(file), f"{file}: ").flat()
        names = [name for name in {**here, **there} if here.get(name) != there.get(name)]
        return {name: here.get(name) for name in names}, {name: there.get(name) for name in names}


def load_config(
    *,
    model: str | None = None,
    file: Path | None = None,
    overrides: list[str] | None = None,
    preset: str | None = None,
    direction: Direction | None = None,
    from_text: bool = False,
) -> RunConfig:
    """Build the whole configuration of a run; `direction` is the data's usual one, which file and overrides may change.

    Args:
        model: its name; AUTO: that of the file, else the best model for what is given. from_text: whether AUTO has to find entities too.
        preset: one of the model's, by its name; None: that of the file, else *paper*.
    Raises: ConfigError naming the key, what was expected and what came.

    See also: `RunConfig`, `relsift.training.run.train_run`.

    >>> config = load_config(model="pcnn", overrides=["training.epochs=5"])
    >>> config.model.name, config.training.epochs
    ('pcnn', 5)
    >>> load_config(model="pcnn", overrides=["training.epoch=5"])
    Traceback (most recent call last):
    relsift.errors.ConfigError: training.epoch: expected an option that exists, got an unknown one; did you mean training.epochs?
    """
    given: dict[str, Any] = {}
    if file is not None:
        given = read_yaml(file)
    for text in overrides or []:
        _override(given, text)
    section = given.setdefault("model", {})
    if not isinstance(section, dict):
        raise ConfigError(f"model: expected a section with name, preset and options, got {section!r}")
    if model is not None and not (model == AUTO and "name" in section):
        section["name"] = model
    if preset is not None:
        section["preset"] = preset
    is_chosen = section.get("name") == AUTO
    has_transformer = section.get("encoder") == TRANSFORMER
    if is_chosen and from_text:
        section["name"] = AUTO_FROM_TEXT
        if has_transformer:
            section.setdefault("preset", ON_FROZEN)
    elif is_chosen:
        section["name"] = AUTO_WITH_ENCODER if has_transformer else AUTO_WITHOUT
    model_section = _validate({"model": section}).model
    values = _preset(model_section.name, model_section.preset)
    of_transformers = {"encoder_learning_rate", "freeze_encoder"} & values.get("training", {}).keys()
    if model_section.options.get("encoder") == TRANSFORMER and not of_transformers:
        values = _merged(values, {"training": TRANSFORMER_TRAINING})
    if direction is not None:
        values["candidates"] = {"direction": direction}
    values["training"] = _of_use(values.get("training", {}), given)
    config = _validate(_merged(values, given))
    try:
        find("model", config.model.name).Config.from_dict(config.model.options)  # here, before any data is read
    except ConfigError as error:
        if is_chosen:
            raise ConfigError(f"{error} (the model is {config.model.name}, as --model {AUTO} chose)") from error
        raise
    return config


def _of_use(training: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """A preset's training values without those that the given options leave nothing to do. Given ones stay, and are refused later."""
    options = given.get("training")
    if _merged(training, options if isinstance(options, dict) else {}).get("freeze_encoder") is True:
        training = {name: value for name, value in training.items() if name not in RATES_OF_ENCODER}
    if given["model"].get("identification") is False and "loss_weights" in training:
        weights = {part: weight for part, weight in training["loss_weights"].items() if part != "identification"}
        training = training | {"loss_weights": weights}
    return training


def encoder_overrides(source: str | None) -> list[str]:
    """`--encoder SOURCE` as overrides: the transformer, and that it reads the text for the model.

    Args: source: its folder or hub id; None: no overrides.

    >>> encoder_overrides("models/minilm")
    ['encoding.encoder="models/minilm"', 'model.encoder=huggingface']
    """
    return [] if source is None else [f"encoding.encoder={json.dumps(source)}", f"model.encoder={TRANSFORMER}"]


def _preset(model: str, name: str | None) -> dict[str, Any]:
    presets = find("model", model).PRESETS
    if name is None:
        return {}
    if name not in presets:
        raise ConfigError(f"model.preset: expected one of {', '.join(presets)} for {model}, got {name!r}")
    return {"model": dict(presets[name].model), "training": dict(presets[name].training)}


def read_yaml(file: Path) -> dict[str, Any]:
    """The sections of a configuration file, not yet checked. Raises ConfigError naming the file if it is not YAML with sections.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "run.yaml").write_text("training: {epochs: 5}")
    ...     read_yaml(Path(folder, "run.yaml"))
    {'training': {'epochs': 5}}
    """
    if file.exists() and not file.is_file():  # a pipe could be read only once, or never end
        raise ConfigError(f"{file}: expected a configuration file, got {'a folder' if file.is_dir() else 'a pipe or a device'}")
    try:
        if (size := file.stat().st_size) > MOST_BYTES:
            raise ConfigError(f"{file}: expected a configuration file of at most {MOST_BYTES} bytes, got {size}")
        value = decode(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{file}: expected a readable configuration file, got {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{file}: expected YAML, got {error}") from error
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{file}: expected sections (model, candidates, encoding, training), got {type(value).__name__}")
    return value


def _override(values: dict[str, Any], text: str) -> None:
    path, equals, raw = text.partition("=")
    keys = path.split(".")
    if not equals or not all(keys) or len(keys) > MOST_KEYS:
        raise ConfigError(f"--set: expected section.key=value, such as training.epochs=10, got {text!r}")
    try:
        value = decode(raw)
    except ValueError as error:
        raise ConfigError(f"--set {path}: expected a YAML value, got {raw[:200]!r} ({error})") from error
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


def invalid_value(error: ValidationError, where: str = "", section: str = "", options: Iterable[str] = ()) -> ConfigError:
    """The first problem of a validation as an error to raise.

    Args: where: the file, if any, with a colon. section: what stands before the key, such as `model.`. options: further full names of
        options, which an unknown one may mean.

    >>> try:
    ...     TrainingConfig(epochs=0)
    ... except ValidationError as error:
    ...     print(invalid_value(error, "run.yaml: ", section="training."))
    run.yaml: training.epochs: input should be greater than or equal to 1, got 0
    """
    first = error.errors()[0]
    key = section + ".".join(str(name)[:_LONGEST] for name in first["loc"])
    if first["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        return ConfigError(f"{where}{key}: expected an option that exists, got an unknown one{_hint(key, [*option_names(), *options])}")
    got = repr(first.get("input"))
    return ConfigError(f"{where}{key}: {first['msg'].lower()}, got {got if len(got) <= _LONGEST else got[:_LONGEST] + '…'}")


def option_names() -> list[str]:
    """The full names of all options that do not depend on the model: `training.epochs`.

    >>> "training.epochs" in option_names(), "model.filters" in option_names()
    (True, False)
    """
    sections = {name: field.annotation for name, field in RunConfig.model_fields.items()}
    return [f"{name}.{key}" for name, kind in sections.items() if kind is not None for key in kind.model_fields]


def _hint(key: str, options: Iterable[str]) -> str:
    """Which options may be meant: one of the same name in another section, else those of similar names in this one."""
    parted = [option.rpartition(".")[::2] for option in dict.fromkeys(options)]
    section, _, name = key.rpartition(".")
    names = [f"{place}.{own}" for place, own in parted if own == name]
    if not names:
        here = {own: f"{place}.{own}" for place, own in parted if place == section} if section else {place: place for place, _ in parted}
        names = [here[match] for match in difflib.get_close_matches(name, here, n=2)]
    if names:
        return f"; did you mean {' or '.join(names)}?"
    known = ", ".join(f"{place}.{own}" for place, own in parted if place == section or not section)
    return f"; options: {known}" if known else "; there are none here"
