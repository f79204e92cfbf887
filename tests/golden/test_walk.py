"""The walk-based model against its definition, one pair, one context node and one walk at a time, in plain loops."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from relsift.encoding.batch import Batch
from relsift.layers.entity_groups import groups
from relsift.layers.two_directions import both_readings
from relsift.models import walk
from relsift.models.walk import WalkConfig, WalkModel
from relsift.schema import Entity, Sentence
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences

KNOWN = encoding()
EXACT = {"atol": 1e-10, "rtol": 1e-10}
FULL = Sentence("full", ("Ada", "Oslo"), (Entity(0, 1, "PER"), Entity(1, 2, "LOC")), ())  # nothing left to be context
STRANGE = Sentence("strange", ("a", "b", "c", "d"), (Entity(0, 1, "ALIEN"), Entity(1, 3, "LOC"), Entity(1, 3, "ORG")), ())
GROUP = [*sentences(3), long_sentence(9, 5), one_token(), long_sentence(14, 7, seed=1), FULL, STRANGE]


def model_of(**options: Any) -> WalkModel:
    model = WalkModel(replace(WalkConfig.tiny(), **options), KNOWN).double()
    randomise(model, scale=0.4)
    return model.eval()


class Plain:
    """One sentence. Every name is the papers'."""

    def __init__(self, model: WalkModel, batch: Batch, states: Tensor, sentence: int) -> None:
        self.model = model
        mine = (batch.entities.sentence == sentence).nonzero().squeeze(1).tolist()
        self.spans = [tuple(batch.entities.span[row].tolist()) for row in mine]
        self.types = [int(batch.entities.type[row]) for row in mine]
        self.h = states[sentence, : int(batch.lengths[sentence])]
        self.edge = cache(self._edge)
        self.walks = cache(self._walks)

    def position(self, one: tuple[int, ...], other: tuple[int, ...]) -> Tensor:
        limit = self.model.config.max_distance
        tokens, others = set(range(*one)), set(range(*other))
        if tokens < others:
            row = 2 * limit + 1
        elif tokens > others:
            row = 2 * limit + 2
        elif tokens & others:
            row = limit
        else:
            gap = min(abs(a - b) for a in tokens for b in others)
            row = limit + min(gap, limit) * (1 if min(tokens) > max(others) else -1)
        return self.model.positions.weight[row]

    def with_type(self, vector: Tensor, kind: int) -> Tensor:
        return vector if self.model.types is None else torch.cat([vector, self.model.types.weight[kind + 1]])

    def node(self, i: int) -> Tensor:
        return self.with_type(self.h[slice(*self.spans[i])].mean(dim=0), self.types[i])

    def context(self, i: int, j: int) -> list[Tensor]:
        """u_z of every other entity and of every token of no entity."""
        places = [(self.node(z), self.spans[z]) for z in range(len(self.spans)) if z not in (i, j)]
        places += [
            (self.with_type(self.h[t], -1), (t, t + 1))
            for t in range(len(self.h))
            if not any(start <= t < end for start, end in self.spans)
        ]
        return [torch.cat([node, self.position(at, self.spans[i]), self.position(at, self.spans[j])]) for node, at in places]

    def _edge(self, i: int, j: int) -> Tensor:
        q, u = self.model.attention.weight[0], self.context(i, j)
        v_i = torch.cat([self.node(i), self.position(self.spans[i], self.spans[j])])
        v_j = torch.cat([self.node(j), self.position(self.spans[j], self.spans[i])])
        if u:
            alpha = torch.stack([q @ z.tanh() for z in u]).softmax(dim=0)
            c = sum(weight * z for weight, z in zip(alpha, u))
        else:
            c = torch.zeros_like(q)
        return self.model.edge.weight @ torch.cat([v_i, v_j, c])

    def _walks(self, i: int, j: int, length: int) -> Tensor:
        """Walks of up to `length` edges from i to j: the recursion, one entity in between after the other."""
        if length == 1:
            return self.edge(i, j)
        shorter, total = self.walks(i, j, length // 2), 0.0
        between = [k for k in range(len(self.spans)) if k not in (i, j)]
        if not between:
            return shorter
        for k in between:
            assert self.model.walk is not None
            total = total + (self.walks(i, k, length // 2) * (self.model.walk.weight @ self.walks(k, j, length // 2))).sigmoid()
        beta = self.model.config.beta
        return beta * shorter + (1 - beta) * total


def literal(model: WalkModel, batch: Batch) -> Tensor:
    """(R, D), in the order of the readings."""
    tokens = torch.cat([model.embed.words.weight[batch.words], model.embed.tags.weight[batch.tags]], dim=2)
    states = model.bilstm(tokens, batch.lengths)
    readings = both_readings(batch)
    first_row = [int((batch.entities.sentence < s).sum()) for s in range(len(batch.lengths))]
    plain = [Plain(model, batch, states, s) for s in range(len(batch.lengths))]
    return torch.stack([
        plain[s].walks(i - first_row[s], j - first_row[s], model.config.walk_length)
        for s, i, j in zip(readings.sentence.tolist(), readings.first.tolist(), readings.second.tolist())
    ])  # fmt: skip


@pytest.mark.parametrize("options", [{}, {"walk_length": 1}, {"walk_length": 2}, {"walk_length": 8, "beta": 0.9}, {"types": False}])
def test_edges_attention_and_walks_are_those_of_the_definition(options):
    model, batch = model_of(**options), batch_of(GROUP, KNOWN)
    with torch.no_grad():
        torch.testing.assert_close(model.read(batch, both_readings(batch)), literal(model, batch), **EXACT)


def test_gradients_are_those_of_the_definition():
    model, batch = model_of(), batch_of(GROUP[2:], KNOWN)
    gradients = []
    for vectors in (model.read(batch, both_readings(batch)), literal(model, batch)):
        target = torch.linspace(-1, 1, vectors.numel(), dtype=vectors.dtype).view_as(vectors)
        model.zero_grad()
        (vectors * target).sum().backward()
        gradients.append({name: weight.grad.clone() for name, weight in model.named_parameters() if weight.grad is not None})
    assert len(gradients[0]) == len(list(model.parameters())) - 2  # all but the classifier's
    torch.testing.assert_close(gradients[0], gradients[1], **EXACT)


@pytest.mark.parametrize("limit", [1, 1500, 20_000])
def test_sentences_and_rows_taken_a_few_at_a_time_give_the_same_vectors_and_gradients(limit, monkeypatch):
    model, batch = model_of(), batch_of(GROUP, KNOWN)
    results = []
    for number in (limit, 2**24):
        monkeypatch.setattr(walk, "NUMBERS_AT_ONCE", number)
        model.zero_grad()
        vectors = model.read(batch, both_readings(batch))
        vectors.square().sum().backward()
        results.append((vectors.detach(), {n: w.grad.clone() for n, w in model.named_parameters() if w.grad is not None}))
    torch.testing.assert_close(results[0], results[1], **EXACT)


def test_groups_hold_every_sentence_once_with_its_entities_and_stay_within_the_limit():
    batch = batch_of([*GROUP, *[long_sentence(11, n, seed=n) for n in range(2, 12)]], KNOWN)
    counts = torch.bincount(batch.entities.sentence)
    padded = list(groups(batch, lambda entities, tokens: entities**2 * tokens, 2000))
    assert sorted(torch.cat([group.sentences for group in padded]).tolist()) == list(range(len(batch.lengths)))
    for group in padded:
        cost = group.size**2 * group.tokens * len(group.sentences)
        assert cost <= 2000 or len(group.sentences) == 1
        assert group.tokens == int(batch.lengths[group.sentences].max())
        assert torch.equal(group.real.sum(dim=1), counts[group.sentences])
        assert torch.equal(batch.entities.sentence[group.entities], group.sentences[:, None].expand_as(group.entities))
        assert all(row[real].unique().numel() == real.sum() for row, real in zip(group.entities, group.real))
