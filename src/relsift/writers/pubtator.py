"""PubTator: title and abstract, mentions by characters, and relations of concepts.

The title is the first line of the text, the abstract the rest, in which line breaks become blanks. PubTator relates concepts, not mentions,
so each mention is a concept of its own, `T1`, `T2`: a relation is of these two mentions and of no other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.layout import Layout, layout
from relsift.writers.names import UniqueNames

_BLANKS = re.compile(r"[\r\n]")  # one for one, so that offsets stay
_COLUMN = re.compile(r"\s+")
_SPECIAL = re.compile(r"[\s|]+")
_LONGEST = 50  # characters of an id
_CHANGED = "types and ids that PubTator cannot hold as they are (changed)"


def write(documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    names = UniqueNames()
    with target.open("w", encoding="utf-8", newline="\n") as stream:
        for document in documents:
            page = layout(document)
            if not page.text.strip():
                left_out.drop("documents without text, left out", f"document {document.id}")
                continue
            key = names.of(_key(document.id))
            if key != document.id:
                left_out.drop(_CHANGED, f"document {document.id}")
            stream.writelines(f"{line}\n" for line in _lines(page, key, left_out))
            stream.write("\n")


def _key(name: str) -> str:
    key = _SPECIAL.sub("_", name)
    return key if len(key) <= _LONGEST else f"{key[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _lines(page: Layout, key: str, left_out: Omissions) -> Iterator[str]:
    def safe(kind: str) -> str:
        name = _COLUMN.sub("_", kind)
        name = f"_{name}" if name.isdigit() else name  # a number is an offset
        if name != kind:
            left_out.drop(_CHANGED, f"document {page.name}: {kind!r}")
        return name

    title, _, abstract = page.text.partition("\n")
    yield f"{key}|t|{_BLANKS.sub(' ', title)}"
    yield f"{key}|a|{_BLANKS.sub(' ', abstract)}"
    number, relations = 0, list[str]()
    for placed in page.sentences:
        first = number + 1
        for entity, (start, end) in zip(placed.sentence.entities, placed.entities):
            number += 1
            words = _BLANKS.sub(" ", page.text[start:end]).replace("\t", " ")
            yield f"{key}\t{start}\t{end}\t{words}\t{safe(entity.type)}\tT{number}"
        for one in placed.sentence.relations or ():
            relations.append(f"{key}\t{safe(one.type)}\tT{first + one.head}\tT{first + one.tail}")
    firsts = page.first_entities()
    for across in page.across:
        head, tail = (firsts[sentence] + place + 1 for sentence, place in (across.head, across.tail))
        relations.append(f"{key}\t{safe(across.type)}\tT{head}\tT{tail}")
    yield from relations


WRITER = Writer(
    name="pubtator", summary="PubTator: title, abstract, mentions and relations", suffix=".pubtator", write=write,
    keeps=frozenset({"across", "plain_sentences", "plain_documents", "unrelated"}),
)  # fmt: skip
