"""Whether this process was started together with others, to train one model. Needs no torch."""

from __future__ import annotations

import os
from typing import NamedTuple

# Set, all of them, by torchrun, `accelerate launch` and `relsift train --processes`.
VARIABLES = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "MASTER_ADDR", "MASTER_PORT")


class Place(NamedTuple):
    """Of a process among those of a training."""

    rank: int  # from 0
    processes: int
    local_rank: int  # among those of this machine


def place() -> Place:
    """As the one who started this process says; rank 0 of 1 for a process of its own."""
    values = [os.environ.get(name, "") for name in VARIABLES]
    if not all(values) or not all(value.isdecimal() for value in values[:3]):
        return Place(0, 1, 0)
    found = Place(*map(int, values[:3]))
    return found if found.rank < found.processes else Place(0, 1, 0)
