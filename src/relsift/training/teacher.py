"""A teacher: a trained model whose scores of the training pairs a new model learns beside the labels.

The scores say more than the labels: which wrong relations are nearly right, and which annotations are doubtful. They are computed once, as
prediction computes them, and kept beside the state of the run, so that a resumed run learns from the same numbers.

Letters: P pairs, K relation types.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import torch
from torch import Tensor

from relsift.bundle import Bundle, model_checksum, model_folder
from relsift.candidates import Candidates
from relsift.config import TrainingConfig
from relsift.errors import CheckpointError, ConfigError
from relsift.files import file_sha256, make_folder, write_json
from relsift.inference import score
from relsift.json_schema import Strict, conform
from relsift.json_text import read_json, sealed
from relsift.training.training_set import TrainingSet
from relsift.weights import load_tensors, save_tensors

SCORES_FILE, RECORD_FILE = "teacher.safetensors", "teacher.json"  # of a state folder
_SCORES = "scores"  # name of the tensor


class _Record(Strict):
    """teacher.json"""

    teacher: str  # checksum of the model folder
    sha256: str  # of the scores' file


@dataclass(frozen=True)
class TaughtScores:
    """The teacher's scores of all training pairs, in the order and the columns of the training set."""

    scores: Tensor  # (P, K) float32; not-a-number in the rows of pairs that the teacher does not score
    first: list[int]  # of each group of examples, the row of its first pair; at the end, P

    def rows(self, groups: Sequence[int]) -> Tensor:
        """(P, K) of the pairs of some groups."""
        return torch.cat([self.scores[self.first[number] : self.first[number + 1]] for number in groups])

    def of_pairs(self, kept: Sequence[Sequence[int]]) -> TaughtScores:
        """Of some pairs alone. Args: kept: of each group, positions of pairs within it."""
        rows = [start + position for start, positions in zip(self.first, kept) for position in positions]
        return TaughtScores(self.scores[rows], [0, *accumulate(len(positions) for positions in kept)])

    def notes(self) -> list[str]:
        """For the user: how many pairs have no scores."""
        missing, count = int(self.scores.isnan().any(dim=1).sum()), len(self.scores)
        line = f"{missing} of {count} training pairs are no candidates of the teacher: they are learned from their labels alone"
        return [line] if missing else []


def teacher_checksum(teacher: str) -> str:
    """Raises ConfigError if there is no such model."""
    return model_checksum(_folder(teacher))


def check_teacher(c: TrainingConfig, labels: Sequence[str], candidates: Candidates) -> None:
    """Raises ConfigError for a teacher that cannot be loaded, or that does not score the relations of this training.

    Args: labels: the relation types of the training data. candidates: which of its pairs are trained on.
    """
    if c.teacher is not None:
        _columns(c.teacher, _load(c.teacher), labels, candidates)


def taught_scores(
    c: TrainingConfig, training_set: TrainingSet, device: torch.device, folder: Path | None, *, resume: bool
) -> TaughtScores | None:
    """The scores of the configured teacher; None without one.

    Args: folder: where they are kept; None keeps none. resume: take those that an interrupted run left there, if they are whole.
    Raises: ConfigError as `check_teacher`.
    """
    if c.teacher is None:
        return None
    sizes = [sum(len(example.heads) for example in group) for group in training_set.groups]
    first = [0, *torch.tensor(sizes).cumsum(0).tolist()]
    shape, checksum = (first[-1], len(training_set.encoding.labels)), teacher_checksum(c.teacher)
    scores = _kept(folder, checksum, shape) if resume and folder is not None else None
    if scores is None:
        scores = _computed(c.teacher, training_set, device)
        if folder is not None:
            _keep(folder, checksum, scores)
    return TaughtScores(scores, first)


def hand_on(folder: Path, other: Path) -> None:
    """Let a run that differs by its seed find the scores that are kept in `folder`. Args: folder, other: of the states of two runs."""
    names = (SCORES_FILE, RECORD_FILE)  # the record last: it says that the scores are whole
    if all((folder / name).is_file() for name in names) and not (other / RECORD_FILE).exists():
        make_folder(other)
        for name in names:
            shutil.copyfile(folder / name, other / name)


def _computed(teacher: str, training_set: TrainingSet, device: torch.device) -> Tensor:
    """(P, K)"""
    bundle = _load(teacher)
    bundle.to(device)
    columns = _columns(teacher, bundle, training_set.encoding.labels, training_set.candidates)
    known = [
        {(pair.head, pair.tail): row for pair, row in zip(scored.pairs, torch.from_numpy(scored.scores)[:, columns])}
        for scored in score(bundle.scorer, training_set.sentences, entities="gold")
    ]
    unknown = torch.full((len(columns),), torch.nan)
    return torch.stack([known[number].get(pair, unknown) for number, pair in _pairs(training_set)])


def _pairs(training_set: TrainingSet) -> Iterator[tuple[int, tuple[int, int]]]:
    """Every training pair in the order of the batches of its group: its sentence, head and tail."""
    for number, group in zip(training_set.sentence_of, training_set.groups):
        for example in group:
            for pair in zip(example.heads, example.tails):
                yield number, pair


def _folder(teacher: str) -> Path:
    try:
        return model_folder(Path(teacher))
    except CheckpointError as error:
        raise ConfigError(f"training.teacher: {error}") from error


def _load(teacher: str) -> Bundle:
    try:
        return Bundle.load(_folder(teacher))
    except CheckpointError as error:
        raise ConfigError(f"training.teacher: {error}") from error


def _columns(teacher: str, bundle: Bundle, labels: Sequence[str], candidates: Candidates) -> list[int]:
    """Of each relation type of the training, its column in the teacher's scores."""
    theirs = bundle.encoding.labels
    if set(theirs) != set(labels):
        more, fewer = sorted(set(theirs) - set(labels)), sorted(set(labels) - set(theirs))
        differences = [*([f"{', '.join(more[:5])} beside them"] if more else []), *([f"none of {', '.join(fewer[:5])}"] if fewer else [])]
        raise ConfigError(
            f"training.teacher: expected a model of the relation types of the training data, got {teacher} with "
            f"{' and '.join(differences)}; train the teacher on this data"
        )
    if bundle.candidates.direction != candidates.direction:
        raise ConfigError(
            f"training.teacher: expected a model of {candidates.direction} pairs, as candidates.direction says, got {teacher} of "
            f"{bundle.candidates.direction} ones"
        )
    if (theirs_window := bundle.candidates.window) != candidates.window:
        raise ConfigError(
            f"training.teacher: expected a model with a window of {candidates.window}, as candidates.window says, got {teacher} with one "
            f"of {theirs_window}"
        )
    return [theirs.index(label) for label in labels]


def _kept(folder: Path, checksum: str, shape: tuple[int, int]) -> Tensor | None:
    """The scores that are kept; None if there are none, or not those of this teacher: they are computed again, with the same result."""
    file = folder / SCORES_FILE
    if not file.is_file() or not (folder / RECORD_FILE).is_file():
        return None
    try:
        record = conform(_Record, read_json(folder / RECORD_FILE), folder / RECORD_FILE)
        if record.teacher != checksum or record.sha256 != file_sha256(file):
            return None
        scores = load_tensors(file, finite=False).get(_SCORES)
    except CheckpointError:
        return None
    return scores if scores is not None and tuple(scores.shape) == shape else None


def _keep(folder: Path, checksum: str, scores: Tensor) -> None:
    make_folder(folder)
    save_tensors({_SCORES: scores}, folder / SCORES_FILE)
    write_json(folder / RECORD_FILE, sealed({"teacher": checksum, "sha256": file_sha256(folder / SCORES_FILE)}))
