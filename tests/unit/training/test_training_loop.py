"""The training loop: repeatable, resumable, and it keeps the best epoch. All bit for bit."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import torch

from relsift.bundle import Bundle
from relsift.config import RunConfig
from relsift.errors import ConfigError, DataError
from relsift.evaluation.scores import evaluate
from relsift.inference import score
from relsift.kernels.switch import SWITCH
from relsift.training import epoch, loop
from relsift.training.loop import TrainingResult, train
from toy import run_config, same_tensors, sentences

TRAINING, DEVELOPMENT = sentences(24, seed=1), sentences(12, seed=2)


def run(config: RunConfig | None = None, **options: Any) -> TrainingResult:
    return train(config or run_config(), TRAINING, DEVELOPMENT, **options)


def history(result: TrainingResult) -> list[dict[str, Any]]:
    """Without the seconds: they are the only thing that may differ."""
    return [{key: value for key, value in record.items() if key != "seconds"} for record in result.state.history]


def assert_same(one: TrainingResult, other: TrainingResult) -> None:
    assert same_tensors(one.bundle.model.state_dict(), other.bundle.model.state_dict())
    assert one.bundle.decision.threshold == other.bundle.decision.threshold
    assert history(one) == history(other)
    assert (one.state.epoch, one.state.best_epoch) == (other.state.epoch, other.state.best_epoch)


def scripted(monkeypatch: pytest.MonkeyPatch, f1s: Sequence[float]) -> None:
    """Development F1 of epoch 1, 2, …; the threshold is ten times it, to tell the epochs apart."""
    script = iter(f1s)

    def select(*_: Any) -> tuple[float, float]:
        f1 = next(script)
        return 10 * f1, f1

    monkeypatch.setattr(loop.Selection, "select", select)


@pytest.mark.parametrize("kernel", ["torch", "numba"])
def test_the_same_seed_gives_the_same_run_bit_for_bit(kernel, monkeypatch):
    monkeypatch.setenv(SWITCH, kernel)
    first = run()
    torch.manual_seed(99)  # what happened before in the process must not matter
    random.seed(99)
    assert_same(first, run())


def test_two_threads_repeat_bit_for_bit_too():
    assert_same(run(run_config(threads=2)), run(run_config(threads=2)))


def test_different_seeds_give_different_runs():
    one, other = run(run_config(seed=1)), run(run_config(seed=2))
    assert not same_tensors(one.bundle.model.state_dict(), other.bundle.model.state_dict())


def test_order_of_batches_differs_between_epochs_and_seeds_but_not_between_runs(monkeypatch):
    def orders(seed: int) -> list[list[list[int]]]:
        seen: list[list[list[int]]] = []
        original = epoch.cut

        def spy(*args: Any, **options: Any) -> list[list[int]]:
            seen.append(list(original(*args, **options)))
            return seen[-1]

        with monkeypatch.context() as patch:
            patch.setattr(epoch, "cut", spy)
            run(run_config(seed=seed, epochs=2))
        return seen

    first = orders(1)
    assert first[0] != first[1]
    assert sorted(chain(*first[0])) == sorted(chain(*first[1]))
    assert orders(1) == first
    assert orders(2) != first


@pytest.mark.parametrize("kernel", ["torch", "numba"])
@pytest.mark.parametrize("optimiser", ["rmsprop", "adam", "adamw", "adadelta", "sgd"])
def test_resumed_after_some_epochs_it_ends_bit_for_bit_like_an_uninterrupted_run(optimiser, kernel, tmp_path, monkeypatch):
    monkeypatch.setenv(SWITCH, kernel)
    whole = run(run_config(optimiser=optimiser, epochs=4))
    run(run_config(optimiser=optimiser, epochs=2), state_folder=tmp_path / "state")
    resumed = run(run_config(optimiser=optimiser, epochs=4), state_folder=tmp_path / "state", resume=True)
    assert_same(whole, resumed)


RELEASED = {"context": "between", "pooling": "max_average", "normalise": True, "shared_distances": True}


@pytest.mark.parametrize("options", [{"shared_distances": True}, RELEASED, {"tags": False, "classification": "both"}])
def test_models_with_shared_tables_and_batch_norm_resume_bit_for_bit_too(options, tmp_path):
    def config(epochs: int) -> RunConfig:
        values = run_config(epochs=epochs).model_dump()
        return RunConfig.model_validate(values | {"model": values["model"] | options})

    whole = run(config(4))
    for epochs in (1, 3, 4):
        resumed = run(config(epochs), state_folder=tmp_path / "state", resume=True)
    assert_same(whole, resumed)


@pytest.mark.parametrize("optimiser", ["rmsprop", "sgd"])
def test_a_falling_rate_and_decay_resume_bit_for_bit_too(optimiser, tmp_path):
    # The saved state holds no rate: epoch 3 of a resumed run must train at a third of it all the same.
    options: dict[str, Any] = {"optimiser": optimiser, "schedule": "inverse_epoch", "weight_decay": 0.01}
    whole = run(run_config(epochs=4, **options))
    for epochs in (1, 3, 4):
        resumed = run(run_config(epochs=epochs, **options), state_folder=tmp_path / "state", resume=True)
    assert_same(whole, resumed)
    assert not same_tensors(
        whole.bundle.model.state_dict(),
        run(run_config(epochs=4, **options | {"schedule": "constant"})).bundle.model.state_dict(),
    )


CAPPED = {
    "name": "multiwindow_cnn", "preset": None, "word_size": 6, "distance_size": 3, "max_distance": 5, "windows": [2, 3], "filters": 4,
    "max_norm": 0.5,
}  # fmt: skip


def test_a_bound_on_the_weights_holds_after_every_epoch_and_resumes_bit_for_bit(tmp_path):
    def config(epochs: int, **options: Any) -> RunConfig:
        values = run_config(epochs=epochs, patience=100).model_dump()
        return RunConfig.model_validate(values | {"model": CAPPED | options})

    def longest(result: TrainingResult) -> float:
        return float(result.bundle.model.state_dict()["classifier.choose.weight"].norm(dim=1).max())

    whole = run(config(4))
    for epochs in (1, 3, 4):
        resumed = run(config(epochs), state_folder=tmp_path / "state", resume=True)
    assert_same(whole, resumed)
    assert longest(whole) <= 0.5 + 1e-6
    assert longest(run(config(4, max_norm=None))) > 0.6


def test_resume_without_a_saved_state_starts_from_the_beginning(tmp_path):
    assert_same(run(), run(state_folder=tmp_path / "state", resume=True))


def test_resuming_a_finished_run_trains_no_further(tmp_path):
    whole = run(state_folder=tmp_path / "state")
    epochs: list[dict[str, Any]] = []
    assert_same(whole, run(state_folder=tmp_path / "state", resume=True, on_epoch=epochs.append))
    assert epochs == []


def test_resuming_a_run_that_stopped_early_trains_no_further(tmp_path, monkeypatch):
    config = run_config(epochs=30, patience=2)
    scripted(monkeypatch, [0.5, 0.1, 0.2])
    whole = run(config, state_folder=tmp_path / "state")
    assert_same(whole, run(config, state_folder=tmp_path / "state", resume=True))
    assert whole.state.epoch == 3


def test_a_run_that_is_not_resumed_forgets_the_state_of_an_older_one(tmp_path):
    # Killed before the end of its first epoch, the new run must not be resumed from the old one's weights.
    run(run_config(seed=5, epochs=3), state_folder=tmp_path / "state")

    def stop(*_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(run_config(seed=6, epochs=3), state_folder=tmp_path / "state", on_batch=stop)
    resumed = run(run_config(seed=6, epochs=3), state_folder=tmp_path / "state", resume=True)
    assert_same(resumed, run(run_config(seed=6, epochs=3)))


def test_early_stopping_keeps_the_weights_and_threshold_of_the_best_epoch(monkeypatch):
    scripted(monkeypatch, [0.1, 0.5, 0.5, 0.4, 0.45])  # an equal F1 is no improvement
    stopped = run(run_config(epochs=30, patience=3))
    assert (stopped.state.epoch, stopped.state.best_epoch, stopped.bundle.decision.threshold) == (5, 2, 5.0)
    scripted(monkeypatch, [0.1, 0.5])
    assert same_tensors(stopped.bundle.model.state_dict(), run(run_config(epochs=2)).bundle.model.state_dict())


def test_patience_starts_again_after_every_improvement(monkeypatch):
    scripted(monkeypatch, [0.1, 0.0, 0.2, 0.0, 0.3, 0.0, 0.0])
    result = run(run_config(epochs=30, patience=2))
    assert (result.state.epoch, result.state.best_epoch) == (7, 5)


def test_a_run_that_never_finds_anything_keeps_its_first_epoch(monkeypatch):
    scripted(monkeypatch, [0.0, 0.0, 0.0])
    result = run(run_config(epochs=30, patience=2))
    assert (result.state.epoch, result.state.best_epoch) == (3, 1)


def test_it_learns():
    result = train(run_config(epochs=30, seed=3), sentences(60, seed=1), DEVELOPMENT)
    records = history(result)
    assert records[-1]["loss_ranking"] < 0.5 * records[0]["loss_ranking"]
    assert result.state.best_f1 > 0.7
    assert max(record["dev_f1"] for record in records) == result.state.best_f1


def test_the_bundle_scores_as_the_best_epoch_did(tmp_path):
    result = run(run_config(epochs=8), plain=True)
    best = history(result)[result.state.best_epoch - 1]
    result.bundle.save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    threshold = loaded.decision.threshold
    taken = hits = 0
    for sentence in score(loaded.scorer, DEVELOPMENT):
        for pair, row in zip(sentence.pairs, sentence.scores.tolist()):
            taken += max(row) >= threshold
            hits += max(row) >= threshold and loaded.encoding.labels[row.index(max(row))] in pair.types
    gold = sum(len(s.relations or ()) for s in DEVELOPMENT)
    assert 0 < hits < taken + gold
    assert 2 * hits / (taken + gold) == pytest.approx(best["dev_f1"])
    assert threshold == best["threshold"]


@pytest.mark.parametrize(("policy", "threshold"), [("paper", 0.0), (1.25, 1.25)])
def test_a_fixed_threshold_is_used_and_stored(policy, threshold):
    assert run(run_config(threshold=policy, epochs=1)).bundle.decision.threshold == threshold


def test_every_loss_part_is_recorded_unweighted():
    record = history(run(run_config(epochs=1, loss_weights={"identification": 0.0})))[0]
    assert set(record) == {"epoch", "loss_ranking", "loss_identification", "dev_f1", "threshold"}
    assert record["loss_identification"] > 0


def test_a_loss_part_of_weight_zero_does_not_train_its_layer():
    def bias(epochs: int, weight: float) -> torch.Tensor:
        result = run(run_config(epochs=epochs, loss_weights={"identification": weight}))
        values = result.bundle.model.state_dict()["classifier.identify.bias"]
        assert isinstance(values, torch.Tensor)
        return values

    assert not bias(2, 0.0).any()
    assert bias(2, 1.0).any()


def test_a_loss_weight_for_a_part_that_the_model_does_not_have_is_refused():
    with pytest.raises(ConfigError, match=r"training\.loss_weights: expected some of ranking, identification, got .*rankin"):
        run(run_config(loss_weights={"rankin": 2.0}))


def test_rare_words_shown_as_unknown_train_the_unknown_word(monkeypatch):
    rare = [replace(s, tokens=(*s.tokens, f"once-{s.id}"), syntax=None) for s in TRAINING]
    for rate, moves in ((0.0, False), (0.5, True)):
        with monkeypatch.context() as patch:
            rows = unknown_word_before_each_epoch(patch)
            train(run_config(epochs=3, unknown_rate=rate), rare, DEVELOPMENT)
        assert len(rows) == 3
        assert (not torch.equal(rows[0], rows[2])) is moves


def unknown_word_before_each_epoch(patch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    rows: list[torch.Tensor] = []
    original = loop.run_epoch

    def spy(model: Any, *args: Any) -> Any:
        rows.append(model.embed.words.weight[0].detach().clone())
        return original(model, *args)

    patch.setattr(loop, "run_epoch", spy)
    return rows


def test_sentences_without_annotation_take_no_part_in_training_or_selection():
    plain = [replace(s, relations=None) for s in sentences(10, seed=9)]
    with_plain = train(run_config(), [*TRAINING, *plain], [*plain, *DEVELOPMENT])
    assert_same(run(), with_plain)


@pytest.mark.parametrize(
    ("training", "development", "words"),
    [
        ([], DEVELOPMENT, "expected sentences with relations"),
        ([replace(s, relations=()) for s in TRAINING], DEVELOPMENT, "expected sentences with relations"),
        ([replace(s, relations=None) for s in TRAINING], DEVELOPMENT, "expected sentences with relations"),
        (TRAINING, [], "development data"),
        (TRAINING, [replace(s, relations=None) for s in DEVELOPMENT], "development data"),
    ],
)
def test_nothing_to_learn_from_or_to_select_on_is_refused(training, development, words):
    with pytest.raises(DataError, match=words):
        train(run_config(), training, development)


def test_a_relation_type_that_only_development_data_has_counts_as_missed():
    strange = [replace(s, relations=tuple(replace(r, type="unheard_of") for r in s.relations or ())) for s in DEVELOPMENT]
    assert run(run_config(epochs=1)).state.best_f1 > 0
    assert train(run_config(epochs=1), TRAINING, strange).state.best_f1 == 0


def test_training_puts_threads_and_determinism_back_even_after_an_error():
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(False)

    def fail(*_: int) -> None:
        assert torch.get_num_threads() == 2
        assert torch.are_deterministic_algorithms_enabled()
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(run_config(threads=2), on_batch=fail)
    assert torch.get_num_threads() == 1
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("threshold", ["tuned", "paper"])
def test_a_run_that_diverges_is_stopped_and_says_what_to_change(threshold):
    # It would end with a threshold that is not a number, and a development F1 that means nothing.
    with pytest.raises(ConfigError, match=r"training\.learning_rate: .*lower it.*nan in epoch \d at rate 1e\+30"):
        run(run_config(optimiser="sgd", learning_rate=1e30, threshold=threshold))


def test_watchers_see_every_epoch_and_every_batch():
    epochs: list[int] = []
    batches: list[tuple[int, int]] = []
    run(run_config(epochs=3), on_epoch=lambda record: epochs.append(record["epoch"]), on_batch=lambda *at: batches.append(at))
    assert epochs == [1, 2, 3]
    count = batches[0][1]
    assert [done for done, _ in batches[:count]] == list(range(1, count + 1))
    assert count > 1


def test_loading_a_saved_run_in_the_middle_does_not_disturb_the_next_epochs(tmp_path):
    # Saving the state after each epoch must not touch the run itself.
    assert_same(run(), run(state_folder=Path(tmp_path) / "state"))


# ---- fewer negatives


def with_negatives(ratio: float | None, seed: int = 0) -> TrainingResult:
    config = run_config(epochs=1)
    rule = config.candidates.model_copy(update={"negatives": ratio, "negatives_seed": seed, "type_filter": False})
    return run(config.model_copy(update={"candidates": rule}), plain=True)


def test_a_model_trains_on_so_many_negatives_for_each_positive():
    # 24 sentences with six ordered pairs each; 18 of them have one relation
    whole, few = with_negatives(None), with_negatives(2.0)
    assert (whole.candidates.positive, whole.candidates.negative) == (18, 126)
    assert (few.candidates.positive, few.candidates.negative) == (18, 36)
    assert few.candidates.dropped["negative not sampled"] == 90
    assert few.notes == whole.notes == []
    assert not same_tensors(few.bundle.model.state_dict(), whole.bundle.model.state_dict())
    assert few.bundle.candidates == whole.bundle.candidates  # what is scored later stays the same
    assert not same_tensors(few.bundle.model.state_dict(), with_negatives(2.0, seed=1).bundle.model.state_dict())


def test_where_there_are_fewer_negatives_than_asked_for_all_are_kept_and_a_note_says_so():
    result = with_negatives(7.5)
    assert_same(result, with_negatives(None))
    assert result.notes == ["candidates.negatives: expected related to unrelated pairs 1:7.5, the training data has 1:7.0: all are kept"]
    assert with_negatives(7.0).notes == []


def test_the_order_leak_is_trained_with_and_kept():
    config = run_config(epochs=1)
    result = run(config.model_copy(update={"candidates": config.candidates.model_copy(update={"order_leak": True, "type_filter": False})}))
    assert result.bundle.candidates.order_leak
    assert (result.candidates.kept, result.candidates.dropped["against the text order"]) == (72, 72)  # toy relations run with the text


@pytest.mark.parametrize(("given", "plain", "on"), [(None, False, True), (None, True, False), (True, True, True), (False, False, False)])
def test_constraints_are_on_unless_switched_off_and_off_in_experiments_unless_switched_on(given, plain, on):
    decision = run(run_config(epochs=1, constraints=given), plain=plain).bundle.decision
    assert decision.constraints is on
    known = {(s.entities[r.head].type, s.entities[r.tail].type, r.type) for s in TRAINING for r in s.relations or ()}
    assert decision.triples == (None if plain and not on else known)
    assert (decision.calibration is None) is plain


def test_the_epoch_is_chosen_with_the_constraints_in_force():
    result = run(run_config(epochs=3))
    best = history(result)[result.state.best_epoch - 1]
    decision = result.bundle.decision
    predicted = [decision.decide(scored, result.bundle.encoding.labels) for scored in score(result.bundle.scorer, DEVELOPMENT)]
    assert evaluate(DEVELOPMENT, predicted, direction="directed").micro.f1 == pytest.approx(best["dev_f1"])
