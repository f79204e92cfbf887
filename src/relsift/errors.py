"""The errors relsift raises on purpose. Each message is one line: where, what was expected, what came, what to do."""

from __future__ import annotations

from typing import Any

_LONGEST_MESSAGE = 1000  # characters


class RelsiftError(Exception):
    """Base class: a problem of the input, the options or the files, not of the program."""


class ConfigError(RelsiftError):
    """An option or a configuration value that cannot be used."""


class DataError(RelsiftError):
    """A corpus file or an input record that is broken or contradicts itself."""


class ShapeError(RelsiftError):
    """A tensor that does not have the documented shape."""

    def __init__(self, name: str, *, expected: str, got: Any) -> None:
        super().__init__(f"{name}: expected {expected}, got {got}")


class OutputError(RelsiftError):
    """A file or stream that takes nothing more: the disk is full, a size limit is reached, the stream is closed."""


class CheckpointError(RelsiftError):
    """A model or run folder that is incomplete, altered or made by an incompatible version."""


class ServiceError(RelsiftError):
    """A service that cannot be reached, or that refuses or fails."""

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
    """Raise ConfigError in the house form if `condition` is false."""
    if not condition:
        raise ConfigError(f"{where}: expected {expected}, got {got!r}")
