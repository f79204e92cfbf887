"""From relations of concepts to relations of mentions: the rule, by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from relsift.omissions import Omissions
from relsift.readers import concepts
from relsift.readers.base import ReadReport
from relsift.readers.concepts import ConceptRelation, concept_ids, mention_relations, with_concepts
from relsift.readers.standoff import TextEntity, TextRelation
from relsift.registry import find
from relsift.schema import Document, Entity, Relation, RelationOfConcepts, Sentence
from relsift.writers.base import write_documents

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
    assert report.dropped == {"relations of concepts that no relation of mentions shows": 2}
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


def test_a_list_of_ids_is_no_concept_beside_its_parts_unless_a_relation_names_it():
    document = Document("d", (Sentence("s", ("x", "y"), (Entity(0, 1, "X", id="T1"), Entity(1, 2, "X", id="T2"))),))
    ids = {"T1": concept_ids("A;B"), "T2": concept_ids("1,2-x")}
    of_a = with_concepts(document, ids, [ConceptRelation("f:1", "A", "1,2-x", "r")])
    assert [entity.concepts for entity in of_a.sentences[0].entities] == [("A", "B"), ("1,2-x",)]
    assert of_a.concept_relations == (RelationOfConcepts("A", "1,2-x", "r"),)
    assert with_concepts(document, ids, None).concept_relations is None
    assert with_concepts(document, ids, None).sentences[0].entities[1].concepts == ("1", "2-x")


@pytest.mark.parametrize("name", ["pubtator", "bioc", "docred"])
def test_readers_keep_concepts_and_their_relations_beside_those_of_mentions(name: str, tmp_path: Path):
    reader = find("reader", name)
    for file, content in reader.samples.items():
        (tmp_path / file).write_text(content, encoding="utf-8")
    documents = list(reader.read(tmp_path, ReadReport()))
    expected = {
        "pubtator": [(("D900001", "D900002", "Interacts"), ("D900001", "D900003", "Causes")), ()],
        "bioc": [(("D901", "D902", "slows"),), None],  # the second file relates annotations
        "docred": [(("1", "0", "P169"),)],
    }[name]
    facts = [None if d.concept_relations is None else tuple((r.head, r.tail, r.type) for r in d.concept_relations) for d in documents]
    assert facts == expected
    for document in documents:  # each relation of mentions is one of their concepts
        known = set() if document.concept_relations is None else {(r.head, r.tail, r.type) for r in document.concept_relations}
        for view in document.relations if known else ():
            assert {(a, b, view.type) for a in view.head.entity.concepts for b in view.tail.entity.concepts} & known


@pytest.mark.parametrize("name", ["pubtator", "bioc"])
def test_formats_of_concepts_write_and_read_them_back(name: str, tmp_path: Path):
    mentions = (Entity(0, 1, "X", concepts=("D1",)), Entity(2, 3, "X", concepts=("D2", "D3")), Entity(3, 4, "X"))
    sentence = Sentence("d-0", ("Avolin", "slows", "Berex", "Corin", "."), mentions, (Relation(0, 1, "slows"),), "d")
    facts = (RelationOfConcepts("D1", "D2", "slows"), RelationOfConcepts("D3", "D9", "eases"))
    document, writer, reader = Document("d", (sentence,), concept_relations=facts), find("writer", name), find("reader", name)
    file, left_out, report = tmp_path / f"d{writer.suffix}", Omissions(), ReadReport()
    write_documents(writer, [document], file, left_out)
    assert not {reason for reason in left_out.dropped if "concept" in reason}
    (back,) = reader.read(file, report)
    assert back.concept_relations == facts
    assert [entity.concepts for entity in back.sentences[0].entities] == [("D1",), ("D2", "D3"), ()]
    assert back.sentences[0].relations == sentence.relations
    assert report.lost_relations == {"eases": 1}


def test_pubtator_writes_relations_of_mentions_as_those_of_their_concepts_and_counts_them(tmp_path: Path):
    mentions = tuple(Entity(n, n + 1, "X", concepts=ids) for n, ids in enumerate((("D1",), ("D2",), ("D1",), ())))
    sentence = Sentence("d-0", ("a", "b", "c", "d"), mentions, (Relation(0, 1, "slows"), Relation(0, 3, "slows")), "d")
    left_out = Omissions()
    write_documents(find("writer", "pubtator"), [Document("d", (sentence,))], tmp_path / "d.pubtator", left_out)
    assert (tmp_path / "d.pubtator").read_text(encoding="utf-8").split("\n")[-4:-2] == ["d\tslows\tD1\tD2", "d\tslows\tD1\tT4"]
    # the mentions at 2 and 1, and at 2 and 3, would be related too
    assert left_out.dropped["relations of mentions, written as relations of their concepts"] == 2
    assert left_out.dropped["pairs of mentions in one sentence that a reader will relate, since their concepts are related"] == 1
