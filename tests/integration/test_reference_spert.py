"""SpERT's and TablERT's JSON against the reference conversions of CoNLL04 and SciERC."""

from __future__ import annotations

from pathlib import Path

import pytest
from reference import facts_of, read_corpus, reference, totals

from relsift.readers.spert import READER

CONLL04 = {"train": (922, 3377, 1283), "dev": (231, 893, 343), "test": (288, 1079, 422)}
SCIERC = {"train": (1861, 5598, 3215), "dev": (275, 811, 455), "test": (551, 1685, 974)}


@pytest.mark.parametrize("part", CONLL04)
def test_bilou_tags_of_conll04_equal_the_reference(corpora: Path, part: str):
    documents, report = read_corpus(READER, corpora / f"conll04/raw/conll04_{part}.json")
    read, expected = facts_of(documents), reference(corpora / "conll04", part)
    assert totals(read) == CONLL04[part]
    assert [(f"conll04-{part}-{f.id}", f.tokens, f.content) for f in read] == [(f.id, f.tokens, f.content) for f in expected]
    assert not report.dropped


@pytest.mark.parametrize("part", SCIERC)
def test_entity_lists_of_scierc_equal_the_reference(corpora: Path, part: str):
    documents, report = read_corpus(READER, corpora / f"scierc/raw/scierc_joint_er_{part}.json")
    read, expected = facts_of(documents), reference(corpora / "scierc", part)
    assert totals(read) == SCIERC[part]
    assert [(f.tokens, f.content) for f in read] == [(f.tokens, f.content) for f in expected]
    # The raw training file states four relations twice; the reference keeps one of each, as we do.
    assert report.dropped == ({"duplicate relations": 4} if part == "train" else {})
