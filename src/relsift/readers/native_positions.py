"""What a native line says twice is compared: a mention's own words, its tokens, its characters, and the text of the line.

Character offsets of a line count into that line's `text`. A difference is an error, and the message names the habit under which the numbers
would fit: UTF-16 code units, bytes, counting from 1, ends counted in, offsets in the document.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, chain
from typing import Any, Literal, NamedTuple

from relsift.errors import DataError
from relsift.schema import Entity
from relsift.token_text import join_tokens

Span = tuple[int, int]
CHARACTERS, UTF16 = "characters", "utf16"  # values of the option `positions`
_KEYS_OF_BARE_MENTION = {"id", "start", "end", "type", "subtype", "chars", "score"}
_OPTIONAL_STRING = {str, type(None)}
_LAST_OF_ONE_UNIT = "\uffff"  # later characters take two UTF-16 code units
_MOST_JOINED = 1000  # tokens that a hint looks through, for each of the line's wrong mentions
_LONGEST_QUOTE = 60  # characters of a text in a message
_TREEBANK_MARKS = {"-lrb-": "(", "-rrb-": ")", "-lsb-": "[", "-rsb-": "]", "-lcb-": "{", "-rcb-": "}", "``": '"', "''": '"'}


class LineText(NamedTuple):
    """What the mentions of one line point into."""

    tokens: tuple[str, ...] | None  # None: start and end of a mention count characters of `text`
    text: str | None
    offsets: tuple[Span, ...] | None  # of each token in `text`
    start: int  # of `text` in its document
    size: int  # the number of tokens, or of characters, that mentions count


def character_numbers(text: str, positions: str) -> dict[int, int] | None:
    """UTF-16 code unit -> number of the character that begins there; None if both counts are the same."""
    if positions != UTF16 or not text or max(text) <= _LAST_OF_ONE_UNIT:
        return None
    units = accumulate((1 + (character > _LAST_OF_ONE_UNIT) for character in text), initial=0)
    return {unit: number for number, unit in enumerate(units)}


def by_characters(span: Span, numbers: dict[int, int] | None, where: str) -> Span:
    """A span in the units of `character_numbers` as one in characters. Raises DataError for one outside, or inside a character."""
    if numbers is None:
        return span
    if span[0] not in numbers or span[1] not in numbers:
        raise DataError(f"{where}: expected the edges of characters, in a text of {max(numbers)} UTF-16 code units, got {list(span)}")
    return numbers[span[0]], numbers[span[1]]


def offsets_that_fit(offsets: Any, tokens: Sequence[str], text: str) -> tuple[Span, ...] | None:
    """The offsets if they are pairs of numbers that show just the tokens; None to look closer. The common case, in little time."""
    try:
        spans = tuple([(start, end) for start, end in offsets])
    except (TypeError, ValueError):  # no list of pairs
        return None
    if set(map(type, chain.from_iterable(spans))) != {int} or min(spans)[0] < 0:
        return None
    shows_tokens = [text[start:end] for start, end in spans] == tokens and [end - start for start, end in spans] == [*map(len, tokens)]
    return spans if shows_tokens else None


def check_offsets(tokens: Sequence[str], offsets: Sequence[Span], text: str, where: str) -> None:
    """Raises DataError at the first token that does not stand at its offsets in the text."""
    for number, (token, (start, end)) in enumerate(zip(tokens, offsets)):
        shown = text[start:end]
        if shown != token and (shown != shown.strip() or not same_text(shown, token)):
            raise DataError(
                f"{where}: offset {number}: expected the token {_quoted(token)}, got {_quoted(shown)} at {start} to {end} of the text"
                f"{_habit((start, end), token, text)}"
            )


def mentions_without_question(records: list[Any], line: LineText) -> list[Entity | None] | None:
    """The mentions if each has plain ids, types and scores, a span inside the line, and chars that are just its tokens; else None.

    None means to look closer. The common case, in little time; `chars` come from the beginning of the document.
    """
    if line.tokens is None:
        return None
    mentions: list[Entity | None] = []
    for record in records:
        if type(record) is not dict or not record.keys() <= _KEYS_OF_BARE_MENTION:
            return None
        start, end, kind = record.get("start"), record.get("end"), record.get("type")
        if not (type(start) is type(end) is int and 0 <= start < end <= line.size and type(kind) is str and kind):
            return None
        if len(record) == 3:
            mentions.append(Entity(start, end, kind))
            continue
        key, subtype, chars, score = record.get("id"), record.get("subtype"), record.get("chars"), record.get("score")
        if not _OPTIONAL_STRING.issuperset((type(key), type(subtype))):
            return None
        if score is not None and not (type(score) is float and math.isfinite(score)):
            return None
        if chars is None:
            mentions.append(Entity(start, end, kind, subtype, key, None, score))
        elif line.offsets is not None and chars == [line.offsets[start][0], line.offsets[end - 1][1]]:
            span = line.offsets[start][0] + line.start, line.offsets[end - 1][1] + line.start
            mentions.append(Entity(start, end, kind, subtype, key, span, score))
        else:
            return None
    return mentions


def checked_mention(entity: Entity, words: Any, line: LineText, where: str) -> Entity:
    """The mention after the comparison of its span with `words`, its own text if it has one. Raises DataError for a difference."""
    unit = "characters" if line.tokens is None else "tokens"
    hint = ""
    if words is not None:
        if not isinstance(words, str):
            raise DataError(f"{where}: text: expected a string, got {str(words)[:_LONGEST_QUOTE]!r}")
        got = _words_of(entity, line)
        if not same_text(words, got):
            place = f'its own "text", in {unit} {entity.start} to {entity.end} (exclusive)'
            hint = _hint(entity, words, line)
            if 0 <= entity.start < entity.end <= line.size:
                raise DataError(f"{where}: expected {_quoted(words)}, {place}, got {_quoted(got)}{hint}")
    if not 0 <= entity.start < entity.end <= line.size:
        expected = f"expected 0 <= start < end <= {line.size} {unit}"
        raise DataError(f"{where}: {expected}, got start {entity.start}, end {entity.end}{hint}")
    if line.tokens is None and not (line.text or "")[entity.start : entity.end].strip():
        raise DataError(f"{where}: expected some text in characters {entity.start} to {entity.end}, got only blanks")
    return entity


def shift_of_chars(entities: Iterable[Entity], line: LineText) -> int:
    """What to subtract from `chars` of a line: 0, or `line.start` for a line of an earlier version, which counted in the document."""
    if not line.start:
        return 0
    mentions = [entity for entity in entities if entity.chars is not None and 0 <= entity.start < entity.end <= line.size]

    def fits(shift: int) -> tuple[int, int]:
        return sum(_exact(e, line) == _shifted(e, shift) for e in mentions), sum(_within(e, line, shift) is not None for e in mentions)

    return line.start if fits(line.start) > fits(0) else 0


def placed_chars(entity: Entity, line: LineText, shift: int, where: str) -> Span | None:
    """The characters of a mention in the line's text, without blanks at its edges; None if it gives none, or the line has no text.

    Raises: DataError where they are not those of its tokens.
    """
    if entity.chars is None or line.text is None:
        return entity.chars
    span = _within(entity, line, shift)
    if span is None:
        expected = _exact(entity, line)
        words = line.text[slice(*expected)]
        raise DataError(
            f"{where}: chars: expected characters of its {'tokens' if line.tokens else 'span'}, {list(expected)}, {_quoted(words)}, "
            f"got {list(entity.chars)}, {_quoted(line.text[slice(*entity.chars)])}{_habit(entity.chars, words, line.text)}"
        )
    return span


def same_text(one: str, other: str) -> bool:
    """Are they equal, apart from blanks, case, composed or decomposed characters, and the names that treebanks give to brackets?"""
    return one == other or _comparable(one) == _comparable(other)


def _comparable(text: str) -> str:
    words = unicodedata.normalize("NFC", text).casefold().split()
    return "".join(_TREEBANK_MARKS.get(word, word) for word in words)


def _exact(entity: Entity, line: LineText) -> Span:
    if line.offsets is None:
        return entity.start, entity.end
    covered = line.offsets[entity.start : entity.end]
    return min(start for start, _ in covered), max(end for _, end in covered)


def _shifted(entity: Entity, shift: int) -> Span:
    start, end = entity.chars or (0, 0)
    return start - shift, end - shift


def _within(entity: Entity, line: LineText, shift: int) -> Span | None:
    """The mention's characters, without blanks at the edges, if they are those of its tokens, or finer but in each of them."""
    exact, (start, end) = _exact(entity, line), _shifted(entity, shift)
    if (start, end) == exact:
        return exact
    if line.text is None or not 0 <= start < end <= len(line.text):
        return None
    mention = line.text[start:end]
    if start + len(mention) - len(mention.lstrip()) == exact[0] and start + len(mention.rstrip()) == exact[1]:
        return exact
    if line.offsets is None or mention != mention.strip():
        return None
    is_inside = exact[0] <= start < end <= exact[1]
    covers_edges = start < line.offsets[entity.start][1] and line.offsets[entity.end - 1][0] < end
    return (start, end) if is_inside and covers_edges else None


def _words_of(entity: Entity, line: LineText) -> str:
    """What stands where the mention says: its characters if it gives them and they lie in its tokens, else its tokens."""
    if line.tokens is None:
        return (line.text or "")[max(entity.start, 0) : max(entity.end, 0)]
    if line.text is not None and entity.chars is not None and 0 <= entity.start < entity.end <= line.size:
        span = _within(entity, line, shift_of_chars([entity], line))
        if span is not None:
            return line.text[slice(*span)]
    return join_tokens(line.tokens[max(entity.start, 0) : max(entity.end, 0)])


def _hint(entity: Entity, words: str, line: LineText) -> str:
    if line.tokens is None:
        return _habit((entity.start, entity.end), words, line.text or "", line.start)
    text = line.text if line.text is not None else " ".join(line.tokens[:_MOST_JOINED])
    if same_text(text[max(entity.start, 0) : max(entity.end, 0)], words):
        return '; they fit as character offsets, but beside "tokens", start and end count tokens'
    for habit, (start, end) in (
        ("if the end is counted in; add 1 to each end", (entity.start, entity.end + 1)),
        ("if the first token is number 1; subtract 1 from both", (entity.start - 1, entity.end - 1)),
        ("if the first token is number 1 and the end is counted in; subtract 1 from each start", (entity.start - 1, entity.end)),
    ):
        if 0 <= start < end and same_text(join_tokens(line.tokens[start:end]), words):
            return f"; they fit {habit}"
    return ""


def _habit(span: Span, words: str, text: str, text_start: int = 0) -> str:
    """The habit of counting under which the span would show the words."""
    start, end = span
    habits: list[tuple[str, Callable[[], str]]] = [
        (
            "in UTF-16 code units, as JavaScript counts: read it with native[positions=utf16]:FILE",
            lambda: _encoded(text, "utf-16-le")[2 * start : 2 * end].decode("utf-16-le"),
        ),
        ("in bytes of UTF-8; convert the offsets to characters", lambda: _encoded(text, "utf-8")[start:end].decode()),
        ("with the end counted in; add 1 to each end", lambda: text[start : end + 1]),
        ("with the first one as number 1; subtract 1 from both", lambda: text[start - 1 : end - 1]),
        ("in the text with decomposed characters (NFD)", lambda: _normalised(text, "NFD")[start:end]),
        ("in the text with composed characters (NFC)", lambda: _normalised(text, "NFC")[start:end]),
        ("with each line break as one character", lambda: _with_short_breaks(text)[start:end]),
        ("from the beginning of the document; subtract text_start", lambda: text[max(start - text_start, 0) : max(end - text_start, 0)]),
    ]
    for habit, shown in habits:
        try:
            fits = start >= 0 and same_text(shown(), words)
        except UnicodeError:  # the numbers cut a character in two
            continue
        if fits:
            return f"; the offsets fit if they are counted {habit}"
    place = text.find(words) if words else -1
    if place >= 0 and text.find(words, place + 1) < 0:
        return f"; it stands at {place} to {place + len(words)}"
    return ""


# Kept, since a long text with thousands of wrong mentions asks for each of them again.
@lru_cache(maxsize=4)
def _encoded(text: str, encoding: str) -> bytes:
    return text.encode(encoding)


@lru_cache(maxsize=4)
def _normalised(text: str, form: Literal["NFC", "NFD"]) -> str:
    return unicodedata.normalize(form, text)


@lru_cache(maxsize=4)
def _with_short_breaks(text: str) -> str:
    return text.replace("\r\n", "\n")


def _quoted(text: str) -> str:
    return repr(text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…")
