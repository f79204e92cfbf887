"""ScienceIE (brat, English) against the reference conversion.

Tokens, entities and relations are the same; sentences end at the same places but for abbreviations and unusual capitals.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from documents import DocumentFacts, compare, facts_by_document, reference_by_document

from relsift.corpora.catalogue import SCIENCEIE
from relsift.readers.base import ReadReport
from relsift.readers.brat import READER

PARTS = ("train", "dev", "test")
OPTIONS = SCIENCEIE.readings[0].options  # as the named corpus is read: tokens and sentences of version 0.2


@pytest.fixture(scope="module")
def both(corpora: Path) -> tuple[dict[str, DocumentFacts], dict[str, DocumentFacts], ReadReport]:
    folder = corpora / "scienceie"
    if not folder.is_dir():
        pytest.skip(f"no ScienceIE at {folder}")
    report = ReadReport()
    read: dict[str, DocumentFacts] = {}
    expected: dict[str, DocumentFacts] = {}
    for part in PARTS:
        # Seven names occur in two parts: the same article, annotated differently.
        read |= {f"{part}/{k}": v for k, v in facts_by_document(READER.read(folder / "raw" / part, report, **OPTIONS)).items()}
        sentences = reference_by_document(folder / f"{part}.jsonl", lambda key: key.split("-")[1])
        expected |= {f"{part}/{k}": v for k, v in sentences.items()}
    return read, expected, report


def test_documents_and_tokens_are_the_same(both):
    read, expected, _ = both
    assert len(read) == 500
    assert read.keys() == expected.keys()
    for name, facts in expected.items():
        assert sum(read[name].tokens, ()) == sum(facts.tokens, ())


def test_entities_are_the_same_but_for_those_annotated_twice(both):
    read, expected, _ = both
    differences = compare(read, expected, "entities")
    assert differences.counts() == (9938, 8, 0)
    assert all(expected[name].entities[mention] for name, mention in differences.only_read)


def test_relations_are_the_same_with_synonyms_for_each_two_members(both):
    read, expected, report = both
    assert compare(read, expected, "relations").counts() == (1061, 0, 0)
    assert report.dropped == {"relations across sentences": 12}


def test_sentences_end_at_the_same_places_but_for_abbreviations_and_unusual_capitals(both):
    read, expected, _ = both
    differences = compare(read, expected, "ends")
    assert differences.counts() == (3367, 6, 37)
    # The reference ends a sentence after "Eq." and the like before a bracket or a capital, and after the single letter Λ.
    assert all(re.search(r"(Eqs?|Refs?|Figs?|Ltd|Λ)\.$", read[name].text[:end]) for name, end in differences.only_reference)
    # It asks for A-Z, a digit or a bracket after the full stop.
    assert sorted(read[name].text[end] for name, end in differences.only_read) == ["(", "(", "Å", "Δ", "“", "•"]
