"""RelationExtractor: load a model once; sentences in, sentences with relations out."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from relsift.bundle import Bundle, model_checksum, model_folder
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.device import CPU, checked_device
from relsift.errors import DataError
from relsift.evaluation.scores import Entities
from relsift.inference import InferenceReport, entities_of, predict
from relsift.readers.base import ReadReport
from relsift.readers.native import document_of
from relsift.readers.python_values import as_json
from relsift.schema import Document, Sentence

Item = Sentence | Document | Mapping[str, Any]
_EXAMPLE = '{"text": "Ada leads Acme.", "entities": [{"start": 0, "end": 3, "type": "PER"}, …]}'


class RelationExtractor:
    """A trained model ready for use.

    rx = RelationExtractor.from_pretrained("runs/conll04")
    rx.predict([{"tokens": ["Ada", "leads", "Acme"], "entities": [{"start": 0, "end": 1, "type": "PER"}, …]}])
    rx({"text": "Ada leads Acme.", "entities": […]})     # one item; gives a document

    A model that finds entities itself (`finds_entities`) needs none: `rx({"text": "Ada leads Acme."})`. Entities that are given are
    replaced by those that it finds, unless `entities="gold"` says to relate them.
    """

    def __init__(self, bundle: Bundle, checksum: str | None = None) -> None:
        """checksum: of the model folder (see `relsift.bundle.model_checksum`); None if it comes from no folder."""
        self.bundle = bundle
        self.checksum = checksum

    @classmethod
    def from_pretrained(cls, folder: str | Path, device: str = CPU, *, threshold: float | None = None) -> RelationExtractor:
        """Load a run folder or a model folder.

        Args:
            device: where scores are computed: `cpu`, `cuda`, `cuda:1`, or `auto` for a GPU if there is one.
            threshold: in place of the one tuned in training.
        Raises: CheckpointError if the folder is missing, incomplete or altered; ConfigError for a device that torch cannot compute on,
            or a threshold that is no number.
        """
        place = checked_device(device, "device")  # before the weights are read
        path = model_folder(Path(folder))
        bundle = Bundle.load(path)
        bundle.to(place)
        extractor = cls(bundle, model_checksum(path))
        return extractor if threshold is None else extractor.with_threshold(threshold)

    def with_threshold(self, threshold: float) -> RelationExtractor:
        """The same model with another threshold; a higher one gives fewer and surer relations. Raises ConfigError for no number."""
        return RelationExtractor(replace(self.bundle, decision=self._decision(threshold)), self.checksum)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model folder (weights as safetensors, the rest as JSON), replacing a model that is there.

        Raises: DataError or CheckpointError for a place that cannot be written, or that holds other things.
        """
        try:
            self.bundle.save(Path(folder))
        except OSError as error:
            got = error.strerror or error
            raise DataError(f"{folder}: expected a folder that can be written, got {got}; name another place") from error

    @property
    def labels(self) -> tuple[str, ...]:
        """The relation types the model knows."""
        return self.bundle.encoding.labels

    @property
    def entity_types(self) -> tuple[str, ...]:
        """The entity types the model knows; entities of other types are in no pair of its training."""
        return self.bundle.encoding.types.names

    @property
    def finds_entities(self) -> bool:
        """Whether the model finds the entities of a sentence itself, or relates given ones."""
        return self.bundle.scorer.finds_entities

    @property
    def candidates(self) -> Candidates:
        """Which pairs are scored."""
        return self.bundle.candidates

    @property
    def threshold(self) -> float:
        """The score from which on a pair is related, as tuned in training."""
        return self.bundle.decision.threshold

    def __call__(self, item: Item, *, threshold: float | None = None, entities: Entities | None = None) -> Document:
        """Relations for one item, as a document: its sentences (none if the text is empty) and, if known, its text. See `predict`."""
        if isinstance(item, (str, bytes)):
            raise DataError(_not_an_item("rx(item)", item, self.finds_entities))
        dropped, chosen = ReadReport(), entities_of(self.bundle.scorer, entities)
        document = Document("item-0", (item,)) if isinstance(item, Sentence) else _document(item, "rx(item)", "item-0", dropped, chosen)
        sentences = self._predicted(document.sentences, dropped, threshold, None, chosen)
        return Document(document.id, tuple(sentences), document.text)

    def predict(
        self,
        items: Iterable[Item],
        *,
        threshold: float | None = None,
        report: InferenceReport | None = None,
        entities: Entities | None = None,
    ) -> list[Sentence]:
        """Relations for sentences whose entities are known, or that the model finds.

        Args:
            items: Sentence or Document objects, or mappings in the native format (`tokens` or `text`, `entities`; numpy values are
                welcome); annotated relations are ignored and replaced. A `text` or a Document may become several sentences, an empty
                text becomes none; `rx(item)` gives one document an item.
            threshold: in place of the model's own.
            report: collects the numbers of candidates, and of what the model does not know.
            entities: *gold* relates those of the items, *predicted* those that the model finds; None: predicted if it finds any.
        Returns: sentences in input order; each relation carries its score. Sentences with fewer than two entities have none.
        Warns: of what the data model cannot hold, such as an entity across a sentence boundary, and, without `report`, of entity types
            and texts that the model does not know.
        Raises: DataError naming the item for input that is broken or has text without entities; ConfigError for a threshold that is no
            number.
        """
        return list(self.stream(items, threshold=threshold, report=report, entities=entities))

    def stream(
        self,
        items: Iterable[Item],
        *,
        threshold: float | None = None,
        report: InferenceReport | None = None,
        entities: Entities | None = None,
    ) -> Iterator[Sentence]:
        """`predict` for an input of any length, in bounded memory; it warns at the end."""
        if isinstance(items, (str, bytes, Mapping, Sentence, Document)) or not isinstance(items, Iterable):
            is_text = isinstance(items, (str, bytes))
            raise DataError(_not_an_item("items", items, self.finds_entities) if is_text else _not_a_list(items))
        dropped, chosen = ReadReport(), entities_of(self.bundle.scorer, entities)
        return self._predicted(_sentences(items, dropped, chosen), dropped, threshold, report, chosen)

    def _decision(self, threshold: float | None) -> Decision:
        return self.bundle.decision if threshold is None else replace(self.bundle.decision, threshold=as_json(threshold, "threshold"))

    def _predicted(
        self,
        sentences: Iterable[Sentence],
        dropped: ReadReport,
        threshold: float | None,
        report: InferenceReport | None,
        entities: Entities,
    ) -> Iterator[Sentence]:
        decision = self._decision(threshold)  # now, not when the first sentence is asked for
        own_report = InferenceReport()
        predicted = predict(self.bundle.scorer, decision, sentences, own_report if report is None else report, entities=entities)
        return chain(predicted, _warnings(dropped, own_report))


def _warnings(dropped: ReadReport, report: InferenceReport) -> Iterator[Sentence]:
    """Nothing but warnings, at the end of what this is chained to."""
    for line in dropped.lines():
        warnings.warn(f"relsift: left out or changed: {line}", stacklevel=3)
    for line in report.lines():
        warnings.warn(f"relsift: {line}", stacklevel=3)
    yield from ()


def _sentences(items: Iterable[Item], dropped: ReadReport, entities: Entities) -> Iterator[Sentence]:
    for number, item in enumerate(items):
        if isinstance(item, Sentence):
            yield item
        else:
            yield from _document(item, f"item {number}", f"item-{number}", dropped, entities).sentences


def _document(item: Any, where: str, key: str, dropped: ReadReport, entities: Entities) -> Document:
    """Args: key: the id of an item without one. entities: predicted ones need not be given."""
    if isinstance(item, Document):
        return item
    if not isinstance(item, Mapping):
        raise DataError(_not_an_item(where, item, entities == "predicted"))
    record = as_json(item, where)
    if record.get("entities") is None and entities == "gold":
        raise DataError(
            f'{where}: expected "entities" beside the text, got keys {", ".join(sorted(record)) or "none"}; given entities are related '
            f"here, and none are found: give them, as in {_EXAMPLE}"
        )
    return document_of(record | {"relations": None}, where, dropped, key=key)


def _not_an_item(where: str, item: Any, finds_entities: bool) -> str:
    got = type(item).__name__ + (f" {item[:40]!r}" if isinstance(item, str) else "")
    if finds_entities:
        return f'{where}: expected a Sentence, a Document or a mapping, such as {{"text": "Ada leads Acme."}}, got {got}'
    return (
        f"{where}: expected a Sentence, a Document or a mapping with entities, got {got}; this model relates given entities and does not "
        f"find them: give them, as in {_EXAMPLE}"
    )


def _not_a_list(items: Any) -> str:
    return f"items: expected a list of items, got one {type(items).__name__}; put it into a list, or call the extractor: rx(item)"
