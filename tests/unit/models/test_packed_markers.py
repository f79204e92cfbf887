"""Packed markers against the transformer of Hugging Face itself, run on text and markers as one sequence under a mask."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
import torch
from torch import Tensor

from relsift.candidates import Candidates
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.errors import ConfigError
from relsift.layers.transformer_layers import FAMILIES
from relsift.models import packed_markers
from relsift.models.packed_markers import PackedMarkers, PackedMarkersConfig, groups_of
from relsift.schema import Entity, Relation, Sentence
from toy import HAS_TRANSFORMERS, batch_of, long_sentence, randomise, sentences
from toy_transformer import toy_subwords

pytestmark = pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
READS = PackedMarkers.READS
CLOSE: dict[str, Any] = {"atol": 1e-5, "rtol": 1e-4}
LONG: dict[str, Any] = {"longest": 100, "max_position_embeddings": 120}  # one window for any sentence here
SIZES = {"electra": {"embedding_size": 6}}  # differs from the size of the states


def known_of(kind: str = "bert", longest: int = 24, **more: Any) -> Encoding:
    """Args: longest: pieces of a window."""
    return Encoding.fit(sentences(40), reads=READS, subwords=toy_subwords(kind, longest=longest, **(SIZES.get(kind, {}) | more)))


def model_of(known: Encoding, **options: Any) -> PackedMarkers:
    model = PackedMarkers(replace(PackedMarkersConfig.tiny(), **options), known)
    randomise(model, scale=0.4)
    return model.eval()


def tangled() -> Sentence:
    """Nested, equal, overlapping and adjacent entities; pieces of the text: about twenty."""
    tokens = ("Ada", "joined", "the", "Oslo", "works", "of", "Acme", ",", "in", "Oslo")
    spans = [(3, 5), (0, 1), (3, 7), (3, 5), (4, 7), (6, 7), (9, 10)]
    kinds = ["LOC", "PER", "ORG", "ORG", "ORG", "ALIEN", "LOC"]
    relations = (Relation(1, 2, "works_for"), Relation(2, 6, "based_in"))
    return Sentence("tangled", tokens, tuple(Entity(*span, kind) for span, kind in zip(spans, kinds)), relations)


# ---- the same, literally: one sentence, one window


def literal_states(model: PackedMarkers, known: Encoding, sentence: Sentence, groups: list[tuple[int, int]]) -> Tensor:
    """(G, 4, H): text and all groups as one sequence through the transformer of Hugging Face, under a 4-D mask."""
    transformer: Any = model.embed.transformer
    parts: Any = known.subwords
    pieces = parts.pieces(sentence)
    before, after = parts.around
    table = transformer.get_input_embeddings()
    words = table(torch.tensor([*before, *pieces.ids, *after]))                         # (U, E)
    if model.tags is not None:
        tags = known.tags.ids(sentence, set())
        added = [model.tags.tags.weight[tags[token] if token >= 0 else 0] for token in pieces.token]
        words = words + torch.stack([*[torch.zeros(words.shape[1])] * len(before), *added, *[torch.zeros(words.shape[1])] * len(after)])
    rows, positions = [words], list(range(len(words)))
    for pair in groups:
        for role, entity in enumerate(sentence.entities[number] for number in (pair[0], pair[0], pair[1], pair[1])):
            kind = known.types.id(entity.type) + 1
            rows.append((model.markers.types.weight[kind] + model.markers.roles.weight[role])[None])
            piece = pieces.first[entity.start] if role % 2 == 0 else pieces.last[entity.end - 1]
            positions.append(len(before) + piece)
    x = torch.cat(rows)[None]                                                           # (1, U + 4G, E)
    owner = torch.tensor([-1] * len(words) + [number for number in range(len(groups)) for _ in range(4)])
    visible = (owner[None, :] == -1) | (owner[None, :] == owner[:, None])               # k visible to q: text, or q's group
    mask = torch.zeros(visible.shape).masked_fill(~visible, torch.finfo(torch.float32).min)[None, None]
    y = run(transformer, x, torch.tensor([positions]), mask, text=len(words), text_layers=len(layers(transformer)) - model.marker_layers)
    return y[0, len(words) :].view(len(groups), 4, -1)


def layers(transformer: Any) -> Any:
    return transformer.transformer.layer if transformer.config.model_type == "distilbert" else transformer.encoder.layer


def run(transformer: Any, x: Tensor, positions: Tensor, mask: Tensor, *, text: int, text_layers: int) -> Tensor:
    kind = transformer.config.model_type
    offset = transformer.embeddings.padding_idx + 1 if kind in ("roberta", "xlm-roberta", "camembert", "mpnet") else 0
    if kind != "mpnet" and not text_layers:
        transformer.set_attn_implementation("eager")
        return transformer(inputs_embeds=x, attention_mask=mask, position_ids=positions + offset).last_hidden_state
    # MPNet makes its relative positions from the order of the pieces, which is not that of the markers; and no transformer lets markers
    # join half-way. So its layers are run one by one.
    h = transformer.embeddings(input_ids=None, inputs_embeds=x, position_ids=positions + offset)
    bias = None if kind != "mpnet" else relative(transformer.encoder, positions[0].tolist())
    joined = h
    for number, layer in enumerate(layers(transformer)):
        if number == text_layers:
            joined = torch.cat([joined[:, :text], h[:, text:]], dim=1)
        arguments = (mask,) if bias is None else (mask, bias)
        output = layer(joined, *arguments)
        joined = output[0] if isinstance(output, tuple) else output
    return joined


def relative(encoder: Any, positions: list[int]) -> Tensor:
    """(1, h, Q, Q)"""
    bias = [[encoder.relative_attention_bias(encoder.relative_position_bucket(torch.tensor(k - q))) for k in positions] for q in positions]
    return torch.stack([torch.stack(row) for row in bias]).permute(2, 0, 1)[None]


def groups_in(sentence: Sentence) -> list[tuple[int, int]]:
    """Every unordered pair, its first entity in text order first; in the order of the model's groups."""
    place = [(entity.start, entity.end, number) for number, entity in enumerate(sentence.entities)]
    pairs = combinations(range(len(place)), 2)
    return sorted((one, other) if place[one] < place[other] else (other, one) for one, other in pairs)


def literal_logits(model: PackedMarkers, known: Encoding, group: list[Sentence]) -> Tensor:
    """(G, 2K + 1)"""
    vectors = []
    for sentence in group:
        pairs = groups_in(sentence)
        states = literal_states(model, known, sentence, pairs)
        for (first, second), markers in zip(pairs, states):
            a, b = sentence.entities[first], sentence.entities[second]
            gap = max(a.start, b.start) - min(a.end, b.end)
            starts = (0, 1, 2, 3, 4, 6, 9, 14, 20, 30, 50)
            number = sum(gap >= start for start in starts)
            kinds = [known.types.id(entity.type) + 1 for entity in (a, b)]
            vectors.append(
                torch.cat(
                    [
                        model.norm(torch.cat([*markers, markers[0] * markers[2]])),
                        model.distances.weight[number],
                        model.type_pairs.weight[kinds[0] * (len(known.types.names) + 1) + kinds[1]],
                    ]
                )
            )
    return model.classifier.choose(model.trunk(torch.stack(vectors)))


def assert_same_as_literal(model: PackedMarkers, known: Encoding, group: list[Sentence]) -> None:
    """Outputs, and the gradients of all weights of a sum of the outputs with random factors."""
    logits = model(batch_of(group, known)).of_groups.logits
    wanted = literal_logits(model, known, group)
    torch.testing.assert_close(logits, wanted, **CLOSE)
    factors = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1))
    weights = [weight for name, weight in model.named_parameters() if "identify" not in name]
    actual, expected = (torch.autograd.grad((each * factors).sum(), weights, allow_unused=True) for each in (logits, wanted))
    scale = max(gradient.abs().max().item() for gradient in expected if gradient is not None)
    for (name, _), one, other in zip(model.named_parameters(), actual, expected, strict=False):
        assert (one is None) == (other is None), name
        if one is not None:
            torch.testing.assert_close(one, other, atol=1e-5 * scale, rtol=1e-3, msg=lambda text, name=name: f"{name}: {text}")


@pytest.mark.parametrize("kind", FAMILIES)
def test_outputs_and_gradients_are_those_of_the_transformer_on_text_and_markers_as_one_masked_sequence(kind):
    known = known_of(kind, **LONG)
    assert_same_as_literal(model_of(known), known, [sentences(3)[1], tangled(), *sentences(3)[:1]])


@pytest.mark.parametrize("kind", ["bert", "mpnet"])
def test_so_they_are_if_markers_run_through_the_last_layers_only(kind):
    known = known_of(kind, **LONG)
    model = model_of(known, marker_layers=1)
    assert len(layers(model.embed.transformer)) == 2
    assert_same_as_literal(model, known, [tangled(), *sentences(2)])


def test_so_they_are_without_tags():
    known = known_of(**LONG)
    assert_same_as_literal(model_of(known, tags=False), known, [tangled()])


# ---- groups


def scores(model: PackedMarkers, batch: Batch) -> Tensor:
    with torch.no_grad():
        return model.scores(model(batch))


@pytest.mark.parametrize("longest", [24, 100])
def test_each_pair_alone_has_the_score_that_it_has_among_all(longest):
    # A literal loop over pairs: a batch that holds one pair only. 24 pieces at once need several windows.
    known = known_of(**(LONG | {"longest": longest}))
    model, sentence = model_of(known), long_sentence(30, 7)
    assert (len(known.subwords.windows(len(known.subwords.pieces(sentence).ids))) > 2) is (longest == 24)
    batch = batch_of([*sentences(2), sentence], known)
    together = scores(model, batch)
    for number in range(len(batch.pairs)):
        alone = replace(batch, pairs=type(batch.pairs)(*(value[number : number + 1] for value in vars(batch.pairs).values())))
        torch.testing.assert_close(scores(model, alone), together[number : number + 1], **CLOSE)


def test_a_group_stands_for_both_directions_and_begins_with_the_entity_that_comes_first_in_the_text():
    batch = batch_of([tangled()], known_of())
    groups = groups_of(batch)
    assert list(zip(groups.first.tolist(), groups.second.tolist())) == groups_in(tangled())
    for pair, (head, tail) in enumerate(zip(batch.pairs.head.tolist(), batch.pairs.tail.tolist())):
        group = int(groups.of_pair[pair])
        ends = (int(groups.first[group]), int(groups.second[group]))
        assert ends == ((tail, head) if groups.inverse[pair] else (head, tail))


def test_the_loss_sees_every_label_of_both_directions_of_a_group():
    known = known_of()
    model = model_of(known)
    sentence = replace(tangled(), relations=(Relation(1, 2, "works_for"), Relation(2, 1, "based_in"), Relation(6, 2, "lives_in")))
    batch = batch_of([sentence], known)
    seen = []
    model.classifier.loss = lambda output, labels: seen.append(labels) or {}
    model.loss(model(batch), batch)
    pairs = groups_in(sentence)
    columns = {name: number for number, name in enumerate(known.labels)}
    wanted = torch.zeros(len(pairs), 6, dtype=torch.bool)
    wanted[pairs.index((1, 2)), columns["works_for"]] = True
    wanted[pairs.index((1, 2)), 3 + columns["based_in"]] = True
    wanted[pairs.index((2, 6)), 3 + columns["lives_in"]] = True
    assert torch.equal(seen[0], wanted)


# ---- size


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_the_number_of_groups_at_once_changes_neither_scores_nor_gradients(size, monkeypatch):
    known = known_of(hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.2)
    model = model_of(known, dropout=0.2)
    batch = batch_of([*sentences(3), tangled(), long_sentence(30, 4)], known)
    wanted = scores(model, batch)
    monkeypatch.setattr(packed_markers, "GROUPS_AT_ONCE", size)
    torch.testing.assert_close(scores(model, batch), wanted, **CLOSE)
    monkeypatch.setattr(packed_markers, "GROUPS_KEPT", size)
    monkeypatch.setattr("relsift.layers.packed_attention.PIECES_KEPT", 0 if size == 3 else 10**6)
    wanted_gradients = gradients(model, batch, {"GROUPS_KEPT": 10**6, "PIECES_KEPT": 10**6})
    for one, other in zip(gradients(model, batch, {}), wanted_gradients, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)


def gradients(model: PackedMarkers, batch: Batch, bounds: dict[str, int]) -> list[Tensor]:
    """In evaluation mode: dropout would draw other numbers for other chunks."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in bounds.items():
            module = packed_markers if hasattr(packed_markers, name) else __import__("relsift.layers.packed_attention", fromlist=["_"])
            patch.setattr(module, name, value)
        parts = model.loss(model(batch), batch)
        return gradients_of(torch.stack(list(parts.values())).sum(), model)


def gradients_of(loss: Tensor, model: PackedMarkers) -> list[Tensor]:
    model.zero_grad()
    loss.backward()
    assert all(weight.grad is not None for weight in model.parameters())
    return [weight.grad.clone() for weight in model.parameters()]


def test_a_chunk_that_is_computed_again_draws_the_same_dropout(monkeypatch):
    # With other numbers in the backward pass the gradient would not be the slope of the loss.
    known = known_of(hidden_dropout_prob=0.3, attention_probs_dropout_prob=0.3)
    model, batch = model_of(known, dropout=0.3).train(), batch_of([tangled()], known)
    monkeypatch.setattr(packed_markers, "GROUPS_KEPT", 4)
    weight = model.trunk[0].weight

    def loss() -> Tensor:
        torch.manual_seed(1)
        return torch.stack(list(model.loss(model(batch), batch).values())).sum()

    model.zero_grad()
    loss().backward()
    gradient = weight.grad.clone()
    step, ends = 1e-3, []
    for sign in (1, -1):
        weight.data += sign * step * gradient / gradient.norm()
        ends.append(loss().item())
        weight.data -= sign * step * gradient / gradient.norm()
    assert (ends[0] - ends[1]) / (2 * step) == pytest.approx(gradient.norm().item(), rel=0.01)


def test_pairs_farther_apart_than_a_window_read_two_windows():
    known = known_of()
    model = model_of(known)
    tokens = ("Oslo", *["the"] * 60, "Acme")
    sentence = Sentence("far", tokens, (Entity(0, 1, "LOC"), Entity(61, 62, "ORG"), Entity(1, 2, "PER")), ())
    batch = batch_of([sentence], known)
    pair = list(zip(batch.pairs.head.tolist(), batch.pairs.tail.tolist())).index((0, 1))
    # Each marker sees its own end of the text only: a word in the middle changes nothing, one beside the entity does.
    for place, changes in ((31, False), (2, True), (59, True)):
        other = replace(sentence, tokens=(*tokens[:place], "works", *tokens[place + 1 :]))
        change = (scores(model, batch_of([other], known)) - scores(model, batch))[pair].abs().max()
        assert (change > 1e-5) if changes else (change < 1e-7)


def test_takes_a_sentence_of_5000_tokens_and_300_entities():
    known = known_of()
    model, sentence = model_of(known), long_sentence(5000, 300)
    pairs = Candidates(direction="undirected", max_distance=2)
    batch = batch_of([sentence], known, pairs)
    assert len(batch.pairs) > 1000
    assert scores(model, batch).isfinite().all()


# ---- errors


def test_an_architecture_that_it_cannot_open_is_refused_with_the_way_out():
    with pytest.raises(ConfigError, match=r"packed_markers: expected an encoder of one of the families bert.*typed_markers"):
        model_of(known_of("albert", embedding_size=4))


def test_more_marker_layers_than_there_are_layers_are_refused():
    with pytest.raises(ConfigError, match=r"model\.marker_layers: expected at most 2"):
        model_of(known_of(), marker_layers=3)


@pytest.mark.parametrize(("classification", "count"), [("cross_entropy", 1), ("atloss", 0)])
def test_entities_related_in_both_directions_are_counted_if_the_loss_learns_one_relation_only(classification, count):
    known = known_of()
    model = model_of(known, classification=classification)
    sentence = replace(tangled(), relations=(Relation(1, 2, "works_for"), Relation(2, 1, "based_in"), Relation(6, 2, "lives_in")))
    notes = model.notes([*examples_of(sentence, Candidates().pairs(sentence), known), *examples_of(tangled(), [], known)])
    assert [note.split(" are ")[0] for note in notes] == [f"{count} pairs of training entities"] * count


@pytest.mark.parametrize("kept", [4, 1000])
def test_a_frozen_encoder_leaves_the_gradients_of_all_other_weights(kept, monkeypatch):
    # Nothing that the markers read has a gradient then, which must not cut off the markers themselves.
    monkeypatch.setattr(packed_markers, "GROUPS_KEPT", kept)
    known = known_of()
    model = model_of(known, tags=False)
    model.embed.transformer.requires_grad_(False)
    batch = batch_of([tangled()], known)
    torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
    trained = {name: weight for name, weight in model.named_parameters() if weight.requires_grad}
    assert [name for name, weight in trained.items() if weight.grad is None or not weight.grad.any()] == []


def test_relations_in_both_directions_of_a_pair_are_both_learned():
    model = model_of(known_of())
    sentence = sentences(1)[0]
    kind = sentence.relations[0].type
    both = replace(sentence, relations=(Relation(0, 1, kind), Relation(1, 0, kind)))
    wanted = batch_of([both], known_of()).pairs.labels
    batch = batch_of([both], known_of())
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(150):
        optimiser.zero_grad()
        torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
        optimiser.step()
    assert wanted.sum() == 2
    assert torch.equal(model.scores(model(batch)) > model.paper_threshold, wanted)
