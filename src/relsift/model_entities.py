"""Entities from a joint model of relsift, for a relation model that finds none itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

from relsift.annotators.entity_annotator import EntityAnnotator
from relsift.bundle import Bundle, is_model, model_folder
from relsift.errors import ConfigError
from relsift.inference import find_entities
from relsift.schema import Entity, Sentence


class ModelEntities(EntityAnnotator):
    """The entities that a trained joint model, or an ensemble of them, finds, each with its score."""

    VERSIONED = False

    def __init__(self, folder: Path) -> None:
        """Args: folder: a run or model folder."""
        super().__init__()
        self.folder = folder

    @classmethod
    def named(cls, argument: str) -> ModelEntities:
        """The model of a run or model folder; it is not loaded yet. Raises ConfigError if there is none."""
        folder = Path(argument)
        if not argument or not is_model(folder):
            raise ConfigError(f"annotator model: expected the folder of a trained joint model, got {argument!r}; train one first")
        return cls(folder)

    @classmethod
    def path_of(cls, name: str) -> Path | None:
        return model_folder(Path(name))

    @property
    def spec(self) -> str:
        return f"model:{self.folder}"

    def find(self, sentences: Sequence[Sentence]) -> Iterator[tuple[Entity, ...]]:
        """Raises: ConfigError for a model that finds no entities; CheckpointError for a broken folder."""
        for sentence in find_entities(self._bundle.scorer, sentences) if sentences else ():
            yield sentence.entities

    @cached_property
    def _bundle(self) -> Bundle:
        bundle = Bundle.load(model_folder(self.folder))
        if not bundle.scorer.finds_entities:
            raise ConfigError(
                f"annotator model:{self.folder}: expected a joint model, which finds entities, got {bundle.name}, which finds none; "
                "`relsift models` lists the joint ones"
            )
        return bundle
