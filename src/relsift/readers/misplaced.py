"""Mentions whose words are not at their positions: a few are slips, many mean that positions are counted in another way.

A reader counts a few lost mentions. It refuses a corpus that loses many, and says which convention (`relsift.readers.positions`)
finds them, so that nothing is trained on sentences whose annotation was lost.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from relsift.readers.positions import CHARACTERS, CONVENTIONS, in_words

AUTO = "auto"  # as a value of an option: for each file the convention that fits most mentions
EXPLAINED_SHARE = 0.01  # of the mentions; more lost ones are refused if another convention finds at least half of these
UNEXPLAINED_SHARE = 0.1  # of the mentions; more lost ones are refused whether or not a convention finds them
_FEWEST_UNEXPLAINED = 2  # one lost mention is a slip, unless there is no other


@dataclass
class Fits:
    """How many mentions have their words at their positions, by convention, summed over files."""

    num_mentions: int = 0
    num_fitting: Counter[str] = field(default_factory=Counter)  # convention, or AUTO -> mentions

    def add(self, num_mentions: int, num_fitting: dict[str, int]) -> None:
        """Add the mentions of one file."""
        self.num_mentions += num_mentions
        self.num_fitting.update(num_fitting)
        self.num_fitting[AUTO] += max(num_fitting.values())

    def best(self) -> str:
        """The convention that fits most mentions, the first of equals; AUTO if each file needs its own."""
        return max((*CONVENTIONS, AUTO), key=lambda convention: self.num_fitting[convention])

    def complaint(self, used: str = CHARACTERS, *, reader: str, path: Path, nearby: bool = False) -> str | None:
        """What is wrong with the convention `used`, as the rest of an error message after the place; None if little is lost.

        Args: reader, path: what is read, for the way out. nearby: whether words a few characters away were looked for already.
        """
        lost = self.num_mentions - self.num_fitting[used]
        best = self.best()
        num_found = self.num_fitting[best] - self.num_fitting[used]
        is_explained = lost > EXPLAINED_SHARE * self.num_mentions and 2 * num_found >= lost
        is_heavy = lost > UNEXPLAINED_SHARE * self.num_mentions and (lost >= _FEWEST_UNEXPLAINED or lost == self.num_mentions)
        if not lost or not (is_explained or is_heavy):
            return None
        problem = f"expected the words of each mention at its positions, got other words for {lost} of {self.num_mentions} mentions"
        if 2 * num_found >= lost:
            way = "each file has its own way to count them" if best == AUTO else f"they seem to count {in_words(best)}"
            return f"{problem}; {way}: try {reader}[positions={best}]:{path}, which finds {self.num_fitting[best]}"
        way = "" if nearby else f" If each is off by a few characters, try {reader}[offsets=nearby]:{path}"
        return f"{problem}; no known way to count positions finds half of them; was the text edited after it was annotated?{way}"
