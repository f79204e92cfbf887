"""From characters to tokens and sentences, for formats that annotate character offsets.

Rules, no model. The tokeniser keeps character offsets; the sentence splitter never cuts an entity. Tokens are words in alphabetic
scripts and single characters in Chinese. The script is decided for each character, so mixed text needs no option.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Iterable

from relsift.schema import is_cjk

Span = tuple[int, int]

_CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"
# A CJK character, a run of letters, a number with inner , or . , or any other single character that is not a blank.
_TOKEN = re.compile(rf"[{_CJK}]|[^\W\d_{_CJK}]+|\d+(?:[.,]\d+)*|\S")
_CLOSING_MARKS = "\"'”’」』）)】》〉]"
_COMMA_LIKE_MARKS = ",;:，、；："
_SENTENCE_END = re.compile(rf"[。！？!?…]+[{re.escape(_CLOSING_MARKS)}]*|\.+[{re.escape(_CLOSING_MARKS)}]*(?=\s|$)|\n+")
_NEXT_CHARACTER = re.compile(r"[^\S\n]*(\S)")  # the next character on the line
_LINE_BREAK = re.compile(r"\r?\n(\s*)")
_TITLES = ("mr", "mrs", "ms", "dr", "prof", "st", "gen", "col", "lt", "sgt", "sen", "rep", "gov", "jr", "sr")
_COMPANY_FORMS = ("inc", "ltd", "co", "corp")
_OTHER_ABBREVIATIONS = ("fig", "figs", "eq", "eqs", "ref", "refs", "no", "vs", "etc", "al", "u.s", "e.g", "i.e", "cf", "ca", "approx")
_ABBREVIATIONS = frozenset(_TITLES + _COMPANY_FORMS + _OTHER_ABBREVIATIONS)


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
    tokens: list[Span] = []
    next_edge = 0
    for start, end in spans:
        while next_edge < len(edges) and edges[next_edge] <= start:
            next_edge += 1
        while next_edge < len(edges) and edges[next_edge] < end:
            tokens.append((start, edges[next_edge]))
            start = edges[next_edge]
            next_edge += 1
        tokens.append((start, end))
    return tokens


def split_sentences(text: str, keep: Iterable[Span] = (), *, wrapped: bool = False) -> list[Span]:
    """Half-open character spans of the sentences of `text`, blanks at their edges left out.

    A sentence ends after 。！？!?…, after a full stop before a blank that does not close an abbreviation or an initial, and at a
    line break; never before a lower-case letter or a comma, and never inside a span of `keep` (entities).

    Args:
        wrapped: lines are cut at a fixed width, so only a blank line ends a sentence, not every line break.
    """
    if wrapped:
        return _split_wrapped(text, keep)
    inside = _InsideSpans(keep)
    spans: list[Span] = []
    start = 0
    for end in [*(m.end() for m in _SENTENCE_END.finditer(text) if _ends_sentence(text, m, inside)), len(text)]:
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if left < right:
            spans.append((left, right))
        start = end
    return spans


def _ends_sentence(text: str, match: re.Match[str], inside: _InsideSpans) -> bool:
    if inside(match.end()):
        return False
    mark = match.group()[0]
    if mark == "\n":
        return True
    next_character = _NEXT_CHARACTER.match(text, match.end())
    if next_character and (next_character.group(1).islower() or next_character.group(1) in _COMMA_LIKE_MARKS):
        return False
    return mark != "." or not _is_abbreviation(text, match.start(), name=inside(match.start() + 1, last=True))


class _InsideSpans:
    """Is a position strictly inside one of many spans, or with `last` at the end of one? Spans may nest and overlap."""

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
    """Split the text without its wrapped line breaks; the spans returned are those in the wrapped text."""
    position: list[int] = []  # of each character of the unwrapped text: its position in `text`
    unwrapped: list[str] = []
    copied = 0
    is_chinese = sum(map(is_cjk, text)) > len(text) / 2  # Chinese lines are joined without a blank
    for match in _LINE_BREAK.finditer(text):
        position.extend(range(copied, match.start()))
        unwrapped.append(text[copied : match.start()])
        copied = match.end()
        if "\n" in match.group(1):  # a blank line
            separator = "\n"
        elif is_chinese:
            continue
        else:
            separator = " "
        position.append(match.start())
        unwrapped.append(separator)
    position.extend(range(copied, len(text)))
    unwrapped.append(text[copied:])
    keep_unwrapped = [(bisect.bisect_left(position, start), bisect.bisect_left(position, end)) for start, end in keep]
    return [(position[start], position[end - 1] + 1) for start, end in split_sentences("".join(unwrapped), keep_unwrapped)]


def _is_abbreviation(text: str, stop: int, *, name: bool) -> bool:
    """Does the full stop belong to the word before it? `name`: it ends an entity, such as "Ph.D."."""
    word = re.search(r"[\w.]*$", text[max(0, stop - 20) : stop])
    last_word = word.group().lower() if word else ""
    is_initial = len(last_word) == 1 and last_word.isalpha() and text[stop - 1].isupper()
    return is_initial or last_word in _ABBREVIATIONS or (name and "." in last_word)


def is_mostly_cjk(tokens: Collection[str]) -> bool:
    """Whether more than half of the tokens begin with a Chinese character or full-width punctuation."""
    return 2 * sum(is_cjk(token[0]) for token in tokens) > len(tokens)
