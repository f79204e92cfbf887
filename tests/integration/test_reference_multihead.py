"""The multi-head text of CoNLL04 against the reference conversion, which was made from another distribution of the corpus.

The other distribution often leaves the last full stop of a sentence at the word before it ("town." for "town ."), which moves the
end of an entity that stands there, and three times a comma at the word after it. Nothing else differs.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reference import Facts, Mention, facts_of, read_corpus, reference, totals

from relsift.readers.multihead import READER


def test_test_part_equals_the_reference_but_for_glued_punctuation(corpora: Path):
    documents, report = read_corpus(READER, corpora / "conll04/raw/multihead_test.txt")
    read = facts_of(documents)
    assert totals(read) == (288, 1079, 422)
    assert _compare(read, reference(corpora / "conll04", "test")) == {
        "equal": 216, "full stops": 71, "entities before them": 36, "commas": 1,
    }  # fmt: skip
    assert not report.dropped


def test_training_and_development_parts_together_equal_the_reference_but_for_glued_punctuation(corpora: Path):
    # The two distributions cut the same 1153 sentences differently: 910 + 243 here, 922 + 231 in the reference.
    train, report = read_corpus(READER, corpora / "conll04/raw/multihead_train.txt")
    dev, dev_report = read_corpus(READER, corpora / "conll04/raw/multihead_dev.txt")
    assert totals(facts_of(train)) == (910, 3393, 1273)
    assert totals(facts_of(dev)) == (243, 877, 353)
    # One sentence has both a full stop and a comma glued.
    assert _compare(facts_of([*train, *dev]), reference(corpora / "conll04", "train", "dev")) == {
        "equal": 893, "full stops": 259, "entities before them": 115, "commas": 2,
    }  # fmt: skip
    assert report.dropped == {"I- tags that continue no entity, read as B-": 2}
    assert not dev_report.dropped


def _compare(read: list[Facts], expected: list[Facts]) -> dict[str, int]:
    """Count what the reference glued together; assert that nothing else differs."""
    # The corpus numbers its sentences; the reference puts the part's name before the number.
    by_number = {f.id.rpartition("-")[2]: f for f in expected}
    assert {f.id for f in read} == set(by_number)
    counts = {"equal": 0, "full stops": 0, "entities before them": 0, "commas": 0}
    for facts in read:
        other = by_number[facts.id]
        glued_stop = facts.tokens[-1] == "." != other.tokens[-1]
        same = _with_full_stop(facts) if glued_stop else facts
        assert same.content == other.content
        counts["equal"] += facts.tokens == other.tokens
        counts["full stops"] += glued_stop
        counts["entities before them"] += same.entities != facts.entities
        counts["commas"] += len(facts.tokens) - len(other.tokens) - glued_stop
    assert sum(any(token[0] == "," != token for token in f.tokens) for f in expected) == counts["commas"]
    return counts


def _with_full_stop(facts: Facts) -> Facts:
    """An entity before the last full stop now contains it."""
    last = len(facts.text) - 1

    def moved(mention: Mention) -> Mention:
        start, end, kind = mention
        return start, end + 1 if end == last else end, kind

    entities = tuple(sorted(moved(entity) for entity in facts.entities))
    relations = tuple(sorted((moved(head), moved(tail), kind) for head, tail, kind in facts.relations))
    return replace(facts, entities=entities, relations=relations)
