"""The data model: documents of sentences with entities and relations.

Token spans are half-open indices into `Sentence.tokens`. Where the original text is known, `Sentence.offsets` holds the half-open
character span of every token in `Document.text`, so that every result can be located in the original text. All character offsets here
count code points from the beginning of the document.
All classes are frozen and validate themselves when they are created.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from importlib import import_module
from itertools import pairwise
from operator import itemgetter
from typing import Any, TypeVar

from relsift.errors import DataError
from relsift.token_text import has_blank_between, join_tokens
from relsift.views import EntityView, RelationView

Changed = TypeVar("Changed", "Sentence", "Document")

ROOT = -1  # the head of a token that has none
_END = itemgetter(1)  # of a span
_CYCLE_SHOWN = 20  # tokens of a cycle in a message
_DRAWING = "relsift.report.notebook"  # by name: it lies above, and only a notebook needs it


@dataclass(frozen=True, slots=True)
class Entity:
    """A typed mention in a sentence: tokens `start` to `end`, the end exclusive.

    >>> mayor = Entity(3, 5, "PER")
    >>> Sentence("s", ("She", "met", "the", "town", "mayor"), (mayor,)).text_of(mayor)
    'town mayor'
    """

    start: int  # first token
    end: int  # token after the last one
    type: str
    subtype: str | None = None
    id: str | None = None
    chars: tuple[int, int] | None = None  # half-open character span in the document's text, if known; may be finer than the tokens
    score: float | None = None  # log-odds; None: annotated, not predicted
    concepts: tuple[str, ...] = ()  # ids of what it stands for in its document, such as D008750; empty: not known


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed, typed relation between two entities of a sentence.

    >>> Relation(head=0, tail=1, type="founder")  # entity 0 of its sentence is the founder of entity 1
    Relation(head=0, tail=1, type='founder', score=None, probability=None)
    """

    head: int  # position in the sentence's entities
    tail: int  # position in the sentence's entities
    type: str
    score: float | None = None  # log-odds; None: annotated, not predicted
    probability: float | None = None  # in [0, 1]; None: annotated, or predicted by a decision without calibration


@dataclass(frozen=True, slots=True)
class RelationAcross:
    """A directed, typed relation between two entities of different sentences of a document.

    >>> RelationAcross(head=(0, 1), tail=(2, 0), type="founder").distance  # from the first sentence to the third
    2
    """

    head: tuple[int, int]  # number of its sentence in the document, from 0; position in the sentence's entities
    tail: tuple[int, int]  # the same
    type: str
    score: float | None = None  # as of Relation
    probability: float | None = None

    @property
    def distance(self) -> int:
        """How many sentences lie from one end to the other: 1 for neighbours."""
        return abs(self.head[0] - self.tail[0])


@dataclass(frozen=True, slots=True)
class RelationOfConcepts:
    """A directed, typed relation between two concepts of a document: "in this document, D008750 causes D003866".

    >>> RelationOfConcepts("Q7259", "Q312", "founder", evidence=(0,)).evidence  # the first sentence shows it
    (0,)
    """

    head: str  # id of a concept, which need not have a mention
    tail: str  # the same concept if it is related to itself
    type: str
    evidence: tuple[int, ...] | None = None  # numbers of the sentences that show it, in order; None: any with two mentions may show it


@dataclass(frozen=True, slots=True)
class Syntax:
    """A sentence's dependency trees, one value of each field a token. Several roots are allowed (a forest), cycles are not.

    >>> tree = Syntax(heads=(1, ROOT, 1), dependencies=("nsubj", "root", "obj"), pos=("PROPN", "VERB", "PROPN"))
    >>> Sentence("s1", ("Ada", "founded", "Acme"), syntax=tree).syntax.heads.index(ROOT)  # "founded" is the root
    1
    """

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

    >>> entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    >>> sentence = Sentence("s", ("Ada", "leads", "Acme"), entities, (Relation(head=0, tail=1, type="leads"),))
    >>> [(sentence.text_of(entities[r.head]), r.type, sentence.text_of(entities[r.tail])) for r in sentence.relations]
    [('Ada', 'leads', 'Acme')]
    >>> Sentence("s", ("Ada",), (Entity(0, 2, "PER"),))
    Traceback (most recent call last):
    relsift.errors.DataError: sentence 's', entity 0: expected 0 <= start < end <= 1 tokens, got start 0, end 2
    """

    id: str
    tokens: tuple[str, ...]
    entities: tuple[Entity, ...] = ()  # in file order
    relations: tuple[Relation, ...] | None = None  # None: not annotated; empty: annotated, there are none
    doc_id: str | None = None
    offsets: tuple[tuple[int, int], ...] | None = None  # half-open character span of each token in the document's text
    syntax: Syntax | None = None  # None: not parsed
    tagged: tuple[Entity, ...] | None = None  # what the model sees as tags, such as a tagger's output; None: `entities`
    original: str | None = None  # the document's text from the first token to the last; None: unknown. A Document with text sets it
    parts: tuple[int, ...] = ()  # first tokens of the sentences of a passage (see `relsift.passages`); empty: one sentence

    def __post_init__(self) -> None:
        where = f"sentence {self.id!r}"
        if not self.tokens:
            raise DataError(f"{where}: expected at least one token, got none")
        if not all(self.tokens):
            raise DataError(f"{where}: expected tokens of at least one character, got an empty one at {self.tokens.index('')}")
        if self.offsets is not None and len(self.offsets) != len(self.tokens):
            raise DataError(f"{where}: expected one offset per token ({len(self.tokens)}), got {len(self.offsets)}")
        if self.original is not None:
            extent = self.extent
            if extent is None or len(self.original) != extent[1] - extent[0]:
                got = "no offsets" if extent is None else f"offsets from {extent[0]} to {extent[1]}"
                raise DataError(f"{where}: expected offsets that span the original text of {len(self.original)} characters, got {got}")
        if self.syntax is not None and len(self.syntax.heads) != len(self.tokens):
            raise DataError(f"{where}: expected one head per token ({len(self.tokens)}), got {len(self.syntax.heads)}")
        if self.parts and not (self.parts[0] == 0 and all(a < b for a, b in pairwise((*self.parts, len(self.tokens))))):
            raise DataError(f"{where}: expected parts that begin at token 0 and rise below {len(self.tokens)}, got {self.parts}")
        self._check("entity", self.entities)
        if self.tagged is not None:
            self._check("tagged entity", self.tagged)
        self._check_relations(self.relations or ())

    def _check_relations(self, relations: tuple[Relation, ...]) -> None:
        where, size = f"sentence {self.id!r}", len(self.entities)
        for number, relation in enumerate(relations):
            for role, position in (("head", relation.head), ("tail", relation.tail)):
                if not 0 <= position < size:
                    raise DataError(f"{where}, relation {number}: expected a {role} in 0..{size - 1} ({size} entities), got {position}")
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

    def owns(self, first: Entity, second: Entity) -> bool:
        """Whether the pair belongs to this sentence: of a passage, if one of the two stands in its first sentence."""
        return len(self.parts) < 2 or min(first.start, second.start) < self.parts[1]

    @property
    def extent(self) -> tuple[int, int] | None:
        """Half-open character span in the document's text, from the first token to the last; None: unknown."""
        return None if not self.offsets else (min(self.offsets)[0], max(map(_END, self.offsets)))

    @property
    def text(self) -> str:
        """The sentence as in the original text; where that is unknown, its tokens as they are set in print."""
        return self._words(0, len(self.tokens)) if self.original is None else self.original

    @property
    def token_spans(self) -> list[tuple[int, int]]:
        """The half-open character span of each token in `text`."""
        if self.original is not None and self.offsets is not None and self.extent is not None:
            first, _ = self.extent
            return [(start - first, end - first) for start, end in self.offsets]
        spans, place = [], 0
        for number, token in enumerate(self.tokens):
            place += self.has_blank_before(number)
            spans.append((place, place + len(token)))
            place += len(token)
        return spans

    def text_of(self, entity: Entity) -> str:
        """The mention as in the original text; where that is unknown, its tokens as they are set in print."""
        span = self.characters_of(entity)
        if span is None or self.original is None or self.extent is None:
            return self._words(entity.start, entity.end)
        first, _ = self.extent
        return self.original[span[0] - first : span[1] - first]

    def with_characters(self, entity: Entity) -> Entity:
        """The entity with the characters of its tokens, unless it has some; as it is if the sentence has no offsets."""
        if self.offsets is None or entity.chars is not None:
            return entity
        covered = self.offsets[entity.start : entity.end]
        return replace(entity, chars=(min(covered)[0], max(map(_END, covered))))

    def characters_of(self, entity: Entity) -> tuple[int, int] | None:
        """Half-open character span of the mention in the document's text, inside the sentence; None: the original text is unknown."""
        if self.original is None or self.offsets is None or self.extent is None:
            return None
        covered = self.offsets[entity.start : entity.end]
        start, end = entity.chars or (min(covered)[0], max(map(_END, covered)))
        first, last = self.extent
        start = min(max(start, first), last)
        return start, min(max(end, start), last)

    def has_blank_before(self, token: int) -> bool:
        """Whether a blank stands before the token with this number: by the offsets if known, else by the rules of print."""
        if token == 0:
            return False
        if self.offsets is not None:
            return self.offsets[token - 1][1] < self.offsets[token][0]
        return has_blank_between(self.tokens[token - 1], self.tokens[token])

    def _words(self, start: int, end: int) -> str:
        tokens = self.tokens[start:end]
        if self.offsets is None:
            return join_tokens(tokens)
        blanks = (" " if number > start and self.has_blank_before(number) else "" for number in range(start, end))
        return "".join(blank + token for blank, token in zip(blanks, tokens))

    def with_relations(self, relations: Iterable[Relation] | None) -> Sentence:
        """The same sentence with these relations in place of its own."""
        own = None if relations is None else tuple(relations)
        self._check_relations(own or ())
        return _changed(self, _SENTENCE_FIELDS, relations=own)  # the rest was checked when this sentence was made

    def _repr_html_(self) -> str:
        """For notebooks."""
        html: str = import_module(_DRAWING).sentence_html(self)
        return html


@dataclass(frozen=True, slots=True)
class Document:
    """Sentences that belong together: the unit of splits and folds.

    Formats such as PubTator, BioC and DocRED relate concepts, which have several mentions (`Entity.concepts`). Models relate mentions, so
    readers also give each relation of concepts to mentions. `concept_relations` keeps what was annotated: the relations of mentions do not
    tell it, since concepts may have no two mentions in one sentence, and a mention may stand for several concepts.

    >>> Document("d1", (Sentence("s1", ("Ada", "left"), (Entity(0, 1, "PER"),), offsets=((0, 3), (4, 8))),), "Ada left").entities
    (<PER 'Ada' 0:3>,)
    """

    id: str
    sentences: tuple[Sentence, ...]
    text: str | None = None  # the original text, if known
    across: tuple[RelationAcross, ...] = ()  # relations between entities of different sentences, in file order
    concept_relations: tuple[RelationOfConcepts, ...] | None = None  # in file order; None: none are annotated as such

    def __post_init__(self) -> None:
        for number, relation in enumerate(self.across):
            self._check_across(relation, f"document {self.id!r}, relation {number} across sentences")
        for number, fact in enumerate(self.concept_relations or ()):
            self._check_concepts(fact, f"document {self.id!r}, relation {number} of concepts")
        if self.text is not None:
            # Results are sentences, not documents: each carries its own part of the text.
            object.__setattr__(self, "sentences", tuple(_with_original(sentence, self.text) for sentence in self.sentences))

    def _check_across(self, relation: RelationAcross, where: str) -> None:
        for role, (number, position) in (("head", relation.head), ("tail", relation.tail)):
            if not 0 <= number < len(self.sentences):
                size = len(self.sentences)
                raise DataError(f"{where}: expected a {role} in sentence 0..{size - 1} ({size} sentences), got sentence {number}")
            if not 0 <= position < (size := len(self.sentences[number].entities)):
                raise DataError(f"{where}: expected a {role} in 0..{size - 1} ({size} entities of sentence {number}), got {position}")
        if relation.head[0] == relation.tail[0]:
            raise DataError(f"{where}: expected entities of two sentences, got two of sentence {relation.head[0]}")
        if not relation.type:
            raise DataError(f"{where}: expected a type, got an empty string")

    def _check_concepts(self, relation: RelationOfConcepts, where: str) -> None:
        for name in ("head", "tail", "type"):
            if not getattr(relation, name):
                raise DataError(f"{where}: expected a {name}, got an empty string")
        size = len(self.sentences)
        if outside := [number for number in relation.evidence or () if not 0 <= number < size]:
            raise DataError(f"{where}: expected evidence in sentence 0..{size - 1} ({size} sentences), got sentence {outside[0]}")

    @property
    def entities(self) -> tuple[EntityView, ...]:
        """Those of all sentences, in order."""
        return tuple(EntityView(sentence, entity) for sentence in self.sentences for entity in sentence.entities)

    @property
    def relations(self) -> tuple[RelationView, ...]:
        """Those of all sentences, in order, then those across sentences; a sentence without annotation has none."""
        within = (RelationView(sentence, relation) for sentence in self.sentences for relation in sentence.relations or ())
        return (*within, *(self.view(relation) for relation in self.across))

    def with_sentences(self, sentences: tuple[Sentence, ...]) -> Document:
        """The same document with these sentences in place of its own, without relations across sentences or of concepts."""
        is_checked = len(sentences) == len(self.sentences) and all(
            new.offsets is own.offsets and new.original is own.original for new, own in zip(sentences, self.sentences)
        )
        if is_checked:
            return _changed(self, _DOCUMENT_FIELDS, sentences=sentences, across=(), concept_relations=None)
        return replace(self, sentences=sentences, across=(), concept_relations=None)

    def view(self, relation: RelationAcross) -> RelationView:
        """One of `across`."""
        (number, head), (other, tail) = relation.head, relation.tail
        positions = Relation(head, tail, relation.type, relation.score, relation.probability)
        return RelationView(self.sentences[number], positions, self.sentences[other])

    def _repr_html_(self) -> str:
        """For notebooks."""
        html: str = import_module(_DRAWING).document_html(self)
        return html


_SENTENCE_FIELDS = tuple((field.name, getattr(Sentence, field.name)) for field in fields(Sentence))
_DOCUMENT_FIELDS = tuple((field.name, getattr(Document, field.name)) for field in fields(Document))


def _changed(one: Changed, slots: Iterable[tuple[str, Any]], **values: Any) -> Changed:
    """A copy with other values of some fields, which is not checked: `replace` checks all fields again. Args: slots: of its class."""
    copy = object.__new__(type(one))
    for name, slot in slots:
        slot.__set__(copy, values[name] if name in values else slot.__get__(one))  # a frozen class refuses attributes
    return copy


def _with_original(sentence: Sentence, text: str) -> Sentence:
    if sentence.offsets is None:
        return sentence
    size = len(text)
    for start, end in sentence.offsets:
        if not 0 <= start < end <= size:
            raise DataError(f"sentence {sentence.id!r}: expected token offsets inside the text of {size} characters, got {start}..{end}")
    start, end = sentence.extent or (0, 0)
    original = text[start:end]
    if sentence.original is None:
        return replace(sentence, original=original)
    if sentence.original != original:
        raise DataError(f"sentence {sentence.id!r}: expected its own text at {start}..{end} of the document's, got {original[:80]!r}")
    return sentence


def sentences_of(documents: Iterable[Document]) -> Iterator[Sentence]:
    """All sentences, in order.

    >>> one, two = Sentence("s1", ("Ada", "left")), Sentence("s2", ("Bo", "stayed"))
    >>> [sentence.id for sentence in sentences_of([Document("d1", (one,)), Document("d2", (two,))])]
    ['s1', 's2']
    """
    for document in documents:
        yield from document.sentences
