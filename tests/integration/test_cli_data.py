"""The commands about data, as a user meets them: what they print, and one clear line for everything that is wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from relsift.cli.main import app
from relsift.registry import CORPORA

SENTENCE = (
    '{"id": "s", "tokens": ["Ada", "runs", "Zed"], "entities": [{"start": 0, "end": 1, "type": "PER"}, '
    '{"start": 2, "end": 3, "type": "ORG"}], "relations": [{"head": 0, "tail": 1, "type": "runs"}]}\n'
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("RELSIFT_HOME", str(folder))
    return folder


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "relsift.cli.main", *arguments], capture_output=True, text=True, check=False, timeout=120)


def ok(*arguments: str) -> str:
    """Standard output of a command that must succeed; run in this process, which is faster."""
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(*arguments: str) -> str:
    """The message of a command that must fail with one line on standard error, and nothing on standard output."""
    done = run(*arguments)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert done.stderr.startswith("relsift: error: ")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr
    return done.stderr.removeprefix("relsift: error: ").rstrip("\n")


def test_stats_of_the_shipped_corpus():
    table = {
        line.rsplit(maxsplit=3)[0].strip(): line.split()[-3:] for line in ok("stats", "gazette-en").splitlines()[1:] if line[-1:].isdigit()
    }
    assert table["sentences"] == ["352", "76", "74"]
    assert table["undirected, with type filter"][0].startswith("1:5")
    record = json.loads(ok("stats", "gazette-en", "--json"))
    assert (record["data"], record["language"], list(record["splits"])) == ("gazette-en", "en", ["train", "dev", "test"])
    assert record["splits"]["dev"]["sentences"] == 76
    assert len(record["sha256"]) == 64


def test_stats_of_one_file(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text(SENTENCE, encoding="utf-8")
    record = json.loads(ok("stats", str(file), "--json"))
    assert list(record["splits"]) == ["all"]
    assert record["splits"]["all"]["relation_types"] == {"runs": 1}


def test_validate_says_that_data_is_valid_and_what_to_mind(tmp_path: Path):
    assert ok("validate", "gazette-zh").splitlines()[-1] == "gazette-zh: valid, no warnings"
    for split in ("train", "test"):
        (tmp_path / f"{split}.jsonl").write_text(SENTENCE, encoding="utf-8")
    lines = ok("validate", f"native:{tmp_path}").splitlines()
    assert lines[:2] == ["train: 1 sentence", "test: 1 sentence"]
    assert lines[2].startswith("warning: test: 1 sentence stands in train too")
    assert lines[3].endswith("valid, 1 warning")


def test_convert_there_and_back(tmp_path: Path):
    assert ok("convert", "gazette-zh/dev", str(tmp_path / "dev.jsonl")) == f"written to {tmp_path / 'dev.jsonl'}\n"
    first = (tmp_path / "dev.jsonl").read_bytes()
    ok("convert", str(tmp_path / "dev.jsonl"), str(tmp_path / "again.jsonl"))
    assert (tmp_path / "again.jsonl").read_bytes() == first
    ok("convert", "gazette-zh/dev", str(tmp_path / "dev.html"))
    assert "<html" in (tmp_path / "dev.html").read_text(encoding="utf-8")


def test_corpora_are_listed_and_shown():
    lines = ok("corpora", "list").splitlines()
    assert [line.split()[0] for line in lines[1:]] == list(CORPORA)
    assert "shipped" in lines[1]
    description = ok("corpora", "show", "ddi2013")
    assert "CC BY-NC 4.0" in description
    assert "(not prepared)" in description


def test_models_and_doctor():
    assert "multitask_cnn: multi-window CNN, BIO tags of all entities" in ok("models")
    report = ok("doctor")
    for word in ("relsift", "torch", "CPU threads", "RELSIFT_KERNEL", "RELSIFT_HOME"):
        assert word in report


def test_version_and_help_exit_with_0():
    done = run("--version")
    assert (done.returncode, done.stdout.split()[0]) == (0, "relsift")
    assert "stats" in ok("--help")


def test_a_corpus_is_prepared_and_used(corpora: Path, home: Path):
    if not (corpora / "conll04/raw").is_dir():
        pytest.skip(f"no CoNLL04 below {corpora}")
    done = run("corpora", "prepare", "conll04", "--from", str(corpora / "conll04"))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0] == "train: 922 sentences, 3377 entities, 1283 relations"
    assert "prepared" in next(line for line in ok("corpora", "list").splitlines() if line.startswith("conll04"))
    assert "test: 22 sentences stand in train too" in ok("validate", "conll04")
    with (home / "corpora/conll04/dev.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(SENTENCE)
    assert "dev.jsonl: expected sha256 " in refused("stats", "conll04")
    assert "run `relsift corpora prepare conll04` again" in refused("validate", "conll04/dev")


def test_validate_lists_every_error_and_ends_with_their_status(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text(SENTENCE + SENTENCE.replace('"end": 3', '"end": 4').replace('"s"', '"t"') + "{", encoding="utf-8")
    done = run("validate", str(file))
    assert (done.returncode, done.stderr) == (2, "")
    lines = done.stdout.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    assert errors and all(str(file) in line for line in errors)
    assert f"{file}: not valid, {len(errors)} error" in lines[-1]
    record = json.loads(run("validate", str(file), "--json").stdout)
    assert (record["valid"], len(record["errors"])) == (False, len(errors))


def test_validate_lists_so_many_errors_as_asked_for_and_counts_the_others(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text(SENTENCE + "{\n" * 5, encoding="utf-8")
    done = run("validate", str(file), "--max-errors", "2")
    lines = done.stdout.splitlines()
    assert [line.partition(": expected")[0] for line in lines if line.startswith("error: ")] == [f"error: {file}:{n}" for n in (2, 3)]
    assert (done.returncode, lines[-2]) == (2, "and 3 more errors")
    assert "not valid, 5 errors" in lines[-1]
    record = json.loads(run("validate", str(file), "--max-errors", "2", "--json").stdout)
    assert (record["num_errors"], len(record["errors"])) == (5, 2)


def test_strict_validation_fails_for_whatever_is_left_out_or_warned_of(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text(SENTENCE, encoding="utf-8")
    assert run("validate", str(file), "--strict").returncode == 0
    for text in (SENTENCE * 2, SENTENCE.replace('"id"', '"mood": 1, "id"'), SENTENCE.replace('"runs"}', '"NA"}')):
        file.write_text(text, encoding="utf-8")
        assert run("validate", str(file)).returncode == 0
        assert run("validate", str(file), "--strict").returncode == 1


def test_data_is_an_argument_or_an_option_and_nothing_twice(tmp_path: Path):
    for command, more in (("stats", []), ("validate", []), ("convert", [str(tmp_path / "a")]), ("split", ["--out", str(tmp_path / "b")])):
        name = "gazette-en/dev"
        arguments = [command, name, *more], [command, "--data", name, *more]
        first = ok(*arguments[0])
        if command == "split":
            for file in (tmp_path / "b").iterdir():
                file.unlink()
        assert ok(*arguments[1]) == first
        assert "DATA: expected annotated data, as an argument or as --data" in refused(*arguments[0], "--data", name)
    assert "DATA: expected annotated data, as an argument or as --data, got none" in refused("stats")
    assert "DST: expected a file or a folder to write, got none" in refused("convert", "gazette-en")
    assert "--on-error: expected stop or skip, got 'go'" in refused("stats", "gazette-en", "--on-error", "go")


def test_a_label_for_no_relation_is_named_and_taken_out_on_request(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text(SENTENCE + SENTENCE.replace('"s"', '"t"').replace('"runs"}', '"no_relation"}'), encoding="utf-8")
    assert "warning: the relation type 'no_relation' looks like" in ok("validate", str(file))
    assert "no_relation" in json.loads(ok("stats", str(file), "--json"))["warnings"][0]
    record = json.loads(ok("stats", str(file), "--json", "--no-relation", "no_relation"))
    assert (record["splits"]["all"]["relation_types"], record["warnings"]) == ({"runs": 1}, [])
    assert record["dropped"] == {"relations of the type 'no_relation' (--no-relation: such pairs are unrelated)": 1}
    assert "--no-relation No: the data has no relation of this type" in ok("validate", str(file), "--no-relation", "No")
    ok("convert", str(file), str(tmp_path / "out.jsonl"), "--no-relation", "no_relation")
    assert "no_relation" not in (tmp_path / "out.jsonl").read_text(encoding="utf-8")


def test_split_writes_parts_that_other_commands_read(tmp_path: Path):
    lines = ok("split", "gazette-en/train", "--out", str(tmp_path / "parts"), "--dev", "0.2", "--seed", "4").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["train", "dev", "test"]
    record = json.loads(ok("stats", str(tmp_path / "parts"), "--json"))
    sizes = {name: part["sentences"] for name, part in record["splits"].items()}
    assert sum(sizes.values()) == 352
    assert 50 <= sizes["dev"] <= 70 and 25 <= sizes["test"] <= 35  # at most a fifth and a tenth of 352, in whole documents
    assert "expected a new or an empty folder" in refused("split", "gazette-en/train", "--out", str(tmp_path / "parts"))
    assert "--dev: expected a share" in refused("split", "gazette-en/train", "--out", str(tmp_path / "more"), "--dev", "nan")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("broken.jsonl", SENTENCE.encode() + b'{"id": "t", "tokens"', "broken.jsonl:2: expected one JSON object a line"),
        ("empty.jsonl", b"", "empty.jsonl: expected text, annotated or not, got none: an empty file"),
        ("latin.jsonl", SENTENCE.replace("Ada", "Adé").encode("latin-1"), "latin.jsonl:1: expected UTF-8 text, got byte 0xe9"),
        ("notes.docx", b"PK\x03\x04", "notes.docx: expected a file or folder in a known format, got one that no format recognises"),
        ("offset.jsonl", SENTENCE.replace('"end": 3', '"end": 4').encode(), "offset.jsonl:1"),
    ],
)
def test_a_bad_file_is_one_line(tmp_path: Path, name: str, content: bytes, message: str):
    (tmp_path / name).write_bytes(content)
    assert message in refused("stats", str(tmp_path / name))


def test_other_mistakes_are_one_line(tmp_path: Path):
    file = tmp_path / "mine.jsonl"
    file.write_text(SENTENCE, encoding="utf-8")
    assert "expected one of ace2005, " in refused("stats", f"natve:{file}")
    assert "did you mean native?" in refused("convert", str(file), str(tmp_path / "out"), "--format", "nativ")
    assert "did you mean conll04?" in refused("corpora", "show", "conll4")
    assert "run `relsift corpora prepare conll04`" in refused("stats", "conll04")
    assert "got a path that does not exist" in refused("corpora", "prepare", "conll04", "--from", str(tmp_path / "nowhere"))
    assert "not found; get them from https://" in refused("corpora", "prepare", "conll04", "--from", str(tmp_path))
    assert "scicn: expected --from DIR" in refused("corpora", "prepare", "scicn")
    assert "mine.jsonl" in refused("convert", "gazette-en/dev", str(file / "below.jsonl"))


def test_a_quoted_record_of_any_length_stays_one_short_line(tmp_path: Path):
    file = tmp_path / "long.json"
    file.write_text(json.dumps([[{"tokens": ["word"] * 50_000}]]), encoding="utf-8")
    assert len(refused("stats", f"spert:{file}")) < 1100


def test_unknown_commands_and_options_keep_the_usual_message():
    for arguments in (["statz"], ["stats", "--tall", "gazette-en"]):
        done = run(*arguments)
        assert done.returncode == 2
        assert done.stderr.startswith("Usage: ")
        assert "Traceback" not in done.stderr


@pytest.mark.skipif(os.name != "posix", reason="pipes of a POSIX shell")
def test_a_reader_that_goes_away_is_no_error():
    script = f"{sys.executable} -m relsift.cli.main stats gazette-en --json | head -c 1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False, timeout=120)
    assert (done.stdout, done.stderr) == ("{", "")
