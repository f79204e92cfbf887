"""Initial weights as in Keras, in which the authors' code is written. Torch's defaults (N(0, 1) embeddings) train very differently."""

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


WORD2VEC_BOUND = 0.25  # U(-.25, .25) has about the variance of trained word vectors (Kim, EMNLP 2014, section 3.1)


def initialise_for_tanh(module: nn.Module, embedding_bound: float) -> None:
    """Embeddings U(-bound, bound); dense layers and convolutions Glorot-uniform, zero bias. Deterministic given torch's seed.

    For models with a tanh, whose sources start from trained word vectors. Random vectors of Keras's size are much smaller than those: the
    tanh stays near 0, and plain SGD hardly learns.
    """
    for part in module.modules():
        if isinstance(part, nn.Embedding):
            nn.init.uniform_(part.weight, -embedding_bound, embedding_bound)
        elif isinstance(part, (nn.Linear, nn.Conv1d)):
            nn.init.xavier_uniform_(part.weight)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
