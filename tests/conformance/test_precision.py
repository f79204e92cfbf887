"""Prediction in bfloat16, for every registered model: nearly the same scores, of single precision, and nothing left switched on."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from model_cases import KNOWN, Case, cases, parameter, tiny
from relsift.candidates import Candidates
from relsift.errors import ConfigError
from relsift.inference import Ensemble, Scorer, score, with_precision
from relsift.precision import has_bfloat16
from toy import sentences

GROUP = sentences(6, seed=3)
needs_bfloat16 = pytest.mark.skipif(not has_bfloat16(torch.device("cpu")), reason="this processor has no bfloat16")


def scores(scorer: Scorer | Ensemble) -> np.ndarray:
    return np.concatenate([scored.scores for scored in score(scorer, GROUP, entities="gold")])


@needs_bfloat16
@pytest.mark.parametrize("case", [parameter(case) for case in cases()])
def test_scores_in_bfloat16_are_nearly_those_in_float32(case: Case):
    scorer = Scorer(tiny(case), KNOWN, Candidates())
    exact, fast = scores(scorer), scores(with_precision(scorer, "bfloat16"))
    assert fast.dtype == np.float32
    assert np.abs(fast - exact).max() <= 0.1 * max(1.0, float(np.abs(exact).max()))  # bfloat16 has two to three digits
    assert np.array_equal(scores(scorer), exact)


@needs_bfloat16
def test_products_are_computed_in_bfloat16_by_every_member_of_an_ensemble():
    case = next(case for case in cases() if case.name == "bilstm_pcnn" and case.encoder == "bilstm")
    members = tuple(Scorer(tiny(case, seed), KNOWN, Candidates()) for seed in (1, 2))
    fast = with_precision(Ensemble(members), "bfloat16")
    assert not np.array_equal(scores(fast), scores(Ensemble(members)))
    each = [scores(with_precision(member, "bfloat16")) for member in members]
    np.testing.assert_allclose(scores(fast), np.mean(each, axis=0), rtol=1e-6)


def test_another_precision_is_refused():
    scorer = Scorer(tiny(cases()[0]), KNOWN, Candidates())
    with pytest.raises(ConfigError, match=r"precision: expected float32 or bfloat16, got 'float16'"):
        with_precision(scorer, "float16")  # type: ignore[arg-type]
