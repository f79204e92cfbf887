"""SPTree (LSTM-ER) with given entities: a sequence LSTM, and on its states a tree LSTM on the shortest path between two entities.

Source: Miwa & Bansal, ACL 2016 (P16-1105), the relation part, and the authors' public code where the paper is silent.
Differs from the source: entities are given, so there is no entity decoder, no entity pre-training and no scheduled sampling. Trees come
with the data or from any parser (theirs: Stanford's neural parser). Words start at random (theirs: word2vec). Entity labels are B and I
of a type (theirs: BILOU). A batch holds several sentences (theirs: one).
The paper averages an entity's states for the pair vector; its code takes the last token's, and so does this.
The nodes of the tree have gold entity *labels* as input. These are the BIO tags, so that `tags=False` removes them everywhere.
Letters: S sentences, T tokens, X token features, H hidden units a direction, I node features, R readings (ordered pairs), U paths,
E entities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from relsift.encoders.base import TokenEncoder, make_encoder
from relsift.encoding.batch import Batch, Trees, required
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError, ShapeError, require
from relsift.layers.bilstm import run_over_sentences
from relsift.layers.path_lstm import PathLSTM
from relsift.layers.tree_paths import tree_paths
from relsift.layers.two_directions import Readings
from relsift.models.base.model import Preset
from relsift.models.base.two_direction_classifier import TwoDirectionClassifier, TwoDirectionConfig


@dataclass(frozen=True, kw_only=True)
class SPTreeConfig(TwoDirectionConfig):
    """The defaults are the source's values for ACE 2005."""

    word_size: int = 200
    pos_size: int = 25
    tags_in: Literal["tree", "both"] = "tree"  # where tags are input: the tree's nodes, or the sequence LSTM too
    tag_size: int = 50  # in the sequence LSTM
    label_size: int = 25  # of the entity label of a node
    dependency_size: int = 25
    sequence_size: int = 100  # hidden units a direction
    tree_size: int = 100  # hidden units a direction
    hidden: int = 100
    input_dropout: float = 0.5
    hidden_dropout: float = 0.3

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes = (
            self.word_size, self.pos_size, self.tag_size, self.label_size, self.dependency_size, self.sequence_size, self.tree_size,
            self.hidden,
        )  # fmt: skip
        require(min(sizes) >= 1, "model sizes", expected="numbers >= 1", got=sizes)
        self.require_shares("input_dropout", "hidden_dropout")

    @classmethod
    def tiny(cls) -> SPTreeConfig:
        return cls(
            word_size=6, pos_size=3, tag_size=3, label_size=3, dependency_size=3, sequence_size=5, tree_size=4, hidden=8,
            input_dropout=0.0, hidden_dropout=0.0,
        )  # fmt: skip


_TRAINING = {
    "optimiser": "adam", "learning_rate": 1e-3, "gradient_clip": 10.0, "weight_decay": 1e-5, "unknown_rate": 0.01,
    "batch_pairs": 64, "epochs": 32, "patience": 6,
}  # fmt: skip
_MATCHED = {"optimiser": "rmsprop", "learning_rate": 1e-3, "batch_pairs": 256, "unknown_rate": 0.3, "epochs": 32, "patience": 6}


class SPTree(TwoDirectionClassifier):
    config: SPTreeConfig
    Config = SPTreeConfig
    READS = frozenset({"words", "tags", "trees", "spans"})
    SUMMARY = "sequence LSTM and tree LSTM on the dependency path between two entities (Miwa & Bansal 2016)"
    PRESETS: ClassVar = {
        "paper": Preset("Miwa & Bansal 2016 and their code, ACE 2005", {}, _TRAINING),
        "matched": Preset("sizes and optimiser of Ye et al. 2019, tags in the sequence LSTM too", {"tags_in": "both"}, _MATCHED),
    }

    def __init__(self, config: SPTreeConfig, encoding: Encoding) -> None:
        super().__init__(config, encoding)
        c, trees, tags = config, encoding.trees, encoding.tags
        if trees is None or tags is None:
            raise ConfigError(f"sptree: expected an encoding of trees and tags, got one of {', '.join(sorted(encoding.reads))}")
        tag_size = c.tag_size if c.tags and c.tags_in == "both" else None
        self.embed = make_encoder(c.encoder, encoding, c.encoder_options, word_size=c.word_size, tag_size=tag_size)
        self.pos = nn.Embedding(trees.num_pos, c.pos_size)
        self.sequence = nn.LSTM(self.embed.size + c.pos_size, c.sequence_size, batch_first=True, bidirectional=True)
        self.top_label = trees.num_dependencies  # the arc of the LCA leads out of the path, so a further label stands for it
        self.dependencies = nn.Embedding(trees.num_dependencies + 1, c.dependency_size)
        self.labels = nn.Embedding(tags.num_rows, c.label_size) if c.tags else None
        size = 2 * c.sequence_size + c.dependency_size + (c.label_size if c.tags else 0)
        self.path = PathLSTM(size, c.tree_size)
        self.drop_input = nn.Dropout(c.input_dropout)
        self.trunk = nn.Sequential(
            nn.Linear(3 * c.tree_size + 4 * c.sequence_size, c.hidden), nn.Tanh(), nn.Dropout(c.hidden_dropout)
        )
        self.classifier = self.make_classifier(c.hidden, len(encoding.labels))

    @property
    def encoder(self) -> TokenEncoder:
        return self.embed

    def read(self, batch: Batch, readings: Readings) -> Tensor:
        last = batch.entities.span[:, 1] - 1                                            # (E,)  an entity's last token
        first, second = last[readings.first], last[readings.second]                     # (R,)
        states = self.sequence_states(batch)                                            # (S, T, 2H)
        row = readings.sentence
        parts = [self.path_states(batch, states, row, first, second), states[row, first], states[row, second]]
        h: Tensor = self.trunk(torch.cat(parts, dim=1))
        return h

    def sequence_states(self, batch: Batch) -> Tensor:
        """(S, T, 2H) states of the sequence LSTM, forwards and backwards; zeros past a sentence's end."""
        pos = _trees(batch).pos
        x = self.drop_input(torch.cat([self.embed.padded(batch), self.pos(pos)], dim=2))  # (S, T, X)
        return run_over_sentences(self.sequence, x, batch.lengths)

    def path_states(self, batch: Batch, states: Tensor, sentence: Tensor, first: Tensor, second: Tensor) -> Tensor:
        """(R, 3 * tree_size): states of the path from `first` to `second`. Both orders of two tokens are computed as one path.

        Args: states: (S, T, 2H). sentence: (R,) rows of the batch. first, second: (R,) tokens.
        """
        trees, tokens = _trees(batch), batch.num_tokens
        low, high = torch.minimum(first, second), torch.maximum(first, second)          # (R,)
        keys, path_of = torch.unique((sentence * tokens + low) * tokens + high, return_inverse=True)  # (U,), (R,)
        row_of_path, low, high = keys // tokens**2, keys // tokens % tokens, keys % tokens  # (U,)
        paths = tree_paths(trees.parent, row_of_path, low, high)
        top = paths.top.clamp(min=0)
        labels = [] if self.labels is None else [self.labels(required(batch.tags, "tags"))]  # (S, T, label size)
        nodes = torch.cat([states, *labels, self.dependencies(trees.dependency)], dim=2)  # (S, T, I)
        top_dependency = self.dependencies(torch.full_like(top, self.top_label))        # (U, dependency size)
        tops = torch.cat([part[row_of_path, top] for part in (states, *labels)] + [top_dependency], dim=1)  # (U, I)
        left_to_right = self.path(nodes, tops, paths, row_of_path)[path_of]             # (R, 3, tree_size)
        return torch.where((first > second)[:, None, None], left_to_right.flip(1), left_to_right).flatten(1)


def _trees(batch: Batch) -> Trees:
    if batch.trees is None:
        raise ShapeError("batch.trees", expected="dependency trees of every sentence (see relsift.annotators)", got=None)
    return batch.trees
