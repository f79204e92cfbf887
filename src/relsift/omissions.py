"""What a file format cannot hold, and what was left out of a file: counted by reason, with the first places, never lost in silence."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

EXAMPLES_KEPT = 3  # per reason, for the message to the user


@dataclass
class Omissions:
    """What was left out or changed, counted by reason.

    >>> left_out = Omissions()
    >>> left_out.drop("scores of relations", "sentence notes-3")
    >>> left_out.lines()
    ['1 scores of relations (first: sentence notes-3)']
    """

    dropped: Counter[str] = field(default_factory=Counter)  # reason -> number of items
    examples: dict[str, list[str]] = field(default_factory=dict)  # reason -> the first few places

    def drop(self, reason: str, where: str, count: int = 1) -> None:
        """Count items left out. `reason` is a plural noun phrase: "relations across sentences"."""
        self.dropped[reason] += count
        places = self.examples.setdefault(reason, [])
        if len(places) < EXAMPLES_KEPT:
            places.append(where)

    def lines(self) -> list[str]:
        """One line a reason, most frequent first. Files that were not read are named, as far as there are few."""
        return [f"{count} {reason} ({self._places(reason, count)})" for reason, count in self.dropped.most_common()]

    def _places(self, reason: str, count: int) -> str:
        places = self.examples[reason]
        return ", ".join(places) if reason.startswith("files ") and count <= len(places) else f"first: {places[0]}"
