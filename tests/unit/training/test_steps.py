"""A step of the optimiser: over several batches, in bfloat16, at the rate of its place in the training."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor, nn

from relsift import precision
from relsift.bundle import build
from relsift.config import RunConfig, TrainingConfig
from relsift.encoders.lookup import LookupEncoder
from relsift.errors import ConfigError
from relsift.models.base.model import RelationModel
from relsift.precision import in_float32
from relsift.training import epoch, pretrained, selection
from relsift.training.loop import TrainingResult, train
from relsift.training.objective import objective
from toy import batch_of, encoding, run_config, same_tensors, sentences

TRAINING, DEVELOPMENT = sentences(24, seed=1), sentences(12, seed=2)
HAS_BFLOAT16 = precision.has_bfloat16(torch.device("cpu"))
PRECISION = "bfloat16" if HAS_BFLOAT16 else "float32"  # the best that this processor can do
NO_DROPOUT = {"hidden_dropout": 0.0, "input_dropout": 0.0}


def run(config: RunConfig, **options: Any) -> TrainingResult:
    return train(config, TRAINING, DEVELOPMENT, **options)


def config_of(model: dict[str, Any] | None = None, **training: Any) -> RunConfig:
    values = run_config(**training).model_dump()
    return RunConfig.model_validate(values | {"model": values["model"] | (model or {})})


def gradients(monkeypatch: pytest.MonkeyPatch, config: RunConfig) -> list[dict[str, Tensor]]:
    """Of each step of the optimiser in a training of one epoch."""
    seen: list[dict[str, Tensor]] = []

    def spy(model: Any, *args: Any) -> None:
        seen.append({name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None})

    with monkeypatch.context() as patch:
        patch.setattr(epoch, "_update", spy)
        run(config)
    return seen


# ---- several batches a step


def test_a_step_over_several_batches_has_the_gradient_of_one_large_batch(monkeypatch):
    options: dict[str, Any] = {"epochs": 1, "unknown_rate": 0.0}
    few = gradients(monkeypatch, config_of(NO_DROPOUT, batch_pairs=10, accumulate=1000, **options))
    one = gradients(monkeypatch, config_of(NO_DROPOUT, batch_pairs=10_000, **options))
    assert len(few) == len(one) == 1
    assert few[0].keys() == one[0].keys()
    for name, wanted in one[0].items():
        torch.testing.assert_close(few[0][name], wanted, atol=1e-6, rtol=1e-4)


def test_the_last_step_of_an_epoch_takes_the_batches_that_are_left(monkeypatch):
    done: list[tuple[int, int]] = []
    steps: list[int] = []
    monkeypatch.setattr(epoch, "_update", lambda *_: steps.append(len(done)))
    run(config_of(epochs=1, batch_pairs=8, accumulate=3), on_batch=lambda *at: done.append(at))
    count = len(done)
    assert [number for number, _ in done] == list(range(1, count + 1))
    assert count % 3
    assert steps == [*range(2, count, 3), count - 1]  # counted before the watcher of the step's last batch is called


def test_the_rates_of_the_steps_are_those_of_the_schedule(monkeypatch):
    # Two epochs; the share of the epoch that is done before and after each step, whatever the number of batches.
    rates: list[float] = []
    batches: list[int] = []
    original = epoch._update

    def spy(model: Any, optimiser: Any, *args: Any) -> None:
        rates.append(optimiser.param_groups[0]["lr"])
        original(model, optimiser, *args)

    monkeypatch.setattr(epoch, "_update", spy)
    config = config_of(epochs=2, batch_pairs=20, schedule="linear", warmup=0.5, learning_rate=0.01)
    run(config, on_batch=lambda _, count: batches.append(count))
    first, second = batches[0], batches[-1]
    rise = [0.01 * (number + 1) / first for number in range(first)]
    fall = [0.01 * (1 - number / second) for number in range(second)]
    assert rates == pytest.approx(rise + fall)


def stop_after(epochs: int) -> Any:
    def stop(record: dict[str, Any]) -> None:
        if record["epoch"] == epochs:
            raise KeyboardInterrupt

    return stop


EVERYTHING: dict[str, Any] = {
    "optimiser": "adamw", "schedule": "linear", "warmup": 0.2, "ema": 0.9, "accumulate": 3, "precision": PRECISION, "weight_decay": 0.01,
    "gradient_clip": 1.0,
}  # fmt: skip


def test_interrupted_after_any_epoch_a_run_with_every_option_ends_bit_for_bit_like_an_uninterrupted_one(tmp_path):
    config = config_of(**EVERYTHING)
    whole = run(config)
    for epochs in (1, 3):
        with pytest.raises(KeyboardInterrupt):
            run(config, state_folder=tmp_path / "state", resume=True, on_epoch=stop_after(epochs))
    resumed = run(config, state_folder=tmp_path / "state", resume=True)
    assert same_tensors(dict(whole.bundle.model.state_dict()), dict(resumed.bundle.model.state_dict()))
    assert [record["dev_f1"] for record in whole.state.history] == [record["dev_f1"] for record in resumed.state.history]
    assert whole.bundle.decision.threshold == resumed.bundle.decision.threshold


def stop_in(epoch: int, batch: int) -> Any:
    """A watcher of batches."""
    epochs = 0

    def stop(done: int, _: int) -> None:
        nonlocal epochs
        epochs += done == 1
        if (epochs, done) == (epoch, batch):
            raise KeyboardInterrupt

    return stop


def test_interrupted_within_any_epoch_a_run_with_every_option_ends_bit_for_bit_like_one_that_never_saved_a_state(tmp_path):
    options: dict[str, Any] = {"word_dropout": 0.1, "batch_pairs": 10, **EVERYTHING, "accumulate": 2}
    whole = run(config_of(**options, save_minutes=None))
    saving, state = config_of(**options, save_minutes=1e-9), tmp_path / "state"
    # The second one goes on within the first epoch and ends in the third, the second one that it begins.
    for place, tensors in (((1, 3), "epoch-0-batch-2.safetensors"), ((2, 5), "epoch-2-batch-4.safetensors")):
        with pytest.raises(KeyboardInterrupt):
            run(saving, state_folder=state, resume=True, on_batch=stop_in(*place))
        assert [file.name for file in state.glob("*.safetensors")] == [tensors]
    resumed = run(saving, state_folder=state, resume=True)
    assert same_tensors(dict(whole.bundle.model.state_dict()), dict(resumed.bundle.model.state_dict()))
    for one, other in zip(whole.state.history, resumed.state.history, strict=True):
        assert {**one, "seconds": 0} == {**other, "seconds": 0}
    assert whole.bundle.decision.threshold == resumed.bundle.decision.threshold


# ---- precision


class Output(NamedTuple):
    scores: Tensor
    number: int
    nested: tuple[Tensor, ...]


def test_outputs_of_any_kind_become_single_precision_and_keep_integers():
    half = torch.ones(2, dtype=torch.bfloat16)
    ids = torch.ones(2, dtype=torch.int64)
    output = in_float32(Output(half, 3, (half, ids)))
    assert isinstance(output, Output)
    assert (output.scores.dtype, output.number) == (torch.float32, 3)
    assert [part.dtype for part in output.nested] == [torch.float32, torch.int64]
    parts = in_float32({"a": [half], "b": None})
    assert parts["a"][0].dtype == torch.float32
    assert parts["b"] is None


def losses(**training: Any) -> tuple[RelationModel[Any], dict[str, Tensor]]:
    torch.manual_seed(0)
    config = config_of(NO_DROPOUT)
    model = build(config.model.name, config.model.options, encoding()).train()
    loss = objective(model, batch_of(sentences(8), encoding()), TrainingConfig.model_validate(training))
    loss.total.backward()
    return model, loss.parts


def test_bfloat16_changes_losses_by_its_rounding_and_leaves_weights_in_single_precision():
    model, exact = losses()
    same, rounded = losses(precision="bfloat16")
    for name, value in exact.items():
        assert rounded[name].dtype == torch.float32
        assert rounded[name].item() != value.item()
        assert rounded[name].item() == pytest.approx(value.item(), rel=0.02)
    for weight, other in zip(model.parameters(), same.parameters(), strict=True):
        assert other.dtype == torch.float32
        assert (weight.grad is None) is (other.grad is None)


@pytest.mark.skipif(not HAS_BFLOAT16, reason="this processor has no LSTM in bfloat16")
def test_development_scores_are_computed_in_single_precision(monkeypatch):
    seen: list[bool] = []
    original = selection.score

    def spy(*args: Any) -> Any:
        seen.append(torch.is_autocast_enabled("cpu"))
        return original(*args)

    monkeypatch.setattr(selection, "score", spy)
    run(config_of(epochs=1, precision="bfloat16"))
    assert seen == [False]


def test_a_device_without_bfloat16_is_refused_before_training(monkeypatch):
    monkeypatch.setattr(precision, "has_bfloat16", lambda _: False)
    with pytest.raises(ConfigError, match=r"training\.precision: expected float32 on cpu.*got bfloat16; leave it out"):
        run(config_of(precision="bfloat16"))
    run(config_of(epochs=1))


# ---- pre-trained weights


class Pretrained(nn.Module):
    """An encoder of two pre-trained layers and a new one."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Sequential(nn.Embedding(3, 2), nn.Dropout(0.5))
        self.layer = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
        self.new = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))

    def pretrained_layers(self) -> list[list[nn.Parameter]]:
        return [list(self.table.parameters()), list(self.layer.parameters())]


class Model(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = Pretrained()
        self.encoders = (self.encoder,)
        self.head = nn.Dropout(0.5)


def test_frozen_parts_of_an_encoder_are_in_evaluation_mode_and_the_rest_is_not():
    model: Any = Model()
    pretrained.start_training_mode(model, frozen=False)
    assert all(part.training for part in model.modules())
    pretrained.freeze(TrainingConfig(freeze_encoder=True), model)
    pretrained.start_training_mode(model, frozen=True)
    encoder = model.encoder
    assert not any(part.training for part in (*encoder.table.modules(), *encoder.layer.modules()))
    assert all(part.training for part in (encoder, *encoder.new.modules(), model.head))
    assert [weight.requires_grad for weight in encoder.parameters()] == [False, False, False, True, True]


def test_the_lowest_layer_can_be_frozen_alone():
    model: Any = Model()
    pretrained.freeze(TrainingConfig(), model)
    assert all(weight.requires_grad for weight in model.parameters())
    pretrained.freeze(TrainingConfig(freeze_embeddings=True), model)
    assert [weight.requires_grad for weight in model.parameters()] == [False, True, True, True, True]


@pytest.fixture
def pretrained_words(monkeypatch) -> Iterator[None]:
    """The word table of the tests' model counts as pre-trained."""
    monkeypatch.setattr(LookupEncoder, "pretrained_layers", lambda self: [[self.words.weight]])
    return


def words(result: TrainingResult) -> Tensor:
    values = result.bundle.model.state_dict()["embed.words.weight"]
    assert isinstance(values, Tensor)
    return values


@pytest.mark.usefixtures("pretrained_words")
def test_frozen_weights_stay_as_they_were_and_one_of_their_own_rate_moves_less():
    start = words(run(config_of(epochs=1, freeze_encoder=True)))
    assert torch.equal(words(run(config_of(epochs=3, freeze_encoder=True))), start)
    full = (words(run(config_of(epochs=1))) - start).abs().max()
    slow = (words(run(config_of(epochs=1, encoder_learning_rate=0.0001))) - start).abs().max()
    assert 0 < slow < 0.1 * full


@pytest.mark.parametrize("options", [{"encoder_learning_rate": 1e-4}, {"layer_decay": 0.9}, {"freeze_encoder": True}])
def test_options_of_pretrained_weights_are_refused_where_there_are_none(options):
    (name,) = options
    with pytest.raises(ConfigError, match=rf"training\.{name}: expected a model with a pre-trained encoder, got multitask_cnn"):
        run(config_of(**options))


@pytest.mark.usefixtures("pretrained_words")
def test_a_rate_for_frozen_weights_is_refused():
    with pytest.raises(ConfigError, match=r"training\.encoder_learning_rate: expected none beside training\.freeze_encoder"):
        run(config_of(encoder_learning_rate=1e-4, freeze_encoder=True))
