"""Memory for time: keep the result of a computation only, and do the computation again in the backward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint


def recomputed(run: Callable[..., Tensor], *inputs: Tensor) -> Tensor:
    """run(*inputs), with the same random numbers in the second computation. For `backward()`, not for `torch.autograd.grad`.

    Gradients reach weights inside `run` and the inputs. A tensor that depends on weights must be an input: `run` may not bring it along,
    or its own backward pass would be done for each call.
    torch's "reentrant" kind is taken, which makes no graph in the first computation. The other kind leaves thousands of small objects
    between the large tensors that it frees, so that the heap grows by 70 MB with every 256 groups of markers.
    """
    anchor = torch.zeros((), requires_grad=True)  # this kind gives gradients to weights only if an input has one too

    def call(anchor: Tensor, *inputs: Tensor) -> Tensor:
        return run(*inputs)

    result: Tensor = checkpoint(call, anchor, *inputs, use_reentrant=True)
    return result


def in_chunks(run: Callable[..., Tensor], rows: Sequence[Tensor], shared: Sequence[Tensor], *, size: int) -> Tensor:
    """run(*rows, *shared), computed for `size` rows at once, which bounds the memory. With gradients, several chunks are `recomputed`.

    Args: run: gives one row of its result for each row. rows: (X, …) each. shared: what every chunk reads; see `recomputed`.
    """
    chunks = [[part[start : start + size] for part in rows] for start in range(0, max(1, len(rows[0])), size)]
    again = torch.is_grad_enabled() and len(chunks) > 1
    return torch.cat([recomputed(run, *chunk, *shared) if again else run(*chunk, *shared) for chunk in chunks])
