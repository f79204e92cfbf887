"""A table from the types that annotators give to those of a model, as a JSON or YAML file: `{"PERSON": "PER", "DATE": null}`."""

from __future__ import annotations

from pathlib import Path

from relsift.errors import ConfigError
from relsift.text import half_character
from relsift.yaml_text import decode

_EXPECTED = 'expected a table of types, such as {"PERSON": "PER", "DATE": null}'


def read_types(file: Path) -> dict[str, str | None]:
    """Their type -> ours; None: entities of the type are left out. Raises ConfigError naming the file if it is no such table."""
    try:
        value = decode(file.read_text(encoding="utf-8-sig"))  # JSON is YAML too
    except OSError as error:
        raise ConfigError(f"{file}: expected a readable file, got {error.strerror}") from error
    except ValueError as error:
        raise ConfigError(f"{file}: {_EXPECTED}, got {error}") from error
    if not isinstance(value, dict):
        raise ConfigError(f"{file}: {_EXPECTED}, got {'an empty file' if value is None else type(value).__name__}")
    for name, ours in value.items():
        if not name.strip() or not (ours is None or (isinstance(ours, str) and ours.strip())):
            raise ConfigError(f"{file}: {_EXPECTED}, got {name!r}: {ours!r}")
        if half := half_character(f"{name} {ours}"):
            raise ConfigError(f"{file}: expected whole characters, got half of one, the lone surrogate {half}")
    return value
