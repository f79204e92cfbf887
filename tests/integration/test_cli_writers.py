"""Every output format through the commands: into a file, a folder, or standard output; and formats of a package of somebody else."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from calling import assert_one_clear_line, relsift

NOTES = "Ida Holm is the mayor of Skerrin. She works for Brightwater Energy.\n"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("notes.txt").write_text(NOTES, encoding="utf-8")
    return tmp_path


def test_a_table_goes_to_standard_output_and_what_it_cannot_hold_is_told(capsys: pytest.CaptureFixture[str]):
    status, out, err = relsift(capsys, "predict", "demo-en", "notes.txt", "--format", "csv[formulas=kept]")
    assert status == 0, err
    rows = list(csv.DictReader(io.StringIO(out)))
    assert rows and all(NOTES[int(row["head_start"]) : int(row["head_end"])] == row["head_text"] for row in rows)
    assert "note: not in the format csv: 2 sentences whose tokens are not kept (first: document notes.txt)" in err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("--format", "parquet"), ("--out: expected a file, such as relations.parquet", "got standard output")),
        (("--format", "brat"), ("--out: expected a folder for the format brat, got standard output",)),
        (("--format", "brat", "--out", "notes.txt"), ("notes.txt: expected a folder, for the files of the format brat, got a file",)),
        (("--format", "csv", "--out", "."), (".: expected a file to write, got a folder",)),
        (("--format", "csv[x=1]"), ("csv[x=1]: expected option=value with an option of formulas",)),
        (("--format", "turtel"), ("did you mean turtle",)),
        (("--out", "x.zip"), ("expected a name that ends with one of", ".ttl (turtle)", ".parquet (parquet)")),
        (("--out", "brat:found"), ("brat:found: expected a path alone, got a format before it; write found and --format brat",)),
        (("--out", "bioc:found.xml", "--format", "bioc"), ("bioc:found.xml: expected a path alone",)),
        (("--format", "brat", "--out", "brat", "--resume"), ("--resume: expected", "format 'brat'")),
    ],
)
def test_what_a_format_cannot_do_is_one_clear_line(arguments: tuple[str, ...], parts: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    status, _, err = relsift(capsys, "predict", "demo-en", "notes.txt", *arguments)
    assert_one_clear_line(status, err, *parts)
    assert [path.name for path in Path().iterdir()] == ["notes.txt"]


def test_predictions_become_a_folder_once_and_are_never_written_over(capsys: pytest.CaptureFixture[str]):
    command = ("predict", "demo-en", "notes.txt", "--format", "brat", "--out", "for/brat")
    status, _, err = relsift(capsys, *command)
    assert status == 0, err
    assert sorted(path.name for path in Path("for/brat").iterdir()) == ["annotation.conf", "notes.ann", "notes.txt"]
    assert Path("for/brat/notes.txt").read_text(encoding="utf-8") == NOTES
    assert "R1\t" in Path("for/brat/notes.ann").read_text(encoding="utf-8")
    before = Path("for/brat/notes.ann").read_bytes()
    status, _, err = relsift(capsys, *command)
    assert_one_clear_line(status, err, "for/brat: expected a new or empty folder for the format brat, got one with files")
    assert Path("for/brat/notes.ann").read_bytes() == before


def test_suggested_sentences_become_tasks_of_label_studio(capsys: pytest.CaptureFixture[str]):
    status, _, err = relsift(
        capsys, "suggest", "demo-en", "notes.txt", "--count", 1, "--with-predictions", "--out", "tasks", "--to", "label_studio"
    )
    assert status == 0, err
    (task,) = json.loads(Path("tasks/tasks.json").read_text(encoding="utf-8"))
    assert task["data"]["text"].strip() in NOTES
    assert task["predictions"][0]["result"]


PLUG_IN = '''
from relsift.writers.base import Writer


def write(documents, target, left_out, *, arrow="->"):
    with target.open("w", encoding="utf-8", newline="\\n") as stream:
        for document in documents:
            for relation in document.relations:
                stream.write(f"{relation.head.text} {arrow} {relation.type} {arrow} {relation.tail.text}\\n")


WRITER = Writer(
    name="pairs", summary="one line a relation", suffix=".pairs", write=write, options={"arrow": ("->", "=>")},
)
'''


def test_a_writer_of_somebody_else_is_used_like_relsifts_own(place: Path):
    (place / "site/toy-1.0.dist-info").mkdir(parents=True)
    (place / "site/toy_writer.py").write_text(PLUG_IN, encoding="utf-8")
    (place / "site/toy-1.0.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: toy\nVersion: 1.0\n", encoding="utf-8")
    (place / "site/toy-1.0.dist-info/entry_points.txt").write_text("[relsift.writers]\npairs = toy_writer:WRITER\n", encoding="utf-8")
    (place / "in.jsonl").write_text(
        '{"id": "a", "tokens": ["Ada", "runs", "Zed"], '
        '"entities": [{"start": 0, "end": 1, "type": "PER"}, {"start": 2, "end": 3, "type": "ORG"}], '
        '"relations": [{"head": 0, "tail": 1, "type": "runs"}]}\n',
        encoding="utf-8",
    )
    path = os.pathsep.join([str(place / "site"), *filter(None, sys.path)])
    done = subprocess.run(
        [sys.executable, "-m", "relsift", "convert", "in.jsonl", "out", "--format", "pairs[arrow==>]"], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "written to out/data.pairs\n"), done.stderr
    assert (place / "out/data.pairs").read_text(encoding="utf-8") == "Ada => runs => Zed\n"
    assert "not in the format pairs: 1 sentence whose tokens are not kept (first: document a)" in done.stderr
