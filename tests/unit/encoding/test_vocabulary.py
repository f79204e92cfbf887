"""Words, BIO tags and labels as integers, redone by hand; what was never seen in training."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given

from relsift.encoding.encoding import Encoding
from relsift.encoding.tags import OUTSIDE
from relsift.encoding.trees import UNKNOWN_LABEL
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import CheckpointError, DataError
from relsift.schema import Entity, Relation, Sentence, Syntax
from strategies import sentences

# Entity types in order: ORG (B 1, I 2), PER (B 3, I 4); O is 0.
B_ORG, I_ORG, B_PER, I_PER = 1, 2, 3, 4
TRAINING = (
    Sentence("1", ("The", "the", "Ada"), (Entity(2, 3, "PER"), Entity(0, 2, "ORG")), (Relation(0, 1, "works_for"),)),
    Sentence("2", ("the", "ada", "ADA"), (), ()),
)


def tags(*entities: Entity, size: int = 5) -> list[int]:
    return Encoding.fit(TRAINING).tag_ids(Sentence("t", ("x",) * size, entities))


def test_frequent_words_come_first_and_equal_ones_in_alphabetical_order():
    encoding = Encoding.fit(TRAINING)
    assert encoding.words == ("the", "ADA", "Ada", "The", "ada")  # "the" twice, the others once
    assert encoding.word_ids(("the", "ada")) == [1, 5]
    assert encoding.num_words == 6


def test_unknown_words_are_zero():
    assert Encoding.fit(TRAINING).word_ids(["Oslo"]) == [UNKNOWN_WORD] == [0]


def test_lower_case_merges_spellings_before_they_are_counted_and_looked_up():
    encoding = Encoding.fit(TRAINING, lowercase=True)
    assert encoding.words == ("ada", "the")  # three each
    assert encoding.word_ids(["aDa"]) == [1]
    assert Encoding.fit(TRAINING).word_ids(["aDa"]) == [UNKNOWN_WORD]


def test_words_rarer_than_min_count_stay_unknown():
    assert Encoding.fit(TRAINING, min_count=2).words == ("the",)
    assert Encoding.fit(TRAINING, lowercase=True, min_count=3).words == ("ada", "the")
    assert Encoding.fit(TRAINING, min_count=4).words == ()


def test_training_data_without_relations_is_refused():
    with pytest.raises(DataError, match="expected sentences with relations, got none"):
        Encoding.fit([Sentence("1", ("a",), (Entity(0, 1, "PER"),))])


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
    assert Encoding.fit(TRAINING).type_id("VEH") == -1


def test_rows_of_the_tag_table_are_o_and_two_a_type():
    assert Encoding.fit(TRAINING).num_tags == 5


def test_relation_types_never_seen_are_refused():
    encoding = Encoding.fit(TRAINING)
    assert encoding.label_id("works_for") == 0
    with pytest.raises(DataError, match="expected one of works_for, got 'owns'"):
        encoding.label_id("owns")


def test_json_gives_the_encoding_back_and_broken_json_is_refused():
    encoding = Encoding.fit(TRAINING, lowercase=True)
    assert Encoding.from_json(json.loads(json.dumps(encoding.to_json()))) == encoding
    for broken in ({}, {"words": 1, "entity_types": [], "labels": [], "lowercase": True}, []):
        with pytest.raises(CheckpointError, match="expected words, entity_types, labels, lowercase"):
            Encoding.from_json(broken)


@given(sentences())
def test_every_tag_row_is_well_formed_bio(sentence: Sentence):
    encoding = Encoding((), ("LOC", "PER"), ("r",))  # ORG was never seen
    row = encoding.tag_ids(sentence)
    assert len(row) == len(sentence.tokens)
    assert all(0 <= tag < encoding.num_tags for tag in row)
    for before, tag in zip([OUTSIDE, *row], row):
        if tag and tag % 2 == 0:  # I continues B or I of its type
            assert before in (tag - 1, tag)
    spans = {(e.start, e.end, e.type) for e in sentence.entities}
    for start, tag in enumerate(row):
        if tag % 2 == 1:  # what the row shows is an entity of the sentence
            end = start + 1
            while end < len(row) and row[end] == tag + 1:
                end += 1
            assert (start, end, encoding.entity_types[tag // 2]) in spans


TREE = Syntax((1, -1, 1), ("subject", "root", "object"), ("N", "V", "N"))
PARSED = Sentence("p", ("Ada", "runs", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "runs"),), syntax=TREE)


def test_labels_of_trees_are_numbered_from_one_and_unknown_ones_are_zero():
    encoding = Encoding.fit([PARSED])
    assert (encoding.dependencies, encoding.pos) == (("object", "root", "subject"), ("N", "V"))
    assert (encoding.num_dependencies, encoding.num_pos) == (4, 3)
    assert encoding.syntax_ids(TREE) == ([3, 2, 1], [1, 2, 1])
    assert encoding.syntax_ids(Syntax((-1,), ("never",), ("seen",))) == ([UNKNOWN_LABEL], [UNKNOWN_LABEL]) == ([0], [0])


def test_a_model_that_reads_no_trees_does_not_know_their_labels():
    assert Encoding.fit([PARSED], syntax=False).dependencies == Encoding.fit(TRAINING).dependencies == ()


def test_trees_and_parser_go_through_json_and_encodings_saved_before_they_existed_still_load():
    encoding = Encoding.fit([PARSED], parser="en==1.0")
    assert Encoding.from_json(json.loads(json.dumps(encoding.to_json()))) == encoding
    old = Encoding.fit(TRAINING)
    assert set(old.to_json()) == {"words", "entity_types", "labels", "lowercase"}
    assert Encoding.from_json(json.loads(json.dumps(old.to_json()))) == old


# ---- what the tag input shows: rows 0 O, 1 B-ORG, 2 I-ORG, 3 B-PER, 4 I-PER


PLAIN = Encoding(("a",), ("ORG", "PER"), ("r",))
MIXED = Sentence("m", ("a", "b", "c", "d", "e", "f"), (Entity(0, 2, "PER"), Entity(3, 5, "ORG"), Entity(1, 2, "ORG"), Entity(5, 6, "PER")))


def test_untyped_tags_say_where_an_entity_begins_and_goes_on():
    assert PLAIN.tag_ids(MIXED) == [3, 4, 0, 1, 2, 3]
    assert replace(PLAIN, tags="untyped").tag_ids(MIXED) == [1, 2, 0, 1, 2, 1]


def test_the_pairs_own_tags_and_those_of_the_others_by_hand():
    pair, others = replace(PLAIN, tags="pair"), replace(PLAIN, tags="others")
    assert pair.tag_ids(MIXED, (1, 3)) == [0, 0, 0, 1, 2, 3]
    assert others.tag_ids(MIXED, (1, 3)) == [3, 4, 0, 0, 0, 0]
    # Of a pair that overlaps the longer one is shown; without it, the inner one comes to light.
    assert pair.tag_ids(MIXED, (2, 0)) == [3, 4, 0, 0, 0, 0]
    assert pair.tag_ids(MIXED, (2, 1)) == [0, 1, 0, 1, 2, 0]
    assert others.tag_ids(MIXED, (0, 1)) == [0, 1, 0, 0, 0, 3]


def test_constant_tags_are_all_outside():
    assert replace(PLAIN, tags="constant").tag_ids(MIXED) == [OUTSIDE] * 6


def drawing(tags: str, seed: int = 0) -> Encoding:
    return replace(PLAIN, tags=tags, tag_counts=(60, 10, 0, 25, 5), tag_seed=seed)


LONG = Sentence("long", tuple(f"w{number % 5000}" for number in range(20_000)))


@pytest.mark.parametrize("tags", ["random", "word"])
def test_drawn_tags_have_the_shares_of_the_training_data(tags: str):
    seen = Counter(drawing(tags).tag_ids(LONG))
    draws = {"random": 20_000, "word": 5_000}[tags]  # each word stands four times
    for tag, share in enumerate((0.6, 0.1, 0.0, 0.25, 0.05)):
        assert abs(seen[tag] / 20_000 - share) <= 5 * (share * (1 - share) / draws) ** 0.5  # five standard deviations


def test_a_word_has_one_tag_everywhere_and_a_random_tag_depends_on_text_and_place():
    turned = Sentence("t", LONG.tokens[::-1])
    word, noise = drawing("word"), drawing("random")
    assert word.tag_ids(turned) == word.tag_ids(LONG)[::-1]
    assert noise.tag_ids(turned) != noise.tag_ids(LONG)[::-1]
    assert noise.tag_ids(LONG)[:5000] != noise.tag_ids(LONG)[5000:10_000]
    assert noise.tag_ids(replace(LONG, id="other")) == noise.tag_ids(LONG)  # the same text is drawn for once


@pytest.mark.parametrize("tags", ["random", "word"])
def test_drawn_tags_follow_the_seed(tags: str):
    assert drawing(tags, seed=1).tag_ids(LONG) == drawing(tags, seed=1).tag_ids(LONG) != drawing(tags, seed=2).tag_ids(LONG)


def test_a_word_has_the_tag_of_its_lower_case_if_the_model_reads_lower_case():
    loud = Sentence("l", tuple(token.upper() for token in LONG.tokens))
    assert drawing("word").tag_ids(loud) != drawing("word").tag_ids(LONG)
    small = replace(drawing("word"), lowercase=True)
    assert small.tag_ids(loud) == small.tag_ids(LONG)


def test_tags_are_counted_in_the_training_data_before_they_are_drawn():
    # The The/ORG, Ada/PER; three tokens of no entity
    encoding = Encoding.fit(iter(TRAINING), tags="random", tag_seed=5)
    assert (encoding.tags, encoding.tag_counts, encoding.tag_seed) == ("random", (3, 1, 1, 1, 0), 5)
    assert Encoding.fit(TRAINING, tags="pair", tag_seed=5) == replace(Encoding.fit(TRAINING), tags="pair")


@pytest.mark.parametrize("tags", ["untyped", "pair", "others", "random", "word", "constant"])
def test_what_tags_show_goes_through_json(tags: str):
    encoding = Encoding.fit(TRAINING, tags=tags, tag_seed=3)
    value = json.loads(json.dumps(encoding.to_json()))
    assert Encoding.from_json(value) == encoding
    del value["tag_counts"]
    with pytest.raises(CheckpointError, match="tag_counts"):
        Encoding.from_json(value)


def test_tags_that_a_file_cannot_mean_are_refused():
    value = Encoding.fit(TRAINING, tags="random").to_json()
    with pytest.raises(CheckpointError, match=r"tags: expected one of entities, untyped, .*, got 'colours'"):
        Encoding.from_json(value | {"tags": "colours"})
    for counts in ((), (0, 0, 0, 0, 0), (1, 2)):
        with pytest.raises(CheckpointError, match="tag_counts: expected 5 counts to draw tags from"):
            Encoding.from_json(value | {"tag_counts": counts})


# ---- entities that a tagger found


def test_tags_show_the_tagged_entities_in_place_of_the_annotated_ones():
    found = replace(MIXED, tagged=(Entity(0, 1, "ORG"), Entity(2, 6, "PER"), Entity(3, 5, "ORG")))
    assert PLAIN.tag_ids(found) == [1, 0, 3, 4, 4, 4]
    assert replace(PLAIN, tags="untyped").tag_ids(found) == [1, 0, 1, 2, 2, 2]
    assert PLAIN.tag_ids(replace(MIXED, tagged=())) == [OUTSIDE] * 6


@pytest.mark.parametrize("tags", ["pair", "others"])
def test_tagged_entities_and_tags_by_pair_exclude_each_other(tags: str):
    found = replace(MIXED, tagged=())
    with pytest.raises(DataError, match=rf"sentence 'm': expected no tagged entities for encoding\.tags={tags}, .*, got 0"):
        replace(PLAIN, tags=tags).tag_ids(found, (0, 1))


def test_types_and_counts_of_tags_include_the_tagged_entities_of_training():
    found = replace(TRAINING[0], tagged=(Entity(0, 3, "VEH"),))
    encoding = Encoding.fit([found, TRAINING[1]], tags="random")
    assert encoding.entity_types == ("ORG", "PER", "VEH")
    assert encoding.tag_counts == (3, 0, 0, 0, 0, 1, 2)
