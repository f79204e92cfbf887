"""Every named corpus, prepared from a local copy of its raw files, against the reference conversions.

Where counts differ, the tests of the readers (test_reference_*.py) say why, fact by fact.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest
from reference import reference, totals

from relsift.corpora.corpus import SPLITS
from relsift.corpora.data import resolve
from relsift.corpora.prepare import prepare
from relsift.readers.base import ReadReport
from relsift.registry import CORPORA, find
from relsift.schema import sentences_of

Counts = dict[str, tuple[int, int, int]]  # split -> sentences, entities, relations

FOLDERS = {"semeval2010": "semeval2010_task8", "scicn": "scicn_resplit"}
# What the counts are over those of the reference; nothing where a corpus is not named.
DIFFERENCES: dict[str, Counts] = {
    # A mention with offsets off by one, and an interaction without a type.
    "ddi2013": {"train": (0, -1, -1)},
    # Relations of an entity with itself.
    "scicn": {"train": (0, 0, -4), "dev": (0, 0, -1)},
    # Sentences are not cut after "Eq." and the like; mentions annotated twice are kept.
    "scienceie": {"train": (-25, 0, 0), "dev": (-1, 8, 0), "test": (-5, 0, 0)},
    # Sentences are not cut inside entities; second entities on one span are kept.
    "chinese_literature": {"train": (-133, 62, 12), "dev": (-5, 6, 0), "test": (-9, 9, 1)},
}
# Corpora without a reference conversion. Entities of BioRED: lines of six columns; of PGxCorpus: T lines without a semicolon, less two
# whose fragments touch. Relations: counted once by hand-written scripts, and the same from BioC XML and JSON.
WITHOUT_REFERENCE: dict[str, Counts] = {
    "biored": {"train": (4293, 13351, 8812), "dev": (1107, 3533, 2303), "test": (1083, 3535, 2104)},
    "pgxcorpus": {"train": (744, 4970, 1931), "dev": (98, 682, 241), "test": (103, 702, 264)},
}


@pytest.fixture
def folder(corpora: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> Path:
    """The public corpus's folder; the corpus is prepared from it, in a home of its own."""
    folder = corpora / FOLDERS.get(name, name)
    if not folder.is_dir():
        pytest.skip(f"no corpus at {folder}")
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path))
    prepare(find("corpus", name), source=folder, home=tmp_path)
    return folder


def names() -> list[str]:
    """All corpora that are elsewhere; a quick run leaves out the one that test_reference_chinese_literature.py reads whole too."""
    is_quick = "RELSIFT_TEST_EXAMPLES" in os.environ
    left_out = {*WITHOUT_REFERENCE, "chinese_literature"} if is_quick else {*WITHOUT_REFERENCE}
    return [name for name in CORPORA if not name.startswith("gazette") and name not in left_out]


@pytest.mark.parametrize("name", names())
def test_counts_of_every_split_are_those_of_the_reference(folder: Path, name: str):
    data = resolve(name)
    assert data.splits == SPLITS
    report = ReadReport()
    actual = {}
    for split in SPLITS:
        sentences = list(sentences_of(data.documents(split, report)))
        entities = sum(len(sentence.entities) for sentence in sentences)
        actual[split] = (len(sentences), entities, sum(len(sentence.relations or ()) for sentence in sentences))
    assert not report.dropped, "what was prepared reads without loss"
    expected = {split: totals(reference(folder, split)) for split in SPLITS}
    differences = {split: tuple(a - b for a, b in zip(actual[split], expected[split])) for split in SPLITS}
    assert {split: d for split, d in differences.items() if any(d)} == DIFFERENCES.get(name, {})


@pytest.mark.parametrize("name", list(WITHOUT_REFERENCE))
@pytest.mark.usefixtures("folder")
def test_corpora_without_a_reference_have_the_counts_of_their_files(name: str):
    actual = {}
    for split in SPLITS:
        sentences = list(sentences_of(resolve(name).documents(split)))
        entities = sum(len(sentence.entities) for sentence in sentences)
        actual[split] = (len(sentences), entities, sum(len(sentence.relations or ()) for sentence in sentences))
    assert actual == WITHOUT_REFERENCE[name]


@pytest.mark.parametrize("name", ["conll04", "semeval2010"])
def test_tokens_of_every_split_are_those_of_the_reference(folder: Path, name: str):
    for split in SPLITS:
        tokens = [sentence.tokens for sentence in sentences_of(resolve(name).documents(split))]
        assert tokens == [facts.tokens for facts in reference(folder, split)]


@pytest.mark.parametrize("name", ["ade", "ddi2013"])
def test_documents_are_split_as_in_the_reference(folder: Path, name: str):
    for split in SPLITS:
        read = Counter("".join(sentence.tokens) for sentence in sentences_of(resolve(name).documents(split)))
        # Some tokens of the reference hold a blank, as DrugBank writes "40 %".
        assert read == Counter(facts.text for facts in reference(folder, split))
