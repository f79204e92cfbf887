"""Options of a format as users write them in brackets: `brat[unit=characters,lines=wrapped]`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from relsift.errors import ConfigError


def parse_options(name: str, text: str | None, choices: Mapping[str, tuple[str, ...]], open_options: Iterable[str] = ()) -> dict[str, str]:
    """The options in `key=value,key=value`.

    >>> parse_options("csv", "formulas=kept", {"formulas": ("escaped", "kept")})
    {'formulas': 'kept'}

    Args: name: of the format, for messages. choices: option -> allowed values. open_options: further ones, which take any value.
    Raises: ConfigError for an unknown option or value.
    """
    free = tuple(open_options)
    options: dict[str, str] = {}
    for item in (text or "").split(","):
        key, equals_sign, value = (part.strip() for part in item.partition("="))
        if not item.strip():
            continue
        if not equals_sign or key not in (*choices, *free):
            known = ", ".join((*choices, *free)) or "none (it has no options)"
            raise ConfigError(f"{name}[{text}]: expected option=value with an option of {known}, got {item.strip()!r}")
        if key in choices and value not in choices[key]:
            raise ConfigError(f"{name}[{text}]: expected {key} to be {' or '.join(choices[key])}, got {value!r}")
        options[key] = value
    return options
