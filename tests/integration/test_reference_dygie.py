"""SciERC's DyGIE files against the reference conversion, which was made from SpERT's version of the corpus.

The two versions write relation types and brackets differently (`USED-FOR` and `Used-for`, `-LRB-` and `(`); spans, entity types
and pairs are the same.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from reference import Facts, facts_of, read_corpus, reference, totals

from relsift.readers.dygie import READER
from relsift.schema import Document, sentences_of

# documents; sentences, entities, relations; sentences with a bracket; clusters
SCIERC = {
    "train": (350, (1861, 5598, 3215), 252, 720),
    "dev": (50, (275, 811, 455), 35, 100),
    "test": (100, (551, 1685, 974), 81, 195),
}
BRACKETS = {"-LRB-": "(", "-RRB-": ")", "-LSB-": "[", "-RSB-": "]"}


@pytest.mark.parametrize("part", SCIERC)
def test_scierc_equals_the_reference_but_for_brackets_and_the_case_of_relation_types(corpora: Path, part: str):
    documents, report = read_corpus(READER, corpora / f"scierc/raw/coref_{part}.json")
    expected = reference(corpora / "scierc", part)
    num_documents, sizes, bracketed, clusters = SCIERC[part]
    assert len(documents) == num_documents
    assert totals(facts_of(documents)) == sizes
    sentences = list(sentences_of(documents))
    assert sum(s.tokens != f.tokens for s, f in zip(sentences, expected, strict=True)) == bracketed
    assert [tuple(BRACKETS.get(token, token) for token in s.tokens) for s in sentences] == [f.tokens for f in expected]
    assert [f.content for f in facts_of(map(_with_plain_brackets, documents))] == [_with_capitals(f).content for f in expected]
    # The raw training file states four relations twice; the reference keeps one of each, as we do.
    assert report.dropped == {"coreference clusters": clusters} | ({"duplicate relations": 4} if part == "train" else {})


def _with_plain_brackets(document: Document) -> Document:
    sentences = (replace(s, tokens=tuple(BRACKETS.get(token, token) for token in s.tokens)) for s in document.sentences)
    return replace(document, sentences=tuple(sentences))


def _with_capitals(facts: Facts) -> Facts:
    return replace(facts, relations=tuple(sorted((head, tail, kind.upper()) for head, tail, kind in facts.relations)))
