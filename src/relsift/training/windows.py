"""The data of a run in passages of `candidates.window` sentences (see `relsift.passages`)."""

from __future__ import annotations

from dataclasses import replace

from relsift.config import RunConfig
from relsift.errors import ConfigError, require
from relsift.models.base.joint_model import finds_entities
from relsift.passages import passages
from relsift.schema import sentences_of
from relsift.training.run_folder import RunData


def check_window(config: RunConfig) -> None:
    """Raises ConfigError for a window that model or options cannot have; before any data is read."""
    window = config.candidates.window
    if window == 1:
        return
    if finds_entities(config.model.name):
        raise ConfigError(
            f"candidates.window: expected 1 for {config.model.name}, which finds entities sentence by sentence, got {window}; "
            "take a model of given entities (`relsift models`)"
        )
    require(config.text.tokens == "corpus", "text.tokens", expected=f"corpus beside candidates.window={window}", got=config.text.tokens)


def in_passages(config: RunConfig, data: RunData) -> RunData:
    """The data with passages for sentences, if the configuration has a window.

    Raises: ConfigError as `check_window`, and for data without documents.
    """
    check_window(config)
    window = config.candidates.window
    if window == 1:
        return data
    require(data.documents is not None, "candidates.window", expected="data with documents, or 1", got=window)
    training, development = (
        list(sentences_of(passages(document, window) for document in part)) for part in data.documents or ((), ())
    )
    return replace(data, training=training, development=development)
