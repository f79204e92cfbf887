"""PubTator: title and abstract, mentions by characters, and relations of concepts.

The title is the first line of the text, the abstract the rest, in which line breaks become blanks. PubTator relates concepts, not mentions.
A document with concepts keeps them and its relations of concepts; a relation of mentions that does not follow from those becomes one of
their concepts, once, and is counted. In any other document each mention is a concept of its own, `T1`, `T2`: a relation is of these two
mentions and of no other.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from itertools import product
from pathlib import Path

from relsift.concepts import ConceptFact, concept_pairs, count_not_annotated
from relsift.omissions import Omissions
from relsift.schema import Document, RelationAcross
from relsift.writers.base import Writer
from relsift.writers.layout import Layout, layout
from relsift.writers.names import UniqueNames

_BLANKS = re.compile(r"[\r\n]")  # one for one, so that offsets stay
_COLUMN = re.compile(r"\s+")
_LIST = re.compile(r"[\s,;]+")  # what stands between the concepts of a mention
_NO_CONCEPT = "-"
_SPECIAL = re.compile(r"[\s|]+")
_LONGEST = 50  # characters of an id
_Place = tuple[int, int]  # of a mention: its sentence, and its position there
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
            stream.writelines(f"{line}\n" for line in _lines(document, page, key, left_out))
            stream.write("\n")


def _key(name: str) -> str:
    key = _SPECIAL.sub("_", name)
    return key if len(key) <= _LONGEST else f"{key[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _lines(document: Document, page: Layout, key: str, left_out: Omissions) -> Iterator[str]:
    def safe(kind: str) -> str:
        name = _COLUMN.sub("_", kind)
        name = f"_{name}" if name.isdigit() else name  # a number is an offset
        if name != kind:
            left_out.drop(_CHANGED, f"document {page.name}: {kind!r}")
        return name

    title, _, abstract = page.text.partition("\n")
    yield f"{key}|t|{_BLANKS.sub(' ', title)}"
    yield f"{key}|a|{_BLANKS.sub(' ', abstract)}"
    concepts = _concepts(document, left_out)
    for number, placed in enumerate(page.sentences):
        for position, (entity, (start, end)) in enumerate(zip(placed.sentence.entities, placed.entities)):
            words = _BLANKS.sub(" ", page.text[start:end]).replace("\t", " ")
            column = ",".join(concepts[number, position]) or _NO_CONCEPT
            yield f"{key}\t{start}\t{end}\t{words}\t{safe(entity.type)}\t{column}"
    for head, tail, kind in _relations(document, concepts, left_out):
        yield f"{key}\t{safe(kind)}\t{head}\t{tail}"


def _concepts(document: Document, left_out: Omissions) -> dict[_Place, tuple[str, ...]]:
    """The concepts of each mention as they are written: its own ones, or one that no other mention has."""
    relates_concepts = document.concept_relations is not None
    taken = {concept for view in document.entities for concept in view.entity.concepts}
    number, concepts = 0, dict[_Place, tuple[str, ...]]()
    for place, sentence in enumerate(document.sentences):
        for position, entity in enumerate(sentence.entities):
            number += 1
            made_up = f"T{number}"
            while made_up in taken:
                made_up = f"_{made_up}"
            own = tuple(_concept(concept, document, left_out) for concept in entity.concepts)
            concepts[place, position] = own or (() if relates_concepts else (made_up,))
    return concepts


def _concept(name: str, document: Document, left_out: Omissions) -> str:
    written = _LIST.sub("_", name)
    written = f"_{written}" if written in ("", _NO_CONCEPT, "-1", "None") else written
    if written != name:
        left_out.drop(_CHANGED, f"document {document.id}: {name!r}")
    return written


def _relations(document: Document, concepts: dict[_Place, tuple[str, ...]], left_out: Omissions) -> Iterable[ConceptFact]:
    """The relations of concepts, then those of mentions that do not follow from them, each once."""
    known = [
        (_concept(one.head, document, left_out), _concept(one.tail, document, left_out), one.type)
        for one in document.concept_relations or ()
    ]
    facts, where = dict.fromkeys(known), f"document {document.id}"
    has_concepts = document.concept_relations is not None or any(view.entity.concepts for view in document.entities)
    within = [
        RelationAcross((number, relation.head), (number, relation.tail), relation.type)
        for number, sentence in enumerate(document.sentences)
        for relation in sentence.relations or ()
    ]
    for one in (*within, *document.across):
        head, tail = concepts[one.head], concepts[one.tail]
        if any((*pair, one.type) in known for pair in product(head, tail)):
            continue
        pairs = concept_pairs(head, tail)
        if has_concepts:
            reason = "relations of mentions, written as relations of their concepts" if pairs else "relations of mentions without a concept"
            left_out.drop(reason, where)
        facts |= dict.fromkeys((*pair, one.type) for pair in pairs)
    if has_concepts and (count := count_not_annotated(document, facts)):
        left_out.drop("pairs of mentions in one sentence that a reader will relate, since their concepts are related", where, count)
    return facts


WRITER = Writer(
    name="pubtator", summary="PubTator: title, abstract, mentions and relations", suffix=".pubtator", write=write,
    keeps=frozenset({"across", "plain_sentences", "plain_documents", "unrelated", "concepts", "concept_relations"}),
)  # fmt: skip
