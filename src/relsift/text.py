"""From characters to tokens and sentences, for formats that annotate character offsets.

Two functions, no model: a tokeniser that never loses track of offsets and a sentence splitter that never cuts an entity.
Words for alphabetic scripts, single characters for Chinese, decided character by character, so mixed text needs no option.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Iterable

from relsift.schema import is_cjk

Span = tuple[int, int]

_CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
# A CJK character, a run of letters, a number with inner , or . , or any other single character that is not a blank.
_TOKEN = re.compile(rf"[{_CJK}]|[^\W\d_{_CJK}]+|\d+(?:[.,]\d+)*|\S")
_CLOSERS = "\"'”’」』）)】》〉]"
_COMMAS = ",;:，、；："
_BREAK = re.compile(rf"[。！？!?…]+[{re.escape(_CLOSERS)}]*|\.+[{re.escape(_CLOSERS)}]*(?=\s|$)|\n+")
_NEXT = re.compile(r"[^\S\n]*(\S)")  # the next character on the line
_LINE_BREAK = re.compile(r"\r?\n(\s*)")
_TITLES = ("mr", "mrs", "ms", "dr", "prof", "st", "gen", "col", "lt", "sgt", "sen", "rep", "gov", "jr", "sr")
_FIRMS = ("inc", "ltd", "co", "corp")
_PRINT = ("fig", "figs", "eq", "eqs", "ref", "refs", "no", "vs", "etc", "al", "u.s", "e.g", "i.e", "cf", "ca", "approx")
_ABBREVIATIONS = frozenset(_TITLES + _FIRMS + _PRINT)


def tokenise(text: str, cuts: Iterable[int] = (), *, characters: bool = False) -> list[Span]:
    """Half-open character spans of the tokens of `text`, in order; blanks belong to none.

    Args:
        cuts: offsets at which a token must end, such as the edges of annotated entities, so that spans always align.
        characters: every non-blank character is its own token, Latin letters and digits too (Chinese corpora).
    """
    spans = [m.span() for m in re.finditer(r"\S", text)] if characters else [m.span() for m in _TOKEN.finditer(text)]
    edges = sorted(set(cuts))
    if not edges:
        return spans
    result: list[Span] = []
    following = 0
    for start, end in spans:
        while following < len(edges) and edges[following] <= start:
            following += 1
        while following < len(edges) and edges[following] < end:
            result.append((start, edges[following]))
            start = edges[following]
            following += 1
        result.append((start, end))
    return result


def split_sentences(text: str, keep: Iterable[Span] = (), *, wrapped: bool = False) -> list[Span]:
    """Half-open character spans of the sentences of `text`, blanks at their edges left out.

    A sentence ends after 。！？!?…, after a full stop before a blank that does not close an abbreviation or an initial, and at a
    line break; never before a lower-case letter or a comma, and never inside a span of `keep` (entities).

    Args:
        wrapped: lines are cut at a fixed width, so only a blank line ends a sentence, not every line break.
    """
    if wrapped:
        return _split_wrapped(text, keep)
    inside = _Cover(keep)
    spans: list[Span] = []
    start = 0
    for end in [*(m.end() for m in _BREAK.finditer(text) if _ends_sentence(text, m, inside)), len(text)]:
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if left < right:
            spans.append((left, right))
        start = end
    return spans


def _ends_sentence(text: str, match: re.Match[str], inside: _Cover) -> bool:
    if inside(match.end()):
        return False
    mark = match.group()[0]
    if mark == "\n":
        return True
    following = _NEXT.match(text, match.end())
    if following and (following.group(1).islower() or following.group(1) in _COMMAS):
        return False
    return mark != "." or not _is_abbreviation(text, match.start(), name=inside(match.start() + 1, last=True))


class _Cover:
    """Is a position strictly inside one of many spans (or, with `last`, at the end of one)? Spans may nest and overlap."""

    def __init__(self, spans: Iterable[Span]) -> None:
        self._ends: list[int] = []
        self._starts: list[int] = []
        for start, end in sorted(spans):
            if self._ends and start < self._ends[-1]:
                self._ends[-1] = max(end, self._ends[-1])
            else:
                self._starts.append(start)
                self._ends.append(end)

    def __call__(self, position: int, *, last: bool = False) -> bool:
        number = bisect.bisect_left(self._starts, position) - 1
        return number >= 0 and (position < self._ends[number] or (last and position == self._ends[number]))


def _split_wrapped(text: str, keep: Iterable[Span]) -> list[Span]:
    """Split the text as it was before it was wrapped, and carry the spans back."""
    kept: list[int] = []  # position in `text` of each character of the unwrapped text
    unwrapped: list[str] = []
    done = 0
    chinese = sum(map(is_cjk, text)) > len(text) / 2  # wrapped without a blank, so a line break stands for nothing
    for match in _LINE_BREAK.finditer(text):
        kept.extend(range(done, match.start()))
        unwrapped.append(text[done : match.start()])
        done = match.end()
        if "\n" in match.group(1):  # a blank line
            joint = "\n"
        elif chinese:
            continue
        else:
            joint = " "
        kept.append(match.start())
        unwrapped.append(joint)
    kept.extend(range(done, len(text)))
    unwrapped.append(text[done:])
    moved = [(bisect.bisect_left(kept, start), bisect.bisect_left(kept, end)) for start, end in keep]
    return [(kept[start], kept[end - 1] + 1) for start, end in split_sentences("".join(unwrapped), moved)]


def _is_abbreviation(text: str, stop: int, *, name: bool) -> bool:
    """Does the full stop belong to the word before it? `name`: it is the end of an entity, such as "Ph.D."."""
    word = re.search(r"[\w.]*$", text[max(0, stop - 20) : stop])
    before = word.group().lower() if word else ""
    initial = len(before) == 1 and before.isalpha() and text[stop - 1].isupper()
    return initial or before in _ABBREVIATIONS or (name and "." in before)
