"""Single properties of the walk-based model; its numbers are in `tests/golden/test_walk.py`."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from relsift.errors import ConfigError
from relsift.models.walk import WalkConfig, WalkModel
from toy import batch_of, encoding, long_sentence, randomise

KNOWN = encoding()


def test_a_length_that_walks_cannot_have_is_refused():
    with pytest.raises(ConfigError, match=r"model\.walk_length"):
        WalkConfig.from_dict({"walk_length": 3})


@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_a_share_out_of_range_is_refused(value):
    with pytest.raises(ConfigError, match=r"model\.beta: expected a number in \[0, 1\]"):
        WalkConfig(beta=value)


@pytest.mark.parametrize("types", [True, False])
def test_entity_types_matter_with_types_on_and_cannot_with_types_off(types):
    model = WalkModel(replace(WalkConfig.tiny(), types=types, tags=False), KNOWN)
    randomise(model)
    batch = batch_of([long_sentence(12, 5)], KNOWN)
    turned = replace(batch, entities=replace(batch.entities, type=(batch.entities.type + 1) % len(KNOWN.types.names)))
    same = torch.equal(model.eval()(batch).scores, model(turned).scores)
    assert same is not types


def test_a_sentence_of_a_hundred_entities_trains_and_predicts():
    model = WalkModel(replace(WalkConfig.tiny(), walk_length=2), KNOWN)
    batch = batch_of([long_sentence(150, 100)], KNOWN)
    torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
    with torch.no_grad():
        assert model.eval()(batch).scores.isfinite().all()


def test_two_directions_are_refused_where_a_sentence_is_read_once_a_head():
    class ByHead(WalkModel):
        UNIT = "head"

    with pytest.raises(ConfigError, match=r"^model\.directions: expected one for ByHead, which reads a sentence once a head.*, got 'two'$"):
        ByHead(WalkConfig.tiny(), KNOWN)
    ByHead(replace(WalkConfig.tiny(), directions="one"), KNOWN)
