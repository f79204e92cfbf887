"""A run that starts from word vectors: what the table holds, what is trained, what the record says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from relsift.bundle import build
from relsift.config import RunConfig
from relsift.encoders.lookup import LookupEncoder
from relsift.encoding.encoding import Encoding
from relsift.encoding.words import WordVocabulary
from relsift.errors import CheckpointError, ConfigError, DataError
from relsift.files import file_sha256
from relsift.models.multitask_cnn import MultiTaskCNN
from relsift.training.loop import train
from relsift.training.run import train_run
from relsift.training.run_folder import RunData
from relsift.training.training_set import make_training_set
from relsift.training.word_table import prepare_words
from toy import run_config, same_tensors, sentences

TRAINING, DEVELOPMENT = sentences(40), sentences(16, seed=1)
KNOWN = Encoding.fit(TRAINING)
WORDS = WordVocabulary.fit(TRAINING)
DATA = RunData("toy", TRAINING, DEVELOPMENT, {"train": "0"})
FOUND = {"lives": [1.5, -2, 3, 0, 0.25, 9], "in": [0, 1, 2, 3, 4, 5], "oslo": [7, 7, 7, 7, 7, 8]}  # "Oslo" only in lower case


def vector_file(folder: Path, size: int = 6) -> Path:
    path = folder / "tiny.txt"
    lines = {**FOUND, "unwanted": [0] * 6}
    path.write_text("".join(f"{word} {' '.join(map(str, row[:size]))}\n" for word, row in lines.items()))
    return path


def config_with(path: Path | None, **training: Any) -> RunConfig:
    values = run_config(**training).model_dump()
    values["encoding"]["vectors"] = None if path is None else str(path)
    return RunConfig.model_validate(values)


def fresh(seed: int = 1) -> Any:
    torch.manual_seed(seed)
    return build("multitask_cnn", run_config().model.options, KNOWN)


def ids(*words: str) -> list[int]:
    return WORDS.ids(words)


def test_before_training_the_rows_are_those_of_the_file_and_the_others_are_as_they_were(tmp_path):
    model, untouched = fresh(), fresh()
    report = prepare_words(config_with(vector_file(tmp_path)), model, KNOWN)
    assert report is not None
    assert (report.found, report.found_lower, report.missing) == (2, 1, len(WORDS.words) - 3)
    filled = ids("lives", "in", "Oslo")
    assert model.embed.words.weight[filled].tolist() == list(FOUND.values())
    others = [row for row in range(WORDS.num_rows) if row not in filled]
    assert torch.equal(model.embed.words.weight[others], untouched.embed.words.weight[others])
    assert model.embed.words.weight.requires_grad


def test_vectors_are_scaled_if_asked_for(tmp_path):
    config, model = config_with(vector_file(tmp_path)).model_dump(), fresh()
    config["encoding"]["vectors_scale"] = 0.5
    prepare_words(RunConfig.model_validate(config), model, KNOWN)
    assert model.embed.words.weight[ids("lives")].tolist() == [[x / 2 for x in FOUND["lives"]]]


def test_training_starts_from_the_file(tmp_path, monkeypatch):
    seen: list[torch.Tensor] = []
    forward = MultiTaskCNN.forward

    def spy(self, batch):
        if not seen:
            seen.append(self.embed.words.weight.detach().clone())
        return forward(self, batch)

    monkeypatch.setattr(MultiTaskCNN, "forward", spy)
    result = train(config_with(vector_file(tmp_path), epochs=1), TRAINING, DEVELOPMENT)
    assert seen[0][ids("lives", "in", "Oslo")].tolist() == list(FOUND.values())
    encoder = result.bundle.model.encoder
    assert encoder is not None
    table = encoder.word_table()
    assert table is not None
    assert not torch.equal(table.weight, seen[0])  # and goes on from there


def test_frozen_words_stay_as_they_start_and_all_else_is_trained(tmp_path):
    config = config_with(vector_file(tmp_path), freeze_words=True, epochs=2)
    trained = train(config, TRAINING, DEVELOPMENT).bundle.model
    start = fresh(config.training.seed)
    prepare_words(config, start, KNOWN)
    before, after = start.state_dict(), trained.state_dict()
    assert torch.equal(after["embed.words.weight"], before["embed.words.weight"])
    assert [name for name in before if torch.equal(before[name], after[name])] == ["embed.words.weight"]


@pytest.mark.parametrize("frozen", [True, False])
def test_a_resumed_run_ends_bit_for_bit_like_an_uninterrupted_one(frozen, tmp_path):
    path = vector_file(tmp_path)
    whole = train(config_with(path, freeze_words=frozen), TRAINING, DEVELOPMENT)
    train(config_with(path, freeze_words=frozen, epochs=2), TRAINING, DEVELOPMENT, state_folder=tmp_path / "state")
    resumed = train(config_with(path, freeze_words=frozen), TRAINING, DEVELOPMENT, state_folder=tmp_path / "state", resume=True)
    assert same_tensors(resumed.bundle.model.state_dict(), whole.bundle.model.state_dict())


def test_the_record_of_the_run_names_the_file_its_checksum_and_its_coverage(tmp_path):
    path = vector_file(tmp_path)
    result, _ = train_run(config_with(path, epochs=1), DATA, tmp_path / "run")
    assert result.vectors is not None
    wanted = {
        "file": "tiny.txt", "sha256": file_sha256(path), "size": 6, "words": len(WORDS.words),
        "found": 2, "found_lower": 1, "duplicates": 0, "further": 0, "missing": len(WORDS.words) - 3,
    }  # fmt: skip
    assert json.loads((tmp_path / "run/run.json").read_text())["vectors"] == wanted
    assert json.loads((tmp_path / "run/model/model.json").read_text())["about"]["vectors"] == wanted


def test_a_run_is_not_resumed_with_another_file(tmp_path):
    path = vector_file(tmp_path)
    train_run(config_with(path, epochs=1), DATA, tmp_path / "run")
    path.write_text(path.read_text().replace("1.5", "1.6"))
    with pytest.raises(CheckpointError, match="other checksums"):
        train_run(config_with(path, epochs=1), DATA, tmp_path / "run", resume=True)


def test_vectors_of_another_size_are_refused_with_the_setting_to_use(tmp_path):
    path = vector_file(tmp_path, size=5)
    with pytest.raises(ConfigError, match=r"model\.word_size: expected 5, .* got 6; use --set model\.word_size=5"):
        train(config_with(path), TRAINING, DEVELOPMENT)


@pytest.mark.parametrize(("file", "frozen", "option"), [(True, False, "encoding.vectors"), (False, True, "training.freeze_words")])
def test_a_model_without_word_embeddings_refuses_them(file, frozen, option, tmp_path, monkeypatch):
    monkeypatch.setattr(LookupEncoder, "word_table", lambda self: None)
    config = config_with(vector_file(tmp_path) if file else None, freeze_words=frozen)
    with pytest.raises(ConfigError, match=f"{option}: expected a model with word embeddings, got multitask_cnn"):
        prepare_words(config, fresh(), KNOWN)


def test_a_model_without_an_encoder_refuses_them_too(tmp_path):
    config = config_with(vector_file(tmp_path)).model_dump() | {"model": {"name": "type_prior", "preset": None}}
    with pytest.raises(ConfigError, match=r"encoding\.vectors: expected a model with word embeddings, got type_prior"):
        train(RunConfig.model_validate(config), TRAINING, DEVELOPMENT)


def test_a_missing_file_claims_no_run_folder(tmp_path):
    with pytest.raises(DataError, match="expected a file of word vectors, got nothing"):
        train_run(config_with(tmp_path / "none.txt"), DATA, tmp_path / "run")
    assert not (tmp_path / "run/config.yaml").exists()


def test_further_words_of_the_file_are_known_with_their_vectors_and_the_encoder_says_what_is_frozen(tmp_path):
    path = vector_file(tmp_path)
    config = config_with(path).model_dump()
    config["encoding"]["vectors_words"] = 4
    config["model"] = {"name": "bilstm_pcnn", "preset": None, "word_size": 6, "encoder_options": {"fixed_vectors": True, "units": 4}}
    run = RunConfig.model_validate(config)
    known = make_training_set(run, TRAINING).encoding
    assert known.words is not None and known.words.further == ("oslo", "unwanted")  # "lives" and "in" are words of training
    model = build("bilstm_pcnn", run.model.options, known)
    report = prepare_words(run, model, known)
    assert report is not None and (report.found, report.found_lower, report.further) == (2, 1, 2)
    assert "2 of 44 words found, 1 only in lower case, 41 start at random; 2 further words" in report.line()
    table = model.encoder.words.weight
    assert table[known.words.ids(["unwanted"])].tolist() == [[0] * 6]
    assert not table.requires_grad and model.encoder.added.requires_grad
