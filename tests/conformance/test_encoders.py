"""What holds for every pair model on every encoder that needs no files of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.encoding.encoding import WITHOUT_SUBWORDS, Encoding
from relsift.inference import Scorer
from relsift.models.base.model import RelationModel
from relsift.registry import find, table
from toy import batch_of, long_sentence, one_token, randomise, sentences

ENCODERS = [name for name in sorted(table("encoder")) if find("encoder", name).READS <= WITHOUT_SUBWORDS]
MODELS = [name for name in sorted(table("model")) if hasattr(find("model", name).Config.tiny(), "encoder")]
TINY: dict[str, dict[str, Any]] = {
    "bilstm": {"units": 4, "character_size": 3, "character_filters": 4, "case_size": 2, "dropout": 0.0}
}
CLOSE = {"atol": 1e-5, "rtol": 1e-5}
every_pair = pytest.mark.parametrize(
    ("name", "encoder"), [(name, encoder) for name in MODELS for encoder in ENCODERS if "words" in find("model", name).READS]
)


def made(name: str, encoder: str) -> tuple[RelationModel[Any], Encoding]:
    architecture = find("model", name)
    config = replace(architecture.Config.tiny(), encoder=encoder, encoder_options=TINY.get(encoder, {}))
    known = Encoding.fit(sentences(40), reads=architecture.reads(config), unit=architecture.UNIT)
    model = architecture(config, known)
    randomise(model, scale=0.3)
    return model.eval(), known


@every_pair
def test_scores_do_not_depend_on_the_other_sentences_of_a_batch(name, encoder):
    model, known = made(name, encoder)
    group = [*sentences(3), long_sentence(20, 5), one_token()]
    with torch.no_grad():
        together = model.scores(model(batch_of(group, known)))
        alone = torch.cat([model.scores(model(batch_of([sentence], known))) for sentence in group])
    assert together.shape[1] == len(known.labels)
    torch.testing.assert_close(together, alone, **CLOSE)


@every_pair
def test_every_trained_parameter_gets_a_gradient(name, encoder):
    model, known = made(name, encoder)
    batch = batch_of([*sentences(12), long_sentence(30, 6)], known)
    torch.stack(list(model.train().loss(model(batch), batch).values())).sum().backward()
    trained = {key: weight for key, weight in model.named_parameters() if weight.requires_grad}
    assert [key for key, weight in trained.items() if weight.grad is None or not weight.grad.any()] == []


@every_pair
def test_saved_and_loaded_it_scores_the_same(name, encoder, tmp_path: Path):
    model, known = made(name, encoder)
    Bundle(name, Scorer(model, known, Candidates()), Decision(threshold=0.5)).save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    batch = batch_of(sentences(4), known)
    with torch.no_grad():
        assert torch.equal(loaded.model.scores(loaded.model(batch)), model.scores(model(batch)))
    assert loaded.encoding == known
