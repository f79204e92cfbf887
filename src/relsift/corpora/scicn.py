"""SciCN as it was split anew: native JSON lines with two habits of their own.

A few relations join an entity with itself, which the native format refuses: they are counted and left out. Sentences are stored
one by one, `scicn-ABSTRACT-NUMBER`: they are put together as abstracts again. Not in the table of formats: no other file is such.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from relsift.errors import DataError
from relsift.readers import native
from relsift.readers.base import Reader, ReadReport, read_text
from relsift.schema import Document, Sentence, sentences_of


def read(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield one document an abstract, in file order. Counts relations of an entity with itself."""
    lines = enumerate(read_text(path).split("\n"), start=1)
    cleaned = ((number, _without_loops(line, f"{path}:{number}", report)) for number, line in lines if line.strip())
    for key, group in groupby(sentences_of(native.read_lines(cleaned, str(path), report)), key=_abstract):
        yield Document(key, tuple(replace(sentence, doc_id=key) for sentence in group))


def _abstract(sentence: Sentence) -> str:
    return sentence.id.rpartition("-")[0]


def _without_loops(line: str, where: str, report: ReadReport) -> str:
    try:
        record = json.loads(line)
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: expected one JSON object a line, got {error.msg} at column {error.colno}") from error
    kept = [relation for relation in record["relations"] if relation["head"] != relation["tail"]]
    for _ in range(len(record["relations"]) - len(kept)):
        report.drop("relations of an entity with itself", where)
    return json.dumps(record | {"relations": kept}, ensure_ascii=False)


READER = Reader(name="scicn", summary="SciCN, split anew", read=read, recognises=lambda _: False, samples={})
