"""What a file format cannot hold, and what was left out of a file: counted by reason, with the first places, never lost in silence."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from relsift.errors import shortened

EXAMPLES_KEPT = 3  # per reason, for the message to the user
_PLURAL = re.compile(r"\b[A-Za-z]*[A-Za-z](?<![uis])s\b(?!')")  # not discontinuous, this, cross
_VERB = re.compile(r"\b(that|which) (are|have|begin or end|cross|[a-z]+?)(?= )")
_SINGULAR_VERBS = {"are": "is", "have": "has", "begin or end": "begins or ends", "cross": "crosses"} | {
    verb: f"{verb}s" for verb in ("begin", "continue", "get", "lead", "look", "overlap", "stand")
}
_SINGULAR_WORDS = {"as if they had": "as if it had", "as documents": "as a document", "their": "its", "them": "it"}


def counted(number: int, things: str) -> str:
    """A number with a plural noun phrase, which becomes singular behind a 1.

    >>> counted(2, "entities that cross a boundary"), counted(1, "entities that cross a boundary"), counted(1, "empty texts (kept)")
    ('2 entities that cross a boundary', '1 entity that crosses a boundary', '1 empty text (kept)')
    """
    return f"{number} {_singular(things) if number == 1 else things}"


def _singular(things: str) -> str:
    noun = _PLURAL.search(things)
    if noun is None or things[noun.end() :].startswith(" and "):
        return things
    one = re.sub(r"ies$", "y", noun[0]) if noun[0].endswith("ies") else re.sub(r"(ch|sh|x|ss)es$|s$", r"\1", noun[0])
    rest = _VERB.sub(lambda found: f"{found[1]} {_SINGULAR_VERBS.get(found[2], found[2])}", things[noun.end() :])
    for plural, singular in _SINGULAR_WORDS.items():
        rest = re.sub(rf"\b{plural}\b", singular, rest)
    return things[: noun.start()] + one + rest


@dataclass
class Omissions:
    """What was left out or changed, counted by reason.

    >>> left_out = Omissions()
    >>> left_out.drop("scores of relations", "sentence notes-3")
    >>> left_out.lines()
    ['1 score of relations (first: sentence notes-3)']
    """

    dropped: Counter[str] = field(default_factory=Counter)  # reason -> number of items
    examples: dict[str, list[str]] = field(default_factory=dict)  # reason -> the first few places

    def drop(self, reason: str, where: str, count: int = 1) -> None:
        """Count items left out. `reason` is a plural noun phrase: "relations across sentences"."""
        self.dropped[reason] += count
        places = self.examples.setdefault(reason, [])
        if len(places) < EXAMPLES_KEPT:
            places.append(shortened(where))

    def lines(self) -> list[str]:
        """One line a reason, most frequent first. Files that were not read are named, as far as there are few."""
        return [f"{counted(count, reason)} ({self._places(reason, count)})" for reason, count in self.dropped.most_common()]

    def _places(self, reason: str, count: int) -> str:
        places = self.examples[reason]
        return ", ".join(places) if reason.startswith("files ") and count <= len(places) else f"first: {places[0]}"
