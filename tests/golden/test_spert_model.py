"""spert and spert_mt against loops over single spans and pairs, losses by hand, and what is drawn in training."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.errors import ConfigError
from relsift.layers.spans import all_spans
from relsift.models import spert as module
from relsift.models.spert import PAPER_THRESHOLD, SpERT, SpERTConfig, no_entities, spans_of
from relsift.models.spert_mt import SpERTMT, SpERTMTConfig
from relsift.schema import Entity, Relation, Sentence
from toy import HAS_TRANSFORMERS, batch_of, encoding, four_sentences, long_sentence, one_token, randomise, sentences
from toy_transformer import toy_subwords

KNOWN = encoding()
GROUP = [long_sentence(14, 5), one_token(), *sentences(2)]
BARE = replace(sentences(1)[0], entities=(), relations=())
on_a_transformer = pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
both = pytest.mark.parametrize("architecture", [SpERT, SpERTMT])


def make(architecture: type[SpERT] = SpERT, *, scale: float = 0.4, known: Encoding = KNOWN, **options: Any) -> Any:
    """On a table of words unless an encoder is named."""
    model = architecture(replace(architecture.Config.tiny(), **({"encoder": "lookup"} | options)), known)
    randomise(model, scale=scale)
    return model.eval()


# ---- spans and pairs, one at a time


class Literal:
    """A model on a batch, one span or pair at a time."""

    def __init__(self, model: Any, batch: Batch) -> None:
        self.model, self.batch = model, batch
        self.tokens = model.embed.features(batch).split(batch.lengths.tolist())
        self.context = [tokens.amax(0) for tokens in self.tokens]
        if model.config.context_vector == "cls":
            self.context = list(model.embed.features_and_first(batch)[1])

    def width(self, start: int, end: int) -> Tensor:
        return self.model.widths.weight[min(end - start, self.model.config.max_width + 1) - 1]

    def span(self, sentence: int, start: int, end: int) -> Tensor:
        """(T + 1,) logits"""
        vector = torch.cat([self.context[sentence], self.tokens[sentence][start:end].amax(0), self.width(start, end)])
        return self.model.types.weight @ applied(self.model.span_trunk, vector) + self.model.types.bias

    def pair(self, pair: int) -> Tensor:
        """(K,) logits"""
        pairs, sentence = self.batch.pairs, int(self.batch.pairs.sentence[pair])
        ends = [self.batch.entities.span[int(entity[pair])].tolist() for entity in (pairs.head, pairs.tail)]
        first, second = sorted(ends)
        between = self.tokens[sentence][first[1] : second[0]]
        parts = [between.amax(0) if len(between) else torch.zeros_like(self.context[sentence][: between.shape[1]])]
        for start, end in ends:
            parts += [self.tokens[sentence][start:end].amax(0), self.width(start, end)]
            if getattr(self.model.config, "entity_logits", "none") != "none":
                parts.append(self.span(sentence, start, end))
        h = applied(self.model.pair_trunk, torch.cat(parts))
        return self.model.classifier.choose.weight @ h + self.model.classifier.choose.bias

    def entities(self) -> dict[tuple[int, int, int], tuple[int, float]]:
        """(sentence, start, end) -> type and log-odds of each entity found."""
        found = {}
        for sentence, length in enumerate(self.batch.lengths.tolist()):
            for start in range(length):
                for end in range(start + 1, min(length, start + self.model.config.max_width) + 1):
                    p = self.span(sentence, start, end).double().softmax(0)
                    if (best := int(p.argmax())) < len(KNOWN.types.names):
                        found[sentence, start, end] = best, math.log(p[best] / (p.sum() - p[best]))
        return found


def applied(trunk: nn.Sequential, vector: Tensor) -> Tensor:
    for layer in trunk:
        if isinstance(layer, nn.Linear):
            vector = nn.functional.gelu(layer.weight @ vector + layer.bias)
    return vector


OPTIONS = [
    {},
    {"hidden": 5},
    {"encoder": "bilstm", "encoder_options": {"units": 4, "character_size": 2, "character_filters": 3, "case_size": 2, "dropout": 0.0}},
    pytest.param({"encoder": "huggingface", "context_vector": "cls"}, marks=on_a_transformer),
]


@both
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_scores_of_pairs_equal_a_loop(architecture, options):
    model, batch = make(architecture, **options), batch_of(GROUP, KNOWN)
    with torch.no_grad():
        actual = model.scores(model(batch))
        literal = Literal(model, batch)
        wanted = torch.stack([literal.pair(pair) for pair in range(len(batch.pairs))])
    torch.testing.assert_close(actual, wanted, atol=1e-5, rtol=1e-4)


def found_by(model: Any, batch: Batch) -> dict[tuple[int, int, int], tuple[int, float]]:
    with torch.inference_mode():
        entities, score = model.find(model.read(batch), batch)
    keys = [(s, a, b) for s, (a, b) in zip(entities.sentence.tolist(), entities.span.tolist())]
    assert keys == sorted(set(keys)), "one entity a span, in the order of sentences and tokens"
    return dict(zip(keys, zip(entities.type.tolist(), score.tolist())))


@both
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_entities_found_and_their_log_odds_equal_a_loop_over_all_spans(architecture, options):
    model, batch = make(architecture, **options), batch_of(GROUP, KNOWN)
    with torch.no_grad():
        every = all_spans(batch.lengths, model.config.max_width)
        logits = model.classified(model.read(batch), every, batch)[:, : len(KNOWN.types.names) + 1]
        model.types.bias[-1] += (logits[:, :-1].amax(1) - logits[:, -1]).median() + 1e-3  # half of the spans are entities
        actual, wanted = found_by(model, batch), Literal(model, batch).entities()
    assert 0.3 < len(wanted) / len(every.start) < 0.5
    assert {key: kind for key, (kind, _) in actual.items()} == {key: kind for key, (kind, _) in wanted.items()}
    assert [actual[key][1] for key in wanted] == pytest.approx([score for _, score in wanted.values()], abs=1e-4)


def test_without_overlap_the_best_entities_remain_and_no_two_share_a_token():
    batch = batch_of(GROUP, KNOWN)
    every, few = (found_by(make(overlap=overlap), batch) for overlap in (True, False))
    tokens = [(sentence, token) for sentence, start, end in few for token in range(start, end)]
    assert len(tokens) == len(set(tokens))
    assert few.items() < every.items()
    assert max(every, key=lambda key: every[key][1]) in few


def test_entities_are_found_in_the_text_whatever_the_batch_says_of_them():
    model, group = make(), sentences(3)
    blind = [replace(sentence, entities=(), relations=()) for sentence in group]
    assert found_by(model, batch_of(group, KNOWN)) == found_by(model, batch_of(blind, KNOWN))


# ---- losses by hand

TINY = Sentence("tiny", ("Ada", "joined", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "works_for"),))


def all_negatives(architecture: type[SpERT] = SpERT, **options: Any) -> Any:
    """A model whose heads give their biases alone, and that is taught all spans of up to 2 tokens."""
    model = make(architecture, max_width=2, negative_spans=0, negative_pairs=0, **options)
    with torch.no_grad():
        for name, head in model.named_modules():
            if isinstance(head, nn.Linear) and name.split(".")[0] in ("types", "classifier", "boundary", "iou", "tags"):
                head.weight.zero_()
                head.bias.zero_()
    return model


def losses(model: Any, *group: Sentence) -> dict[str, float]:
    batch = batch_of(group, KNOWN)
    return {name: part.item() for name, part in model.loss(model(batch), batch).items()}


def test_the_loss_of_a_tiny_sentence_by_hand():
    # Types LOC, ORG, PER, none. Spans of up to two tokens: 0-1 PER, 2-3 ORG, and 1-2, 0-2, 1-3, which are none.
    model = all_negatives()
    assert (KNOWN.types.names, KNOWN.labels) == (("LOC", "ORG", "PER"), ("based_in", "lives_in", "works_for"))
    with torch.no_grad():
        model.types.bias.copy_(torch.tensor([1.0, 2.0, 3.0, 6.0]).log())  # probabilities 1/12, 1/6, 1/4, 1/2
        model.classifier.choose.bias.copy_(torch.tensor([1.0, 3.0, 1 / 3]).log())  # sigmoids 1/2, 3/4, 1/4
    entities = -(math.log(1 / 4) + math.log(1 / 6) + 3 * math.log(1 / 2)) / 5
    related = -(math.log(1 / 2) + math.log(1 / 4) + math.log(1 / 4)) / 3  # the last one holds
    unrelated = -(math.log(1 / 2) + math.log(1 / 4) + math.log(3 / 4)) / 3
    assert losses(model, TINY) == pytest.approx({"entities": entities, "binary_cross_entropy": (related + unrelated) / 2})


def test_the_further_losses_of_spert_mt_by_hand():
    model = all_negatives(SpERTMT, tag_loss=True)
    with torch.no_grad():
        model.boundary.bias.fill_(math.log(3))  # 3/4
        model.iou.bias.fill_(0.5)
        model.tags.bias[0] = math.log(6)  # O 1/2, the six others 1/12 each
    actual = losses(model, TINY)
    assert actual.keys() == {"entities", "boundary", "iou", "tags", "binary_cross_entropy", "identification"}
    assert actual["boundary"] == pytest.approx(-(2 * math.log(3 / 4) + 3 * math.log(1 / 4)) / 5)
    # IoU of 0-1 and 2-3: 1; of 1-2: 0; of 0-2 and 1-3: 1/2. Smooth L1 of a difference d below 1: d² / 2.
    assert actual["iou"] == pytest.approx((2 * 0.125 + 0.125 + 2 * 0) / 5)
    assert actual["tags"] == pytest.approx(-(2 * math.log(1 / 12) + math.log(1 / 2)) / 3)


def test_the_threshold_is_a_probability_of_two_fifths_for_sigmoids_and_that_of_the_loss_otherwise():
    assert make().paper_threshold == PAPER_THRESHOLD
    assert torch.tensor(PAPER_THRESHOLD).sigmoid().item() == pytest.approx(0.4)
    assert make(classification="ranking", threshold=1.5).paper_threshold == 1.5
    assert make(classification="atloss").paper_threshold == 0


# ---- what is drawn


@both
def test_negative_spans_are_no_entities_bounded_in_every_sentence_and_drawn_anew(architecture):
    model, batch = make(architecture, negative_spans=4), batch_of([*GROUP, BARE], KNOWN)
    entities = set(zip(*(part.tolist() for part in spans_of(batch))))
    torch.manual_seed(0)
    draws = [model.negative_spans(batch) for _ in range(20)]
    rows = [set(zip(*(part.tolist() for part in drawn))) for drawn in draws]
    for drawn, different in zip(draws, rows):
        assert len(drawn.start) == len(different)
        assert not different & entities
        assert torch.bincount(drawn.sentence, minlength=5).tolist() == [4, 0, 4, 4, 4]  # the only span of the second one is an entity
        assert int(drawn.width.max()) <= model.config.max_width
    assert len({frozenset(different) for different in rows}) > 10
    torch.manual_seed(0)
    assert set(zip(*(part.tolist() for part in model.negative_spans(batch)))) == rows[0]


def test_no_limit_means_all_spans_that_are_no_entities():
    for model in (make(negative_spans=0), make(SpERTMT, negative_spans=0)):
        batch = batch_of(GROUP, KNOWN)
        assert {*zip(*(p.tolist() for p in model.negative_spans(batch)))} == {*zip(*(p.tolist() for p in no_entities(batch, 3)))}


@pytest.mark.parametrize(("share", "near"), [(0.0, None), (0.5, 5), (1.0, 10)])
def test_a_share_of_the_negative_spans_touches_an_entity(share, near):
    # One entity of two tokens in forty: of all 117 spans of up to three tokens, 8 others touch it.
    sentence = Sentence("s", ("the",) * 40, (Entity(20, 22, "PER"),), ())
    model, batch = make(SpERTMT, negative_spans=10, overlapping_negatives=share), batch_of([sentence], KNOWN)
    torch.manual_seed(0)
    drawn = model.negative_spans(batch)
    touching = int(((drawn.start < 22) & (drawn.end > 20)).sum())
    assert len(drawn.start) == 10
    assert touching < 4 if near is None else touching >= min(near, 8)


def test_unrelated_pairs_are_bounded_in_every_sentence_and_related_ones_are_all_taught():
    group = [four_sentences()[0], four_sentences()[3], long_sentence(14, 5)]
    model, batch = make(negative_pairs=2), batch_of(group, KNOWN)
    seen: list[Tensor] = []
    model.classifier.loss = lambda output, labels: seen.append(labels) or {}
    for _ in range(3):
        model.loss(model(batch), batch)
    for labels in seen:
        assert (len(labels), int(labels.any(1).sum())) == (1 + 2 + 2 + 2, 1)


# ---- edges


@both
@pytest.mark.parametrize("group", [[BARE], [one_token()], [BARE, *sentences(1)], [Sentence("s", ("Ada",), (Entity(0, 1, "ALIEN"),), ())]])
def test_sentences_without_entities_pairs_or_spans_to_learn_have_a_finite_loss_that_depends_on_the_weights(architecture, group):
    model = make(architecture, classification="both", identification=True).train()
    batch = batch_of(group, KNOWN)
    parts = model.loss(model(batch), batch)
    assert parts.keys() >= {"entities", "ranking", "cross_entropy", "identification"}
    assert all(part.isfinite() and part.requires_grad for part in parts.values())
    assert len(batch.pairs) or parts["ranking"] == parts["cross_entropy"] == parts["identification"] == 0
    torch.stack(list(parts.values())).sum().backward()
    assert all(weight.grad is None or weight.grad.isfinite().all() for weight in model.parameters())
    assert model.scores(model(batch)).shape == (len(batch.pairs), 3)


@both
def test_every_weight_gets_a_gradient_with_all_parts(architecture):
    options = {"tag_loss": True, "entity_logits": "trained"} if architecture is SpERTMT else {}
    model, batch = make(architecture, hidden=4, **options).train(), batch_of([*sentences(6), *GROUP], KNOWN)
    torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
    assert [name for name, weight in model.named_parameters() if weight.grad is None or not weight.grad.any()] == []


@pytest.mark.parametrize(("logits", "reaches"), [("detached", False), ("trained", True)])
def test_pairs_train_the_classifier_of_spans_only_if_the_logits_are_not_detached(logits, reaches):
    model, batch = make(SpERTMT, entity_logits=logits), batch_of(sentences(4), KNOWN)
    model.loss(model(batch), batch)["binary_cross_entropy"].backward()
    assert (model.types.weight.grad is not None) is reaches


@both
def test_chunks_change_neither_entities_nor_scores_nor_gradients(architecture, monkeypatch):
    model, batch = make(architecture, hidden=4, negative_spans=0, negative_pairs=0, identification=True), batch_of(GROUP, KNOWN)
    results = []
    for size in (10_000, 5):
        monkeypatch.setattr(module, "SPANS_AT_ONCE", size)
        monkeypatch.setattr(module, "PAIRS_AT_ONCE", size)
        model.zero_grad()
        output = model(batch)
        torch.stack(list(model.loss(output, batch).values())).sum().backward()
        gradients = {name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None}
        found = found_by(model, batch)
        scores = [score for _, score in found.values()]
        results.append((model.scores(output).detach(), gradients, [*found], torch.tensor(scores)))
    assert results[0][2] == results[1][2]
    for part in (0, 1, 3):
        torch.testing.assert_close(results[1][part], results[0][part], atol=1e-5, rtol=1e-4)


# ---- learning


@pytest.mark.parametrize(
    ("architecture", "encoder"), [(SpERT, "lookup"), pytest.param(SpERT, "huggingface", marks=on_a_transformer), (SpERTMT, "lookup")]
)
def test_learns_four_sentences_by_heart_and_finds_their_entities_and_no_others(architecture, encoder):
    group = four_sentences()
    config = replace(architecture.Config.tiny(), encoder=encoder)
    known = Encoding.fit(group, subwords=toy_subwords() if HAS_TRANSFORMERS else None, reads=architecture.reads(config))
    torch.manual_seed(0)
    model, batch = architecture(config, known), batch_of(group, known)
    gold = dict(zip(zip(*(part.tolist() for part in spans_of(batch))), batch.entities.type.tolist()))
    optimiser, found, scores = torch.optim.Adam(model.parameters(), lr=0.02), {}, torch.empty(0)
    for step in range(200):
        model.train()
        optimiser.zero_grad()
        torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
        optimiser.step()
        if step % 20 == 19:
            found = {key: kind for key, (kind, _) in found_by(model.eval(), batch).items()}
            scores = model.scores(model(batch))
            if found == gold and torch.equal(scores >= model.paper_threshold, batch.pairs.labels):
                break
    assert found == gold
    assert torch.equal(scores >= model.paper_threshold, batch.pairs.labels)


# ---- options and messages


def test_what_cannot_be_learned_is_counted():
    entities = (Entity(0, 5, "PER"), Entity(0, 1, "PER"), Entity(0, 1, "ORG"), Entity(2, 3, "ALIEN"))
    sentence = Sentence("s", ("the",) * 6, entities, ())
    assert make().notes(examples_of(sentence, [], KNOWN)) == [
        "1 of 4 training entities have more tokens than 3: the model does not learn to find them (model.max_width)",
        "1 of 4 training entities have a type that the model does not know: it does not learn to find them",
        "1 of 4 training entities have the span of another one: the model finds one entity a span",
    ]
    assert make().notes(examples_of(sentences(1)[0], [], KNOWN)) == []


@pytest.mark.parametrize(
    "options",
    [
        {"tags": True}, {"max_width": 0}, {"width_size": 0}, {"negative_spans": -1}, {"negative_pairs": -1}, {"hidden": -1},
        {"dropout": 1.0}, {"overlapping_negatives": 2.0},
    ],
    ids=str,
)
def test_unfit_options_are_refused_by_name(options):
    with pytest.raises(ConfigError, match=rf"model\.{next(iter(options))}"):
        SpERTMTConfig(**options)


def test_a_state_of_the_first_piece_needs_a_transformer_with_one():
    with pytest.raises(ConfigError, match=r"model\.context_vector: expected maximum, or the encoder huggingface"):
        SpERTConfig(encoder="lookup", context_vector="cls")
    assert SpERT.PRESETS["paper"].model["context_vector"] == "cls"


@on_a_transformer
def test_a_tokenizer_without_a_first_piece_is_refused_for_its_state():
    subwords = toy_subwords()
    subwords.__dict__["around"] = ([], [3])
    known = replace(encoding(), subwords=subwords)
    with pytest.raises(ConfigError, match=r"model\.context_vector: expected a tokenizer that puts a piece before the text"):
        SpERT(replace(SpERTConfig.tiny(), context_vector="cls"), known)
