"""Entities that a joint model finds in its own training sentences, to learn pairs between entities as they are in use.

A model has learned its training sentences nearly by heart, so what it finds in them has too few errors. By jack-knife each sentence is
read by a model that was trained without its document, and without documents that share a long sentence with it (see
`relsift.corpora.groups`): as many more trainings as there are folds. What they find is kept beside the state of the run, fold by fold.
Source: Zhong & Chen, NAACL 2021, who tried it for a pipeline.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from relsift.config import RunConfig
from relsift.corpora.groups import folds_of
from relsift.errors import CheckpointError, require
from relsift.evaluation.entities import evaluate_entities
from relsift.files import make_folder, write_json
from relsift.found_entities import with_found_entities
from relsift.inference import AnyScorer, find_entities
from relsift.json_schema import Strict, conform
from relsift.json_text import read_json, sealed
from relsift.models.base.joint_model import JointModel
from relsift.registry import find
from relsift.schema import Entity, Sentence

FOLDS = 5
FOUND_FILE = "found-{}.json"  # of a state folder, one a fold
TrainWithout = Callable[[Sequence[Sentence], RunConfig], AnyScorer]
"""Trains a model on these sentences, with these options."""
OnFold = Callable[[int, int, float | None], None]
"""Called after each fold with its number from 1, their number, and its seconds; None: what an interrupted run left was taken."""


class _Entity(Strict):
    start: int
    end: int
    type: str


class _Found(Strict):
    """found-<fold>.json"""

    training: str  # checksum of the options and of the sentences
    sentences: list[int]  # positions among those to train on
    entities: list[list[_Entity]]  # of each


@dataclass(frozen=True)
class FoundSentences:
    """The training sentences with the entities that models found in them."""

    sentences: list[Sentence]  # annotated relations stay where both of their entities were found
    entity_f1: float  # of these entities, by span and type, from 0 to 1

    def note(self) -> str:
        """For the user: how good they are."""
        count, share = len(self.sentences), 100 * self.entity_f1
        return f"pairs are learned between entities found by jack-knife in {count} training sentences: entity F1 {share:.1f}"


def check_pair_entities(config: RunConfig) -> None:
    """Raises ConfigError for pairs of found entities of a model that does not learn from them."""
    model, wanted = find("model", config.model.name), config.training.pair_entities
    learns = issubclass(model, JointModel) and model.LEARNS_FROM_FOUND
    expected = f"gold, for {config.model.name}, which does not learn from entities that are found"
    require(learns or wanted == "gold", "training.pair_entities", expected=expected, got=wanted)


def found_by_jack_knife(
    config: RunConfig,
    sentences: Sequence[Sentence],
    train: TrainWithout,
    folder: Path | None,
    *,
    resume: bool,
    on_fold: OnFold | None = None,
) -> FoundSentences:
    """Find the entities of training sentences by models that did not see them.

    Args: folder: where they are kept; None keeps none. resume: take those that an interrupted run left there.
    Raises: DataError if there are fewer documents than folds.
    """
    fold_of = folds_of(sentences, FOLDS, config.training.seed, error_of="training.pair_entities")
    gold_only = config.training.model_copy(update={"pair_entities": "gold", "teacher": None})
    fold_config = config.model_copy(update={"training": gold_only})
    key, result = _checksum(fold_config, sentences), list(sentences)
    for fold in range(FOLDS):
        numbers = [number for number, its_fold in enumerate(fold_of) if its_fold == fold]
        started, found = time.perf_counter(), _kept(folder, fold, numbers, key) if resume and folder is not None else None
        is_kept = found is not None
        if found is None:
            scorer = train([sentence for sentence, its_fold in zip(sentences, fold_of) if its_fold != fold], fold_config)
            read = find_entities(scorer, [sentences[number] for number in numbers])
            found = [[Entity(e.start, e.end, e.type) for e in sentence.entities] for sentence in read]
            if folder is not None:
                _keep(folder, fold, numbers, key, found)
        for number, entities in zip(numbers, found, strict=True):
            result[number] = with_found_entities(sentences[number], entities)
        if on_fold is not None:
            on_fold(fold + 1, FOLDS, None if is_kept else time.perf_counter() - started)
    return FoundSentences(result, evaluate_entities(sentences, result).micro.f1)


def _checksum(config: RunConfig, sentences: Sequence[Sentence]) -> str:
    """Of all that decides what is found: a run that failed may be begun again with other options."""
    content = hashlib.sha256(config.to_yaml().encode())
    for sentence in sentences:
        content.update(repr(sentence).encode("utf-8", "surrogatepass"))
    return content.hexdigest()


def _kept(folder: Path, fold: int, numbers: Sequence[int], key: str) -> list[list[Entity]] | None:
    """What was found; None if there is nothing, or nothing of use: it is found again, with the same result."""
    file = folder / FOUND_FILE.format(fold + 1)
    if not file.is_file():
        return None
    try:
        found = conform(_Found, read_json(file), file)
    except CheckpointError:
        return None
    if (found.training, found.sentences) != (key, list(numbers)) or len(found.entities) != len(numbers):
        return None
    return [[Entity(e.start, e.end, e.type) for e in entities] for entities in found.entities]


def _keep(folder: Path, fold: int, numbers: Sequence[int], key: str, entities: list[list[Entity]]) -> None:
    make_folder(folder)
    rows = [[{"start": e.start, "end": e.end, "type": e.type} for e in those] for those in entities]
    write_json(folder / FOUND_FILE.format(fold + 1), sealed({"training": key, "sentences": list(numbers), "entities": rows}))
