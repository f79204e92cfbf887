"""Hypothesis strategies for one sentence with mentions and relations, to write in the layout of any tool: emoji and accents included."""

from __future__ import annotations

from typing import NamedTuple

from hypothesis import strategies as st

PIECES = ("Ada", "x1", " ", "  ", "é", "e\u0301", "😀", "👩\u200d🔬", "中", "文", "한", "-", "\u0939\u093f")  # none of them ends a sentence
TOKENS = ("Ada", "left", "é", "e\u0301", "😀", "👩\u200d🔬", "中文", "-", '"')
TYPES = ("LOC", "ORG", "PER")


class Marked(NamedTuple):
    """Half-open spans in characters of the text, or in tokens; relations between positions of mentions."""

    text: str
    tokens: list[str]
    mentions: list[tuple[int, int, str]]
    relations: list[tuple[int, int, str]]


@st.composite
def marked_texts(draw: st.DrawFn) -> Marked:
    """Mentions by characters, without blanks at their edges; they may overlap, and cut what is seen as one character."""
    text = "".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=8)))
    starts = [number for number, character in enumerate(text) if character.strip()]
    if not starts:
        return Marked(text, [], [], [])
    mentions = []
    for _ in range(draw(st.integers(0, 4))):
        start, last = sorted((draw(st.sampled_from(starts)), draw(st.sampled_from(starts))))
        mentions.append((start, last + 1, draw(st.sampled_from(TYPES))))
    return Marked(text, [], mentions, draw(_relations(len(mentions))))


@st.composite
def marked_tokens(draw: st.DrawFn) -> Marked:
    """Mentions by tokens, each on a span of its own."""
    tokens = draw(st.lists(st.sampled_from(TOKENS), min_size=1, max_size=6))
    spans = st.tuples(st.integers(0, len(tokens) - 1), st.integers(1, len(tokens))).filter(lambda span: span[0] < span[1])
    mentions = [(*span, draw(st.sampled_from(TYPES))) for span in draw(st.lists(spans, max_size=4, unique=True))]
    return Marked(" ".join(tokens), tokens, mentions, draw(_relations(len(mentions))))


@st.composite
def _relations(draw: st.DrawFn, size: int) -> list[tuple[int, int, str]]:
    if size < 2:
        return []
    position = st.integers(0, size - 1)
    relations = st.tuples(position, position, st.sampled_from(("r", "q"))).filter(lambda relation: relation[0] != relation[1])
    return draw(st.lists(relations, max_size=4, unique=True))


def units(text: str, offset: int) -> int:
    """The UTF-16 code units before an offset, as JavaScript counts."""
    return len(text[:offset].encode("utf-16-le")) // 2
