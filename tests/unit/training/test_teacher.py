"""Learning from a teacher, from a second pass, and without some words: what reaches the loss, and that resumed runs stay the same."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from relsift import precision
from relsift.bundle import Bundle, build
from relsift.config import RunConfig, TrainingConfig
from relsift.encoding.batch import Subwords
from relsift.encoding.subwords import SubwordInput
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import CheckpointError, ConfigError
from relsift.inference import score
from relsift.registry import find, table
from relsift.training import epoch, teacher
from relsift.training.hidden_words import drop_words
from relsift.training.loop import TrainingResult, train
from relsift.training.objective import objective
from relsift.training.run import train_run
from relsift.training.run_folder import RunData
from relsift.training.teacher import taught_scores
from relsift.training.training_set import make_training_set
from toy import HAS_TRANSFORMERS, batch_of, encoding, run_config, same_tensors, sentences

TRAINING, DEVELOPMENT = sentences(24, seed=1), sentences(12, seed=2)
NO_DROPOUT = {"hidden_dropout": 0.0, "input_dropout": 0.0}
CPU = torch.device("cpu")
PRECISION = "bfloat16" if precision.has_bfloat16(CPU) else "float32"  # the best that this processor can do


def run(config: RunConfig, **options: Any) -> TrainingResult:
    return train(config, TRAINING, DEVELOPMENT, **options)


def config_of(model: dict[str, Any] | None = None, **training: Any) -> RunConfig:
    values = run_config(**training).model_dump()
    return RunConfig.model_validate(values | {"model": values["model"] | (model or {})})


@pytest.fixture(scope="module")
def teacher_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("teacher") / "model"
    run(config_of(epochs=3, seed=7)).bundle.save(folder)
    return folder


# ---- the teacher's scores


def test_every_training_pair_has_the_score_that_the_teacher_predicts(teacher_folder):
    config = config_of(teacher=str(teacher_folder), epochs=1)
    training_set = make_training_set(config, TRAINING)
    taught = taught_scores(config.training, training_set, CPU, None, resume=False)
    assert taught is not None
    for number, scored in enumerate(score(Bundle.load(teacher_folder).scorer, TRAINING)):
        groups = [group for group, sentence in enumerate(training_set.sentence_of) if sentence == number]
        pairs = [pair for group in groups for example in training_set.groups[group] for pair in zip(example.heads, example.tails)]
        assert pairs == [(pair.head, pair.tail) for pair in scored.pairs]
        assert np.array_equal(taught.rows(groups).numpy(), scored.scores)
    assert taught.notes() == []


def test_pairs_are_found_again_whatever_candidates_and_readings_the_student_has(teacher_folder):
    # The student reads a sentence once a pair and without a type filter: the teacher does not score all of its pairs.
    values = config_of(teacher=str(teacher_folder), epochs=1).model_dump()
    values["candidates"]["type_filter"] = False
    values["encoding"]["tags"] = "pair"
    config = RunConfig.model_validate(values)
    training_set = make_training_set(config, TRAINING)
    taught = taught_scores(config.training, training_set, CPU, None, resume=False)
    assert taught is not None
    scored = score(Bundle.load(teacher_folder).scorer, TRAINING)
    known = {(n, p.head, p.tail): row for n, s in enumerate(scored) for p, row in zip(s.pairs, s.scores.tolist())}
    missing = 0
    for group, examples in enumerate(training_set.groups):
        pairs = [pair for example in examples for pair in zip(example.heads, example.tails)]
        for pair, row in zip(pairs, taught.rows([group]).tolist(), strict=True):
            wanted = known.get((training_set.sentence_of[group], *pair))
            missing += wanted is None
            assert np.isnan(row).all() if wanted is None else row == wanted
    total = sum(len(example.heads) for examples in training_set.groups for example in examples)
    assert 0 < missing < total
    line = f"{missing} of {total} training pairs are no candidates of the teacher: they are learned from their labels alone"
    assert taught.notes() == [line]
    assert line in train(config, TRAINING, DEVELOPMENT).notes


def test_columns_are_matched_by_the_names_of_the_relations(teacher_folder):
    config = config_of(teacher=str(teacher_folder), epochs=1)
    training_set = make_training_set(config, TRAINING)
    turned = replace(training_set, encoding=replace(training_set.encoding, labels=training_set.encoding.labels[::-1]))
    one, other = (taught_scores(config.training, part, CPU, None, resume=False) for part in (training_set, turned))
    assert one is not None
    assert other is not None
    assert torch.equal(one.scores, other.scores.flip(1))


def test_each_batch_gets_the_rows_of_its_pairs(teacher_folder, monkeypatch):
    seen: list[tuple[int, int]] = []
    original = epoch.objective

    def spy(model: Any, batch: Any, c: Any, taught: Any) -> Any:
        seen.append((len(batch.pairs), len(taught)))
        return original(model, batch, c, taught)

    monkeypatch.setattr(epoch, "objective", spy)
    result = run(config_of(teacher=str(teacher_folder), epochs=1))
    assert len(seen) > 1
    assert all(pairs == rows for pairs, rows in seen)
    assert result.state.history[0]["loss_distillation"] > 0


def test_distillation_is_zero_for_a_student_that_equals_its_teacher_and_replaces_its_share_of_the_loss():
    model = build("multitask_cnn", config_of(NO_DROPOUT).model.options, encoding()).train()
    batch = batch_of(sentences(6), encoding())
    with torch.no_grad():
        own = model.scores(model(batch))
    hard = objective(model, batch, TrainingConfig()).total
    c = TrainingConfig(teacher_weight=0.25)
    loss = objective(model, batch, c, own)
    assert loss.parts["distillation"].item() == pytest.approx(0.0, abs=1e-6)
    assert loss.total.item() == pytest.approx(0.75 * hard.item())
    far = objective(model, batch, c, own + 1)
    assert far.total.item() == pytest.approx(0.75 * hard.item() + 0.25 * far.parts["distillation"].item())


def test_a_student_that_learns_from_the_teacher_alone_comes_near_its_scores(teacher_folder):
    bundle = Bundle.load(teacher_folder)

    def distance(result: TrainingResult) -> float:
        theirs = np.concatenate([scored.scores for scored in score(bundle.scorer, DEVELOPMENT)])
        own = np.concatenate([scored.scores for scored in score(result.bundle.scorer, DEVELOPMENT)])
        return float(np.abs(theirs - own).mean())

    options: dict[str, Any] = {"epochs": 25, "teacher": str(teacher_folder), "teacher_weight": 1.0}
    assert distance(run(config_of(**options))) < 0.5 * distance(run(config_of(epochs=25)))


# ---- bad teachers


@pytest.mark.parametrize("make", [lambda folder: None, lambda folder: folder.mkdir(), lambda folder: folder.write_text("x")])
def test_a_teacher_that_is_no_model_is_refused(make, tmp_path):
    make(tmp_path / "teacher")
    with pytest.raises(ConfigError, match=r"training\.teacher: .*teacher: expected"):
        run(config_of(teacher=str(tmp_path / "teacher")))


def test_a_broken_teacher_is_refused(teacher_folder, tmp_path):
    shutil.copytree(teacher_folder, tmp_path / "teacher")
    (tmp_path / "teacher" / "model.safetensors").write_bytes(b"x")
    with pytest.raises(ConfigError, match=r"training\.teacher: .*expected sha256"):
        run(config_of(teacher=str(tmp_path / "teacher")))


def test_a_teacher_of_other_relations_is_refused_with_their_names(teacher_folder):
    renamed = [replace(s, relations=tuple(replace(r, type=r.type.replace("lives", "dwells")) for r in s.relations or ())) for s in TRAINING]
    with pytest.raises(ConfigError, match="with lives_in beside them and none of dwells_in; train the teacher on this data"):
        train(config_of(teacher=str(teacher_folder)), renamed, DEVELOPMENT)


def test_a_teacher_of_another_direction_is_refused(teacher_folder):
    config = config_of(teacher=str(teacher_folder))
    config = config.model_copy(update={"candidates": config.candidates.model_copy(update={"direction": "undirected"})})
    with pytest.raises(ConfigError, match=r"training\.teacher: expected a model of undirected pairs.*of directed ones"):
        run(config)


def test_a_teacher_of_another_window_is_refused(teacher_folder):
    config = config_of(teacher=str(teacher_folder))
    config = config.model_copy(update={"candidates": config.candidates.model_copy(update={"window": 2})})
    with pytest.raises(ConfigError, match=r"training\.teacher: expected a model with a window of 2, .* with one of 1"):
        run(config)


# ---- resume


def stop_after(epochs: int) -> Any:
    def stop(record: dict[str, Any]) -> None:
        if record["epoch"] == epochs:
            raise KeyboardInterrupt

    return stop


def test_interrupted_after_any_epoch_a_run_with_every_option_ends_bit_for_bit_like_an_uninterrupted_one(
    teacher_folder, tmp_path, monkeypatch
):
    config = config_of(
        optimiser="adamw", schedule="linear", ema=0.9, accumulate=2, precision=PRECISION, r_drop=0.5, word_dropout=0.1,
        teacher=str(teacher_folder), teacher_weight=0.3, batch_pairs=12,
    )  # fmt: skip
    whole = run(config)
    assert {"loss_ranking", "loss_distillation", "loss_r_drop"} <= whole.state.history[0].keys()
    computed: list[int] = []
    original = teacher._computed
    monkeypatch.setattr(teacher, "_computed", lambda *args: computed.append(1) or original(*args))
    for epochs in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            run(config, state_folder=tmp_path / "state", resume=True, on_epoch=stop_after(epochs))
    resumed = run(config, state_folder=tmp_path / "state", resume=True)
    assert same_tensors(dict(whole.bundle.model.state_dict()), dict(resumed.bundle.model.state_dict()))
    assert whole.bundle.decision.threshold == resumed.bundle.decision.threshold
    assert len(computed) == 1  # the teacher's scores are kept


@pytest.mark.parametrize("name", [teacher.SCORES_FILE, teacher.RECORD_FILE])
@pytest.mark.parametrize("content", [b"", b"{}", None])
def test_scores_that_are_not_whole_are_computed_again(name, content, teacher_folder, tmp_path):
    config = config_of(teacher=str(teacher_folder), epochs=1)
    training_set = make_training_set(config, TRAINING)
    first = taught_scores(config.training, training_set, CPU, tmp_path, resume=False)
    (tmp_path / name).unlink() if content is None else (tmp_path / name).write_bytes(content)
    again = taught_scores(config.training, training_set, CPU, tmp_path, resume=True)
    assert first is not None
    assert again is not None
    assert torch.equal(first.scores, again.scores)
    assert json.loads((tmp_path / teacher.RECORD_FILE).read_text())["sha256"]


def test_the_teacher_belongs_to_the_identity_of_a_run(teacher_folder, tmp_path):
    shutil.copytree(teacher_folder, tmp_path / "teacher")
    config = config_of(teacher=str(tmp_path / "teacher"), epochs=2)
    data = RunData("toy", TRAINING, DEVELOPMENT, {"toy": "0" * 64})
    train_run(config, data, tmp_path / "run")
    checksums = json.loads((tmp_path / "run" / "run.json").read_text())["checksums"]
    assert checksums["teacher"] == teacher.teacher_checksum(str(tmp_path / "teacher"))
    train_run(config, data, tmp_path / "run", resume=True)
    run(config_of(epochs=1, seed=8)).bundle.save(tmp_path / "teacher")
    with pytest.raises(CheckpointError, match="with other checksums of teacher"):
        train_run(config, data, tmp_path / "run", resume=True)


# ---- R-drop


@pytest.mark.parametrize("name", sorted(table("model")))
def test_r_drop_and_a_teacher_reach_the_weights_of_every_model(name):
    architecture = find("model", name)
    if "subwords" in architecture.reads(architecture.Config.tiny()) and not HAS_TRANSFORMERS:
        pytest.skip("the packages of Hugging Face are missing")
    torch.manual_seed(1)
    model = architecture(architecture.Config.tiny(), encoding()).train()
    batch = batch_of(sentences(6), encoding())
    taught = torch.full((len(batch.pairs), len(encoding().labels)), 2.0)
    loss = objective(model, batch, TrainingConfig(r_drop=1.0, teacher_weight=1.0), taught)
    assert loss.parts["distillation"] > 0
    assert loss.parts["r_drop"] >= 0
    loss.total.backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())
    assert any(weight.grad is not None and weight.grad.abs().sum() > 0 for weight in model.parameters())


def test_r_drop_is_zero_without_dropout_and_positive_with_it():
    def part(options: dict[str, Any]) -> float:
        torch.manual_seed(3)
        model = build("multitask_cnn", config_of(options).model.options, encoding()).train()
        torch.nn.init.normal_(model.classifier.rank.weight)
        return objective(model, batch_of(sentences(6), encoding()), TrainingConfig(r_drop=2.0)).parts["r_drop"].item()

    assert part(NO_DROPOUT) == 0.0
    assert part({}) > 0


def test_without_dropout_two_passes_have_the_losses_of_one():
    model = build("multitask_cnn", config_of(NO_DROPOUT).model.options, encoding()).train()
    batch = batch_of(sentences(6), encoding())
    one, two = (objective(model, batch, TrainingConfig(r_drop=weight)) for weight in (0.0, 2.0))
    assert two.total.item() == pytest.approx(one.total.item())
    assert two.parts["ranking"].item() == pytest.approx(one.parts["ranking"].item())


def test_r_drop_enters_the_loss_with_its_weight():
    torch.manual_seed(3)
    model = build("multitask_cnn", config_of().model.options, encoding()).train()
    loss = objective(model, batch_of(sentences(6), encoding()), TrainingConfig(r_drop=3.0))
    hard = sum(part.item() for name, part in loss.parts.items() if name != "r_drop")
    assert loss.total.item() == pytest.approx(hard + 3 * loss.parts["r_drop"].item())


# ---- words shown as unknown


def test_word_dropout_hides_a_share_of_the_real_words_and_other_ones_every_time():
    batch = batch_of(sentences(400), encoding())
    assert batch.words is not None
    before = batch.words.clone()
    hide = drop_words(0.3, encoding(), seed=5)
    hide(batch)
    changed = before != batch.words
    assert not changed[~batch.mask].any()
    assert (batch.words[changed] == UNKNOWN_WORD).all()
    known = batch.mask & (before != UNKNOWN_WORD)
    assert changed[known].float().mean().item() == pytest.approx(0.3, abs=0.02)
    first = batch.words.clone()
    batch.words.copy_(before)
    hide(batch)
    assert not torch.equal(first, batch.words)
    batch.words.copy_(before)
    drop_words(0.3, encoding(), seed=5)(batch)
    assert torch.equal(first, batch.words)  # the same seed hides the same words


def test_of_pieces_it_hides_those_of_the_text_and_no_special_ones():
    known = replace(encoding(), subwords=SubwordInput("", {}, 16, stand_in=9))
    windows, pieces = 200, 10  # two special pieces, six of text, one special, one of padding
    real = torch.ones(windows, pieces, dtype=torch.bool)
    real[:, -1] = False
    special = ~real.clone()
    special[:, [0, 1, 8]] = True
    ids = torch.arange(100, 100 + pieces).repeat(windows, 1)
    rows = torch.arange(windows)
    subwords = Subwords(ids, real, special, rows, rows, rows, 2, rows, rows, rows, rows, rows)
    batch = replace(batch_of(sentences(2), encoding()), subwords=subwords)
    drop_words(0.25, known, seed=1)(batch)
    changed = ids != torch.arange(100, 100 + pieces)
    assert (ids[changed] == 9).all()
    assert not changed[special].any()
    assert changed[:, 2:8].float().mean().item() == pytest.approx(0.25, abs=0.04)


def test_word_dropout_changes_training_and_not_prediction():
    plain, hidden = run(config_of(epochs=2)), run(config_of(epochs=2, word_dropout=0.5))
    assert not same_tensors(dict(plain.bundle.model.state_dict()), dict(hidden.bundle.model.state_dict()))
    one, other = (score(hidden.bundle.scorer, DEVELOPMENT) for _ in range(2))
    assert all(np.array_equal(first.scores, second.scores) for first, second in zip(one, other))


def test_word_dropout_is_refused_by_a_model_without_words():
    config = RunConfig.model_validate({"model": {"name": "type_prior", "preset": None}, "training": {"epochs": 1, "word_dropout": 0.1}})
    with pytest.raises(ConfigError, match=r"training\.word_dropout: expected a model that reads words, got type_prior"):
        run(config)
