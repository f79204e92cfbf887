"""The entries of the catalogue hold together; their files are checked in tests/integration/test_prepare_real.py."""

from __future__ import annotations

import re

import pytest

from relsift.candidates import DIRECTIONS
from relsift.corpora import catalogue
from relsift.corpora.corpus import SPLITS, Corpus
from relsift.readers.base import Reader
from relsift.registry import CORPORA, find
from relsift.schema import Document

ENTRIES: list[Corpus] = [find("corpus", name) for name in CORPORA]
each = pytest.mark.parametrize("corpus", ENTRIES, ids=lambda corpus: corpus.name)


@each
def test_an_entry_says_what_the_corpus_is_and_where_it_comes_from(corpus: Corpus):
    assert CORPORA[corpus.name].startswith("relsift.corpora.catalogue:")
    for text in (corpus.title, corpus.domain, corpus.licence, corpus.source, corpus.citation, *corpus.notes):
        assert text.strip() and "\n" not in text
    assert corpus.language in ("en", "zh")
    assert corpus.direction in DIRECTIONS
    for address in (corpus.homepage, corpus.download):
        assert address is None or address.startswith("https://")


@each
def test_readings_name_raw_files_formats_and_options_that_exist(corpus: Corpus):
    known = {raw.path for raw in corpus.raw}
    assert len(known) == len(corpus.raw)
    for raw in corpus.raw:
        assert re.fullmatch("[0-9a-f]{64}", raw.sha256)
    for reading in corpus.readings:
        assert corpus.shipped is not None or reading.raw in known
        reader: Reader = find("reader", reading.reader) if isinstance(reading.reader, str) else reading.reader
        for option, value in reading.options.items():
            assert option in reader.open_options or value in reader.options[option]
    assert {raw.path for raw in corpus.raw} <= {reading.raw for reading in corpus.readings}


@each
def test_a_corpus_is_shipped_or_has_raw_files(corpus: Corpus):
    assert (corpus.shipped is not None) != bool(corpus.raw)
    assert corpus.shipped is None or corpus.shipped.is_dir()


@pytest.mark.parametrize(
    ("split", "key", "expected"),
    [
        # SHA-1 modulo 10, by `int(hashlib.sha1(key.encode()).hexdigest(), 16) % 10`.
        (catalogue._ade_split, "10030778", "test"),
        (catalogue._ade_split, "10337682", "dev"),
        (catalogue._ade_split, "10048291", "train"),
        (catalogue._ddi_split, "DDI-DrugBank.d164", "dev"),
        (catalogue._ddi_split, "DDI-DrugBank.d436", "train"),
    ],
)
def test_documents_are_split_by_the_hash_of_their_id(split, key: str, expected: str):
    assert split(0, Document(key, ())) == expected


def test_semeval_is_split_by_position():
    reading = catalogue.SEMEVAL2010.readings[0]
    assert not isinstance(reading.split, str)
    assert [reading.split(n, Document("x", ())) for n in (0, 7199, 7200, 7999)] == ["train", "train", "dev", "dev"]


def test_every_split_of_a_corpus_can_be_reached():
    for corpus in ENTRIES:
        named = {reading.split for reading in corpus.readings if isinstance(reading.split, str)}
        assert named <= set(SPLITS)
        assert named == set(SPLITS) or any(not isinstance(reading.split, str) for reading in corpus.readings)
