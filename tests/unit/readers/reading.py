"""Write a small file and read it: shared by the tests of token-based and line-based readers."""

from __future__ import annotations

from pathlib import Path

from relsift.readers.base import Reader, ReadReport
from relsift.schema import Document, Sentence, sentences_of


def read_content(reader: Reader, file: Path, content: str) -> tuple[list[Document], ReadReport]:
    file.write_text(content, encoding="utf-8", newline="")
    report = ReadReport()
    return list(reader.read(file, report)), report


def only_sentence(reader: Reader, file: Path, content: str) -> Sentence:
    """The one sentence of a file from which nothing may be dropped."""
    documents, report = read_content(reader, file, content)
    assert not report.dropped
    (sentence,) = sentences_of(documents)
    return sentence


def mentions(sentence: Sentence) -> list[tuple[str, str]]:
    return [(sentence.text_of(entity), entity.type) for entity in sentence.entities]


def triples(sentence: Sentence) -> list[tuple[str, str, str]]:
    """Head text, relation type, tail text."""

    def text(position: int) -> str:
        return sentence.text_of(sentence.entities[position])

    return [(text(r.head), r.type, text(r.tail)) for r in sentence.relations or ()]
