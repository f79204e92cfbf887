"""What native JSON lines look like on the page; that they read back is tested beside the reader."""

from __future__ import annotations

import io
import json
from dataclasses import replace

import pytest

from relsift.errors import DataError
from relsift.schema import Document, Entity, Relation, Sentence, Syntax
from relsift.writers.native import lines, record_of, write

ENTITIES = (Entity(0, 1, "PER"), Entity(2, 3, "ORG", "Firm", "e2"))
SENTENCE = Sentence("s", ("Ada", "runs", "Acme"), ENTITIES, (Relation(0, 1, "runs"),))


def test_a_record_holds_what_is_known_and_no_empty_keys():
    assert record_of(SENTENCE) == {
        "id": "s",
        "tokens": ["Ada", "runs", "Acme"],
        "entities": [{"start": 0, "end": 1, "type": "PER"}, {"id": "e2", "start": 2, "end": 3, "type": "ORG", "subtype": "Firm"}],
        "relations": [{"head": 0, "tail": 1, "type": "runs"}],
    }


def test_not_annotated_has_no_key_and_annotated_without_relations_an_empty_list():
    assert "relations" not in record_of(SENTENCE.with_relations(None))
    assert record_of(SENTENCE.with_relations([]))["relations"] == []


def test_scores_are_rounded_to_six_places():
    record = record_of(SENTENCE.with_relations([Relation(0, 1, "runs", 0.12345678), Relation(1, 0, "runs", 1.0)]))
    assert [relation["score"] for relation in record["relations"]] == [0.123457, 1.0]


def test_scores_of_entities_are_written_as_those_of_relations():
    found = replace(SENTENCE, entities=(replace(ENTITIES[0], score=-1.23456789), ENTITIES[1]), tagged=(Entity(0, 1, "PER", score=2.0),))
    record = record_of(found)
    assert record["entities"][0] == {"start": 0, "end": 1, "type": "PER", "score": -1.234568}
    assert "score" not in record["entities"][1] and record["tagged"][0]["score"] == 2.0
    with pytest.raises(DataError, match="sentence 's': expected finite scores"):
        list(lines(Document("s", (replace(SENTENCE, entities=(Entity(0, 1, "PER", score=float("inf")),), relations=()),))))


def test_all_offsets_of_a_line_count_in_its_text_and_its_place_stands_beside_them():
    # "Bo. 张伟 left." : the sentence begins at 4
    sentence = Sentence("s", ("张伟", "left", "."), (Entity(0, 1, "PER", chars=(4, 6)),), None, "d", ((4, 6), (7, 11), (11, 12)))
    (line,) = lines(Document("d", (sentence,), "Bo. 张伟 left."))
    assert "张伟" in line  # as text, not as \\u escapes
    assert json.loads(line) == {
        "id": "s", "doc_id": "d", "tokens": ["张伟", "left", "."], "text": "张伟 left.", "text_start": 4,
        "offsets": [[0, 2], [3, 7], [7, 8]], "entities": [{"start": 0, "end": 1, "type": "PER", "chars": [0, 2]}],
    }  # fmt: skip


def test_lines_of_one_document_name_it_even_if_its_sentences_do_not():
    # Otherwise they would read back as documents of their own, and could land on both sides of a split.
    document = Document("d", (Sentence("d", ("x",)), Sentence("e", ("y",))))
    assert [json.loads(line).get("doc_id") for line in lines(document)] == ["d", "d"]


def test_a_sentence_that_is_its_own_document_needs_no_document_id():
    (line,) = lines(Document("s", (SENTENCE,)))
    assert "doc_id" not in json.loads(line)
    assert record_of(Sentence("s", ("x",), doc_id="d"))["doc_id"] == "d"


def test_documents_are_written_one_at_a_time():
    stream = io.StringIO()
    seen = []

    def documents():
        for number in range(3):
            seen.append(stream.getvalue().count("\n"))
            yield Document(str(number), (Sentence(str(number), ("line\nend",)),))

    write(documents(), stream)
    assert seen == [0, 1, 2]
    assert stream.getvalue().count("\n") == 3  # one line end a sentence: those inside tokens are escaped


def test_trees_stand_before_the_entities_one_value_a_token():
    tree = Syntax((1, -1, 1), ("subject", "root", "object"), ("N", "V", "N"))
    record = record_of(replace(SENTENCE, syntax=tree))
    assert list(record) == ["id", "tokens", "heads", "dependencies", "pos", "entities", "relations"]
    assert (record["heads"], record["dependencies"], record["pos"]) == ([1, -1, 1], ["subject", "root", "object"], ["N", "V", "N"])


def test_tagged_entities_stand_between_entities_and_relations_if_there_are_any_to_show_or_to_hide():
    record = record_of(replace(SENTENCE, tagged=(Entity(1, 3, "ORG"),)))
    assert list(record) == ["id", "tokens", "entities", "tagged", "relations"]
    assert record["tagged"] == [{"start": 1, "end": 3, "type": "ORG"}]
    assert record_of(replace(SENTENCE, tagged=()))["tagged"] == []
    assert "tagged" not in record_of(SENTENCE)
