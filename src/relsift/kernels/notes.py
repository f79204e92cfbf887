"""What the user has to know of the kernels; without Numba, so that anyone may ask."""

from __future__ import annotations

_notes: dict[str, None] = {}


def note(line: str) -> None:
    """Keep a line for the user, once."""
    _notes.setdefault(line)


def notes() -> list[str]:
    """The lines of this process, in order."""
    return list(_notes)
