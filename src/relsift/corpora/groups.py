"""Documents that must stay on one side of every split: they have the same id, or share a sentence that is too long to be shared by chance.

CoNLL04, DDI-2013 and Chinese Literature hold the same text several times, with different annotation even: a copy in the training part is a
leak.
"""

from __future__ import annotations

from collections.abc import Sequence

from relsift.schema import Document

SHARED_TOKENS = 8  # a sentence of so many tokens that stands in two documents joins them

Group = list[Document]


def group_documents(documents: Sequence[Document]) -> list[Group]:
    """Documents that must not be separated, in the order of their first one."""
    above = list(range(len(documents)))  # a forest of positions; the root of a tree is its first document

    def root(position: int) -> int:
        while above[position] != position:
            above[position] = position = above[above[position]]
        return position

    first: dict[object, int] = {}
    for position, document in enumerate(documents):
        keys: list[object] = [document.id, *(s.tokens for s in document.sentences if len(s.tokens) >= SHARED_TOKENS)]
        for key in keys:
            one, other = sorted((root(first.setdefault(key, position)), root(position)))
            above[other] = one
    groups: dict[int, Group] = {}
    for position, document in enumerate(documents):
        groups.setdefault(root(position), []).append(document)
    return list(groups.values())
