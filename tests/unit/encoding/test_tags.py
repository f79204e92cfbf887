"""BIO tags of entities, redone by hand, and the other views of the tag input."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given

from relsift.encoding.tags import OUTSIDE, TagInput
from relsift.encoding.types import EntityTypes
from relsift.errors import DataError
from relsift.schema import Entity, Sentence
from strategies import sentences

# Entity types in order: ORG (B 1, I 2), PER (B 3, I 4); O is 0.
B_ORG, I_ORG, B_PER, I_PER = 1, 2, 3, 4
PLAIN = TagInput(EntityTypes(("ORG", "PER")))


def tags(*entities: Entity, size: int = 5) -> list[int]:
    return PLAIN.ids(Sentence("t", ("x",) * size, entities))


def test_bio_tags_of_entities_side_by_side():
    # [x x] PER  [x] ORG  x  [x] PER
    assert tags(Entity(0, 2, "PER"), Entity(2, 3, "ORG"), Entity(4, 5, "PER")) == [B_PER, I_PER, B_ORG, OUTSIDE, B_PER]


def test_two_adjacent_entities_of_one_type_stay_two():
    assert tags(Entity(0, 2, "PER"), Entity(2, 4, "PER")) == [B_PER, I_PER, B_PER, I_PER, OUTSIDE]


def test_nested_entities_show_the_outermost_whatever_their_order():
    outer, inner = Entity(1, 5, "ORG"), Entity(2, 3, "PER")
    assert tags(outer, inner) == tags(inner, outer) == [OUTSIDE, B_ORG, I_ORG, I_ORG, I_ORG]


def test_crossing_entities_show_the_longer_and_of_equally_long_ones_the_first_in_the_text():
    assert tags(Entity(0, 2, "PER"), Entity(1, 4, "ORG")) == [OUTSIDE, B_ORG, I_ORG, I_ORG, OUTSIDE]
    assert tags(Entity(1, 3, "ORG"), Entity(0, 2, "PER")) == [B_PER, I_PER, OUTSIDE, OUTSIDE, OUTSIDE]


def test_equal_spans_show_the_first_in_the_list():
    assert tags(Entity(0, 2, "ORG"), Entity(0, 2, "PER"))[:2] == [B_ORG, I_ORG]
    assert tags(Entity(0, 2, "PER"), Entity(0, 2, "ORG"))[:2] == [B_PER, I_PER]


def test_entity_types_never_seen_are_tagged_as_no_entity():
    assert tags(Entity(0, 2, "VEH"), Entity(3, 4, "PER")) == [OUTSIDE, OUTSIDE, OUTSIDE, B_PER, OUTSIDE]


def test_rows_of_the_tag_table_are_o_and_two_a_type():
    assert PLAIN.num_rows == 5


@given(sentences())
def test_every_tag_row_is_well_formed_bio(sentence: Sentence):
    types = EntityTypes(("LOC", "PER"))  # ORG was never seen
    row = TagInput(types).ids(sentence)
    assert len(row) == len(sentence.tokens)
    assert all(0 <= tag < 5 for tag in row)
    for before, tag in zip([OUTSIDE, *row], row):
        if tag and tag % 2 == 0:  # I continues B or I of its type
            assert before in (tag - 1, tag)
    spans = {(e.start, e.end, e.type) for e in sentence.entities}
    for start, tag in enumerate(row):
        if tag % 2 == 1:  # what the row shows is an entity of the sentence
            end = start + 1
            while end < len(row) and row[end] == tag + 1:
                end += 1
            assert (start, end, types.names[tag // 2]) in spans


# ---- what the tag input shows: rows 0 O, 1 B-ORG, 2 I-ORG, 3 B-PER, 4 I-PER


MIXED = Sentence("m", ("a", "b", "c", "d", "e", "f"), (Entity(0, 2, "PER"), Entity(3, 5, "ORG"), Entity(1, 2, "ORG"), Entity(5, 6, "PER")))


def test_untyped_tags_say_where_an_entity_begins_and_goes_on():
    assert PLAIN.ids(MIXED) == [3, 4, 0, 1, 2, 3]
    assert replace(PLAIN, view="untyped").ids(MIXED) == [1, 2, 0, 1, 2, 1]


def test_the_pairs_own_tags_and_those_of_the_others_by_hand():
    pair, others = replace(PLAIN, view="pair"), replace(PLAIN, view="others")
    assert pair.ids(MIXED, (1, 3)) == [0, 0, 0, 1, 2, 3]
    assert others.ids(MIXED, (1, 3)) == [3, 4, 0, 0, 0, 0]
    # Of a pair that overlaps the longer one is shown; without it, the inner one comes to light.
    assert pair.ids(MIXED, (2, 0)) == [3, 4, 0, 0, 0, 0]
    assert pair.ids(MIXED, (2, 1)) == [0, 1, 0, 1, 2, 0]
    assert others.ids(MIXED, (0, 1)) == [0, 1, 0, 0, 0, 3]


def test_constant_tags_are_all_outside():
    assert replace(PLAIN, view="constant").ids(MIXED) == [OUTSIDE] * 6


def drawing(view: str, seed: int = 0) -> TagInput:
    return replace(PLAIN, view=view, counts=(60, 10, 0, 25, 5), seed=seed)


LONG = Sentence("long", tuple(f"w{number % 5000}" for number in range(20_000)))


@pytest.mark.parametrize("view", ["random", "word"])
def test_drawn_tags_have_the_shares_of_the_training_data(view: str):
    seen = Counter(drawing(view).ids(LONG))
    draws = {"random": 20_000, "word": 5_000}[view]  # each word stands four times
    for tag, share in enumerate((0.6, 0.1, 0.0, 0.25, 0.05)):
        assert abs(seen[tag] / 20_000 - share) <= 5 * (share * (1 - share) / draws) ** 0.5  # five standard deviations


def test_a_word_has_one_tag_everywhere_and_a_random_tag_depends_on_text_and_place():
    turned = Sentence("t", LONG.tokens[::-1])
    word, noise = drawing("word"), drawing("random")
    assert word.ids(turned) == word.ids(LONG)[::-1]
    assert noise.ids(turned) != noise.ids(LONG)[::-1]
    assert noise.ids(LONG)[:5000] != noise.ids(LONG)[5000:10_000]
    assert noise.ids(replace(LONG, id="other")) == noise.ids(LONG)  # the same text is drawn for once


@pytest.mark.parametrize("view", ["random", "word"])
def test_drawn_tags_follow_the_seed(view: str):
    assert drawing(view, seed=1).ids(LONG) == drawing(view, seed=1).ids(LONG) != drawing(view, seed=2).ids(LONG)


def test_a_word_has_the_tag_of_its_lower_case_if_the_model_reads_lower_case():
    loud = Sentence("l", tuple(token.upper() for token in LONG.tokens))
    assert drawing("word").ids(loud) != drawing("word").ids(LONG)
    small = replace(drawing("word"), lowercase=True)
    assert small.ids(loud) == small.ids(LONG)


# ---- entities that a tagger found


def test_tags_show_the_tagged_entities_in_place_of_the_annotated_ones():
    tagged = replace(MIXED, tagged=(Entity(0, 1, "ORG"), Entity(2, 6, "PER"), Entity(3, 5, "ORG")))
    assert PLAIN.ids(tagged) == [1, 0, 3, 4, 4, 4]
    assert replace(PLAIN, view="untyped").ids(tagged) == [1, 0, 1, 2, 2, 2]
    assert PLAIN.ids(replace(MIXED, tagged=())) == [OUTSIDE] * 6


@pytest.mark.parametrize("view", ["pair", "others"])
def test_tagged_entities_and_tags_by_pair_exclude_each_other(view: str):
    tagged = replace(MIXED, tagged=())
    with pytest.raises(DataError, match=rf"sentence 'm': expected no tagged entities for encoding\.tags={view}, .*, got 0"):
        replace(PLAIN, view=view).ids(tagged, (0, 1))
