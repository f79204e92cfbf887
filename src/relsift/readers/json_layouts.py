"""For `recognises` of formats in JSON: the first records of a file, whatever holds them together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from relsift.readers.base import beginning_of

HEAD_KEYS = ("head", "subject", "subj", "sub", "source")
TAIL_KEYS = ("tail", "object", "obj", "target")
_FIRST_BYTES = 1 << 18  # of a file that are read at first; records can be longer
_MOST_RECORDS = 200  # looked at: the first ones of a file may be empty
_SEPARATORS = " \t\r\n,"
_DECODER = json.JSONDecoder()


def first_records(file: Path) -> Iterator[dict[str, Any]]:
    """The objects at the beginning of a JSON array or of JSON lines, or the one object that is the file; none in anything else."""
    size = _FIRST_BYTES
    while True:
        text = beginning_of(file, size)
        records = records_in(text)
        first = next(records, None)
        if first is not None:
            yield from islice(chain((first,), records), _MOST_RECORDS)
            return
        if not text.lstrip(_SEPARATORS).startswith(("[", "{")) or file.stat().st_size <= size:
            return
        size *= 16  # the first record is longer


def records_in(text: str) -> Iterator[dict[str, Any]]:
    """The objects of a JSON array or of JSON lines that may be cut off at the end."""
    offset = len(text) - len(text.lstrip(_SEPARATORS))
    if text[offset : offset + 1] == "[":
        offset += 1
    while True:
        while offset < len(text) and text[offset] in _SEPARATORS:
            offset += 1
        try:
            value, offset = _DECODER.raw_decode(text, offset)
        except (ValueError, RecursionError):
            return
        if isinstance(value, dict):
            yield value


def relates_strings(record: dict[str, Any]) -> bool:
    """Are there relations between strings, with no entity that has a place? So models write them that answer in JSON.

    >>> relates_strings({"text": "Ada runs Zed.", "relations": [{"head": "Ada", "type": "runs", "tail": "Zed"}]})
    True
    """
    relations = record.get("relations", record.get("triples", record.get("triplets")))
    entities = record.get("entities")
    if not isinstance(record.get("text"), str) or "tokens" in record or not isinstance(relations, list) or not relations:
        return False
    if isinstance(entities, list) and any(isinstance(entity, dict) and not entity.keys().isdisjoint(_PLACED) for entity in entities):
        return False
    first = relations[0]
    if isinstance(first, list):
        return len(first) == 3 and all(isinstance(part, str) for part in first)
    return isinstance(first, dict) and all(
        any(_is_mention(first.get(name)) for name in names) for names in (HEAD_KEYS, TAIL_KEYS)
    )


def _is_mention(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, dict) and isinstance(value.get("text", value.get("name")), str))


_PLACED = frozenset({"start", "start_offset", "offset", "span"})
