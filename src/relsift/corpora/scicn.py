"""The reader of SciCN in its new split: native JSON lines with two differences.

A few relations join an entity with itself, which the native format refuses; they are counted and left out. The sentences of an
abstract, `scicn-ABSTRACT-NUMBER`, are joined to one document. Only this corpus uses the format, so it has no name in the registry.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from relsift.readers import native
from relsift.readers.base import Reader, ReadReport, parse_json, read_text
from relsift.readers.records import as_kind, required
from relsift.schema import Document, Sentence, sentences_of


def read(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield one document an abstract, in file order. Counts relations of an entity with itself."""
    values = (
        (number, parse_json(line, path, expected="one JSON object a line", line=number))
        for number, line in enumerate(read_text(path).split("\n"), start=1)
        if line.strip()
    )
    records = ((number, _without_loops(value, f"{path}:{number}", report)) for number, value in values)
    for key, group in groupby(sentences_of(native.read_records(records, str(path), report)), key=_abstract):
        yield Document(key, tuple(replace(sentence, doc_id=key) for sentence in group))


def _abstract(sentence: Sentence) -> str:
    return sentence.id.rpartition("-")[0]


def _without_loops(value: Any, where: str, report: ReadReport) -> dict[str, Any]:
    """The record without relations of an entity with itself, which are counted."""
    record = as_kind(value, dict, where)
    relations = required(record, "relations", list, where)
    kept = [relation for relation in relations if relation["head"] != relation["tail"]]
    for _ in range(len(relations) - len(kept)):
        report.drop("relations of an entity with itself", where)
    return record | {"relations": kept}


READER = Reader(name="scicn", summary="SciCN, split anew", read=read, recognises=lambda _: False, samples={})
