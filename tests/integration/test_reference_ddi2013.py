"""DDI-2013 against the reference conversion, which covers discontinuous entities from end to end.

Read that way, all is the same but for two sentences: the offsets of one discontinuous entity are off by one (d216.s16), which the
reference does not see; and one interaction has no type (d236.s29), which the reference calls `int`. Both are left out here.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from reference import Facts, facts_of, read_corpus, reference, totals

from relsift.readers.base import ReadReport
from relsift.readers.ddi2013 import READER
from relsift.schema import Document
from relsift.text import tokenise

Both = tuple[list[Document], ReadReport, list[Facts]]


@pytest.fixture(scope="module")
def both(corpora: Path) -> Both:
    expected = reference(corpora / "ddi2013", "train", "dev", "test")
    report = ReadReport()
    return list(READER.read(corpora / "ddi2013/raw", report, discontinuous="cover")), report, expected


def test_sentences_entities_and_relations_are_those_of_the_reference(both: Both):
    documents, report, expected = both
    read = facts_of(documents)
    assert len(documents) == 905
    assert (totals(read), totals(expected)) == ((8204, 17804, 4999), (8204, 17805, 5000))
    contents = {f.id: f.content for f in expected}
    assert sorted(f.id for f in read if f.content != contents[f.id]) == ["DDI-DrugBank.d216.s16", "DDI-DrugBank.d236.s29"]
    assert report.dropped == {
        "sentences without text": 71,
        "discontinuous entities covered from end to end": 46,
        "discontinuous entities": 1,
        "interactions without a type": 1,
    }


def test_discontinuous_entities_and_their_relations_are_dropped_by_default(corpora: Path):
    documents, report = read_corpus(READER, corpora / "ddi2013/raw")
    assert totals(facts_of(documents)) == (8204, 17805 - 47, 4999 - 25)
    assert report.dropped["discontinuous entities"] == 47
    assert report.dropped["relations of a dropped entity"] == 25


def test_tokens_are_those_of_the_reference(both: Both):
    documents, _, expected = both
    tokens = {f.id: f.tokens for f in expected}
    assert [f.id for f in facts_of(documents) if f.tokens != tokens[f.id]] == ["DDI-DrugBank.d216.s16"]


def test_tokens_differ_from_the_bare_tokeniser_only_where_a_mention_begins_or_ends_inside_a_word(both: Both):
    documents, _, expected = both
    tokens = {f.id: f.tokens for f in expected}
    uncut = 0
    for document in documents:
        for sentence in document.sentences:
            assert document.text is not None and sentence.offsets is not None
            text = document.text[sentence.offsets[0][0] : sentence.offsets[-1][1]]
            uncut += tuple(text[start:end] for start, end in tokenise(text)) == tokens[sentence.id]
    assert (uncut, len(tokens)) == (8150, 8204)
