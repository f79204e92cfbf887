"""Model and run folders that relsift 0.1 wrote (format 1) still load, and score to the last digit as they did when they were saved.

tests/data/format1 was written by that version: every model with its `tiny` configuration, trained for two epochs on invented sentences, and
beside each what it scored then. `run` is a whole run folder.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from relsift.bundle import Bundle
from relsift.errors import CheckpointError
from relsift.extractor import RelationExtractor
from relsift.inference import score
from relsift.readers.base import ReadReport
from relsift.readers.native import read
from relsift.schema import sentences_of

FOLDER = Path(__file__).parents[1] / "data" / "format1"
MODELS = sorted(file.parent.name for file in FOLDER.glob("*/expected.json"))
GROUP = list(sentences_of(read(FOLDER / "sentences.jsonl", ReadReport())))


def test_every_architecture_of_that_version_is_there():
    assert MODELS == ["cr_cnn", "eatt_bigru", "multitask_cnn", "multiwindow_cnn", "pcnn", "sptree", "type_prior", "walk"]


@pytest.mark.parametrize("name", MODELS)
def test_a_folder_of_format_1_scores_as_it_did(name: str):
    bundle = Bundle.load(FOLDER / name)
    expected = json.loads((FOLDER / name / "expected.json").read_text(encoding="utf-8"))
    assert bundle.decision.threshold == expected["threshold"]
    scored = score(bundle.scorer, GROUP)
    assert [[[pair.head, pair.tail] for pair in sentence.pairs] for sentence in scored] == expected["pairs"]
    for sentence, columns, values in zip(scored, expected["labels"], expected["scores"], strict=True):
        best, value = sentence.best()
        assert best.tolist() == columns
        np.testing.assert_allclose(value, values, rtol=1e-5, atol=1e-6)  # another processor rounds otherwise


@pytest.mark.parametrize("name", MODELS)
def test_saved_again_it_is_a_folder_of_format_2_with_a_decision_of_its_own(name: str, tmp_path: Path):
    bundle = Bundle.load(FOLDER / name)
    bundle.save(tmp_path / "model")
    files = {file.name for file in (tmp_path / "model").iterdir()}
    assert files == {"model.json", "model.safetensors", "decision.json"}
    assert json.loads((tmp_path / "model" / "model.json").read_text(encoding="utf-8"))["format"] == 2
    again = Bundle.load(tmp_path / "model")
    assert (again.encoding, again.candidates, again.decision) == (bundle.encoding, bundle.candidates, bundle.decision)
    for one, other in zip(score(bundle.scorer, GROUP), score(again.scorer, GROUP), strict=True):
        assert np.array_equal(one.scores, other.scores)


def test_a_run_folder_of_that_version_predicts():
    extractor = RelationExtractor.from_pretrained(FOLDER / "run")
    assert [sentence.id for sentence in extractor.predict(GROUP)] == [sentence.id for sentence in GROUP]


@pytest.mark.parametrize("key", ["encoding", "threshold", "candidates", "options", "model", "weights_sha256"])
def test_a_folder_of_format_1_without_a_part_is_refused_by_name(key: str, tmp_path: Path):
    folder = shutil.copytree(FOLDER / "pcnn", tmp_path / "model")
    value = json.loads((folder / "model.json").read_text(encoding="utf-8"))
    del value[key]
    (folder / "model.json").write_text(json.dumps(value), encoding="utf-8")
    with pytest.raises(CheckpointError, match=str(folder)):
        Bundle.load(folder)
