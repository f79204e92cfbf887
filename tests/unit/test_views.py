"""Entities and relations as users read them: text and characters, for any tokens, with and without the original text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.readers.base import ReadReport
from relsift.readers.native import document_of
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.views import EntityView, RelationView
from strategies import documents

# characters: Ada 0-3, 😀 4, a blank, Zoë 6-9, a line break, 北京 10-12
TEXT = "Ada 😀 Zoë\n北京"
SENTENCE = Sentence(
    "s", ("Ada", "😀", "Zoë", "北", "京"), (Entity(0, 1, "PER", score=1.5), Entity(2, 5, "ORG", "club", "z")),
    (Relation(1, 0, "knows", 0.25),), offsets=((0, 3), (4, 5), (6, 9), (10, 11), (11, 12)),
)  # fmt: skip


@given(documents())
def test_the_characters_of_every_entity_and_relation_are_its_text(document: Document):
    ends = [end for found in document.relations for end in (found.head, found.tail)]
    for entity in (*document.entities, *ends):
        if document.text is None:
            assert (entity.start, entity.end) == (None, None)
        else:
            assert document.text[entity.start : entity.end] == entity.text
    assert len(document.entities) == sum(len(sentence.entities) for sentence in document.sentences)
    assert len(document.relations) == sum(len(sentence.relations or ()) for sentence in document.sentences)


@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=40), st.data())
def test_characters_lead_back_to_any_text_that_was_read(text: str, data: st.DataObject):
    places = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    spans = data.draw(st.lists(places.filter(lambda span: text[span[0] : span[1]].strip()), max_size=3)) if text.strip() else []
    mentions = [{"start": start, "end": end, "type": "X"} for start, end in spans]
    document = document_of({"text": text, "entities": mentions}, "here", ReadReport(), key="d")
    for entity in document.entities:
        assert entity.start is not None and entity.text
        assert text[entity.start : entity.end] == entity.text


def test_a_view_has_what_its_entity_and_relation_have():
    document = Document("d", (SENTENCE,), TEXT)
    [found] = document.relations
    assert (found.head.text, found.head.start, found.head.end) == ("Zoë\n北京", 6, 12)
    assert (found.head.type, found.head.subtype, found.head.id, found.head.score) == ("ORG", "club", "z", None)
    assert (found.tail.text, found.tail.start, found.tail.end, found.tail.score) == ("Ada", 0, 3, 1.5)
    assert (found.type, found.score, found.probability, found.pair) == ("knows", 0.25, None, (1, 0))
    assert found.sentence is document.sentences[0]
    assert document.entities == (found.tail, found.head)
    assert RelationView(SENTENCE, Relation(0, 1, "knows", 0.0, 0.5)).probability == 0.5


def test_without_the_original_text_there_are_no_characters_but_words():
    for document in (Document("d", (SENTENCE,)), Document("d", (Sentence("s", SENTENCE.tokens, SENTENCE.entities),))):
        assert [(entity.start, entity.end) for entity in document.entities] == [(None, None), (None, None)]
        assert document.entities[0].text == "Ada"


def test_sentences_that_are_not_annotated_have_no_relations():
    assert Document("d", (Sentence("s", ("a",)),)).relations == ()


@pytest.mark.parametrize(
    ("chars", "text", "span"),
    [
        ((7, 9), "oë", (7, 9)),  # finer than the token
        ((8, 20), "ë", (8, 9)),  # beyond the sentence
        ((0, 7), "Z", (6, 7)),
        ((0, 3), "", (6, 6)),  # all of it before the sentence
        ((11, 12), "", (9, 9)),
    ],
)
def test_characters_stay_inside_the_sentence(chars: tuple[int, int], text: str, span: tuple[int, int]):
    sentence = Sentence("s", ("Zoë",), (Entity(0, 1, "PER", chars=chars),), offsets=((6, 9),))
    [entity] = Document("d", (sentence,), TEXT).entities
    assert (entity.text, (entity.start, entity.end)) == (text, span)
    assert TEXT[slice(*span)] == text


def test_views_show_themselves_in_few_words():
    document = Document("d", (SENTENCE,), TEXT)
    assert repr(document.entities) == "(<PER 'Ada' 0:3>, <ORG 'Zoë\\n北京' 6:12>)"
    assert repr(document.relations) == "(<'Zoë\\n北京' knows 'Ada' score 0.25>,)"
    assert repr(EntityView(SENTENCE, SENTENCE.entities[0])) == "<PER 'Ada'>"
    assert repr(RelationView(SENTENCE, Relation(0, 1, "knows"))) == "<'Ada' knows 'Zoë 北京'>"
