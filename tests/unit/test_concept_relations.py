"""Concepts in the data model: which mentions a relation of concepts joins, in sentences and passages, and in native files."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.concepts import distances, without_mentions
from relsift.corpora.losses import holding, regain
from relsift.errors import DataError
from relsift.passages import held_of_concepts, passages, passages_to_predict, with_relations_of_passages
from relsift.readers import native
from relsift.readers.base import ReadReport
from relsift.schema import Document, Entity, Relation, RelationAcross, RelationOfConcepts, Sentence
from relsift.writers.base import write_documents
from relsift.writers.native import WRITER, lines
from strategies import related_concepts

LOST = "relations of concepts that no relation of mentions shows"


def sentence(number: int, *concepts: str, relations: tuple[Relation, ...] | None = ()) -> Sentence:
    """One token and one mention for each concept."""
    entities = tuple(Entity(n, n + 1, "X", concepts=(name,)) for n, name in enumerate(concepts))
    return Sentence(f"d-{number}", (*concepts, "."), entities, relations, "d")


# A and B meet in sentence 0; A and C one sentence apart (1 and 2), B and C two; D has no mention.
AB, AC, BC, DA = (RelationOfConcepts(*pair, "r") for pair in ("AB", "AC", "BC", "DA"))
DOCUMENT = Document(
    "d", (sentence(0, "A", "B", relations=(Relation(0, 1, "r"),)), sentence(1, "A"), sentence(2, "C")), concept_relations=(AB, AC, BC, DA)
)


def joined(document: Document, window: int) -> list[list[tuple[str, str]]]:
    """Head and tail of the relations of each passage, as concept and number of the sentence, such as A0."""
    result = []
    for number, passage in enumerate(passages(document, window).sentences):
        starts = passage.parts or (0,)

        def name(position: int, starts: tuple[int, ...] = starts, passage: Sentence = passage, number: int = number) -> str:
            entity = passage.entities[position]
            return f"{entity.concepts[0]}{number + sum(start <= entity.start for start in starts) - 1}"

        result.append([(name(r.head), name(r.tail)) for r in passage.relations or ()])
    return result


def test_a_passage_joins_the_mentions_of_related_concepts_that_it_holds():
    assert joined(DOCUMENT, 1) == [[("A0", "B0")], [], []]
    # by hand, at most one sentence apart: B0 with A1 is another pair of A and B, A1 with C2 one of A and C
    assert joined(DOCUMENT, 2) == [[("A0", "B0"), ("A1", "B0")], [("A1", "C2")], []]
    assert joined(DOCUMENT, 3) == [[("A0", "B0"), ("A1", "B0"), ("A0", "C2"), ("B0", "C2")], [("A1", "C2")], []]


def test_evidence_says_which_sentences_may_be_joined():
    shown = replace(DOCUMENT, concept_relations=(AB, replace(AC, evidence=(0, 2)), replace(BC, evidence=(1,))))
    assert joined(shown, 3) == [[("A0", "B0"), ("A1", "B0"), ("A0", "C2")], [], []]


def test_a_concept_with_itself_joins_its_mentions_from_left_to_right():
    alone = replace(DOCUMENT, concept_relations=(RelationOfConcepts("A", "A", "same"),))
    assert joined(alone, 2) == [[("A0", "B0"), ("A0", "A1")], [], []]


def test_sentences_that_are_not_annotated_are_not_joined():
    bare = replace(DOCUMENT, sentences=tuple(one.with_relations(None) for one in DOCUMENT.sentences))
    assert joined(bare, 3) == [[], [], []]
    to_predict = passages_to_predict(DOCUMENT, 3)
    assert to_predict.concept_relations is None
    assert all(one.relations is None for one in to_predict.sentences)


def test_relations_that_a_window_reaches_are_lost_no_longer():
    assert without_mentions(DOCUMENT) == [AC, BC, DA]
    assert held_of_concepts(DOCUMENT, 2) == [AC]
    assert held_of_concepts(DOCUMENT, 3) == [AC, BC]
    report, lost = ReadReport(), Counter({"r": 3, "other": 1})
    for one in without_mentions(DOCUMENT):
        report.lose_concepts("here", one.type)
    regain(DOCUMENT, 2, report, lost)
    assert (report.dropped, report.lost_relations, lost) == ({LOST: 2}, {"r": 2}, {"r": 2, "other": 1})


def test_the_place_of_a_lost_relation_is_never_one_that_the_window_reaches():
    far = RelationAcross((0, 0), (2, 0), "far")
    document = replace(DOCUMENT, across=(RelationAcross((0, 0), (1, 0), "near"), far))
    report = ReadReport()
    for across in document.across:
        report.lose_across(f"line of {across.type}", across.type)
    for one in without_mentions(document):
        report.lose_concepts(f"line of {one.head} {one.tail}", one.type)
    assert sorted(report.lines()) == ["2 relations across sentences (first: line of near)", f"3 {LOST} (first: line of A C)"]
    regain(document, 2, report)  # "near", and the relation of A and C
    assert sorted(report.lines()) == [
        "1 relation across sentences (first: document 'd': 'far', 2 sentences apart)", f"2 {LOST} (first: document 'd': 'r' 'B' 'C')",
    ]  # fmt: skip


def test_distances_are_those_of_the_nearest_mentions():
    assert distances(DOCUMENT) == [0, 1, 2, None]
    alone = (RelationOfConcepts("A", "A", "r"), RelationOfConcepts("C", "C", "r"))
    assert distances(replace(DOCUMENT, concept_relations=alone)) == [1, None]


def test_files_that_hold_relations_of_concepts_lose_none():
    report = ReadReport()
    for one in without_mentions(DOCUMENT):
        report.lose_concepts("here", one.type)
    (without,) = holding([DOCUMENT], report, frozenset())
    assert without.concept_relations is None
    assert report.lost_relations == {"r": 3}
    (kept,) = holding([DOCUMENT], report, frozenset({"concept_relations"}))
    assert kept == DOCUMENT
    assert not report.lost_relations and not report.dropped


def test_predictions_are_of_mentions_and_do_not_repeat_the_annotation_of_concepts():
    predicted = with_relations_of_passages(DOCUMENT, passages(DOCUMENT, 2).sentences)
    assert predicted.concept_relations is None
    assert len(predicted.across) == 2


def test_a_document_refuses_relations_of_concepts_that_are_broken():
    for broken, message in (
        (RelationOfConcepts("", "B", "r"), "relation 0 of concepts: expected a head, got an empty string"),
        (RelationOfConcepts("A", "B", ""), "expected a type, got an empty string"),
        (replace(AB, evidence=(0, 3)), r"expected evidence in sentence 0..2 \(3 sentences\), got sentence 3"),
    ):
        with pytest.raises(DataError, match=message):
            replace(DOCUMENT, concept_relations=(broken,))


# ---- native files ------------------------------------------------------------------------------------------------------------


def read(text: str, **options: object) -> tuple[list[Document], ReadReport]:
    report = ReadReport(**options)  # type: ignore[arg-type]
    numbered = list(enumerate(text.splitlines(), start=1))
    return list(native.read_lines(numbered, "f.jsonl", report)), report


def test_a_native_file_keeps_concepts_and_counts_relations_that_no_sentence_shows():
    evident = replace(DOCUMENT, concept_relations=(replace(AB, evidence=(0, 2)), AC))
    text = "".join(f"{line}\n" for line in lines(evident))
    first, second, _ = map(json.loads, text.splitlines())
    assert first["entities"][0]["concepts"] == ["A"]
    assert first["concept_relations"] == [
        {"head": "A", "tail": "B", "type": "r", "evidence": [0, 2]}, {"head": "A", "tail": "C", "type": "r"},
    ]  # fmt: skip
    assert "concept_relations" not in second
    documents, report = read(text)
    assert documents == [evident]
    assert (report.dropped, report.lost_relations) == ({LOST: 1}, {"r": 1})


@settings(max_examples=40)
@given(document=related_concepts(), on_error=st.sampled_from(["stop", "skip"]))
def test_any_document_with_concepts_comes_back_from_a_native_file(
    document: Document, on_error: str, tmp_path_factory: pytest.TempPathFactory
):
    file, report = tmp_path_factory.getbasetemp() / "concepts.jsonl", ReadReport()
    write_documents(WRITER, [document], file, report)
    (back,) = native.READER.read(file, ReadReport(on_error=on_error))  # type: ignore[arg-type]
    assert back.concept_relations == document.concept_relations
    assert [[e.concepts for e in s.entities] for s in back.sentences] == [[e.concepts for e in s.entities] for s in document.sentences]


def test_a_text_without_tokens_has_concepts_too_and_lines_before_may_hold_the_relations():
    text = (
        '{"id": "a", "doc_id": "d", "tokens": ["A"], "entities": [{"start": 0, "end": 1, "type": "X", "concepts": [7]}], '
        '"relations": [], "concept_relations": [{"head": 7, "tail": "B", "type": "r", "evidence": [1]}]}\n'
        '{"id": "b", "doc_id": "d", "text": "A met B today. Bo left.", "entities": '
        '[{"start": 0, "end": 1, "type": "X", "concepts": ["7"]}, '
        '{"start": 6, "end": 7, "type": "X", "concepts": ["B"]}], "relations": [{"head": 0, "tail": 1, "type": "r"}]}\n'
    )
    (document,), report = read(text)
    assert [[entity.concepts for entity in one.entities] for one in document.sentences] == [[("7",)], [("7",), ("B",)], []]
    assert document.concept_relations == (RelationOfConcepts("7", "B", "r", (1, 2)),)  # the line has two sentences
    assert not report.lost_relations


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('[{"head": "A", "type": "r"}]', "concept_relations 0: expected the ids of two concepts as head and tail"),
        ('[{"head": "A", "tail": "", "type": "r"}]', "expected the ids of two concepts as head and tail"),
        ('[{"head": "A", "tail": "B", "type": ""}]', "expected a type, got an empty string"),
        ('[{"head": "A", "tail": "B", "type": "r", "evidence": ["x"]}]', "evidence: expected a list of whole numbers, 0 for this line"),
        ('[{"head": "A", "tail": "B", "type": "r", "evidence": [1]}]', "evidence: expected lines of the same document, 0 to 0, got 1"),
        ('["x"]', "expected an object with head, tail and type, got str"),
        ("{}", "concept_relations: expected a list"),
    ],
)
def test_a_broken_relation_of_concepts_is_named_or_left_out_and_counted(value: str, message: str):
    line = f'{{"id": "a", "tokens": ["A"], "entities": [], "relations": [], "concept_relations": {value}}}'
    with pytest.raises(DataError, match=rf"^f\.jsonl:1: .*{message}"):
        read(line)
    if value.startswith("[{"):
        (document,), report = read(line, on_error="skip")
        assert document.concept_relations == ()
        assert report.num_faults == 1


def test_concepts_of_an_entity_are_a_list_of_ids():
    for value in ('"A"', "[1.5]", '[""]', "[true]"):
        with pytest.raises(DataError, match="concepts: expected a list"):
            read(f'{{"id": "a", "tokens": ["A"], "entities": [{{"start": 0, "end": 1, "type": "X", "concepts": {value}}}]}}')


def test_a_file_without_the_keys_loads_as_before(tmp_path: Path):
    (document,), report = read('{"id": "a", "tokens": ["A"], "entities": [{"start": 0, "end": 1, "type": "X"}], "relations": []}')
    assert document == Document("a", (Sentence("a", ("A",), (Entity(0, 1, "X"),), (), "a"),))
    assert document.concept_relations is None
    assert not report.dropped
