"""`relsift predict` as a process: in order, in one piece when it is killed or interrupted, and gone on with by `--resume`."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import predictor_to_interrupt
import pytest

import toy
from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.files import lock_output
from relsift.inference import Scorer
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.schema import Document
from relsift.streaming.resume import mark
from relsift.writers.native import lines

SCRIPT = Path(predictor_to_interrupt.__file__)
SENTENCES = 400
Predict = Callable[..., tuple[int | str, str]]


def save_model(folder: Path, seed: int) -> Path:
    known = toy.encoding()
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), known)
    toy.randomise(model, seed)
    decision = Decision(threshold=-1000.0)  # this low, every pair is related
    Bundle("multitask_cnn", Scorer(model.eval(), known, Candidates()), decision).save(folder)
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    """A model and an input, in documents of one to twenty sentences."""
    folder = tmp_path_factory.mktemp("stream")
    save_model(folder / "model", 0)
    draw, sentences, documents = random.Random(0), toy.sentences(SENTENCES), []
    while sentences:
        size = draw.choice((1, 1, 2, 5, 20))
        documents.append(Document(f"d{len(documents)}", tuple(sentences[:size])))
        del sentences[:size]
    (folder / "in.jsonl").write_text("".join(f"{line}\n" for document in documents for line in lines(document)), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def predict(place) -> Iterator[Predict]:
    """predict(*arguments, signal=, watch=, bytes=, input=) -> exit status and standard error."""
    environment = os.environ | {"PYTHONPATH": str(SCRIPT.parents[1]), "OMP_NUM_THREADS": "1", "RELSIFT_KERNEL": "torch"}
    command = [sys.executable, SCRIPT, place / "model"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as server:
        assert server.stdin is not None
        assert server.stdout is not None

        def order(*arguments: object, **rest: Any) -> tuple[int | str, str]:
            print(json.dumps({"arguments": [str(a) for a in arguments], **rest}), file=server.stdin, flush=True)
            answer = json.loads(server.stdout.readline())
            return answer["status"], answer["errors"]

        yield order


@pytest.fixture(scope="module")
def whole(place, predict) -> bytes:
    """What a prediction writes that nobody interrupts."""
    out = place / "whole.jsonl"
    assert predict(place / "in.jsonl", "--out", out)[0] == 0
    assert not mark(out).exists()
    return out.read_bytes()


def assert_same(resumed: bytes, whole: bytes) -> None:
    """Every line once and in order; scores to rounding, since a model may sum what it remembers in another order."""
    got, wanted = ([json.loads(line) for line in text.splitlines()] for text in (resumed, whole))
    assert [r["id"] for r in got] == [r["id"] for r in wanted]
    for one, other in zip(got, wanted):
        scores = [[relation.pop("score") for relation in record["relations"]] for record in (one, other)]
        assert one == other
        assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def assert_refused(status: int | str, errors: str, *parts: str) -> None:
    assert status == 2, errors
    (line,) = errors.splitlines()
    assert line.startswith("relsift: error: --resume") or "--resume: " in line
    for part in parts:
        assert part in line


def test_every_sentence_comes_out_once_and_in_order(place, whole):
    wanted = [json.loads(line) for line in (place / "in.jsonl").read_text(encoding="utf-8").splitlines()]
    predicted = [json.loads(line) for line in whole.splitlines()]
    assert len(predicted) == SENTENCES
    assert [r | {"relations": None} for r in predicted] == [r | {"relations": None} for r in wanted]
    assert all(r["relations"] for r in predicted)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
@pytest.mark.parametrize("seed", range(2))
def test_ended_again_and_again_and_resumed_it_writes_the_same_lines(number, seed, place, predict, whole, tmp_path):
    out, draw, at = tmp_path / "out.jsonl", random.Random(seed), 0
    arguments = (place / "in.jsonl", "--out", out, "--resume")
    for time in range(3):
        at += draw.randint(1, len(whole) // 4)  # more than is there: the signal comes after the process has begun to write
        status, errors = predict(*arguments, signal=number.name, watch=str(out), bytes=at)
        if status == 0 and time > 0:
            break  # on a busy machine the signal may come when all is written
        assert status == {signal.SIGKILL: -number, signal.SIGTERM: 143, signal.SIGINT: 130}[number], errors
        assert mark(out).exists()
        left, end, rest = out.read_bytes().rpartition(b"\n")
        assert not rest or number == signal.SIGKILL  # which may come in the middle of a line, and leaves no time to end it
        assert_same(left + end, b"".join(whole.splitlines(keepends=True)[: left.count(b"\n") + len(end)]))
        at = out.stat().st_size
    else:
        status, errors = predict(*arguments)
        assert status == 0, errors
    assert_same(out.read_bytes(), whole)
    assert not mark(out).exists()


def test_an_interrupted_prediction_says_how_to_go_on_in_one_line(place, predict, tmp_path):
    out = tmp_path / "out.jsonl"
    status, errors = predict(place / "in.jsonl", "--out", out, signal="SIGINT", watch=str(out), bytes=1)
    assert status == 130
    (line,) = errors.splitlines()
    assert line.startswith("relsift: interrupted after ")
    assert line.endswith(" sentences; the same command with --resume goes on from here")


def test_interrupted_while_it_waits_for_a_pipe_it_ends_at_once_with_what_it_had(place, predict, tmp_path):
    out = tmp_path / "out.jsonl"
    twenty = "".join((place / "in.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)[:20])
    status, errors = predict("-", "--out", out, input=twenty, signal="SIGINT", watch=str(out), bytes=1)
    assert status == 130, errors
    (line,) = errors.splitlines()
    assert line.startswith("relsift: interrupted after ")
    assert "--resume" not in line  # nobody can read a pipe again
    assert out.read_bytes().endswith(b"\n")
    assert not mark(out).exists()


def test_resume_with_nothing_there_starts_and_with_everything_there_changes_nothing(place, predict, whole, tmp_path):
    out = tmp_path / "out.jsonl"
    command = (place / "in.jsonl", "--out", out, "--resume")
    status, errors = predict(*command)
    assert status == 0, errors
    assert_same(out.read_bytes(), whole)
    before = out.read_bytes()
    for _ in range(2):
        status, errors = predict(*command)
        assert (status, out.read_bytes()) == (0, before), errors
        assert f"note: {out}: already complete, nothing was left to do" in errors
    assert_refused(*predict(*command, "--threshold", 0.25), "threshold", "-1000.0", "0.25")
    out.write_bytes(before[: len(before) // 2])  # something else writes the file: nobody knows what is in it
    assert_refused(*predict(*command), "something else wrote it", "leave out --resume")
    assert predict(*command[:-1])[0] == 0
    assert_same(out.read_bytes(), whole)
    assert_refused(*predict(*command), "complete", "leave out --resume")  # only --resume keeps a record of what it has done


def test_two_predictions_into_one_file_are_refused_while_one_is_at_work(place, predict, tmp_path):
    out = tmp_path / "out.jsonl"
    with lock_output(out):  # as a prediction holds it
        status, errors = predict(place / "in.jsonl", "--out", out)
    assert (status, out.exists()) == (2, False)
    assert errors == f"relsift: error: {out}: expected no other process that writes it, got one; wait for it, or name another place\n"
    assert predict(place / "in.jsonl", "--out", out)[0] == 0
    assert [file.name for file in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_page_that_cannot_be_ended_leaves_the_old_one(place, predict, whole, tmp_path):
    out, source = tmp_path / "out.html", tmp_path / "in.jsonl"
    out.write_text("old", encoding="utf-8")
    source.write_bytes(whole + b"{")
    status, errors = predict(source, "--out", out)
    assert (status, out.read_text(encoding="utf-8")) == (2, "old"), errors
    assert sorted(file.name for file in tmp_path.iterdir()) == ["in.jsonl", "out.html"]
    assert predict(place / "in.jsonl", "--out", out)[0] == 0
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")  # the suffix chooses the format


@pytest.mark.parametrize("name", ["model/model.json", "model/new.jsonl", "in.jsonl"])
def test_neither_the_model_nor_the_input_is_written_over(name, place, predict):
    before = {file: file.read_bytes() for file in place.rglob("*") if file.is_file()}
    status, errors = predict(place / "in.jsonl", "--out", place / name, "--format", "native")
    assert status == 2
    assert errors.startswith(f"relsift: error: --out: {place / name}: expected a place "), errors
    assert {file: file.read_bytes() for file in place.rglob("*") if file.is_file()} == before


def test_input_without_entities_is_written_and_told_and_no_error(place, predict, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    source.write_text('{"id": "a", "tokens": ["Rain"], "entities": []}\n', encoding="utf-8")
    status, errors = predict(source, "--out", out)
    assert (status, len(out.read_bytes().splitlines())) == (0, 1)
    assert f"note: {source}: 1 sentence, none with entities: no relations; this model relates given entities" in errors


@pytest.mark.parametrize("options", [("--threshold", "nan"), ("--threshold", "inf"), ("--cache-mb", "inf"), ("--cache-mb", "nan")])
def test_numbers_that_are_none_are_refused_before_any_work(options, place, predict, tmp_path):
    status, errors = predict(place / "in.jsonl", "--out", tmp_path / "out.jsonl", *options)
    assert status == 2 and not list(tmp_path.iterdir())
    assert options[0] in errors
    assert "Traceback" not in errors


# ---- what must not be mixed --------------------------------------------------------------------------------------------------


@pytest.fixture
def left(place, predict, whole, tmp_path) -> Path:
    """An output that was cut in the middle of a line."""
    out = tmp_path / "out.jsonl"
    predict(place / "in.jsonl", "--out", out, signal="SIGKILL", watch=str(out), bytes=1)
    assert mark(out).exists()
    out.write_bytes(whole[: len(whole) // 2 + 3])
    return out


def test_another_threshold_is_refused_and_the_file_stays(place, predict, left):
    before = left.read_bytes()
    refused = predict(place / "in.jsonl", "--out", left, "--resume", "--threshold", 0.25)
    assert_refused(*refused, "threshold", "-1000.0", "0.25", "the same command")
    assert left.read_bytes() == before


def test_another_writer_is_refused(place, predict, left):
    assert_refused(*predict(place / "in.jsonl", "--out", left, "--resume", "--format", "html"), "one line a sentence", "'html'")


def test_another_model_is_refused(place, predict, left):
    kept = place / "kept"
    (place / "model").rename(kept)
    save_model(place / "model", 1)
    refused = predict(place / "in.jsonl", "--out", left, "--resume")
    shutil.rmtree(place / "model")
    kept.rename(place / "model")
    assert_refused(*refused, "the model with which", "leave out --resume")


def test_another_input_is_refused(place, predict, left, tmp_path):
    other = tmp_path / "other.jsonl"
    shutil.copy(place / "in.jsonl", other)
    assert_refused(*predict(other, "--out", left, "--resume"), "the input with which", "other.jsonl")


@pytest.mark.parametrize("edit", [lambda lines: lines[1:], lambda lines: lines[:1] + lines, lambda lines: lines[1::-1] + lines[2:]])
def test_an_input_that_lost_doubled_or_swapped_a_sentence_is_refused(place, predict, left, edit):
    file = place / "in.jsonl"
    before = file.read_text(encoding="utf-8")
    file.write_text("".join(edit(before.splitlines(keepends=True))), encoding="utf-8")
    refused = predict(file, "--out", left, "--resume")
    file.write_text(before, encoding="utf-8")
    assert_refused(*refused, "out.jsonl:", "the input has changed")


@pytest.mark.parametrize("arguments", [["-", "--out", "out.jsonl"], ["in.jsonl"], ["in.jsonl", "--out", "/dev/null"]])
def test_resume_is_refused_where_nothing_lasts(predict, arguments):
    assert_refused(*predict(*arguments, "--resume"), "expected an INPUT that can be read again and --out with a file")


def test_a_broken_line_leaves_what_can_be_gone_on_with_once_it_is_mended(place, predict, whole, tmp_path):
    out, file = tmp_path / "out.jsonl", tmp_path / "in.jsonl"
    lines = (place / "in.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    file.write_text("".join([*lines[:300], "{\n", *lines[301:]]), encoding="utf-8")
    status, errors = predict(file, "--out", out)
    assert status == 2
    assert "in.jsonl:301" in errors
    file.write_text("".join(lines), encoding="utf-8")
    status, errors = predict(file, "--out", out, "--resume")
    assert status == 0, errors
    assert_same(out.read_bytes(), whole)
