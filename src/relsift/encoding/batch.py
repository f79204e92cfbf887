"""The input of every model: a few sentences, all their entities, all their candidate pairs.

Letters: S sentences, T tokens (padded to the longest), E entities, P pairs, K relation types.
A batch holds what the model reads and nothing else. A sentence that is read several times (see `relsift.encoding.units`) counts as several
sentences.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from relsift.encoding import arrays
from relsift.encoding.arrays import cut as cut
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example
from relsift.encoding.trees import UNKNOWN_LABEL
from relsift.errors import ShapeError
from relsift.schema import ROOT

Part = TypeVar("Part", "Trees", "Subwords", "Characters", "Entities", "Pairs")


@dataclass(frozen=True)
class Trees:
    """Dependency trees, all int64; padding holds ROOT and UNKNOWN_LABEL.

    >>> tree = Trees(torch.tensor([[1, ROOT, 1]]), torch.tensor([[2, 1, 3]]), torch.tensor([[1, 2, 1]]))  # "Ada founded Acme"
    >>> (tree.parent == ROOT).nonzero().tolist()  # sentence 0, token 1
    [[0, 1]]
    """

    parent: Tensor  # (S, T)  token of the same sentence; -1: a root
    dependency: Tensor  # (S, T)  label of the arc from the parent
    pos: Tensor  # (S, T)  part of speech


@dataclass(frozen=True)
class Subwords:
    """The pieces that a transformer reads, in windows (see `relsift.encoding.subwords`); M pieces of all S sentences, without special ones.

    A sentence has one window, or several that overlap. Windows, pieces and tokens are grouped by sentence, in its order.

    >>> ids = torch.tensor([[101, 7, 8, 102]])  # one window: [CLS], the pieces of "Ada left", [SEP]
    >>> special, first, each = torch.tensor([[True, False, False, True]]), torch.tensor([0]), torch.tensor([0, 1])
    >>> pieces = Subwords(
    ...     ids, torch.ones_like(special), special, sentence=first, start=first, stop=torch.tensor([2]), before=1,
    ...     counts=torch.tensor([2]), place=torch.tensor([1, 2]), token=each, first=each, last=each)
    >>> pieces.ids.flatten()[pieces.place].tolist(), len(pieces.by_sentence(torch.tensor([2])))
    ([7, 8], 1)
    """

    ids: Tensor  # (W, U) int64, special pieces included
    real: Tensor  # (W, U) bool, False in the padding
    special: Tensor  # (W, U) bool, pieces that stand for no text; padding included
    sentence: Tensor  # (W,) int64
    start: Tensor  # (W,) int64  number of the window's first piece among those of its sentence
    stop: Tensor  # (W,) int64  number of the piece after its last one
    before: int  # special pieces before the text of each window
    counts: Tensor  # (S,) int64, pieces of each sentence
    place: Tensor  # (M,) int64, row of each piece among the W * U places: in the window where it stands most central
    token: Tensor  # (M,) int64, row of the first token of each piece among the N real tokens; -1: none, a blank
    first: Tensor  # (N,) int64, row of each token's first piece among the M
    last: Tensor  # (N,) int64, of its last one

    @property
    def first_piece(self) -> Tensor:
        """(S,) row of each sentence's first piece among the M."""
        return self.counts.cumsum(0) - self.counts

    def by_sentence(self, lengths: Tensor) -> list[Subwords]:
        """The same, each sentence by itself and without padding. Args: lengths: (S,) real tokens of each sentence."""
        return [self._of_sentence(number, lengths) for number in range(len(self.counts))]

    def _of_sentence(self, number: int, lengths: Tensor) -> Subwords:
        windows = (self.sentence == number).nonzero().flatten()
        pieces = slice(first := int(self.counts[:number].sum()), first + int(self.counts[number]))
        tokens = slice(token := int(lengths[:number].sum()), token + int(lengths[number]))
        width = int(self.real[windows].sum(1).max())
        place, padded = self.place[pieces], self.ids.shape[1]
        return Subwords(
            self.ids[windows, :width], self.real[windows, :width], self.special[windows, :width],
            torch.zeros_like(windows), self.start[windows], self.stop[windows],
            self.before, self.counts[number : number + 1], (place // padded - windows[0]) * width + place % padded,
            (self.token[pieces] - token).clamp(min=-1), self.first[tokens] - first, self.last[tokens] - first,
        )  # fmt: skip


@dataclass(frozen=True)
class Characters:
    """What the W different tokens of a batch look like (see `relsift.encoding.characters`), all int64.

    L is the number of characters of the longest; every token has at least one.

    >>> looks = Characters(ids=torch.tensor([[2, 3, 2], [4, 4, 0]]), case=torch.tensor([3, 1]), place=torch.tensor([0, 1, 0]))
    >>> looks.ids[looks.place].shape  # N = 3 real tokens, the first and the last one the same
    torch.Size([3, 3])
    """

    ids: Tensor  # (W, L) rows of a table of characters; PADDING behind the last one
    case: Tensor  # (W,)  position in CASES
    place: Tensor  # (N,)  row of each real token among the W


@dataclass(frozen=True)
class Entities:
    """All int64, grouped by sentence, in its order.

    >>> ada_and_acme = Entities(sentence=torch.tensor([0, 0]), span=torch.tensor([[0, 1], [2, 3]]), type=torch.tensor([2, 1]))
    >>> len(ada_and_acme)
    2
    """

    sentence: Tensor  # (E,)
    span: Tensor  # (E, 2)  half-open, in tokens of the sentence
    type: Tensor  # (E,)    -1: a type not seen in training

    def __len__(self) -> int:
        return len(self.sentence)


@dataclass(frozen=True)
class Pairs:
    """Grouped by sentence, in its order.

    >>> labels = torch.tensor([[True, False], [False, False]])  # K = 2 relation types; the second pair is unrelated
    >>> pairs = Pairs(sentence=torch.tensor([0, 0]), head=torch.tensor([0, 1]), tail=torch.tensor([1, 0]), labels=labels)
    >>> len(pairs), pairs.labels.any(dim=1).tolist()
    (2, [True, False])
    """

    sentence: Tensor  # (P,) int64
    head: Tensor  # (P,) int64, rows of the entity tensors
    tail: Tensor  # (P,) int64
    labels: Tensor  # (P, K) bool, the relations of each pair; all False: an unrelated pair

    def __len__(self) -> int:
        return len(self.sentence)


@dataclass(frozen=True)
class Batch:
    """Inputs that the model does not read are None. Padding holds UNKNOWN_WORD and OUTSIDE: mask it by `lengths`.

    See also: `collate`, which makes it; `relsift.models.base.model.RelationModel`, which reads it.

    >>> no_pairs = Pairs(torch.tensor([]), torch.tensor([]), torch.tensor([]), torch.zeros(0, 1, dtype=torch.bool))
    >>> nobody = Entities(torch.tensor([]), torch.zeros(0, 2), torch.tensor([]))
    >>> batch = Batch(3, torch.tensor([3, 2]), torch.tensor([[2, 3, 4], [5, 6, 1]]), None, None, nobody, no_pairs)
    >>> batch.mask.tolist(), batch.first.tolist()
    ([[True, True, True], [True, True, False]], [0, 3])
    """

    num_tokens: int  # T
    lengths: Tensor  # (S,) int64, real tokens, >= 1
    words: Tensor | None  # (S, T) int64
    tags: Tensor | None  # (S, T) int64, BIO over all entities unless the encoding says otherwise
    trees: Trees | None  # also None if any sentence of the batch has no tree
    entities: Entities
    pairs: Pairs
    subwords: Subwords | None = None
    characters: Characters | None = None
    annotated: Tensor | None = None  # (S,) bool, whether a sentence's entities are annotated ones, to be learned; None: of all sentences

    @property
    def mask(self) -> Tensor:
        """(S, T) bool, True = real token."""
        return torch.arange(self.num_tokens, device=self.lengths.device) < self.lengths[:, None]

    @property
    def first(self) -> Tensor:
        """(S,) row of each sentence's first token among the N real tokens of all sentences."""
        return self.lengths.cumsum(0) - self.lengths

    def to(self, device: torch.device | str) -> Batch:
        return replace(
            self,
            lengths=self.lengths.to(device),
            words=None if self.words is None else self.words.to(device),
            tags=None if self.tags is None else self.tags.to(device),
            trees=None if self.trees is None else _moved(self.trees, device),
            entities=_moved(self.entities, device),
            pairs=_moved(self.pairs, device),
            subwords=None if self.subwords is None else _moved(self.subwords, device),
            characters=None if self.characters is None else _moved(self.characters, device),
            annotated=None if self.annotated is None else self.annotated.to(device),
        )


def required(tensor: Tensor | None, name: str) -> Tensor:
    """The tensor of an input that the model reads. Raises ShapeError if the batch was made without it.

    Args: name: of the input, for the message.

    >>> required(None, "trees")
    Traceback (most recent call last):
    relsift.errors.ShapeError: batch.trees: expected the input that this model reads (see READS), got None
    """
    if tensor is None:
        raise ShapeError(f"batch.{name}", expected="the input that this model reads (see READS)", got=None)
    return tensor


def collate(examples: Sequence[Example], encoding: Encoding) -> Batch:
    """Put sentences side by side. The entities of each pair become rows of the batch's entity tensors.

    Args: examples: S of them, with P pairs in all (see `relsift.encoding.example`).

    See also: `relsift.encoding.example.examples_of`, `with_entities_of`.

    >>> from relsift.candidates import Candidates
    >>> from relsift.encoding.example import examples_of
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> encoding = Encoding.fit([sentence])
    >>> batch = collate(examples_of(sentence, Candidates().pairs(sentence), encoding), encoding)
    >>> batch.words.shape, len(batch.entities), batch.pairs.labels.tolist()  # the pair (Ada, Acme), and the one of (Acme, Ada)
    (torch.Size([1, 3]), 2, [[True], [False]])
    """
    # numpy takes a stream of numbers, without the lists of lists that `torch.tensor` needs.
    lengths = arrays.lengths_of(examples)  # (S,)
    real = np.arange(lengths.max()) < lengths[:, None]  # (S, T)
    trees = [e.trees for e in examples if e.trees is not None]
    columns = (ROOT, UNKNOWN_LABEL, UNKNOWN_LABEL)
    has_trees = len(trees) == len(examples)
    return Batch(
        int(lengths.max()),
        torch.from_numpy(lengths),
        _tensor(arrays.words_of(examples, real)),
        _tensor(arrays.tags_of(examples, real)),
        Trees(*_tensors(arrays.padded((t[n] for t in trees), value, real) for n, value in enumerate(columns))) if has_trees else None,
        Entities(*_tensors(arrays.entities_of(examples))),
        Pairs(*_tensors(arrays.pairs_of(examples, len(encoding.labels)))),
        None if encoding.subwords is None else Subwords(*_tensors(arrays.subwords_of(examples, encoding.subwords))),
        None if encoding.characters is None else Characters(*_tensors(arrays.characters_of(examples, encoding.characters))),
        None if all(e.annotated for e in examples) else torch.tensor([e.annotated for e in examples]),
    )


def with_entities_of(batch: Batch, examples: Sequence[Example], encoding: Encoding) -> Batch:
    """The same text with the entities, pairs and tags of `examples`, on the device of the batch.

    Args: examples: of the same sentences in the same order (see `relsift.encoding.example.with_entities`).

    >>> from relsift.candidates import Candidates
    >>> from relsift.encoding.example import examples_of, with_entities
    >>> from relsift.schema import Entity, Relation, Sentence
    >>> sentence = Sentence("s1", ("Ada", "founded", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "founder"),))
    >>> encoding = Encoding.fit([sentence])
    >>> [example] = examples_of(sentence, Candidates().pairs(sentence), encoding)
    >>> alone = replace(sentence, entities=sentence.entities[:1], relations=None)  # as a model found it, with one entity
    >>> batch = with_entities_of(collate([example], encoding), [with_entities(example, alone, [], encoding)], encoding)
    >>> len(batch.entities), len(batch.pairs)
    (1, 0)
    """
    real, device = batch.mask.cpu().numpy(), batch.lengths.device
    entities = Entities(*_tensors(arrays.entities_of(examples)))
    pairs = Pairs(*_tensors(arrays.pairs_of(examples, len(encoding.labels))))
    tags = _tensor(arrays.tags_of(examples, real))
    return replace(
        batch, entities=_moved(entities, device), pairs=_moved(pairs, device), tags=None if tags is None else tags.to(device)
    )


def _tensor(array: NDArray[Any] | None) -> Tensor | None:
    return None if array is None else torch.from_numpy(array)


def _tensors(parts: Iterable[Any]) -> Iterator[Any]:
    """Arrays as tensors of the same memory; plain numbers as they are."""
    return (torch.from_numpy(part) if isinstance(part, np.ndarray) else part for part in parts)


def _moved(part: Part, device: torch.device | str) -> Part:
    moved: dict[str, Any] = {name: value.to(device) for name, value in vars(part).items() if isinstance(value, Tensor)}
    return replace(part, **moved)
