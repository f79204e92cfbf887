"""Groups of documents that must stay on one side of every split: they have the same id, or share a long sentence.

CoNLL04, DDI-2013 and Chinese Literature contain the same text several times, even with different annotation. A copy of a test document in
the training part is a leak.
"""

from __future__ import annotations

from collections.abc import Sequence

from relsift.schema import Document

SHARED_TOKENS = 8  # a shared sentence of at least so many tokens joins two documents; shorter ones are shared by chance

Group = list[Document]


def group_documents(documents: Sequence[Document]) -> list[Group]:
    """Documents that must not be separated, in the order of their first one."""
    parent = list(range(len(documents)))  # a forest of positions; the root of a tree is its first document

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = position = parent[parent[position]]
        return position

    first_position: dict[object, int] = {}
    for position, document in enumerate(documents):
        keys: list[object] = [document.id, *(s.tokens for s in document.sentences if len(s.tokens) >= SHARED_TOKENS)]
        for key in keys:
            earlier, later = sorted((root(first_position.setdefault(key, position)), root(position)))
            parent[later] = earlier
    groups: dict[int, Group] = {}
    for position, document in enumerate(documents):
        groups.setdefault(root(position), []).append(document)
    return list(groups.values())
