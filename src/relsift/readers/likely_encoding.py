"""Which encoding the bytes of a text are in, by evidence: byte-order marks, zero bytes, and how common the characters would be.

It is only used in messages. Nothing is ever decoded by such a guess.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

_SAMPLE = 1 << 16  # bytes that are looked at, from the first that is not ASCII
_PLAUSIBLE = 0.8  # share of the characters beyond ASCII that are common in the encoding's languages
_FEWEST_HANGUL = 12  # bytes of a shorter Korean text can be Chinese characters as well
_LEAST_KANA = 0.15  # share of Japanese text; kanji alone could be any Chinese character
_LETTERS_BETWEEN = frozenset("‘’–—·-")  # marks that may stand between two letters
_TYPOGRAPHY = _LETTERS_BETWEEN | frozenset("“”„‚…•€£¥§°±µ×÷©®™«»‹›²³¼½¾¿¡\u00a0")


@dataclass(frozen=True, slots=True)
class Encoding:
    """An encoding by its names."""

    encoding: str  # as Python knows it
    name: str  # as people know it


_MARKS = (
    (codecs.BOM_UTF32_LE, Encoding("utf-32", "UTF-32")),  # begins with the mark of UTF-16
    (codecs.BOM_UTF32_BE, Encoding("utf-32", "UTF-32")),
    (codecs.BOM_UTF16_LE, Encoding("utf-16", "UTF-16")),
    (codecs.BOM_UTF16_BE, Encoding("utf-16", "UTF-16")),
)
_PACKED = (
    (b"PK\x03\x04", "a ZIP archive"), (b"\x1f\x8b", "a file packed by gzip"), (b"BZh", "a file packed by bzip2"),
    (b"\xfd7zXZ\x00", "a file packed by xz"), (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
)  # fmt: skip


def packed_as(data: bytes) -> str | None:
    """What kind of archive or packed file begins with these bytes; None for others.

    >>> packed_as(b"PK\\x03\\x04\\x14"), packed_as(b"Ada")
    ('a ZIP archive', None)
    """
    return next((name for mark, name in _PACKED if data.startswith(mark)), None)


def byte_order_mark(data: bytes) -> Encoding | None:
    """The encoding that a byte-order mark at the beginning names, other than UTF-8."""
    return next((encoding for mark, encoding in _MARKS if data.startswith(mark)), None)


def encoding_hint(data: bytes, path: Path) -> str:
    """What a user can do about a file that is not UTF-8, for the end of a message."""
    if (packed := packed_as(data)) is not None:
        return f"it is {packed}: unpack it, and name what is in it"
    if _is_damaged_utf8(data):
        return "the rest of the file is UTF-8, so mend this place"
    encoding = likely_encoding(data)
    if encoding is None:
        return "its encoding could not be told: convert the file to UTF-8, or name the encoding with FORMAT[encoding=NAME]:path"
    return (
        f"it looks like {encoding.name}: name it with FORMAT[encoding={encoding.encoding}]:{path}, "
        f"or convert the file with `iconv -f {encoding.encoding.upper()} -t UTF-8`"
    )


def likely_encoding(data: bytes) -> Encoding | None:
    """The most plausible encoding of bytes that are not UTF-8; None if none is plausible."""
    marked = byte_order_mark(data) or _by_zeros(data[:_SAMPLE])
    if marked is not None:
        return marked
    high = re.search(rb"[\x80-\xff]", data)
    if high is None:
        return None
    sample = data[max(0, high.start() - 100) : high.start() + _SAMPLE]
    scores = [(candidate.score(sample), candidate.encoding) for candidate in _CANDIDATES]
    best, encoding = max(scores, key=lambda item: item[0])  # of equal ones the first: a row of pairs is rarely chance
    return encoding if best >= _PLAUSIBLE else None


def _by_zeros(sample: bytes) -> Encoding | None:
    """UTF-16 without a mark: in Western text every second byte is zero."""
    if sample.count(0) < len(sample) / 4:
        return None
    odd, even = sample[1::2].count(0), sample[::2].count(0)
    if min(odd, even) > max(odd, even) / 10:
        return None
    return Encoding("utf-16-le", "UTF-16") if odd > even else Encoding("utf-16-be", "UTF-16")


def _is_damaged_utf8(data: bytes) -> bool:
    text = data.decode("utf-8", errors="replace")
    damaged = text.count("\ufffd")
    return damaged > 0 and len(re.findall(r"[^\x00-\x7f\ufffd]", text)) >= 9 * damaged


@dataclass(frozen=True, slots=True)
class _Candidate:
    encoding: Encoding
    is_common: Callable[[str, int], bool]  # (text, position of a character beyond ASCII): is it common in such texts, at this place?
    is_language: Callable[[str], bool] = bool  # the characters beyond ASCII: can it be the language at all?

    def score(self, sample: bytes) -> float:
        """The share of characters beyond ASCII that are common."""
        decoder = codecs.getincrementaldecoder(self.encoding.encoding)("replace")
        text = decoder.decode(sample)  # not the final part: a character that the sample cuts is left out
        places = [place for place, character in enumerate(text) if character > "\x7f"]
        if not places or not self.is_language("".join(text[place] for place in places)):
            return 0.0
        return sum(self.is_common(text, place) for place in places) / len(places)


def _leading_byte(character: str, encoding: str) -> int:
    """Of a character of two bytes, in an encoding that is ordered by how common characters are; 0 for others."""
    encoded = character.encode(encoding, errors="ignore")
    return encoded[0] if len(encoded) == 2 else 0


def _is_common_simplified(text: str, place: int) -> bool:
    byte = _leading_byte(text[place], "gb2312")
    return 0xB0 <= byte <= 0xD7 or byte in (0xA1, 0xA3)  # the 3,755 most common characters; punctuation and full-width letters


def _is_common_traditional(text: str, place: int) -> bool:
    return 0xA1 <= _leading_byte(text[place], "big5") <= 0xC6 and not 0xC0 <= ord(text[place]) <= 0x24F


def _is_kana(character: str) -> bool:
    return "\u3041" <= character <= "\u30ff"


def _is_common_japanese(text: str, place: int) -> bool:
    return _is_kana(text[place]) or "\u3000" <= text[place] <= "\u3002" or 0xB0 <= _leading_byte(text[place], "euc_jp") <= 0xCF


def _is_japanese(characters: str) -> bool:
    return sum(map(_is_kana, characters)) >= _LEAST_KANA * len(characters)


def _is_hangul(text: str, place: int) -> bool:
    return "가" <= text[place] <= "힣"


def _is_korean(characters: str) -> bool:
    return sum("가" <= character <= "힣" for character in characters) >= max(_FEWEST_HANGUL, 0.9 * len(characters))


def _neighbours(text: str, place: int) -> tuple[str, str]:
    return text[place - 1 : place] if place else "", text[place + 1 : place + 2]


def _has_usual_case(text: str, place: int) -> bool:
    """No capital letter inside a word, unless all of the word is in capitals."""
    before, after = _neighbours(text, place)
    return not (text[place].isupper() and (before.islower() or (before.isalpha() and after.islower())))


def _is_common_cyrillic(text: str, place: int) -> bool:
    character = text[place]
    if character in _TYPOGRAPHY:
        return True
    is_beside_ascii = any(neighbour.isascii() and neighbour.isalpha() for neighbour in _neighbours(text, place))
    return "\u0401" <= character <= "\u0491" and not is_beside_ascii and _has_usual_case(text, place)


def _is_mostly_small_cyrillic(characters: str) -> bool:
    letters = [character for character in characters if "\u0401" <= character <= "\u0491"]
    return len(letters) >= 3 and sum(map(str.islower, letters)) > len(letters) / 2


def _is_common_latin(text: str, place: int) -> bool:
    character = text[place]
    before, after = _neighbours(text, place)
    if character in _TYPOGRAPHY:
        return character in _LETTERS_BETWEEN or not (before.isalpha() and after.isalpha())
    return unicodedata.name(character, "").startswith("LATIN ") and _has_usual_case(text, place)


# Of several that fit equally well, the first is named.
_CANDIDATES = (
    _Candidate(Encoding("euc_kr", "EUC-KR (Korean)"), _is_hangul, _is_korean),
    _Candidate(Encoding("gb18030", "GB18030 (Chinese)"), _is_common_simplified),
    _Candidate(Encoding("big5", "Big5 (Chinese)"), _is_common_traditional),
    _Candidate(Encoding("shift_jis", "Shift-JIS (Japanese)"), _is_common_japanese, _is_japanese),
    _Candidate(Encoding("euc_jp", "EUC-JP (Japanese)"), _is_common_japanese, _is_japanese),
    _Candidate(Encoding("cp1251", "Windows-1251 (Cyrillic)"), _is_common_cyrillic, _is_mostly_small_cyrillic),
    _Candidate(Encoding("koi8_r", "KOI8-R (Cyrillic)"), _is_common_cyrillic, _is_mostly_small_cyrillic),
    _Candidate(Encoding("cp1252", "Windows-1252"), _is_common_latin),
    _Candidate(Encoding("cp1250", "Windows-1250"), _is_common_latin),
    _Candidate(Encoding("mac_roman", "Mac Roman"), _is_common_latin),
)
