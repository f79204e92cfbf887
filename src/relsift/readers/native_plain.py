"""Native lines that hold nothing unusual, in little time: values are checked in bulk, and objects are made without a second check.

`plain_line` returns None for each line that is broken, or that says something rare. `relsift.readers.native_record` reads such a line value
by value, and says what is wrong. So nothing is checked less here, nothing is counted, and no message comes from here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import MISSING, fields
from itertools import chain
from typing import Any

from relsift.readers.native_record import LONGEST_TEXT, Line
from relsift.schema import Document, Entity, Relation, Sentence

_KEYS = frozenset({"id", "doc_id", "tokens", "text", "text_start", "offsets", "entities", "relations"})
_ENTITY_KEYS = frozenset({"id", "start", "end", "type", "subtype", "chars", "score"})
_RELATION_KEYS = frozenset({"head", "tail", "type", "score", "probability"})
_NUMBER, _TEXT, _OPTIONAL_TEXT = {int}, {str}, frozenset({str, type(None)})
_LINE_ENDS = ("\n", "\r\n", "")
_ENDS_OF_KEYS = ('":', '" ', '"\t', '"\r')
_value_and_end = json.JSONDecoder().raw_decode

Span = tuple[int, int]
_Spans = tuple[Span, ...]


def _maker(cls: Any, *names: str) -> Callable[..., Any]:
    """A function from the values of these fields to an object of a frozen class with slots; its other fields have their defaults."""
    defaults = {one.name: one.default for one in fields(cls) if one.name not in names}
    if MISSING in defaults.values():
        raise TypeError(f"{cls.__name__}: expected a default for each field but {names}, got {defaults}")
    given = tuple(getattr(cls, name).__set__ for name in names)  # a frozen class refuses attributes
    rest = tuple((getattr(cls, name).__set__, default) for name, default in defaults.items())

    def make(*values: Any) -> Any:
        one = object.__new__(cls)
        for setter, value in zip(given, values):
            setter(one, value)
        for setter, value in rest:
            setter(one, value)
        return one

    return make


_sentence = _maker(Sentence, "id", "tokens", "entities", "relations", "doc_id", "offsets", "original")
plain_document: Callable[[str, tuple[Sentence, ...], str | None], Document] = _maker(Document, "id", "sentences", "text")


def plain_line(raw: bytes | str, where: str, number: int) -> Line | None:
    """The content of a line of JSON whose offsets count characters; None to look closer. number: of the line among those of the file."""
    try:
        line = raw.decode() if type(raw) is bytes else str(raw)
        record, end = _value_and_end(line)
    except (ValueError, RecursionError):
        return None
    if line[end:] not in _LINE_ENDS or type(record) is not dict or not _KEYS.issuperset(record):
        return None
    key, doc_id, tokens, start = record.get("id"), record.get("doc_id", ""), record.get("tokens"), record.get("text_start", 0)
    if not (type(key) is type(doc_id) is str and key and type(tokens) is list and tokens and all(tokens)):
        return None
    text, offsets, spans, original = record.get("text"), record.get("offsets"), None, None
    if text is not None or offsets is not None or start != 0:
        if type(text) is not str or type(offsets) is not list or type(start) is not int or not 0 <= start <= LONGEST_TEXT:
            return None
        edges = _edges(offsets, tokens, text, "true" not in line and "false" not in line)
        if edges is None:
            return None
        starts, ends = edges
        original = text[starts[0] : ends[-1]]
        spans = tuple([(a + start, b + start) for a, b in zip(starts, ends)]) if start else tuple(zip(starts, ends))
    elif set(map(type, tokens)) != _TEXT:
        return None
    entities = _entities(record.get("entities"), len(tokens), spans, start)
    relations = None if entities is None else _relations(record.get("relations"), entities)
    if entities is None or relations is None or not _is_sure(line, record, tokens):
        return None
    links = None if record.get("relations") is None else relations
    sentence = _sentence(key, tuple(tokens), entities, links, doc_id or key, spans, original)
    return Line(where, key, doc_id, (sentence,), text, start, places=tuple(range(len(entities))), number=number, is_plain=True)


def _is_sure(line: str, record: dict[str, Any], tokens: list[str]) -> bool:
    """Whether the line has no key twice in an object, of which the first value would be lost, and no half of a character."""
    if "\\u" in line and ("\\ud" in line or "\\uD" in line):
        return False
    keys = len(record)
    for one in record.get("entities") or ():
        keys += len(one)
    for one in record.get("relations") or ():
        keys += len(one)
    if line.count(":") == keys:
        return True  # each key has a colon
    # Texts have colons too. What ends a key is a quotation mark, then a colon or, in rare files, a blank.
    most = line.count('":') + line.count('" ') + line.count('"\t') + line.count('"\r')
    if most > keys and "\\" in line:  # no key ends with a backslash
        most -= sum(line.count(f"\\{end}") for end in _ENDS_OF_KEYS)
    if most > keys and "\\u" not in line:  # tokens can begin with a colon
        most -= sum([token.startswith(":") for token in tokens])
    return most == keys


def _edges(
    offsets: list[Any], tokens: list[Any], text: str, has_numbers: bool
) -> tuple[tuple[int, ...], tuple[int, ...]] | None:
    """Starts and ends, if they are numbers inside the text, from those of the first token to those of the last, that show just the tokens.

    Args: has_numbers: true and false, which Python takes for numbers, cannot be among them.
    """
    try:
        starts, ends = zip(*offsets, strict=True)
        if [*map(text.__getitem__, map(slice, starts, ends))] != tokens:
            return None
        is_inside = 0 <= starts[0] == min(starts) and len(text) >= ends[-1] == max(ends)
    except (TypeError, ValueError):  # no list of pairs of numbers
        return None
    if not is_inside or not (has_numbers or set(map(type, chain(starts, ends))) == _NUMBER):
        return None
    return starts, ends


def _entities(records: Any, size: int, spans: _Spans | None, shift: int) -> tuple[Entity, ...] | None:
    """The entities; None to look closer. Args: spans: of the tokens in the document. shift: of the text in the document."""
    if not records:
        return () if records is None or type(records) is list else None
    found, names, num_named = [], set(), 0
    for record in records if type(records) is list else (None,):
        if type(record) is not dict or not _ENTITY_KEYS.issuperset(record):
            return None
        get = record.get
        start, end, kind, key = get("start"), get("end"), get("type"), get("id")
        if not (type(start) is type(end) is int and 0 <= start < end <= size and type(kind) is str and kind):
            return None
        subtype, chars, score = get("subtype"), get("chars"), get("score")
        if type(key) not in _OPTIONAL_TEXT or type(subtype) not in _OPTIONAL_TEXT or not _is_usual(score):
            return None
        if chars is not None:
            if spans is None or chars != [spans[start][0] - shift, spans[end - 1][1] - shift]:
                return None
            chars = spans[start][0], spans[end - 1][1]
        if key is not None:
            names.add(key)
            num_named += 1
        found.append(Entity(start, end, kind, subtype, key, chars, score))
    return tuple(found) if len(names) == num_named else None


def _relations(records: Any, entities: Sequence[Entity]) -> tuple[Relation, ...] | None:
    """The relations, each once; None to look closer."""
    if not records:
        return () if records is None or type(records) is list else None
    size = len(entities)
    found, seen = [], set()
    for record in records if type(records) is list else (None,):
        if type(record) is not dict or not _RELATION_KEYS.issuperset(record):
            return None
        head, tail, kind = record.get("head"), record.get("tail"), record.get("type")
        if not (type(head) is type(tail) is int and 0 <= head < size and 0 <= tail < size and head != tail and type(kind) is str and kind):
            return None
        score, probability = record.get("score"), record.get("probability")
        if not _is_usual(score) or not _is_usual(probability) or not (probability is None or 0 <= probability <= 1):
            return None
        seen.add((head, tail, kind))
        found.append(Relation(head, tail, kind, score, probability))
    return tuple(found) if len(seen) == len(found) else None


def _is_usual(score: Any) -> bool:
    return score is None or (type(score) is float and math.isfinite(score))
