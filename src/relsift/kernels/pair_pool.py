"""Pool the convolution of every pair over the tokens, without a convolution per pair.

Letters: N rows of tokens (all sentences, one after the other), S sentences, T tokens of the longest sentence, A entities that pairs refer
to, P pairs, Q pieces of a sentence, U different distance contexts, C channels (filters of all windows).
A convolution is linear before its activation, so the value of pair p at token i is the sum of three parts: one of its sentence, one of
the distances to its head, one of the distances to its tail. The maximum of that sum over the tokens is a max-plus product.

`pair_max`, `piecewise_max` and `pair_average` are the entries. `pair_pool_reference` defines what they compute; a fused kernel is used
where one is available.
"""

from __future__ import annotations

from torch import Tensor

from relsift.errors import ShapeError
from relsift.kernels.pair_index import PairIndex
from relsift.kernels.pair_pool_reference import reference_average, reference_max
from relsift.kernels.switch import Fused, fused_kernel


def pair_max(
    sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, *, relu: bool = False, finite: bool = False
) -> Tensor:
    """max over the tokens i of `sentence[first + i] + head[place[h, i]] + tail[place[t, i]]` for every pair.

    Args:
        sentence (N, C), head (U, C), tail (U, C), float.
        relu: of the maximum, which is the maximum of the values after ReLU.
        finite: the caller knows that no part holds infinity or NaN; otherwise this is checked first.
    Returns: (P, C). The gradient flows to the first token that reaches the maximum, as in torch's max pooling.
    Raises: ShapeError if the parts differ in C; ConfigError if the environment asks for a kernel that cannot run here.
    """
    return piecewise_max(sentence, head, tail, index, index.whole(), relu=relu, finite=finite)[:, 0]


def piecewise_max(
    sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, cuts: Tensor, *, relu: bool = False, finite: bool = False
) -> Tensor:
    """`pair_max` over Q pieces of the sentence, each pair with its own cuts (Zeng et al. 2015).

    Args: cuts: (P, Q + 1) int64, token numbers that never fall; piece q is the tokens cuts[q] to cuts[q + 1], exclusive.
    Returns: (P, Q, C); 0, without gradient, for a piece without tokens.
    """
    fused = _fused(sentence, head, tail, finite)
    if fused == "numba":
        from relsift.kernels import pair_pool_cpu  # compiles on first use

        return pair_pool_cpu.fused_max(sentence, head, tail, index, cuts, relu)
    if fused == "triton":
        from relsift.kernels import pair_pool_gpu

        pooled = pair_pool_gpu.fused_max(sentence, head, tail, index, cuts)
        return pooled.relu() if relu else pooled
    return reference_max(sentence, head, tail, index, cuts, relu)


def pair_average(sentence: Tensor, head: Tensor, tail: Tensor, index: PairIndex, *, finite: bool = False) -> Tensor:
    """The mean over the tokens of the same sums as in `pair_max`, each after ReLU.

    Returns: (P, C), >= 0.
    """
    fused = _fused(sentence, head, tail, finite)
    if fused == "numba":
        from relsift.kernels import pair_pool_cpu

        return pair_pool_cpu.fused_average(sentence, head, tail, index)
    if fused == "triton":
        from relsift.kernels import pair_pool_gpu

        return pair_pool_gpu.fused_average(sentence, head, tail, index)
    return reference_average(sentence, head, tail, index)


def _fused(sentence: Tensor, head: Tensor, tail: Tensor, finite: bool) -> Fused | None:
    """The fused kernel for these parts, if any. Raises ShapeError if they differ in C."""
    parts = sentence, head, tail
    if not (sentence.shape[1:] == head.shape[1:] == tail.shape[1:]):
        raise ShapeError("pair pooling", expected="(N, C), (U, C), (U, C)", got=[tuple(part.shape) for part in parts])
    kernel = fused_kernel(sentence)
    # The CPU kernels ignore NaN in a running maximum or sum: the output of a broken model would look normal.
    if kernel == "numba" and not (finite or all(bool(part.sum().isfinite()) for part in parts)):
        return None
    return kernel
