"""Every architecture that has a form without torch gives the scores that it has in torch."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from model_cases import KNOWN, TINY_OPTIONS
from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.exporting.export import export
from relsift.inference import Scorer, score
from relsift.registry import find
from toy import long_sentence, one_token, randomise, sentences

CLOSE = 1e-5
SENTENCES = [*sentences(8, seed=3), one_token(), long_sentence(17, 5), long_sentence(60, 7, seed=2)]
BILSTM = {**TINY_OPTIONS["bilstm"], "layers": 2, "keep_input": True, "fixed_vectors": True}
PRODUCT = {"identification": True, "identification_at_prediction": "product"}
CASES: list[tuple[str, dict[str, Any]]] = [
    ("multitask_cnn", {}),
    ("multitask_cnn", {"encoder": "bilstm", "encoder_options": TINY_OPTIONS["bilstm"]}),
    ("multitask_cnn", {"pooling": "max_average", "classification": "both", **PRODUCT}),
    ("multitask_cnn", {"classification": "atloss", **PRODUCT}),
    ("multitask_cnn", {"identification": True, "identification_at_prediction": "filter"}),
    ("multitask_cnn", {"context": "between", "context_size": 4, "pooling": "max_average", "normalise": True, "shared_distances": True}),
    ("multiwindow_cnn", {"tags": False}),
    ("cr_cnn", {}),
    ("cr_cnn", {"context": "between"}),
    ("pcnn", {}),
    ("bilstm_pcnn", {}),
    ("bilstm_pcnn", {"encoder_options": BILSTM, "activation": "tanh"}),
    ("bilstm_pcnn", {"encoder": "lookup", "encoder_options": {}, "spans": False, "type_size": 0, "between_size": 0}),
]


def bundle_of(name: str, options: dict[str, Any]) -> Bundle:
    architecture = find("model", name)
    model = architecture(replace(architecture.Config.tiny(), **options), KNOWN)
    randomise(model, 1, 0.3)
    return Bundle(name, Scorer(model.eval(), KNOWN, Candidates()), Decision())


@pytest.mark.parametrize("at_once", ["little", "much"])  # much: the kernel of Numba
@pytest.mark.parametrize(("name", "options"), CASES, ids=[f"{name}-{'-'.join(options) or 'tiny'}" for name, options in CASES])
def test_the_scores_without_torch_are_those_in_torch(name, options, at_once, tmp_path: Path, monkeypatch):
    if at_once == "much":
        monkeypatch.setattr("relsift.exported.pooling.MUCH", 0)
    bundle = bundle_of(name, options)
    export(bundle, "numpy", tmp_path / "exported")
    exported = Bundle.load(tmp_path / "exported")
    assert exported.form == "numpy"
    assert exported.candidates == bundle.candidates and exported.decision == bundle.decision
    assert exported.encoding.reads == bundle.model.reads(bundle.model.config)
    for expected, got in zip(score(bundle.scorer, SENTENCES), score(exported.scorer, SENTENCES), strict=True):
        assert got.pairs == expected.pairs
        np.testing.assert_allclose(got.scores, expected.scores, atol=CLOSE, rtol=CLOSE)


def test_an_ensemble_is_exported_member_by_member(tmp_path: Path):
    members = [bundle_of("pcnn", {}), bundle_of("cr_cnn", {})]
    ensemble = Bundle.ensemble(members, Decision(threshold=0.5))
    export(ensemble, "numpy", tmp_path / "exported")
    exported = Bundle.load(tmp_path / "exported")
    assert [member.name for member in exported.members] == ["pcnn", "cr_cnn"]
    for expected, got in zip(score(ensemble.scorer, SENTENCES), score(exported.scorer, SENTENCES), strict=True):
        np.testing.assert_allclose(got.scores, expected.scores, atol=CLOSE, rtol=CLOSE)
