"""Keras's default initial weights. The authors' code is Keras, and torch's own defaults (N(0, 1) embeddings) train very differently."""

from __future__ import annotations

from torch import nn

EMBEDDING_BOUND = 0.05


def initialise_like_keras(module: nn.Module) -> None:
    """Embeddings U(-.05, .05); dense Glorot-uniform, zero bias; convolutions He-uniform, zero bias. Deterministic given torch's seed."""
    for part in module.modules():
        if isinstance(part, nn.Embedding):
            nn.init.uniform_(part.weight, -EMBEDDING_BOUND, EMBEDDING_BOUND)
        elif isinstance(part, nn.Linear):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Conv1d):
            nn.init.kaiming_uniform_(part.weight, nonlinearity="relu")
            if part.bias is not None:
                nn.init.zeros_(part.bias)
