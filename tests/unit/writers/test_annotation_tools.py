"""Files for annotation tools, key by key as the tools document them; BioC and PubTator also through the library `bioc`."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from relsift.omissions import Omissions
from relsift.registry import find
from relsift.schema import Document, Entity, Relation, Sentence
from relsift.writers.base import write_documents

TEXT = "😀 Ada runs Zed.\nBo naps."
FIRST = Sentence(
    "d-0", ("😀", "Ada", "runs", "Zed", "."), (Entity(1, 2, "PER", score=0.0), Entity(3, 4, "ORG & Co", "Firm")),
    (Relation(0, 1, "runs", 2.0, 0.88), Relation(0, 1, "owns", -0.5, 0.4)), "d", ((0, 1), (2, 5), (6, 10), (11, 14), (14, 15)),
)  # fmt: skip
SECOND = Sentence("d-1", ("Bo", "naps", "."), (Entity(0, 1, "PER"),), (), "d", ((16, 18), (19, 23), (23, 24)))
DOCUMENT = Document("d", (FIRST, SECOND), TEXT)


def written(name: str, target: Path, *some: Document, options: str | None = None) -> Omissions:
    left_out = Omissions()
    write_documents(find("writer", name).with_options(options), some or [DOCUMENT], target, left_out)
    return left_out


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_label_studio_gets_predictions_with_scores_and_the_interface_that_fits_them(tmp_path: Path):
    written("label_studio", tmp_path / "out")
    (task,) = json.loads((tmp_path / "out/tasks.json").read_text(encoding="utf-8"))
    (prediction,) = task["predictions"]
    assert (task["data"], task["meta"]) == ({"text": TEXT}, {"document": "d"})
    assert prediction["score"] == 0.4  # of the relation that is least sure
    ada, zed, runs, owns, bo = prediction["result"]
    assert ada == {
        "id": "0-0", "from_name": "label", "to_name": "text", "type": "labels", "score": 0.5,
        "value": {"start": 2, "end": 5, "text": "Ada", "labels": ["PER"]},
    }  # fmt: skip
    assert runs == {"type": "relation", "from_id": ada["id"], "to_id": zed["id"], "direction": "right", "labels": ["runs"], "score": 0.88}
    assert owns["labels"] == ["owns"] and bo["value"]["start"] == 16
    view = ElementTree.parse(tmp_path / "out/labels.xml").getroot()
    assert [label.get("value") for label in view.iter("Label")] == ["PER", "ORG & Co"]
    assert [relation.get("value") for relation in view.iter("Relation")] == ["runs", "owns"]
    assert (view.find("Labels").get("name"), view.find("Text").get("name"), view.find("Text").get("value")) == ("label", "text", "$text")


def test_a_sentence_can_be_a_task_of_its_own(tmp_path: Path):
    written("label_studio", tmp_path / "out", options="unit=sentence")
    tasks = json.loads((tmp_path / "out/tasks.json").read_text(encoding="utf-8"))
    assert [task["data"]["text"] for task in tasks] == ["😀 Ada runs Zed.", "Bo naps."]
    assert tasks[1]["predictions"][0]["result"][0]["value"]["start"] == 0
    assert "score" not in tasks[1]["predictions"][0]


def test_doccano_counts_utf16_units_unless_told(tmp_path: Path):
    written("doccano", tmp_path / "a.jsonl")
    (example,) = lines(tmp_path / "a.jsonl")
    assert example["entities"][:2] == [
        {"id": 0, "label": "PER", "start_offset": 3, "end_offset": 6}, {"id": 1, "label": "ORG & Co", "start_offset": 12, "end_offset": 15},
    ]  # fmt: skip
    assert example["relations"][0] == {"id": 0, "from_id": 0, "to_id": 1, "type": "runs"}
    written("doccano", tmp_path / "a.jsonl", options="positions=characters")
    (example,) = lines(tmp_path / "a.jsonl")
    assert example["entities"][0]["start_offset"] == 2


def test_doccano_examples_without_annotation_have_no_relations_and_mixed_ones_are_counted(tmp_path: Path):
    bare = FIRST.with_relations(None)
    left_out = written("doccano", tmp_path / "a.jsonl", Document("d", (bare,)), Document("e", (bare, SECOND)))
    assert ["relations" in example for example in lines(tmp_path / "a.jsonl")] == [False, True]
    assert left_out.dropped["sentences without annotated relations beside others, which look as if they had none"] == 1


def test_prodigy_has_inclusive_token_ends_and_relations_between_last_tokens(tmp_path: Path):
    ends = (Entity(0, 2, "PER"), Entity(3, 5, "ORG"))
    sentence = Sentence("s", ("Ada", "Kern", "runs", "Zed", "Mills", "."), ends, (Relation(0, 1, "runs"),))
    written("prodigy", tmp_path / "a.jsonl", Document("d", (sentence, FIRST.with_relations(None))))
    first, second = lines(tmp_path / "a.jsonl")
    assert first["text"] == "Ada Kern runs Zed Mills."
    assert first["tokens"][4] == {"text": "Mills", "start": 18, "end": 23, "id": 4, "ws": False}
    head, tail = first["spans"]
    assert tail == {"start": 14, "end": 23, "token_start": 3, "token_end": 4, "label": "ORG"}
    assert first["relations"] == [{"head": 1, "child": 4, "label": "runs", "head_span": head, "child_span": tail}]
    assert "relations" not in second  # not annotated


def test_brat_cuts_mentions_at_line_breaks_and_writes_types_as_words(tmp_path: Path):
    text = "New\nYork is\tbig."
    offsets = ((0, 3), (4, 8), (9, 11), (12, 15), (15, 16))
    sentence = Sentence("s", ("New", "York", "is", "big", "."), (Entity(0, 2, "a place"),), (), "n", offsets)
    left_out = written("brat", tmp_path / "out", Document("news/1: x", (sentence,), text), Document("news/1: x", (sentence,), text))
    files = sorted(path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file())
    assert files == ["annotation.conf", "news/1%3A x-2.ann", "news/1%3A x-2.txt", "news/1%3A x.ann", "news/1%3A x.txt"]
    assert (tmp_path / "out/news/1%3A x.ann").read_text(encoding="utf-8") == "T1\ta_x0020_place 0 3;4 8\tNew York\n"
    assert (tmp_path / "out/news/1%3A x.txt").read_text(encoding="utf-8") == text
    assert left_out.dropped["ids of documents, changed for names of files"] == 2
    assert left_out.dropped["types with characters that brat does not take (written as _xHHHH_)"] == 1
    configuration = (tmp_path / "out/annotation.conf").read_text(encoding="utf-8").splitlines()
    assert [line for line in configuration if line.startswith("[")] == ["[entities]", "[relations]", "[events]", "[attributes]"]
    assert "a_x0020_place" in configuration


def test_bioc_is_read_by_the_library_of_its_makers(tmp_path: Path):
    bioc = pytest.importorskip("bioc").biocxml
    written("bioc", tmp_path / "a.xml")
    with (tmp_path / "a.xml").open(encoding="utf-8") as stream:
        collection = bioc.load(stream)
    (document,) = collection.documents
    first, second = document.passages[0].sentences
    assert (document.id, first.text, second.offset) == ("d", "😀 Ada runs Zed.", 16)
    found = [(one.infons["type"], one.text, one.total_span.offset) for one in first.annotations]
    assert found == [("PER", "Ada", 2), ("ORG & Co", "Zed", 11)]
    runs, _ = first.relations
    assert (runs.infons["type"], runs.infons["probability"]) == ("runs", "0.88")
    assert [(node.refid, node.role) for node in runs.nodes] == [("T1", "Arg1"), ("T2", "Arg2")]
    assert first.annotations[1].infons["subtype"] == "Firm"


def test_pubtator_is_read_by_the_library_bioc(tmp_path: Path):
    pubtator = pytest.importorskip("bioc.pubtator")
    left_out = written("pubtator", tmp_path / "a.pubtator")
    with (tmp_path / "a.pubtator").open(encoding="utf-8") as stream:
        (article,) = pubtator.load(stream)
    assert (article.pmid, article.title, article.abstract) == ("d", "😀 Ada runs Zed.", "Bo naps.")
    assert [(one.start, one.end, one.text, one.type, one.id) for one in article.annotations] == [
        (2, 5, "Ada", "PER", "T1"), (11, 14, "Zed", "ORG_&_Co", "T2"), (16, 18, "Bo", "PER", "T3"),
    ]  # fmt: skip
    assert [(one.type, one.id1, one.id2) for one in article.relations] == [("runs", "T1", "T2"), ("owns", "T1", "T2")]
    assert left_out.dropped["types and ids that PubTator cannot hold as they are (changed)"] == 1


def test_spacy_docs_have_the_text_with_all_its_blanks_the_sentences_and_the_relations(tmp_path: Path):
    pytest.importorskip("spacy")
    from spacy.tokens import DocBin
    from spacy.vocab import Vocab

    from relsift.integrations.spacy_relations import relations_of

    text = f"\n {TEXT}  \n"
    moved = tuple(replace(one, original=None, offsets=tuple((a + 2, b + 2) for a, b in one.offsets)) for one in (FIRST, SECOND))
    written("spacy", tmp_path / "a.spacy", Document("d", moved, text))
    (doc,) = DocBin().from_disk(tmp_path / "a.spacy").get_docs(Vocab())
    assert doc.text == text
    assert [sentence.text.strip() for sentence in doc.sents] == ["😀 Ada runs Zed.", "Bo naps."]
    assert [(one.text, one.label_) for one in doc.ents] == [("Ada", "PER"), ("Zed", "ORG & Co"), ("Bo", "PER")]
    assert [(one.head.text, one.type, one.tail.text, one.probability) for one in relations_of(doc)] == [
        ("Ada", "runs", "Zed", 0.88), ("Ada", "owns", "Zed", 0.4),
    ]  # fmt: skip


@pytest.mark.parametrize(("name", "options"), [
    ("prodigy", None), ("displacy", None), ("displacy", "style=ent"), ("doccano", "unit=sentence"), ("label_studio", "unit=sentence"),
])  # fmt: skip
def test_documents_without_sentences_are_counted_where_a_task_is_a_sentence(name: str, options: str | None, tmp_path: Path):
    left_out = written(name, tmp_path / "out", Document("empty", (), ""), options=options)
    assert left_out.dropped == {"documents without sentences, left out": 1}
