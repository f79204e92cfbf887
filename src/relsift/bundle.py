"""A trained model as one folder, and where it lies in a run.

model.safetensors   the weights
model.json          architecture, options, symbols, candidates, and the weights' checksum
decision.json       the rule that turns scores into relations; may be changed without the model
annotators.json     the annotators that complete sentences without trees or entities; only if there are any
annotators/         files that entity annotators read: lists of names, a joint model; only if there are any
transformer.onnx    only of a model exported to that format (see `relsift.exported.files`), whose model.json has a key `form`
member-1/ …         only of an *ensemble*: whole model folders; its model.json names their checksums, and its scores are the mean of theirs
encoder/            tokenizer and configuration of the transformer; only for models that read subwords
README.md           the card (see `relsift.model_card`), which no command reads but `relsift serve`; it and other files of the user's stay

A training leaves a *run* folder, which holds it:
config.yaml     the whole configuration
run.json        versions, seed, checksums of the data
history.jsonl   one line an epoch
metrics.json    scores on the development part
state/          what --resume goes on from
model/          the model folder
lock            empty; held by the process that trains

No pickle. A model folder is written under another name and renamed when it is complete, so a reader never sees half of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from relsift.annotators.base import Addition
from relsift.annotators.entities import EntitySource
from relsift.annotators.stored import ANNOTATORS_FILE, ANNOTATORS_FOLDER, annotators_checksum, load_annotators, save_annotators
from relsift.candidates import Candidates
from relsift.decisions.decision import DECISION_FILE, Decision
from relsift.device import CPU
from relsift.encoding.encoding import Encoding, Input
from relsift.encoding.subwords import SubwordInput
from relsift.encoding.tokenizers import ENCODER_FOLDER, load_subwords, save_subwords, subwords_sha256
from relsift.encoding.tokenizers import FILES as ENCODER_FILES
from relsift.errors import CheckpointError, ConfigError, DataError, RelsiftError, require
from relsift.exported.files import TRANSFORMER_FILE, is_exported, load_parts, save_parts
from relsift.exported.model import ExportedModel
from relsift.files import file_sha256, joint_sha256, recovered, replaced_folder, write_json
from relsift.format1 import renamed, upgraded
from relsift.inference import AnyModel, AnyScorer, Ensemble, Scorer
from relsift.json_text import sealed
from relsift.locks import output_errors
from relsift.model_extras import keep_files
from relsift.model_file import ENSEMBLE as ENSEMBLE
from relsift.model_file import FORMAT, read_description
from relsift.model_file import MODEL_FILE as MODEL_FILE
from relsift.model_file import WEIGHTS_FILE as WEIGHTS_FILE
from relsift.model_source import model_place
from relsift.registry import find

if TYPE_CHECKING:
    import torch

    from relsift.models.base.model import RelationModel

MEMBER_FOLDER = "member-{}"  # of an ensemble, counted from 1
DECISION_LOCK = ".decision.lock"  # while the model is decided anew
# Names of what belongs to a model, beside the members of an ensemble.
PARTS = (MODEL_FILE, WEIGHTS_FILE, DECISION_FILE, DECISION_LOCK, ANNOTATORS_FILE, ANNOTATORS_FOLDER, TRANSFORMER_FILE, ENCODER_FOLDER)
MODEL_FOLDER, STATE_FOLDER = "model", "state"  # of a run, as are the next ones
CONFIG_FILE, RUN_FILE, HISTORY_FILE, METRICS_FILE = "config.yaml", "run.json", "history.jsonl", "metrics.json"
LOCK_FILE = "lock"


@dataclass(frozen=True)
class Bundle:
    """All that prediction needs: a model, or an ensemble of models, with its decision.

    See also: `relsift.extractor.RelationExtractor`, which takes texts.

    >>> bundle = Bundle.load(model_folder(Path("demo-en")))
    >>> bundle.name, bundle.device, bundle.candidates.direction
    ('joint_birnn', 'cpu', 'directed')
    """

    name: str  # of the architecture, or `ensemble`
    scorer: AnyScorer
    decision: Decision
    about: dict[str, Any] = field(default_factory=dict)  # for people to read, of any content: data, setting, scores
    members: tuple[Bundle, ...] = ()  # of an ensemble
    entity_source: EntitySource | None = None  # what finds entities in text without any; None: they are given, or the model finds them

    @classmethod
    def ensemble(cls, members: Sequence[Bundle], decision: Decision, about: Mapping[str, Any] | None = None) -> Bundle:
        """Models that predict together. Raises ConfigError for members that differ in relation types or candidates, or ensembles."""
        scorers = []
        for number, member in enumerate(members, start=1):
            if isinstance(member.scorer, Ensemble):
                raise ConfigError(f"ensemble: expected models as members, got an ensemble as member {number}; name its members")
            scorers.append(member.scorer)
        return cls(ENSEMBLE, Ensemble(tuple(scorers)), decision, dict(about or {}), tuple(members))

    @property
    def model(self) -> RelationModel[Any]:
        """Raises ConfigError for an ensemble, which has several (see `models`), and for an exported model, which cannot be trained."""
        if isinstance(self.scorer, Ensemble):
            raise ConfigError(f"model: expected a single model, got an ensemble of {len(self.members)}")
        return self.scorer.trainable

    @property
    def models(self) -> tuple[AnyModel, ...]:
        return self.scorer.models

    def to(self, device: torch.device) -> None:
        """Move all weights. Raises ConfigError for an exported model, which computes on the CPU alone."""
        for model in self.models:
            if not isinstance(model, ExportedModel):
                model.to(device)
            elif device.type != CPU:
                raise ConfigError(f"device: expected cpu or auto, for a model exported to {model.form}, got {device}; leave it out")

    @property
    def device(self) -> str:
        """Where the weights are."""
        model = self.models[0]
        return CPU if isinstance(model, ExportedModel) else str(next(model.parameters()).device)

    @property
    def form(self) -> str | None:
        """What a loaded model was exported to, `numpy` or `onnx`; None: it is in torch."""
        return next((model.form for model in self.models if isinstance(model, ExportedModel)), None)

    def move(self, device: str, place: torch.device | None) -> None:
        """`to` for a device by its name, unless an exported model is to be where it is best. Args: place: None: the CPU, as loaded."""
        if place is not None and not (device == "auto" and self.form is not None):
            self.to(place)

    def limit_cache(self, megabytes: float) -> None:
        """Bound the memory of what prediction caches between batches, of all models together; 0 switches it off."""
        for model in self.models:
            model.limit_cache(megabytes / len(self.models))

    @property
    def encoding(self) -> Encoding:
        return self.scorer.encoding

    @property
    def candidates(self) -> Candidates:
        return self.scorer.candidates

    def save(self, folder: Path, *, half: bool = False) -> None:
        """Write the folder atomically; the model in an existing one is replaced, and files that are not of a model stay.

        Args: half: write weights of 16 bits in place of 32, in a file of half the size. The model loads with 32 bits again, and its scores
            move a little: score the loaded one.
        Raises: CheckpointError for a folder of other things, which would go; ConfigError for an entity annotator that is not installed,
            or reads a file that is not there.
        """
        if folder.is_dir() and any(folder.iterdir()) and not (folder / MODEL_FILE).is_file():
            raise CheckpointError(f"{folder}: expected a new or empty folder, or a model to replace, got a folder of other files")
        with replaced_folder(folder) as fresh:
            if self.members:
                self._save_members(fresh, half=half)
            else:
                self._save_model(fresh, half=half)
            with output_errors(folder):
                before = MEMBER_FOLDER.format("")
                members = [path.name for path in folder.glob(f"{before}*") if path.name.removeprefix(before).isdecimal()]
                keep_files(folder, fresh, (*PARTS, *members))

    def _save_model(self, folder: Path, *, half: bool) -> None:
        assert isinstance(self.scorer, Scorer)
        own = self._save_weights(folder, half=half)
        self.decision.save(folder)
        if self.encoding.subwords is not None:
            save_subwords(self.encoding.subwords, folder / ENCODER_FOLDER)
        save_annotators(folder, self.scorer.annotators, self.entity_source)
        description = {
            "format": FORMAT,
            "model": self.name,
            **own,
            "encoding": self.encoding.to_json(),
            "candidates": self.candidates.to_json(),
            "weights_sha256": file_sha256(folder / WEIGHTS_FILE),
            "about": self.about,
            **annotators_checksum(folder),
        }
        if self.encoding.subwords is not None:
            description["encoder_sha256"] = subwords_sha256(folder / ENCODER_FOLDER)
        write_json(folder / MODEL_FILE, sealed(description))

    def _save_weights(self, folder: Path, *, half: bool) -> dict[str, Any]:
        """What `model.json` says of the model. Raises ConfigError for `half` and an exported model."""
        if isinstance(model := self.models[0], ExportedModel):
            require(not half, "half", expected="false, for an exported model", got=half)
            return save_parts(model, folder, folder / WEIGHTS_FILE)
        from relsift.weights import save_tensors, state_of

        save_tensors(state_of(model, half=half), folder / WEIGHTS_FILE)
        return {"options": model.config.to_dict()}

    def _save_members(self, folder: Path, *, half: bool) -> None:
        places = [folder / MEMBER_FOLDER.format(number) for number in range(1, len(self.members) + 1)]
        for member, place in zip(self.members, places):
            member.save(place, half=half)
        self.decision.save(folder)
        save_annotators(folder, {}, self.entity_source)
        own = {ENSEMBLE: [model_checksum(place) for place in places], "about": self.about}
        description = {"format": FORMAT, **own, **annotators_checksum(folder)}
        write_json(folder / MODEL_FILE, sealed(description))

    @classmethod
    def load(cls, folder: Path) -> Bundle:
        """Folders of format 1 load too. Raises CheckpointError naming the file if one is missing, altered, or of another version."""
        description = read_description(recovered(folder))
        return cls._load_members(folder, description) if ENSEMBLE in description else cls._load_model(folder, description)

    @classmethod
    def _load_members(cls, folder: Path, description: dict[str, Any]) -> Bundle:
        members = []
        for number, checksum in enumerate(description[ENSEMBLE], start=1):
            place = folder / MEMBER_FOLDER.format(number)
            own = read_description(place)
            if ENSEMBLE in own:
                raise CheckpointError(f"{place}: expected a model as a member, got an ensemble; use the relsift version that wrote it")
            if (got := model_checksum(place)) != checksum:
                raise CheckpointError(
                    f"{place}: expected the member of checksum {checksum}, as {folder / MODEL_FILE} says, got {got}; "
                    "it was altered or belongs to another ensemble: copy the whole folder again"
                )
            members.append(cls._load_model(place, own))
        _, source = load_annotators(folder, description)
        try:
            ensemble = cls.ensemble(members, Decision.load(folder), description["about"])
        except ConfigError as error:
            raise CheckpointError(f"{folder}: {error}") from error
        _check_decision(ensemble.decision, ensemble.scorer, folder)
        return replace(ensemble, entity_source=source)

    @classmethod
    def _load_model(cls, folder: Path, description: dict[str, Any]) -> Bundle:
        weights_file = folder / WEIGHTS_FILE
        weights_sha256 = file_sha256(weights_file)
        if weights_sha256 != description["weights_sha256"]:
            raise CheckpointError(
                f"{weights_file}: expected sha256 {description['weights_sha256']}, got {weights_sha256}; "
                "the weights were altered or belong to another model: copy the folder again"
            )
        if is_exported(description):
            return cls._load_exported(folder, description)
        try:
            from relsift.weights import check_fit, load_tensors, outline, shapes
        except ImportError as error:
            advice = "install torch, or take what `relsift export` makes of the model where torch is"
            raise ConfigError(f"{folder}: expected the package torch, which this model needs, got none ({error}); {advice}") from error

        try:
            found = shapes(weights_file)
            if description["format"] == 1:
                description, decision, annotators, found = upgraded(description, found)
                source = None
            else:
                decision, (annotators, source) = Decision.load(folder), load_annotators(folder, description)
            subwords = _subwords(folder / ENCODER_FOLDER, description)
            encoding = Encoding.from_json(description["encoding"], subwords)
            make = partial(build, description["model"], description["options"], encoding)
            if (without_memory := outline(make)) is not None:  # sizes in the description may be any
                check_fit(without_memory, found, str(folder / MODEL_FILE))
            scorer = _scorer(description, encoding, make(), load_tensors(weights_file), annotators)
            _check_decision(decision, scorer, folder)
            return cls(description["model"], scorer, decision, description["about"], entity_source=source)
        except (KeyError, TypeError, ValueError, RuntimeError, OverflowError, MemoryError, RelsiftError) as error:
            message = " ".join(str(error).split()) or type(error).__name__
            if message.startswith(str(folder)):  # it names the broken file
                raise CheckpointError(message) from error
            raise CheckpointError(f"{folder / MODEL_FILE}: does not describe the weights beside it: {message}") from error

    @classmethod
    def _load_exported(cls, folder: Path, description: dict[str, Any]) -> Bundle:
        decision, (annotators, source) = Decision.load(folder), load_annotators(folder, description)
        subwords = _subwords(folder / ENCODER_FOLDER, description)
        try:
            encoding = Encoding.from_json(description["encoding"], subwords)
            model = load_parts(description, encoding, folder, folder / WEIGHTS_FILE)
            scorer = Scorer(model, encoding, Candidates.from_json(description["candidates"]), annotators)
        except (KeyError, TypeError, ValueError, MemoryError, DataError) as error:
            message = " ".join(str(error).split()) or type(error).__name__
            raise CheckpointError(f"{folder / MODEL_FILE}: does not describe the weights beside it: {message}") from error
        _check_decision(decision, scorer, folder)
        return cls(description["model"], scorer, decision, description["about"], entity_source=source)


def model_folder(folder: Path, revision: str | None = None) -> Path:
    """The model folder inside a run folder, the folder itself if it is one, or that of a zip archive, a model that comes with relsift, or
    one of the hub (see `relsift.model_source`).

    Args: revision: of a model of the hub.
    Raises: CheckpointError if there is neither, or if both a folder and a model that comes with relsift have this name.

    >>> model_folder(Path("demo-en")).name
    'demo-en'
    """
    folder = model_place(folder, revision)
    recovered(folder)
    recovered(folder / MODEL_FOLDER)
    if (folder / MODEL_FOLDER / MODEL_FILE).is_file():
        return folder / MODEL_FOLDER
    if folder.is_dir() and not (folder / MODEL_FILE).is_file():
        raise CheckpointError(
            f"{folder}: expected a run with a finished model, or a model folder, got neither; "
            "has training ended? On the command line the model comes first, then the data"
        )
    return folder


def is_model(folder: Path) -> bool:
    """Whether this is a run folder with a finished model, a model folder, or the name of a model that comes with relsift.

    Raises: CheckpointError as `model_folder`, for a name that two things have.

    >>> is_model(Path("demo-en")), is_model(Path("runs/none"))
    (True, False)
    """
    folder = model_place(folder)
    return any((recovered(place) / MODEL_FILE).is_file() for place in (folder, folder / MODEL_FOLDER))


def model_checksum(folder: Path) -> str:
    """One checksum of a model folder: of `model.json` (which holds that of the weights or the members), decision, annotators, tokenizer.

    >>> len(model_checksum(model_folder(Path("demo-en"))))  # of SHA-256, in hexadecimal digits
    64
    """
    names = (MODEL_FILE, DECISION_FILE, ANNOTATORS_FILE, *(f"{ENCODER_FOLDER}/{name}" for name in ENCODER_FILES))
    return joint_sha256({name: file_sha256(folder / name) for name in names if (folder / name).is_file()})


def inputs_of(name: str, options: dict[str, Any]) -> frozenset[Input]:
    """What a model of a registered architecture reads of a sentence, with these options. Raises ConfigError as `build` does.

    >>> sorted(inputs_of("type_prior", {})), sorted(inputs_of("pcnn", {}))
    (['types'], ['spans', 'tags', 'words'])
    """
    architecture: type[RelationModel[Any]] = find("model", name)
    return architecture.reads(architecture.Config.from_dict(options))


def build(name: str, options: dict[str, Any], encoding: Encoding) -> RelationModel[Any]:
    """A fresh model of a registered architecture. Args: options: of its `Config`. Raises ConfigError for unknown names and options.

    >>> encoding = Bundle.load(model_folder(Path("demo-en"))).encoding
    >>> build("type_prior", {"interaction": False}, encoding).config.interaction
    False
    """
    architecture = find("model", name)
    model: RelationModel[Any] = architecture(architecture.Config.from_dict(options), encoding)
    return model


def _scorer(
    description: dict[str, Any],
    encoding: Encoding,
    model: RelationModel[Any],
    weights: dict[str, torch.Tensor],
    annotators: Mapping[Addition, str],
) -> Scorer:
    """The model with its weights, which have the names of the format that the folder has on disk, and what it needs to score."""
    from relsift.weights import fill

    _check_inputs(model, encoding)
    if description["format"] == 1:
        weights = renamed(weights)
    fill(model, weights)
    return Scorer(model.eval(), encoding, Candidates.from_json(description["candidates"]), annotators)


def _check_inputs(model: RelationModel[Any], encoding: Encoding) -> None:
    """Raises CheckpointError for readings of sentences that are not those the model was trained on."""
    if not encoding.reads >= (reads := model.reads(model.config)):
        raise CheckpointError(f"encoding.reads: expected {sorted(reads)}, which the model reads, got {sorted(encoding.reads)}")
    if encoding.unit != (unit := encoding.unit_for(model.UNIT)):
        raise CheckpointError(f"encoding.unit: expected {unit}, as the model and its tags need it, got {encoding.unit}")


def _check_decision(decision: Decision, scorer: AnyScorer, folder: Path) -> None:
    """Raises CheckpointError for relations that the model does not know: the file was edited, or is another model's."""
    try:
        decision.checked_for(scorer.encoding.labels, scorer.candidates.direction)
    except ConfigError as error:
        raise CheckpointError(f"{folder / DECISION_FILE}: {error}") from error


def _subwords(folder: Path, description: dict[str, Any]) -> SubwordInput | None:
    """The tokenizer in `encoder/`. Raises CheckpointError for an altered file: other pieces would get vectors that are not theirs."""
    if "subwords" not in description["encoding"].get("reads", ()):
        return None
    found, expected = subwords_sha256(folder), str(description.get("encoder_sha256"))
    if found != expected:
        raise CheckpointError(f"{folder}: expected files with sha256 {expected[:64]}, got {found}; one was altered: copy the folder again")
    return load_subwords(folder, only_tokenizer=is_exported(description))
