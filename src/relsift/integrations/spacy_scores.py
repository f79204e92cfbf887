"""Precision, recall and F1 of `doc._.relations`, for `nlp.evaluate`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from spacy.training import Example

from relsift.candidates import Direction
from relsift.evaluation.scores import PRF, ScoresByType, counts_by_type
from relsift.readers.spacy_docs import stored, tutorial_relations
from relsift.spacy_storage import End, Stored


def score_relations(examples: Iterable[Example], *, direction: Direction, types: Mapping[str, str | None]) -> dict[str, Any]:
    """Relations match if both ends have the same characters and the same type of entity, and the types of the relations are the same.

    Examples whose reference is not annotated with relations are left out; without any other, every score is None. Gold relations may stand
    in `doc._.relations` or in `doc._.rel` (see `relsift.readers.spacy_docs`).

    Args:
        direction: *undirected* takes a relation and its reverse for the same.
        types: labels of entities that are called otherwise in the model; they are compared under its name.
    """

    def fact(relation: Stored) -> tuple[End, End, str]:
        ends = [end._replace(label=types.get(end.label) or end.label) for end in (relation.head, relation.tail)]
        head, tail = sorted(ends) if direction == "undirected" else ends
        return head, tail, relation.type

    sides = []
    for number, example in enumerate(examples):
        where = f"example {number}"
        gold = stored(example.reference, where)
        gold = tutorial_relations(example.reference, where) if gold is None else gold
        if gold is not None:
            sides.append(({fact(one) for one in gold}, {fact(one) for one in stored(example.predicted, where) or ()}))
    if not sides:
        return {"rel_micro_p": None, "rel_micro_r": None, "rel_micro_f": None, "rel_per_type": None}
    scores = ScoresByType({}, len(sides), counts_by_type(sides))
    micro = {f"rel_micro_{name}": value for name, value in _row(scores.micro).items()}
    return micro | {"rel_per_type": {name: _row(counts.prf) for name, counts in scores.per_type.items()}}


def _row(prf: PRF) -> dict[str, float]:
    return {"p": prf.precision, "r": prf.recall, "f": prf.f1}
