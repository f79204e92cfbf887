"""Rows of a document store, column by column: checked with numpy, and made without a step of Python for each value.

The checks are those of the classes in `relsift.schema`, and of the native format for scores. `checked_columns` gives None where one of
them fails: the caller then makes the rows one by one, through the classes themselves, which say what is wrong. Trees are always made so.

Checked columns are lists of numbers and strings. Sentences are made of a few rows at once: objects that wait for their reader cost time
whenever Python looks for unused ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import cache
from itertools import pairwise, repeat
from typing import Any, TypeVar

import numpy as np

from relsift.errors import DataError
from relsift.schema import Entity, Relation, Sentence, Syntax

T = TypeVar("T")
Numbers = np.ndarray[Any, np.dtype[np.int64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]
_SENTENCES_AT_ONCE = 32


@cache
def _setters(cls: Any) -> tuple[Any, ...]:
    return tuple(getattr(cls, field.name).__set__ for field in fields(cls))  # of the slots: a frozen class refuses attributes


def unchecked_objects(cls: type[T], columns: Sequence[Iterable[Any]], size: int) -> tuple[T, ...]:
    """Objects of a frozen class from one column for each of its fields, in their order. Nothing is checked: the columns must be."""
    kind: Any = cls
    objects = tuple(map(object.__new__, repeat(cls, size)))
    for setter, values in zip(_setters(kind), columns, strict=True):
        deque(map(setter, objects, values), maxlen=0)
    return objects


def unchecked_object(cls: type[T], *values: Any) -> T:
    """`unchecked_objects` for a single object."""
    kind: Any = cls
    one = object.__new__(cls)
    for setter, value in zip(_setters(kind), values, strict=True):
        setter(one, value)
    return one


@dataclass(frozen=True, slots=True)
class Lists:
    """A column of lists: row i has the values edges[i]:edges[i + 1] of a longer column."""

    edges: Numbers
    present: Flags  # False: null, which has no values
    values: Any  # pyarrow array

    @staticmethod
    def of(column: Any) -> Lists:
        edges = column.offsets.to_numpy().astype(np.int64)
        first, last = edges[0], edges[-1]  # a batch can be a part of a longer column
        return Lists(edges - first, _present(column), column.values.slice(first, last - first))

    @property
    def sizes(self) -> Numbers:
        return np.diff(self.edges)

    @property
    def is_plain(self) -> bool:
        """Whether null has no values."""
        return not self.sizes[~self.present].any()


@dataclass(frozen=True, slots=True)
class Groups:
    """A checked column of lists."""

    edges: list[int]
    present: list[bool] | None  # None: there is no null

    @staticmethod
    def of(lists: Lists) -> Groups:
        return Groups(lists.edges.tolist(), None if lists.present.all() else lists.present.tolist())

    def span(self, first: int, last: int) -> slice:
        """Where the values of these rows are."""
        return slice(self.edges[first], self.edges[last])

    def cut(self, values: Sequence[Any], first: int, last: int) -> list[Any]:
        """A tuple for each of these rows, None for null. Args: values: of these rows alone."""
        start, edges = self.edges[first], self.edges[first : last + 1]
        if self.present is None:
            return [tuple(values[a - start : b - start]) for a, b in pairwise(edges)]
        rows = zip(pairwise(edges), self.present[first:last])
        return [tuple(values[a - start : b - start]) if is_present else None for (a, b), is_present in rows]


@dataclass(frozen=True, slots=True)
class Records:
    """Checked entities or relations: their fields as columns, for all rows."""

    cls: type
    groups: Groups
    columns: tuple[Sequence[Any], ...]

    def of(self, first: int, last: int) -> list[Any]:
        """Those of these rows, a tuple a row."""
        span = self.groups.span(first, last)
        size = span.stop - span.start
        return self.groups.cut(unchecked_objects(self.cls, [column[span] for column in self.columns], size) if size else (), first, last)


@dataclass(frozen=True, slots=True)
class Columns:
    """The checked rows of a batch."""

    size: int
    keys: list[str]
    doc_ids: list[str | None]
    tokens: list[str]
    token_groups: Groups
    starts: list[int]
    ends: list[int]
    offset_groups: Groups
    originals: list[str | None]
    trees: list[Syntax | None]
    entities: Records
    tagged: Records
    relations: Records

    def sentences(self) -> Iterator[Sentence]:
        for first in range(0, self.size, _SENTENCES_AT_ONCE):
            last = min(first + _SENTENCES_AT_ONCE, self.size)
            words, spans = self.token_groups.span(first, last), self.offset_groups.span(first, last)
            columns = (
                self.keys[first:last], self.token_groups.cut(self.tokens[words], first, last), self.entities.of(first, last),
                self.relations.of(first, last), self.doc_ids[first:last],
                self.offset_groups.cut(tuple(zip(self.starts[spans], self.ends[spans])), first, last), self.trees[first:last],
                self.tagged.of(first, last), self.originals[first:last], repeat(()),
            )  # fmt: skip
            yield from unchecked_objects(Sentence, columns, last - first)


def checked_columns(batch: Any, texts: list[str | None]) -> Columns | None:
    """The columns of a batch with a sentence in each row; None if a value is not valid.

    Args: texts: for each row the text of its document, None if that has none.
    """
    column = dict(zip(batch.schema.names, batch.columns))
    tokens, named = Lists.of(column["tokens"]), Lists.of(column["entities"])
    words, documents = Values.of(tokens.values), Values.of(column["doc_id"])
    if words is None or documents is None or not words.are_filled or not (tokens.sizes > 0).all():
        return None
    if column["id"].null_count or column["entities"].null_count or not (tokens.is_plain and named.is_plain):
        return None
    offsets = _offsets(column, tokens, texts)
    entities, tagged = _entities(named, tokens.sizes), _entities(Lists.of(column["tagged"]), tokens.sizes)
    relations, trees = _relations(Lists.of(column["relations"]), named.sizes), _trees(column, tokens)
    if offsets is None or entities is None or tagged is None or relations is None or trees is None:
        return None
    groups, starts, ends, originals = offsets
    return Columns(
        batch.num_rows, strings(column["id"]), documents.all(), words.all(), Groups.of(tokens), starts, ends, groups, originals, trees,
        entities, tagged, relations,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Values:
    """A column of few different strings: each of them once, and their numbers."""

    different: Any  # array of strings, the last one None
    numbers: Numbers  # -1: null

    @staticmethod
    def of(column: Any) -> Values | None:
        numbers = (column.indices.fill_null(-1) if column.null_count else column.indices).to_numpy()
        different = np.array([*column.dictionary.to_pylist(), None], dtype=object)
        if column.dictionary.null_count or (len(numbers) and numbers.max() >= len(different) - 1):
            return None
        return Values(different, numbers)

    @property
    def are_filled(self) -> bool:
        """No null, no empty string."""
        return "" not in self.different.tolist() and not (self.numbers < 0).any()

    def all(self) -> list[Any]:
        values: list[Any] = self.different[self.numbers].tolist()
        return values


def strings(column: Any) -> list[Any]:
    """The values of a column; None for null."""
    return [None] * len(column) if column.null_count == len(column) else list(column.to_pylist())


def _present(column: Any) -> Flags:
    if column.null_count == 0:
        return np.ones(len(column), dtype=np.bool_)
    present: Flags = column.is_valid().to_numpy(zero_copy_only=False)
    return present


def _offsets(column: dict[str, Any], tokens: Lists, texts: list[str | None]) -> tuple[Groups, list[int], list[int], list[Any]] | None:
    """Starts and ends of all tokens, and the original text of each sentence; None if there are some that the classes refuse."""
    first, last, own = Lists.of(column["starts"]), Lists.of(column["ends"]), strings(column["text"])
    if first.values.null_count or last.values.null_count or not (first.is_plain and last.is_plain):
        return None
    if not (first.present == last.present).all():
        return None
    if not ((first.sizes == last.sizes).all() and (first.sizes == np.where(first.present, tokens.sizes, 0)).all()):
        return None
    starts, ends = first.values.to_numpy(), last.values.to_numpy()
    here = np.flatnonzero(first.present)
    begin, end = np.zeros(len(texts), dtype=np.int64), np.zeros(len(texts), dtype=np.int64)
    if len(here):
        begin[here], end[here] = np.minimum.reduceat(starts, first.edges[here]), np.maximum.reduceat(ends, first.edges[here])
    sizes = np.repeat(np.array([-1 if text is None else len(text) for text in texts], dtype=np.int64), first.sizes)  # of each token's text
    if ((sizes >= 0) & ((starts < 0) | (starts >= ends) | (ends > sizes))).any():
        return None
    originals: list[str | None] = []
    for text, given, has_offsets, start, stop in zip(texts, own, first.present.tolist(), begin.tolist(), end.tolist()):
        if given is not None and (text is not None or not has_offsets or len(given) != stop - start):
            return None
        originals.append(given if text is None or not has_offsets else text[start:stop])
    return Groups.of(first), starts.tolist(), ends.tolist(), originals


def _entities(lists: Lists, sizes: Numbers) -> Records | None:
    """The entities of each row, whose sentence has so many tokens; None if there are some that a sentence refuses."""
    found = lists.values
    first, last = found.field("char_start"), found.field("char_end")
    types, subtypes, scores = Values.of(found.field("type")), Values.of(found.field("subtype")), _scores(found.field("score"))
    if not lists.is_plain or types is None or not types.are_filled or subtypes is None or scores is None or found.null_count:
        return None
    if found.field("start").null_count or found.field("end").null_count or _present(first).tolist() != _present(last).tolist():
        return None
    start, end = found.field("start").to_numpy(), found.field("end").to_numpy()
    if not ((start >= 0) & (start < end) & (end <= np.repeat(sizes, lists.sizes))).all():
        return None
    chars: list[Any] = [None] * len(found)
    if first.null_count < len(first):
        chars = [None if pair[0] is None else pair for pair in zip(first.to_pylist(), last.to_pylist())]
    columns = (start.tolist(), end.tolist(), types.all(), subtypes.all(), strings(found.field("id")), chars, scores, [()] * len(found))
    return Records(Entity, Groups.of(lists), columns)


def _relations(lists: Lists, sizes: Numbers) -> Records | None:
    """The relations of each row, whose sentence has so many entities; None if there are some that a sentence refuses."""
    found = lists.values
    scores, probabilities = _scores(found.field("score")), _scores(found.field("probability"), least=0, most=1)
    types = Values.of(found.field("type"))
    if not lists.is_plain or types is None or not types.are_filled or scores is None or probabilities is None or found.null_count:
        return None
    if found.field("head").null_count or found.field("tail").null_count:
        return None
    head, tail, most = found.field("head").to_numpy(), found.field("tail").to_numpy(), np.repeat(sizes, lists.sizes)
    if not ((head >= 0) & (tail >= 0) & (head < most) & (tail < most) & (head != tail)).all():
        return None
    return Records(Relation, Groups.of(lists), (head.tolist(), tail.tolist(), types.all(), scores, probabilities))


def _scores(column: Any, least: float = -np.inf, most: float = np.inf) -> list[float | None] | None:
    """Finite numbers from `least` to `most`, None for null; None if there are others."""
    known = column.drop_null().to_numpy(zero_copy_only=False)
    return strings(column) if (np.isfinite(known) & (known >= least) & (known <= most)).all() else None


def _trees(column: dict[str, Any], tokens: Lists) -> list[Syntax | None] | None:
    """The trees of each sentence, made by their class; None if there are some that it refuses."""
    columns = [column[name] for name in ("heads", "dependencies", "pos")]
    if all(each.null_count == len(each) for each in columns):
        return [None] * len(tokens.present)
    try:
        rows = list(zip(*(each.to_pylist() for each in columns)))
        trees = [None if row == (None, None, None) else Syntax(*map(tuple, row)) for row in rows]
    except (DataError, TypeError):  # TypeError: only some of the three
        return None
    sizes = tokens.sizes.tolist()
    return trees if all(tree is None or len(tree.heads) == size for tree, size in zip(trees, sizes)) else None
