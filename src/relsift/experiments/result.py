"""What one training of a grid leaves: one JSON object, enough to draw every table and plot anew without training.

Letters: U annotated sentences of the test part.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from relsift.candidates import Direction
from relsift.errors import ConfigError, DataError, require
from relsift.evaluation.scores import ENTITIES, MATCHES, Entities, Match, Scores
from relsift.evaluation.significance import Counts
from relsift.experiments.system import System
from relsift.files import make_folder, write_json
from relsift.json_text import read_json, sealed
from relsift.readers.base import OnError

FORMAT = 1
CURVE_POINTS = 200
END_TO_END = "end_to_end"  # key of `CellResult.extra`: a joint model's scores (see `relsift.experiments.end_to_end`)
DECISIONS = "decisions"  # and what can be decided with the scores of a model of given entities (see `relsift.experiments.decision_facts`)
QUICK_OVERRIDE = "training.epochs=3"  # of every system of a quick plan

Split = Literal["folds", "own"]
_YOUNGER = ("no_relation", "on_error", "entities", "match")  # fields of a plan that older ones do not have


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What all cells of one folder share: the data, how it is cut, and which pairs are scored."""

    data: str
    checksum: str  # sha256 of the data
    language: str | None
    direction: Direction
    type_filter: bool
    folds: int = 5  # 1 with the corpus's own split
    fold_seed: int = 0  # decides which document is in which fold, and in a sample
    development: float = 0.125  # share of each training part held out for selection; not used with the corpus's own split
    sentences: int | None = None  # size of a sample of whole documents; None takes all
    quick: bool = False  # the cells are a trial of the machinery, not a result
    split: Split = "folds"  # cut by document, or *own*: the corpus's own training, development and test parts
    no_relation: tuple[str, ...] = ()  # relation types that mean: not related
    on_error: OnError = "stop"  # skip: what is broken in the data is left out
    entities: Entities | None = None  # whose are related in the test part; None: those that a model finds, if it finds any, else gold
    match: Match = "strict"  # what makes a predicted entity right

    def __post_init__(self) -> None:
        object.__setattr__(self, "no_relation", tuple(self.no_relation))  # JSON has it as a list
        require(self.on_error in get_args(OnError), "plan.on_error", expected=" or ".join(get_args(OnError)), got=self.on_error)
        require(self.entities is None or self.entities in ENTITIES, "plan.entities", expected=" or ".join(ENTITIES), got=self.entities)
        require(self.match in MATCHES, "plan.match", expected=" or ".join(MATCHES), got=self.match)
        require(self.split in get_args(Split), "plan.split", expected=" or ".join(get_args(Split)), got=self.split)
        require(self.split == "folds" or self.folds == 1, "plan.folds", expected="1 with the corpus's own split", got=self.folds)

    def to_json(self) -> dict[str, Any]:
        """All fields but younger ones that are as usual: plans from before these existed stay the same."""
        value = asdict(self)
        return {name: value[name] for name in value if name not in _YOUNGER or value[name] != getattr(Plan, name)}

    def overrides(self) -> tuple[str, ...]:
        return f"candidates.direction={self.direction}", f"candidates.type_filter={str(self.type_filter).lower()}"

    def options(self) -> str:
        """As arguments of `relsift cv` and `relsift reproduce`."""
        options = f"--data {shlex.quote(self.data)} --direction {self.direction} --{'' if self.type_filter else 'no-'}type-filter"
        options += " --split own" if self.split == "own" else f" --folds {self.folds}"
        for name, usual in (("language", None), ("fold_seed", 0), ("development", 0.125), ("sentences", None)):
            if (value := getattr(self, name)) != usual:
                options += f" --{name.replace('_', '-')} {value}"
        options += "".join(f" --no-relation {shlex.quote(name)}" for name in self.no_relation)
        options += "" if self.on_error == "stop" else f" --on-error {self.on_error}"
        options += "" if self.entities is None else f" --entities {self.entities}"
        options += "" if self.match == "strict" else f" --match {self.match}"
        return options + (" --quick" if self.quick else "")

    def setting(self) -> str:
        """For the reader of a report."""
        parts = [
            f"data={self.data}",
            "the corpus's own split" if self.split == "own" else f"{self.folds} folds by document",
            f"direction={self.direction}",
            f"type filter {'on' if self.type_filter else 'off'}",
        ]
        if self.sentences is not None:
            parts.append(f"a sample of {self.sentences} sentences, in whole documents")
        if self.no_relation:
            parts.append(f"taken for no relation: {', '.join(self.no_relation)}")
        if self.on_error == "skip":
            parts.append("broken data left out")
        if self.entities is not None:
            parts.append(f"entities={self.entities}")
        if self.match != "strict":
            parts.append(f"match={self.match}")
        if self.quick:
            parts.append("QUICK: a trial of the machinery, not a result")
        return " · ".join(parts)


@dataclass(frozen=True)
class Curve:
    """Precision and recall of the test part at some thresholds, from strict to lenient.

    thresholds, taken, right: (N,) a threshold, how many pairs reach it, and how many of those carry the gold relation. gold: all relations.
    """

    thresholds: list[float]
    taken: list[int]
    right: list[int]
    gold: int

    @classmethod
    def of(cls, scores: list[float], correct: list[bool], gold: int) -> Curve:
        """From each candidate pair's best score, and whether that relation is the gold one; at most `CURVE_POINTS` points, none
        without pairs."""
        if not scores:
            return cls([], [], [], gold)
        order = np.argsort(-np.asarray(scores), kind="stable")
        ranked, hits = np.asarray(scores)[order], np.asarray(correct, np.int64)[order].cumsum()
        last = np.append(np.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)  # pairs of equal score stand or fall together
        # Half of the points where precision and recall are of interest (up to four pairs a gold relation), half over all pairs.
        near = np.searchsorted(last, np.linspace(0, min(len(ranked) - 1, 4 * gold), CURVE_POINTS // 2))
        far = np.linspace(0, len(last) - 1, CURVE_POINTS // 2).astype(int)
        at = last[np.unique(np.concatenate([near, far]).clip(max=len(last) - 1))]
        return cls([round(float(ranked[i]), 5) for i in at], [int(i) + 1 for i in at], [int(hits[i]) for i in at], gold)

    def to_json(self) -> dict[str, Any]:
        rows = {name: " ".join(map(str, getattr(self, name))) for name in ("thresholds", "taken", "right")}
        return rows | {"gold": self.gold}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Curve:
        taken, right = ([int(number) for number in value[name].split()] for name in ("taken", "right"))
        return cls([float(number) for number in value["thresholds"].split()], taken, right, value["gold"])

    def at(self, threshold: float) -> tuple[float, float]:
        """Pairs taken and right at any threshold; between two points that are kept, on the straight line from one to the other."""
        if not self.thresholds or threshold > self.thresholds[0]:
            return 0.0, 0.0
        rising = -np.asarray(self.thresholds)                                            # (N,) thresholds fall from point to point
        taken, right = (float(np.interp(-threshold, rising, counts)) for counts in (self.taken, self.right))
        return taken, right

    def f1(self, threshold: float) -> float:
        """As `at` has it; 0 without relations on either side."""
        taken, right = self.at(threshold)
        return 2 * right / (taken + self.gold) if taken + self.gold else 0.0

    def precision_recall(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """(N,) precision and recall."""
        right = np.asarray(self.right, np.float64)
        return right / np.asarray(self.taken), right / max(1, self.gold)


@dataclass(frozen=True, kw_only=True)
class CellResult:
    """One system, trained with one seed on one fold, and scored once on its test part."""

    system: System
    plan: Plan
    fold: int  # from 1; always 1 with the corpus's own split
    seed: int
    config: dict[str, Any]  # the whole configuration of the run
    command: str  # repeats this cell
    machine: dict[str, Any]  # where, with which versions
    seconds: float
    seconds_per_epoch: float
    parameters: int
    epochs: int
    best_epoch: int
    threshold: float
    training_candidates: dict[str, Any]  # kept, positive, ratio, dropped, lost
    test_candidates: dict[str, Any]  # the same
    development: Scores
    test: Scores
    counts: Counts | None  # (U, 3) true positives, predicted, gold relations of each annotated test sentence; None: not recorded
    documents: list[int]  # annotated sentences of each test document, in order
    curve: Curve | None  # None: not recorded
    sampled: Scores | None = None  # the second scores of a system with a `test_ratio`
    notes: list[str] = field(default_factory=list)
    extra: dict[str, Any] = field(default_factory=dict)  # what else an experiment records (a tagger's F1, say)
    files: dict[str, str] = field(default_factory=dict)  # sha256 of what the configuration names: encoder, word vectors, teacher

    @property
    def name(self) -> str:
        return cell_name(self.system, self.fold, self.seed)

    @property
    def device(self) -> str:
        """Where it was trained, as asked for."""
        return str(self.config.get("training", {}).get("device", "cpu"))

    @property
    def order_leak(self) -> bool:
        """The candidates, those of the test part too, were chosen by the gold annotation (see `Candidates`)."""
        return bool(self.config.get("candidates", {}).get("order_leak", False))

    def save(self, file: Path) -> None:
        make_folder(file.parent)
        write_json(file, sealed({"format": FORMAT} | self.to_json()))

    @classmethod
    def load(cls, file: Path) -> CellResult:
        """Raises DataError naming the file if it is not a cell of this version."""
        try:
            value = read_json(file, error=DataError, advice="delete it to have it computed again")
            if (version := value.pop("format")) != FORMAT:
                raise DataError(f"{file}: expected a cell of format {FORMAT}, got {version!r}; delete it to have it computed again")
            return cls.from_json(value)
        except (ValueError, KeyError, TypeError, AttributeError, ConfigError) as error:
            raise DataError(f"{file}: expected the result of a cell, got {error!r}; delete it to have it computed again") from error

    def to_json(self) -> dict[str, Any]:
        value = {name: getattr(self, name) for name in self.__dataclass_fields__}
        value |= {"system": self.system.to_json(), "plan": self.plan.to_json(), "documents": " ".join(map(str, self.documents))}
        value |= {name: None if value[name] is None else value[name].to_json() for name in ("development", "test", "sampled", "curve")}
        if not self.files:  # as in cells from before they were recorded
            del value["files"]
        return value | {"counts": None if self.counts is None else pack_counts(self.counts)}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> CellResult:
        """The inverse of `to_json`. Raises ValueError, KeyError, TypeError, AttributeError or ConfigError for anything else."""
        scores = {name: None if value[name] is None else Scores.from_json(value[name]) for name in ("development", "test", "sampled")}
        parts = {
            "system": System.from_json(value["system"]), "plan": Plan(**value["plan"]),
            "counts": None if value["counts"] is None else unpack_counts(value["counts"]),
            "documents": [int(number) for number in value["documents"].split()],
            "curve": None if value["curve"] is None else Curve.from_json(value["curve"]),
        }  # fmt: skip
        return cls(**(value | scores | parts))


@dataclass(frozen=True)
class Results:
    """The cells of one folder that belong to some systems. systems: in the order of the report; cells: by system name."""

    plan: Plan
    systems: tuple[System, ...]
    cells: dict[str, list[CellResult]]

    def of(self, system: System | str) -> list[CellResult]:
        """By fold, then seed; empty if nothing is computed yet."""
        return self.cells.get(system if isinstance(system, str) else system.name, [])

    def seeds(self, system: System | str) -> list[int]:
        return sorted({cell.seed for cell in self.of(system)})

    def shared(self, first: System | str, second: System | str) -> Iterator[tuple[CellResult, CellResult]]:
        """Cells of the same fold and seed, which can be compared in pairs."""
        others = {(cell.fold, cell.seed): cell for cell in self.of(second)}
        for cell in self.of(first):
            if (cell.fold, cell.seed) in others:
                yield cell, others[cell.fold, cell.seed]

    def with_systems(self, systems: tuple[System, ...]) -> Results:
        return replace(self, systems=systems)


def cell_name(system: System, fold: int, seed: int) -> str:
    """In messages, and of its file."""
    return f"{system.name}/fold{fold}-seed{seed}"


def cell_command(system: System, plan: Plan, fold: int, seed: int, device: str = "cpu") -> str:
    """What computes a cell again, in another folder OUT."""
    only_fold = "" if plan.split == "own" else f" --only-fold {fold}"
    where = "" if device == "cpu" else f" --device {shlex.quote(device)}"
    return f"relsift cv {plan.options()} {system.options()}{only_fold} --only-seed {seed}{where} --out OUT"


def pack_counts(counts: Counts) -> str:
    """One line of text: as JSON numbers they would fill thousands."""
    return " ".join(",".join(map(str, row)) for row in counts.tolist())


def unpack_counts(text: str) -> Counts:
    return np.array([[int(number) for number in row.split(",")] for row in text.split()], np.int64).reshape(-1, 3)
