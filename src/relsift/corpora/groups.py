"""Groups of documents that must stay on one side of every split: they have the same id, or share a long sentence.

CoNLL04, DDI-2013 and Chinese Literature contain the same text several times, even with different annotation. A copy of a test document in
the training part is a leak.
"""

from __future__ import annotations

from collections.abc import Sequence

from relsift.errors import DataError
from relsift.schema import Document, Sentence
from relsift.stable_random import stable_integer

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


def folds_of(sentences: Sequence[Sentence], folds: int, seed: int, *, error_of: str) -> list[int]:
    """The fold of each sentence, from 0. Documents of one group are in one fold; folds have about equally many sentences.

    Args: error_of: what needs the folds, for messages. Raises: DataError if there are fewer groups than folds.
    """
    documents: dict[str, list[int]] = {}
    for number, sentence in enumerate(sentences):
        documents.setdefault(sentence.doc_id or sentence.id, []).append(number)
    groups = group_documents([Document(name, tuple(sentences[number] for number in numbers)) for name, numbers in documents.items()])
    if len(groups) < folds:
        raise DataError(
            f"{error_of}: expected training sentences of at least {folds} documents, one a fold, got {len(groups)}; "
            "those that share sentences count as one"
        )
    fold_of, sizes = [0] * len(sentences), [0] * folds
    for group in sorted(groups, key=lambda group: stable_integer(seed, group[0].id)):
        fold = sizes.index(min(sizes))
        for document in group:
            sizes[fold] += len(document.sentences)
            for number in documents[document.id]:
                fold_of[number] = fold
    return fold_of
