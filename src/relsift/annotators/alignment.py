"""Character spans of a sentence's text to entities of its tokens, for annotators that read text and not tokens."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from relsift.readers.base import ReadReport
from relsift.schema import Entity, Sentence

_BLANK = -1  # in place of a token's number


class Mention(NamedTuple):
    """A named span of characters in a sentence's `text`."""

    start: int
    end: int
    type: str
    subtype: str | None = None


class TokenSpan(NamedTuple):
    """Tokens under a character span."""

    start: int  # first token
    end: int  # token after the last one
    is_exact: bool  # whether the characters begin and end with these tokens, but for blanks


class Alignment:
    """The tokens of one sentence by the characters of its `text`."""

    def __init__(self, sentence: Sentence) -> None:
        self._spans = sentence.token_spans
        self._token_of = [_BLANK] * len(sentence.text)
        for token, (start, end) in enumerate(self._spans):
            self._token_of[start:end] = [token] * (end - start)

    def tokens(self, start: int, end: int) -> TokenSpan | None:
        """The tokens that have a character in the span; None if it holds blanks alone."""
        places = [place for place in range(start, end) if self._token_of[place] != _BLANK]
        if not places:
            return None
        tokens = [self._token_of[place] for place in places]
        first, last = min(tokens), max(tokens)
        is_exact = self._spans[first][0] == places[0] and self._spans[last][1] == places[-1] + 1
        return TokenSpan(first, last + 1, is_exact)


def widened(sentence: Sentence, mentions: Iterable[Mention], finder: str, report: ReadReport) -> list[Entity]:
    """The mentions as entities without overlaps; one that ends inside a token is widened to the whole token.

    What is widened or left out is counted in the report: mentions of blanks alone, and those whose token an earlier one has.

    Args: mentions: without overlaps, in text order. finder: name of the annotator, for the report.
    """
    alignment = Alignment(sentence)
    entities: list[Entity] = []
    for mention in mentions:
        tokens = alignment.tokens(mention.start, mention.end)
        place = f"sentence {sentence.id!r}: {sentence.text[mention.start : mention.end]!r}"
        if tokens is None:
            report.drop(f"entities of {finder} that are blank", place)
            continue
        if entities and tokens.start < entities[-1].end:
            report.drop(f"entities of {finder} in a token that an earlier one has", place)
            continue
        if not tokens.is_exact:
            report.drop(f"entities of {finder} widened to whole tokens", place)
        entities.append(Entity(tokens.start, tokens.end, mention.type, mention.subtype))
    return entities
