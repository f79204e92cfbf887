"""What can be exported, what is refused, and what becomes of broken folders."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from model_cases import KNOWN
from relsift import RelationExtractor
from relsift.annotators.entities import EntitySource
from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.cli.export import command
from relsift.decisions.decision import Decision
from relsift.errors import CheckpointError, ConfigError, OutputError, RelsiftError
from relsift.exported import files, markers
from relsift.exporting import transformer
from relsift.exporting.export import export
from relsift.files import file_sha256
from relsift.inference import AnyScorer, Scorer, score, with_precision
from relsift.models.pcnn import PCNN
from relsift.registry import find
from relsift.schema import Sentence
from toy import four_sentences, long_sentence, one_token, randomise, sentences


def bundle_of(name: str, **options: object) -> Bundle:
    architecture = find("model", name)
    model = architecture(replace(architecture.Config.tiny(), **options), KNOWN)
    randomise(model, 1, 0.3)
    return Bundle(name, Scorer(model.eval(), KNOWN, Candidates()), Decision(), {"data": "toy"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A model exported to NumPy."""
    place = tmp_path_factory.mktemp("exported") / "model"
    export(bundle_of("pcnn"), "numpy", place)
    return place


def rewrite(folder: Path, **changes: object) -> Path:
    file = folder / "model.json"
    value = json.loads(file.read_text(encoding="utf-8")) | changes
    value.pop("content_sha256", None)
    file.write_text(json.dumps(value), encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["joint_birnn", "sptree", "walk", "type_prior"])
def test_an_architecture_without_a_form_is_refused_by_its_name(name, tmp_path):
    with pytest.raises(ConfigError, match=f"got {name}"):
        export(bundle_of(name), "numpy", tmp_path / "out")
    assert not (tmp_path / "out").exists()


class FromPlugIn(PCNN):
    """An architecture of another package, which may compute anything."""


def test_a_model_of_a_plug_in_is_refused(tmp_path):
    model = FromPlugIn(PCNN.Config.tiny(), KNOWN)
    with pytest.raises(ConfigError, match=r"FromPlugIn of a plug-in, which has no form without torch"):
        export(Bundle("theirs", Scorer(model, KNOWN, Candidates()), Decision()), "numpy", tmp_path / "out")


def test_an_export_cannot_be_exported_again(folder, tmp_path):
    with pytest.raises(ConfigError, match="got one exported to numpy already"):
        export(Bundle.load(folder), "numpy", tmp_path / "out")


@pytest.mark.parametrize(
    ("form", "quantize", "message"),
    [
        ("tflite", None, "expected numpy or onnx, got 'tflite'"),
        ("onnx", None, "expected numpy for this model, which reads words, got onnx"),
        ("numpy", "int8", "expected the form onnx beside it"),
        ("onnx", "int4", "expected int8, got 'int4'"),
    ],
)
def test_a_form_that_does_not_fit_is_refused(form, quantize, message, tmp_path):
    with pytest.raises(ConfigError, match=message):
        export(bundle_of("pcnn"), form, tmp_path / "out", quantize=quantize)


def test_a_full_disk_is_one_line_and_leaves_no_weights(tmp_path, monkeypatch):
    def refuse(tables: object, file: Path) -> None:
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(files, "save_file", refuse)
    with pytest.raises(OutputError, match=r"model\.safetensors: expected to write on, got .*No space left on device"):
        export(bundle_of("pcnn"), "numpy", tmp_path / "exported")
    assert not list(tmp_path.rglob("*.safetensors"))


def test_an_exported_model_keeps_annotators_and_notes_and_can_be_saved_again(tmp_path):
    names = tmp_path / "names.jsonl"
    names.write_text('{"label": "PER", "pattern": "Ada"}\n', encoding="utf-8")
    bundle = replace(bundle_of("pcnn"), entity_source=EntitySource((f"patterns:{names}",), {}))
    export(bundle, "numpy", tmp_path / "one")
    extractor = RelationExtractor.from_pretrained(tmp_path / "one")
    extractor.save_pretrained(tmp_path / "two")
    assert RelationExtractor.from_pretrained(tmp_path / "two").bundle.about["data"] == "toy"
    assert [entity.text for entity in RelationExtractor.from_pretrained(tmp_path / "two")("Ada works for Acme").entities] == ["Ada"]


def test_an_exported_model_stays_on_the_cpu_in_single_precision_and_cannot_be_trained(folder):
    bundle = Bundle.load(folder)
    with pytest.raises(ConfigError, match="expected cpu or auto, for a model exported to numpy, got meta"):
        bundle.to(torch.device("meta"))
    with pytest.raises(ConfigError, match="expected float32, for a model exported to numpy"):
        with_precision(bundle.scorer, "bfloat16")
    with pytest.raises(ConfigError, match="expected a model in torch, got one exported to numpy"):
        _ = bundle.model


@pytest.mark.parametrize("name", ["model.json", "model.safetensors", "decision.json"])
def test_a_truncated_folder_names_the_file(folder, name, tmp_path):
    broken = shutil.copytree(folder, tmp_path / "broken")
    (broken / name).write_bytes((broken / name).read_bytes()[:-20])
    with pytest.raises(RelsiftError, match=name):
        Bundle.load(broken)
    (broken / name).unlink()
    with pytest.raises(RelsiftError, match=name):
        Bundle.load(broken)


def test_an_unknown_form_asks_for_another_version(folder, tmp_path):
    with pytest.raises(CheckpointError, match="form: expected numpy or onnx, got 'wasm'"):
        Bundle.load(rewrite(shutil.copytree(folder, tmp_path / "other"), form="wasm"))


def test_weights_that_do_not_fit_the_description_are_refused(folder, tmp_path):
    def changed(name: str, **tables: np.ndarray) -> Path:
        place = shutil.copytree(folder, tmp_path / name)
        file = place / "model.safetensors"
        save_file({**load_file(file), **tables}, file)
        return rewrite(place, weights_sha256=file_sha256(file))

    with pytest.raises(CheckpointError, match=r"logits.weight: expected weights of shape \(4, 24\), got \(1, 1\)"):
        Bundle.load(changed("shape", **{"logits.weight": np.zeros((1, 1), np.float32)}))
    with pytest.raises(CheckpointError, match="got others too: further"):
        Bundle.load(changed("more", further=np.zeros(3, np.float32)))
    with pytest.raises(CheckpointError, match=r"logits\.bias: expected finite numbers"):
        Bundle.load(changed("nan", **{"logits.bias": np.full(4, np.nan, np.float32)}))
    with pytest.raises(CheckpointError, match="expected numbers of type float32 or float16, got int64"):
        Bundle.load(changed("whole", **{"logits.bias": np.zeros(4, np.int64)}))


def exported_twice(bundle: Bundle, place: Path, monkeypatch) -> tuple[Path, Path]:
    """Folders with a transformer of 32 and of 8 bits, from one export, which writes both and drops the former."""
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime")
    own = transformer._quantize

    def keeping(source: Path, target: Path) -> None:
        shutil.copyfile(source, place / "whole.onnx")
        own(source, target)

    monkeypatch.setattr(transformer, "_quantize", keeping)
    export(bundle, "onnx", place / "eight", quantize="int8")
    whole = shutil.copytree(place / "eight", place / "whole")
    shutil.copyfile(place / "whole.onnx", whole / "transformer.onnx")
    return rewrite(whole, transformer_sha256=file_sha256(whole / "transformer.onnx")), place / "eight"


def largest_error(got: AnyScorer, expected: AnyScorer, texts: list[Sentence]) -> float:
    pairs = zip(score(got, texts), score(expected, texts), strict=True)
    return max(float(np.abs(one.scores - other.scores).max(initial=0)) for one, other in pairs)


def test_a_transformer_is_exported_with_its_head_in_32_and_in_8_bits(tmp_path, monkeypatch):
    options = {"units": 4, "last_layers": 0, "pooling": "mean", "character_filters": 3, "case_size": 2}
    bundle = bundle_of("bilstm_pcnn", encoder="huggingface", encoder_options=options)
    texts = [*sentences(8, seed=3), long_sentence(60, 7, seed=2)]  # the last one in several windows
    whole, eight = exported_twice(bundle, tmp_path, monkeypatch)
    assert 1e-5 < largest_error(Bundle.load(eight).scorer, bundle.scorer, texts) < 0.1  # 8 bits are not exact
    assert largest_error(Bundle.load(whole).scorer, bundle.scorer, texts) < 1e-5
    (whole / "transformer.onnx").write_bytes(b"none")
    with pytest.raises(CheckpointError, match=r"transformer\.onnx: expected sha256"):
        Bundle.load(whole)
    rewrite(whole, transformer_sha256=file_sha256(whole / "transformer.onnx"))
    with pytest.raises(CheckpointError, match="expected a transformer in the format ONNX"):
        Bundle.load(whole)
    (whole / "transformer.onnx").unlink()
    with pytest.raises(CheckpointError, match=r"expected transformer\.onnx, got none"):
        Bundle.load(whole)


def test_markers_of_all_pairs_are_exported_with_their_transformer_and_also_an_ensemble_of_them(tmp_path, monkeypatch):
    bundle = bundle_of("packed_markers", marker_layers=1)
    texts = [*sentences(8, seed=3), one_token(), long_sentence(60, 15, seed=2)]  # the last one: several windows, 210 pairs
    whole, eight = exported_twice(bundle, tmp_path, monkeypatch)
    exact = Bundle.load(whole)
    assert largest_error(exact.scorer, bundle.scorer, texts) < 1e-5
    assert 1e-5 < largest_error(Bundle.load(eight).scorer, bundle.scorer, texts) < 0.1
    together = [score(exact.scorer, [text])[0].scores for text in texts]
    monkeypatch.setattr(markers, "GROUPS_IN_ROW", 3)
    monkeypatch.setattr(markers, "SQUARES_AT_ONCE", 3000)
    for one, other in zip(score(exact.scorer, texts), together, strict=True):
        np.testing.assert_allclose(one.scores, other, atol=1e-5)
    Bundle.ensemble([exact, Bundle.load(eight)], Decision()).save(tmp_path / "both")
    mean = (score(exact.scorer, texts)[0].scores + score(Bundle.load(eight).scorer, texts)[0].scores) / 2
    np.testing.assert_allclose(score(Bundle.load(tmp_path / "both").scorer, texts)[0].scores, mean, atol=1e-5)
    mixed = json.loads((whole / "model.json").read_text(encoding="utf-8"))["options"] | {"convolution": {}}
    with pytest.raises(CheckpointError, match=r"model\.json: options"):
        Bundle.load(rewrite(whole, options=mixed))


def test_an_exported_model_explains_itself(folder):
    explanation = RelationExtractor.from_pretrained(folder).explain(four_sentences()[0], (0, 1))
    assert len(explanation.support) == len(four_sentences()[0].tokens)


def test_the_command_says_that_it_replaces_a_model_with_its_decision(tmp_path, capsys):
    bundle_of("pcnn").save(tmp_path / "run")
    for _ in range(2):
        command(tmp_path / "run", "numpy", tmp_path / "out")
    assert capsys.readouterr().err == f"note: the model in {tmp_path}/out is replaced, and its decision by that of {tmp_path}/run\n"
