"""What commands do where nothing can be written or read: one line, an exit status, and nothing half-written that looks whole."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import toy
from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.inference import Scorer
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.schema import Document
from relsift.writers.native import lines

CANNOT_WRITE, BAD_INPUT = 1, 2
FULL = Path("/dev/full")
RELSIFT = [sys.executable, "-m", "relsift"]
COMMANDS = (
    "", "demo", "corpora", "corpora list", "corpora show", "corpora prepare", "stats", "validate", "convert", "parse", "train", "evaluate",
    "errors", "compare", "predict", "cv", "reproduce", "models", "doctor",
)  # fmt: skip
full = pytest.mark.skipif(not FULL.is_char_device(), reason="no /dev/full here")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model and an input of many short documents."""
    folder = tmp_path_factory.mktemp("faults")
    known = toy.encoding()
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), known)
    toy.randomise(model)
    Bundle("multitask_cnn", Scorer(model.eval(), known, Candidates()), Decision(threshold=-1000.0)).save(folder / "model")
    documents = [Document(sentence.id, (sentence,)) for sentence in toy.sentences(300)]
    (folder / "in.jsonl").write_text("".join(f"{line}\n" for document in documents for line in lines(document)), encoding="utf-8")
    return folder


def run(*arguments: object, before: Callable[[], object] | None = None, folder: Path | None = None, **options: object) -> tuple[int, str]:
    """Exit status and standard error. Args: before: called in the process before it starts."""
    environment = os.environ | {"OMP_NUM_THREADS": "1", "RELSIFT_KERNEL": "torch", "COLUMNS": "200"}
    done = subprocess.run(
        [*RELSIFT, *map(str, arguments)], stderr=subprocess.PIPE, text=True, check=False, timeout=240, env=environment, cwd=folder,
        preexec_fn=before, **{"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL, **options},  # type: ignore[call-overload]
    )  # fmt: skip
    return done.returncode, done.stderr


def assert_one_line(errors: str, *parts: str) -> None:
    told = [line for line in errors.splitlines() if not line.startswith(("note: ", "left out or changed: ", "multitask_cnn on "))]
    assert len(told) == 1, errors
    assert told[0].startswith("relsift: error: ")
    for part in parts:
        assert part in told[0]


# ---- standard streams


@full
@pytest.mark.parametrize("command", COMMANDS)
def test_help_into_a_full_disk_is_one_line(command: str):
    with FULL.open("w") as stream:
        status, errors = run(*command.split(), "--help", stdout=stream)
    assert status == CANNOT_WRITE
    assert_one_line(errors, "standard output: expected to write on, got No space left on device")


@pytest.mark.parametrize("arguments", ["--help", "--version", "stats gazette-en --json", "validate gazette-en", "corpora list"])
def test_a_closed_standard_output_is_one_line(arguments: str):
    status, errors = run(*arguments.split(), before=lambda: os.close(1))
    assert status == CANNOT_WRITE
    assert_one_line(errors, "standard output: expected to write on, got Bad file descriptor")


@pytest.mark.parametrize("arguments", ["--version", "validate gazette-en"])
@pytest.mark.parametrize("number", [0, 2])
def test_other_closed_streams_do_not_matter_where_they_are_not_used(arguments: str, number: int):
    assert run(*arguments.split(), before=lambda: os.close(number)) == (0, "")


@full
def test_what_cannot_be_told_does_not_end_the_work(place: Path, tmp_path: Path):
    out = tmp_path / "out.jsonl"
    status, _ = run("predict", place / "model", place / "in.jsonl", "--out", out, before=lambda: os.dup2(os.open(FULL, os.O_WRONLY), 2))
    assert (status, len(out.read_bytes().splitlines())) == (0, 300)


def test_a_closed_standard_input_is_one_line(place: Path):
    status, errors = run("predict", place / "model", "-", before=lambda: os.close(0))
    assert status == BAD_INPUT
    assert_one_line(errors, "standard input: expected JSON lines, got Bad file descriptor")


def test_a_file_opened_in_place_of_a_closed_stream_holds_what_it_should(place: Path, tmp_path: Path):
    """The system gives a new file the lowest free number: without care, all that is printed would go into it."""
    out = tmp_path / "out.jsonl"
    assert run("convert", place / "in.jsonl", out, before=lambda: os.closerange(0, 3))[0] == CANNOT_WRITE  # it cannot say what it wrote
    assert out.read_bytes() == (place / "in.jsonl").read_bytes()


@pytest.mark.parametrize("arguments", ["--help", "models", "models --json", "errors model in.jsonl", "predict model in.jsonl"])
def test_a_reader_that_closes_the_pipe_is_no_fault(arguments: str, place: Path):
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as stream:
        status, errors = run(*arguments.split(), folder=place, stdout=stream)
    assert status == 0, errors
    assert "error" not in errors


# ---- files


def small_files() -> None:
    """Let no file grow beyond a few blocks, as a full disk would."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


@pytest.mark.parametrize(
    ("command", "name"),
    [("convert in.jsonl", "out.jsonl"), ("convert in.jsonl", "out.html"), ("predict model in.jsonl --out", "out.html"),
     ("errors model --data in.jsonl --html", "out.html")],
)  # fmt: skip
def test_a_file_that_cannot_be_ended_is_not_there_and_the_old_one_stays(command: str, name: str, place: Path, tmp_path: Path):
    out = tmp_path / name
    status, errors = run(*command.split(), out, before=small_files, folder=place)
    assert status == CANNOT_WRITE, errors
    assert_one_line(errors, f"{out}: expected to write on, got File too large")
    assert not list(tmp_path.iterdir())
    out.write_text("old")
    assert run(*command.split(), out, before=small_files, folder=place)[0] == CANNOT_WRITE
    assert ([file.name for file in tmp_path.iterdir()], out.read_text()) == ([name], "old")


def test_a_prediction_that_ran_into_a_limit_is_marked_and_goes_on(place: Path, tmp_path: Path):
    out, whole = tmp_path / "out.jsonl", tmp_path / "whole.jsonl"
    command = ("predict", place / "model", place / "in.jsonl", "--out")
    status, errors = run(*command, out, before=small_files)
    assert status == CANNOT_WRITE
    assert_one_line(errors, f"{out}: expected to write on, got File too large; the same command with --resume goes on from here")
    assert run(*command, out, "--resume")[0] == run(*command, whole)[0] == 0
    assert out.read_bytes() == whole.read_bytes()


@full
@pytest.mark.parametrize("arguments", ["predict model in.jsonl --out /dev/full", "errors model --data in.jsonl --html /dev/full",
                                       "convert in.jsonl /dev/full --format native", "evaluate model --data in.jsonl --json"])  # fmt: skip
def test_a_full_device_is_one_line_and_stays_a_device(arguments: str, place: Path):
    with FULL.open("w") as stream:
        status, errors = run(*arguments.split(), folder=place, stdout=stream)
    assert status == CANNOT_WRITE
    assert_one_line(errors, "got No space left on device")
    assert stat.S_ISCHR(FULL.stat().st_mode)


def test_training_on_a_full_disk_is_one_line(place: Path, tmp_path: Path):
    options = ["--set", "training.epochs=1", "--set", "training.threads=1"]
    status, errors = run("train", "--data", "gazette-en", "--out", tmp_path / "run", *options, before=small_files)
    assert status == CANNOT_WRITE
    assert "Traceback" not in errors
    assert errors.splitlines()[-1].startswith("relsift: error: ")
    assert "File too large" in errors.splitlines()[-1]


def test_a_grid_on_a_full_disk_has_the_exit_status_of_a_full_disk(tmp_path: Path):
    def tiny_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))

    options = ["--quick", "--folds", "2", "--seeds", "1", "--model", "type_prior", "--jobs", "1"]
    status, errors = run("cv", "gazette-en", *options, "--out", tmp_path / "cv", before=tiny_files)
    assert status == CANNOT_WRITE
    assert "File too large" in errors.splitlines()[-1]


# ---- broken input


def test_prediction_skips_broken_input_on_request_and_resumes_only_so(place: Path, tmp_path: Path):
    broken, out = tmp_path / "broken.jsonl", tmp_path / "out.jsonl"
    good = (place / "in.jsonl").read_text().splitlines()
    broken.write_text("\n".join([*good[:150], "{broken", *good[150:]]))
    assert run("predict", place / "model", broken, "--out", out)[0] == BAD_INPUT
    status, errors = run("predict", place / "model", broken, "--out", out, "--on-error", "skip", "--resume")
    assert status == BAD_INPUT
    assert_one_line(errors, "--resume: expected the on_error with which", "'stop'", "got 'skip'")
    for source in (broken, "-"):
        out.unlink()
        with broken.open() as stream:
            options = ["--on-error", "skip", "--no-relation", "Nope"]
            status, errors = run("predict", place / "model", source, "--out", out, *options, stdin=stream)
        assert (status, len(out.read_bytes().splitlines())) == (0, 300), errors
        assert "1 " in errors and "--no-relation Nope: the data has no relation of this type" in errors


# ---- nothing is written over


@pytest.mark.parametrize(
    "arguments",
    ["errors model --data in.jsonl --html in.jsonl", "errors model --data in.jsonl --html model/model.json",
     "errors model --data in.jsonl --html linked.html", "convert in.jsonl in.jsonl", "convert in.jsonl model/decision.json --format native",
     "convert in.jsonl linked.html", "parse in.jsonl --conllu trees.conllu --out trees.conllu",
     "parse in.jsonl --conllu trees.conllu --out in.jsonl", "train --data in.jsonl --dev in.jsonl --out .",
     "train --data in.jsonl --dev in.jsonl --out model/model.safetensors", "train --data in.jsonl --dev in.jsonl --out model",
     "train --data in.jsonl --dev in.jsonl --out in.jsonl", "cv --data in.jsonl --out in.jsonl", "cv --data in.jsonl --out model",
     "reproduce table1 --data in.jsonl --out model", "convert folder folder/train.jsonl", "convert folder folder"],
)  # fmt: skip
def test_no_command_writes_over_what_it_reads_or_over_a_model(arguments: str, place: Path):
    (place / "trees.conllu").write_text("1\tAda\tAda\tPROPN\t_\t_\t0\troot\t_\t_\n\n")
    (place / "folder").mkdir(exist_ok=True)
    (place / "folder/train.jsonl").write_bytes((place / "in.jsonl").read_bytes())
    if not (place / "linked.html").exists():
        (place / "linked.html").hardlink_to(place / "in.jsonl")
    before = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
    status, errors = run(*arguments.split(), folder=place)
    assert status == BAD_INPUT
    assert_one_line(errors, ": expected ")
    assert {file: file.read_bytes() for file in place.rglob("*") if file.is_file()} == before


# ---- control characters


def test_text_of_the_data_reaches_the_terminal_as_escapes(place: Path, tmp_path: Path):
    label = "[red]x[/]\\u001b[31m\\u009b1m\\u202e[/b]"
    record = '{{"id": "{0}{1}", "tokens": ["Ada{1}", "x"], "entities": [{{"start": 0, "end": 1, "type": "{1}"}}, '
    record += '{{"start": 1, "end": 2, "type": "P"}}], "relations": [{{"head": 0, "tail": 1, "type": "{1}"}}]}}\n'
    data = tmp_path / "a\x1b[31m[b]\u202e.jsonl"
    data.write_text("".join(record.format(number, label) for number in range(2)), encoding="utf-8")
    missing = tmp_path / "no\x1b[2J\udcff"
    commands = (
        ["stats", data], ["validate", data], ["evaluate", place / "model", "--data", data], ["errors", place / "model", "--data", data],
        ["predict", place / "model", data, "--out", tmp_path / "out.jsonl"], ["convert", data, tmp_path / "o\x1b[31m.jsonl"],
        ["stats", missing], ["errors", place / "model", "--data", missing], ["\x1b[31mtrain"], ["stats", data, "--\x1b[31mx"],
        ["compare", place / "model", place / "model", "--data", data, "--samples", "10"],
    )  # fmt: skip
    for command in commands:
        wide = os.environ | {"COLUMNS": "300"}
        seen = subprocess.run([*RELSIFT, *map(str, command)], capture_output=True, check=False, timeout=240, env=wide)
        told = (seen.stdout + seen.stderr).decode("utf-8")
        assert "Traceback" not in told, told
        assert not {character for character in told if character in "\x1b\x07\x9b\u202e"}, command
        assert "\\x1b[" in told, (command, told)
        if command[0] in ("stats", "evaluate") and command[-1] is data:
            assert "[red]x[/]\\x1b[31m\\x9b1m\\u202e[/b]" in told


