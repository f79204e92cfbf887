"""Chinese Literature (brat, Chinese, wrapped lines) against the reference conversion, which was cleaned.

The reference leaves out 115 of 837 articles (one of each two that are the same text, and those with hardly a relation), keeps one
entity a span, leaves out Coreference, and cuts every sentence at its mark, even inside an entity.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from documents import DocumentFacts, compare, facts_by_document, reference_by_document

from relsift.readers.base import ReadReport
from relsift.readers.brat import READER

PARTS = {"train": "Training", "dev": "Validation", "test": "Testing"}
OPTIONS = {"unit": "characters", "lines": "wrapped", "subtypes": "hyphen", "equivalences": "ignore", "offsets": "nearby"}
# Their text lost characters after it was annotated, so every entity behind the gap stands one or two characters off.
SHIFTED = {"1122", "191", "706", "893", "898", "905", "907"}


@pytest.fixture(scope="module")
def both(corpora: Path) -> tuple[dict[str, DocumentFacts], dict[str, DocumentFacts], ReadReport]:
    folder = corpora / "chinese_literature"
    if not folder.is_dir():
        pytest.skip(f"no Chinese Literature at {folder}")
    report = ReadReport()
    read: dict[str, DocumentFacts] = {}
    expected: dict[str, DocumentFacts] = {}
    for part, name in PARTS.items():
        read |= facts_by_document(READER.read(folder / "raw" / name, report, **OPTIONS))
        expected |= reference_by_document(folder / f"{part}.jsonl", lambda key: key.split("-")[1])
    return read, expected, report


def test_every_article_of_the_reference_has_the_same_text(both):
    read, expected, _ = both
    assert (len(read), len(expected)) == (837, 722)
    assert all(read[name].text == facts.text for name, facts in expected.items())


def test_what_is_left_out_is_counted(both):
    _, _, report = both
    assert report.dropped == {
        "equivalences, as asked": 8353,
        "relations across sentences": 2131,
        "entities moved by up to 3 characters to their words (kept)": 1852,
        "entities whose punctuation was edited after annotation (kept)": 59,
        "duplicate relations": 12,
        "entities whose words are not at their offsets": 4,
        "relations of a dropped entity": 4,
        "stray lines after an entity": 2,
        "discontinuous entities": 2,
        "notes": 1,
    }


def test_sentences_end_at_the_same_places_but_not_inside_entities_or_before_commas(both):
    read, expected, _ = both
    differences = compare(read, expected, "ends")
    assert differences.counts() == (33735, 1, 148)
    inside = [(name, end) for name, end in differences.only_reference if _inside(end, read[name])]
    others = [read[name].text[end] for name, end in set(differences.only_reference) - set(inside)]
    # Behind the last one stands a closing bracket, which for us belongs to the sentence before it: the one end only we have.
    assert (len(inside), others.count("，"), others.count(","), others.count("、"), others.count("〉")) == (108, 35, 2, 2, 1)


def test_entities_are_the_same_but_for_the_choices_of_the_reference(both):
    read, expected, _ = both
    differences = compare(read, expected, "entities")
    assert differences.counts() == (135130, 132, 55)
    spans = {name: {(first, end) for first, end, _ in facts.entities} for name, facts in expected.items()}
    second = cut = other = 0
    for (name, (first, end, _)), count in differences.only_read.items():
        if (first, end) in spans[name]:
            second += count  # another entity on a span that has one
        elif any(first < mark < end for mark in expected[name].ends):
            cut += count
        else:
            other += count
    assert (second, cut, other) == (48, 42, 42)
    # The rest: words that go on in the next line of the .ann (the reference has the first line only), and words of which half
    # the characters happen to stand at the wrong offsets (the reference leaves them there).
    shorter = wrong = 0
    for name, (first, end, kind) in differences.only_reference:
        longer = any(a == first and b > end and k == kind for a, b, k in read[name].entities)
        shorter += longer
        wrong += not longer and name in SHIFTED
    assert (shorter, wrong) == (39, 16)


def test_relations_are_the_same_but_where_entities_or_sentences_differ(both):
    read, expected, _ = both
    differences = compare(read, expected, "relations")
    assert differences.counts() == (13736, 25, 12)
    for name, (head, tail, _) in differences.only_read:
        same_entities = expected[name].entities[head] == read[name].entities[head] == 1 == expected[name].entities[tail]
        together = not any(min(head[0], tail[0]) < end < max(head[1], tail[1]) for end in expected[name].ends)
        assert not (same_entities and together)


def _inside(position: int, facts: DocumentFacts) -> bool:
    return any(first < position < end for first, end, _ in facts.entities)
