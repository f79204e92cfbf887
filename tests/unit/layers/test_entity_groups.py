"""How spans lie to each other, by hand; groups are tested with the model that uses them (`tests/golden/test_walk.py`)."""

from __future__ import annotations

import pytest
import torch

from relsift.layers.entity_groups import num_positions, position_ids

LIMIT = 3
INSIDE, OUTSIDE = "inside", "outside"


@pytest.mark.parametrize(
    ("span", "other", "wanted"),
    [
        ((0, 1), (1, 2), -1),
        ((0, 2), (4, 6), -3),  # token 1 to token 4
        ((4, 6), (0, 2), 3),
        ((0, 1), (9, 10), -3),  # clipped
        ((9, 10), (0, 1), 3),
        ((0, 3), (2, 5), 0),  # they overlap
        ((2, 4), (2, 4), 0),  # they are equal
        ((2, 3), (1, 4), INSIDE),
        ((1, 3), (1, 4), INSIDE),
        ((1, 4), (2, 3), OUTSIDE),
        ((0, 4), (2, 4), OUTSIDE),
    ],
)
def test_position_of_one_span_to_another(span, other, wanted):
    row = int(position_ids(*torch.tensor(span), *torch.tensor(other), LIMIT))
    assert row == {INSIDE: 2 * LIMIT + 1, OUTSIDE: 2 * LIMIT + 2}.get(wanted, 0 if isinstance(wanted, str) else wanted + LIMIT)
    assert 0 <= row < num_positions(LIMIT)
