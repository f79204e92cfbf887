"""What training can do with sentences that stay in a file (see `relsift.training.sentence_file`)."""

from __future__ import annotations

from relsift.config import RunConfig
from relsift.errors import require
from relsift.registry import find

OPTION = "--on-disk"


def check_on_disk(config: RunConfig) -> None:
    """Raises ConfigError for options that need all training sentences in memory; before any data is read."""
    c, beside = config.training, f"beside {OPTION}"
    require(config.candidates.window == 1, "candidates.window", expected=f"1 {beside}", got=config.candidates.window)
    require(c.pair_entities == "gold", "training.pair_entities", expected=f"gold {beside}", got=c.pair_entities)
    require(c.teacher is None, "training.teacher", expected=f"none {beside}", got=c.teacher)
    reads_trees = "trees" in find("model", config.model.name).READS
    require(not reads_trees, OPTION, expected="a model that reads no dependency trees beside it", got=config.model.name)
