"""Compare whole documents, where a reader and a reference conversion may split sentences differently.

Every position is a count of non-blank characters from the start of the document, which neither tokens nor line breaks change.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from relsift.schema import Document

Mention = tuple[int, int, str]  # first and end (exclusive) non-blank character of the document, type
Link = tuple[Mention, Mention, str]


@dataclass
class DocumentFacts:
    text: str = ""
    """Without blanks."""
    tokens: list[tuple[str, ...]] = field(default_factory=list)
    ends: set[int] = field(default_factory=set)
    """Where sentences end."""
    entities: Counter[Mention] = field(default_factory=Counter)
    relations: Counter[Link] = field(default_factory=Counter)

    def add(self, tokens: Iterable[str], entities: list[tuple[int, int, str]], relations: Iterable[tuple[int, int, str]]) -> None:
        tokens = tuple(tokens)
        starts = [len(self.text)]
        for token in tokens:
            starts.append(starts[-1] + len(token))
        self.text += "".join(tokens)
        self.tokens.append(tokens)
        self.ends.add(len(self.text))
        mentions = [(starts[first], starts[end], kind) for first, end, kind in entities]
        self.entities.update(mentions)
        self.relations.update((mentions[head], mentions[tail], kind) for head, tail, kind in relations)


def facts_by_document(documents: Iterable[Document]) -> dict[str, DocumentFacts]:
    facts_of = {}
    for document in documents:
        facts = facts_of[document.id] = DocumentFacts()
        for s in document.sentences:
            entities = [(e.start, e.end, e.subtype or e.type) for e in s.entities]
            facts.add(s.tokens, entities, [(r.head, r.tail, r.type) for r in s.relations or ()])
    return facts_of


def reference_by_document(file: Path, name: Callable[[str], str]) -> dict[str, DocumentFacts]:
    """`name` gives the document's id for a sentence's id."""
    if not file.exists():
        pytest.skip(f"no reference conversion at {file}")
    facts_of: dict[str, DocumentFacts] = {}
    for line in file.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        entities = [(e["start"], e["end"], e.get("subtype") or e["type"]) for e in record["entities"]]
        relations = [(r["head"], r["tail"], r["type"]) for r in record["relations"]]
        facts_of.setdefault(name(record["id"]), DocumentFacts()).add(record["tokens"], entities, relations)
    return facts_of


@dataclass
class Differences:
    """Everything that only one side has, by document."""

    only_read: Counter[tuple[str, object]] = field(default_factory=Counter)
    only_reference: Counter[tuple[str, object]] = field(default_factory=Counter)
    shared: int = 0

    def add(self, document: str, read: Counter[object], expected: Counter[object]) -> None:
        self.shared += (read & expected).total()
        self.only_read.update({(document, item): count for item, count in (read - expected).items()})
        self.only_reference.update({(document, item): count for item, count in (expected - read).items()})

    def counts(self) -> tuple[int, int, int]:
        """Shared, only read, only in the reference."""
        return self.shared, self.only_read.total(), self.only_reference.total()


def compare(read: dict[str, DocumentFacts], expected: dict[str, DocumentFacts], part: str) -> Differences:
    """`part`: entities, relations, ends or tokens; over the documents of the reference."""
    differences = Differences()
    for name, facts in expected.items():
        differences.add(name, Counter(getattr(read[name], part)), Counter(getattr(facts, part)))
    return differences
