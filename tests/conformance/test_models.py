"""What holds for every registered model, plug-ins included; at the end, what holds for single ones."""

from __future__ import annotations

import typing
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, Literal

import pytest
import torch

from model_cases import KNOWN, MODELS, Case, cases, default, one_step, parameter, tiny
from relsift.bundle import Bundle, build
from relsift.candidates import NO_RELATION, Candidates
from relsift.decisions.decision import Decision
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import INPUTS, Encoding
from relsift.errors import ConfigError
from relsift.inference import Scorer, score
from relsift.kernels.switch import SWITCH
from relsift.losses.base import classifications
from relsift.losses.labels import first_label
from relsift.models.base.joint_model import JointModel
from relsift.models.base.model import ModelConfig, RelationModel
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.registry import find, table
from toy import (
    FOUR,
    batch_of,
    four_sentences,
    long_sentence,
    one_token,
    randomise,
    same_tensors,
    sentences,
    threads,
)

CLOSE = {"atol": 1e-5, "rtol": 1e-5}


def chosen_cases() -> Iterator[Case]:
    """All cases; of joint models the default encoder alone, since test_joint_models.py has them all."""
    for case in cases():
        if not issubclass(case.architecture, JointModel) or case == default(case.name):
            yield case


@pytest.fixture(params=[parameter(case) for case in chosen_cases()])
def case(request) -> Case:
    return request.param


@pytest.fixture(params=MODELS)
def name(request) -> str:
    return request.param


def test_every_model_is_tested_with_every_encoder_that_reads_words_for_it():
    by_model = {name: {case.encoder for case in cases() if case.name == name} for name in MODELS}
    assert by_model["pcnn"] == set(table("encoder"))
    assert by_model["packed_markers"] == by_model["typed_markers"] == {"huggingface"}
    assert by_model["type_prior"] == {None}


def scores(model: RelationModel[Any], *group: Any) -> torch.Tensor:
    """(P, K)"""
    with torch.no_grad():
        return model.scores(model(batch_of(group, KNOWN)))


def scorer(model: RelationModel[Any], candidates: Candidates | None = None) -> Scorer:
    return Scorer(model, KNOWN, candidates or Candidates())


def choices(config: ModelConfig) -> Iterator[dict[str, Any]]:
    """Every value of every switch of a configuration: booleans and Literals, found by type, and all losses of pairs."""
    hints = typing.get_type_hints(type(config))
    for field in fields(config):
        hint = hints[field.name]
        values = (True, False) if hint is bool else typing.get_args(hint) if typing.get_origin(hint) is Literal else ()
        values = classifications() if field.name == "classification" else values
        yield from ({field.name: value} for value in values)


def switches() -> list[Any]:
    return [
        parameter(case, choice, id=f"-{'-'.join(f'{k}={v}' for k, v in choice.items())}")
        for case in map(default, MODELS)
        for choice in choices(case.config)
    ]


def presets() -> list[Any]:
    return [parameter(case, preset, id=f"-{preset}") for case in map(default, MODELS) for preset in case.architecture.PRESETS]


# ---- shapes and contracts


def test_gives_one_score_a_pair_and_relation(case):
    model = tiny(case)
    batch = batch_of([*sentences(5), long_sentence(20, 6)], KNOWN)
    actual = model.scores(model(batch))
    assert actual.shape == (len(batch.pairs), len(KNOWN.labels))
    assert actual.dtype == torch.float32
    assert actual.isfinite().all()


def test_reads_what_it_declares_and_nothing_else(case):
    # An encoding of these inputs alone is enough; and there is no input that the scores do not depend on (see the tests below).
    assert case.architecture.READS <= INPUTS
    assert case.reads <= INPUTS
    group = sentences(40)
    known = Encoding.fit(group, reads=case.reads, subwords=KNOWN.subwords)
    model = case.architecture(case.config, known)
    batch = batch_of(group[:5], known)
    for part in ("words", "tags", "trees", "subwords"):
        assert (getattr(known, part) is not None) is (getattr(batch, part) is not None) is (part in case.reads), part
    assert model.scores(model(batch)).isfinite().all()
    assert one_step(model, batch)


def test_takes_a_sentence_of_one_token(case):
    assert scores(tiny(case), one_token()).isfinite().all()
    parts = one_step(tiny(case), batch_of([one_token()], KNOWN))
    assert all(torch.tensor(value).isfinite() for value in parts.values())


def test_takes_words_and_entity_types_it_never_saw(case):
    strange = long_sentence(9, 4)
    strange = replace(strange, tokens=("?",) * 9, entities=tuple(replace(e, type="ALIEN") for e in strange.entities))
    assert scores(tiny(case), strange).isfinite().all()


def test_loss_is_a_finite_scalar_for_every_named_part_whether_pairs_are_related_or_not(case):
    model = tiny(case)
    for group in (sentences(4), [s for s in sentences(8) if not s.relations]):
        batch = batch_of(group, KNOWN)
        parts = model.loss(model(batch), batch)
        assert parts
        assert all(part.shape == () and part.isfinite() and part >= 0 for part in parts.values())


def test_forward_does_not_look_at_labels(case):
    model = tiny(case)
    batch = batch_of(sentences(4), KNOWN)
    blind = replace(batch, pairs=replace(batch.pairs, labels=torch.zeros_like(batch.pairs.labels)))
    assert torch.equal(model.scores(model(batch)), model.scores(model(blind)))


def test_direction_changes_the_score(case):
    # A pair and its reverse are two questions.
    sentence = four_sentences()[0]
    model = tiny(case)
    forth = batch_of([sentence], KNOWN)
    back = replace(forth, pairs=replace(forth.pairs, head=forth.pairs.tail, tail=forth.pairs.head))
    assert not torch.allclose(model.scores(model(forth)), model.scores(model(back)))


@pytest.mark.parametrize("tags", [True, False])
def test_the_tag_input_changes_the_output_with_tags_on_and_cannot_with_tags_off(case, tags):
    if not hasattr(case.config, "tags"):
        pytest.skip("a model within this one reads the tags, and has the option")
    batch = batch_of(sentences(6), KNOWN)
    other = replace(batch, tags=(batch.tags + 1) % KNOWN.tags.num_rows)
    try:
        config = replace(case.config, tags=tags)
    except ConfigError:
        assert tags  # a model without a tag input says so
        return
    model = case.architecture(config, KNOWN)
    randomise(model, scale=0.3)
    model.eval()
    same = torch.equal(model.scores(model(batch)), model.scores(model(other)))
    assert same is not tags


def test_the_sentence_changes_the_output_unless_the_model_says_that_it_reads_types_only(case):
    model, sentence = tiny(case), long_sentence(20, 5)
    other = replace(long_sentence(30, 5, seed=1), entities=tuple(replace(e, end=e.end + 2) for e in sentence.entities))
    same = torch.equal(*(scores(model, either, one_token()) for either in (sentence, other)))
    assert same is case.reads.isdisjoint({"words", "subwords"})


# ---- what is beside a sentence must not matter


def test_padding_changes_nothing(case):
    model, short = tiny(case), sentences(1)[0]
    alone = scores(model, short)
    torch.testing.assert_close(scores(model, short, long_sentence(50, 2))[: len(alone)], alone, **CLOSE)


def test_order_of_sentences_changes_nothing(case):
    model = tiny(case)
    group = [long_sentence(12, 4), *sentences(3), one_token()]
    forth = scores(model, *group).split([12, 6, 6, 6, 2])
    back = scores(model, *reversed(group)).split([2, 6, 6, 6, 12])
    for one, other in zip(forth, reversed(back), strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


def test_a_sentence_scores_the_same_in_every_batch(case):
    model = tiny(case)
    group = [*sentences(6), long_sentence(31, 5), one_token()]
    alone = torch.cat([scores(model, sentence) for sentence in group])
    torch.testing.assert_close(scores(model, *group), alone, **CLOSE)


def test_scores_come_back_in_the_order_of_the_sentences_however_they_are_batched(case, monkeypatch):
    model = tiny(case)
    group = [long_sentence(31, 5), *sentences(6), one_token()]
    wanted = [scores(model, sentence).tolist() for sentence in group]
    for size in (1, 7, 10_000):
        monkeypatch.setattr("relsift.inference.BATCH_PAIRS", size)
        for scored, those in zip(score(scorer(model), group, entities="gold"), wanted, strict=True):
            torch.testing.assert_close(torch.from_numpy(scored.scores), torch.tensor(those), **CLOSE)


def test_leaving_out_other_pairs_changes_nothing(case):
    # Undirected candidates are a part of the directed ones, in the same order.
    model, sentence = tiny(case), long_sentence(15, 5)
    few = Candidates(direction="undirected")
    wanted = dict(zip([(p.head, p.tail) for p in Candidates().pairs(sentence)], scores(model, sentence)))
    with torch.no_grad():
        actual = model.scores(model(batch_of([sentence], KNOWN, few)))
    torch.testing.assert_close(actual, torch.stack([wanted[p.head, p.tail] for p in few.pairs(sentence)]), **CLOSE)


def test_the_number_of_threads_changes_scores_by_rounding_only(case):
    model = tiny(case)
    results = []
    for number in (1, 2):
        with threads(number):
            results.append(scores(model, *sentences(8), long_sentence(40, 9)))
    torch.testing.assert_close(*results, **CLOSE)


# ---- learning


def test_every_parameter_gets_a_gradient(case):
    model = tiny(case).train()
    batch = batch_of([*sentences(12), long_sentence(30, 6)], KNOWN)
    torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
    silent = [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()]
    assert silent == []


def decided(model: RelationModel[Any], batch: Batch) -> list[int]:
    """Of each pair, its label at the source's threshold."""
    with torch.no_grad():
        value, column = model.eval().scores(model(batch)).max(dim=1)
    return torch.where(value >= model.paper_threshold, column, NO_RELATION).tolist()


@pytest.mark.parametrize("kernel", ["torch", "numba"])
def test_learns_four_sentences_by_heart(case, kernel, monkeypatch):
    if case.reads.isdisjoint({"words", "subwords"}):
        pytest.skip("types alone do not tell the four sentences apart")
    if issubclass(case.architecture, JointModel):
        pytest.skip("test_joint_models.py has it learn their entities too")
    if kernel == "torch" and case != default(case.name):
        pytest.skip("kernels do not depend on the encoder")
    monkeypatch.setenv(SWITCH, kernel)
    group = four_sentences()
    known = Encoding.fit(group, reads=case.reads, subwords=KNOWN.subwords)
    torch.manual_seed(0)
    model = build(case.name, case.config.to_dict(), known)
    batch = batch_of(group, known)
    wanted = first_label(batch.pairs.labels).tolist()
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02 if "words" in case.reads else 0.01)  # transformers bear less
    labels: list[int] = []
    for step in range(200):
        model.train()
        optimiser.zero_grad()
        torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
        optimiser.step()
        if step % 20 == 19 and (labels := decided(model, batch)) == wanted:
            break
    assert labels == wanted
    assert sorted(known.labels[label] for label in labels if label >= 0) == sorted(filter(None, FOUR))


@pytest.mark.parametrize(("case", "choice"), switches())
def test_every_switch_trains_one_step_and_predicts(case, choice):
    try:
        config = case.architecture.Config.from_dict(case.config.to_dict() | choice)
    except ConfigError:
        return  # switches may exclude each other, as long as they say so
    model = case.architecture(config, KNOWN)
    batch = batch_of(sentences(6), KNOWN)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    assert one_step(model, batch)
    assert not same_tensors(before, model.state_dict())
    assert scores(model.eval(), *sentences(3), one_token()).isfinite().all()


@pytest.mark.parametrize(("case", "preset"), presets())
def test_every_preset_trains_one_step_and_predicts(case, preset):
    architecture = case.architecture
    model = build(case.name, architecture.PRESETS[preset].model, KNOWN)
    parts = one_step(model, batch_of(sentences(6), KNOWN))
    assert all(torch.tensor(value).isfinite() for value in parts.values())
    assert scores(model.eval(), *sentences(3), one_token()).isfinite().all()


@pytest.mark.parametrize(("case", "preset"), presets())
def test_every_preset_trains_on_a_batch_of_one_pair(case, preset):
    # The last batch of an epoch may hold a single pair; a batch norm has no variance to take there.
    model = build(case.name, case.architecture.PRESETS[preset].model, KNOWN)
    batch = batch_of([one_token()], KNOWN, Candidates(direction="undirected"))
    assert len(batch.pairs) == 1
    parts = one_step(model, batch)
    assert all(torch.tensor(value).isfinite() for value in parts.values())
    assert scores(model.eval(), *sentences(3)).isfinite().all()


def test_the_same_seed_gives_the_same_first_weights(case):
    def fresh(seed: int) -> dict[str, torch.Tensor]:
        torch.manual_seed(seed)
        return build(case.name, case.config.to_dict(), KNOWN).state_dict()

    assert same_tensors(fresh(3), fresh(3))
    starts_at_zero = not any(weight.any() for weight in fresh(3).values())  # as a model may whose loss has one minimum
    assert starts_at_zero or not same_tensors(fresh(3), fresh(4))


# ---- saving


def test_saved_and_loaded_it_gives_the_same_output_bit_for_bit(case, tmp_path: Path):
    model = tiny(case)
    candidates = Candidates(direction="undirected", type_pairs=frozenset({("ORG", "PER"), ("LOC", "PER")}), max_distance=7)
    Bundle(case.name, scorer(model, candidates), Decision(threshold=0.1 + 0.2), {"note": "两"}).save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    assert (loaded.name, loaded.encoding, loaded.candidates) == (case.name, KNOWN, candidates)
    assert (loaded.decision.threshold, loaded.about, loaded.model.config) == (0.1 + 0.2, {"note": "两"}, model.config)
    assert not loaded.model.training
    assert same_tensors(loaded.model.state_dict(), model.state_dict())
    group = [*sentences(5), long_sentence(25, 6)]
    assert torch.equal(scores(loaded.model, *group), scores(model, *group))


@pytest.mark.parametrize(("case", "preset"), presets())
def test_every_preset_survives_saving(case, preset, tmp_path: Path):
    model = build(case.name, case.architecture.PRESETS[preset].model, KNOWN)
    randomise(model)
    Bundle(case.name, scorer(model.eval()), Decision(threshold=model.paper_threshold)).save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    assert torch.equal(scores(loaded.model, *sentences(5)), scores(model, *sentences(5)))


def test_options_go_through_a_dictionary_and_back(case):
    config = case.config
    assert type(config).from_dict(config.to_dict()) == config


def test_an_unknown_option_is_refused_by_name(case):
    with pytest.raises(ConfigError, match=r"model\.windos"):
        case.architecture.Config.from_dict({"windos": 3})


# ---- single models


@pytest.mark.parametrize(("tags", "weights"), [(True, 1_097_600), (False, 940_800)])
def test_the_papers_convolution_has_as_many_weights_as_the_paper_says(tags, weights):
    # Windows 4 to 10 see 49 tokens together; 64 filters each; 200 + 50 + 50 features a token, and 50 of its tag.
    assert weights == 49 * 64 * (300 + 50 * tags)
    preset = find("model", "multitask_cnn").PRESETS["paper"].model
    model = build("multitask_cnn", preset | {"tags": tags}, KNOWN)
    assert sum(c.weight.numel() for c in model.convolve.convolutions) == weights
    assert model.convolve.size == 448


@pytest.mark.parametrize("identification", [True, False])
@pytest.mark.parametrize(("classification", "parts"), [("ranking", 1), ("cross_entropy", 1), ("both", 2)])
def test_the_switches_decide_which_losses_are_trained(identification, classification, parts):
    model = MultiTaskCNN(replace(MultiTaskCNNConfig.tiny(), identification=identification, classification=classification), KNOWN)
    batch = batch_of(sentences(8), KNOWN)
    names = {"ranking": {"ranking"}, "cross_entropy": {"cross_entropy"}, "both": {"ranking", "cross_entropy"}}[classification]
    assert len(names) == parts
    loss = model.loss(model(batch), batch)
    assert set(loss) == names | ({"identification"} if identification else set())
    torch.stack(list(loss.values())).sum().backward()
    assert all(weight.grad is not None for weight in model.parameters())


def test_with_cross_entropy_alone_score_and_threshold_are_the_arg_max_over_all_columns():
    model = MultiTaskCNN(replace(MultiTaskCNNConfig.tiny(), classification="cross_entropy", threshold=9.0), KNOWN)
    randomise(model)
    output = model.eval()(batch_of(sentences(20), KNOWN))
    value, column = model.scores(output).max(dim=1)
    assert output.logits is not None
    decided = torch.where(value >= model.paper_threshold, column, len(KNOWN.labels))
    assert decided.tolist() == output.logits.argmax(dim=1).tolist()
    assert 0 < (decided == len(KNOWN.labels)).sum() < len(decided)


def test_identification_takes_no_part_in_the_decision():
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), KNOWN)
    assert model.classifier.identify is not None
    batch = batch_of(sentences(5), KNOWN)
    before = model.scores(model(batch))
    with torch.no_grad():
        model.classifier.identify.weight.add_(5.0)
    assert torch.equal(model.scores(model(batch)), before)
