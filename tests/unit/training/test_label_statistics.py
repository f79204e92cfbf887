"""What training learns from its data before and beside the weights: class counts, the filter's floor, the negatives of each epoch."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from relsift.bundle import Bundle, build
from relsift.config import RunConfig
from relsift.inference import score
from relsift.losses.base import LabelCounts
from relsift.training import epoch, loop
from relsift.training.first_stage import recall_floor
from relsift.training.label_counts import tell_counts
from relsift.training.loop import TrainingResult, train
from relsift.training.negatives import with_drawn_negatives
from relsift.training.training_set import TrainingSet, make_training_set
from toy import run_config, same_tensors, sentences

TRAINING, DEVELOPMENT = sentences(24, seed=1), sentences(12, seed=2)


def config_of(model: dict[str, Any] | None = None, **training: Any) -> RunConfig:
    values = run_config(**training).model_dump()
    return RunConfig.model_validate(values | {"model": values["model"] | (model or {})})


def training_set_of(view: str = "entities") -> TrainingSet:
    values = run_config().model_dump()
    values["encoding"]["tags"] = view
    values["candidates"]["type_filter"] = False
    return make_training_set(RunConfig.model_validate(values), TRAINING)


def pairs_of(training_set: TrainingSet) -> dict[tuple[int, int, int], list[int]]:
    """(group, head, tail) -> columns of its relations."""
    return {
        (number, example.heads[pair], example.tails[pair]): [column for place, column in example.labels if place == pair]
        for number, group in enumerate(training_set.groups)
        for example in group
        for pair in range(len(example.heads))
    }


# ---- negatives of an epoch


@pytest.mark.parametrize("view", ["entities", "pair"])
def test_an_epoch_has_all_related_pairs_and_so_many_unrelated_ones(view):
    whole = training_set_of(view)
    everything = pairs_of(whole)
    related = {place: columns for place, columns in everything.items() if columns}
    for ratio in (0.0, 1.5, 3.0):
        drawn, kept = with_drawn_negatives(whole, ratio, seed=5)
        pairs = pairs_of(drawn)
        assert related.items() <= pairs.items() <= everything.items()
        assert len(pairs) - len(related) == int(ratio * len(related))
        assert len(drawn.groups) == len(whole.groups) and all(drawn.groups)
        order = [[pair for example in group for pair in zip(example.heads, example.tails)] for group in whole.groups]
        assert [[order[number][position] for position in positions] for number, positions in enumerate(kept)] == [
            [pair for example in group for pair in zip(example.heads, example.tails)] for group in drawn.groups
        ]
    assert pairs_of(with_drawn_negatives(whole, 1000.0, seed=5)[0]) == everything


def test_each_epoch_draws_others_and_a_seed_the_same():
    whole = training_set_of()
    samples = [with_drawn_negatives(whole, 1.0, seed)[0].groups for seed in (1, 1, 2)]
    assert samples[0] == samples[1] != samples[2]


def test_training_sees_few_pairs_an_epoch_and_the_threshold_all_of_the_development_part(monkeypatch):
    seen: list[int] = []
    original = epoch.objective

    def spy(model: Any, batch: Any, c: Any, taught: Any) -> Any:
        seen.append(len(batch.pairs))
        return original(model, batch, c, taught)

    monkeypatch.setattr(epoch, "objective", spy)
    result = train(config_of(negatives=1.0, epochs=1), TRAINING, DEVELOPMENT)
    assert sum(seen) == 2 * result.candidates.positive < result.candidates.kept
    assert result.development is not None
    assert result.development.report.candidates.negative > result.development.report.candidates.positive


def test_more_negatives_than_there_are_are_told():
    notes = train(config_of(negatives=100, epochs=1), TRAINING, DEVELOPMENT).notes
    assert any("training.negatives: expected fewer unrelated pairs than the training data has, got 1:100" in note for note in notes)


def test_the_teacher_teaches_the_pairs_that_were_drawn(tmp_path, monkeypatch):
    train(config_of(epochs=1), TRAINING, DEVELOPMENT).bundle.save(tmp_path / "teacher")
    config = config_of(teacher=str(tmp_path / "teacher"), negatives=1.0, epochs=1)
    by_pair: list[tuple[int, int]] = []
    original = epoch.objective

    def spy(model: Any, batch: Any, c: Any, taught: Any) -> Any:
        model.eval()
        assert torch.allclose(model.scores(model(batch)), taught, atol=1e-5)  # the same weights: rows in the right order
        by_pair.append(tuple(taught.shape))
        return original(model.train(), batch, c, taught)

    training_set = make_training_set(config, TRAINING)
    taught = loop.taught_scores(config.training, training_set, torch.device("cpu"), None, resume=False)
    model = Bundle.load(tmp_path / "teacher").model
    monkeypatch.setattr(epoch, "objective", spy)
    values = config.training.model_copy(update={"learning_rate": 1e-12, "unknown_rate": 0.0})
    still = loop.make_optimiser(values, list(model.parameters()), [])
    epoch.run_epoch(model, still, training_set, values, 1, taught=taught)
    assert sum(rows for rows, _ in by_pair) == 2 * len([columns for columns in pairs_of(training_set).values() if columns])


# ---- counts


@pytest.mark.parametrize("negatives", [None, 1.0])
def test_losses_are_told_the_counts_of_the_pairs_of_an_epoch(negatives):
    config = config_of({"classification": "class_balanced"}, negatives=negatives)
    training_set = make_training_set(config, TRAINING)
    model = build("multitask_cnn", config.model.options, training_set.encoding)
    tell_counts(model, training_set, config.training)
    columns = list(pairs_of(training_set).values())
    count = Counter(column for some in columns for column in some[:1])
    related = sum(map(bool, columns))
    classifier: Any = model.classifier
    pairs = len(columns) if negatives is None else 2 * related
    wanted = LabelCounts(pairs, tuple(count[column] for column in range(len(training_set.encoding.labels))))
    assert classifier.decisive.counts == classifier.losses["class_balanced"].counts == wanted


# ---- the filter


def test_the_floor_keeps_the_wanted_share_of_related_pairs():
    odds, related = [5.0, 4.0, 3.0, 2.0, 1.0, 0.0], [True, True, False, True, False, True]
    assert recall_floor(odds, related, 0.75) == 1.5
    assert recall_floor(odds, related, 0.76) == -1.0
    assert recall_floor(odds, related, 0.5) == 3.5
    assert recall_floor(odds, [False] * 6, 0.9) < -100


def test_a_trained_filter_keeps_the_related_development_pairs_and_leaves_out_others(tmp_path):
    config = config_of({"identification_at_prediction": "filter", "identification_recall": 0.9}, ema=0.9, epochs=6)
    result = train(config, TRAINING, DEVELOPMENT)
    scored = score(result.bundle.scorer, DEVELOPMENT)
    kept = [(bool(pair.types), row.max() > -100) for sentence in scored for pair, row in zip(sentence.pairs, sentence.scores)]
    related = [is_kept for is_related, is_kept in kept if is_related]
    assert sum(related) / len(related) >= 0.9
    assert not all(is_kept for is_related, is_kept in kept if not is_related)
    result.bundle.save(tmp_path / "model")
    again = score(Bundle.load(tmp_path / "model").scorer, DEVELOPMENT)
    assert all(np.array_equal(one.scores, other.scores) for one, other in zip(scored, again, strict=True))


# ---- all of it at once


@pytest.mark.parametrize(
    ("model", "training"),
    [
        ({"classification": "class_balanced", "identification_at_prediction": "filter"}, {"negatives": 1.0, "ema": 0.9}),
        ({"classification": "logit_adjustment", "identification_at_prediction": "product"}, {"negatives": 2.0, "average": True}),
        ({"classification": "ssr_pu"}, {}),
    ],
    ids=["filter", "product", "ssr_pu"],
)
def test_resumed_runs_end_the_same_and_loaded_models_predict_the_same(model, training, tmp_path: Path):
    def run(epochs: int, **options: Any) -> TrainingResult:
        return train(config_of(model, epochs=epochs, **training), TRAINING, DEVELOPMENT, **options)

    whole = run(4)
    run(2, state_folder=tmp_path / "state")
    resumed = run(4, state_folder=tmp_path / "state", resume=True)
    assert same_tensors(whole.bundle.model.state_dict(), resumed.bundle.model.state_dict())
    assert whole.bundle.decision == resumed.bundle.decision
    whole.bundle.save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    for one, other in zip(score(whole.bundle.scorer, DEVELOPMENT), score(loaded.scorer, DEVELOPMENT), strict=True):
        assert np.array_equal(one.scores, other.scores)
