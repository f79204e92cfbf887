"""What users give to the extractor, as documents: texts, records in the native format, sentences and documents of ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.native import document_of
from relsift.readers.native_fields import WORDS, keys_for_message
from relsift.readers.python_values import as_json
from relsift.schema import Document, Sentence

One = TypeVar("One")
Item = str | Sentence | Document | Mapping[str, Any]
_EXAMPLE = '{"text": "Ada leads Acme.", "entities": [{"start": 0, "end": 3, "type": "PER"}, …]}'
# Why entities have to be given, and what to do.
BY_MODEL = (
    f"this model relates given entities and does not find them: give them, as in {_EXAMPLE}, or let them be found: entities_from=… of "
    "from_pretrained names an annotator, and `relsift train --model pipeline` trains a joint model"
)
BY_OPTION = f'entities="gold" relates given entities and finds none: give them, as in {_EXAMPLE}, or leave the option out'


@dataclass(frozen=True, slots=True)
class Given:
    """An item as a document."""

    document: Document
    has_entities: bool  # False: a text, a record without the key, sentences without any


def is_item(value: Any) -> bool:
    """Whether it is one item, not several. Bytes are one, to be refused."""
    return isinstance(value, (str, bytes, bytearray, Mapping, Sentence, Document)) or not isinstance(value, Iterable)


def given(item: Any, where: str, key: str, report: ReadReport, *, must_give: str = "") -> Given:
    """Args:
        where: begins the message of an error. key: the id of an item without one. report: collects what the data model cannot hold.
        must_give: why an item has to bring its entities, for the message; empty: it need not.
    Raises: DataError for what is no item, or is broken, or lacks entities where they are needed.
    """
    if isinstance(item, Sentence):
        return Given(Document(item.doc_id or item.id, (item,)), len(item.entities) > 0)
    if isinstance(item, Document):
        return Given(item, any(sentence.entities for sentence in item.sentences))
    if isinstance(item, str) and not must_give:
        return Given(document_of({"text": as_json(item, where)}, where, report, key=key), has_entities=False)
    if not isinstance(item, Mapping):
        raise DataError(_not_an_item(where, item, must_give))
    record = as_json(item, where)
    if record.keys().isdisjoint(WORDS):
        raise DataError(f'{where}: expected "text" or "tokens", got {keys_for_message(record)}')
    has_entities = record.get("entities") is not None
    if must_give and not has_entities:
        keys = ", ".join(sorted(record)) or "none"
        raise DataError(f'{where}: expected "entities" beside the text, got keys {keys}; {must_give}')
    annotated = {name: value for name, value in record.items() if name != "relations"}
    return Given(document_of(annotated, where, report, key=key), has_entities)


def several(items: Any, must_give: str = "") -> Iterator[Any]:
    """The items one by one. Raises DataError for one item in place of several, and for what holds no items."""
    if isinstance(items, (str, bytes, bytearray)) and must_give:
        raise DataError(_not_an_item("items", items, must_give))
    hint = "put it into a list, or call the extractor: rx(item)"
    if hasattr(items, "columns"):  # of pandas, polars, arrow: their iterators give names of columns
        hint = 'give the column that holds the texts, as in rx(frame["text"])'
    elif not is_item(items):
        try:
            return iter(items)
        except TypeError:  # an array of no dimension
            pass
    raise DataError(f"items: expected a list of items, got one {type(items).__name__}; {hint}")


def _not_an_item(where: str, item: Any, must_give: str) -> str:
    """The message for it."""
    got = type(item).__name__ + (f" {item[:40]!r}" if isinstance(item, str) else "")
    if isinstance(item, (bytes, bytearray)):
        got += '; decode it: item.decode("utf-8")'
    if must_give:
        return f"{where}: expected a Sentence, a Document or a mapping with entities, got {got}; {must_give}"
    return f'{where}: expected a text, a Sentence, a Document or a mapping, such as {{"text": "Ada leads Acme."}}, got {got}'


def in_blocks(those: Iterable[One], size_of: Callable[[One], int], most: int) -> Iterator[list[One]]:
    """Blocks of things to predict together, of at most so many sentences; one with more is a block of its own.

    If the input is broken, what comes before that place comes first, then the error is raised. Args: size_of: number of sentences.
    """
    block: list[One] = []
    size = 0
    try:
        for one in those:
            further = max(1, size_of(one))  # an endless input of empty texts has to end up somewhere
            if block and size + further > most:
                yield block
                block, size = [], 0
            block.append(one)
            size += further
    except Exception:
        if block:
            yield block
        raise
    if block:
        yield block
