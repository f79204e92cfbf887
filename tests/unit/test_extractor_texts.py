"""The facade for people with text: texts and items mixed, documents one by one, entities from an annotator or from the items."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.annotators.base import Annotator
from relsift.annotators.entities import EntityAnnotators, EntitySource
from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.errors import ConfigError, DataError
from relsift.extractor import RelationExtractor
from relsift.inference import SENTENCES_AT_ONCE, InferenceReport, Scorer
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.schema import Document, Entity, Sentence
from toy import encoding, randomise

KNOWN = encoding()
KINDS = {"Ada": "PERSON", "Bo": "PERSON", "Acme": "FIRM", "Oslo": "PLACE", "Tuesday": "DATE"}
TYPES = {"PERSON": "PER", "FIRM": "ORG", "DATE": None}  # PLACE stays, and the model has never seen it
TEXT = "Ada works for Acme. Bo joined Acme."


class Names(Annotator):
    """A stand-in that knows a few names."""

    ADDS = "entities"
    spec = "names==1"

    def __init__(self) -> None:
        self.calls: list[list[str]] = []  # ids of the sentences of each call

    def annotate(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        self.calls.append([sentence.id for sentence in sentences])
        return [replace(sentence, entities=self.find(sentence.tokens)) for sentence in sentences]

    @staticmethod
    def find(tokens: Sequence[str]) -> tuple[Entity, ...]:
        return tuple(Entity(place, place + 1, KINDS[token]) for place, token in enumerate(tokens) if token in KINDS)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """Of a model that takes every pair as related."""
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), KNOWN)
    randomise(model, 0)
    return Bundle("multitask_cnn", Scorer(model.eval(), KNOWN, Candidates()), Decision(threshold=-1e9))


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
def rx(bundle: Bundle, names: Names) -> RelationExtractor:
    return RelationExtractor(replace(bundle, entity_source=EntitySource(("names",), TYPES)), annotator=EntityAnnotators([names], TYPES))


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def found_in(document: Document) -> list[tuple[str, str]]:
    return [(entity.text, entity.type) for entity in document.entities]


# ---- texts


def test_a_text_gives_a_document_whose_relations_lead_back_to_it(rx: RelationExtractor):
    document = rx(TEXT)
    assert (document.id, document.text, len(document.sentences)) == ("item-0", TEXT, 2)
    assert found_in(document) == [("Ada", "PER"), ("Acme", "ORG"), ("Bo", "PER"), ("Acme", "ORG")]
    assert [(r.head.text, r.head.start, r.tail.text, r.tail.end) for r in document.relations] == [
        ("Ada", 0, "Acme", 18), ("Acme", 14, "Ada", 3), ("Bo", 20, "Acme", 34), ("Acme", 30, "Bo", 22),
    ]  # fmt: skip
    assert all(relation.score is not None for relation in document.relations)


def test_a_list_gives_a_list_and_items_of_all_kinds_can_be_mixed(rx: RelationExtractor):
    sentence = Sentence("s", ("Ada", "left", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), doc_id="mine")
    items: list[Any] = ["Bo left.", {"text": "Ada left.", "id": "a"}, sentence, Document("d", (sentence,)), np.str_("Bo left.")]
    expected = [rx(item) for item in items]
    assert [document.id for document in expected] == ["item-0", "a", "mine", "d", "item-0"]
    for several in (items, tuple(items), iter(items)):
        documents = rx(several)
        assert [document.sentences for document in documents[:-1]] == [document.sentences for document in expected[:-1]]
        assert [document.id for document in documents] == ["item-0", "a", "mine", "d", "item-4"]
    assert rx(np.array(["Bo left.", "Ada left."])) == rx(["Bo left.", "Ada left."])
    assert rx([]) == []


def test_documents_and_sentences_are_the_same_results(rx: RelationExtractor):
    items: list[Any] = [TEXT, {"text": "Ada left."}]
    documents = list(rx.documents(items))
    assert documents == rx(items)
    assert rx.predict(items) == list(rx.stream(items)) == [sentence for document in documents for sentence in document.sentences]


def test_an_empty_text_gives_an_empty_document_in_its_place(rx: RelationExtractor):
    with pytest.warns(UserWarning, match=r"2 empty texts \(kept, as documents without sentences\) \(first: item 0\)"):
        documents = rx(["", "Ada left.", " \n"])
    assert [len(document.sentences) for document in documents] == [0, 1, 0]
    assert documents[2] == Document("item-2", (), " \n")
    assert documents[2].relations == documents[2].entities == ()


ANY = st.characters(exclude_categories=("Cs",), exclude_characters="\0")


@given(st.text(st.one_of(ANY, st.sampled_from("Ada Bo Acme. 😀\u05d0\u0645\u202e\n")), max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_text_is_taken_and_its_entities_stand_where_they_are_said_to_stand(bundle: Bundle, text: str):
    source = EntitySource(("names",), {})
    rx = RelationExtractor(replace(bundle, entity_source=source), annotator=EntityAnnotators([Names()], {"PERSON": "PER", "FIRM": "ORG"}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of words and types that the model does not know
        document = rx(f"Ada and {text} Acme .")
    assert document.text is not None
    assert document.entities[0].text == "Ada"
    for entity in document.entities:
        assert document.text[entity.start : entity.end] == entity.text


# ---- in bounded memory


def test_documents_come_one_by_one_while_the_input_has_no_end(rx: RelationExtractor):
    taken = 0

    def endless() -> Iterator[str]:
        nonlocal taken
        for text in repeat("Ada left."):
            taken += 1
            yield text

    documents = rx.documents(endless())
    assert next(documents).id == "item-0"
    assert taken <= SENTENCES_AT_ONCE + 1


def test_an_endless_input_of_empty_texts_gives_documents_too(rx: RelationExtractor):
    assert next(rx.documents(repeat(""))).sentences == ()


def test_sentences_are_annotated_many_at_once(rx: RelationExtractor, names: Names):
    rx([TEXT, "Ada left."])
    assert names.calls == [["item-0-0", "item-0-1", "item-1"]]


@pytest.mark.parametrize("broken", [b"Ada", 3, None])
def test_what_stands_before_a_broken_item_comes_first(rx: RelationExtractor, broken: Any):
    documents = rx.documents([TEXT, "Ada left.", broken])
    assert [next(documents).id, next(documents).id] == ["item-0", "item-1"]
    with pytest.raises(DataError, match=r"^item 2: expected a text, a Sentence, a Document or a mapping"):
        next(documents)


# ---- where entities come from

GIVEN = [{"start": 0, "end": 3, "type": "PER"}]  # Ada, and nobody else


def test_entities_that_an_item_brings_are_kept_and_others_are_found(rx: RelationExtractor, names: Names):
    sentence = Sentence("s", ("Ada", "left", "Acme"))
    items: list[Any] = [
        {"text": TEXT, "entities": GIVEN}, {"text": TEXT, "entities": []}, {"text": "Ada left Acme.", "entities": None}, sentence,
        replace(sentence, entities=(Entity(0, 1, "PER"),)), Document("d", (sentence, replace(sentence, entities=(Entity(0, 1, "PER"),)))),
    ]  # fmt: skip
    both = [("Ada", "PER"), ("Acme", "ORG")]
    assert [found_in(document) for document in rx(items)] == [both[:1], [], both, both, both[:1], both[:1]]
    assert names.calls == [["item-2", "s"]]


def test_all_entities_are_found_anew_or_none_if_one_says_so(rx: RelationExtractor):
    item = {"text": TEXT, "entities": GIVEN, "tagged": GIVEN}
    document = rx(item, entities="predicted")
    assert len(document.entities) == 4
    assert document.sentences[0].tagged is None
    assert found_in(rx(item, entities="gold")) == [("Ada", "PER")]
    for bare in ("Ada left.", {"text": "Ada left."}):
        with pytest.raises(
            DataError, match=r'entities="gold" relates given entities and finds none: give them, .* or leave the option out'
        ):
            rx(bare, entities="gold")
    with pytest.raises(ConfigError, match="entities: expected gold or predicted, got 'silver'"):
        rx("Ada left.", entities="silver")  # type: ignore[call-overload]


def test_types_that_the_model_never_saw_and_what_the_table_leaves_out_are_named(rx: RelationExtractor):
    with pytest.warns(UserWarning, match="relsift: ") as caught:
        rx("Ada left Oslo on Tuesday.")
    assert sorted(str(warning.message) for warning in caught) == [
        "relsift: entity types never seen in training, tagged as no entity: PLACE (1)",
        "relsift: left out or changed: 1 entity of types that the type table leaves out",
    ]
    assert {warning.filename for warning in caught} == {__file__}
    assert rx("Ada left.").relations == ()  # nothing new to say
    report = InferenceReport()
    rx.predict(["Ada left Oslo on Tuesday."], report=report)
    assert report.unseen_types == {"PLACE": 1}


@pytest.mark.parametrize(
    "call", [lambda rx, items: rx(items), lambda rx, items: rx.predict(items), lambda rx, items: list(rx.documents(items))]
)
def test_warnings_point_to_the_line_of_the_user_whatever_was_called(rx: RelationExtractor, call: Callable[..., Any]):
    with pytest.warns(UserWarning, match="1 empty text") as caught:
        call(rx, [""])
    assert caught[0].filename == __file__


def test_an_extractor_with_an_annotator_says_that_it_finds_entities(rx: RelationExtractor, bundle: Bundle):
    assert rx.finds_entities
    assert rx.with_threshold(0.5).annotator is rx.annotator
    assert not RelationExtractor(bundle).finds_entities
    assert RelationExtractor(bundle).annotator is None


def test_an_annotator_that_is_not_installed_is_missed_only_by_texts_without_entities(bundle: Bundle):
    rx = RelationExtractor(replace(bundle, entity_source=EntitySource(("patterns:nowhere.jsonl",))))
    assert rx.finds_entities
    assert len(rx({"text": TEXT, "entities": GIVEN}).entities) == 1
    with pytest.raises(ConfigError, match="nowhere"):
        rx(TEXT)


def test_a_model_that_finds_nothing_says_how_to_find_entities(bundle: Bundle):
    rx = RelationExtractor(bundle)
    what_to_do = (
        "give them, as in .*, or let them be found: entities_from=… of from_pretrained names an annotator, and `relsift train --model"
    )
    for call in (lambda: rx(TEXT), lambda: rx([TEXT]), lambda: rx.predict([{"text": TEXT}]), lambda: rx.predict(TEXT)):
        with pytest.raises(DataError, match=what_to_do):
            call()
    with pytest.raises(ConfigError, match="entities: expected gold, for a model that finds no entities"):
        rx(TEXT, entities="predicted")


# ---- loading


def test_annotators_are_named_when_loading_and_saved_with_the_model(bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    RelationExtractor(bundle).save_pretrained(tmp_path / "bare")
    patterns = tmp_path / "names.jsonl"
    lines = ('{"label": "PERSON", "pattern": "Ada"}', '{"label": "FIRM", "pattern": "Acme"}')
    patterns.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    rx = RelationExtractor.from_pretrained(tmp_path / "bare", threshold=-1e9, entities_from=[f"patterns:{patterns}"], types=TYPES)
    assert found_in(rx("Ada left Acme .")) == [("Ada", "PER"), ("Acme", "ORG")]
    rx.save_pretrained(tmp_path / "with")
    again = RelationExtractor.from_pretrained(tmp_path / "with")
    assert again.finds_entities
    assert again("Ada left Acme .") == rx("Ada left Acme .")
    renamed = RelationExtractor.from_pretrained(tmp_path / "with", types={"PERSON": "ORG", "FIRM": None})
    with pytest.warns(UserWarning, match="1 entity of types that the type table leaves out"):
        assert found_in(renamed("Ada left Acme .")) == [("Ada", "ORG")]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"entities_from": "patterns:x"}, r"entities_from: expected a list of annotators, got 'patterns:x'; write \['patterns:x'\]"),
        ({"types": {"A": "B"}}, "types: expected annotators whose types to rename, got none"),
        ({"entities_from": ["patterns:nowhere.jsonl"]}, "nowhere.jsonl"),
        ({"entities_from": [""]}, "entities"),
        ({"entities_from": [3]}, r"entities\.specs: expected one annotator or more, as texts .* got \(3,\)"),
        ({"entities_from": 3}, "entities_from: expected a list of annotators, .* got 3"),
        ({"entities_from": ["lac"], "types": {"ORG": 3}}, r"entities\.types: expected a table of types .* got \{'ORG': 3\}"),
        ({"entities_from": ["lac"], "types": ["a"]}, r"entities\.types: expected a table of types .* got \['a'\]"),
        ({"entities_from": ["lac"], "types": {3: "A"}}, r"entities\.types: expected a table of types .* got \{3: 'A'\}"),
    ],
)
def test_annotators_that_cannot_be_used_are_refused_when_loading(bundle: Bundle, tmp_path: Path, options: dict[str, Any], message: str):
    RelationExtractor(bundle).save_pretrained(tmp_path / "model")
    with pytest.raises(ConfigError, match=message):
        RelationExtractor.from_pretrained(tmp_path / "model", **options)


# ---- what it refuses


class Frame:
    """As data frames are: iterating gives names of columns."""

    columns = ("text",)

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (b"Ada", r"^rx\(item\): expected a text, .* got bytes; decode it: item.decode"),
        (3, r"^rx\(item\): expected a text, .* got int$"),
        (None, r"^rx\(item\): expected a text, .* got NoneType$"),
        (["Ada left.", float("nan")], "^item 1: expected a text, .* got float$"),
        ([["Ada left."]], "^item 0: expected a text, .* got list$"),
        (["a \ud83d"], r"^item 0: expected whole characters, got half of one, the lone surrogate '\\ud83d'"),
        ("a \ud83d", r"^rx\(item\): expected whole characters"),
        (["Ada left.\0"], r"^item 0: expected text, got the character U\+0000 in 'Ada left\.\\x00'"),
        ("\0", r"^rx\(item\): expected text, got the character U\+0000"),
        ({"text": "Ada", "entities": [{"start": 0, "end": 3, "type": "\0"}]}, r"^rx\(item\): expected text, got the character U\+0000"),
        (Frame(), r'^items: expected a list of items, got one Frame; give the column that holds the texts, as in rx\(frame\["text"\]\)'),
        (np.array("Ada left."), "^items: expected a list of items, got one ndarray"),
        ([{"text": "Ada", "entities": [(0, 3, "PER")]}], "^item 0: entity 0: expected an object"),
        ({"txt": "Ada"}, r"""^rx\(item\): expected "text" or "tokens", got keys txt; did you mean 'text' by 'txt'\?$"""),
        ([{"body": "Ada", "id": "1"}], '^item 0: expected "text" or "tokens", got keys body, id$'),
        ({}, r'^rx\(item\): expected "text" or "tokens", got keys none$'),
    ],
)
def test_other_input_is_refused_with_the_number_of_the_item(rx: RelationExtractor, items: Any, message: str):
    with pytest.raises(DataError, match=message):
        rx(items)
