"""docs/native.schema.json says of a line what the reader says, as far as a schema can."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relsift.corpora.data import resolve
from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.native import READER
from relsift.readers.native_fields import ENTITY_KEYS, RELATION_KEYS
from relsift.readers.native_record import KEYS
from relsift.writers.native import lines

jsonschema = pytest.importorskip("jsonschema_rs")
SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "native.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.validator_for(SCHEMA)
LINE = {
    "id": "s", "tokens": ["Ada", "leads", "Acme"],
    "entities": [{"start": 0, "end": 1, "type": "PER"}, {"start": 2, "end": 3, "type": "ORG"}],
    "relations": [{"head": 0, "tail": 1, "type": "leads"}],
}  # fmt: skip


def accepted(line: dict, tmp_path: Path) -> bool:
    file = tmp_path / "line.jsonl"
    file.write_text(json.dumps(line) + "\n", encoding="utf-8")
    try:
        list(READER.read(file, ReadReport()))
    except DataError:
        return False
    return True


def test_the_schema_names_the_keys_that_the_reader_knows():
    assert SCHEMA["properties"].keys() == KEYS
    assert SCHEMA["$defs"]["entity"]["properties"].keys() == ENTITY_KEYS
    assert SCHEMA["$defs"]["relation"]["properties"].keys() == RELATION_KEYS


def test_lines_that_the_writer_makes_fit():
    documents = list(resolve("gazette-zh").documents("test", ReadReport()))
    written = [json.loads(line) for document in documents for line in lines(document)]
    assert len(written) > 20 and all(VALIDATOR.is_valid(line) for line in written)


@pytest.mark.parametrize(
    "change",
    [
        {"tokens": None}, {"tokens": ["Ada", "", "Acme"]}, {"tokens": "Ada leads Acme"}, {"entities": {}},
        {"entities": [{"start": 0, "end": 1}]},
        {"entities": [{"start": "0", "end": 1, "type": "PER"}]}, {"entities": [{"start": -1, "end": 1, "type": "PER"}]},
        {"entities": [{"start": 0, "end": 1, "type": ""}]}, {"relations": [{"head": 0, "tail": 1}]},
        {"relations": [{"head": 0.5, "tail": 1, "type": "leads"}]},
        {"relations": [{"head": 0, "tail": 1, "type": "leads", "probability": 2}]},
        {"id": ["s"]}, {"heads": [1, -1, 1]}, {"across": [{"head": 0, "tail": 0, "type": "leads"}]}, {"concept_relations": [{"head": "a"}]},
    ],
    ids=lambda change: json.dumps(change)[:60],
)  # fmt: skip
def test_schema_and_reader_refuse_the_same_lines(change, tmp_path):
    assert VALIDATOR.is_valid(LINE) and accepted(LINE, tmp_path)
    assert not VALIDATOR.is_valid(LINE | change) and not accepted(LINE | change, tmp_path)


MINOR = ({"relations": None}, {"id": 7}, {"doc_id": "d"}, {"relations": []}, {"unknown": 1}, {"tagged": []})


@pytest.mark.parametrize("change", MINOR, ids=str)
def test_schema_and_reader_accept_the_same_lines(change, tmp_path):
    assert VALIDATOR.is_valid(LINE | change) and accepted(LINE | change, tmp_path)
