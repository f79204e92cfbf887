"""Tokens of a corpus against those of raw text: what is counted, and sentences that get ours in place of theirs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from relsift.annotators.own_tokens import ADVICE, token_fit, with_own_tokens
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.text import tokenise

TREEBANK = Sentence(
    "s", ("Ada", "left", "U.S.", "soil", "'s", "port"), (Entity(0, 1, "PER"), Entity(2, 3, "LOC")), (Relation(0, 1, "left"),)
)  # fmt: skip


def test_tokens_that_are_cut_otherwise_and_ends_inside_a_token_are_counted():
    fit = token_fit([TREEBANK])
    # Ours: Ada left U . S . soil ' s port. "U.S." and "'s" are none of these; no entity ends inside one of them.
    assert (fit.tokens, fit.other, fit.edges, fit.inside) == (6, 2, 4, 0)
    assert fit.lines() == [
        "tokens: 33.3 % of the 6 tokens of the training data are cut otherwise in raw text, and 0.0 % of the 4 ends of entities lie "
        f"inside a token there; {ADVICE}"
    ]
    halves = token_fit([Sentence("s", ("Ada", "Mill"), offsets=((0, 3), (3, 7)), original="AdaMill", entities=(Entity(1, 2, "X"),))])
    assert (halves.tokens, halves.other, halves.edges, halves.inside) == (2, 2, 2, 1)


def test_nothing_is_said_of_tokens_that_are_ours_and_no_advice_is_given_for_a_few():
    assert token_fit([Sentence("s", ("Ada", "left", "."))]).lines() == []
    (line,) = token_fit([Sentence("s", ("Ada",) * 99 + ("U.S.",))]).lines()
    assert line.startswith("tokens: 1.0 %") and ADVICE not in line


def test_a_sentence_gets_our_tokens_and_keeps_entities_relations_and_text():
    cut = with_own_tokens(TREEBANK)
    assert cut.tokens == ("Ada", "left", "U", ".", "S", ".", "soil", "'", "s", "port")
    assert [(entity.start, entity.end) for entity in cut.entities] == [(0, 1), (2, 6)]
    assert (cut.relations, cut.text, cut.text_of(cut.entities[1])) == (TREEBANK.relations, TREEBANK.text, "U.S.")
    text = "In the U.S."
    (sentence,) = Document("d", (Sentence("s", ("the", "U.S."), (Entity(1, 2, "LOC"),), offsets=((3, 6), (7, 11))),), text).sentences
    placed = with_own_tokens(sentence)
    assert placed.offsets == ((3, 6), (7, 8), (8, 9), (9, 10), (10, 11)) and placed.original == "the U.S."
    assert placed.text_of(placed.entities[0]) == "U.S."


@given(st.lists(st.text(st.sampled_from("aB1.é́'京"), min_size=1, max_size=5), min_size=1, max_size=8), st.data())
def test_every_entity_keeps_its_characters_and_tokens_end_at_its_ends(tokens, data):
    start = data.draw(st.integers(0, len(tokens) - 1))
    end = data.draw(st.integers(start + 1, len(tokens)))
    text = " ".join(tokens)
    places = [len(" ".join(tokens[:number])) + (number > 0) for number in range(len(tokens))]
    offsets = tuple((place, place + len(token)) for place, token in zip(places, tokens))
    sentence = Sentence("s", tuple(tokens), (Entity(start, end, "X"),), offsets=offsets, original=text)
    cut = with_own_tokens(sentence)
    assert cut.text_of(cut.entities[0]) == sentence.text_of(sentence.entities[0])
    assert list(cut.offsets or ()) == tokenise(text)  # a blank stands between tokens, so no end lies inside one of ours
