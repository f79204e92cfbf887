"""A transformer's folder as training reads it, and `encoder/` in a model folder; each broken one is one line that says what to do."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from relsift.encoders.huggingface import make_transformer
from relsift.encoding.tokenizers import encoder_sha256, load_subwords, save_subwords, subwords_of
from relsift.errors import CheckpointError, ConfigError, RelsiftError
from relsift.training.transformer_weights import fill_transformer
from toy import HAS_TRANSFORMERS, same_tensors
from toy_transformer import LONGEST, toy_subwords, write_toy_folder

pytestmark = pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")


@pytest.fixture(scope="module")
def sound(tmp_path_factory) -> Path:
    return write_toy_folder(tmp_path_factory.mktemp("sound"))


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "encoder"))


def assert_refused(kind: type[RelsiftError], action: Callable[[], Any], *words: str) -> None:
    with pytest.raises(kind) as caught:
        action()
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps(json.loads(file.read_text()) | values))


# ---- a folder of Hugging Face


def test_a_sound_folder_gives_tokenizer_configuration_and_bounds(folder):
    subwords = subwords_of(str(folder))
    assert subwords.longest == LONGEST
    assert subwords.stand_in == 1  # [UNK]
    assert subwords.around == ([2], [3])
    assert subwords.config["model_type"] == "bert"


@pytest.mark.parametrize(
    ("kind", "of_tokenizer", "longest"),
    [("bert", 1000, 40), ("bert", 30, 30), ("roberta", 1000, 39), ("data2vec-text", 1000, 39), ("mpnet", 10**30, 38)],
)
def test_the_longest_window_is_bounded_by_positions_and_tokenizer(tmp_path, kind, of_tokenizer, longest):
    # 40 positions; those of RoBERTa and its like begin behind the number of the padding piece, here 0, those of MPNet behind 1.
    folder = write_toy_folder(tmp_path, kind)
    change(folder / "tokenizer_config.json", model_max_length=of_tokenizer)
    assert subwords_of(str(folder)).longest == longest


def test_without_an_unknown_piece_another_special_one_stands_for_bare_tokens(folder):
    change(folder / "tokenizer_config.json", unk_token=None)
    assert subwords_of(str(folder)).stand_in == 4  # [MASK]


BROKEN: dict[str, tuple[Callable[[Path], Any], tuple[str, ...]]] = {
    "no configuration": (lambda f: (f / "config.json").unlink(), ("config.json", "a folder without")),
    "broken configuration": (lambda f: (f / "config.json").write_text('{"model_type":'), ("config.json",)),
    "no model type": (lambda f: (f / "config.json").write_text("{}"), ("model_type",)),
    "no tokenizer": (lambda f: [file.unlink() for file in f.glob("tokenizer*")], ("tokenizer", "got none", "copy tokenizer.json")),
    "broken tokenizer": (lambda f: (f / "tokenizer.json").write_text('{"model": '), ("tokenizer",)),
    "slow tokenizer": (
        lambda f: ((f / "tokenizer.json").unlink(), (f / "tokenizer_config.json").write_text('{"tokenizer_class": "CanineTokenizer"}')),
        ("the place of each piece", "Canine", "take another encoder"),
    ),
    "more pieces than rows": (lambda f: change(f / "config.json", vocab_size=100), ("at most 100 pieces", "same model")),
    "no special piece": (
        lambda f: change(f / "tokenizer_config.json", **dict.fromkeys(("pad_token", "unk_token", "cls_token", "sep_token", "mask_token"))),
        ("unknown, mask, padding or first piece",),
    ),
    "too short": (lambda f: change(f / "tokenizer_config.json", model_max_length=15), ("at least 16 pieces", "got 15")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_folder_is_one_clear_error(folder, name):
    damage, words = BROKEN[name]
    damage(folder)
    assert_refused(ConfigError, lambda: subwords_of(str(folder)), f"--encoder {folder}", *words)


def test_a_path_where_there_is_nothing_is_no_id_of_the_hub(tmp_path):
    for source in (str(tmp_path / "nothing"), "./nothing", "some/where/deep"):
        assert_refused(ConfigError, lambda source=source: subwords_of(source), source, "a path where there is nothing")
    (tmp_path / "file").write_text("")
    assert_refused(ConfigError, lambda: subwords_of(str(tmp_path / "file")), "got a file")


# ---- weights


def test_the_weights_are_those_of_the_folder(folder):
    from transformers import AutoModel

    transformer = make_transformer(subwords_of(str(folder)).config)
    fill_transformer(transformer, str(folder), subwords_of(str(folder)))
    wanted = {name: tensor for name, tensor in AutoModel.from_pretrained(folder).state_dict().items() if not name.startswith("pooler")}
    assert same_tensors(transformer.state_dict(), wanted)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def spoiled(folder: Path, change_of: Callable[[dict[str, torch.Tensor]], object]) -> None:
    file = folder / "model.safetensors"
    weights = load_file(file)
    change_of(weights)
    save_file(weights, file, metadata={"format": "pt"})


def pickled(folder: Path) -> None:
    """An old file of weights that would run code when it is read."""
    (folder / "model.safetensors").unlink()
    torch.save({"embeddings.word_embeddings.weight": Path()}, folder / "pytorch_model.bin")


WRONG: dict[str, tuple[Callable[[Path], Any], str]] = {
    "none": (lambda f: (f / "model.safetensors").unlink(), "no file named model.safetensors"),
    "cut short": (lambda f: cut_short(f / "model.safetensors"), "weights of a transformer"),
    "of other sizes": (lambda f: change(f / "config.json", hidden_size=16), "embeddings.word_embeddings.weight"),
    "of fewer layers": (lambda f: change(f / "config.json", num_hidden_layers=3), "encoder.layer.2"),
    "not finite": (lambda f: spoiled(f, lambda w: w["embeddings.LayerNorm.weight"].fill_(torch.nan)), "finite weights"),
    "of more layers": (lambda f: spoiled(f, lambda w: w.update({"encoder.layer.2.output.dense.bias": torch.ones(8)})), "layer.2"),
    "a pickle": (pickled, "save it as safetensors"),
}


@pytest.mark.parametrize("name", WRONG)
def test_weights_that_are_missing_unfit_or_of_another_architecture_are_one_clear_error(folder, name, capfd):
    damage, word = WRONG[name]
    damage(folder)
    subwords = subwords_of(str(folder))
    transformer = make_transformer(subwords.config)
    assert_refused(ConfigError, lambda: fill_transformer(transformer, str(folder), subwords), f"--encoder {folder}", word)
    assert capfd.readouterr() == ("", "")  # no report of transformers beside the error


def test_an_architecture_that_needs_more_than_pieces_is_refused_before_training(tmp_path):
    folder = write_toy_folder(tmp_path, "xmod")  # it wants to be told the language
    subwords = subwords_of(str(folder))
    transformer = make_transformer(subwords.config)
    assert_refused(ConfigError, lambda: fill_transformer(transformer, str(folder), subwords), "reads 24 pieces at once")


@pytest.mark.parametrize("kind", ["squeezebert", "layoutlm", "longformer", "esm", "data2vec-text", "roberta-prelayernorm"])
def test_less_common_architectures_work(tmp_path, kind):
    more = {"embedding_size": 8, "attention_window": [4, 4], "max_2d_position_embeddings": 8, "mask_token_id": 4}
    groups = {f"{part}_groups": 1 for part in ("q", "k", "v", "post_attention", "intermediate", "output")}
    folder = write_toy_folder(tmp_path, kind, **more, **groups)
    subwords = subwords_of(str(folder))
    fill_transformer(make_transformer(subwords.config), str(folder), subwords)


def test_an_encoder_in_half_precision_is_trained_in_single_precision(folder):
    change(folder / "config.json", dtype="bfloat16")
    transformer = make_transformer(subwords_of(str(folder)).config)
    assert {weight.dtype for weight in transformer.parameters()} == {torch.float32}


def test_relative_positions_that_the_package_leaves_out_are_refused(folder):
    change(folder / "config.json", position_embedding_type="relative_key")
    assert_refused(ConfigError, lambda: make_transformer(subwords_of(str(folder)).config), "position_embedding_type=relative_key")


def test_an_encoder_without_layers_is_refused(folder):
    change(folder / "config.json", num_hidden_layers=0)
    assert_refused(ConfigError, lambda: make_transformer(subwords_of(str(folder)).config), "num_hidden_layers of 1 or more")


def test_a_folder_that_returns_tuples_is_read_all_the_same(folder):
    change(folder / "config.json", return_dict=False)
    subwords = subwords_of(str(folder))
    fill_transformer(make_transformer(subwords.config), str(folder), subwords)


def test_code_of_a_folder_is_never_run(folder, tmp_path, monkeypatch):
    (folder / "strange.py").write_text(f"open({str(tmp_path / 'RUN')!r}, 'w')\nclass StrangeConfig: ...\n")
    change(folder / "config.json", model_type="strange", auto_map={"AutoConfig": "strange.StrangeConfig"})
    monkeypatch.setattr("builtins.input", lambda *_: "y")
    assert_refused(ConfigError, lambda: subwords_of(str(folder)), "code of its own, which is not run")
    assert not (tmp_path / "RUN").exists()


def test_special_pieces_in_a_text_are_text(folder):
    subwords = subwords_of(str(folder))
    assert not {2, 3, 0} & set(subwords.ids("a [SEP] b [CLS] [PAD]"))


def test_weights_of_other_names_are_refused(folder, tmp_path):
    other = write_toy_folder(tmp_path / "other", "distilbert")
    shutil.copy(other / "model.safetensors", folder)
    subwords = subwords_of(str(folder))
    transformer = make_transformer(subwords.config)
    assert_refused(ConfigError, lambda: fill_transformer(transformer, str(folder), subwords), "none that fit for")


def test_the_checksum_of_a_folder_changes_with_each_file_that_is_read(folder):
    before = encoder_sha256(str(folder))
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"):
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content + b" ")
        assert encoder_sha256(str(folder)) != before, name
        (folder / name).write_bytes(content)
    assert encoder_sha256(str(folder)) == before
    assert encoder_sha256("some/hub-id") is None


# ---- encoder/ in a model folder


def test_saved_and_loaded_it_is_the_same(tmp_path):
    subwords = toy_subwords()
    save_subwords(subwords, tmp_path / "encoder")
    assert sorted(file.name for file in (tmp_path / "encoder").iterdir()) == ["config.json", "pieces.json", "tokenizer.json"]
    assert load_subwords(tmp_path / "encoder") == subwords


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("config.json", None), ("tokenizer.json", None), ("pieces.json", None), ("config.json", "["), ("config.json", "[]"),
        ("tokenizer.json", "{}"), ("tokenizer.json", ""), ("pieces.json", "{}"), ("pieces.json", '{"longest": 2, "stand_in": 1}'),
        ("pieces.json", '{"longest": "24", "stand_in": 1}'), ("pieces.json", '{"longest": 24, "stand_in": -1}'),
    ],
)  # fmt: skip
def test_a_broken_file_of_a_model_folder_is_named(tmp_path, name, content):
    save_subwords(toy_subwords(), tmp_path)
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_text(content)
    assert_refused(CheckpointError, lambda: load_subwords(tmp_path), name)
