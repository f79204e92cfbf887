"""From characters to tokens, for formats that annotate character offsets. Rules, no model; character offsets are kept.

Tokens are words in alphabetic scripts and single characters in Chinese. The script is decided for each character, so mixed text needs
no option. What a reader sees as one character is never cut, however many code points it has: a letter with its accents or vowel
signs, an emoji of several parts, a flag. Nor is a word cut at a soft hyphen or another invisible character. Sentences are in
`relsift.sentences`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

from relsift.token_text import is_cjk

Span = tuple[int, int]

_CJK = "\u2e80-\u2fff\u3001-\u9fff\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff"  # without U+3000, a blank
# A CJK character, a run of letters, a number with inner , or . , or any other single character that is not a blank.
_TOKEN = re.compile(rf"[{_CJK}]|[^\W\d_{_CJK}]+|\d+(?:[.,]\d+)*|\S")
_CHARACTER = re.compile(r"\S")
_ZERO_WIDTH_BLANK = "\u200b"  # separates words without a gap
_ZERO_WIDTH_JOINER = "\u200d"  # makes one emoji of two
_PREFIXES = frozenset("\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2\U000110bd\U000110cd")  # Arabic number signs and the like
_KATAKANA_VOICING = "\uff9e\uff9f"


def normal_forms(text: str) -> tuple[str, ...]:
    """The text as it is, composed (NFC) and decomposed (NFD), without repetitions: "é" can be one character or two."""
    normalize = unicodedata.normalize
    return (text,) if text.isascii() else tuple(dict.fromkeys((text, normalize("NFC", text), normalize("NFD", text))))


def tokenise(text: str, cuts: Iterable[int] = (), *, characters: bool = False, marks_apart: bool = False) -> list[Span]:
    """Half-open character spans of the tokens of `text`, in order; blanks belong to none.

    Args:
        cuts: offsets at which a token must end, such as the edges of annotated entities, so that spans align. One inside what is
            seen as one character is ignored: a mention that ends there covers the whole character.
        characters: every non-blank character is its own token, Latin letters and digits too (Chinese corpora).
        marks_apart: accents, vowel signs and invisible characters are tokens of their own, as in version 0.2.
    """
    spans = [m.span() for m in (_CHARACTER if characters else _TOKEN).finditer(text)]
    glued = set() if marks_apart else _glued(text)
    if glued:
        spans = _joined(text, spans, glued, words=not characters)
    edges = sorted(set(cuts) - glued)
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


def _glued(text: str) -> set[int]:
    """Offsets between two code points, both no blanks, that are seen as one character, or of which one is invisible."""
    if text.isascii() or not any(map(_is_special, set(text))):
        return set()
    glued: set[int] = set()
    num_flag_letters = 0  # in a row, up to the character before
    all_invisible = True  # the characters since the last blank
    previous = " "
    for offset, character in enumerate(text):
        is_flag_letter = _is_flag_letter(character)
        if not previous.isspace() and not character.isspace() and (
            (_is_attached(character) and character not in _PREFIXES)
            or previous in _PREFIXES
            or (previous == _ZERO_WIDTH_JOINER and _is_picture(character))
            or (is_flag_letter and num_flag_letters % 2 == 1)
            or all_invisible  # those that begin a word belong to it
        ):  # fmt: skip
            glued.add(offset)
        num_flag_letters = num_flag_letters + 1 if is_flag_letter else 0
        all_invisible = character.isspace() or (all_invisible and _is_invisible(character))
        previous = character
    return glued


def _joined(text: str, spans: list[Span], glued: set[int], *, words: bool) -> list[Span]:
    """The spans, joined where they meet at a glued offset; and, with `words`, words that marks or invisible characters hold together."""
    joined: list[Span] = []
    is_word = False  # does the last span begin with a letter, with only letters and what is attached to them behind it?
    for start, end in spans:
        begins_with_letter = _is_letter(text[start])
        if joined and joined[-1][1] == start and (
            start in glued or (words and is_word and begins_with_letter and start - 1 in glued and text[start - 1] != _ZERO_WIDTH_BLANK)
        ):  # fmt: skip
            joined[-1] = (joined[-1][0], end)
            is_word = is_word or begins_with_letter
        else:
            joined.append((start, end))
            is_word = begins_with_letter
    return joined


@lru_cache(maxsize=4096)
def _is_attached(character: str) -> bool:
    """Does the code point belong to the one before it: accents, vowel signs, skin tones, invisible characters?"""
    return unicodedata.category(character) in ("Mn", "Mc", "Me", "Cf") or "\U0001f3fb" <= character <= "\U0001f3ff" or (
        character in _KATAKANA_VOICING
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _is_special(character: str) -> bool:
    return _is_attached(character) or _is_flag_letter(character)


def _is_invisible(character: str) -> bool:
    return unicodedata.category(character) == "Cf"


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _is_picture(character: str) -> bool:
    return unicodedata.category(character) == "So"


def _is_letter(character: str) -> bool:
    return character.isalpha() and not is_cjk(character)


def is_mostly_cjk(tokens: Collection[str]) -> bool:
    """Whether more than half of the tokens begin with a Chinese character or full-width punctuation."""
    return 2 * sum(is_cjk(token[0]) for token in tokens) > len(tokens)


def half_character(text: str) -> str | None:
    """The first lone surrogate as an escape; None: all characters are whole, so the text can be written."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        return ascii(text[error.start])
    return None
