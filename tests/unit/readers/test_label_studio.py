"""Label Studio's JSON export: which annotation is read, directions and labels of relations, what offsets count, other exports."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from marked import Marked, marked_texts, units
from reading import mentions, only_sentence, read_content, triples

from relsift.corpora.data import recognise
from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.label_studio import READER
from relsift.schema import Document, sentences_of

TEXT = "Ada runs Zed."


def region(key: str, start: int, end: int, *labels: str, words: str | None = None, **more: Any) -> dict[str, Any]:
    value = {"start": start, "end": end, "labels": list(labels)} | ({} if words is None else {"text": words})
    return {"id": key, "type": "labels", "from_name": "label", "to_name": "text", "value": value} | more


def relation(head: str, tail: str, *labels: str, **more: Any) -> dict[str, Any]:
    return {"type": "relation", "from_id": head, "to_id": tail, "direction": "right", "labels": list(labels)} | more


ADA, ZED = region("a", 0, 3, "PER", words="Ada"), region("z", 9, 12, "ORG", words="Zed")


def task(*results: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"id": 7, "data": {"text": TEXT}, "annotations": [{"result": list(results)}]} | changes


def read(file: Path, *tasks: dict[str, Any], on_error: Any = "stop", **options: str) -> tuple[list[Document], ReadReport]:
    file.write_text(json.dumps(tasks), encoding="utf-8")
    report = ReadReport(on_error=on_error)
    return list(READER.read(file, report, **options)), report


@pytest.mark.parametrize(
    ("direction", "expected"),
    [
        ({"direction": "right"}, [("Ada", "runs", "Zed")]),
        ({"direction": None}, [("Ada", "runs", "Zed")]),
        ({"direction": "left"}, [("Zed", "runs", "Ada")]),
        ({"direction": "bi"}, [("Ada", "runs", "Zed"), ("Zed", "runs", "Ada")]),
    ],
)
def test_a_direction_says_which_region_is_the_head(tmp_path: Path, direction: Any, expected: Any):
    sentence = only_sentence(READER, tmp_path / "e.json", json.dumps([task(ADA, ZED, relation("a", "z", "runs", **direction))]))
    assert (sentence.id, sentence.doc_id, triples(sentence)) == ("7-0", "7", expected)


def test_several_labels_of_a_relation_are_several_relations(tmp_path: Path):
    sentence = only_sentence(READER, tmp_path / "e.json", json.dumps([task(ADA, ZED, relation("a", "z", "runs", "owns"))]))
    assert triples(sentence) == [("Ada", "runs", "Zed"), ("Ada", "owns", "Zed")]


@pytest.mark.parametrize("labels", [{"labels": []}, {"labels": None}])
def test_a_relation_without_a_label_needs_an_option_that_names_it(tmp_path: Path, labels: Any):
    unlabelled = task(ADA, ZED, relation("a", "z") | labels)
    with pytest.raises(DataError, match=r"task 1: annotation 0: result 2: expected a label, got none; label_studio\[unlabelled=TYPE\]"):
        read(tmp_path / "e.json", unlabelled)
    (document,), _ = read(tmp_path / "e.json", unlabelled, unlabelled="related")
    assert triples(document.sentences[0]) == [("Ada", "related", "Zed")]


def test_the_first_annotation_that_was_not_cancelled_is_read_and_all_others_are_counted(tmp_path: Path):
    annotations = [
        {"was_cancelled": True, "result": [ZED]}, {"was_cancelled": False, "result": [ADA]}, {"result": [ADA, ZED]}, {"result": []},
    ]  # fmt: skip
    documents, report = read(
        tmp_path / "e.json", task(annotations=annotations, predictions=[{"result": [ZED]}], drafts=[{}]), task(id=8, annotations=[])
    )
    assert [mentions(sentence) for sentence in sentences_of(documents)] == [[("Ada", "PER")]]
    assert report.dropped == {
        "cancelled annotations": 1, "further annotations of a task (the first is read)": 2, "predictions, not read": 1,
        "drafts, not read": 1, "tasks without an annotation": 1,
    }  # fmt: skip


def test_a_region_with_two_labels_gives_two_entities_of_which_the_first_is_related(tmp_path: Path):
    results = region("a", 0, 3, "PER", "BOSS"), ZED, relation("a", "z", "runs")
    (document,), report = read(tmp_path / "e.json", task(*results))
    (sentence,) = document.sentences
    assert mentions(sentence) == [("Ada", "PER"), ("Ada", "BOSS"), ("Zed", "ORG")]
    assert [(r.head, r.tail) for r in sentence.relations or ()] == [(0, 2)]
    assert report.dropped == {"further labels of a region (kept as entities without relations)": 1}


def test_regions_of_nothing_and_results_of_other_types_are_counted_with_their_relations(tmp_path: Path):
    choice = {"id": "c", "type": "choices", "value": {"choices": ["good"]}, "to_name": "text", "from_name": "mood"}
    blank, bare = region("b", 3, 4, "PER", words=" "), region("n", 4, 8)
    links = [relation("b", "z", "runs"), relation("a", "n", "runs"), relation("c", "a", "runs")]
    (document,), report = read(tmp_path / "e.json", task(ADA, ZED, blank, bare, choice, *links))
    assert mentions(document.sentences[0]) == [("Ada", "PER"), ("Zed", "ORG")]
    assert report.dropped == {
        "results of the type 'choices', not read": 1, "entities without text": 1, "regions without a label": 1,
        "relations of a dropped entity": 3,
    }  # fmt: skip
    assert (report.lost_entities, report.lost_relations) == (2, {"runs": 3})


@pytest.mark.parametrize(
    ("text", "start", "convention"),
    [
        ("😀😀 Ada runs", 5, "utf16"), ("😀😀 Ada runs", 3, ""), ("Hi\r\nmy Ada runs", 6, "crlf-as-one"),
        ("😀😀\r\nmy Ada", 8, "utf16+crlf-as-one"),
    ],
)  # fmt: skip
def test_the_way_of_counting_that_shows_the_regions_own_text_is_taken(tmp_path: Path, text: str, start: int, convention: str):
    documents, report = read(tmp_path / "e.json", task(region("a", start, start + 3, "PER", words="Ada"), data={"text": text}))
    assert [mention for sentence in sentences_of(documents) for mention in mentions(sentence)] == [("Ada", "PER")]
    assert report.dropped == ({f"tasks whose offsets count {convention} (kept)": 1} if convention else {})


def test_without_words_offsets_count_characters_unless_an_option_says_more(tmp_path: Path):
    bare = task(region("a", 3, 6, "PER"), data={"text": "😀😀 Ada"})
    assert mentions(read(tmp_path / "e.json", bare)[0][0].sentences[0]) == [("Ada", "PER")]
    moved = task(region("a", 5, 8, "PER"), data={"text": "😀😀 Ada"})
    assert mentions(read(tmp_path / "e.json", moved, positions="utf16")[0][0].sentences[0]) == [("Ada", "PER")]


def test_a_line_break_inside_a_region_is_two_characters_in_its_text(tmp_path: Path):
    results = region("a", 0, 8, "PER", words="Ada\\nKern")
    (document,), report = read(tmp_path / "e.json", task(results, data={"text": "Ada\nKern"}))
    assert not report.dropped
    assert [e.chars for e in document.sentences[0].entities] == [(0, 8)]


def test_other_words_at_the_offsets_are_an_error_and_skip_leaves_out_the_region_alone(tmp_path: Path):
    wrong = region("w", 4, 8, "PER", words="rums")
    with pytest.raises(DataError, match=r"result 1: expected 'rums', its own text, at 4 to 8 of the task's text, got 'runs'"):
        read(tmp_path / "e.json", task(ADA, wrong))
    related = task(ADA, wrong, ZED, relation("a", "z", "r"), relation("w", "z", "q"))
    (document,), report = read(tmp_path / "e.json", related, on_error="skip")
    assert triples(document.sentences[0]) == [("Ada", "r", "Zed")]
    assert report.lost_relations == {"q": 1}


def test_the_text_is_found_by_the_name_of_the_regions_or_as_the_only_string_or_by_an_option(tmp_path: Path):
    file = tmp_path / "e.json"
    for data, options in (
        ({"title": "x", "text": TEXT}, {}), ({"body": TEXT, "n": 1}, {}), ({"title": "x", "body": TEXT}, {"text": "body"}),
    ):  # fmt: skip
        assert mentions(read(file, task(ADA, data=data), **options)[0][0].sentences[0]) == [("Ada", "PER")]
    with pytest.raises(DataError, match=r"data: expected one string, or one under 'text', got strings under title, body"):
        read(file, task(ADA, data={"title": "x", "body": TEXT}))


def test_of_several_texts_one_is_read_by_its_name(tmp_path: Path):
    two = task(ADA, region("t", 0, 5, "PER", to_name="title"), data={"text": TEXT, "title": "Title"})
    with pytest.raises(DataError, match="expected regions of one text, got some of text and title"):
        read(tmp_path / "e.json", two)
    (document,), report = read(tmp_path / "e.json", two, text="text")
    assert mentions(document.sentences[0]) == [("Ada", "PER")]
    assert report.dropped == {"regions of another text": 1}


MINIMAL = '[{"id": 1, "text": "Ada runs Zed.", "label": [{"start": 0, "end": 3, "text": "Ada", "labels": ["PER"]}], "annotation_id": 3}]'


@pytest.mark.parametrize(
    ("name", "content", "export"),
    [
        ("e.json", MINIMAL, "JSON-MIN"),
        ("e.csv", "annotation_id,annotator,created_at,id,label,lead_time,text,updated_at\n1,1,x,1,[],1,Ada,x\n", "CSV"),
        ("e.tsv", "text\tid\tlabel\tannotator\tannotation_id\tlead_time\nAda\t1\t[]\t1\t1\t1\n", "TSV"),
        ("e.conll", "-DOCSTART- -X- O\nAda -X- _ B-PER\n", "CONLL2003"),
    ],
)
def test_exports_without_relations_are_recognised_and_refused_with_the_right_one(tmp_path: Path, name: str, content: str, export: str):
    file = tmp_path / name
    file.write_text(content, encoding="utf-8")
    assert recognise(file) is READER
    with pytest.raises(DataError, match=f"expected Label Studio's export 'JSON', got its export {export}, which has no relations"):
        read_content(READER, file, content)


def test_text_in_html_is_refused(tmp_path: Path):
    with pytest.raises(DataError, match="expected regions of plain text, of the type 'labels', got 'hypertextlabels'"):
        read(tmp_path / "e.json", task(region("a", 0, 3, "PER", type="hypertextlabels")))


@given(marked_texts())
def test_any_task_reads_back_in_either_way_of_counting(tmp_path_factory: pytest.TempPathFactory, marked: Marked):
    file = tmp_path_factory.getbasetemp() / "property.json"
    for positions, count in (("characters", lambda _, offset: offset), ("utf16", units)):
        results = [
            region(str(n), count(marked.text, start), count(marked.text, end), kind, words=marked.text[start:end])
            for n, (start, end, kind) in enumerate(marked.mentions)
        ]
        results += [relation(str(head), str(tail), kind) for head, tail, kind in marked.relations]
        (document,), _ = read(file, task(*results, data={"text": marked.text}), positions=positions)
        sentences = document.sentences or ()
        assert [(*e.chars, e.type) for s in sentences for e in s.entities if e.chars] == marked.mentions
        assert [(r.head, r.tail, r.type) for s in sentences for r in s.relations or ()] == marked.relations
        (automatic,), _ = read(file, task(*results, data={"text": marked.text}))
        assert [m for s in automatic.sentences for m in [e.type for e in s.entities]] == [kind for _, _, kind in marked.mentions]


def test_blanks_at_the_edges_of_a_region_belong_to_no_entity(tmp_path: Path):
    results = region("a", 0, 10, "PER", "BOSS", words="Ada left.\\n"), region("b", 10, 13, "PER", words="She")
    (document,), _ = read(tmp_path / "e.json", task(*results, data={"text": "Ada left.\nShe ran."}))
    found = [[(e.chars, e.type) for e in s.entities] for s in document.sentences]
    assert found == [[((0, 9), "PER"), ((0, 9), "BOSS")], [((10, 13), "PER")]]


def test_tasks_with_predictions_alone_are_a_file_to_import_and_the_folder_that_relsift_writes_is_one(tmp_path: Path):
    (tmp_path / "labels.xml").write_text("<View/>", encoding="utf-8")
    tasks = [{"data": {"text": "Ada runs."}, "predictions": [{"result": []}]}] * 2
    (tmp_path / "tasks.json").write_text(json.dumps(tasks), encoding="utf-8")
    for path in (tmp_path, tmp_path / "tasks.json"):
        assert recognise(path) is READER
        with pytest.raises(DataError, match=r"tasks\.json:1: task 1: expected .* got a file to import"):
            list(READER.read(path, ReadReport()))
    report = ReadReport(on_error="skip")
    assert list(READER.read(tmp_path, report)) == []
    assert report.num_faults == 1
