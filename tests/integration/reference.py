"""Compare what a reader yields with a reference conversion of the same corpus, fact by fact.

Entities are compared by the characters they cover, blanks left out, so that two tokenisations of one text can be compared; the
tokens themselves are compared where they are meant to be equal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from relsift.readers.base import Reader, ReadReport
from relsift.schema import Document, sentences_of

Mention = tuple[int, int, str]  # first and end (exclusive) non-blank character of the sentence, type


@dataclass(frozen=True)
class Facts:
    """One sentence, independent of the order in which its entities are listed."""

    id: str
    tokens: tuple[str, ...]
    entities: tuple[Mention, ...]
    relations: tuple[tuple[Mention, Mention, str], ...]

    @property
    def text(self) -> str:
        return "".join("".join(self.tokens).split())

    @property
    def content(self) -> tuple[str, tuple[Mention, ...], tuple[tuple[Mention, Mention, str], ...]]:
        return self.text, self.entities, self.relations


def read_corpus(reader: Reader, path: Path) -> tuple[list[Document], ReadReport]:
    if not path.exists():
        pytest.skip(f"no corpus file at {path}")
    report = ReadReport()
    return list(reader.read(path, report)), report


def facts_of(documents: Iterable[Document]) -> list[Facts]:
    """Facts of a reader's sentences, in their order."""
    return [
        _facts(
            sentence.id,
            sentence.tokens,
            [(e.start, e.end, e.type) for e in sentence.entities],
            [(r.head, r.tail, r.type) for r in sentence.relations or ()],
        )
        for sentence in sentences_of(documents)
    ]


def reference(corpus: Path, *parts: str) -> list[Facts]:
    """Facts of the reference conversion, read without any of our readers."""
    facts = []
    for part in parts:
        file = corpus / f"{part}.jsonl"
        if not file.exists():
            pytest.skip(f"no reference conversion at {file}")
        for line in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(line)
            facts.append(
                _facts(
                    record["id"],
                    record["tokens"],
                    [(e["start"], e["end"], e["type"]) for e in record["entities"]],
                    [(r["head"], r["tail"], r["type"]) for r in record["relations"]],
                )
            )
    return facts


def totals(facts: Sequence[Facts]) -> tuple[int, int, int]:
    """Sentences, entities, relations."""
    return len(facts), sum(len(f.entities) for f in facts), sum(len(f.relations) for f in facts)


def _facts(
    key: str, tokens: Sequence[str], entities: Sequence[tuple[int, int, str]], relations: Sequence[tuple[int, int, str]]
) -> Facts:
    starts = [0]
    for token in tokens:
        starts.append(starts[-1] + len("".join(token.split())))
    mentions = [(starts[first], starts[end], kind) for first, end, kind in entities]
    links = sorted((mentions[head], mentions[tail], kind) for head, tail, kind in relations)
    return Facts(key, tuple(tokens), tuple(sorted(mentions)), tuple(links))
