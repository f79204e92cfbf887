"""The errors relsift raises on purpose. Each message is one line: where, what was expected, what came, what to do."""

from __future__ import annotations

from typing import Any

_LONGEST_MESSAGE = 1000  # characters


class RelsiftError(Exception):
    """Base class: a problem of the input, the options or the files, not of the program.

    See also: `ConfigError`, `DataError`, `ShapeError`, `OutputError`, `CheckpointError`, `ServiceError`.

    >>> from relsift.schema import Sentence
    >>> try:
    ...     Sentence("s1", ())
    ... except RelsiftError as error:
    ...     print(error)
    sentence 's1': expected at least one token, got none
    """


class ConfigError(RelsiftError):
    """An option or a configuration value that cannot be used.

    >>> from relsift.config import load_config
    >>> load_config(model="pcnn", overrides=["training.epochs=0"])
    Traceback (most recent call last):
    relsift.errors.ConfigError: training.epochs: input should be greater than or equal to 1, got 0
    """


class DataError(RelsiftError):
    """A corpus file or an input record that is broken or contradicts itself.

    >>> from relsift.schema import Entity, Sentence
    >>> Sentence("s1", ("Ada",), (Entity(0, 2, "PER"),))
    Traceback (most recent call last):
    relsift.errors.DataError: sentence 's1', entity 0: expected 0 <= start < end <= 1 tokens, got start 0, end 2
    """


class ShapeError(RelsiftError):
    """A tensor that does not have the documented shape.

    >>> raise ShapeError("labels", expected="(P, C) with P >= 1", got=(0, 3))
    Traceback (most recent call last):
    relsift.errors.ShapeError: labels: expected (P, C) with P >= 1, got (0, 3)
    """

    def __init__(self, name: str, *, expected: str, got: Any) -> None:
        super().__init__(f"{name}: expected {expected}, got {got}")


class OutputError(RelsiftError):
    """A file or stream that takes nothing more: the disk is full, a size limit is reached, the stream is closed.

    >>> raise OutputError("found.jsonl: expected room for the results, got No space left on device; make room")
    Traceback (most recent call last):
    relsift.errors.OutputError: found.jsonl: expected room for the results, got No space left on device; make room
    """


class CheckpointError(RelsiftError):
    """A model or run folder that is incomplete, altered or made by an incompatible version.

    >>> from pathlib import Path
    >>> from relsift.bundle import Bundle
    >>> Bundle.load(Path("runs/none"))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    relsift.errors.CheckpointError: runs/none: expected a model folder, got nothing; train one first, ...
    """


class ServiceError(RelsiftError):
    """A service that cannot be reached, or that refuses or fails.

    >>> refused = ServiceError("127.0.0.1:8000: expected the token of the service, got none", status=401)
    >>> refused.status, str(refused)
    (401, '127.0.0.1:8000: expected the token of the service, got none')
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        """Args: status: of its HTTP answer; None: it gave none."""
        super().__init__(message)
        self.status = status


def shortened(message: str) -> str:
    """A message that quotes input of any length, for a line that is read: of a long one, beginning and end.

    >>> len(shortened("expected a word, got " + "x" * 100_000))
    1003
    """
    half = _LONGEST_MESSAGE // 2
    return message if len(message) <= _LONGEST_MESSAGE else f"{message[:half]} … {message[-half:]}"


def require(condition: bool, where: str, *, expected: str, got: Any) -> None:
    """Raise ConfigError in the house form if `condition` is false.

    Args:
        where: the name of the option, with its section: `training.epochs`.
        expected: in words, with the unit. got: the value that came.

    >>> epochs = 0
    >>> require(epochs >= 1, "training.epochs", expected="a number >= 1", got=epochs)
    Traceback (most recent call last):
    relsift.errors.ConfigError: training.epochs: expected a number >= 1, got 0
    """
    if not condition:
        raise ConfigError(f"{where}: expected {expected}, got {got!r}")
