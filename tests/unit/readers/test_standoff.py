"""Character offsets become token spans that cover exactly the mention, or the loss is counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets, same_words
from relsift.schema import Document, RelationAcross


def build(
    text: str, entities: list[TextEntity], relations: list[TextRelation] | None = None, report: ReadReport | None = None
) -> Document:
    return document_from_offsets("d", text, entities, relations, report or ReadReport(), where="file")


def test_tokens_are_cut_at_the_edges_of_a_mention_inside_a_word():
    document = build("pretreatment", [TextEntity("T1", 3, 8, "X")])
    assert document.sentences[0].tokens == ("pre", "treat", "ment")
    assert document.sentences[0].entities[0].chars == (3, 8)


def test_blanks_at_the_edges_of_a_mention_belong_to_no_token():
    document = build("It rained. Ada left.", [TextEntity("T1", 10, 15, "X")])
    assert [s.tokens for s in document.sentences] == [("It", "rained", "."), ("Ada", "left", ".")]
    entity = document.sentences[1].entities[0]
    assert (entity.start, entity.end, entity.chars) == (0, 1, (11, 14))


def test_no_relations_means_annotated_and_none_means_not_annotated():
    assert build("Ada left.", [], []).sentences[0].relations == ()
    assert build("Ada left.", [], None).sentences[0].relations is None


def test_relations_that_cannot_be_held_are_counted():
    entities = [TextEntity("a", 0, 3, "X"), TextEntity("b", 8, 10, "X"), TextEntity("c", 12, 14, "X")]
    relations = [TextRelation(*ends, "r") for ends in (("a", "b"), ("a", "b"), ("a", "a"), ("a", "c"))]
    report = ReadReport()
    document = build("Ada met Bo. It left.", entities, relations, report)
    assert [len(s.relations or ()) for s in document.sentences] == [1, 0]
    assert document.across == (RelationAcross((0, 0), (1, 0), "r"),)  # a is the first entity of "Ada met Bo.", c that of "It left."
    assert report.dropped == {
        "duplicate relations": 1,
        "relations of an entity with itself": 1,
        "relations across sentences": 1,
    }
    assert report.lost_relations == {"r": 2}  # a duplicate is not lost: the first one is there


def test_the_place_of_a_relation_across_sentences_ends_in_the_readers_hint():
    entities = [TextEntity("a", 0, 3, "X"), TextEntity("b", 5, 7, "X")]
    report = ReadReport()
    document_from_offsets("d", "Ada.\nBo", entities, [TextRelation("a", "b", "r")], report, where="file", split_hint="; try this")
    assert report.examples == {"relations across sentences": ["file: r a b; try this"]}


def test_sentences_without_tokens_do_not_count_for_relations_across():
    entities = [TextEntity("a", 0, 3, "X"), TextEntity("b", 6, 8, "X")]
    document = document_from_offsets(
        "d", "Ada.\n\nBo", entities, [TextRelation("b", "a", "r")], ReadReport(), where="file", sentences=[(0, 4), (4, 6), (6, 9)]
    )
    assert [s.tokens for s in document.sentences] == [("Ada", "."), ("Bo",)]
    assert document.across == (RelationAcross((1, 0), (0, 0), "r"),)


def test_a_mention_that_ends_inside_a_character_covers_the_whole_of_it():
    document = build("Rene\u0301 ran", [TextEntity("T1", 0, 4, "X")])
    (sentence,) = document.sentences
    assert sentence.tokens == ("Rene\u0301", "ran")
    assert (sentence.entities[0].start, sentence.entities[0].end, sentence.entities[0].chars) == (0, 1, (0, 4))


def test_an_entity_across_given_sentences_is_counted_with_its_relations():
    report = ReadReport()
    entities = [TextEntity("a", 0, 7, "X"), TextEntity("b", 4, 7, "X")]
    document = document_from_offsets(
        "d", "Ada Bob", entities, [TextRelation("a", "b", "r")], report, where="file", sentences=[(0, 3), (4, 7)]
    )
    assert [len(s.entities) for s in document.sentences] == [0, 1]
    assert report.dropped == {"entities that cross a sentence boundary": 1, "relations of a dropped entity": 1}


@pytest.mark.parametrize(
    ("entities", "message"),
    [
        ([TextEntity("a", 0, 99, "X")], r"file: entity a: expected 0 <= start < end <= 9 characters, got 0\.\.99"),
        ([TextEntity("a", 2, 2, "X")], r"file: entity a: expected 0 <= start < end"),
        ([TextEntity("a", 3, 4, "X")], r"file: entity a: expected some text at 3\.\.4, got only blanks"),
        ([TextEntity("a", 0, 1, "X"), TextEntity("a", 1, 2, "X")], r"file: expected each entity id once, got 'a' twice"),
    ],
)
def test_broken_entities_are_refused(entities: list[TextEntity], message: str):
    with pytest.raises(DataError, match=message):
        build("Ada left.", entities)


def test_a_relation_to_an_unknown_id_is_refused():
    with pytest.raises(DataError, match="file: relation r: expected the id of an entity as tail, got 'z'"):
        build("Ada left.", [TextEntity("a", 0, 3, "X")], [TextRelation("a", "z", "r")])


def test_words_are_the_same_whatever_their_blanks():
    assert same_words("Old\nMill", "Old Mill")
    assert same_words("老 师", "老师")
    assert not same_words("Old Mill", "Old Mills")


def test_words_are_the_same_in_any_normal_form():
    assert same_words("Ren\u00e9 B", "Rene\u0301B")
    assert same_words("Rene\u0301", "Ren\u00e9")
    assert not same_words("Ren\u00e9", "Rene")


MARKS = "\u0301\u093e\u200d\u200b\u00ad\u0600\U0001f3fd"  # attached to the character before, or behind
MARKED = st.text(st.sampled_from(list(f"ab C1.!?。\n汉\U0001f1e9\U0001f469{MARKS}")), min_size=1, max_size=30)


@given(MARKED, st.lists(st.tuples(st.integers(0, 29), st.integers(1, 12)), max_size=5), st.booleans())
def test_an_entity_covers_at_least_its_characters_among_marks(text: str, spans: list[tuple[int, int]], characters: bool):
    entities = [
        TextEntity(f"T{number}", start, min(start + size, len(text)), "X")
        for number, (start, size) in enumerate(spans)
        if text[start : start + size].strip()
    ]
    report = ReadReport()
    document = document_from_offsets("d", text, entities, [], report, where="file", characters=characters)
    assert not report.dropped
    tokens = [token for sentence in document.sentences for token in sentence.tokens]
    assert "".join(tokens) == "".join(text.split())
    assert sum(len(sentence.entities) for sentence in document.sentences) == len(entities)
    for sentence in document.sentences:
        assert sentence.offsets is not None
        for entity in sentence.entities:
            assert entity.chars is not None
            covered = {i for a, b in sentence.offsets[entity.start : entity.end] for i in range(a, b)}
            assert covered >= {i for i in range(*entity.chars) if not text[i].isspace()}


@given(
    st.text(st.sampled_from(list("ab C1.!?。”…\n\t 汉字é—\U0001f600\U00020000")), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 39), st.integers(1, 12)), max_size=5),
    st.booleans(),
)
def test_an_entity_covers_exactly_its_characters(text: str, spans: list[tuple[int, int]], characters: bool):
    entities = [
        TextEntity(f"T{number}", start, min(start + size, len(text)), "X")
        for number, (start, size) in enumerate(spans)
        if text[start : start + size].strip()
    ]
    report = ReadReport()
    document = document_from_offsets("d", text, entities, [], report, where="file", characters=characters)
    assert not report.dropped
    num_entities = 0
    for sentence in document.sentences:
        assert sentence.offsets is not None
        for entity in sentence.entities:
            assert entity.chars is not None
            covered = {i for a, b in sentence.offsets[entity.start : entity.end] for i in range(a, b)}
            assert covered == {i for i in range(*entity.chars) if not text[i].isspace()}
            num_entities += 1
    assert num_entities == len(entities)
