"""brat standoff: a text `X.txt` and its annotation `X.ann` for every document, and `annotation.conf` with all types, in one folder.

Relations are `R` lines. A mention with a line break inside is cut there, as brat does. Types of brat are words: other characters become
`_xHHHH_` and are counted. brat has no place for scores: its own attributes are for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.layout import Layout, Span, layout
from relsift.writers.names import UniqueNames, file_name, word

_LINES = re.compile(r"[^\n\r]+")
_BLANK = re.compile(r"\s")


class _Types:
    """The types as brat takes them, in the order of their first use."""

    def __init__(self, left_out: Omissions) -> None:
        self.left_out = left_out
        self.entities, self.relations = dict[str, None](), dict[str, None]()

    def add(self, kind: str, among: dict[str, None]) -> str:
        name = word(kind)
        if name != kind and name not in among:
            self.left_out.drop("types with characters that brat does not take (written as _xHHHH_)", repr(kind))
        among[name] = None
        return name


def write(documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    types, names = _Types(left_out), UniqueNames()
    for document in documents:
        name = names.of(file_name(document.id.removesuffix(".txt")))  # raw text is named by its file
        if name != document.id:
            left_out.drop("ids of documents, changed for names of files", f"document {document.id}")
        page = layout(document)
        text, annotation = target / f"{name}.txt", target / f"{name}.ann"
        text.parent.mkdir(parents=True, exist_ok=True)
        text.write_bytes(page.text.encode())
        annotation.write_bytes("".join(f"{line}\n" for line in _annotations(page, types)).encode())
    (target / "annotation.conf").write_text(_configuration(types), encoding="utf-8", newline="\n")


def _annotations(page: Layout, types: _Types) -> Iterator[str]:
    num_entities = num_relations = 0
    for placed in page.sentences:
        first = num_entities + 1
        for entity, span in zip(placed.sentence.entities, placed.entities):
            num_entities += 1
            pieces = _pieces(page.text, span)
            places = ";".join(f"{start} {end}" for start, end in pieces)
            words = " ".join(_BLANK.sub(" ", page.text[start:end]) for start, end in pieces)
            yield f"T{num_entities}\t{types.add(entity.type, types.entities)} {places}\t{words}"
        for relation in placed.sentence.relations or ():
            num_relations += 1
            kind = types.add(relation.type, types.relations)
            yield f"R{num_relations}\t{kind} Arg1:T{first + relation.head} Arg2:T{first + relation.tail}"
    firsts = page.first_entities()
    for number, across in enumerate(page.across, start=num_relations + 1):
        head, tail = (firsts[sentence] + place + 1 for sentence, place in (across.head, across.tail))
        yield f"R{number}\t{types.add(across.type, types.relations)} Arg1:T{head} Arg2:T{tail}"


def _pieces(text: str, span: Span) -> list[Span]:
    """The span without the line breaks in it."""
    return [found.span() for found in _LINES.finditer(text, *span)] or [span]


def _configuration(types: _Types) -> str:
    relations = "".join(f"{name}\tArg1:<ENTITY>, Arg2:<ENTITY>\n" for name in types.relations)
    overlaps = "<OVERLAP>\tArg1:<ENTITY>, Arg2:<ENTITY>, <OVL-TYPE>:<ANY>\n"  # brat refuses mentions that overlap unless told
    entities = "".join(f"{name}\n" for name in types.entities)
    return f"[entities]\n{entities}\n[relations]\n{overlaps}{relations}\n[events]\n\n[attributes]\n"


WRITER = Writer(
    name="brat", summary="brat standoff: a folder of .txt and .ann, with annotation.conf", suffix="", write=write,
    keeps=frozenset({"across", "plain_sentences", "plain_documents", "unrelated"}),
)  # fmt: skip
