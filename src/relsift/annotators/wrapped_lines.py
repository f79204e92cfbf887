"""Whether the lines of a raw text are cut at a fixed width, so that their ends say nothing about sentences."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from relsift.readers.raw import Split
from relsift.schema import Sentence

_LEAST = 4  # line ends inside paragraphs; with fewer, nothing can be told
_LOOKED_AT = 50_000  # characters of a text
_WIDTH = 0.75  # of the longest line, which most wrapped lines have
_MOST = 0.6  # share of the line ends
_LINE_END = re.compile(r"[^\S\r\n]*(?:\r\n|\r|\n)")
_ENDS = tuple(".!?…:;。！？")


def looks_wrapped(text: str) -> bool:
    """Whether most lines are nearly as long as the longest and end inside a sentence: no full stop, and a small letter begins the next."""
    lines = [line.strip() for line in _LINE_END.split(text[:_LOOKED_AT])]
    ends = [(line, following) for line, following in pairwise(lines) if line and following]  # inside paragraphs
    if len(ends) < _LEAST:
        return False
    width = max(len(line) for line, _ in ends)
    inside = [line for line, following in ends if not line.endswith(_ENDS) and following[0].islower()]
    return len(inside) >= _MOST * len(ends) and len([line for line in inside if len(line) >= _WIDTH * width]) >= _MOST * len(inside)


@dataclass
class WrapWatch:
    """A splitter that counts the texts that look wrapped."""

    split: Split
    texts: int = 0
    wrapped: int = 0

    def __call__(self, text: str) -> list[Sentence]:
        self.texts += 1
        self.wrapped += looks_wrapped(text)
        return self.split(text)

    def lines(self) -> list[str]:
        """For the user."""
        if not self.wrapped:
            return []
        return [
            f"{self.wrapped} of {self.texts} texts look hard-wrapped: their lines end at one width inside sentences, and each line end was "
            "taken for the end of a sentence; try --splitter rules:wrapped"
        ]
