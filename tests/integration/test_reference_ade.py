"""Both forms of the ADE corpus against the reference conversion, which was made from DRUG-AE.rel.

DRUG-AE.rel equals the reference in every token, entity and relation. The folds lack the 119 sentences in which an effect contains
its drug (120 relations); what they have is the same, with other tokens in 711 sentences.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from reference import Facts, facts_of, read_corpus, reference, totals

from relsift.readers.ade import FOLDS, REL
from relsift.schema import sentences_of

PARTS = ("train", "dev", "test")  # the reference's own split, by abstract


def test_drug_ae_rel_equals_the_reference(corpora: Path):
    documents, report = read_corpus(REL, corpora / "ade/raw/DRUG-AE.rel")
    read = facts_of(documents)
    assert len(documents) == 1644
    assert totals(read) == (4272, 10839, 6821)
    ids = [sentence.doc_id for sentence in sentences_of(documents)]
    # The reference names a sentence after its abstract: ade-ID-checksum.
    assert Counter((key, f.tokens, f.content) for key, f in zip(ids, read)) == Counter(
        (f.id.split("-")[1], f.tokens, f.content) for f in reference(corpora / "ade", *PARTS)
    )
    assert not report.dropped


def _without_blanks(key: str, start: str, end: str, words: str) -> tuple[str, int, int, str]:
    """Two mentions of the file have a blank at their edge, which belongs to no entity of ours."""
    before, after = (len(words) - len(stripped) for stripped in (words.lstrip(), words.rstrip()))
    return key, int(start) + before, int(end) - after, words.strip()


def test_mentions_of_drug_ae_rel_point_into_the_rebuilt_abstract(corpora: Path):
    documents, _ = read_corpus(REL, corpora / "ade/raw/DRUG-AE.rel")
    stated = set()
    for line in (corpora / "ade/raw/DRUG-AE.rel").read_text(encoding="utf-8").splitlines():
        key, *_, effect, start, end, drug, drug_start, drug_end = line.split("|")
        stated |= {_without_blanks(key, start, end, effect), _without_blanks(key, drug_start, drug_end, drug)}
    read_entities = {
        (document.id, *entity.chars, (document.text or "")[slice(*entity.chars)])
        for document in documents
        for sentence in document.sentences
        for entity in sentence.entities
        if entity.chars is not None
    }
    assert read_entities == stated


def test_one_fold_equals_the_reference_but_for_sentences_with_a_drug_inside_an_effect(corpora: Path):
    read = [f for part in ("train", "valid", "test") for f in _fold(corpora, part, 0)]
    assert totals(read) == (4153, 10477, 6552)
    _assert_reference_without_nested(corpora, read)


def test_the_test_parts_of_the_ten_folds_are_together_one_corpus(corpora: Path):
    read = [f for fold in range(10) for f in _fold(corpora, "test", fold)]
    assert totals(read) == (4153, 10477, 6552)
    _assert_reference_without_nested(corpora, read)
    same_tokens = Counter(f.tokens for f in read) & Counter(f.tokens for f in reference(corpora / "ade", *PARTS))
    assert same_tokens.total() == 4153 - 711


def _fold(corpora: Path, part: str, number: int) -> list[Facts]:
    documents, report = read_corpus(FOLDS, corpora / f"ade/raw/folds/{part}.ADE{number}.json")
    assert not report.dropped
    return facts_of(documents)


def _assert_reference_without_nested(corpora: Path, read: list[Facts]) -> None:
    expected = reference(corpora / "ade", *PARTS)
    nested = [f for f in expected if any(_overlap(head, tail) for head, tail, _ in f.relations)]
    assert len(nested) == 119
    assert sum(_overlap(head, tail) for f in expected for head, tail, _ in f.relations) == 120
    assert Counter(f.content for f in read) + Counter(f.content for f in nested) == Counter(f.content for f in expected)


def _overlap(one: tuple[int, int, str], other: tuple[int, int, str]) -> bool:
    return one[0] < other[1] and other[0] < one[1]
