"""`model.classification` names losses: which ones, with which options, and what a wrong name says."""

from __future__ import annotations

import pytest

from relsift.config import load_config
from relsift.errors import ConfigError
from relsift.losses.base import classifications, loss_classes, make_losses
from relsift.losses.cross_entropy import CrossEntropy
from relsift.losses.ranking import Ranking
from relsift.models.base.pair_classifier import PairClassifierConfig
from relsift.registry import LOSSES


def test_every_registered_loss_is_a_value_and_both_names_two():
    assert {*classifications()} == {*LOSSES, "both"}
    assert [*loss_classes("both")] == ["ranking", "cross_entropy"]  # the first one decides
    assert all([*loss_classes(name)] == [name] for name in LOSSES)


def test_a_loss_takes_the_options_of_the_model_that_it_has_and_no_others():
    options = PairClassifierConfig(gamma=3.0, margin_pos=4.5, margin_neg=-0.5, threshold=1.0, other_weight=0.2).to_dict()
    ranking = Ranking(gamma=3.0, margin_pos=4.5, margin_neg=-0.5, threshold=1.0)
    assert make_losses("both", options) == {"ranking": ranking, "cross_entropy": CrossEntropy(other_weight=0.2)}
    assert make_losses("ranking", {}) == {"ranking": Ranking()}


@pytest.mark.parametrize(("name", "hint"), [("atlos", "atloss"), ("rankin", "ranking"), ("bth", "both"), ("crossentropy", "cross_entropy")])
@pytest.mark.parametrize("model", ["pcnn", "type_prior", "sptree"])
def test_a_near_miss_is_refused_with_the_name_that_may_be_meant(model, name, hint):
    known = "adaptive_focal, asymmetric, atloss, binary_cross_entropy, both, "
    with pytest.raises(ConfigError, match=rf"^model\.classification: expected one of {known}.*got '{name}'; did you mean {hint}"):
        load_config(model=model, overrides=[f"model.classification={name}"])


@pytest.mark.parametrize("value", ["3", "[ranking]", "true", "null"])
def test_what_is_no_name_at_all_is_refused(value):
    with pytest.raises(ConfigError, match=r"^model\.classification: "):
        load_config(overrides=[f"model.classification={value}"])


def test_python_code_is_refused_a_wrong_name_too():
    with pytest.raises(ConfigError, match="did you mean atloss"):
        PairClassifierConfig(classification="at_loss")
