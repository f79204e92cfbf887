"""The maximum of each of many groups of rows, in the two ways of computing it."""

from __future__ import annotations

import pytest
import torch

from relsift.layers.character_cnn import maxima, padded_maxima


@pytest.mark.parametrize("seed", range(5))
def test_both_ways_give_the_maxima_of_a_loop_and_the_same_gradients(seed):
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(1, 6, (7,), generator=generator)
    rows = torch.randn(int(lengths.sum()), 3, generator=generator)
    weight = torch.randn(7, 3, generator=generator)
    literal = torch.stack([group.amax(0) for group in rows.split(lengths.tolist())])
    gradients = []
    for function in (maxima, padded_maxima):
        leaf = rows.clone().requires_grad_()
        (function(leaf, lengths) * weight).sum().backward()
        gradients.append(leaf.grad)
        torch.testing.assert_close(function(rows, lengths), literal)
    torch.testing.assert_close(*gradients)
