"""relsift as a component of a spaCy pipeline: `nlp.add_pipe("relsift", config={"model": "runs/mine"})`, then `doc._.relations`.

spaCy finds the factory by its entry point, in a process that never imported relsift. It imports this module for every pipeline, so the name
`doc._.relations` is taken by the first component, not before. The code of models is imported with the first one.
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confection import Config
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import raise_error

from relsift.errors import ConfigError, require
from relsift.files import write_json
from relsift.integrations.spacy_files import files_of, folder_of
from relsift.integrations.spacy_scores import score_relations
from relsift.json_schema import conform
from relsift.json_text import read_json, sealed
from relsift.readers.base import ReadReport
from relsift.readers.spacy_docs import DocSentence, doc_sentences
from relsift.schema import Entity, Sentence

if TYPE_CHECKING:
    from relsift.annotators.entities import EntitySource
    from relsift.extractor import RelationExtractor
    from relsift.inference import InferenceReport
    from relsift.integrations.spacy_relations import SpanRelation

ENTS, SPANS, MODEL = "doc.ents", "spans:", "model"
_ENTITIES = "doc.ents, spans:NAME for a span group, or model"
SENTENCES_AT_ONCE = 256  # of many docs, scored together
DOCS_AT_ONCE = 1000  # as of `nlp.pipe`

TYPES_FILE = "spacy_types.json"  # in the model folder of a saved pipeline, whose model has no annotators: their type table

ErrorHandler = Callable[[str, Any, list[Doc], Exception], None]  # of component name, component, docs, error


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The config of the component; it stands in config.cfg of a saved pipeline."""

    model: str | None = None  # a run or model folder; None: it comes with the saved pipeline
    entities: str = ENTS  # which entities are related: `doc.ents`, `spans:NAME`, `model`
    # spaCy's label -> the model's type; None: left out; others stay. Empty: the table of the model folder, if it has one
    types: dict[str, str | None] = field(default_factory=dict)
    threshold: float | None = None  # in place of the model's own
    set_ents: bool = True  # with entities=model: whether `doc.ents` becomes what the model found
    batch_sentences: int = SENTENCES_AT_ONCE  # scored together in `nlp.pipe`
    device: str = "cpu"  # where scores are computed: `cpu`, `cuda`, `cuda:1`, or `auto`

    def __post_init__(self) -> None:
        is_group = self.entities.startswith(SPANS) and self.entities != SPANS
        require(is_group or self.entities in (ENTS, MODEL), "relsift.entities", expected=_ENTITIES, got=self.entities)
        require(self.batch_sentences >= 1, "relsift.batch_sentences", expected="1 or more", got=self.batch_sentences)
        is_named = all(kind is None or kind.strip() for kind in self.types.values())
        require(is_named, "relsift.types", expected="types that are not blank", got=self.types)
        if self.types and self.entities == MODEL:
            raise ConfigError("relsift.types: expected none with entities=model, whose entities have the model's types, got some")
        if odd := [label for label in self.types if not _is_kept(label)]:
            raise ConfigError(
                f"relsift.types: expected labels that spaCy's config files can hold, got {odd[0]!r}; rename it in the pipeline"
            )


class Relsift:
    """The component. `report` counts what was left out since it was made; each reason is also a warning, once."""

    def __init__(self, name: str, settings: Settings) -> None:
        """Raises: ConfigError if `doc._.relations` is another package's."""
        _register()
        self.name = name
        self.settings = settings
        self.report = ReadReport()
        self._extractor: RelationExtractor | None = None
        self._stored_types: dict[str, str | None] = {}  # of the model folder
        self._handler: ErrorHandler = raise_error
        self._warned: set[str] = set()
        self._process = os.getpid()

    @property
    def extractor(self) -> RelationExtractor:
        """The model, loaded when it is first needed. Raises ConfigError if there is none; others as `RelationExtractor.from_pretrained`."""
        if self._extractor is None:
            if self.settings.model is None:
                raise ConfigError(f"{self.name}.model: expected a run or model folder, got none; set it in the config of the component")
            self._load(Path(self.settings.model))
            assert self._extractor is not None
        return self._extractor

    def __call__(self, doc: Doc) -> Doc:
        self._annotate([doc])
        return doc

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = DOCS_AT_ONCE) -> Iterator[Doc]:
        """The docs of a stream in order, sentences of many docs scored together: at most `batch_size` docs wait.

        If a batch fails, its docs are tried one by one, and the error handler of the pipeline hears of those that fail.
        """
        for batch in self._batches(stream, batch_size):
            try:
                self._annotate(batch)
            except Exception:  # any step may fail; the docs without the fault still get their relations
                yield from self._one_by_one(batch)
            else:
                yield from batch

    def score(self, examples: Iterable[Example], **_options: Any) -> dict[str, Any]:
        """`rel_micro_p`, `rel_micro_r`, `rel_micro_f` and `rel_per_type` (see `relsift.integrations.spacy_scores`)."""
        direction = self.extractor.candidates.direction
        return score_relations(examples, direction=direction, types=self.types)

    @property
    def types(self) -> Mapping[str, str | None]:
        """What spaCy's labels are called in the model: the config's table, else that of the model folder. Errors: as `extractor`."""
        if self.settings.types or self.settings.entities == MODEL:
            return self.settings.types
        _ = self.extractor  # which reads the folder
        return self._stored_types

    def set_error_handler(self, error_handler: ErrorHandler) -> None:
        """What hears of docs that fail in `pipe`, as spaCy sets it."""
        self._handler = error_handler

    def get_error_handler(self) -> ErrorHandler:
        return self._handler

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the model folder. Raises DataError or CheckpointError for a place that cannot be written."""
        self._save(Path(path))

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> Relsift:
        """Take the model of this folder in place of that of the config. Raises CheckpointError if it is incomplete or altered."""
        self._load(Path(path))
        return self

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:
        """The files of the model folder by name, packed with msgpack."""
        return files_of(self._save)

    def from_bytes(self, data: bytes, *, exclude: Iterable[str] = ()) -> Relsift:
        """Raises CheckpointError for anything but what `to_bytes` gives."""
        with folder_of(data) as folder:
            self._load(folder)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # For processes that are spawned: spaCy sends them the component. Weights go as the model folder's own files.
        data = None if self._extractor is None else self.to_bytes()
        return _received, (self.name, self.settings, data)

    def _load(self, folder: Path) -> None:
        from relsift.bundle import model_folder
        from relsift.extractor import RelationExtractor

        loaded = RelationExtractor.from_pretrained(folder, self.settings.device, threshold=self.settings.threshold)
        self._stored_types = _types_of(model_folder(folder), loaded.bundle.entity_source)
        if (window := loaded.candidates.window) > 1:
            raise ConfigError(
                f"{self.name}.model: expected a model that reads single sentences, got one with candidates.window={window}; "
                "use relsift itself for it"
            )
        bundle = replace(loaded.bundle, entity_source=None)  # entities come from the pipeline, and its files may be gone tomorrow
        if self.settings.entities == MODEL and not bundle.scorer.finds_entities:
            raise ConfigError(
                f"{self.name}.entities: expected {ENTS} or {SPANS}NAME for a model that finds no entities itself, got {MODEL}; "
                "train a joint model (`relsift models`)"
            )
        self._extractor = RelationExtractor(bundle)

    def _save(self, folder: Path) -> None:
        self.extractor.bundle.save(folder)  # without a card, which is of a model of its own
        if self._stored_types:
            write_json(folder / TYPES_FILE, sealed(dict(self._stored_types)))

    def _batches(self, stream: Iterable[Doc], most_docs: int) -> Iterator[list[Doc]]:
        batch: list[Doc] = []
        sentences = 0
        for doc in stream:
            batch.append(doc)
            sentences += sum(1 for _ in doc.sents) if doc.has_annotation("SENT_START") else 1
            if len(batch) >= most_docs or sentences >= self.settings.batch_sentences:
                yield batch
                batch, sentences = [], 0
        if batch:
            yield batch

    def _one_by_one(self, docs: Sequence[Doc]) -> Iterator[Doc]:
        for doc in docs:
            try:
                self._annotate([doc])
            except Exception as error:  # the pipeline's error handler decides
                self._handler(self.name, self, [doc], error)
            else:
                yield doc

    def _annotate(self, docs: Sequence[Doc]) -> None:
        from relsift.inference import InferenceReport, predict

        _register()  # another package may have taken the name since
        bundle = self.extractor.bundle
        if os.getpid() != self._process:
            _in_forked_process(self.name, bundle.device)
        by_doc = [self._sentences(doc) for doc in docs]
        found = InferenceReport()
        given = [one.sentence for sentences in by_doc for one in sentences]
        finds = self.settings.entities == MODEL
        predicted = predict(bundle.scorer, bundle.decision, given, found, entities="predicted" if finds else "gold")
        for doc, sentences in zip(docs, by_doc):
            self._set(doc, [(one, result) for one, result in zip(sentences, islice(predicted, len(sentences)))])
        self._warn(found)

    def _sentences(self, doc: Doc) -> list[DocSentence]:
        types = self.types
        labelled = [(span, types.get(span.label_, span.label_)) for span in self._given(doc)]
        if not doc.has_annotation("SENT_START"):
            self.report.drop("docs without sentence boundaries, cut by relsift's rules; add a parser or a sentencizer", _place(doc))
        entities = self._once(doc, [(span, kind) for span, kind in labelled if kind is not None])
        return doc_sentences(doc, entities, "doc", self.report, where=_place(doc), by_rules=True)

    def _given(self, doc: Doc) -> Iterable[Span]:
        """The entities that the pipeline brings."""
        if self.settings.entities == MODEL:
            return ()
        if self.settings.entities == ENTS:
            return doc.ents
        group = self.settings.entities.removeprefix(SPANS)
        if group not in doc.spans:
            self.report.drop(f"docs without the span group {group!r}, taken to have no entities", _place(doc))
            return ()
        spans: Iterable[Span] = doc.spans[group]
        return spans

    def _once(self, doc: Doc, entities: Sequence[tuple[Span, str]]) -> list[tuple[Span, str]]:
        """The entities without those that stand there before, and would be related to themselves. Blanks around a span do not count."""
        once: dict[tuple[str, tuple[int, ...]], tuple[Span, str]] = {}
        for span, kind in entities:
            key = (kind, tuple(token.i for token in span if token.text.strip()) or (span.start, span.end))
            if once.setdefault(key, (span, kind))[0] is not span:
                self.report.drop("entities with the span and type of an earlier one", f"{_place(doc)}: {span.text[:80]!r}")
        return list(once.values())

    def _set(self, doc: Doc, results: Sequence[tuple[DocSentence, Sentence]]) -> None:
        from relsift.integrations.spacy_relations import SpanRelation, set_relations

        relations: list[SpanRelation] = []
        entities: list[tuple[Entity, Span]] = []
        for given, sentence in results:
            spans = given.spans
            if self.settings.entities == MODEL:
                spans = [_span(doc, given, entity) for entity in sentence.entities]
                entities += zip(sentence.entities, spans)
            relations += [
                SpanRelation(spans[one.head], spans[one.tail], one.type, one.score, one.probability) for one in sentence.relations or ()
            ]
        if self.settings.entities == MODEL and self.settings.set_ents:
            self._set_ents(doc, entities)
        set_relations(doc, relations)

    def _set_ents(self, doc: Doc, entities: Sequence[tuple[Entity, Span]]) -> None:
        """`doc.ents` becomes the entities that were found; of those that overlap, the one with the highest score."""
        taken: set[int] = set()
        kept = []
        for _, span in sorted(entities, key=lambda pair: -(pair[0].score or 0.0)):
            tokens = range(span.start, span.end)
            if taken.isdisjoint(tokens):
                taken.update(tokens)
                kept.append(span)
            else:
                self.report.drop("entities that overlap a surer one (kept in relations, not in doc.ents)", f"{span.text[:80]!r}")
        doc.set_ents(kept)

    def _warn(self, found: InferenceReport) -> None:
        """A warning for each reason, once: a pipeline runs for days."""
        new = {
            kind: f"entities of a type that training did not have: {kind}; the config `types` renames them" for kind in found.unseen_types
        }
        new |= {reason: f"left out or changed: {reason} (first: {self.report.examples[reason][0]})" for reason in self.report.dropped}
        new |= {re.sub(r"\d+", "", line): line for line in replace(found, unseen_types={}).lines()}
        for reason, line in new.items():
            if reason not in self._warned:
                self._warned.add(reason)
                warnings.warn(f"{self.name}: {line}", stacklevel=2)


def _types_of(folder: Path, source: EntitySource | None) -> dict[str, str | None]:
    """The type table of a model folder: of its annotators, or as a saved pipeline keeps it. Raises CheckpointError for a broken file."""
    if source is not None:
        return dict(source.types)
    file = folder / TYPES_FILE
    return conform(dict[str, str | None], read_json(file), file) if file.is_file() else {}


def _register() -> None:
    """Make `doc._.relations` known to spaCy. Raises ConfigError if the name is another package's."""
    from relsift.integrations.spacy_relations import register

    register()


def _is_kept(label: str) -> bool:
    """Whether the label is the same after the config was written and read: one with ":" or "=" is not."""
    config = {"types": {label: None}}
    try:
        return bool(Config().from_str(Config(config).to_str()) == config)
    except ValueError:
        return False


def _received(name: str, settings: Settings, data: bytes | None) -> Relsift:
    component = Relsift(name, settings)
    return component if data is None else component.from_bytes(data)


def _in_forked_process(name: str, device: str) -> None:
    """Raises ConfigError for a GPU, which a forked process cannot use."""
    import torch

    if device != "cpu":
        raise ConfigError(f"{name}.device: expected cpu in processes of nlp.pipe(n_process=…), got {device}; use n_process=1 with a GPU")
    torch.set_num_threads(1)  # several would wait for ever for those of the parent, which a fork does not copy


def _span(doc: Doc, given: DocSentence, entity: Entity) -> Span:
    return Span(doc, given.tokens[entity.start], given.tokens[entity.end - 1] + 1, label=entity.type)


def _place(doc: Doc) -> str:
    return repr(doc[:8].text)


@Language.factory(
    "relsift",
    default_config=asdict(Settings()),
    assigns=["doc._.relations"],
    default_score_weights={"rel_micro_f": 1.0, "rel_micro_p": 0.0, "rel_micro_r": 0.0, "rel_per_type": None},
)
def make_relsift(
    nlp: Language,
    name: str,
    model: str | None,
    entities: str,
    types: dict[str, str | None],
    threshold: float | None,
    set_ents: bool,
    batch_sentences: int,
    device: str,
) -> Relsift:
    """The component. Arguments: the fields of `Settings`. Raises ConfigError for one that cannot be used."""
    settings = Settings(
        model=model, entities=entities, types=types, threshold=threshold, set_ents=set_ents, batch_sentences=batch_sentences, device=device
    )
    return Relsift(name, settings)
