"""What the shipped corpus promises, and that its guide describes it."""

from __future__ import annotations

import json
import re

import pytest

from relsift.candidates import CandidateReport, Candidates
from relsift.corpora.catalogue import GAZETTE_EN
from relsift.corpora.data import Data, resolve
from relsift.corpora.validation import validate
from relsift.readers.base import ReadReport
from relsift.readers.gazette import ALLOWED, ENTITY_TYPES, READER
from relsift.schema import sentences_of

LANGUAGES = {"en": (400, 60), "zh": (200, 30)}  # sentences and documents, at least
each = pytest.mark.parametrize("language", LANGUAGES)
assert GAZETTE_EN.shipped is not None
FOLDER = GAZETTE_EN.shipped.parent


def corpus(language: str) -> Data:
    return resolve(f"gazette-{language}")


@each
def test_size(language: str):
    documents = list(corpus(language).documents())
    sentences = list(sentences_of(documents))
    least_sentences, least_documents = LANGUAGES[language]
    assert len(documents) >= least_documents
    assert len(sentences) >= least_sentences
    assert sum(len(sentence.entities) for sentence in sentences) / len(sentences) >= 4.5


@each
def test_few_pairs_are_related(language: str):
    sentences = list(sentences_of(corpus(language).documents()))
    report = CandidateReport()
    candidates = Candidates.fit(sentences, direction="undirected")
    for sentence in sentences:
        candidates.pairs(sentence, report)
    assert 4 <= report.negative / report.positive <= 10


@each
def test_every_part_has_every_relation_type_and_about_its_share(language: str):
    data = corpus(language)
    sizes = {}
    for split in data.splits:
        sentences = list(sentences_of(data.documents(split)))
        assert {relation.type for s in sentences for relation in s.relations or ()} == set(ALLOWED)
        sizes[split] = len(sentences)
    total = sum(sizes.values())
    assert [round(sizes[split] / total, 1) for split in ("train", "dev", "test")] == pytest.approx([0.7, 0.15, 0.15], abs=0.06)


@each
def test_every_document_is_in_one_part_and_has_the_name_of_its_file(language: str):
    listed = json.loads((FOLDER / "splits.json").read_text(encoding="utf-8"))[language]
    files = {file.stem: file for file in (FOLDER / language).glob("*.txt")}
    assert sorted(key for keys in listed.values() for key in keys) == sorted(files)
    for key, file in files.items():
        assert file.read_text(encoding="utf-8").startswith(f"# {key}\n")


@each
def test_it_is_valid_and_no_sentence_stands_in_two_parts(language: str):
    findings = validate(corpus(language))
    assert (findings.warnings, findings.dropped_lines()) == ([], [])


@each
def test_two_mentions_of_one_apposition_are_not_related(language: str):
    """The guide: the two coreferent mentions are never related. Found where a second mention stands between two commas."""
    for sentence in sentences_of(corpus(language).documents()):
        for relation in sentence.relations or ():
            one, other = sorted((sentence.entities[relation.head], sentence.entities[relation.tail]), key=lambda e: e.start)
            between = sentence.tokens[one.end : other.start]
            after = sentence.tokens[other.end : other.end + 1]
            assert not (between == (",",) and after == (",",)), f"{sentence.id}: {sentence.text_of(one)}, {sentence.text_of(other)},"


def test_the_guide_has_the_types_and_its_example_reads(tmp_path):
    guide = (FOLDER / "GUIDE.md").read_text(encoding="utf-8")
    for name in (*ENTITY_TYPES, *ALLOWED):
        assert f"| {name} |" in guide
    example = re.search(r"(?ms)^    # en-001$.*?^    = none$", guide)
    assert example is not None
    (tmp_path / "example.txt").write_text(re.sub(r"(?m)^    ", "", example.group()) + "\n", encoding="utf-8")
    (document,) = READER.read(tmp_path / "example.txt", ReadReport())
    assert [len(sentence.relations or ()) for sentence in document.sentences] == [3, 0]
