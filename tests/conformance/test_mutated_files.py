"""Hundreds of altered model and state files: each is loaded, or refused by an error of ours, in one line."""

from __future__ import annotations

import copy
import json
import random
import re
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from relsift.bundle import MODEL_FILE, WEIGHTS_FILE, Bundle
from relsift.candidates import Candidates
from relsift.corpora.description import DESCRIPTION_FILE, read_description
from relsift.decisions.decision import DECISION_FILE, Decision
from relsift.errors import RelsiftError
from relsift.files import file_sha256
from relsift.inference import Scorer, score
from relsift.json_text import SEAL, read_json, sealed
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.training.run import train_run
from relsift.training.run_folder import RunData
from relsift.training.state import STATE
from toy import encoding, four_sentences, run_config, sentences

ODD: tuple[Any, ...] = (
    None, True, 0, -1, 2**63, 10**30, 1.5, "", "x", "\ud800", [], [None], [[]], ["x", "x"], {}, {"x": None}, float("nan"), float("inf"),
)  # fmt: skip


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value; of long lists the first three."""
    yield way
    if isinstance(value, dict):
        for key, part in value.items():
            yield from places(part, (*way, key))
    elif isinstance(value, list):
        for number, part in enumerate(value[:3]):
            yield from places(part, (*way, number))


def altered(value: Any, draw: random.Random) -> str:
    """JSON text with one value replaced, deleted or doubled; now and then with bytes altered."""
    value = copy.deepcopy(value)
    way = draw.choice([way for way in places(value) if way])
    parent = value
    for key in way[:-1]:
        parent = parent[key]
    match draw.randrange(4):
        case 0:
            del parent[way[-1]]
        case 1 if isinstance(parent, list):
            parent.append(copy.deepcopy(parent[way[-1]]))
        case _:
            parent[way[-1]] = copy.deepcopy(draw.choice(ODD))
    text = json.dumps(value)
    if draw.random() < 0.15:
        start = draw.randrange(len(text))
        text = text[:start] + draw.choice(("", "[" * 5000, '"x": 1, ', "9" * 5000, "\\ud800", "}")) + text[start + draw.randrange(3) :]
    return text


def unsealed(file: Path) -> dict[str, Any]:
    """Without its checksum, which would refuse every alteration before anything else looks at it."""
    value: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    value.pop(SEAL, None)
    return value


def refused(act: Any, *arguments: Any) -> bool:
    try:
        act(*arguments)
    except RelsiftError as error:
        assert "\n" not in str(error) and len(str(error)) < 2000
        return True
    return False


def load_and_score(folder: Path) -> None:
    score(Bundle.load(folder).scorer, four_sentences())


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    known = encoding()
    folder = tmp_path_factory.mktemp("mutated") / "model"
    scorer = Scorer(MultiTaskCNN(MultiTaskCNNConfig.tiny(), known).eval(), known, Candidates(type_pairs=frozenset({("PER", "ORG")})))
    Bundle("multitask_cnn", scorer, Decision(threshold=0.5), {"data": "toy"}).save(folder)
    return folder


@pytest.mark.parametrize("name", [MODEL_FILE, f"state/{STATE}"])
def test_every_altered_value_of_a_sealed_file_is_refused_with_its_name(name, tmp_path):
    """A turned bit that leaves valid JSON behind, such as another letter in a word of the vocabulary, once changed results in silence."""
    folder = tmp_path / "run"
    train_run(run_config(epochs=1), RunData("toy", sentences(8), sentences(4, seed=5), {"toy": "0"}), folder)
    file = folder / name if name != MODEL_FILE else folder / "model" / name
    whole = file.read_text(encoding="utf-8")
    letters = [match.start() for match in re.finditer(r"(?<=[a-z0-9])[a-z0-9](?=[a-z0-9])", whole[: whole.index(SEAL)])]
    for place in random.Random(name).sample(letters, 60):
        file.write_text(f"{whole[:place]}{'b' if whole[place] == 'a' else '7' if whole[place] == '5' else 'a'}{whole[place + 1 :]}")
        with pytest.raises(RelsiftError, match=re.escape(file.name)):
            read_json(file)


def test_an_edited_decision_is_used_in_silence_with_the_seal_of_an_older_version_too(model, tmp_path):
    folder = shutil.copytree(model, tmp_path / "model")
    file = folder / DECISION_FILE
    value = json.loads(file.read_text(encoding="utf-8"))
    assert SEAL not in value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for written in (value, sealed(value)):
            file.write_text(json.dumps(written).replace("0.5", "0.75"), encoding="utf-8")
            assert Bundle.load(folder).decision.threshold == 0.75


@pytest.mark.parametrize("name", [MODEL_FILE, DECISION_FILE])
def test_altered_descriptions_are_loaded_or_refused(name, model, tmp_path):
    draw, value, count = random.Random(name), unsealed(model / name), 0
    folder = shutil.copytree(model, tmp_path / "model")
    for _ in range(250):
        (folder / name).write_text(altered(value, draw), encoding="utf-8")
        count += refused(load_and_score, folder)
    assert count > 150


def test_altered_weights_are_loaded_or_refused_whatever_the_checksum_says(model, tmp_path):
    draw, content = random.Random(1), (model / WEIGHTS_FILE).read_bytes()
    folder = shutil.copytree(model, tmp_path / "model")
    description = unsealed(folder / MODEL_FILE)
    for _ in range(150):
        changed = bytearray(content)
        for _ in range(draw.choice((1, 3))):
            changed[draw.choice((draw.randrange(8), draw.randrange(400), draw.randrange(len(content))))] = draw.randrange(256)
        cut = bytes(changed[: draw.randrange(len(changed))]) if draw.random() < 0.2 else bytes(changed)
        (folder / WEIGHTS_FILE).write_bytes(cut)
        (folder / MODEL_FILE).write_text(json.dumps(description | {"weights_sha256": file_sha256(folder / WEIGHTS_FILE)}), encoding="utf-8")
        refused(load_and_score, folder)


@pytest.mark.parametrize("name", ["run.json", f"state/{STATE}"])
def test_altered_runs_are_resumed_or_refused(name, tmp_path):
    data = RunData("toy", sentences(8), sentences(4, seed=5), {"toy": "0"})
    train_run(run_config(epochs=1), data, tmp_path / "run")
    file = tmp_path / "run" / name
    draw, value, count = random.Random(name), unsealed(file), 0
    for _ in range(40):
        file.write_text(altered(value, draw), encoding="utf-8")
        count += refused(lambda: train_run(run_config(epochs=1), data, tmp_path / "run", resume=True))
    assert count > 10


def test_altered_descriptions_of_corpora_are_read_or_refused(tmp_path):
    value = {"format": 1, "splits": {"train": {"file": "train.jsonl", "sha256": "0", "sentences": 3}}, "dropped": {"train": ["x"]}}
    draw = random.Random(2)
    for _ in range(200):
        (tmp_path / DESCRIPTION_FILE).write_text(altered(value, draw), encoding="utf-8")
        refused(read_description, "toy", tmp_path)
