"""Options of the pipeline; what it computes is tested with all joint models."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from relsift.bundle import Bundle, build
from relsift.candidates import Candidates
from relsift.config import load_config
from relsift.decisions.decision import Decision
from relsift.errors import ConfigError
from relsift.inference import Scorer, score
from relsift.models.pipeline import Pipeline, PipelineConfig
from relsift.training.pretrained import pretrained_layers
from toy import HAS_TRANSFORMERS, batch_of, encoding, randomise, sentences


@pytest.mark.parametrize(
    ("encoder", "relations"), [("bilstm", "bilstm_pcnn"), ("lookup", "bilstm_pcnn"), ("huggingface", "packed_markers")]
)
def test_the_model_of_pairs_follows_the_encoder_unless_named(encoder, relations):
    config = PipelineConfig(encoder=encoder)
    assert type(config.config_of_relations()).__module__.endswith(relations)
    assert type(PipelineConfig(encoder=encoder, relations="pcnn").config_of_relations()).__module__.endswith("pcnn")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("relations=nonsense", r"model\.relations: expected auto or the name of a model of pairs, .* got 'nonsense'"),
        ("relations=spert", r"model\.relations: expected a model of pairs"),
        ("relations=sptree", r"model\.relations: expected a model of pairs that reads no dependency trees"),
        ("relation_preset=foo", r"model\.relation_preset: expected one of null, paper, frozen, tuned, got 'foo'"),
        ("relation_options={filters: 0}", r"model\.relation_options: .*numbers >= 1"),
        ("hidden=-1", r"model\.word_size, model\.hidden: expected numbers >= 1, got \(100, -1\)"),
        ("dropout=1", r"model\.dropout"),
    ],
)
def test_options_that_do_not_fit_are_refused_by_name(option, message):
    with pytest.raises(ConfigError, match=message):
        load_config(model="pipeline", overrides=[f"model.{option}"])


def test_options_of_the_model_of_pairs_add_to_its_preset():
    config = PipelineConfig(encoder="huggingface", relations="bilstm_pcnn", relation_preset="frozen", relation_options={"filters": 64})
    of_pairs = config.config_of_relations()
    assert (of_pairs.encoder, of_pairs.encoder_options["last_layers"], of_pairs.filters) == ("huggingface", 0, 64)


@pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
def test_both_parts_read_one_frozen_transformer_whose_states_are_computed_once(tmp_path: Path, monkeypatch):
    known = encoding()
    model = build("pipeline", Pipeline.PRESETS["frozen"].model, known)
    assert model.encoders[0].transformer is model.encoders[1].transformer
    randomise(model, scale=0.2)
    batch = batch_of(sentences(6), known)
    apart = build("pipeline", {**Pipeline.PRESETS["frozen"].model, "relation_options": {"encoder_options": _APART}}, known)
    assert apart.encoders[0].transformer is not apart.encoders[1].transformer
    calls = []
    transformer = model.encoders[0].transformer
    forward = transformer.forward
    monkeypatch.setattr(transformer, "forward", lambda *args, **options: calls.append(1) or forward(*args, **options))
    model.eval()
    with torch.no_grad():
        together = model.scores(model(batch))
        assert len(calls) == 1
        alone = model.relations.scores(model.relations(batch))  # computes the states itself
    assert len(calls) == 2
    torch.testing.assert_close(together, alone)
    weights = [id(weight) for layer in pretrained_layers(model) for weight in layer]
    assert len(weights) == len(set(weights))
    monkeypatch.undo()
    scorer = Scorer(model, known, Candidates())
    Bundle("pipeline", scorer, Decision()).save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model").scorer
    for one, other in zip(score(loaded, sentences(6)), score(scorer, sentences(6)), strict=True):
        assert (one.sentence, one.scores.tolist()) == (other.sentence, other.scores.tolist())


_APART = {"last_layers": 1, "units": 8}  # of the model of pairs: another pooling of layers than the tagger's
