"""A saved model that was altered, cut short or made by another version is refused with the name of the file that is wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from relsift.bundle import ANNOTATORS_FILE, MODEL_FILE, WEIGHTS_FILE, Bundle, build, model_checksum, model_folder
from relsift.candidates import Candidates
from relsift.decisions.decision import DECISION_FILE, Decision
from relsift.encoding.encoding import Encoding
from relsift.errors import CheckpointError, ConfigError
from relsift.files import file_sha256
from relsift.inference import Scorer
from relsift.json_text import SEAL
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.schema import Entity, Relation, Sentence
from toy import encoding, randomise, same_tensors

KNOWN = encoding()


def make(seed: int = 0, **options: Any) -> Bundle:
    model = MultiTaskCNN(MultiTaskCNNConfig.from_dict(MultiTaskCNNConfig.tiny().to_dict() | options), KNOWN)
    randomise(model, seed)
    return Bundle("multitask_cnn", Scorer(model.eval(), KNOWN, Candidates()), Decision(threshold=0.5))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make().save(tmp_path / "model")
    return tmp_path / "model"


def description(folder: Path) -> dict[str, Any]:
    value = json.loads((folder / MODEL_FILE).read_text(encoding="utf-8"))
    assert isinstance(value, dict)
    return {key: part for key, part in value.items() if key != SEAL}  # what changes is to be looked at, and not the seal


def rewrite(folder: Path, **changes: Any) -> None:
    (folder / MODEL_FILE).write_text(json.dumps(description(folder) | changes), encoding="utf-8")


def rewrite_weights(folder: Path, weights: dict[str, torch.Tensor]) -> None:
    """Other weights, with a checksum that vouches for them."""
    save_file(weights, folder / WEIGHTS_FILE)
    rewrite(folder, weights_sha256=file_sha256(folder / WEIGHTS_FILE))


def assert_refused(folder: Path, *words: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        Bundle.load(folder)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_holds_three_files_and_no_pickle(folder):
    assert sorted(file.name for file in folder.iterdir() if file.is_file()) == ["decision.json", "model.json", "model.safetensors"]
    # A zip (torch.save) starts with PK, a pickle with \x80; safetensors starts with the length of its JSON header.
    head = (folder / WEIGHTS_FILE).read_bytes()
    length = int.from_bytes(head[:8], "little")
    assert "embed.words.weight" in json.loads(head[8 : 8 + length])


def test_loading_never_imports_pickled_code(folder):
    script = (
        "import sys, pickle, torch\n"
        "def refuse(*a, **k): raise SystemExit('unpickled')\n"
        "pickle.load = pickle.loads = torch.load = refuse\n"
        "from pathlib import Path\n"
        "from relsift.bundle import Bundle\n"
        "print(Bundle.load(Path(sys.argv[1])).decision.threshold)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout == "0.5\n"


def test_nothing_or_a_file_in_the_folders_place_is_refused(tmp_path):
    assert_refused(tmp_path / "none", str(tmp_path / "none"), "got nothing")
    (tmp_path / "file").write_text("x")
    assert_refused(tmp_path / "file", str(tmp_path / "file"), "got a file")


def test_where_the_data_came_before_the_model_the_order_is_told(tmp_path):
    (tmp_path / "train.jsonl").write_text("{}", encoding="utf-8")
    for place in (tmp_path, tmp_path / "train.jsonl"):
        with pytest.raises(CheckpointError, match="the model comes first, then the data"):
            Bundle.load(model_folder(place))


@pytest.mark.parametrize("name", [WEIGHTS_FILE, MODEL_FILE])
def test_a_missing_file_is_named(folder, name):
    (folder / name).unlink()
    assert_refused(folder, str(folder), f"{name} missing")


def test_a_missing_or_broken_decision_is_named_and_nothing_else_is(folder):
    (folder / DECISION_FILE).write_text('{"format": 1, "mode": "single", "threshold": "high"}')
    assert_refused(folder, f"{folder / DECISION_FILE}: decision.threshold: expected a number")
    (folder / DECISION_FILE).unlink()
    assert_refused(folder, f"{folder / DECISION_FILE}: expected the decision of the model, got No such file")


def test_a_decision_may_be_changed_beside_the_model(folder):
    before = model_checksum(folder)
    Decision(threshold=-3.25).save(folder)
    assert Bundle.load(folder).decision == Decision(threshold=-3.25)
    assert model_checksum(folder) != before  # other relations come out of it


def test_annotators_are_kept_where_there_are_any(folder, tmp_path):
    assert Bundle.load(folder).scorer.annotators == {}
    bundle = make()
    with_trees = replace(bundle, scorer=replace(bundle.scorer, annotators={"trees": "spacy:en==1.0"}))
    with_trees.save(tmp_path / "with trees")
    assert Bundle.load(tmp_path / "with trees").scorer.annotators == {"trees": "spacy:en==1.0"}
    assert model_checksum(tmp_path / "with trees") != model_checksum(folder)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"{", "expected JSON"),
        (b"[" * 100_000, "expected JSON"),
        (b"[]", "expected a JSON object, got []"),
        (b'{"trees": 1}', "trees: expected a valid string, got 1"),
        (b'{"tags": "spacy:en"}', "expected annotators that add entities or trees, got ['tags']"),
        (b'{"entities": "spacy:en"}', "entities: expected a JSON object, got 'spacy:en'"),
    ],
)
def test_broken_annotators_are_named(folder, content, words):
    (folder / ANNOTATORS_FILE).write_bytes(content)
    assert_refused(folder, f"{folder / ANNOTATORS_FILE}: {words}")


def test_one_altered_byte_of_the_weights_is_noticed(folder):
    content = bytearray((folder / WEIGHTS_FILE).read_bytes())
    content[-1] ^= 1
    (folder / WEIGHTS_FILE).write_bytes(content)
    assert_refused(folder, str(folder / WEIGHTS_FILE), "sha256")


def test_weights_cut_short_are_noticed(folder):
    content = (folder / WEIGHTS_FILE).read_bytes()
    (folder / WEIGHTS_FILE).write_bytes(content[: len(content) // 2])
    assert_refused(folder, str(folder / WEIGHTS_FILE), "sha256")


def test_weights_of_another_model_of_the_same_shape_are_noticed(folder, tmp_path):
    make(seed=1).save(tmp_path / "other")
    (tmp_path / "other" / WEIGHTS_FILE).replace(folder / WEIGHTS_FILE)
    assert_refused(folder, str(folder / WEIGHTS_FILE), "sha256")


@pytest.mark.parametrize("version", [0, 3, "2", True, None])
def test_another_format_version_is_refused(folder, version):
    rewrite(folder, format=version)
    assert_refused(folder, str(folder / MODEL_FILE), "expected format 1 or 2", repr(version))


def test_a_folder_that_only_calls_itself_format_1_is_refused(folder):
    rewrite(folder, format=1)
    assert_refused(folder, str(folder / MODEL_FILE))


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"null", b'"model"', b"\xff\xfe", b"[" * 100_000])
def test_a_description_that_is_no_json_object_is_refused(folder, content):
    (folder / MODEL_FILE).write_bytes(content)
    assert_refused(folder, str(folder / MODEL_FILE))


@pytest.mark.parametrize("key", ["format", "model", "options", "encoding", "candidates", "weights_sha256", "about"])
def test_a_missing_key_is_refused(folder, key):
    value = description(folder)
    del value[key]
    (folder / MODEL_FILE).write_text(json.dumps(value), encoding="utf-8")
    assert_refused(folder, str(folder))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("model", "multitask_cmn"),
        ("model", 3),
        ("options", {"windos": [1]}),
        ("options", {"filters": "many"}),
        ("options", None),
        ("encoding", {"words": []}),
        ("encoding", None),
        ("candidates", []),
        ("candidates", {"direction": "sideways", "type_pairs": None, "max_distance": None}),
        ("candidates", {"direction": "directed", "type_pairs": [["PER"]], "max_distance": None}),
        ("candidates", {"direction": "directed", "type_pairs": [["PER", 1]], "max_distance": None}),
        ("candidates", {"direction": "directed", "type_pairs": None, "max_distance": 2.5}),
    ],
)
def test_a_value_that_fits_nothing_is_refused(folder, key, value):
    rewrite(folder, **{key: value})
    assert_refused(folder, str(folder / MODEL_FILE))


def test_readings_other_than_those_of_training_are_refused(folder, tmp_path):
    encoding = description(folder)["encoding"]
    for unit in ("pair", "head"):
        rewrite(folder, encoding=encoding | {"unit": unit})
        assert_refused(folder, str(folder / MODEL_FILE), f"encoding.unit: expected sentence, as the model and its tags need it, got {unit}")
    few = {name: part for name, part in encoding.items() if name not in ("trees", "characters")} | {"reads": ["words", "tags"]}
    rewrite(folder, encoding=few)
    assert_refused(folder, str(folder / MODEL_FILE), "encoding.reads: expected", "'spans'")


@pytest.mark.parametrize("changes", [{"filters": 5}, {"identification": False}, {"tags": False}, {"classification": "both"}])
def test_options_that_do_not_fit_the_weights_are_refused(folder, changes):
    rewrite(folder, options=description(folder)["options"] | changes)
    assert_refused(folder, str(folder / MODEL_FILE))


def test_fewer_words_than_the_weights_hold_are_refused(folder):
    known = description(folder)["encoding"]
    rewrite(folder, encoding=known | {"words": known["words"] | {"words": known["words"]["words"][1:]}})
    assert_refused(folder, str(folder / MODEL_FILE), "embed.words")


def test_a_missing_tensor_is_refused_even_if_the_checksum_vouches_for_the_file(folder):
    weights = load_file(folder / WEIGHTS_FILE)
    del weights["classifier.rank.weight"]
    rewrite_weights(folder, weights)
    assert_refused(folder, str(folder / MODEL_FILE), "classifier.rank.weight")


def test_a_tensor_too_many_is_refused(folder):
    rewrite_weights(folder, load_file(folder / WEIGHTS_FILE) | {"extra": torch.zeros(1)})
    assert_refused(folder, str(folder / MODEL_FILE), "extra")


def test_tensors_in_a_broken_file_are_refused_even_if_the_checksum_vouches_for_it(folder):
    (folder / WEIGHTS_FILE).write_bytes(b"no tensors")
    rewrite(folder, weights_sha256=file_sha256(folder / WEIGHTS_FILE))
    assert_refused(folder, str(folder))


def test_a_table_that_two_parts_share_is_saved_once_and_shared_again_after_loading(tmp_path):
    bundle = make(shared_distances=True)
    bundle.save(tmp_path / "model")
    saved = load_file(tmp_path / "model" / WEIGHTS_FILE)
    assert len({"head_distance.weight", "tail_distance.weight"} & set(saved)) == 1
    loaded = Bundle.load(tmp_path / "model").model
    assert same_tensors(loaded.state_dict(), bundle.model.state_dict())
    assert isinstance(loaded, MultiTaskCNN)
    assert loaded.head_distance is loaded.tail_distance


def test_saving_again_replaces_the_model_and_leaves_nothing_beside_it(folder):
    other = make(seed=7)
    other.save(folder)
    assert same_tensors(Bundle.load(folder).model.state_dict(), other.model.state_dict())
    assert [path.name for path in folder.parent.iterdir()] == ["model"]


def test_a_folder_of_other_files_is_not_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(CheckpointError, match="expected a new or empty folder, or a model to replace, got a folder of other files"):
        make().save(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_failed_save_leaves_the_old_model_whole(folder, monkeypatch):
    before = (folder / WEIGHTS_FILE).read_bytes()

    def full(*_: Any) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr("relsift.bundle.write_json", full)
    with pytest.raises(OSError, match="no space"):
        make(seed=7).save(folder)
    assert (folder / WEIGHTS_FILE).read_bytes() == before
    assert Bundle.load(folder).decision.threshold == 0.5


def test_words_and_labels_in_any_script_survive(tmp_path):
    sentence = Sentence("s", ("北京", "É", "\u2028"), (Entity(0, 1, "人"), Entity(1, 2, "ORG")), (Relation(0, 1, '雇"佣'),))
    known = Encoding.fit([sentence], lowercase=True)
    model = build("multitask_cnn", MultiTaskCNNConfig.tiny().to_dict(), known)
    scorer = Scorer(model, known, Candidates(type_pairs=frozenset({("人", "ORG")})))
    Bundle("multitask_cnn", scorer, Decision(threshold=-1.5)).save(tmp_path / "m")
    loaded = Bundle.load(tmp_path / "m")
    assert known.words is not None and set(known.words.words) == {"北京", "é", "\u2028"}
    assert (loaded.encoding, loaded.candidates, loaded.decision) == (known, scorer.candidates, Decision(threshold=-1.5))


def test_building_an_unknown_architecture_hints_at_near_names():
    with pytest.raises(ConfigError, match="did you mean multitask_cnn"):
        build("multitask_cn", {}, KNOWN)


def test_the_order_leak_is_saved_where_it_is_on_and_files_without_it_load(tmp_path: Path):
    bundle = make()
    bundle.save(tmp_path / "plain")
    assert "order_leak" not in description(tmp_path / "plain")["candidates"]
    assert not Bundle.load(tmp_path / "plain").candidates.order_leak
    replace(bundle, scorer=replace(bundle.scorer, candidates=Candidates(order_leak=True))).save(tmp_path / "leak")
    assert Bundle.load(tmp_path / "leak").candidates == Candidates(order_leak=True)


def test_weights_of_16_bits_load_with_32_and_survive_being_saved_again(tmp_path):
    whole = make()
    whole.save(tmp_path / "half", half=True)
    assert {tensor.dtype for tensor in load_file(tmp_path / "half" / WEIGHTS_FILE).values()} == {torch.float16}
    halved = Bundle.load(tmp_path / "half")
    for name, tensor in halved.model.state_dict().items():
        assert tensor.dtype == whole.model.state_dict()[name].dtype
        assert torch.equal(tensor, whole.model.state_dict()[name].half().to(tensor.dtype))
    halved.save(tmp_path / "again", half=True)
    assert model_checksum(tmp_path / "again") == model_checksum(tmp_path / "half")


def test_a_weight_too_large_for_16_bits_keeps_32(tmp_path):
    large = make()
    name, tensor = next((name, tensor) for name, tensor in large.model.state_dict().items() if tensor.is_floating_point())
    tensor.view(-1)[0] = 1e6
    large.save(tmp_path / "model", half=True)
    assert torch.equal(Bundle.load(tmp_path / "model").model.state_dict()[name], tensor)


# ---- what a description may not make happen


def test_loading_a_model_does_not_import_the_compiler_of_torch(folder):
    script = "import sys\nfrom pathlib import Path\nfrom relsift.bundle import Bundle\nBundle.load(Path(sys.argv[1]))\n"
    script += "print([name for name in sys.modules if name.startswith(('torch._dynamo', 'torch._inductor', 'sympy'))])"  # seconds
    done = subprocess.run([sys.executable, "-c", script, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


HUGE = ({"filters": 10**6}, {"word_size": 10**6, "hidden": 10**6}, {"max_distance": 10**6}, {"filters": 10**30})


@pytest.mark.parametrize("changes", HUGE)
def test_sizes_that_do_not_fit_the_weights_are_refused_before_memory_is_taken(folder, changes, monkeypatch):
    monkeypatch.setattr("relsift.weights.load_tensors", None)  # not reached
    rewrite(folder, options=description(folder)["options"] | changes)
    assert_refused(folder, str(folder / MODEL_FILE))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers_are_refused_even_if_the_checksum_vouches_for_them(folder, value):
    weights = load_file(folder / WEIGHTS_FILE)
    weights["embed.words.weight"][0, 0] = value
    rewrite_weights(folder, weights)
    assert_refused(folder, f"{folder / WEIGHTS_FILE}: embed.words.weight: expected finite numbers")


def test_weights_can_be_read_by_others_as_any_new_file_can(folder):
    (folder / "other").write_text("x")
    assert (folder / WEIGHTS_FILE).stat().st_mode == (folder / "other").stat().st_mode


@pytest.mark.parametrize("name", [MODEL_FILE, DECISION_FILE])
def test_a_key_twice_is_refused(folder, name):
    text = (folder / name).read_text(encoding="utf-8")
    (folder / name).write_text(text.replace('"format"', '"format": 7, "format"', 1), encoding="utf-8")
    assert_refused(folder, str(folder / name), "the key 'format' twice")
