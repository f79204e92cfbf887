"""RelationExtractor: load a model once; texts or sentences in, documents or sentences with relations out."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, cast, overload

from relsift.annotators.entities import EntityAnnotators, EntitySource, entity_annotator
from relsift.bundle import Bundle, model_checksum, model_folder
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.device import CPU, checked_device
from relsift.errors import CheckpointError, ConfigError, DataError
from relsift.evaluation.scores import Entities
from relsift.explanation import Explanation, explain
from relsift.extraction_notes import sentences_of_all, warned
from relsift.inference import SENTENCES_AT_ONCE, InferenceReport, entities_of, predict, score, with_precision
from relsift.items import BY_MODEL, BY_OPTION, Given, Item, given, in_blocks, is_item, several
from relsift.passages import passages_to_predict, with_relations_of_passages
from relsift.readers.base import ReadReport
from relsift.readers.python_values import as_json
from relsift.schema import Document, Sentence, sentences_of
from relsift.views import RelationView

if TYPE_CHECKING:
    import pandas

    from relsift.precision import Precision

_HUB = "relsift.integrations.hub"
_DATAFRAME = "relsift.integrations.pandas"  # by name: it lies above, and only those who ask for it need it


class _Plan(NamedTuple):
    """Where the entities of a call come from."""

    find: Literal["all", "missing", "none"]  # what the annotator does
    scored: Entities  # as of `relsift.inference.score`
    must_give: str  # why the items have to bring entities; empty: they need not


class RelationExtractor:
    """A trained model ready for use.

    rx = RelationExtractor.from_pretrained("runs/conll04")
    document = rx("Ada leads Acme.")                     # one text or item in, one document out; a list in, a list out
    for relation in document.relations:
        print(relation.head.text, relation.type, relation.tail.text, relation.score)

    An *item* is a text, a mapping in the native format (`text` or `tokens`, `entities`), a Sentence or a Document. The entities of a text
    are found (`finds_entities`) by a joint model, or by an annotator that `entities_from` or the model folder names. Without either, items
    bring them: `rx({"text": "Ada leads Acme.", "entities": [{"start": 0, "end": 3, "type": "PER"}, …]})`.

    | method | takes | gives |
    |---|---|---|
    | `rx(item)`, `rx([item, …])` | one, several | a document, a list of documents |
    | `rx.documents(items)` | any number | documents, one by one, in bounded memory |
    | `rx.predict(items)`, `rx.stream(items)` | several, any number | sentences: those of all documents, one after the other |

    Documents keep items and results together; sentences are for those who have sentences, and know which is which by order and id.

    See also: `relsift.client.Client`, which asks a service; `relsift.views.RelationView`.

    >>> rx = RelationExtractor.from_pretrained("demo-en")
    >>> [(found.head.text, found.type, found.tail.text) for found in rx("Ida Holm and her sister own the ferry.").relations]
    [('Ida Holm', 'PER-SOC', 'sister')]
    """

    def __init__(self, bundle: Bundle, checksum: str | None = None, *, annotator: EntityAnnotators | None = None) -> None:
        """Take a model that is loaded already; `from_pretrained` loads one.

        Args:
            bundle: the model and its decision.
            checksum: of the model folder (see `relsift.bundle.model_checksum`); None if it comes from no folder.
            annotator: the one of `bundle.entity_source`, if it was made before; None: it is made when it is first needed.
        """
        self.bundle = bundle
        self.checksum = checksum
        self._annotator = annotator

    @classmethod
    def from_pretrained(
        cls,
        folder: str | Path,
        device: str = CPU,
        *,
        threshold: float | None = None,
        entities_from: Sequence[str] = (),
        types: Mapping[str, str | None] | None = None,
        precision: Precision = "float32",
        revision: str | None = None,
    ) -> RelationExtractor:
        """Load a run folder or a model folder, a zip archive of one, a model that comes with relsift, or `hub:owner/name` of the hub.

        Args:
            device: where scores are computed: `cpu`, `cuda`, `cuda:1`, or `auto` for a GPU if there is one.
            threshold: in place of those that were tuned, of all relations.
            entities_from: annotators that find the entities of items that bring none, such as `spacy:en_core_web_sm`; in place of those
                that the model folder names. An earlier one wins where entities overlap.
            types: what the annotators' entity types are called in the model; None leaves entities of that type out, others stay as they
                are. In place of the table of the model folder, which is used if this is None.
            precision: `bfloat16` is faster with transformers, on a GPU or processor that has it; scores move a little.
            revision: of a model of the hub, a branch, a tag or a commit; None: the newest version.
        Raises: CheckpointError if the folder is missing, incomplete or altered; ConfigError for a device that torch cannot compute on,
            a precision that it does not have, a threshold that is no number, an annotator that is not installed, or annotators or types
            that are none.
        """
        place = None if device == CPU else checked_device(device, "device")  # before the weights are read
        path = model_folder(_path(folder), revision)
        bundle = _with_source(Bundle.load(path), entities_from, types)
        bundle.move(device, place)
        bundle = replace(bundle, scorer=with_precision(bundle.scorer, precision))
        annotator = entity_annotator(bundle.entity_source) if entities_from and bundle.entity_source is not None else None
        extractor = cls(bundle, model_checksum(path), annotator=annotator)
        return extractor if threshold is None else extractor.with_threshold(threshold)

    def with_threshold(self, threshold: float) -> RelationExtractor:
        """The same model with another threshold; a higher one gives fewer and surer relations. Raises ConfigError for no number."""
        bundle = replace(self.bundle, decision=self._decision(threshold))
        return RelationExtractor(bundle, self.checksum, annotator=self._annotator)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write the model folder (weights as safetensors, the rest as JSON) with its card, replacing a model that is there.

        A card that was written or changed by hand stays, and so do files that are not of a model.
        Raises: DataError or CheckpointError for a place that cannot be written, or that holds other things.
        """
        from relsift.model_card import keep_card  # which prediction does not need

        try:
            self.bundle.save(path := _path(folder))
            keep_card(self.bundle, path)
        except OSError as error:
            got = error.strerror or error
            raise DataError(f"{folder}: expected a folder that can be written, got {got}; name another place") from error

    def push_to_hub(
        self, name: str, *, private: bool = True, revision: str | None = None, token: str | None = None, message: str | None = None
    ) -> str:
        """Publish the model with its card on the hub of Hugging Face (`$HF_ENDPOINT`); returns the address of the commit.

        Args:
            name: `owner/name`; made if it is not there. private: whether others cannot see a new one.
            revision: a branch that is there; None: the main one.
            token: that may write; None: `$HF_TOKEN`, or the one that `hf auth login` keeps. It stands in no message.
            message: of the commit.
        Raises: ConfigError if huggingface_hub is not installed, or for what is no name; CheckpointError if the hub does not take it.
        """
        address: str = import_module(_HUB).push(self, name, private=private, revision=revision, token=token, message=message)
        return address

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
        """Whether entities are found, by an annotator or by the model itself; else given ones are related."""
        return self.bundle.entity_source is not None or self.bundle.scorer.finds_entities

    @property
    def annotator(self) -> EntityAnnotators | None:
        """What finds the entities of items that bring none; None: the model does, or nothing. Its `report` counts what it left out.

        Raises: ConfigError if it is not installed.
        """
        if self._annotator is None and self.bundle.entity_source is not None:
            self._annotator = entity_annotator(self.bundle.entity_source)
        return self._annotator

    @property
    def candidates(self) -> Candidates:
        """Which pairs are scored."""
        return self.bundle.candidates

    @property
    def threshold(self) -> float:
        """The score from which on a relation is taken, as tuned; some relations may have their own (`bundle.decision.thresholds`)."""
        return self.bundle.decision.threshold

    @overload  # a text is a collection of texts to the type checker; it is one item here
    def __call__(  # type: ignore[overload-overlap]
        self, item: Item, *, threshold: float | None = None, entities: Entities | None = None
    ) -> Document: ...

    @overload
    def __call__(self, item: Iterable[Item], *, threshold: float | None = None, entities: Entities | None = None) -> list[Document]: ...

    def __call__(
        self, item: Item | Iterable[Item], *, threshold: float | None = None, entities: Entities | None = None
    ) -> Document | list[Document]:
        """Relations of one item, as a document, or of several, as a list of documents in the same order.

        A document has the sentences of its item, none if the text is empty, and, if known, its text. Arguments and errors are those of
        `predict`.
        """
        if not is_item(item):
            return list(self.documents(cast(Iterable[Item], item), threshold=threshold, entities=entities))
        plan, dropped = self._plan(entities), ReadReport()
        one = given(item, "rx(item)", "item-0", dropped, must_give=plan.must_give)
        [document] = self._predicted([one], dropped, plan, threshold, None)
        return document

    def predict(
        self,
        items: Iterable[Item],
        *,
        threshold: float | None = None,
        report: InferenceReport | None = None,
        entities: Entities | None = None,
    ) -> list[Sentence]:
        """Relations for the sentences of all items.

        Args:
            items: texts; mappings in the native format (`tokens` or `text`, `entities`; numpy values are welcome); Sentence or Document
                objects. Annotated relations are ignored and replaced. A text or a Document may become several sentences, an empty text
                becomes none; `rx(items)` gives one document an item.
            threshold: in place of the model's own, of all relations.
            report: collects the numbers of candidates, and of what the model does not know.
            entities: *gold* relates those that the items bring, *predicted* finds all anew. None: with an annotator, those of an item
                that brings any are kept (a mapping with an empty list says that there are none), and others are found; a joint model
                finds all anew; any other model relates those given.
        Returns: sentences in input order; each relation carries its score. Sentences with fewer than two entities have none.
        Warns: of what the data model cannot hold, such as an entity across a sentence boundary, of relations across sentences, which only
            documents hold, and, without `report`, of entity types and texts that the model does not know.
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
        return sentences_of_all(self.documents(items, threshold=threshold, report=report, entities=entities))

    def documents(
        self,
        items: Iterable[Item],
        *,
        threshold: float | None = None,
        report: InferenceReport | None = None,
        entities: Entities | None = None,
    ) -> Iterator[Document]:
        """One document an item, in input order, for an input of any length, in bounded memory; it warns at the end.

        Items are read some thousand sentences ahead. Arguments and errors are those of `predict`.
        """
        plan, dropped = self._plan(entities), ReadReport()
        numbered = enumerate(several(items, plan.must_give))
        those = (given(item, f"item {number}", f"item-{number}", dropped, must_give=plan.must_give) for number, item in numbered)
        return self._predicted(those, dropped, plan, threshold, report)

    def scored(
        self, documents: Iterable[Document], *, report: InferenceReport | None = None, entities: Entities | None = None
    ) -> Iterator[Scored]:
        """The sentences of all documents with the scores of their pairs, before any decision; in order, in bounded memory.

        Arguments and errors are those of `predict`; also ConfigError for a model with a window.
        """
        if (window := self.candidates.window) > 1:
            raise ConfigError(f"scored: expected a model that reads single sentences, got one with a window of {window} sentences")
        plan, used = self._plan(entities), InferenceReport() if report is None else report
        those = (given(document, "document", "document", ReadReport()) for document in documents)
        for block in in_blocks(those, lambda one: len(one.document.sentences), SENTENCES_AT_ONCE):
            complete = [one.document for one in block] if plan.find == "none" else self._with_entities(block, find_all=plan.find == "all")
            yield from score(self.bundle.scorer, list(sentences_of(complete)), used, entities=plan.scored)

    def explain(
        self, found: RelationView | Sentence, pair: tuple[int, int] | None = None, *, relation: str | None = None
    ) -> Explanation:
        """What the model thinks of a pair of entities, and which tokens it looks at (see `relsift.explanation`).

        Args:
            found: a relation of a document, as in `rx.explain(document.relations[0])`; or a sentence with its entities, for any pair.
            pair: head and tail, positions in the sentence's entities; not beside a relation, which has its own.
            relation: whose score the tokens explain; None: that of the relation, of a sentence and a pair the one with the highest score.
        Raises: DataError for a relation across sentences, for positions that the sentence does not have, for a sentence without a pair or
            a relation with one, or for a relation type that the model does not know.
        """
        if isinstance(found, RelationView):
            if pair is not None:
                raise DataError(f"pair: expected none beside a relation, which has its own, {found.pair}, got {pair!r}; leave it out")
            if found.is_across:
                raise DataError(f"found: expected a relation within a sentence, got one across sentences, {found!r}")
            relation = found.type if relation is None else relation
            return explain(self.bundle.scorer, self.bundle.decision, found.sentence, found.pair, relation)
        return explain(self.bundle.scorer, self.bundle.decision, found, pair, relation)

    def to_dataframe(self, documents: Document | Iterable[Document]) -> pandas.DataFrame:
        """One row a relation (see `relsift.integrations.pandas`). Raises ConfigError if pandas is not installed."""
        frame: pandas.DataFrame = import_module(_DATAFRAME).to_dataframe(documents)
        return frame

    def _plan(self, entities: Entities | None) -> _Plan:
        if entities == "gold":
            entities_of(self.bundle.scorer, entities)
            return _Plan("none", "gold", BY_OPTION if self.finds_entities else BY_MODEL)
        if self.bundle.entity_source is not None and entities in (None, "predicted"):
            return _Plan("missing" if entities is None else "all", "gold", "")
        scored = entities_of(self.bundle.scorer, entities)
        return _Plan("none", scored, "" if scored == "predicted" else BY_MODEL)

    def _decision(self, threshold: float | None) -> Decision:
        decision = self.bundle.decision
        return decision if threshold is None else decision.with_threshold(as_json(threshold, "threshold"))

    def _predicted(
        self, those: Iterable[Given], dropped: ReadReport, plan: _Plan, threshold: float | None, report: InferenceReport | None
    ) -> Iterator[Document]:
        decision = self._decision(threshold)  # now, not when the first document is asked for
        own_report = InferenceReport()
        used = own_report if report is None else report
        given_blocks = in_blocks(those, lambda one: len(one.document.sentences), SENTENCES_AT_ONCE)
        blocks = (self._block(block, plan, decision, used) for block in given_blocks)
        before, is_asked = self._left_out(), plan.find != "none" and report is None

        def left_out() -> Counter[str]:
            return self._left_out() - before if is_asked else Counter()

        return chain(chain.from_iterable(blocks), warned(dropped, own_report, left_out))

    def _block(self, block: Sequence[Given], plan: _Plan, decision: Decision, report: InferenceReport) -> Iterator[Document]:
        documents = [one.document for one in block]
        if plan.find != "none":
            with report.busy("entities"):
                documents = self._with_entities(block, find_all=plan.find == "all")
        window = self.candidates.window
        joined = sentences_of(passages_to_predict(document, window) for document in documents)
        sentences = predict(self.bundle.scorer, decision, joined, report, entities=plan.scored)
        for document in documents:
            predicted = tuple(islice(sentences, len(document.sentences)))
            yield with_relations_of_passages(document, predicted) if window > 1 else document.with_sentences(predicted)

    def _with_entities(self, block: Sequence[Given], *, find_all: bool) -> list[Document]:
        """The documents, with the annotator's entities where there are none, or in place of all."""
        wanting = [one.document for one in block if find_all or not one.has_entities]
        bare = [
            replace(sentence, entities=(), relations=None, tagged=None if find_all else sentence.tagged)
            for sentence in sentences_of(wanting)
        ]
        if not bare or self.annotator is None:  # it is not loaded for items that bring their entities
            return [one.document for one in block]
        found = iter(self.annotator.annotate(bare))
        return [
            replace(one.document, sentences=tuple(islice(found, len(one.document.sentences))), across=())
            if find_all or not one.has_entities else one.document
            for one in block
        ]  # fmt: skip

    def _left_out(self) -> Counter[str]:
        """What the annotator left out or changed since it was made, by reason."""
        return Counter() if self._annotator is None else self._annotator.report.dropped


def _with_source(bundle: Bundle, entities_from: Sequence[str], types: Mapping[str, str | None] | None) -> Bundle:
    """The bundle with these annotators of entities in place of its own.

    Raises: ConfigError for types without annotators, and as `EntitySource`.
    """
    if isinstance(entities_from, str):
        raise ConfigError(f"entities_from: expected a list of annotators, got {entities_from!r}; write [{entities_from!r}]")
    if not isinstance(entities_from, Sequence):
        raise ConfigError(f"entities_from: expected a list of annotators, such as ['spacy:en_core_web_sm'], got {entities_from!r}")
    if not entities_from and types is None:
        return bundle
    own = bundle.entity_source
    if not entities_from and own is None:
        raise ConfigError("types: expected annotators whose types to rename, got none; name them: entities_from=[…]")
    specs = tuple(entities_from) if own is None or entities_from else own.specs
    stored = {} if own is None else own.types
    return replace(bundle, entity_source=EntitySource(specs, stored if types is None else types))


def _path(folder: str | Path) -> Path:
    """Raises CheckpointError for what is no path."""
    try:
        if b"\0" not in os.fsencode(path := Path(folder)):
            return path
    except (TypeError, ValueError):  # no text, or half a character
        pass
    raise CheckpointError(f"folder: expected the path of a run folder or a model folder, got {folder!a}")
