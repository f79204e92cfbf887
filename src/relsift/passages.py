"""Passages: sentences joined with those that follow, so that models see relations whose ends stand in different sentences.

Passage i of a document is sentence i with the next `window - 1` sentences. It *owns* the pairs of entities whose earlier one stands in
sentence i. So every pair fewer than `window` sentences apart belongs to one passage, and every relation is counted once. To models and
scores a passage is a sentence like any other (`Sentence.parts` says where its sentences begin).

A relation of concepts (`Document.concept_relations`) joins every two of their mentions that one passage holds, as within a sentence.

A passage ends before the first sentence that is not annotated as its own is: whether a pair between the two is related is not known.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate

from relsift.concepts import across_of_concepts, facts_of_mentions, without_mentions
from relsift.schema import ROOT, Document, Entity, Relation, RelationAcross, RelationOfConcepts, Sentence, Syntax

_MOST_BLANKS = 10_000  # characters between two sentences of a document without text; with more, their place in a text is given up


def passages(document: Document, window: int) -> Document:
    """The document with one passage in the place of each sentence; `across` keeps the relations that no passage holds.

    Entities of sentence i come first in passage i, in their order, then those of the following ones; dependency trees become a forest. A
    repeated relation is held once.

    >>> ada, bo = (Sentence(name, (name, "left"), (Entity(0, 1, "PER"),), ()) for name in ("Ada", "Bo"))
    >>> joined = passages(Document("d", (ada, bo), across=(RelationAcross((1, 0), (0, 0), "follows"),)), window=2)
    >>> [(" ".join(passage.tokens), passage.relations) for passage in joined.sentences]
    [('Ada left Bo left', (Relation(head=1, tail=0, type='follows', score=None, probability=None),)), ('Bo left', ())]
    """
    if window == 1:
        return document
    ends = [_end(document.sentences, number, window) for number in range(len(document.sentences))]
    held: dict[int, list[RelationAcross]] = {}
    further = []
    for relation in document.across:
        if _is_held(document, relation, ends):
            held.setdefault(min(relation.head[0], relation.tail[0]), []).append(relation)
        else:
            further.append(relation)
    for relation in across_of_concepts(document, ends):
        held.setdefault(min(relation.head[0], relation.tail[0]), []).append(relation)
    joined = [
        _joined(document.sentences[number:end], number, held.get(number, ()), document.text) for number, end in enumerate(ends)
    ]
    return replace(document, sentences=tuple(joined), across=tuple(further))


def held_across(document: Document, window: int) -> list[RelationAcross]:
    """The relations across sentences that passages of so many sentences hold, in order and each as often as it stands there."""
    ends = [_end(document.sentences, number, window) for number in range(len(document.sentences))]
    return [relation for relation in document.across if _is_held(document, relation, ends)]


def held_of_concepts(document: Document, window: int) -> list[RelationOfConcepts]:
    """The relations of concepts with two mentions in a passage of so many sentences and in no sentence, as `held_across`."""
    ends = [_end(document.sentences, number, window) for number in range(len(document.sentences))]
    shown = facts_of_mentions(document, across_of_concepts(document, ends))
    return [one for one in without_mentions(document) if (one.head, one.tail, one.type) in shown]


def passages_to_predict(document: Document, window: int) -> Document:
    """`passages` of the document without its annotation, which does not decide then which sentences are read together."""
    if window == 1:
        return document
    bare = tuple(sentence.with_relations(None) for sentence in document.sentences)
    return passages(replace(document, sentences=bare, across=(), concept_relations=None), window)


def with_relations_of_passages(document: Document, predicted: Sequence[Sentence]) -> Document:
    """The document with the relations of its passages, in `across` those between sentences. It has no relations of concepts.

    Args: predicted: the passages of `passages` or `passages_to_predict`, in order, with relations that they own, of the same entities.
    """
    sentences, across = [], list[RelationAcross]()
    for number, (sentence, passage) in enumerate(zip(document.sentences, predicted, strict=True)):
        own = len(sentence.entities)
        sizes = (len(other.entities) for other in document.sentences[number : number + max(len(passage.parts), 1)])
        firsts = list(accumulate(sizes, initial=0))
        within = []
        for relation in passage.relations or ():
            if relation.head < own and relation.tail < own:
                within.append(relation)
            else:
                head, tail = (_place(position, firsts, number) for position in (relation.head, relation.tail))
                across.append(RelationAcross(head, tail, relation.type, relation.score, relation.probability))
        sentences.append(sentence.with_relations(None if passage.relations is None else within))
    return replace(document, sentences=tuple(sentences), across=tuple(across), concept_relations=None)


def _end(sentences: Sequence[Sentence], number: int, window: int) -> int:
    """The number of the sentence after the last one of the passage."""
    end = number + 1
    annotated = sentences[number].relations is not None
    while end < min(number + window, len(sentences)) and (sentences[end].relations is not None) == annotated:
        end += 1
    return end


def _is_held(document: Document, relation: RelationAcross, ends: Sequence[int]) -> bool:
    first, last = sorted((relation.head[0], relation.tail[0]))
    return last < ends[first] and document.sentences[first].relations is not None


def _place(position: int, firsts: Sequence[int], number: int) -> tuple[int, int]:
    """Sentence and position there of an entity of passage `number`. Args: firsts: number of entities before each of its sentences."""
    part = next(part for part in reversed(range(len(firsts) - 1)) if firsts[part] <= position)
    return number + part, position - firsts[part]


def _joined(sentences: Sequence[Sentence], number: int, across: Iterable[RelationAcross], text: str | None) -> Sentence:
    """One passage. Args: number: of its first sentence. across: relations that it holds, beside those of its first sentence."""
    first = sentences[0]
    if len(sentences) == 1:
        return first
    starts = list(accumulate((len(sentence.tokens) for sentence in sentences[:-1]), initial=0))
    firsts = list(accumulate((len(sentence.entities) for sentence in sentences), initial=0))
    relations = dict.fromkeys(first.relations or ())
    for relation in across:
        head, tail = (firsts[sentence - number] + position for sentence, position in (relation.head, relation.tail))
        relations.setdefault(Relation(head, tail, relation.type))
    is_tagged = any(sentence.tagged is not None for sentence in sentences)
    placed = _place_in_text(sentences, text)
    has_originals = any(sentence.original is not None for sentence in sentences)
    has_offsets = all(sentence.offsets is not None for sentence in sentences) and (placed is not None or not has_originals)
    return replace(
        first,
        tokens=tuple(token for sentence in sentences for token in sentence.tokens),
        entities=tuple(_moved((sentence.entities, start) for sentence, start in zip(sentences, starts))),
        relations=None if first.relations is None else tuple(relations),
        offsets=tuple(span for sentence in sentences for span in sentence.offsets or ()) if has_offsets else None,
        syntax=_forest(sentences, starts),
        tagged=tuple(_moved((sentence.tag_entities, start) for sentence, start in zip(sentences, starts))) if is_tagged else None,
        original=placed,
        parts=tuple(starts),
    )


def _moved(groups: Iterable[tuple[tuple[Entity, ...], int]]) -> Iterator[Entity]:
    for entities, start in groups:
        yield from (replace(entity, start=entity.start + start, end=entity.end + start) for entity in entities)


def _forest(sentences: Sequence[Sentence], starts: Sequence[int]) -> Syntax | None:
    trees = [sentence.syntax for sentence in sentences]
    known = [tree for tree in trees if tree is not None]
    if len(known) < len(trees):
        return None
    return Syntax(
        tuple(ROOT if head == ROOT else head + start for tree, start in zip(known, starts) for head in tree.heads),
        tuple(name for tree in known for name in tree.dependencies),
        tuple(name for tree in known for name in tree.pos),
    )


def _place_in_text(sentences: Sequence[Sentence], text: str | None) -> str | None:
    """The text from the first token to the last; None: unknown. Between sentences of a document without text stand blanks."""
    extents = [sentence.extent for sentence in sentences]
    known = [extent for extent in extents if extent is not None]
    if len(known) < len(extents):
        return None
    if text is not None:
        return text[min(start for start, _ in known) : max(end for _, end in known)]
    joined = ""
    for sentence, (start, _) in zip(sentences, known):
        gap = start - known[0][0] - len(joined)
        if sentence.original is None or not 0 <= gap <= _MOST_BLANKS:
            return None
        joined += " " * gap + sentence.original
    return joined
