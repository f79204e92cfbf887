"""From relations of concepts to relations of mentions: the rule, by hand."""

from __future__ import annotations

import pytest

from relsift.readers import concepts
from relsift.readers.base import ReadReport
from relsift.readers.concepts import ConceptRelation, concept_ids, mention_relations
from relsift.readers.standoff import TextEntity, TextRelation

SENTENCES = [(0, 20), (21, 40)]
CONCEPTS = {"a1": ("A",), "a2": ("A",), "b1": ("B",), "b2": ("B",), "ab": ("A;B", "A", "B")}


def entity(key: str, start: int) -> TextEntity:
    return TextEntity(key, start, start + 2, "Drug")


def expand(
    *relations: tuple[str, str], entities: tuple[TextEntity, ...], report: ReadReport | None = None
) -> list[tuple[str, str]]:
    asked = [ConceptRelation("f:1", head, tail, "slows") for head, tail in relations]
    made = mention_relations(asked, entities, CONCEPTS, SENTENCES, report or ReadReport())
    assert all(isinstance(one, TextRelation) and one.type == "slows" for one in made)
    return [(one.head, one.tail) for one in made]


def test_every_mention_of_one_is_related_to_every_mention_of_the_other_in_the_same_sentence():
    # a1 b1 | a2 b2: two pairs, not four
    mentions = (entity("a1", 0), entity("b1", 5), entity("a2", 25), entity("b2", 30))
    assert expand(("A", "B"), entities=mentions) == [("a1", "b1"), ("a2", "b2")]
    assert expand(("B", "A"), entities=mentions) == [("b1", "a1"), ("b2", "a2")]
    assert expand(("A", "B"), entities=(entity("a1", 0), entity("a2", 5), entity("b1", 9))) == [("a1", "b1"), ("a2", "b1")]


def test_a_relation_without_such_a_pair_is_counted_as_lost():
    report = ReadReport()
    assert expand(("A", "B"), ("A", "X"), entities=(entity("a1", 0), entity("b1", 25)), report=report) == []
    assert report.dropped == {"relations of concepts without two mentions in one sentence": 2}
    assert report.lost_relations == {"slows": 2}


def test_a_concept_with_itself_joins_two_mentions_once_from_left_to_right():
    assert expand(("A", "A"), entities=(entity("a2", 5), entity("a1", 0))) == [("a1", "a2")]


def test_a_mention_of_both_concepts_is_no_pair_with_itself():
    report = ReadReport()
    assert expand(("A", "B"), entities=(entity("ab", 0),), report=report) == []
    assert report.lost_relations == {"slows": 1}
    assert expand(("A", "B"), entities=(entity("ab", 0), entity("b1", 5))) == [("ab", "b1")]


def test_pairs_that_two_relations_give_are_one():
    assert expand(("A", "B"), ("A", "B"), entities=(entity("a1", 0), entity("b1", 5))) == [("a1", "b1")]


def test_too_many_pairs_are_a_broken_relation(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(concepts, "_MOST_PAIRS", 1)
    report = ReadReport(on_error="skip")
    assert expand(("A", "B"), entities=(entity("a1", 0), entity("a2", 5), entity("b1", 9)), report=report) == []
    assert report.dropped == {"broken relations": 1}


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        ("D001;D002", ["D001;D002", "D001", "D002"]),
        ("D00001|D00002", ["D00001|D00002", "D00001", "D00002"]),
        ("MESH:C00001|MESH:D00002", ["MESH:C00001|MESH:D00002", "MESH:C00001", "MESH:D00002"]),
        ("672,675", ["672,675", "672", "675"]),
        ("c|SUB|A|123|G", ["c|SUB|A|123|G"]),  # a variant: 123 is no gene
        ("-1", []), ("", []), ("-", []),
    ],
)  # fmt: skip
def test_a_column_may_hold_several_ids(column: str, ids: list[str]):
    assert list(concept_ids(column)) == ids
