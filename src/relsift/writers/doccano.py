"""doccano: JSON lines for a project of sequence labelling with relations, to import as `JSONL(relation)`, and to be corrected.

doccano's editor counts UTF-16 units, so an emoji counts two; `positions=characters` writes characters, for versions and settings that
count them. `unit=sentence` makes one example a sentence.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.json_array import write_lines
from relsift.writers.layout import Layout
from relsift.writers.tasks import ACROSS, DOCUMENT, MIXED, UNITS, tasks

UTF16, CHARACTERS = "utf16", "characters"
_KEEPS = frozenset({"plain_sentences", "plain_documents", "unrelated", "unannotated"})


def write(
    documents: Iterable[Document], target: Path, left_out: Omissions, *, positions: str = UTF16, unit: str = DOCUMENT
) -> None:
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        write_lines((_example(page, positions, left_out) for page in tasks(documents, unit, left_out)), stream)


def _example(page: Layout, positions: str, left_out: Omissions) -> dict[str, Any]:
    count = _units(page.text) if positions == UTF16 else int
    entities, relations = list[dict[str, Any]](), list[dict[str, Any]]()
    firsts = page.first_entities()
    for first, placed in zip(firsts, page.sentences):
        entities += _entities(page, first, count, placed.entities, [entity.type for entity in placed.sentence.entities])
        for one in placed.sentence.relations or ():
            relations.append({"id": len(relations), "from_id": first + one.head, "to_id": first + one.tail, "type": one.type})
    for across in page.across:
        head, tail = (firsts[number] + place for number, place in (across.head, across.tail))
        relations.append({"id": len(relations), "from_id": head, "to_id": tail, "type": across.type})
    unannotated = sum(placed.sentence.relations is None for placed in page.sentences)
    if unannotated == len(page.sentences) > 0 and not page.across:
        return {"id": page.name, "text": page.text, "entities": entities}
    if unannotated:
        left_out.drop(MIXED, page.name, unannotated)
    return {"id": page.name, "text": page.text, "entities": entities, "relations": relations}


def _entities(
    page: Layout, first: int, count: Callable[[int], int], spans: Iterable[tuple[int, int]], types: Iterable[str]
) -> Iterator[dict[str, Any]]:
    for number, ((start, end), kind) in enumerate(zip(spans, types), start=first):
        yield {"id": number, "label": kind, "start_offset": count(start), "end_offset": count(end)}


def _units(text: str) -> Callable[[int], int]:
    """From characters to UTF-16 units."""
    units = [0]
    for character in text:
        units.append(units[-1] + (2 if character > "\uffff" else 1))
    return units.__getitem__


WRITER = Writer(
    name="doccano", summary="JSON lines with entities and relations, to correct in doccano", suffix=".jsonl", write=write,
    keeps=_KEEPS | ACROSS, keeps_if={"unit=sentence": _KEEPS}, options={"positions": (UTF16, CHARACTERS), "unit": UNITS},
)  # fmt: skip
