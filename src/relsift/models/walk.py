"""Walk-based model: the entities of a sentence are the nodes of a full graph, and a pair learns from walks over the other entities.

Source: Christopoulou et al., ACL 2018 (P18-2014), and their public code where the paper is silent.
Differs from it:
- Nested and overlapping entities are kept (they drop the inner ones and their relations).
- Distances are clipped at `max_distance`. Without pre-trained vectors, words start at random.
- Weights start as in Keras (theirs: standard normal W and q); Adam without amsgrad.
- The BIO tags of `tags` are ours (a token's tag goes into the LSTM), the types of the entities (`types`) are theirs.
- Each ordered pair has a score that a threshold can be tuned on (see `layers/two_directions.py`).
As in their code and unlike the paper's equation, a pair of a sentence without further entities keeps its edge as it is.
All ordered pairs of a sentence's entities are edges, whatever the candidates are, so the features of a pair depend on its sentence alone.
Letters: S sentences, T tokens, G sentences of a group, M entities of the largest of them, Z = M + T context nodes, I some of the M
entities, N features of a node, X of a position, D of an edge, R readings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from relsift.encoders.base import TokenEncoder, make_encoder
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.errors import require
from relsift.layers.bilstm import BiLSTM
from relsift.layers.entity_groups import Group, groups, num_positions, position_ids, slots
from relsift.layers.initialise import initialise_like_keras
from relsift.layers.two_directions import Readings
from relsift.models.base.model import Preset
from relsift.models.base.two_direction_classifier import TwoDirectionClassifier, TwoDirectionConfig

NUMBERS_AT_ONCE = 2**24  # numbers in one array of a group (64 MiB); larger sentences are computed some rows at a time
NO_TYPE = 0  # row of the type table: a token of no entity, and an entity of a type never seen in training


@dataclass(frozen=True, kw_only=True)
class WalkConfig(TwoDirectionConfig):
    """The defaults are the source's values for walks of length 4."""

    types: bool = True  # the types of the entities as input
    word_size: int = 200
    tag_size: int = 50
    type_size: int = 20
    position_size: int = 25
    max_distance: int = 50  # tokens; farther ones share an embedding
    lstm_units: int = 100  # a direction
    edge_size: int = 100
    walk_length: Literal[1, 2, 4, 8] = 4  # edges of the longest walk between two entities
    beta: float = 0.77  # share that a walk step keeps of the shorter walks
    input_dropout: float = 0.11
    edge_dropout: float = 0.32

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (self.word_size, self.tag_size, self.type_size, self.position_size, self.max_distance, self.lstm_units, self.edge_size)
        require(min(sizes) >= 1, "model sizes", expected="numbers >= 1", got=sizes)
        require(0 <= self.beta <= 1, "model.beta", expected="a number in [0, 1]", got=self.beta)
        self.require_shares("input_dropout", "edge_dropout")

    @classmethod
    def tiny(cls) -> WalkConfig:
        return cls(
            word_size=6, tag_size=3, type_size=2, position_size=3, max_distance=5, lstm_units=4, edge_size=8, input_dropout=0.0,
            edge_dropout=0.0,
        )  # fmt: skip


_TRAINING: dict[str, Any] = {
    "optimiser": "adam", "learning_rate": 2e-3, "weight_decay": 5.7e-5, "gradient_clip": 24.4, "batch_pairs": 64, "average": True,
    "unknown_rate": 0.3, "epochs": 16, "patience": 5,
}  # fmt: skip


class WalkModel(TwoDirectionClassifier):
    config: WalkConfig
    Config = WalkConfig
    READS = frozenset({"words", "tags", "types", "spans"})
    SUMMARY = "BiLSTM, entity graph of the sentence, walks between the two entities (Christopoulou et al. 2018)"
    PRESETS: ClassVar = {
        "paper": Preset("Christopoulou et al. 2018, walks up to 4 edges", {}, _TRAINING),
        "paper_l1": Preset("the same without walks", {"walk_length": 1}, _TRAINING),
        "paper_l2": Preset("the same, up to 2 edges", {"walk_length": 2, "beta": 0.72}, _TRAINING | {"learning_rate": 3e-3}),
        "paper_l8": Preset("the same, up to 8 edges", {"walk_length": 8, "beta": 0.88}, _TRAINING | {"learning_rate": 1e-3}),
    }

    def __init__(self, config: WalkConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        tag_size = config.tag_size if config.tags else None
        self.embed = make_encoder(config.encoder, encoding, config.encoder_options, word_size=config.word_size, tag_size=tag_size)
        self.input_dropout = nn.Dropout(config.input_dropout)
        self.types = nn.Embedding(len(encoding.types.names) + 1, config.type_size) if config.types else None
        self.positions = nn.Embedding(num_positions(config.max_distance), config.position_size)
        self.bilstm = BiLSTM(self.embed.size, config.lstm_units)
        self.node_size = self.bilstm.size + (config.type_size if config.types else 0)
        context_size = self.node_size + 2 * config.position_size
        self.attention = nn.Linear(context_size, 1, bias=False)  # q
        self.edge = nn.Linear(2 * (self.node_size + config.position_size) + context_size, config.edge_size, bias=False)  # W_s
        self.walk = nn.Linear(config.edge_size, config.edge_size, bias=False) if config.walk_length > 1 else None  # W_b
        self.edge_dropout = nn.Dropout(config.edge_dropout)
        self.classifier = self.make_classifier(config.edge_size, len(encoding.labels))
        initialise_like_keras(self)

    @property
    def encoder(self) -> TokenEncoder:
        return self.embed

    def read(self, batch: Batch, readings: Readings) -> Tensor:
        x = self.input_dropout(self.embed.padded(batch))                                # (S, T, word ++ tag)
        states = self.bilstm(x, batch.lengths)                                          # (S, T, 2 units)
        _, slot = slots(batch)                                                          # (E,)
        rows, places = [], []
        for group in groups(batch, self._cost, NUMBERS_AT_ONCE):
            v = self.walks(self.edges(batch, group, states), group.real)                # (G, M, M, D)
            local = torch.full_like(batch.lengths, -1)                                  # (S,)  row in the group
            local[group.sentences] = torch.arange(len(group.sentences), device=local.device)
            of_group = (local[readings.sentence] >= 0).nonzero().squeeze(1)             # rows of `readings`
            rows.append(v[local[readings.sentence[of_group]], slot[readings.first[of_group]], slot[readings.second[of_group]]])
            places.append(of_group)
        read: Tensor = self.edge_dropout(torch.cat(rows)[torch.cat(places).argsort()])  # (R, D)
        return read

    def _cost(self, entities: int, tokens: int) -> int:
        walks = entities * self.config.edge_size if self.walk is not None else 0
        return entities * max(entities * max(walks, entities + tokens), (entities + tokens) * self.config.position_size)

    def edges(self, batch: Batch, group: Group, states: Tensor) -> Tensor:
        """(G, M, M, D): [i, j] is the edge from entity i to entity j, before any walk; the diagonal and the padding have no meaning.

        The source's W_s [v_i; v_j; c_ij], with v_i = [e_i; t_i; p_ij] and c_ij a weighted sum of u_z = [n_z; p_zi; p_zj], is split into
        terms. Those that depend on one node alone are multiplied once a node, and q tanh(u_z) is a sum of three terms.
        """
        nodes, real, ids = self._nodes(batch, group, states)                            # (G, Z, N), (G, Z), (G, Z, M)
        size, (n, x) = group.size, (self.node_size, self.config.position_size)
        first, at_first, second, at_second, context, at_i, at_j = torch.split(self.edge.weight, [n, x, n, x, n, x, x], dim=1)
        table = self.positions.weight
        entity = nodes[:, :size]                                                        # (G, M, N)
        between = ids[:, :size]                                                         # (G, M, M)  of i to j
        plain = (entity @ first.T)[:, :, None] + (entity @ second.T)[:, None] + (table @ at_first.T)[between]
        plain = plain + (table @ at_second.T)[between.transpose(1, 2)]                  # (G, M, M, D)

        q, q_i, q_j = torch.split(self.attention.weight[0], [n, x, x])
        own = (nodes.tanh() @ q).masked_fill(~real, float("-inf"))                      # (G, Z)
        to_i = (own[:, :, None] + (table.tanh() @ q_i)[ids]).transpose(1, 2)            # (G, M, Z)
        to_j = (table.tanh() @ q_j)[ids].transpose(1, 2)                                # (G, M, Z)
        seen, place = table[ids.transpose(1, 2)], nodes @ context.T                     # (G, M, Z, X), (G, Z, D)

        def rows(i: slice) -> Tensor:
            weight = _context_weights(to_i[:, i], to_j, range(size)[i])                 # (G, I, M, Z)
            c = weight.flatten(1, 2) @ place                                            # (G, I * M, D)
            c_i = weight @ seen[:, i]                                                   # (G, I, M, X)
            c_j = (weight.transpose(1, 2) @ seen).transpose(1, 2)                       # (G, I, M, X)
            part: Tensor = plain[:, i] + c.view_as(plain[:, i]) + c_i @ at_i.T + c_j @ at_j.T
            return part

        return _some_rows_at_a_time(rows, size, size * ids.shape[1] * len(nodes))

    def _nodes(self, batch: Batch, group: Group, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The context nodes: first the M entities, then the T tokens.

        Returns: (G, Z, N) features; (G, Z) bool, False for padding and for tokens of an entity; (G, Z, M) position ids to each entity.
        """
        span = batch.entities.span[group.entities]                                      # (G, M, 2)
        start, end = span[:, :, :1], span[:, :, 1:]                                     # (G, M, 1)
        place = torch.arange(group.tokens, device=span.device)                          # (T,)
        member = (start <= place) & (place < end) & group.real[:, :, None]              # (G, M, T)
        h = states[group.sentences, : group.tokens]                                     # (G, T, 2 units)
        mean = (member.to(h.dtype) / (end - start)) @ h                                 # (G, M, 2 units)
        nodes = torch.cat([mean, h], dim=1)                                             # (G, Z, 2 units)
        if self.types is not None:
            types = torch.full(nodes.shape[:2], NO_TYPE, device=span.device)            # (G, Z)
            types[:, : group.size] = batch.entities.type[group.entities] + 1
            nodes = torch.cat([nodes, self.types(types)], dim=2)                        # (G, Z, N)
        outside = (place < batch.lengths[group.sentences, None]) & ~member.any(dim=1)   # (G, T)
        starts = torch.cat([start[:, :, 0], place.expand(len(span), -1)], dim=1)        # (G, Z)
        ends = torch.cat([end[:, :, 0], (place + 1).expand(len(span), -1)], dim=1)      # (G, Z)
        ids = position_ids(
            starts[:, :, None], ends[:, :, None], start.transpose(1, 2), end.transpose(1, 2), self.config.max_distance
        )
        return nodes, torch.cat([group.real, outside], dim=1), ids

    def walks(self, v: Tensor, real: Tensor) -> Tensor:
        """Edges (G, M, M, D) -> the same, with walks of up to `walk_length` edges between i and j added. real: (G, M)"""
        if self.walk is None:
            return v
        has_others = (real.sum(dim=1) > 2)[:, None, None, None]                         # is there any k besides i and j?
        length = 1
        while length < self.config.walk_length:
            longer = self._two_walks(v, self.walk(v), real)
            v = torch.where(has_others, self.config.beta * v + (1 - self.config.beta) * longer, v)
            length *= 2
        return v

    def _two_walks(self, v: Tensor, w: Tensor, real: Tensor) -> Tensor:
        """(G, M, M, D): sum over entities k other than i and j of sigmoid(v_ik * w_kj), in each feature."""
        size = v.shape[1]
        other = ~torch.eye(size, dtype=torch.bool, device=v.device)                     # (M, M)
        to_j = other & real[:, :, None]                                                 # (G, M, M)  k, j

        def rows(i: slice) -> Tensor:
            f = (v[:, i, :, None] * w[:, None]).sigmoid()                               # (G, I, M, M, D)  i, k, j
            mask = other[i, :, None] & to_j[:, None]                                    # (G, I, M, M)
            return (f * mask[..., None]).sum(dim=2)

        return _some_rows_at_a_time(rows, size, v.numel())


def _context_weights(to_i: Tensor, to_j: Tensor, rows: range) -> Tensor:
    """(G, I, Z) and (G, M, Z) parts of the attention scores -> (G, I, M, Z) softmax over all z but i and j; zeros if there is no such z.

    Args: rows: the entities that the I are.
    """
    scores = to_i[:, :, None] + to_j[:, None]                                           # (G, I, M, Z)
    size = scores.shape[2]
    place = torch.arange(scores.shape[3], device=scores.device)
    own_i = torch.arange(rows.start, rows.stop, device=scores.device)[:, None, None] == place   # (I, 1, Z)
    own_j = torch.arange(size, device=scores.device)[:, None] == place                  # (M, Z)
    scores = scores.masked_fill(own_i | own_j, float("-inf"))
    empty = scores.amax(dim=3, keepdim=True).isinf()
    return scores.masked_fill(empty, 0.0).softmax(dim=3).masked_fill(empty, 0.0)


def _some_rows_at_a_time(compute: Callable[[slice], Tensor], size: int, cost: int) -> Tensor:
    """Rows 0..size-1 of dimension 1, computed in parts that fit NUMBERS_AT_ONCE.

    If there are several parts, training does not keep their inner values, but computes them again for the gradient.

    Args: compute: rows -> these rows of the result. cost: numbers that `compute` holds for one row.
    """
    step = max(1, NUMBERS_AT_ONCE // max(1, cost))
    if step >= size:
        return compute(slice(0, size))
    return torch.cat([_part(compute, slice(start, min(size, start + step))) for start in range(0, size, step)], dim=1)


def _part(compute: Callable[[slice], Tensor], rows: slice) -> Tensor:
    if not torch.is_grad_enabled():
        return compute(rows)
    part: Tensor = checkpoint(compute, rows, use_reentrant=False, preserve_rng_state=False)
    return part
