"""From text to sentences by rules: no model, no cut inside an annotated span, the same result everywhere.

A full stop ends a sentence unless it closes an abbreviation. Whether it does depends on the word before it and on what follows:

    TITLES and the like     "Dr. Holm", "vs. Berg"        never the end
    numbered things         "Fig. 2", "no. 5", "d. 1910"  only before a number: "The answer was no. He left." are two sentences
    others                  "Acme Inc. said", "5 p.m."    the end only before a word that often begins a sentence: "Acme Inc. The mill"

The words stand in `relsift/abbreviations.py`; a caller may add some that never end a sentence.
"""

from __future__ import annotations

import bisect
import re
from collections.abc import Collection, Iterable

from relsift.abbreviations import (
    BEFORE_NUMBERS,
    BEFORE_OTHERS,
    BEFORE_SYMBOLS,
    CAPITALISED,
    MONTHS,
    MONTHS_IN_ENGLISH_TOO,
    NAMES_WITH_MARKS,
    NEVER_THE_END,
    STARTERS,
)
from relsift.text import Span
from relsift.token_text import is_cjk

_CLOSING_MARKS = re.escape("\"'”’」』）)】》〉]»«›‹")
_COMMA_LIKE_MARKS = ",;:，、；："
_STRONG_MARKS = "。！？!?…｡।॥؟۔‼⁇⁈⁉"
# Possessive quantifiers, and runs matched from their first character only: time grows with the length of the text, not faster.
_SENTENCE_END = re.compile(
    rf"[{_STRONG_MARKS}]++(?:[{_CLOSING_MARKS}]++(?:\.(?=\s|$))?)?|(?<!\.)\.++[{_CLOSING_MARKS}]*+(?=\s|$)|[\r\n]++"
)
_NEXT_CHARACTER = re.compile(r"[^\S\r\n]*+(\S)")  # the next character on the line
_NEXT_WORD = re.compile(r"[\"'“‘(\[]*+(\w+)")
# A number, a numeral such as IV, a letter but A and I, or a code with a digit such as KB/32.
_NUMBER = re.compile(r"[(\[#№+]?(?:§+\s?)?(?:\d|[A-Z][A-Z_/.-]{0,20}\d|[A-Z]{2,}\.[A-Z]{2}|[IVXLCM]{2,}\b|[B-HJ-Z]\b(?!\.))")
_MONTH = re.compile(r"(\w+)(\s+\d{4}\b)?")
_ENDS_IN_NUMBER = re.compile(r"\d\s*\Z")
_LAST_WORD = re.compile(r"[\w.°]*\Z")
_BULLETS = " \t•⁃·*(-"
_SPACED_LETTERS = re.compile(r"(?<![\w.'’-])[a-zà-öø-ÿа-яё]((?:\.[^\S\r\n]{1,2}[^\W\d_]){1,4})?\Z")  # before the last full stop
_LETTER_WITH_STOP = re.compile(r"[^\W\d_]\.")
_LONGEST_ABBREVIATION = 20  # characters that are looked at before a full stop
_LINE_BREAK = re.compile(r"(?:\r\n|\r|\n)(\s*)")


def split_sentences(text: str, keep: Iterable[Span] = (), *, wrapped: bool = False, abbreviations: Collection[str] = ()) -> list[Span]:
    """Half-open character spans of the sentences of `text`, blanks at their edges left out.

    A sentence ends after a mark such as 。！？!?…।, after a full stop before a blank that does not close an abbreviation or an
    initial, and at a line break. It never ends before a lower-case letter or a comma, nor inside a span of `keep` (entities).

    Args:
        wrapped: lines are cut at a fixed width, so only a blank line ends a sentence, not every line break.
        abbreviations: further words whose full stop never ends a sentence, with or without it, in any case; "-word" for one
            that is taken out of the lists of relsift.
    """
    if wrapped:
        return _split_wrapped(text, keep, abbreviations)
    own = _Own(abbreviations)
    inside = _InsideSpans(keep)
    return _spans(text, [m.end() for m in _SENTENCE_END.finditer(text) if _ends_sentence(text, m, inside, own)])


def line_spans(text: str, keep: Iterable[Span] = ()) -> list[Span]:
    """Like `split_sentences`, for texts with one sentence a line: only a line break ends one."""
    inside = _InsideSpans(keep)
    return _spans(text, [m.end() for m in re.finditer(r"[\r\n]++", text) if not inside(m.end())])


def _spans(text: str, ends: list[int]) -> list[Span]:
    """The pieces between the ends, without the blanks at their edges; blank pieces are left out."""
    spans: list[Span] = []
    start = 0
    for end in [*ends, len(text)]:
        piece = text[start:end]
        left = start + len(piece) - len(piece.lstrip())
        right = start + len(piece.rstrip())
        if left < right:
            spans.append((left, right))
        start = end
    return spans


def _ends_sentence(text: str, match: re.Match[str], inside: _InsideSpans, own: _Own) -> bool:
    if inside(match.end()):
        return False
    mark = match.group()[0]
    if mark in "\r\n":
        return True
    following = _NEXT_CHARACTER.match(text, match.end())
    if following and (following.group(1).islower() or following.group(1) in _COMMA_LIKE_MARKS):
        return False
    if following and mark == following.group(1) == ".":  # an ellipsis with blanks, ". . ."
        return False
    next_start = following.start(1) if following else len(text)
    if mark == "!":
        return _word_before(text, match.start()).lower() not in NAMES_WITH_MARKS or _begins_sentence(text, next_start)
    if mark != ".":
        return True
    return not _is_abbreviation(text, match, next_start, own, name=inside(match.start() + 1, last=True))


def _word_before(text: str, stop: int) -> str:
    """The word with its inner full stops that ends at `stop`."""
    found = _LAST_WORD.search(text[max(0, stop - _LONGEST_ABBREVIATION) : stop])
    word = found.group() if found else ""
    _, degree, unit = word.rpartition("°")
    return f"{degree}{unit}" if unit else word  # "450°C" ends in a unit, "N°" is a word


def _begins_sentence(text: str, start: int) -> bool:
    """Whether the next word often begins a sentence and seldom goes on with one; also at the end of the line."""
    match = _NEXT_WORD.match(text, start)
    return start >= len(text) or (match is not None and match.group(1) in STARTERS)


def _is_abbreviation(text: str, match: re.Match[str], next_start: int, own: _Own, *, name: bool) -> bool:
    """Does the full stop belong to the word before it? `name`: it ends an entity, such as "Ph.D."."""
    word = _word_before(text, match.start())
    lower = word.lower()
    is_initial = len(word) == 1 and word.isupper() and not (word == "I" and _begins_sentence(text, next_start))
    if is_initial or lower in own.added or (name and "." in word):
        return True
    if lower in own.removed:
        return False
    begins_sentence = _begins_sentence(text, next_start)
    is_shouted = len(word) > 1 and word.isupper() and "." not in word  # "FT." can be anything, "ft." is an abbreviation
    if lower in NEVER_THE_END and not (is_shouted and begins_sentence):
        return True
    if lower in BEFORE_NUMBERS and _NUMBER.match(text, next_start):
        return True
    if lower in BEFORE_SYMBOLS:
        return _is_before_symbol(text, match, next_start, word)
    if word.isdigit() and len(word) <= 2:
        return _is_day(text, next_start) or _begins_line(text, match.start() - len(word))
    is_listed = lower in BEFORE_OTHERS or word in CAPITALISED or _is_dotted(word) or _is_in_spaced_letters(text, match, next_start)
    return is_listed and not begins_sentence


def _is_before_symbol(text: str, match: re.Match[str], next_start: int, word: str) -> bool:
    is_town = word == "г" and not _ENDS_IN_NUMBER.search(text[: match.start() - 1][-_LONGEST_ABBREVIATION:])
    is_closed = len(match.group().rstrip(".")) > 0 or len(match.group()) > 1
    return is_town or is_closed or not text[next_start : next_start + 1].isupper()


def _is_day(text: str, next_start: int) -> bool:
    """Whether the name of a month follows, as in "3. Mai 1990"."""
    match = _MONTH.match(text, next_start)
    if match is None:
        return False
    month, year = match.group(1).lower(), match.group(2)
    return month in MONTHS or (month in MONTHS_IN_ENGLISH_TOO and year is not None)


def _begins_line(text: str, start: int) -> bool:
    """Whether nothing but a bullet stands before `start` on the line, as before "1." in a list."""
    first = max(0, start - _LONGEST_ABBREVIATION)
    before = text[first:start].rstrip(_BULLETS)
    return before.endswith(("\n", "\r")) or (first == 0 and not before)


def _is_dotted(word: str) -> bool:
    """Whether the word is single letters with full stops between them, as U.S or i.v are."""
    letters = word.split(".")
    return len(letters) > 1 and all(len(letter) == 1 and letter.isalpha() for letter in letters)


def _is_in_spaced_letters(text: str, match: re.Match[str], next_start: int) -> bool:
    """Whether the full stop belongs to single letters with blanks between them, the first one small, as in "z. B." or "т. е."."""
    stop = match.start()
    before = _SPACED_LETTERS.search(text, max(0, stop - _LONGEST_ABBREVIATION), stop)
    return before is not None and (before.group(1) is not None or _LETTER_WITH_STOP.match(text, next_start) is not None)


class _Own:
    """A caller's own abbreviations, and those that the caller takes out."""

    def __init__(self, words: Collection[str]) -> None:
        plain = [word.strip().rstrip(".").lower() for word in words]
        self.added = frozenset(word for word in plain if not word.startswith("-"))
        self.removed = frozenset(word[1:] for word in plain if word.startswith("-"))


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


def _split_wrapped(text: str, keep: Iterable[Span], abbreviations: Collection[str]) -> list[Span]:
    """Split the text without its wrapped line breaks; the spans returned are those in the wrapped text."""
    position: list[int] = []  # of each character of the unwrapped text: its position in `text`
    unwrapped: list[str] = []
    copied = 0
    is_chinese = sum(map(is_cjk, text)) > len(text) / 2  # Chinese lines are joined without a blank
    for match in _LINE_BREAK.finditer(text):
        position.extend(range(copied, match.start()))
        unwrapped.append(text[copied : match.start()])
        copied = match.end()
        if "\n" in match.group(1) or "\r" in match.group(1):  # a blank line
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
    spans = split_sentences("".join(unwrapped), keep_unwrapped, abbreviations=abbreviations)
    return [(position[start], position[end - 1] + 1) for start, end in spans]
