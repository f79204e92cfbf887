"""train --encoder FOLDER, and what becomes of the model, as a user calls them; with a transformer of a few hundred weights."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from calling import assert_one_clear_line, relsift

from relsift.cli.main import main
from toy import HAS_TRANSFORMERS
from toy_transformer import write_toy_folder

pytestmark = pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
SMALL = ("--data", "gazette-en", "--set", "training.epochs=1")


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """As HF_HUB_OFFLINE=1 sets it when a process begins."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_toy_folder(tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def run(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run on a folder that is deleted afterwards."""
    place = tmp_path_factory.mktemp("run")
    copy = shutil.copytree(encoder, place / "encoder")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relsift", "train", *SMALL, "--encoder", str(copy), "--out", str(place / "out")])
        try:
            main()
        except SystemExit as stop:
            assert not stop.code
    shutil.rmtree(copy)
    return place / "out"


def test_a_trained_model_scores_without_the_encoders_folder_and_without_a_network(run, capsys):
    status, out, err = relsift(capsys, "evaluate", run, "gazette-en/test")
    assert status == 0, err
    assert "micro" in out


def test_the_run_records_versions_and_the_encoders_checksum(run):
    record = json.loads((run / "run.json").read_text())
    assert len(record["checksums"]["encoder"]) > 50
    assert {"transformers", "tokenizers"} <= record["versions"].keys()


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "pieces.json"])
def test_an_altered_file_of_the_encoder_is_noticed(run, tmp_path, capsys, name):
    model = Path(shutil.copytree(run / "model", tmp_path / "model"))
    file = model / "encoder" / name
    file.write_text(file.read_text() + " ")
    assert_one_clear_line(*relsift(capsys, "evaluate", model, "gazette-en/test")[::2], "encoder", "copy the folder again")


def test_a_missing_folder_of_the_encoder_is_noticed(run, tmp_path, capsys):
    model = Path(shutil.copytree(run / "model", tmp_path / "model"))
    shutil.rmtree(model / "encoder")
    assert_one_clear_line(*relsift(capsys, "evaluate", model, "gazette-en/test")[::2], "tokenizer.json", "missing")


def test_a_run_is_not_resumed_with_another_encoder(encoder, tmp_path, capsys):
    copy = Path(shutil.copytree(encoder, tmp_path / "encoder"))
    arguments = ("train", *SMALL, "--encoder", copy, "--out", tmp_path / "out")
    assert relsift(capsys, *arguments)[0] == 0
    assert relsift(capsys, *arguments, "--resume")[0] == 0
    (copy / "tokenizer_config.json").write_text((copy / "tokenizer_config.json").read_text() + " ")
    assert_one_clear_line(*relsift(capsys, *arguments, "--resume")[::2], "other checksums")


def test_any_pair_model_takes_the_encoder(encoder, tmp_path, capsys):
    small = ("--set", "model.filters=4", "--set", "training.epochs=1")
    status, _, err = relsift(
        capsys, "train", "--data", "gazette-zh", "--model", "pcnn", "--encoder", encoder, *small, "--out", tmp_path / "out"
    )
    assert status == 0, err
    assert json.loads((tmp_path / "out" / "model" / "model.json").read_text())["options"]["encoder"] == "huggingface"
    assert "unknown to the encoder; is it made for the language of the text?" in err


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (["--encoder", "NOTHING"], ["NOTHING", "a path where there is nothing"]),
        (["--encoder", "EMPTY"], ["EMPTY", "config.json"]),
        (["--encoder", "no-such-owner/no-such-model"], ["no-such-owner/no-such-model", "without a network, name a folder"]),
        (["--encoder", "ENCODER", "--model", "type_prior"], ["encoding.encoder", "type_prior", "leave out --encoder"]),
        (["--encoder", "ENCODER", "--model", "pcnn", "--set", "model.encoder=lookup"], ["encoding.encoder", "lookup"]),
        (["--model", "packed_markers"], ["encoding.encoder", "--encoder"]),
        (["--model", "pcnn", "--set", "model.encoder=huggingface"], ["encoding.encoder", "--encoder"]),
        (["--encoder", "ENCODER", "--set", "model.encoder_options.pooling=first"], ["model.encoder_options", "packed_markers"]),
        (["--encoder", "ENCODER", "--set", "model.hidden=900000", "--set", "model.type_size=900000"], ["memory", "lower the sizes"]),
    ],
)
def test_a_start_that_cannot_work_is_one_clear_line_and_writes_nothing(encoder, tmp_path, capsys, arguments, parts):
    (tmp_path / "empty").mkdir()
    places = {"NOTHING": tmp_path / "nothing", "EMPTY": tmp_path / "empty", "ENCODER": encoder}
    given = [places.get(argument, argument) for argument in arguments]
    status, _, err = relsift(capsys, "train", *SMALL, *given, "--out", tmp_path / "out")
    wanted = [str(places.get(part, part)) for part in parts if part != "packed_markers"]
    assert_one_clear_line(status, err, *wanted)
    assert not (tmp_path / "out").exists()


def test_memory_that_runs_out_in_training_is_one_clear_line_and_leaves_the_folder_free(encoder, tmp_path, capsys, monkeypatch):
    def run_out(*_: object, **__: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")

    monkeypatch.setattr("relsift.models.packed_markers.PackedMarkers.forward", run_out)
    arguments = ("train", *SMALL, "--encoder", encoder, "--out", tmp_path / "out")
    assert_one_clear_line(*relsift(capsys, *arguments)[::2], "training.batch_pairs", "lower it or training.batch_tokens")
    monkeypatch.undo()
    assert relsift(capsys, *arguments)[0] == 0


def test_whatever_a_training_raises_before_its_first_epoch_leaves_the_folder_free(encoder, tmp_path, capsys, monkeypatch):
    def fail(*_: object, **__: object) -> None:
        raise IndexError("as a transformer may")

    monkeypatch.setattr("relsift.models.packed_markers.PackedMarkers.forward", fail)
    arguments = ("train", *SMALL, "--encoder", encoder, "--out", tmp_path / "out")
    with pytest.raises(IndexError):
        relsift(capsys, *arguments)
    monkeypatch.undo()
    assert relsift(capsys, *arguments)[0] == 0


def test_a_full_disk_under_the_states_of_a_frozen_encoder_names_the_place(encoder, tmp_path, capsys, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("relsift.encoders.frozen_states.FrozenStates._write", full)
    frozen = ("--model", "pcnn", "--set", "model.filters=4", "--set", "training.freeze_encoder=true")
    status, _, err = relsift(capsys, "train", *SMALL, *frozen, "--encoder", encoder, "--out", tmp_path / "out")
    assert status
    assert f"{tmp_path / 'out' / 'state'} (the states of the frozen encoder" in err
    assert os.strerror(errno.ENOSPC) in err
    assert "Traceback" not in err


@pytest.mark.parametrize("model", ["walk", "eatt_bigru"])
def test_presets_with_a_mean_of_their_own_take_the_encoder(encoder, tmp_path, capsys, model):
    status, _, err = relsift(capsys, "train", *SMALL, "--model", model, "--encoder", encoder, "--out", tmp_path / "out")
    assert status == 0, err


CELLS = ("cv", "gazette-en", "--model", "pcnn", "--set", "training.epochs=1", "--set", "model.filters=4", "--folds", 2, "--seeds", 1)


def test_cells_that_read_another_encoder_of_the_same_name_are_not_mixed(encoder, tmp_path, capsys):
    copy = Path(shutil.copytree(encoder, tmp_path / "encoder"))
    small = (*CELLS, "--sentences", 60, "--encoder", copy, "--out", tmp_path / "out")
    assert relsift(capsys, *small, "--only-fold", 1)[0] == 0
    assert relsift(capsys, *small, "--only-fold", 1)[0] == 0
    (copy / "tokenizer_config.json").write_text((copy / "tokenizer_config.json").read_text() + " ")
    status, _, err = relsift(capsys, *small)
    assert_one_clear_line(status, err, "pcnn/fold1-seed1", "the same encoder", "use another --out")


def test_a_grid_looks_at_the_encoder_before_its_first_cell(tmp_path, capsys):
    status, _, err = relsift(
        capsys, "reproduce", "encoders", "gazette-en", "--quick", "--encoder", tmp_path / "nothing", "--out", tmp_path / "out"
    )
    assert_one_clear_line(status, err, str(tmp_path / "nothing"), "a path where there is nothing")
    assert not (tmp_path / "out" / "cells").exists()


@pytest.mark.parametrize("name", ["vectors.txt.gz", "vectors.npy"])
def test_vectors_are_not_written_under_a_name_that_training_reads_otherwise(encoder, tmp_path, capsys, name):
    status, _, err = relsift(capsys, "vectors", "distil", encoder, "--data", "gazette-en", "--size", 4, "--out", tmp_path / name)
    assert_one_clear_line(status, err, name, "such as vectors.txt")
    assert not (tmp_path / name).exists()


def test_further_words_may_begin_with_a_byte_order_mark_and_unknown_ones_are_counted(encoder, tmp_path, capsys):
    (tmp_path / "words.txt").write_bytes("\ufeffHello\n語\n".encode())
    arguments = ("--size", 4, "--words", tmp_path / "words.txt", "--out", tmp_path / "vectors.txt")
    status, _, err = relsift(capsys, "vectors", "distil", encoder, "--data", "gazette-en", *arguments)
    assert status == 0, err
    assert "have no piece in the encoder's tokenizer" in err
    assert any(line.startswith("Hello ") for line in (tmp_path / "vectors.txt").read_text().splitlines())


def test_a_refused_run_folder_is_left_as_it_is(encoder, tmp_path, capsys):
    (tmp_path / "notes.txt").write_text("mine")
    for seeds in ((), ("--seeds", 2)):
        status, _, err = relsift(capsys, "train", *SMALL, "--model", "pcnn", *seeds, "--out", tmp_path)
        assert_one_clear_line(status, err, "holds 'notes.txt'")
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("absent", ["transformers", "tokenizers"])
def test_without_the_packages_the_message_says_what_to_install(encoder, run, tmp_path, absent):
    (tmp_path / f"{absent}.py").write_text(f"raise ImportError('No module named {absent}')\n")
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    for command in (["train", *SMALL, "--encoder", encoder, "--out", tmp_path / "out"], ["evaluate", run, "gazette-en/test"]):
        done = subprocess.run(
            [sys.executable, "-m", "relsift", *map(str, command)], capture_output=True, text=True, env=environment, check=False
        )
        assert_one_clear_line(done.returncode, done.stderr, "pip install 'relsift[transformers]'")
        assert not (tmp_path / "out").exists()
