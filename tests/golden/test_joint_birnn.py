"""joint_birnn against a loop over single tokens, entities and pairs, and all sequences of tags; then that it learns and finds again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

import literal_birnn
from literal_convolution import spans_of
from literal_crf import log_sum, sequences
from relsift.encoding.batch import Batch
from relsift.encoding.characters import CASES
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.errors import ConfigError
from relsift.experiments.joint_layers import DEEP, JOINT, SHARED, WIDE_SHARED
from relsift.experiments.system import System
from relsift.layers.between import between
from relsift.models.joint_birnn import JointBiRNN, JointBiRNNConfig
from relsift.schema import Entity
from toy import batch_of, encoding, four_sentences, long_sentence, one_token, randomise, sentences

KNOWN = encoding()
PLAIN = {"spans": False, "context": False, "type_size": 0, "between_size": 0}
NO_LETTERS = {"character_units": 0, "case": False}
NO_LAYERS = {"shared_layers": 0, "ner_layers": 0, "re_layers": 0}


def make(**options: Any) -> JointBiRNN:
    model = JointBiRNN(replace(JointBiRNNConfig.tiny(), **options), KNOWN)
    randomise(model, scale=0.3)
    return model.double().eval()


def token_features(model: JointBiRNN, batch: Batch, sentence: int) -> Tensor:
    """(tokens, I): word ++ characters ++ case."""
    first, rows = int(batch.lengths[:sentence].sum()), []
    for token in range(int(batch.lengths[sentence])):
        parts = [model.embed.words.weight[batch.words[sentence, token]]]
        look = int(batch.characters.place[first + token])
        if model.characters is not None:
            letters = [letter for letter in batch.characters.ids[look].tolist() if letter]
            states = literal_birnn.states(model.characters.run, model.characters.characters.weight[letters])
            half = states.shape[1] // 2
            parts.append(torch.cat([states[-1, :half], states[0, half:]]))
        if model.config.case:
            parts.append(torch.eye(len(CASES)).double()[batch.characters.case[look]])
        rows.append(torch.cat(parts))
    return torch.stack(rows)


def literal_states(model: JointBiRNN, batch: Batch, sentence: int) -> tuple[Tensor, Tensor]:
    """(tokens, C) scores of tags, and (tokens, D) states for relations."""

    def through(layers: torch.nn.ModuleList, x: Tensor) -> Tensor:
        for layer in layers:
            x = literal_birnn.states(layer, x)
        return x

    shared = through(model.shared, token_features(model, batch, sentence))
    hidden, _, tag = model.tag
    tags = [tag.weight @ torch.tanh(hidden.weight @ x + hidden.bias) + tag.bias for x in through(model.ner, shared)]
    return torch.stack(tags), through(model.re, shared)


def literal_scores(model: JointBiRNN, batch: Batch) -> Tensor:
    c, logits = model.config, []
    by_sentence = [literal_states(model, batch, sentence)[1] for sentence in range(len(batch.lengths))]
    for pair in range(len(batch.pairs)):
        states, spans = by_sentence[int(batch.pairs.sentence[pair])], spans_of(batch, pair)
        kinds = [int(batch.entities.type[end[pair]]) for end in (batch.pairs.head, batch.pairs.tail)]
        kinds = [kind if kind >= 0 else len(KNOWN.types.names) for kind in kinds]
        entities = []
        for (start, end), kind in zip(spans, kinds):
            maximum = [states[start:end].amax(dim=0)] if c.spans else []
            entities.append(torch.cat([states[end - 1], *maximum, model.labels.weight[kind]]))
        small = [torch.relu(model.narrow[0].weight @ entity + model.narrow[0].bias) for entity in entities]
        norms = small[0].norm() * small[1].norm()
        product = [(entities[0] * diagonal * entities[1]).sum() for diagonal in model.product.weight]
        parts = [*small, (small[0] @ small[1] / norms)[None], torch.stack(product)]
        if c.context:
            (_, stop), (again, _) = sorted(spans)
            parts.append(states[stop:again].amax(dim=0) if again > stop else torch.zeros_like(states[0]))
        if c.type_size:
            parts.append(model.type_pairs.weight[kinds[0] * (len(KNOWN.types.names) + 1) + kinds[1]])
        if c.between_size:
            rows = between(batch)
            parts += [model.tokens_between.weight[rows.tokens[pair]], model.entities_between.weight[rows.entities[pair]]]
        h = torch.relu(model.trunk[0].weight @ torch.cat(parts) + model.trunk[0].bias)
        logits.append(model.classifier.choose.weight @ h + model.classifier.choose.bias)
    return torch.stack(logits)


@pytest.mark.parametrize("options", [{"re_layers": 2}, PLAIN, {"cell": "lstm"}, NO_LAYERS, NO_LETTERS | {"re_layers": 0}], ids=str)
def test_scores_of_pairs_equal_the_loop_over_tokens_and_pairs(options):
    model, batch = make(**options), batch_of([long_sentence(7, 4, seed=2), *sentences(2)], KNOWN)
    torch.testing.assert_close(model.scores(model(batch)), literal_scores(model, batch), atol=1e-6, rtol=1e-6)


@pytest.mark.parametrize("options", [{}, NO_LAYERS], ids=str)
def test_the_loss_of_the_entities_is_that_of_their_tags_among_all_sequences(options):
    sentence = replace(long_sentence(4, 0), entities=(Entity(0, 2, "LOC"), Entity(3, 4, "PER"), Entity(1, 2, "PER")))
    assert KNOWN.types.names == ("LOC", "ORG", "PER")
    model, batch = make(**options), batch_of([sentence], KNOWN)
    scores = sequences(model.crf, literal_states(model, batch, 0)[0])
    loss = model.loss(model(batch), batch)["entities"].item()
    assert loss == pytest.approx(log_sum(list(scores.values())) - scores[1, 2, 0, 5], abs=1e-6)  # the inner entity is not shown


def test_the_loss_of_the_relations_is_binary_cross_entropy_over_pairs_and_relations():
    model, batch = make(), batch_of(sentences(3), KNOWN)
    p = model.scores(model(batch)).sigmoid()
    wanted = -torch.where(batch.pairs.labels, p, 1 - p).log().mean()
    torch.testing.assert_close(model.loss(model(batch), batch)["relations"], wanted)


@pytest.mark.parametrize("options", [{}, NO_LAYERS, {"classification": "both", "identification": True}], ids=str)
def test_every_weight_gets_a_gradient(options):
    model, batch = make(**options).train(), batch_of([*sentences(12), long_sentence(30, 6)], KNOWN)
    torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()] == []


@pytest.mark.parametrize("classification", ["binary_cross_entropy", "atloss", "both"])
@pytest.mark.parametrize("entities", [0, 1])
def test_without_pairs_the_relations_cost_nothing_and_the_entities_are_learned(classification, entities):
    model = make(classification=classification, identification=True).train()
    sentence = sentences(1)[0]
    batch = batch_of([replace(sentence, entities=sentence.entities[:entities], relations=())], KNOWN)
    parts = model.loss(model(batch), batch)
    assert set(parts) == {"entities", "relations", "identification"}
    assert parts["relations"].item() == parts["identification"].item() == 0
    torch.stack(list(parts.values())).sum().backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())
    assert model.crf.transitions.grad.any()
    assert model.scores(model(batch)).shape == (0, len(KNOWN.labels))


def test_reading_and_finding_do_not_look_at_the_entities_of_the_batch():
    model, group = make(), [*sentences(4), long_sentence(12, 5), one_token()]
    with_entities = batch_of(group, KNOWN)
    without = batch_of([replace(sentence, entities=(), relations=()) for sentence in group], KNOWN)
    one, other = (model.find(model.read(batch), batch) for batch in (with_entities, without))
    assert len(one.entities) > 0
    assert torch.equal(one.score, other.score)
    for name in ("sentence", "span", "type"):
        assert torch.equal(getattr(one.entities, name), getattr(other.entities, name))


def test_four_sentences_are_learned_by_heart_and_their_entities_found_again():
    group = four_sentences()
    known = Encoding.fit(group, reads=JointBiRNN.READS)
    batch = batch_of(group, known)
    torch.manual_seed(0)
    model = JointBiRNN(JointBiRNNConfig.tiny(), known)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.02)
    for step in range(200):
        optimiser.zero_grad()
        torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
        optimiser.step()
        if step % 10 == 9 and is_known_by_heart(model, batch):
            break
    assert is_known_by_heart(model, batch)


def is_known_by_heart(model: JointBiRNN, batch: Batch) -> bool:
    """Whether the entities found are those of the batch, each with even odds or better, and the decisions on their pairs are right."""
    with torch.inference_mode():
        states = model.read(batch)
        found = model.find(states, batch)
        if not all(torch.equal(getattr(found.entities, name), getattr(batch.entities, name)) for name in ("sentence", "span", "type")):
            return False
        scores = model.scores(model.relate(states, replace(batch, entities=found.entities)))
        return bool((found.score > 0).all()) and torch.equal(scores > model.paper_threshold, batch.pairs.labels)


def test_entities_that_tags_cannot_show_are_counted():
    model = make()
    sentence = replace(long_sentence(6, 0), entities=(Entity(0, 2, "PER"), Entity(1, 2, "ORG"), Entity(3, 6, "LOC"), Entity(3, 6, "PER")))
    examples = examples_of(sentence, [], KNOWN)
    assert model.notes([*examples, *examples])[0].startswith("4 training entities overlap")
    assert model.notes(examples_of(sentences(1)[0], [], KNOWN)) == []


def test_its_inputs_follow_from_the_encoder_and_its_own_features():
    assert JointBiRNN.reads(JointBiRNNConfig()) == {"words", "characters", "types", "spans"}
    assert JointBiRNN.reads(JointBiRNNConfig(**NO_LETTERS)) == {"words", "types", "spans"}
    assert JointBiRNN.reads(JointBiRNNConfig(encoder="huggingface")) == {"subwords", "characters", "types", "spans"}


def test_tags_as_input_and_more_layers_than_it_can_have_are_refused():
    with pytest.raises(ConfigError, match=r"model\.tags: expected false"):
        JointBiRNNConfig(tags=True)
    with pytest.raises(ConfigError, match=r"model\.re_layers: expected a number from 0 to 4, got 5"):
        JointBiRNNConfig(re_layers=5)


def test_the_systems_of_the_ablation_have_as_many_weights_as_it_says():
    def weights(system: System) -> int:
        options = dict(text.removeprefix("model.").split("=") for text in system.overrides)
        model = JointBiRNN(JointBiRNNConfig.from_dict({name: int(value) for name, value in options.items()}), KNOWN)
        return sum(weight.numel() for weight in model.parameters())

    whole = weights(JOINT)
    assert weights(DEEP) == whole
    assert weights(WIDE_SHARED) == pytest.approx(whole, rel=0.001)
    assert weights(SHARED) < whole / 3
