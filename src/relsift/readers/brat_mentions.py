"""From the mentions of a brat file to entities with offsets: are a mention's words where its positions say?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import pairwise

from relsift.errors import DataError
from relsift.readers.base import ReadReport
from relsift.readers.brat_lines import TextBound
from relsift.readers.positions import Positions
from relsift.readers.standoff import TextEntity, same_words
from relsift.text import Span, normal_forms

SHIFT = 3  # characters; by how much `offsets=nearby` moves a mention
_BLANKS = re.compile(r"\s*")


def is_misplaced(text: str, mention: TextBound, positions: Positions, *, nearby: bool) -> bool:
    """Are other words than its own at the mention's positions? Without a words column only its positions are checked.

    Args: nearby: words at most SHIFT characters away are in place.
    """
    if _is_empty(mention):
        return False
    spans = _located(mention, positions)
    if mention.words is None:
        return spans is None
    if spans is not None and (_agrees(text, spans, mention.words) or _differs_in_punctuation(text, spans, mention.words)):
        return False
    first, last = _first_and_last(spans or mention.spans)
    return not (nearby and _nearest_occurrence(text, first, last, mention.words))


def num_in_place(text: str, mentions: Iterable[TextBound], positions: Positions, *, nearby: bool) -> int:
    """How many mentions have their own words at their positions."""
    return sum(not is_misplaced(text, mention, positions, nearby=nearby) for mention in mentions)


def entity_of(text: str, mention: TextBound, positions: Positions, report: ReadReport, *, nearby: bool) -> TextEntity | None:
    """The entity at the mention's positions; None if it is dropped. What is dropped or moved is counted.

    Raises: DataError for positions outside the text.
    """
    spans = _located(mention, positions)
    if spans is None and not (nearby and mention.words):
        listed = ";".join(f"{start} {end}" for start, end in mention.spans)
        raise DataError(f"{mention.where}: expected offsets within the {len(text)} characters of the text, got {listed!r}")
    span = None if _is_empty(mention) else _span_of_words(text, mention, spans, report, nearby=nearby)
    if _is_empty(mention) or (span is not None and not text[slice(*span)].strip()):
        report.lose_entity("entities without text", mention.label)
        return None
    return None if span is None else TextEntity(mention.id, *span, mention.type)


def _span_of_words(text: str, mention: TextBound, spans: list[Span] | None, report: ReadReport, *, nearby: bool) -> Span | None:
    if spans is not None:
        in_order = sorted(spans)
        start, end = _first_and_last(spans)
        is_continuous = all(not text[left:right].strip() for left, right in _gaps(in_order))
        if is_continuous and (mention.words is None or _agrees(text, spans, mention.words)):
            if any(left > right for left, right in _gaps(in_order)):
                report.drop("entities of overlapping fragments (kept)", mention.label)
            return start, end
    else:
        start, end = _first_and_last(mention.spans)
        is_continuous = True
    nearby_span = _nearest_occurrence(text, start, end, mention.words) if nearby and mention.words else None
    if nearby_span:
        report.drop(f"entities moved by up to {SHIFT} characters to their words (kept)", mention.label)
        return nearby_span
    if not is_continuous:
        report.lose_entity("discontinuous entities", mention.label)
    elif spans is not None and mention.words is not None and _differs_in_punctuation(text, spans, mention.words):
        report.drop("entities whose punctuation was edited after annotation (kept)", mention.label)
        return start, end
    else:
        report.lose_entity("entities whose words are not at their offsets", mention.label)
    return None


def _is_empty(mention: TextBound) -> bool:
    return all(start == end for start, end in mention.spans)


def _located(mention: TextBound, positions: Positions) -> list[Span] | None:
    """The mention's fragments with text, in the order of the file, as offsets; None if one is outside the text."""
    spans = []
    for start, end in mention.spans:
        first, after_last = positions.offset(start), positions.offset(end)
        if first is None or after_last is None:
            return None
        spans.append((first, after_last))
    return [span for span in spans if span[0] < span[1]] or spans[:1]


def _first_and_last(spans: Sequence[Span]) -> Span:
    return min(start for start, _ in spans), max(end for _, end in spans)


def _gaps(spans: Sequence[Span]) -> list[Span]:
    """End and next start of each two neighbours of sorted spans; the end is greater where they overlap."""
    gaps, furthest = [], spans[0][1]
    for _, (start, end) in pairwise(spans):
        gaps.append((furthest, start))
        furthest = max(furthest, end)
    return gaps


def _agrees(text: str, spans: Sequence[Span], words: str) -> bool:
    """Are the words those of the fragments, joined as the file lists them or as they stand in the text, or all from first to last?"""
    in_order = sorted(spans)
    if same_words(" ".join(text[start:end] for start, end in spans), words):
        return True
    first_to_last = text[slice(*_first_and_last(spans))]
    is_continuous = all(not text[left:right].strip() for left, right in _gaps(in_order))
    return same_words(" ".join(text[start:end] for start, end in in_order), words) or (is_continuous and same_words(first_to_last, words))


def _nearest_occurrence(text: str, start: int, end: int, words: str) -> Span | None:
    """The span of `words`, in any normal form, that starts nearest to `start`, at most SHIFT characters away."""
    starts = range(max(0, start - SHIFT), min(start + SHIFT, len(text)) + 1)
    for position in sorted(starts, key=lambda position: abs(position - start)):
        for form in normal_forms("".join(words.split())):
            stop = _end_of(form, text, position, end + 2 * SHIFT)
            if stop is not None:
                return position, stop
    return None


def _end_of(words: str, text: str, position: int, last: int) -> int | None:
    """Where `words`, which have no blanks, end in the text if they begin at `position`, blanks between them aside."""
    for number, character in enumerate(words):
        if number:
            blanks = _BLANKS.match(text, position)
            position = blanks.end() if blanks else position
        if position >= min(len(text), last) or text[position] != character:
            return None
        position += 1
    return position if words else None


def _differs_in_punctuation(text: str, spans: Sequence[Span], words: str) -> bool:
    """Does a mention in one piece differ from its words only in punctuation (`;` and `、`)? Then the offsets still hold."""
    in_order = sorted(spans)
    if any(text[left:right].strip() for left, right in _gaps(in_order)):
        return False
    covered = text[slice(*_first_and_last(spans))]
    return len(covered) == len(words) and all(a == b or not (a.isalnum() or b.isalnum()) for a, b in zip(covered, words, strict=True))
