"""Options of the pipeline; what it computes is tested with all joint models."""

from __future__ import annotations

import pytest

from relsift.config import load_config
from relsift.errors import ConfigError
from relsift.models.pipeline import PipelineConfig


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
        ("relation_preset=foo", r"model\.relation_preset: expected null, paper or frozen, got 'foo'"),
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
