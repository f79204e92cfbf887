"""The tree model against Miwa & Bansal's equations, written as a recursion over the nodes of one pair's path at a time.

Nothing of the fast form is used on the literal side: the path is found by breadth-first search, children are listed node by node, and
every gate of every child is computed by itself.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from relsift.candidates import Candidates
from relsift.encoding.batch import Batch
from relsift.layers.tree_paths import tree_paths
from relsift.models.sptree import SPTree, SPTreeConfig
from relsift.schema import ROOT, Sentence, Syntax
from toy import batch_of, encoding, forest, long_sentence, one_token, randomise, sentences

KNOWN = encoding()


# ---- the path


@st.composite
def forests(draw: st.DrawFn) -> tuple[list[int], int, int]:
    """Heads of a random forest, and two of its tokens (perhaps one twice)."""
    size = draw(st.integers(1, 12))
    order = draw(st.permutations(range(size)))
    heads = [ROOT] * size
    for number, token in enumerate(order):
        above = draw(st.integers(-1, number - 1))
        heads[token] = ROOT if above < 0 else order[above]
    return heads, draw(st.integers(0, size - 1)), draw(st.integers(0, size - 1))


def undirected_path(heads: list[int], first: int, second: int) -> list[int] | None:
    """Breadth-first search in the graph of arcs, whichever way they point; None: there is no way."""
    neighbours: dict[int, list[int]] = {token: [] for token in range(len(heads))}
    for token, head in enumerate(heads):
        if head != ROOT:
            neighbours[token].append(head)
            neighbours[head].append(token)
    before: dict[int, int | None] = {first: None}
    queue = deque([first])
    while queue:
        token = queue.popleft()
        for other in neighbours[token]:
            if other not in before:
                before[other] = token
                queue.append(other)
    if second not in before:
        return None
    path, at = [], second
    while at is not None:
        path.append(at)
        at = before[at]
    return path[::-1]


@settings(max_examples=200, deadline=None)
@given(st.lists(forests(), min_size=1, max_size=4))
def test_the_path_is_the_only_way_in_the_undirected_forest(group):
    width = max(len(heads) for heads, _, _ in group)
    head = torch.tensor([heads + [ROOT] * (width - len(heads)) for heads, _, _ in group])
    first, second = (torch.tensor([item[n] for item in group]) for n in (1, 2))
    paths = tree_paths(head, torch.arange(len(group)), first, second)
    for row, (heads, one, other) in enumerate(group):
        wanted = undirected_path(heads, one, other)
        arms = [paths.arms[n, : paths.lengths[n]].tolist() for n in (row, len(group) + row)]
        top = int(paths.top[row])
        if wanted is None:
            assert (top, arms) == (-1, [[], []])
        else:
            assert [*arms[0], top, *reversed(arms[1])] == wanted
            assert heads[top] not in wanted  # the only node of the path whose head is outside


# ---- the model


def literal_cell(w: Tensor, b: Tensor, u: Tensor, x: Tensor, children: list[tuple[Tensor, Tensor]]) -> tuple[Tensor, Tensor]:
    """One node: gates i, f, o, u are four blocks of rows; a forget gate for every child, which sees all children."""
    wi, wf, wo, wu = w.chunk(4)
    bi, bf, bo, bu = b.chunk(4)
    ui, uf, uo, uu = u.chunk(4)
    i, o, new = wi @ x + bi, wo @ x + bo, wu @ x + bu
    for h, _ in children:
        i, o, new = i + ui @ h, o + uo @ h, new + uu @ h
    c = torch.sigmoid(i) * torch.tanh(new)
    for _, memory in children:
        f = wf @ x + bf
        for h, _ in children:
            f = f + uf @ h
        c = c + torch.sigmoid(f) * memory
    return torch.sigmoid(o) * torch.tanh(c), c


def literal_path(model: SPTree, batch: Batch, states: Tensor, row: int, first: int, second: int) -> Tensor:
    assert batch.trees.parent is not None and batch.trees.dependency is not None
    heads = batch.trees.parent[row].tolist()[: int(batch.lengths[row])]
    path = undirected_path(heads, first, second)
    if path is None:
        return torch.zeros(3 * model.config.tree_size, dtype=states.dtype)
    [top] = [token for token in path if heads[token] not in path]

    def x(token: int) -> Tensor:
        label = model.top_label if token == top else int(batch.trees.dependency[row, token])
        tag = [] if model.labels is None else [model.labels.weight[batch.tags[row, token]]]
        return torch.cat([states[token], *tag, model.dependencies.weight[label]])

    def up(token: int) -> tuple[Tensor, Tensor]:
        cell = model.path.up
        return literal_cell(*weights(cell), x(token), [up(child) for child in path if heads[child] == token])

    def down(token: int) -> tuple[Tensor, Tensor]:
        above = [] if token == top else [down(heads[token])]
        return literal_cell(*weights(model.path.down), x(token), above)

    return torch.cat([down(first)[0], up(top)[0], down(second)[0]])


def weights(cell: torch.nn.Module) -> tuple[Tensor, Tensor, Tensor]:
    return cell.inputs.weight, cell.inputs.bias, cell.states.weight


def literal_states(model: SPTree, batch: Batch, row: int) -> Tensor:
    """The sequence LSTM of one sentence, step by step."""
    assert batch.trees.pos is not None
    size = int(batch.lengths[row])
    x = []
    for t in range(size):
        tag = [] if model.embed.tags is None else [model.embed.tags.weight[batch.tags[row, t]]]
        x.append(torch.cat([model.embed.words.weight[batch.words[row, t]], *tag, model.pos.weight[batch.trees.pos[row, t]]]))
    both = []
    for suffix, order in (("", range(size)), ("_reverse", range(size - 1, -1, -1))):
        lstm = model.sequence
        w, u = getattr(lstm, f"weight_ih_l0{suffix}"), getattr(lstm, f"weight_hh_l0{suffix}")
        b = getattr(lstm, f"bias_ih_l0{suffix}") + getattr(lstm, f"bias_hh_l0{suffix}")
        h = c = torch.zeros(u.shape[1], dtype=u.dtype)
        out: dict[int, Tensor] = {}
        for t in order:
            i, f, g, o = (w @ x[t] + b + u @ h).chunk(4)  # torch's order of gates
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(c)
            out[t] = h
        both.append(torch.stack([out[t] for t in range(size)]))
    return torch.cat(both, dim=1)


def literal_logits(model: SPTree, batch: Batch, first: int, second: int) -> Tensor:
    """Logits of the reading (first, second), two entities of the batch."""
    row = int(batch.entities.sentence[first])
    ends = [int(batch.entities.span[entity, 1]) - 1 for entity in (first, second)]
    states = literal_states(model, batch, row)
    d = torch.cat([literal_path(model, batch, states, row, *ends), states[ends[0]], states[ends[1]]])
    hidden = model.trunk[0]
    h = torch.tanh(hidden.weight @ d + hidden.bias)
    last = model.classifier if model.config.directions == "two" else model.classifier.choose
    return last.weight @ h + last.bias


def group() -> list[Sentence]:
    """Forests, arms of length zero, entities that share their last token, one token, and a deep tree."""
    deep = long_sentence(14, 4, seed=3)
    chain = Syntax(tuple(range(-1, 13)), ("modifier",) * 14, ("W3",) * 14)
    return [*sentences(3), long_sentence(12, 5), one_token(), replace(deep, syntax=chain), replace(deep, syntax=forest(deep.tokens, "b"))]


@pytest.mark.parametrize("direction", ["directed", "undirected"])
@pytest.mark.parametrize("options", [{}, {"tags": False}, {"tags_in": "both"}, {"directions": "one"}], ids=str)
def test_the_model_matches_a_recursion_over_the_nodes(options, direction):
    model = SPTree(replace(SPTreeConfig.tiny(), **options), KNOWN).double().eval()
    randomise(model, scale=0.5)
    batch = batch_of(group(), KNOWN, Candidates(direction=direction))
    output = model(batch)
    assert output.logits is not None
    assert (output.back is None) == (options.get("directions") == "one")
    head, tail = batch.pairs.head.tolist(), batch.pairs.tail.tolist()
    for logits, readings in ((output.logits, zip(head, tail)), (output.back, zip(tail, head))):
        if logits is not None:
            wanted = torch.stack([literal_logits(model, batch, first, second) for first, second in readings])
            torch.testing.assert_close(logits, wanted, atol=1e-10, rtol=1e-10)


def test_gradients_match_those_of_the_recursion():
    model = SPTree(SPTreeConfig.tiny(), KNOWN).double()
    randomise(model, scale=0.5)
    batch = batch_of([long_sentence(12, 5), one_token(), *sentences(2)], KNOWN)
    output = model(batch)
    pairs = list(zip(batch.pairs.head.tolist(), batch.pairs.tail.tolist()))
    assert output.logits is not None
    weight = torch.randn(output.logits.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    literal = torch.stack([literal_logits(model, batch, *pair) for pair in pairs])
    wanted = torch.autograd.grad((literal * weight).sum(), list(model.parameters()))
    fast = torch.autograd.grad((output.logits * weight).sum(), list(model.parameters()))
    for one, other in zip(fast, wanted, strict=True):
        torch.testing.assert_close(one, other, atol=1e-10, rtol=1e-8)


def test_the_toy_forests_hold_what_the_comparison_is_for():
    batch = batch_of(group(), KNOWN)
    assert batch.trees.parent is not None
    last = batch.entities.span[:, 1] - 1
    paths = tree_paths(batch.trees.parent, batch.pairs.sentence, last[batch.pairs.head], last[batch.pairs.tail])
    one, other = paths.lengths.view(2, -1)
    joined = paths.top >= 0
    assert bool((~joined).any())  # different trees
    for shape in ((one == 0) & (other > 0), (one == 0) & (other == 0), (one > 0) & (other > 0)):
        assert bool((shape & joined).any())
    assert int(paths.lengths.max()) > 8
