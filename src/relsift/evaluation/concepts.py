"""Precision, recall and F1 of relations between the concepts of documents, whatever the mentions that show them.

BioRED, BC5CDR and DocRED ask which concepts of a document are related, not which mentions. So here a concept pair counts once a document:

    predicted  as related by r if at least one pair of their mentions is predicted as r. Its score is the highest of those pairs, so a
               threshold on pairs of mentions is one on concept pairs.
    gold       what the document says of concepts (`Document.concept_relations`), also where the two have no mentions that are read
               together: such a relation is missed. The number of these is in the setting. Where a document relates mentions alone, the
               concept pairs of these mentions.

Which concepts a pair of mentions stands for is said in `relsift.concepts`. In a document that relates concepts, a mention without one
belongs to no relation: what is predicted of it is left out and counted. Elsewhere such a mention is a concept of its own, so that
without any concepts the scores are those of mentions. This is the convention of BioRED's own evaluation: pair and type, a document at a
time, gold entities (Luo et al., Briefings in Bioinformatics 23, 2022).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from relsift.candidates import Direction
from relsift.concepts import concept_pairs
from relsift.errors import DataError
from relsift.evaluation.facts import EntityKey, Fact
from relsift.evaluation.scores import ErrorSplit, Scores, count_errors, counts_by_type
from relsift.evaluation.significance import Counts
from relsift.schema import Document, Relation, RelationAcross

_NO_PLACE = -1


@dataclass(frozen=True)
class ConceptScores:
    """The result of `evaluate_concepts`."""

    scores: Scores
    counts: Counts  # (D, 3) true positives, predicted and gold relations of each annotated document
    unreachable: int  # gold relations whose concepts have no two mentions in one sentence or passage; all are missed


@dataclass(frozen=True)
class _Facts:
    """Relations between the concepts of a document, each with its score."""

    scores: dict[Fact, float | None]
    num_without: int = 0  # relations of a mention without a concept, left out


def concept_scores(document: Document, direction: Direction, *, own: bool = True) -> dict[Fact, float | None]:
    """What the relations of mentions, within sentences and across, say of concepts, each with its highest score.

    Args: own: a mention without concepts is a concept of its own, and sentences that are not annotated say nothing; else its relations are
        left out.
    Returns: ((head, tail), type) -> score, None if no relation has one. A concept is (-1, -1, id), a mention that is one by itself
        (sentence, position, "").
    """
    return _said_of_concepts(document, direction, own=own).scores


def concept_facts(document: Document, direction: Direction) -> set[Fact]:
    """What is annotated of concepts: the gold side of `evaluate_concepts`, with keys as of `concept_scores`."""
    return set(_gold(document, direction).scores)


def evaluate_concepts(
    gold: Sequence[Document],
    predicted: Sequence[Document],
    *,
    direction: Direction,
    candidates: str = "not recorded",
    window: int = 1,
) -> ConceptScores:
    """Compare what the same documents in the same order say of concepts.

    Args:
        gold, predicted: with the same sentences and entities; not passages. predicted: relations of mentions alone are read.
        direction: *undirected* takes a relation and its reverse for the same. candidates: for the setting line.
        window: sentences that the predictor read together: which gold relations it could reach.
    Raises: DataError if the two sides do not hold the same documents, or no gold document is annotated.
    """
    if len(gold) != len(predicted):
        raise DataError(f"evaluate: expected as many predicted as gold documents ({len(gold)}), got {len(predicted)}")
    confusion, errors = Counter[tuple[str, str]](), Counter[str]()
    sides: list[tuple[set[Fact], set[Fact]]] = []
    num_sentences = unreachable = 0
    without = [0, 0]  # relations of mentions without a concept: gold, predicted
    for g, p in zip(gold, predicted):
        _check_same(g, p)
        if not is_annotated(g):
            continue
        gold_facts, predicted_facts = _gold(g, direction), _predicted(g, p, direction)
        sides.append((set(gold_facts.scores), set(predicted_facts.scores)))
        without = [without[0] + gold_facts.num_without, without[1] + predicted_facts.num_without]
        unreachable += len(gold_facts.scores) - len(_reachable(g, gold_facts.scores, direction, window))
        num_sentences += len(g.sentences) if g.concept_relations is not None else sum(s.relations is not None for s in g.sentences)
        count_errors(*sides[-1], errors, confusion)
    if not sides:
        raise DataError("evaluate: expected documents with relations of concepts or of mentions, got none")
    num_gold = sum(len(facts) for facts, _ in sides)
    setting = {
        "relations": "concepts", "documents": str(len(sides)), "entities": "gold", "match": "strict", "direction": direction,
        "candidates": candidates,
    }  # fmt: skip
    if len(sides) < len(gold):
        setting["not annotated, left out"] = f"{len(gold) - len(sides)} documents"
    if sum(without):
        setting["of mentions without a concept, left out"] = f"{without[0]} gold, {without[1]} predicted relations"
    together = "one sentence" if window == 1 else f"{window} sentences in a row"
    setting[f"no pair of mentions in {together}, counted as missed"] = f"{unreachable} of {num_gold} relations"
    split = ErrorSplit(errors["fn"], errors["fp"], errors["wc"], errors["reversed"])
    rows = [(len(g & p), len(p), len(g)) for g, p in sides]
    scores = Scores(setting, num_sentences, counts_by_type(sides), split, dict(confusion))
    return ConceptScores(scores, np.array(rows, np.int64), unreachable)


def is_annotated(document: Document) -> bool:
    """Whether the document has something to compare with: relations of concepts, or an annotated sentence."""
    return document.concept_relations is not None or any(sentence.relations is not None for sentence in document.sentences)


def _check_same(gold: Document, predicted: Document) -> None:
    def content(document: Document) -> list[object]:
        return [(s.tokens, [(e.start, e.end, e.type) for e in s.entities]) for s in document.sentences]

    if content(gold) != content(predicted):
        raise DataError(f"evaluate: expected the same tokens and entities on both sides, got a difference in document {gold.id!r}")


def _gold(document: Document, direction: Direction) -> _Facts:
    """What is annotated: relations of concepts, and those of mentions that do not follow from them."""
    if document.concept_relations is None:
        return _said_of_concepts(document, direction, own=True)
    known = {(one.head, one.tail, one.type) for one in document.concept_relations}
    facts: dict[Fact, float | None] = {}
    for one in document.concept_relations:
        facts[_in_order((_NO_PLACE, _NO_PLACE, one.head), (_NO_PLACE, _NO_PLACE, one.tail), direction), one.type] = None
    further = _said_of_concepts(document, direction, own=False, known=known)
    return _Facts(facts | further.scores, further.num_without)


def _predicted(gold: Document, predicted: Document, direction: Direction) -> _Facts:
    """Args: gold: whose annotation says which sentences count, and which concepts the mentions have."""
    return _said_of_concepts(predicted, direction, own=gold.concept_relations is None, concepts_of=gold)


def _reachable(document: Document, gold: Iterable[Fact], direction: Direction, window: int) -> set[Fact]:
    """The gold relations that a pair of mentions fewer than `window` sentences apart can say."""
    own = document.concept_relations is None
    types: dict[tuple[EntityKey, EntityKey], list[Fact]] = {}
    for fact in gold:
        types.setdefault(fact[0], []).append(fact)
    mentions = [[(number, position) for position in range(len(s.entities))] for number, s in enumerate(document.sentences)]
    found: set[Fact] = set()
    for number, here in enumerate(mentions):
        near = [place for others in mentions[max(0, number - window + 1) : number + window] for place in others]
        for head, tail in product(here, near):
            if head != tail:
                for pair in _concepts_of(document, head, tail, own=own):
                    found.update(types.get(_in_order(*pair, direction), ()))
    return found


def _said_of_concepts(
    document: Document,
    direction: Direction,
    *,
    own: bool,
    known: set[tuple[str, str, str]] | None = None,
    concepts_of: Document | None = None,
) -> _Facts:
    """Args: own: see `concept_scores`. known: relations of concepts from which relations of mentions follow, which are left out.
    concepts_of: the same document with the concepts, and with the annotation that says which sentences count; None: the document."""
    base = document if concepts_of is None else concepts_of
    facts: dict[Fact, float | None] = {}
    num_without = 0
    for relation in _relations_with_places(document):
        if own and any(base.sentences[number].relations is None for number, _ in (relation.head, relation.tail)):
            continue
        head, tail = (base.sentences[number].entities[position].concepts for number, position in (relation.head, relation.tail))
        if known is not None and any((a, b, relation.type) in known for a in head for b in tail):
            continue
        pairs = _concepts_of(base, relation.head, relation.tail, own=own)
        num_without += not pairs
        for pair in pairs:
            fact = _in_order(*pair, direction), relation.type
            scores = [score for score in (facts.get(fact), relation.score) if score is not None]
            facts[fact] = max(scores, default=None)
    return _Facts(facts, num_without)


def _relations_with_places(document: Document) -> Iterator[RelationAcross]:
    """The relations within sentences too, with the number of their sentence at both ends."""
    for number, sentence in enumerate(document.sentences):
        for relation in sentence.relations or ():
            yield _placed(number, relation)
    yield from document.across


def _placed(number: int, relation: Relation) -> RelationAcross:
    return RelationAcross((number, relation.head), (number, relation.tail), relation.type, relation.score, relation.probability)


def _concepts_of(document: Document, head: tuple[int, int], tail: tuple[int, int], *, own: bool) -> list[tuple[EntityKey, EntityKey]]:
    """The pairs of concepts that a pair of mentions stands for. Args: head, tail: sentence and position there."""
    keys: list[list[EntityKey]] = []
    for number, position in (head, tail):
        concepts = document.sentences[number].entities[position].concepts
        keys.append([(_NO_PLACE, _NO_PLACE, concept) for concept in concepts] or ([(number, position, "")] if own else []))
    return concept_pairs(*keys)


def _in_order(head: EntityKey, tail: EntityKey, direction: Direction) -> tuple[EntityKey, EntityKey]:
    return (tail, head) if direction == "undirected" and tail < head else (head, tail)
