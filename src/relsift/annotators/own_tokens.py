"""Corpora have tokens of their own, raw text gets those of `relsift.text`: how far they differ, and sentences with ours in place of theirs.

A model that learned "U.S." as one token and reads "U", ".", "S", "." ends the entity too early. Training on our tokens removes that loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from relsift.annotators.alignment import Alignment
from relsift.schema import Entity, Sentence
from relsift.text import tokenise

_MANY = 0.02  # share from which on the user gets advice
ADVICE = (
    "raw text will be read with other tokens than the model learns, which costs entities; --set text.tokens=text trains it on the tokens "
    "of raw text"
)


@dataclass(frozen=True)
class TokenFit:
    """How the tokens of sentences compare with those that relsift makes of their text."""

    tokens: int  # of the sentences
    other: int  # of these, tokens that are none of ours
    edges: int  # first and last characters of entities
    inside: int  # of these, those inside one of our tokens, where no entity of raw text can begin or end

    def lines(self) -> list[str]:
        """For the user; none if all tokens are ours."""
        if not self.other:
            return []
        line = (
            f"tokens: {_share(self.other, self.tokens)} of the {self.tokens} tokens of the training data are cut otherwise in raw text, "
            f"and {_share(self.inside, self.edges)} of the {self.edges} ends of entities lie inside a token there"
        )
        is_much = max(self.other / self.tokens, self.inside / max(1, self.edges)) > _MANY
        return [f"{line}; {ADVICE}" if is_much else line]


def token_fit(sentences: Iterable[Sentence]) -> TokenFit:
    """Of sentences whose text is not known, the text is that of their tokens as they are set in print."""
    tokens = other = edges = inside = 0
    for sentence in sentences:
        spans, ours = sentence.token_spans, tokenise(sentence.text)
        tokens += len(spans)
        other += len(set(spans) - set(ours))
        between = {place for start, end in ours for place in range(start + 1, end)}
        ends = [place for entity in sentence.entities for place in (spans[entity.start][0], spans[entity.end - 1][1])]
        edges += len(ends)
        inside += len([place for place in ends if place in between])
    return TokenFit(tokens, other, edges, inside)


def with_own_tokens(sentence: Sentence) -> Sentence:
    """The same sentence, cut into our tokens.

    An entity that ends inside one of them ends a token there, unless it is one character to the eye: then the entity is widened to it.
    Trees are left out, since they are of other tokens. Where the text is not known, it is that of the tokens as they are set in print, and
    offsets count from its beginning.
    """
    spans, text = sentence.token_spans, sentence.text
    groups = (sentence.entities, sentence.tagged or ())
    ends = [place for group in groups for entity in group for place in (spans[entity.start][0], spans[entity.end - 1][1])]
    ours = tokenise(text, ends)
    start = 0 if sentence.extent is None else sentence.extent[0]
    cut = replace(
        sentence, tokens=tuple(text[a:b] for a, b in ours), entities=(), relations=None, tagged=None, syntax=None,
        offsets=tuple((start + a, start + b) for a, b in ours), original=text,
    )  # fmt: skip
    alignment = Alignment(cut)

    def moved(entity: Entity) -> Entity:
        tokens = alignment.tokens(spans[entity.start][0], spans[entity.end - 1][1])
        return entity if tokens is None else replace(entity, start=tokens.start, end=tokens.end)

    return replace(
        cut, entities=tuple(map(moved, sentence.entities)), relations=sentence.relations,
        tagged=None if sentence.tagged is None else tuple(map(moved, sentence.tagged)),
    )  # fmt: skip


def _share(part: int, whole: int) -> str:
    return f"{100 * part / max(1, whole):.1f} %"
