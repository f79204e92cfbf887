"""What the page loads and saves: files in every reader's format, and in every writer's."""

from __future__ import annotations

import base64
import io
import json
import zipfile

import pytest

from relsift.corpora.data import resolve
from relsift.readers.base import ReadReport
from relsift.readers.native import read_records
from relsift.registry import find, table
from relsift.serving.conversion import Converted, convert_records, read_files, reader_names
from relsift.serving.problems import Problem
from relsift.serving.samples import samples
from serving_app import ask


def packed(content: str | bytes) -> str:
    return base64.b64encode(content.encode() if isinstance(content, str) else content).decode()


NATIVE = find("reader", "native").samples["train.jsonl"]
RECORDS = [json.loads(line) for line in NATIVE.splitlines()]


@pytest.mark.parametrize("name", reader_names())
def test_the_sample_of_every_reader_is_read_as_the_reader_reads_it(name, tmp_path):
    reader = find("reader", name)
    flat = {place: content for place, content in reader.samples.items() if "/" not in place}
    if len(flat) < len(reader.samples) or any(place.endswith(".parquet") for place in flat):
        pytest.skip("a sample with folders, or packed")
    records, _ = read_files([(place, packed(content)) for place, content in flat.items()], name)
    if reader.is_raw:
        assert all(record.keys() == {"id", "text"} for record in records)
        return
    for place, content in flat.items():
        (tmp_path / place).write_bytes(content.encode() if isinstance(content, str) else content)
    path = tmp_path / next(iter(flat)) if len(flat) == 1 else tmp_path
    expected = list(resolve(f"{name}:{path}").documents())
    found = list(read_records(enumerate(records), "page", ReadReport()))
    assert [_content(document) for document in found] == [_content(document) for document in expected]
    assert all(record["text"] for record in records if record["tokens"])  # what the page draws


def _content(document):
    def relations(one):
        return None if one.relations is None else [(r.head, r.tail, r.type) for r in one.relations]

    return [(one.tokens, [(e.start, e.end, e.type) for e in one.entities], relations(one)) for one in document.sentences]


@pytest.mark.parametrize("name", sorted(table("writer")))
def test_every_writer_makes_a_file_to_download(name):
    made = convert_records(RECORDS, name)
    assert made.content and made.name.startswith("relsift")
    if not find("writer", name).suffix:
        assert zipfile.ZipFile(io.BytesIO(made.content)).namelist()


def test_what_a_format_cannot_hold_is_said_in_a_header(app):
    scored = [RECORDS[0] | {"relations": [{"head": 0, "tail": 1, "type": "runs", "score": 1.5, "probability": 0.8}]}]
    answer = ask(app, "POST", "/v1/convert", json={"documents": scored, "to": "brat"})
    assert answer.status_code == 200 and "attachment" in answer.headers["content-disposition"]
    assert any("scores" in note or "probabilit" in note for note in json.loads(answer.headers["relsift-notes"]))
    kept = ask(app, "POST", "/v1/convert", json={"documents": scored, "to": "native"})
    assert json.loads(kept.text)["relations"] == scored[0]["relations"] and json.loads(kept.headers["relsift-notes"]) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("../evil.txt", "a", "without folders"),
        ("a\\b.txt", "a", "without folders"),
        (".hidden.txt", "a", "without folders"),
        ("a\udc00.txt", "a", "without folders"),
        ("\u738b" * 100 + ".txt", "a", "at most 200 bytes"),
        ("a.spacy", "a", "packed or binary"),
        ("a.txt", b"\0\1\2", "packed or binary"),
        ("a.jsonl", '{"tokens": [""]}\n', "a.jsonl:1: "),
    ],
)
def test_an_upload_that_is_no_text_of_its_own_is_refused_in_one_line(name, content, said):
    with pytest.raises(Problem) as problem:
        read_files([(name, packed(content))], None)
    assert said in problem.value.message and "/tmp" not in problem.value.message


def test_notes_beyond_ten_are_counted_and_long_ones_end_visibly(app, monkeypatch):
    made = Converted("a.csv", b"x", tuple(f"note {number} {'long' * 100}" for number in range(13)))
    monkeypatch.setattr("relsift.serving.conversion.convert_records", lambda *_: made)
    headers = ask(app, "POST", "/v1/convert", json={"documents": RECORDS, "to": "csv"}).headers
    notes = json.loads(headers["relsift-notes"])
    assert (len(notes), headers["relsift-more-notes"]) == (10, "3")
    assert notes[9].startswith("note 9 long") and notes[9].endswith("…")


@pytest.mark.parametrize("part", [{"id": "\ud800"}, {"entities": [{"start": 0, "end": 1, "type": "\ud800"}]}, {"\ud800": 1}])
def test_half_a_character_in_a_record_is_refused_for_every_format(part):
    with pytest.raises(Problem, match=r"got half of one, the lone surrogate '\\ud800'"):
        convert_records([{"id": "1", "tokens": ["Ada"], "entities": [], "relations": []} | part], "native")


def test_unknown_formats_and_broken_requests_are_refused(app):
    for path, body in (
        ("/v1/read", {"files": []}),
        ("/v1/read", {"files": [{"name": "a.txt", "content": "not base64!"}]}),
        ("/v1/read", {"files": [{"name": "a.txt", "content": packed("Ada.")}], "format": "store"}),
        ("/v1/read", {"files": [{"name": "a.txt", "content": packed("Ada.")}, {"name": "a.txt", "content": ""}]}),
        ("/v1/convert", {"documents": [], "to": "native"}),
        ("/v1/convert", {"documents": RECORDS, "to": "nope"}),
        ("/v1/convert", {"documents": [{"tokens": ["a"], "entities": [{"start": 0, "end": 9, "type": "X"}]}], "to": "native"}),
    ):
        answer = ask(app, "POST", path, json=body)
        assert answer.status_code == 422 and answer.json()["error"]["message"], body


def test_samples_are_parts_of_the_shipped_corpora_with_their_entities():
    assert {one["language"] for one in samples()} == {"en", "zh"}
    for one in samples():
        [document] = [document for document in resolve(f"gazette-{one['language']}/test").documents() if document.id == one["id"]]
        assert document.text is not None and document.text.startswith(one["text"])
        first = one["entities"][0]
        assert one["text"][first["start"] : first["end"]] == document.sentences[0].text_of(document.sentences[0].entities[0])
