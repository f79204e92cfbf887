"""The data model: documents of sentences with entities and relations.

Token spans are half-open indices into `Sentence.tokens`. Where the original text is known, `Sentence.offsets` holds the half-open
character span of every token in `Document.text`, so that every result can be located in the original text.
All classes are frozen and validate themselves when they are created.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from relsift.errors import DataError

ROOT = -1  # the head of a token that has none
_CYCLE_SHOWN = 20  # tokens of a cycle in a message


@dataclass(frozen=True, slots=True)
class Entity:
    """A typed mention in a sentence."""

    start: int  # first token
    end: int  # token after the last one
    type: str
    subtype: str | None = None
    id: str | None = None
    chars: tuple[int, int] | None = None  # half-open character span in the document's text, if known; may be finer than the tokens


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed, typed relation between two entities of a sentence."""

    head: int  # position in the sentence's entities
    tail: int  # position in the sentence's entities
    type: str
    score: float | None = None  # log-odds; None: annotated, not predicted


@dataclass(frozen=True, slots=True)
class Syntax:
    """A sentence's dependency trees, one value of each field a token. Several roots are allowed (a forest), cycles are not."""

    heads: tuple[int, ...]  # token index of the token's head, ROOT for a root
    dependencies: tuple[str, ...]  # label of the arc to the head
    pos: tuple[str, ...]  # part of speech

    def __post_init__(self) -> None:
        size = len(self.heads)
        for name, values in (("dependencies", self.dependencies), ("pos", self.pos)):
            if len(values) != size:
                raise DataError(f"syntax: expected one of {name} for each of {size} heads, got {len(values)}")
        for token, head in enumerate(self.heads):
            if not ROOT <= head < size or head == token:
                raise DataError(f"syntax, token {token}: expected another token 0..{size - 1} as head, or {ROOT} for a root, got {head}")
        rooted = {ROOT}  # tokens whose path upwards is known to end at a root
        for start in range(size):
            token, path = start, dict[int, None]()  # in order, and a step is found at once: a sentence can be one long chain
            while token not in rooted:
                if token in path:
                    steps = list(path)
                    cycle = steps[steps.index(token) :]
                    raise DataError(f"syntax, token {token}: expected trees, got a cycle of heads through tokens {cycle[:_CYCLE_SHOWN]}")
                path[token] = None
                token = self.heads[token]
            rooted.update(path)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence with its entities and relations.

    Relations and candidate pairs are between `entities`, also where `tagged` is set.
    """

    id: str
    tokens: tuple[str, ...]
    entities: tuple[Entity, ...] = ()  # in file order
    relations: tuple[Relation, ...] | None = None  # None: not annotated; empty: annotated, there are none
    doc_id: str | None = None
    offsets: tuple[tuple[int, int], ...] | None = None  # half-open character span of each token in the document's text
    syntax: Syntax | None = None  # None: not parsed
    tagged: tuple[Entity, ...] | None = None  # what the model sees as tags, such as a tagger's output; None: `entities`

    def __post_init__(self) -> None:
        where = f"sentence {self.id!r}"
        if not self.tokens:
            raise DataError(f"{where}: expected at least one token, got none")
        if not all(self.tokens):
            raise DataError(f"{where}: expected tokens of at least one character, got an empty one at {self.tokens.index('')}")
        if self.offsets is not None and len(self.offsets) != len(self.tokens):
            raise DataError(f"{where}: expected one offset per token ({len(self.tokens)}), got {len(self.offsets)}")
        if self.syntax is not None and len(self.syntax.heads) != len(self.tokens):
            raise DataError(f"{where}: expected one head per token ({len(self.tokens)}), got {len(self.syntax.heads)}")
        self._check("entity", self.entities)
        if self.tagged is not None:
            self._check("tagged entity", self.tagged)
        for number, relation in enumerate(self.relations or ()):
            for role, position in (("head", relation.head), ("tail", relation.tail)):
                if not 0 <= position < len(self.entities):
                    raise DataError(
                        f"{where}, relation {number}: expected a {role} in 0..{len(self.entities) - 1} "
                        f"({len(self.entities)} entities), got {position}"
                    )
            if relation.head == relation.tail:
                raise DataError(f"{where}, relation {number}: expected two different entities, got {relation.head} twice")
            if not relation.type:
                raise DataError(f"{where}, relation {number}: expected a type, got an empty string")

    def _check(self, name: str, entities: tuple[Entity, ...]) -> None:
        for number, entity in enumerate(entities):
            if not 0 <= entity.start < entity.end <= len(self.tokens):
                raise DataError(
                    f"sentence {self.id!r}, {name} {number}: expected 0 <= start < end <= {len(self.tokens)} tokens, "
                    f"got start {entity.start}, end {entity.end}"
                )
            if not entity.type:
                raise DataError(f"sentence {self.id!r}, {name} {number}: expected a type, got an empty string")

    @property
    def tag_entities(self) -> tuple[Entity, ...]:
        """The entities that the model sees as tags."""
        return self.entities if self.tagged is None else self.tagged

    def text_of(self, entity: Entity) -> str:
        """The mention's tokens joined by blanks (by nothing between Chinese characters)."""
        return join_tokens(self.tokens[entity.start : entity.end])

    def with_relations(self, relations: Iterable[Relation] | None) -> Sentence:
        """The same sentence with these relations in place of its own."""
        return replace(self, relations=None if relations is None else tuple(relations))


@dataclass(frozen=True, slots=True)
class Document:
    """Sentences that belong together: the unit of splits and folds."""

    id: str
    sentences: tuple[Sentence, ...]
    text: str | None = None  # the original text, if known

    def __post_init__(self) -> None:
        if self.text is None:
            return
        for sentence in self.sentences:
            for start, end in sentence.offsets or ():
                if not 0 <= start < end <= len(self.text):
                    raise DataError(
                        f"sentence {sentence.id!r}: expected token offsets inside the text of {len(self.text)} characters, "
                        f"got {start}..{end}"
                    )


def sentences_of(documents: Iterable[Document]) -> Iterator[Sentence]:
    """All sentences, in order."""
    for document in documents:
        yield from document.sentences


def join_tokens(tokens: Iterable[str]) -> str:
    """Tokens as readable text: blanks between words, none between two CJK characters."""
    text = ""
    for token in tokens:
        if text and not (is_cjk(text[-1]) and is_cjk(token[0])):
            text += " "
        text += token
    return text


def is_cjk(character: str) -> bool:
    """Whether it is a Chinese ideograph or full-width punctuation."""
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\ufaff" or "\uff00" <= character <= "\uffef" or (
        "\U00020000" <= character <= "\U0003ffff"
    )
