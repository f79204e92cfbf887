"""Which files of a folder are read, and what is said about the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relsift.corpora.data import resolve
from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.dygie import READER as DYGIE
from relsift.readers.gazette import READER as GAZETTE
from relsift.readers.multihead import READER as MULTIHEAD
from relsift.readers.semeval2010 import READER as SEMEVAL
from relsift.readers.spert import READER as SPERT
from relsift.readers.text import READER as TEXT

RECORD = {"tokens": ["Ada"], "entities": [{"type": "P", "start": 0, "end": 1}], "relations": []}
DOCUMENT = '{"doc_key": "d", "sentences": [["Ada"]], "ner": [[[0, 0, "P"]]]}\n'


def test_a_link_that_leads_nowhere_is_counted_and_a_name_that_cannot_be_written_is_refused(tmp_path: Path):
    (tmp_path / "a.txt").write_text("Ada left.", encoding="utf-8")
    (tmp_path / "b.txt").symlink_to(tmp_path / "nowhere.txt")
    report = ReadReport()
    assert [document.id for document in TEXT.read(tmp_path, report)] == ["a.txt"]
    assert report.dropped == {"links that lead nowhere": 1}
    try:
        (tmp_path / "\udcff.txt").write_text("Bo left.", encoding="utf-8")
    except OSError:
        pytest.skip("this file system has no such names")
    with pytest.raises(DataError, match=r"expected a name in UTF-8"):
        list(TEXT.read(tmp_path, ReadReport()))
    with pytest.raises(DataError, match=r"expected a name in UTF-8"):
        resolve(str(tmp_path / "\udcff.txt"))


def test_a_file_whose_first_line_is_broken_is_not_left_out(tmp_path: Path):
    (tmp_path / "a.jsonl").write_text(DOCUMENT, encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"sentences": [\n' + DOCUMENT.replace('"d"', '"e"'), encoding="utf-8")
    with pytest.raises(DataError, match=r"b\.jsonl:1: expected one JSON object a line"):
        list(DYGIE.read(tmp_path, ReadReport()))
    report = ReadReport(on_error="skip")
    assert [document.id for document in DYGIE.read(tmp_path, report)] == ["d", "e"]
    assert report.dropped == {"broken documents": 1}


def test_a_long_first_record_is_no_reason_to_leave_a_file_out(tmp_path: Path):
    long = ["x" * 1_000_000]
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "a.jsonl").write_text(json.dumps({"doc_key": "d", "sentences": [long], "ner": [[]]}), encoding="utf-8")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "a.json").write_text(json.dumps([{**RECORD, "tokens": long}]), encoding="utf-8")
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "a.txt").write_text(f'1\t"<e1>{long[0]}</e1> <e2>b</e2>"\nOther\n', encoding="utf-8")
    for reader, name in ((DYGIE, "d"), (SPERT, "s"), (SEMEVAL, "e")):
        assert reader.recognises(tmp_path / name)
        assert len(list(reader.read(tmp_path / name, ReadReport()))) == 1


def test_files_that_are_not_read_are_counted_and_named(tmp_path: Path):
    (tmp_path / "train.json").write_text(json.dumps([RECORD]), encoding="utf-8")
    (tmp_path / "types.json").write_text('{"entities": {}, "relations": {}}', encoding="utf-8")
    (tmp_path / "README.md").write_text("About.\n", encoding="utf-8")
    report = ReadReport()
    assert len(list(SPERT.read(tmp_path, report))) == 1
    assert report.lines() == [
        f"1 file of a folder that is in another format ({tmp_path / 'types.json'})",
        f"1 file of a folder with another ending ({tmp_path / 'README.md'})",
    ]


@pytest.mark.parametrize("reader", [MULTIHEAD, GAZETTE, SEMEVAL], ids=lambda reader: reader.name)
def test_a_text_about_the_format_is_not_taken_for_data(tmp_path: Path, reader):
    for name, text in reader.samples.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    example = next(iter(reader.samples.values())).splitlines()[0]
    (tmp_path / "README.txt").write_text(f"A line of a file looks like this:\n{example}\n" + "More of the same.\n" * 9, encoding="utf-8")
    report = ReadReport()
    assert list(reader.read(tmp_path, report))
    assert report.dropped == {"files of a folder that are in another format": 1}


def test_made_up_ids_differ_between_files_of_one_name(tmp_path: Path):
    for folder in ("x", "y"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "a.json").write_text(json.dumps([RECORD]), encoding="utf-8")
    assert [document.id for document in SPERT.read(tmp_path, ReadReport())] == ["x/a-1", "y/a-1"]


def test_ids_that_stand_twice_are_kept_and_counted(tmp_path: Path):
    (tmp_path / "a.json").write_text(json.dumps([{**RECORD, "orig_id": 7}, {**RECORD, "orig_id": "7"}]), encoding="utf-8")
    report = ReadReport()
    assert [document.id for document in SPERT.read(tmp_path, report)] == ["7", "7"]
    assert report.dropped == {"sentence ids that stand twice": 1}
