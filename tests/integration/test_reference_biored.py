"""BioRED: the same abstracts as PubTator, BioC XML and BioC JSON, and an independent count of what they hold."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from relsift.evaluation.concepts import evaluate_concepts
from relsift.passages import passages, with_relations_of_passages
from relsift.readers import bioc, pubtator
from relsift.readers.base import Reader, ReadReport
from relsift.schema import Sentence, sentences_of
from relsift.sentences import split_sentences


@pytest.fixture
def raw(corpora: Path) -> Path:
    folder = corpora / "biored" / "raw"
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}")
    return folder


def read(reader: Reader, file: Path) -> tuple[list[Sentence], ReadReport]:
    report = ReadReport()
    return list(sentences_of(reader.read(file, report))), report


def facts(sentences: list[Sentence]) -> list[object]:
    """Tokens, mentions by characters, and relations by the characters of their ends."""
    return [
        (
            s.doc_id, s.tokens, [(e.chars, e.type) for e in s.entities],
            sorted((s.entities[r.head].chars or (), s.entities[r.tail].chars or (), r.type) for r in s.relations or ()),
        )
        for s in sentences
    ]  # fmt: skip


def test_all_three_forms_say_the_same(raw: Path):
    sentences, report = read(pubtator.READER, raw / "Dev.PubTator")
    for name in ("Dev.BioC.XML", "Dev.BioC.JSON"):
        others, other_report = read(bioc.READER, raw / name)
        assert facts(others) == facts(sentences)
        assert other_report.dropped == report.dropped


def test_counts_are_those_of_the_lines_of_the_file(raw: Path):
    num_mentions, num_pairs, num_lost = 0, 0, 0
    for article in (raw / "Dev.PubTator").read_text(encoding="utf-8").strip().split("\n\n"):
        title, abstract, *lines = article.split("\n")
        text = f"{title.split('|t|', 1)[1]}\n{abstract.split('|a|', 1)[1]}"
        columns = [line.split("\t") for line in lines]
        mentions = [(int(c[1]), int(c[2]), {c[5], *c[5].split(",")}) for c in columns if len(c) == 6]
        sentences = split_sentences(text, [(start, end) for start, end, _ in mentions])
        pairs = set()
        for _, kind, head, tail, _ in (c for c in columns if len(c) == 5):
            found = {
                (a, b, kind)
                for start, end in sentences
                for a, first in enumerate(mentions)
                for b, second in enumerate(mentions)
                if a != b and start <= first[0] < end and start <= second[0] < end and head in first[2] and tail in second[2]
                if head != tail or a < b
            }
            pairs |= found
            num_lost += not found
        num_mentions, num_pairs = num_mentions + len(mentions), num_pairs + len(pairs)
    sentences, report = read(pubtator.READER, raw / "Dev.PubTator")
    assert sum(len(sentence.entities) for sentence in sentences) == num_mentions
    assert sum(len(sentence.relations or ()) for sentence in sentences) == num_pairs
    assert report.lost_relations.total() == num_lost
    assert report.lost_entities == 0


def test_gold_relations_of_concepts_are_the_relation_lines_of_the_file(raw: Path):
    facts, nearest = set(), Counter[int]()
    for article in (raw / "Dev.PubTator").read_text(encoding="utf-8").strip().split("\n\n"):
        title, abstract, *lines = article.split("\n")
        text = f"{title.split('|t|', 1)[1]}\n{abstract.split('|a|', 1)[1]}"
        columns = [line.split("\t") for line in lines]
        mentions = [(int(c[1]), int(c[2]), c[5].split(",")) for c in columns if len(c) == 6]
        starts = [start for start, _ in split_sentences(text, [(start, end) for start, end, _ in mentions])]
        places = [(sum(start <= mention[0] for start in starts), mention[2]) for mention in mentions]
        for key, kind, head, tail, _ in (c for c in columns if len(c) == 5):
            facts.add((key, kind, *sorted((head, tail))))
            # the relation of a concept with itself: two mentions that name it alone
            ends = [[n for n, ids in places if end in ids and (head != tail or ids == [end])] for end in (head, tail)]
            apart = [abs(a - b) for i, a in enumerate(ends[0]) for j, b in enumerate(ends[1]) if head != tail or i != j]
            nearest[min(apart, default=1000)] += 1
    documents = list(pubtator.READER.read(raw / "Dev.PubTator", ReadReport()))
    for window in (1, 2, 3):
        unreachable = sum(count for apart, count in nearest.items() if apart >= window)
        joined = [with_relations_of_passages(document, passages(document, window).sentences) for document in documents]
        result = evaluate_concepts(documents, joined, direction="undirected", window=window)
        assert result.counts[:, 2].sum() == len(facts) == 1162
        assert result.unreachable == unreachable
        assert result.counts[:, 0].sum() == len(facts) - unreachable  # the gold relations of mentions say all others
