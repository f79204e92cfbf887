"""A JSON array, written item by item, and JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TextIO

from relsift.files import to_json


def write_items(items: Iterable[Any], stream: TextIO) -> None:
    """One item a line. Raises DataError for NaN and infinity, which JSON does not have."""
    between = "[\n"
    for item in items:
        stream.write(between + to_json(item, indent=None))
        between = ",\n"
    stream.write("[]\n" if between == "[\n" else "\n]\n")


def write_lines(items: Iterable[Any], stream: TextIO) -> None:
    """One item a line, and nothing else. Raises DataError for NaN and infinity."""
    stream.writelines(to_json(item, indent=None) + "\n" for item in items)
