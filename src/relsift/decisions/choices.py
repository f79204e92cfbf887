"""From scores to the relations that a decision would take if every score were enough. What is taken is then a matter of thresholds alone.

Rules that forbid or join relations work here, so that a threshold can be tuned with them in force. Letters: P candidate pairs, K relation
types, N choices. A *cell* is a pair with a relation type.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from relsift.candidates import Pair
from relsift.decisions.constraints import Triple
from relsift.decisions.scored import Scored

Floats = NDArray[np.floating]
Ids = NDArray[np.int64]
Cell = tuple[int, int]  # pair, column
Twins = dict[Cell, Cell]
Taken = tuple[int, int, float]  # pair, column, score

SENTENCES_AT_ONCE = 64  # whose scores are joined for one look at all of them


class Choices(NamedTuple):
    """A relation is taken if its score is at least its bar; that is so if and only if its level is at least the common threshold."""

    pairs: Ids  # (N,) positions among the candidate pairs
    columns: Ids  # (N,) relation types
    scores: Floats  # (N,)
    bars: NDArray[np.float64]  # (N,) the threshold of each
    levels: NDArray[np.float64]  # (N,) the score, less what the relation's threshold lies above the common one


class Cells(NamedTuple):
    """All scores of a sentence after constraints and means of both directions."""

    scores: Floats  # (P, K)
    allowed: NDArray[np.bool_]  # (P, K) False: no relation type for these entity types
    twins: Twins  # cells that are decided together, each under both


@lru_cache(maxsize=8)
def _rows(triples: frozenset[Triple], labels: tuple[str, ...]) -> dict[tuple[str, str], NDArray[np.bool_]]:
    """(K,) allowed relation types for each pair of entity types that has any."""
    columns = {name: column for column, name in enumerate(labels)}
    rows: dict[tuple[str, str], NDArray[np.bool_]] = {}
    for head, tail, name in triples:
        if name in columns:
            rows.setdefault((head, tail), np.zeros(len(labels), np.bool_))[columns[name]] = True
    return rows


def allowed_by(triples: frozenset[Triple] | None, scored: Scored, labels: tuple[str, ...]) -> NDArray[np.bool_]:
    """(P, K) Args: triples: None allows everything."""
    shape = len(scored.pairs), len(labels)
    if triples is None or not scored.pairs:
        return np.ones(shape, np.bool_)
    rows, none = _rows(triples, labels), np.zeros(len(labels), np.bool_)
    types = [entity.type for entity in scored.sentence.entities]
    return np.stack([rows.get((types[pair.head], types[pair.tail]), none) for pair in scored.pairs])


def cells_of(scored: Scored, allowed: NDArray[np.bool_], partners: Mapping[int, int]) -> Cells:
    """Args: partners: column -> the column that says the same of the reversed pair; itself if the relation is symmetric."""
    twins = _twins(scored.pairs, allowed, partners) if partners else {}
    scores = scored.scores
    if twins:
        scores = scores.copy()
        for one, other in twins.items():
            scores[one] = (scored.scores[one] + scored.scores[other]) / 2
    return Cells(scores, allowed, twins)


def choices(cells: Cells, offsets: NDArray[np.float64], common: float, *, several: bool) -> Choices:
    """Every relation that some threshold would take, by pair and column.

    Args: offsets: (K,) how far the threshold of each relation lies above the common one. several: of a pair, all and not the best alone.
    """
    bars = common + offsets
    levels = cells.scores - offsets if offsets.any() else cells.scores.astype(np.float64)
    cell_bars = np.broadcast_to(bars, levels.shape)
    if cells.twins:
        levels, cell_bars = levels.copy(), cell_bars.copy()
        for one, other in cells.twins.items():  # they stand or fall together: the mean of the two thresholds counts
            cell_bars[one] = (bars[one[1]] + bars[other[1]]) / 2
            levels[one] = cells.scores[one] - (offsets[one[1]] + offsets[other[1]]) / 2
    if several:
        pairs, columns = np.nonzero(cells.allowed)
    elif cells.twins:
        pairs, columns = _best_with_twins(levels, cells)
    else:
        pairs, columns = _best(levels, cells.allowed)
    return Choices(pairs, columns, cells.scores[pairs, columns], cell_bars[pairs, columns], levels[pairs, columns])


def best_above(
    those: Sequence[Scored], labels: tuple[str, ...], threshold: float, triples: frozenset[Triple] | None
) -> list[list[Taken]]:
    """Of each sentence the best allowed relation of each pair, if it reaches the threshold: as `choices`, in a tenth of the time.

    Constraints are looked up only where a score is high enough, which is seldom.
    """
    sizes = [len(scored.pairs) for scored in those]
    ends = np.cumsum([0, *sizes])  # of the pairs of each sentence, among those of all
    columns, scores = np.zeros(ends[-1], np.int64), np.zeros(ends[-1], np.float32)
    for start in range(0, len(those), SENTENCES_AT_ONCE):
        part = [scored.scores for scored in those[start : start + SENTENCES_AT_ONCE] if scored.pairs]
        if part:
            first, last = ends[start], ends[min(start + SENTENCES_AT_ONCE, len(those))]
            joined = part[0] if len(part) == 1 else np.concatenate(part)
            best = joined.argmax(axis=1, out=columns[first:last])
            scores[first:last] = np.take_along_axis(joined, best[:, None], axis=1)[:, 0]
    reached = np.flatnonzero(scores.astype(np.float64) >= threshold)  # else numpy would round the threshold to 32 bits
    taken: list[list[Taken]] = [[] for _ in those]
    sentence_of = np.searchsorted(ends, reached, side="right") - 1
    found = zip(sentence_of.tolist(), (reached - ends[sentence_of]).tolist(), columns[reached].tolist(), scores[reached].tolist())
    for number, pair, column, score in found:
        taken[number].append((pair, column, score))
    if triples is None:
        return taken
    return [_allowed(scored, pairs, labels, threshold, triples) if pairs else pairs for scored, pairs in zip(those, taken)]


def _allowed(
    scored: Scored, reached: Sequence[Taken], labels: tuple[str, ...], threshold: float, triples: frozenset[Triple]
) -> list[Taken]:
    """The best relation that the types allow, of each pair whose best one of all reaches the threshold; if that reaches it too."""
    rows, entities = _rows(triples, labels), scored.sentence.entities
    taken = []
    for pair, best, score in reached:
        head, tail, *_ = scored.pairs[pair]
        if (allowed := rows.get((entities[head].type, entities[tail].type))) is None:
            continue
        if allowed[best]:
            taken.append((pair, best, score))
            continue
        column = int(np.where(allowed, scored.scores[pair], -np.inf).argmax())
        if (lower := float(scored.scores[pair, column])) >= threshold:
            taken.append((pair, column, lower))
    return taken


def at_most(found: Choices, pairs: Sequence[Pair], twins: Twins, limits: Mapping[int, Mapping[str, int]]) -> Choices:
    """Without the relations that a head or a tail has too many of: the best-scoring stay. Of two that stand together both go.

    It may come before the thresholds: whatever scores better than a relation that is taken has the same type, and is taken too.

    Args: limits: column -> `head`, `tail` or both -> the most relations.
    """
    place = {cell: number for number, cell in enumerate(zip(found.pairs.tolist(), found.columns.tolist()))}
    counts, state = Counter[tuple[int, str, int]](), dict[int, bool]()
    cells = list(place)
    for number in np.argsort(-found.scores, kind="stable").tolist():
        if number in state:
            continue
        group = [number, *([place[twin]] if (twin := twins.get(cells[number])) in place else [])]
        ends = Counter(
            (column, role, getattr(pairs[pair], role))
            for pair, column in (cells[member] for member in group)
            for role in limits.get(column, ())
        )
        keep = all(counts[end] + count <= limits[end[0]][end[1]] for end, count in ends.items())
        if keep:
            counts.update(ends)
        state.update(dict.fromkeys(group, keep))
    mask = np.array([state[number] for number in range(len(cells))], np.bool_)
    return Choices(found.pairs[mask], found.columns[mask], found.scores[mask], found.bars[mask], found.levels[mask])


def _best(levels: NDArray[np.float64], allowed: NDArray[np.bool_]) -> tuple[Ids, Ids]:
    """Of each pair the relation of the highest level, the first of equal ones; pairs without an allowed one have none."""
    if not len(levels):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    columns = (levels if allowed.all() else np.where(allowed, levels, -np.inf)).argmax(axis=1)
    pairs = np.flatnonzero(allowed[np.arange(len(columns)), columns])
    return pairs, columns[pairs]


def _best_with_twins(levels: NDArray[np.float64], cells: Cells) -> tuple[Ids, Ids]:
    """The same where some cells stand together: the highest level first, each cell where its pair, and its twin's, is still free."""
    taken: dict[int, int] = {}
    pairs, columns = np.nonzero(cells.allowed)
    order = np.argsort(-levels[pairs, columns], kind="stable")
    for pair, column in zip(pairs[order].tolist(), columns[order].tolist()):
        group = [(pair, column), *([twin] if (twin := cells.twins.get((pair, column))) is not None else [])]
        if not any(member in taken for member, _ in group):
            taken.update(group)
    ordered = sorted(taken.items())
    return np.array([pair for pair, _ in ordered], np.int64), np.array([column for _, column in ordered], np.int64)


def _twins(pairs: Sequence[Pair], allowed: NDArray[np.bool_], partners: Mapping[int, int]) -> Twins:
    place = {(pair.head, pair.tail): number for number, pair in enumerate(pairs)}
    twins: Twins = {}
    for (head, tail), number in place.items():
        if (reverse := place.get((tail, head))) is None:
            continue
        for column, partner in partners.items():
            if allowed[number, column] and allowed[reverse, partner]:
                twins[number, column] = (reverse, partner)
    return twins
