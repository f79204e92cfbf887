"""A value that exists is valid: what the data model refuses, and how readable text is made of tokens."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given

from relsift.errors import DataError
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence, Syntax, sentences_of
from relsift.token_text import is_cjk, join_tokens
from strategies import sentences

TOKENS = ("Ada", "founded", "Acme", "Ltd")
ENTITIES = (Entity(0, 1, "PER"), Entity(2, 4, "ORG"))


@pytest.mark.parametrize(
    ("entity", "message"),
    [
        (Entity(2, 2, "PER"), "start 2, end 2"),  # empty
        (Entity(3, 2, "PER"), "start 3, end 2"),  # backwards
        (Entity(-1, 1, "PER"), "start -1, end 1"),
        (Entity(3, 5, "PER"), "expected 0 <= start < end <= 4 tokens, got start 3, end 5"),
        (Entity(0, 1, ""), "expected a type, got an empty string"),
    ],
)
def test_entity_outside_its_sentence_or_without_type_is_refused(entity: Entity, message: str):
    with pytest.raises(DataError, match=f"sentence 's', entity 0: .*{message}"):
        Sentence("s", TOKENS, (entity,))


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        (Relation(0, 2, "r"), r"expected a tail in 0..1 \(2 entities\), got 2"),
        (Relation(-1, 1, "r"), "expected a head in 0..1 .*, got -1"),
        (Relation(1, 1, "r"), "expected two different entities, got 1 twice"),
        (Relation(0, 1, ""), "expected a type, got an empty string"),
    ],
)
def test_relation_without_two_entities_or_type_is_refused(relation: Relation, message: str):
    with pytest.raises(DataError, match=f"sentence 's', relation 1: {message}"):
        Sentence("s", TOKENS, ENTITIES, (Relation(0, 1, "r"), relation))


@pytest.mark.parametrize(
    ("relation", "message"),
    [
        (RelationAcross((0, 0), (2, 0), "r"), r"expected a tail in sentence 0..1 \(2 sentences\), got sentence 2"),
        (RelationAcross((1, 1), (0, 0), "r"), r"expected a head in 0..0 \(1 entities of sentence 1\), got 1"),
        (RelationAcross((0, 0), (0, 1), "r"), "expected entities of two sentences, got two of sentence 0"),
        (RelationAcross((0, 0), (1, 0), ""), "expected a type, got an empty string"),
    ],
)
def test_relation_across_sentences_without_two_entities_or_type_is_refused(relation: RelationAcross, message: str):
    both = (Sentence("s", TOKENS, ENTITIES), Sentence("t", TOKENS, ENTITIES[:1]))
    with pytest.raises(DataError, match=f"document 'd', relation 1 across sentences: {message}"):
        Document("d", both, across=(RelationAcross((0, 0), (1, 0), "r"), relation))


def test_sentence_without_tokens_or_with_an_empty_one_is_refused():
    with pytest.raises(DataError, match="at least one token, got none"):
        Sentence("s", ())
    with pytest.raises(DataError, match="got an empty one at 1"):
        Sentence("s", ("Ada", "", "left"))


def test_offsets_are_one_a_token_and_lie_in_the_text():
    with pytest.raises(DataError, match=r"one offset per token \(4\), got 1"):
        Sentence("s", TOKENS, offsets=((0, 3),))
    with pytest.raises(DataError, match=r"inside the text of 3 characters, got 0\.\.4"):
        Document("d", (Sentence("s", ("Ada",), offsets=((0, 4),)),), "Ada")
    with pytest.raises(DataError, match=r"got 2\.\.2"):
        Document("d", (Sentence("s", ("Ada",), offsets=((2, 2),)),), "Ada")


def test_nested_and_equal_spans_are_valid():
    sentence = Sentence("s", TOKENS, (Entity(0, 4, "ORG"), Entity(0, 1, "PER"), Entity(0, 1, "ORG")), (Relation(1, 2, "r"),))
    assert [sentence.text_of(entity) for entity in sentence.entities] == ["Ada founded Acme Ltd", "Ada", "Ada"]


def test_not_annotated_and_annotated_without_relations_stay_apart():
    sentence = Sentence("s", TOKENS, ENTITIES)
    assert sentence.relations is None
    assert sentence.with_relations([]).relations == ()
    assert sentence.with_relations([]).with_relations(None) == sentence
    assert sentence != sentence.with_relations([])


def test_with_relations_checks_the_new_relations():
    with pytest.raises(DataError, match="got 9"):
        Sentence("s", TOKENS, ENTITIES).with_relations([Relation(0, 9, "r")])


def test_values_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        ENTITIES[0].start = 3


@given(sentences())
def test_equal_content_is_equal_and_can_be_a_key(sentence: Sentence):
    same = Sentence(sentence.id, sentence.tokens, sentence.entities, sentence.relations)
    assert {sentence: 1}[same] == 1


@pytest.mark.parametrize(
    ("tokens", "text"),
    [
        (("Ada", "left"), "Ada left"),
        (("张", "伟", "创办", "公司"), "张伟创办公司"),
        (("张伟", "，", "CEO", "of", "公司"), "张伟，CEO of 公司"),  # a full-width mark has its own blank
        (("Fig", ".", "1", "(", "b", ")", ",", "5", "%"), "Fig. 1 (b), 5%"),
        (("Bo", "'s", "cost", ":", "$", "5", "[", "x", "]", "!"), "Bo's cost: $5 [x]!"),
        (("He", "costs", ".5"), "He costs .5"),  # a number, no closing mark
        (("x", " ", "y", "\n", "z"), "x y\nz"),  # blank tokens are blanks themselves
        ((), ""),
    ],
)
def test_tokens_are_set_as_in_print_where_the_original_text_is_unknown(tokens: tuple[str, ...], text: str):
    assert join_tokens(tokens) == text
    if tokens:
        sentence = Sentence("s", tokens, (Entity(0, len(tokens), "X"),))
        assert (sentence.text, sentence.text_of(sentence.entities[0])) == (text, text)


def test_a_sentence_of_a_document_with_text_knows_its_own_part_of_it():
    # "A.  di-\ninterstitial (x)" : the sentence begins at 4; a line break stands inside, and no blank beside the hyphen or the brackets
    text = "A.  di-\ninterstitial (x)"
    offsets = ((4, 6), (6, 7), (8, 20), (21, 22), (22, 23), (23, 24))
    mention, inside = Entity(0, 3, "X"), Entity(2, 3, "X", chars=(8, 13))
    sentence = Sentence("s", ("di", "-", "interstitial", "(", "x", ")"), (mention, inside), offsets=offsets)
    assert sentence.text == "di- interstitial (x)"  # without the text, offsets say where a blank stands
    document = Document("d", (sentence,), text)
    (known,) = document.sentences
    assert (known.text, known.original) == ("di-\ninterstitial (x)",) * 2
    assert [known.text_of(entity) for entity in known.entities] == ["di-\ninterstitial", "inter"]
    assert known.with_relations([]).text == known.text
    assert Document("d", (known,), text) == document


def test_the_original_text_of_a_sentence_has_the_length_of_its_offsets_and_is_that_of_its_document():
    with pytest.raises(DataError, match=r"original text of 4 characters, got offsets from 0 to 3"):
        Sentence("s", ("Ada",), offsets=((0, 3),), original="Ada.")
    with pytest.raises(DataError, match="got no offsets"):
        Sentence("s", ("Ada",), original="Ada")
    with pytest.raises(DataError, match=r"expected its own text at 0\.\.3 of the document's, got 'Bob'"):
        Document("d", (Sentence("s", ("Ada",), offsets=((0, 3),), original="Ada"),), "Bob")


def test_full_width_punctuation_and_rare_ideographs_count_as_chinese():
    assert all(map(is_cjk, "中，。！（𠀀"))
    assert not any(map(is_cjk, "aé,.1 “\u3000"))


def test_sentences_of_keeps_the_order_of_documents():
    first, second, third = (Sentence(key, ("x",)) for key in "abc")
    documents = [Document("1", (first, second)), Document("2", ()), Document("3", (third,))]
    assert list(sentences_of(documents)) == [first, second, third]


# ---- dependency trees


def syntax(*heads: int) -> Syntax:
    return Syntax(heads, ("dep",) * len(heads), ("N",) * len(heads))


def test_trees_may_have_several_roots():
    assert syntax(-1, 0, -1, 2).heads == (-1, 0, -1, 2)


@pytest.mark.parametrize(
    ("heads", "message"),
    [
        ((-1, 2, 1), r"token 1: expected trees, got a cycle of heads through tokens \[1, 2\]"),
        ((1, 2, 3, 1), r"token 1: expected trees, got a cycle of heads through tokens \[1, 2, 3\]"),
        ((-1, 1), "token 1: expected another token 0..1 as head, or -1 for a root, got 1"),
        ((-2,), "token 0: expected another token"),
        ((-1, 2), "token 1: expected another token"),
    ],
)
def test_heads_that_are_no_trees_are_refused_with_their_place(heads, message):
    with pytest.raises(DataError, match=message):
        syntax(*heads)


def test_every_token_has_a_head_a_label_and_a_part_of_speech():
    with pytest.raises(DataError, match="expected one of pos for each of 2 heads, got 1"):
        Syntax((-1, 0), ("root", "obj"), ("N",))
    with pytest.raises(DataError, match=r"sentence 's': expected one head per token \(1\), got 2"):
        Sentence("s", ("Ada",), syntax=syntax(-1, 0))


def test_a_sentence_keeps_its_trees_when_its_relations_change():
    sentence = Sentence("s", ("Ada", "left"), syntax=syntax(1, -1))
    assert sentence.with_relations(()).syntax == sentence.syntax


def test_tagged_entities_are_checked_like_entities_and_stay_with_the_sentence():
    for wrong, message in ((Entity(2, 9, "PER"), "got start 2, end 9"), (Entity(0, 1, ""), "expected a type, got an empty string")):
        with pytest.raises(DataError, match=rf"sentence 's', tagged entity 1: .*{message}"):
            Sentence("s", TOKENS, ENTITIES, tagged=(Entity(0, 1, "PER"), wrong))
    other = (Entity(0, 2, "ORG"),)
    assert Sentence("s", TOKENS, ENTITIES, tagged=other).with_relations([Relation(0, 1, "r")]).tagged == other
    assert [Sentence("s", TOKENS, ENTITIES, tagged=tagged).tag_entities for tagged in (None, (), other)] == [ENTITIES, (), other]
