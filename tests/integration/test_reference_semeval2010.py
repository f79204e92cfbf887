"""SemEval-2010 Task 8 against the reference conversion: equal in every token, entity and relation."""

from __future__ import annotations

from pathlib import Path

import pytest
from reference import facts_of, read_corpus, reference, totals

from relsift.readers.semeval2010 import READER

RAW = "semeval2010_task8/raw/SemEval2010_task8_"
# The reference takes its development part from the end of the training file. Other (1410 and 454 sentences) is no relation.
FILES = {
    "training_TRAIN_FILE.TXT": (("train", "dev"), (8000, 16000, 8000 - 1410)),
    "testing_keys_TEST_FILE_FULL.TXT": (("test",), (2717, 5434, 2717 - 454)),
}


@pytest.mark.parametrize("name", FILES)
def test_sentences_equal_the_reference(corpora: Path, name: str):
    parts, sizes = FILES[name]
    documents, report = read_corpus(READER, corpora / f"{RAW}{name}")
    read, expected = facts_of(documents), reference(corpora / "semeval2010_task8", *parts)
    assert totals(read) == sizes
    assert [(f"semeval-{f.id}", f.tokens, f.content) for f in read] == [(f.id, f.tokens, f.content) for f in expected]
    assert not report.dropped


def test_the_folder_yields_both_files_and_counts_the_other_three(corpora: Path):
    documents, report = read_corpus(READER, corpora / "semeval2010_task8/raw")
    assert len(documents) == 10717
    assert report.dropped == {"files of a folder that are in another format": 3}
