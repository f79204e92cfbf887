"""Training sentences in a file: read as often as training needs them, one at a time, where they do not fit into memory.

In memory are some 30 bytes a sentence: places in the file, and what warnings and the run folder have to know of all sentences.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from relsift.corpora.leaks import fingerprint
from relsift.readers.store_columns import unchecked_object
from relsift.schema import Entity, Relation, Sentence, Syntax
from relsift.training.record_file import MadeItems, RecordFile

_HEX = 16  # base of the digits of a fingerprint
_ID_BYTES = 8  # of the hash of an id: two of ten million agree by chance once in 360,000 corpora
_encode = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode  # in ASCII
_decode = json.JSONDecoder().decode


class SentenceFile(MadeItems[Sentence]):
    """The sentences of one part of the data, or some of them, in order.

    >>> sentences = [Sentence("a", ("Ada",), relations=()), Sentence("b", ("Bo", "left"))]
    >>> filed = SentenceFile.of(sentences, Path("."))
    >>> list(filed) == sentences, [sentence.id for sentence in filed.annotated()]
    (True, ['a'])
    """

    def __init__(self, folder: Path, file: RecordFile, numbers: Sequence[int], facts: _Facts) -> None:
        """Args: folder: where the file is. numbers: of the sentences in the file. facts: of all sentences of the file."""
        self.folder, self._file, self._numbers, self._facts = folder, file, numbers, facts

    @classmethod
    def of(cls, sentences: Iterable[Sentence], folder: Path) -> SentenceFile:
        """Write the sentences, which are read once.

        Args: folder: of the file, which has no name and is gone with the last use, or with the process.
        Raises: OutputError as `RecordFile`.
        """
        facts = _Facts()
        file = RecordFile(folder, "the training sentences", (_packed(sentence) for sentence in facts.seen(sentences)))
        return cls(folder, file, range(len(file)), facts)

    def __len__(self) -> int:
        return len(self._numbers)

    def made(self, number: int) -> Sentence:
        return _unpacked(self._file[self._numbers[number]])

    def annotated(self) -> SentenceFile:
        """Those with relation annotation."""
        known = self._facts.annotated
        if all(known):
            return self
        return SentenceFile(self.folder, self._file, array("Q", (number for number in self._numbers if known[number])), self._facts)

    def repeated_ids(self) -> list[str]:
        """As `relsift.corpora.leaks.repeated_ids`, of all sentences of the file."""
        hashes = np.frombuffer(self._facts.ids, np.uint64)
        order = hashes.argsort(kind="stable")  # equal ones in the order of their sentences
        later = order[1:][hashes[order[1:]] == hashes[order[:-1]]]
        return [_unpacked(self._file[int(number)]).id for number in np.sort(later)]

    def fingerprints(self) -> Iterator[str]:
        """As of `relsift.corpora.leaks.fingerprint`, of all sentences of the file: each once, in order."""
        return (f"{value:0{_HEX}x}" for value in np.unique(self._facts.texts).tolist())

    def known_among(self, fingerprints: Collection[str]) -> set[str]:
        """Which of these fingerprints sentences of the file have."""
        values = np.array([int(text, _HEX) for text in fingerprints], np.uint64)
        found = values[np.isin(values, np.frombuffer(self._facts.texts, np.uint64))]
        return {f"{value:0{_HEX}x}" for value in found.tolist()}

    @property
    def relation_types(self) -> frozenset[str]:
        """Of all sentences of the file."""
        return frozenset(self._facts.relation_types)


class _Facts:
    """What is known of all sentences of a file without reading it."""

    def __init__(self) -> None:
        self.annotated = bytearray()  # of each sentence: 1 with relation annotation, else 0
        self.ids = array("Q")  # hash of each id
        self.texts = array("Q")  # fingerprint of each text
        self.relation_types = set[str]()

    def seen(self, sentences: Iterable[Sentence]) -> Iterator[Sentence]:
        """The same sentences."""
        for sentence in sentences:
            self.annotated.append(sentence.relations is not None)
            self.ids.append(int.from_bytes(blake2b(sentence.id.encode("utf-8", "surrogatepass"), digest_size=_ID_BYTES).digest()))
            self.texts.append(int(fingerprint(sentence), _HEX))
            self.relation_types.update(relation.type for relation in sentence.relations or ())
            yield sentence


def _packed(sentence: Sentence) -> bytes:
    """All fields, in their order."""
    s, syntax = sentence, sentence.syntax
    fields = (
        s.id, s.tokens, _rows(s.entities), _rows(s.relations), s.doc_id, s.offsets,
        None if syntax is None else (syntax.heads, syntax.dependencies, syntax.pos), _rows(s.tagged), s.original, s.parts,
    )  # fmt: skip
    return _encode(fields).encode("ascii")


def _rows(objects: Sequence[Entity] | Sequence[Relation] | None) -> list[tuple[Any, ...]] | None:
    if objects is None:
        return None
    return [
        (o.start, o.end, o.type, o.subtype, o.id, o.chars, o.score, o.concepts)
        if isinstance(o, Entity) else (o.head, o.tail, o.type, o.score, o.probability)
        for o in objects
    ]  # fmt: skip


def _unpacked(record: bytes) -> Sentence:
    key, tokens, entities, relations, doc_id, offsets, syntax, tagged, original, parts = _decode(record.decode("ascii"))
    return unchecked_object(  # it was checked before it was written
        Sentence, key, tuple(tokens), _entities(entities),
        None if relations is None else tuple(Relation(*row) for row in relations), doc_id,
        None if offsets is None else tuple(map(tuple, offsets)), None if syntax is None else unchecked_object(Syntax, *map(tuple, syntax)),
        None if tagged is None else _entities(tagged), original, tuple(parts),
    )  # fmt: skip


def _entities(rows: Iterable[Sequence[Any]]) -> tuple[Entity, ...]:
    return tuple(
        Entity(start, end, kind, subtype, key, None if chars is None else (chars[0], chars[1]), score, tuple(concepts))
        for start, end, kind, subtype, key, chars, score, concepts in rows
    )
