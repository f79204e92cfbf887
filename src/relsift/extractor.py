"""RelationExtractor: load a model once; sentences in, sentences with relations out."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from relsift.bundle import Bundle, model_checksum, model_folder
from relsift.candidates import Candidates
from relsift.device import CPU, checked_device
from relsift.errors import DataError
from relsift.inference import InferenceReport, predict
from relsift.readers.base import ReadReport
from relsift.readers.native import read_lines
from relsift.schema import Document, Sentence, sentences_of

Item = Sentence | Document | Mapping[str, Any]


class RelationExtractor:
    """A trained model ready for use.

    rx = RelationExtractor.from_pretrained("runs/conll04")
    rx.predict([{"tokens": ["Ada", "leads", "Acme"], "entities": [{"start": 0, "end": 1, "type": "PER"}, …]}])
    """

    def __init__(self, bundle: Bundle, checksum: str | None = None) -> None:
        """checksum: of the model folder (see `relsift.bundle.model_checksum`); None if it comes from no folder."""
        self.bundle = bundle
        self.checksum = checksum

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str = CPU) -> RelationExtractor:
        """Load a run folder or a model folder.

        Args: device: where scores are computed: `cpu`, `cuda`, `cuda:1`, or `auto` for a GPU if there is one.
        Raises: CheckpointError if the folder is missing, incomplete or altered; ConfigError for a device that torch cannot compute on.
        """
        place = checked_device(device, "device")  # before the weights are read
        path = model_folder(Path(folder))
        bundle = Bundle.load(path)
        bundle.model.to(place)
        return cls(bundle, model_checksum(path))

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model folder (weights as safetensors, the rest as JSON), replacing what is there."""
        self.bundle.save(Path(folder))

    @property
    def labels(self) -> tuple[str, ...]:
        """The relation types the model knows."""
        return self.bundle.encoding.labels

    @property
    def candidates(self) -> Candidates:
        """Which pairs are scored."""
        return self.bundle.candidates

    @property
    def threshold(self) -> float:
        """The score from which on a pair is related, as tuned in training."""
        return self.bundle.decision.threshold

    def predict(
        self, items: Iterable[Item], *, threshold: float | None = None, report: InferenceReport | None = None
    ) -> list[Sentence]:
        """Relations for sentences whose entities are known.

        Args:
            items: Sentence or Document objects, or mappings in the native format (`tokens` or `text`, `entities`); annotated relations
                are ignored and replaced. A `text` or a Document may become several sentences.
            threshold: in place of the model's own.
            report: collects the numbers of candidates, and of entities whose type training did not have.
        Returns: sentences in input order; each relation carries its score. Sentences with fewer than two entities have none.
        Warns: of what the data model cannot hold, such as an entity across a sentence boundary.
        Raises: DataError naming the item for input that is broken or has text without entities.
        """
        dropped = ReadReport()
        result = list(self.stream(_sentences(items, dropped), threshold=threshold, report=report))
        for line in dropped.lines():
            warnings.warn(f"relsift: left out: {line}", stacklevel=2)
        return result

    def stream(
        self, sentences: Iterable[Sentence], *, threshold: float | None = None, report: InferenceReport | None = None
    ) -> Iterator[Sentence]:
        """`predict` for an input of any length, in bounded memory."""
        decision = self.bundle.decision if threshold is None else replace(self.bundle.decision, threshold=threshold)
        return predict(self.bundle.scorer, decision, sentences, report)


def _sentences(items: Iterable[Item], dropped: ReadReport) -> Iterator[Sentence]:
    for number, item in enumerate(items):
        if isinstance(item, Sentence):
            yield item
        elif isinstance(item, Document):
            yield from item.sentences
        elif isinstance(item, Mapping):
            if "entities" not in item:
                raise DataError(
                    f'item {number}: expected "entities" beside the text, got keys {", ".join(sorted(item))}; this model relates given '
                    "entities and does not find them: add a list of {start, end, type}"
                )
            line = json.dumps({"id": f"item-{number}", **item, "relations": None}, ensure_ascii=False)
            yield from sentences_of(read_lines(iter([(1, line)]), f"item {number}", dropped))
        else:
            raise DataError(
                f"item {number}: expected a Sentence, a Document or a mapping, got {type(item).__name__}; wrap it in a list"
            )
