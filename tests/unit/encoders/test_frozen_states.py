"""States of a frozen transformer that are computed once and read from a file afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from relsift.config import RunConfig
from relsift.encoders.base import make_encoder
from relsift.encoders.frozen_states import FrozenStates
from relsift.encoders.huggingface import HuggingFaceEncoder
from relsift.encoding.encoding import Encoding
from relsift.training.loop import TrainingResult, train
from toy import HAS_TRANSFORMERS, batch_of, long_sentence, one_token, randomise, same_tensors, sentences
from toy_transformer import toy_subwords

pytestmark = pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
GROUP = [long_sentence(40, 2), one_token(), *sentences(3)]
TRAINING, DEVELOPMENT = sentences(16, seed=1), sentences(8, seed=2)


def known() -> Encoding:
    return Encoding.fit(sentences(40), reads={"subwords", "tags", "types", "spans"}, subwords=toy_subwords())


def encoder_of(known: Encoding, **options: Any) -> HuggingFaceEncoder:
    encoder = make_encoder("huggingface", known, options, word_size=0, tag_size=3)
    assert isinstance(encoder, HuggingFaceEncoder)
    randomise(encoder, scale=0.3)
    return encoder.eval()


@pytest.fixture
def passes(monkeypatch) -> list[int]:
    """The number of windows of each pass through a transformer."""
    seen: list[int] = []
    states = HuggingFaceEncoder.states

    def spy(self: HuggingFaceEncoder, subwords: Any) -> Any:
        seen.append(len(subwords.ids))
        return states(self, subwords)

    monkeypatch.setattr(HuggingFaceEncoder, "states", spy)
    return seen


@pytest.mark.parametrize("pooling", ["first", "last", "mean"])
def test_kept_states_equal_those_of_the_transformer_in_any_order_of_the_sentences(pooling, passes, tmp_path):
    encoding = known()
    encoder = encoder_of(encoding, pooling=pooling)
    batches = [batch_of(GROUP, encoding), batch_of(GROUP[::-1], encoding), batch_of(GROUP[1:3], encoding)]
    with torch.no_grad():
        wanted = [encoder.features(batch) for batch in batches]
        passes.clear()
        encoder.kept = FrozenStates(encoder.word_size, tmp_path)
        for batch, rows in zip(batches, wanted):
            torch.testing.assert_close(encoder.features(batch), rows, atol=1e-5, rtol=1e-4)
    assert len(passes) == len(GROUP)
    assert passes[0] > 1, "a long sentence has several windows"


def test_the_state_of_the_first_piece_is_kept_too(tmp_path):
    encoding = known()
    encoder = encoder_of(encoding, units=2)
    batches = [batch_of(GROUP, encoding), batch_of(GROUP[::-1], encoding)]
    with torch.no_grad():
        wanted = [encoder.features_and_first(batch) for batch in batches]
        encoder.kept = FrozenStates(encoder.word_size, tmp_path)
        for batch, both in zip(batches, wanted):
            for actual, rows in zip(encoder.features_and_first(batch), both, strict=True):
                torch.testing.assert_close(actual, rows, atol=1e-5, rtol=1e-4)
        del encoder.transformer
        encoder.features_and_first(batches[0])  # from the file alone


def test_the_same_pieces_with_other_tokens_have_states_of_their_own(passes, tmp_path):
    encoding = known()
    encoder = encoder_of(encoding)
    one, other = (batch_of([sentence], encoding) for sentence in (long_sentence(20, 2), long_sentence(20, 2)))
    assert one.subwords is not None and other.subwords is not None
    other.subwords.last.copy_(other.subwords.first)
    encoder.kept = FrozenStates(encoder.word_size, tmp_path)
    with torch.no_grad():
        assert not torch.equal(encoder.features(one), encoder.features(other))
    assert len(passes) == 2


def config_of(encoder: Path, **training: Any) -> RunConfig:
    values: dict[str, Any] = {"epochs": 3, "patience": 3, "learning_rate": 0.01, "batch_pairs": 8, "freeze_encoder": True}
    model = {"name": "pcnn", "encoder": "huggingface", "filters": 4}
    return RunConfig.model_validate({"model": model, "encoding": {"encoder": str(encoder)}, "training": values | training})


def run(config: RunConfig, **options: Any) -> TrainingResult:
    return train(config, TRAINING, DEVELOPMENT, **options)


def weights(result: TrainingResult) -> dict[str, torch.Tensor]:
    return result.bundle.model.state_dict()


def test_a_training_with_a_frozen_transformer_reads_each_sentence_once(passes, toy_encoder, tmp_path):
    result = run(config_of(toy_encoder), state_folder=tmp_path / "new")
    assert len(passes) <= len(TRAINING) + len(DEVELOPMENT)
    encoder = result.bundle.model.encoder
    assert isinstance(encoder, HuggingFaceEncoder)
    assert encoder.kept is None, "a trained model computes its states"
    assert not [file for file in (tmp_path / "new").iterdir() if file.suffix not in (".json", ".pt", ".safetensors")]


@pytest.mark.parametrize("options", [{"freeze_encoder": False}, {"word_dropout": 0.1}])
def test_what_changes_from_epoch_to_epoch_is_not_kept(options, passes, toy_encoder):
    run(config_of(toy_encoder, **options))
    assert len(passes) > 2 * (len(TRAINING) + len(DEVELOPMENT)) // 8


def test_a_resumed_training_ends_bit_for_bit_like_an_uninterrupted_one(toy_encoder, tmp_path):
    whole = run(config_of(toy_encoder, epochs=4))
    for epochs in (2, 4):
        resumed = run(config_of(toy_encoder, epochs=epochs), state_folder=tmp_path, resume=True)
    assert same_tensors(weights(whole), weights(resumed))


def test_kept_states_lead_to_the_same_model_as_computed_ones(toy_encoder, monkeypatch):
    kept = run(config_of(toy_encoder))
    monkeypatch.setattr(FrozenStates, "rows", lambda self, subwords, lengths, states: states(subwords).detach())
    computed = run(config_of(toy_encoder))
    for name, values in weights(kept).items():
        torch.testing.assert_close(values, weights(computed)[name], atol=1e-4, rtol=1e-3)
