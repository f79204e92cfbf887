"""The convolution of one pair as the papers write it: its own input, token by token, and an ordinary Conv1d. Nothing of the fast form."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from relsift.encoding.batch import Batch
from relsift.models.base.convolved_pairs import ConvolvedPairs


def distance_row(token: int, start: int, end: int, limit: int) -> int:
    """0 inside the entity, -1 just before it, +1 just after it, clipped, shifted by `limit`."""
    distance = token - start if token < start else token - (end - 1) if token >= end else 0
    return max(-limit, min(limit, distance)) + limit


def spans_of(batch: Batch, pair: int) -> tuple[tuple[int, int], tuple[int, int]]:
    head, tail = (tuple(batch.entities.span[e[pair]].tolist()) for e in (batch.pairs.head, batch.pairs.tail))
    return head, tail


def convolution(layer: ConvolvedPairs, batch: Batch, pair: int, tokens: Tensor | None = None) -> Tensor:
    """(channels, tokens) before the activation; windows see zeros beyond the sentence.

    Args: tokens: (tokens, features) of the pair's sentence; None: those of the look-up encoder.
    """
    sentence, limit = int(batch.pairs.sentence[pair]), len(layer.head_distance.weight) // 2
    columns = []
    for token in range(int(batch.lengths[sentence])):
        if tokens is not None:
            parts = [tokens[token]]
        else:
            parts = [layer.embed.words.weight[batch.words[sentence, token]]]
            if layer.embed.tags is not None:
                parts.append(layer.embed.tags.weight[batch.tags[sentence, token]])
        for table, (start, end) in zip((layer.head_distance, layer.tail_distance), spans_of(batch, pair)):
            parts.append(table.weight[distance_row(token, start, end, limit)])
        columns.append(torch.cat(parts))
    x = torch.stack(columns, dim=1)[None]  # (1, features, tokens)
    each = []
    for c in layer.convolve.convolutions:
        size = c.weight.shape[2]
        each.append(F.conv1d(F.pad(x, ((size - 1) // 2, size // 2)), c.weight, c.bias)[0])
    return torch.cat(each)


def assert_same(model: torch.nn.Module, batch: Batch, wanted: Tensor, tolerance: float) -> None:
    """The model's logits or scores, in training and from the row caches, and the gradient of every parameter."""

    def result() -> Tensor:
        output = model(batch)
        logits = output.logits if output.logits is not None else output.scores
        assert isinstance(logits, Tensor)
        return logits

    fast = result()
    torch.testing.assert_close(fast, wanted, atol=tolerance, rtol=tolerance)
    with torch.inference_mode():
        for _ in range(2):
            torch.testing.assert_close(result(), wanted, atol=tolerance, rtol=tolerance)
    mixture = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1)).to(wanted.dtype) / len(wanted)
    back = []
    for output in (fast, wanted):
        model.zero_grad()
        (output * mixture).sum().backward()
        back.append({name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None})
    assert set(back[0]) == set(back[1]) == {name for name, _ in model.named_parameters()}
    for name, gradient in back[1].items():
        torch.testing.assert_close(back[0][name], gradient, atol=tolerance, rtol=tolerance, msg=lambda m, name=name: f"{name}: {m}")
        assert gradient.abs().max() > 1e-6, name
