"""spaCy's binary docs: relations as the tutorial project of spaCy and as our own component store them."""

from __future__ import annotations

import random
import zlib
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("spacy")

from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from relsift.corpora.data import resolve
from relsift.errors import DataError
from relsift.integrations.spacy_relations import SpanRelation
from relsift.readers.base import ReadReport
from relsift.readers.spacy_docs import READER
from relsift.schema import Document, Entity, Relation, RelationAcross, sentences_of

REL = ("._.", "rel", None, None)  # where spaCy stores `doc._.rel`
WORDS = ["Bo", "left", ".", "Ada", "Kern", "leads", "Acme", "."]


def doc_of(words: list[str] = WORDS, *, rel: Any = None, ents: Any = ((0, 1, "PER"), (3, 5, "PER"), (6, 7, "ORG")), **options: Any) -> Doc:
    doc = Doc(Vocab(), words=words, **options)
    doc.ents = [Span(doc, *entity) for entity in ents]
    if rel is not None:
        doc.user_data[REL] = rel
    return doc


def read(tmp_path: Path, *docs: Doc, on_error: Any = "stop", **options: str) -> tuple[list[Document], ReadReport]:
    file = tmp_path / "notes.spacy"
    DocBin(docs=docs, store_user_data=True).to_disk(file)
    report = ReadReport(on_error=on_error)
    return list(READER.read(file, report, **options)), report


def test_labels_of_the_tutorial_count_from_one_half_on(tmp_path: Path):
    first = {"leads": 1.0, "owns": 0.5, "left": 0.49, "sold": 0.0}
    rel = {(3, 6): first, (6, 3): {"leads": 0.0, "led_by": True}, (0, 6): {}, (3, 3): {"leads": 0.0}}
    [document], report = read(tmp_path, doc_of(rel=rel, spaces=[True] * 8))
    [sentence] = document.sentences
    assert document.id == "notes-1"
    assert document.text == "Bo left . Ada Kern leads Acme . "
    assert sentence.tokens == tuple(WORDS)
    assert sentence.entities == (Entity(0, 1, "PER"), Entity(3, 5, "PER"), Entity(6, 7, "ORG"))
    assert sentence.relations == (Relation(1, 2, "leads"), Relation(1, 2, "owns"), Relation(2, 1, "led_by"))
    assert not report.dropped


def test_a_doc_without_relations_is_not_annotated_and_one_with_an_empty_table_has_none(tmp_path: Path):
    documents, _ = read(tmp_path, doc_of(), doc_of(rel={}))
    assert [sentence.relations for sentence in sentences_of(documents)] == [None, ()]


def test_a_file_without_user_data_is_read_as_not_annotated(tmp_path: Path):
    file = tmp_path / "a.spacy"
    DocBin(docs=[doc_of(rel={(3, 6): {"leads": 1.0}})]).to_disk(file)
    [document] = READER.read(file, ReadReport())
    assert document.sentences[0].relations is None


def test_our_own_relations_keep_scores_and_bring_entities_that_are_not_among_those_of_the_doc(tmp_path: Path):
    doc = doc_of(ents=[(6, 7, "ORG")])
    doc._.relations = [SpanRelation(Span(doc, 3, 5, "PER"), doc.ents[0], "leads", 1.5, 0.8)]
    [document], _ = read(tmp_path, doc)
    [relation] = document.relations
    assert (relation.head.text, relation.head.type, relation.tail.text) == ("Ada Kern", "PER", "Acme")
    assert (relation.type, relation.score, relation.probability) == ("leads", 1.5, 0.8)


def test_where_both_stand_our_own_are_read_and_the_others_counted(tmp_path: Path):
    doc = doc_of(rel={(3, 6): {"leads": 1.0}})
    doc._.relations = []
    [document], report = read(tmp_path, doc)
    assert document.sentences[0].relations == ()
    assert report.dropped == {"docs with doc._.rel beside doc._.relations, not read": 1}


def test_sentences_of_the_docs_are_kept_and_relations_across_them_counted(tmp_path: Path):
    starts = [True, False, False, True, False, False, False, False]
    rel = {(3, 6): {"leads": 1.0}, (0, 6): {"left": 1.0}, (6, 6): {"is": 1.0}}
    [document], report = read(tmp_path, doc_of(rel=rel, sent_starts=starts))
    assert [sentence.tokens for sentence in document.sentences] == [("Bo", "left", "."), ("Ada", "Kern", "leads", "Acme", ".")]
    assert [sentence.relations for sentence in document.sentences] == [(), (Relation(0, 1, "leads"),)]
    assert report.dropped == {"relations across sentences": 1, "relations of an entity with itself": 1}
    assert report.lost_relations == {"left": 1, "is": 1}
    assert document.across == (RelationAcross((0, 0), (1, 1), "left"),)


def test_rules_cut_a_doc_without_sentence_boundaries_if_asked(tmp_path: Path):
    rel = {(3, 6): {"leads": 1.0}}
    spaces = [True, False, True, True, True, True, False, False]
    whole, _ = read(tmp_path, doc_of(rel=rel, spaces=spaces))
    by_rules, _ = read(tmp_path, doc_of(rel=rel, spaces=spaces), sentences="rules")
    assert [len(document.sentences) for document in (*whole, *by_rules)] == [1, 2]
    assert [relation.type for relation in by_rules[0].relations] == ["leads"]


def test_blank_tokens_are_left_out_and_places_stay_right(tmp_path: Path):
    words = ["\n", "Ada", " ", "\x1f ", "leads", "\u3000", "Acme"]
    [document], _ = read(tmp_path, doc_of(words, ents=[(1, 2, "PER"), (6, 7, "ORG")], rel={(1, 6): {"leads": 1.0}}))
    [sentence] = document.sentences
    assert sentence.tokens == ("Ada", "leads", "Acme")
    assert [(one.head.text, one.tail.text) for one in document.relations] == [("Ada", "Acme")]


def test_a_doc_whose_blanks_are_unknown_has_tokens_without_a_text(tmp_path: Path):
    [document], _ = read(tmp_path, doc_of(rel={(3, 6): {"leads": 1.0}}))
    assert (document.text, document.sentences[0].offsets) == (None, None)
    assert [(one.head.text, one.tail.text) for one in document.relations] == [("Ada Kern", "Acme")]


def test_a_doc_without_words_is_counted(tmp_path: Path):
    documents, report = read(tmp_path, doc_of([], ents=[], rel={}), doc_of([" "], ents=[], rel={}))
    assert [document.sentences for document in documents] == [(), ()]
    assert report.dropped == {"empty docs (kept, as documents without sentences)": 2}


@settings(max_examples=40)
@given(data=st.data())
def test_entities_have_their_own_words_at_their_characters(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory):
    words = data.draw(st.lists(st.sampled_from(["Ada", "é", "汉", "🙂", " ", "\n", ".", "a b"]), min_size=1, max_size=8))
    spaces = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    starts = [True, *data.draw(st.lists(st.booleans(), min_size=len(words) - 1, max_size=len(words) - 1))]
    filled = [number for number, word in enumerate(words) if word.strip()]
    marked = sorted(data.draw(st.sets(st.sampled_from(filled)))) if filled else []
    doc = doc_of(words, spaces=spaces, sent_starts=starts, ents=[(number, number + 1, "X") for number in marked], rel={})
    [document], report = read(tmp_path_factory.mktemp("own"), doc)
    assert [entity.text for entity in document.entities] == [words[number] for number in marked]
    assert [(entity.start, entity.end) for entity in document.entities] == [
        (doc[number].idx, doc[number].idx + len(words[number])) for number in marked
    ]
    assert [token for sentence in document.sentences for token in sentence.tokens] == [word for word in words if word.strip()]
    assert report.lost_entities == 0


@pytest.mark.parametrize(
    ("rel", "message"),
    [
        ([1], r"expected \{\(first token of the head, of the tail\): \{label: 0 to 1\}\}, got \(1,\)"),
        ({3: {"leads": 1.0}}, "expected a pair of tokens and"),
        ({(3, 6): ["leads"]}, "expected a pair of tokens and"),
        ({(3, 6): {"leads": "yes"}}, "expected a number from 0 to 1, got 'yes'"),
        ({(3, 6): {"leads": 2}}, "expected a number from 0 to 1, got 2"),
        ({(3, 6): {"leads": float("nan")}}, "expected a number from 0 to 1, got nan"),
        ({(3, 6): {3: 1.0}}, "expected a label as text, got 3"),
        ({(4, 6): {"leads": 1.0}}, r"\(4, 6\): expected first tokens of entities, got 4, which begins none"),
    ],
)
def test_a_broken_table_is_refused_with_file_and_doc_or_left_out_and_counted(tmp_path: Path, rel: Any, message: str):
    docs = doc_of(rel={}), doc_of(rel=rel)
    with pytest.raises(DataError, match=rf"notes\.spacy: doc 2: doc\._\.rel: .*{message}"):
        read(tmp_path, *docs)
    documents, report = read(tmp_path, *docs, on_error="skip")
    assert [document.id for document in documents] == ["notes-1"]
    assert report.dropped == {"broken documents": 1}


def test_labels_below_one_half_may_stand_at_any_token(tmp_path: Path):
    [document], _ = read(tmp_path, doc_of(rel={(4, 6): {"leads": 0.0}}))
    assert document.relations == ()


def test_broken_bytes_are_refused(tmp_path: Path):
    file = tmp_path / "a.spacy"
    content = READER.samples["docs.spacy"]
    assert isinstance(content, bytes)
    draw, raw, num_refused = random.Random(0), zlib.decompress(content), 0
    for number in range(120):
        changed = bytearray(raw)
        changed[draw.randrange(len(raw))] = draw.randrange(256)
        file.write_bytes(zlib.compress(bytes(changed)) if number else content[:100])
        try:
            list(READER.read(file, ReadReport()))
        except DataError as error:
            assert str(error).startswith(str(file)) and "\n" not in str(error)
            num_refused += 1
    assert num_refused > 60


def test_the_suffix_tells_the_format_also_of_the_parts_of_a_folder(tmp_path: Path):
    for part in ("train", "dev"):
        DocBin(docs=[doc_of(rel={(3, 6): {"leads": 1.0}})], store_user_data=True).to_disk(tmp_path / f"{part}.spacy")
    data = resolve(str(tmp_path))
    assert data.splits == ("train", "dev")
    assert [relation.type for document in data.documents("dev") for relation in document.relations] == ["leads"]
