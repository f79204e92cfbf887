"""Why a pair of entities has the relation that it has, or none: its scores, the threshold, and the tokens that the score depends on.

A token's *support* is how far the score of the relation falls when the token is hidden (occlusion; Zeiler and Fergus, ECCV 2014). Hidden
means: the unknown word in its place, unknown characters, and of a transformer the piece that stands for unknown text. All else stays: the
entities with their spans and types, their tags, and the token's place and part of speech in a dependency tree. So hiding a name shows what
its words are worth, not what its type is worth. Two tokens that say the same may both have little support, since either is enough.

Training pairs that are like the pair cannot be shown: a model folder holds no text of its training.

Every model can be asked, since only its scores are looked at. Letters: T tokens, K relation types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import takewhile
from operator import index
from typing import Any

import numpy as np
from numpy.typing import NDArray

from relsift.annotators.trees import with_trees
from relsift.candidates import Pair, in_text_order
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.encoding.arrays import cut
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import Example, examples_of
from relsift.encoding.subwords import Pieces
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import DataError
from relsift.inference import BATCH_PAIRS, AnyScorer, Ensemble, InferenceReport, Scorer, most_tokens, score_batch
from relsift.report.blocks import Table
from relsift.report.html import table
from relsift.report.notebook import framed, page_of, weighted_tokens
from relsift.report.terminal import printable
from relsift.report.wording import counted, signed
from relsift.schema import Sentence
from relsift.views import EntityView

_HIDDEN = "\ufffd"  # in place of a token whose characters are read: no letter, no digit, and in no vocabulary of sound text
_MOST_SCORES, _MOST_TOKENS = 5, 8  # lines of the text form; the rest is counted
_HEIGHT = 520  # pixels in a notebook


@dataclass(frozen=True)
class Explanation:
    """Of one pair. `print` shows it in short, a notebook in colours.

    See also: `relsift.extractor.RelationExtractor.explain`, which makes it.

    >>> from relsift.extractor import RelationExtractor
    >>> rx = RelationExtractor.from_pretrained("demo-en")
    >>> why = rx.explain(rx("Ida Holm and her sister own the ferry.").relations[0])
    >>> why.head.text, why.tail.text, why.decided, why.tokens[0][0]  # the token that the score depends on most
    ('Ida Holm', 'sister', ('PER-SOC',), 'sister')
    """

    sentence: Sentence
    pair: tuple[int, int]  # head and tail, positions in the sentence's entities
    scores: tuple[tuple[str, float], ...]  # every relation type with its log-odds against "none", the highest first
    threshold: float  # of the decision, for the relation with the highest score
    decided: tuple[str, ...]  # the relations that the decision takes; none if the pair is no candidate
    not_a_candidate: str | None  # why prediction leaves the pair out, whatever its scores; None: it does not
    relation: str  # the one whose score `support` is about
    support: tuple[float, ...]  # of each token; log-odds; negative: the score rises without it
    forbidden: tuple[str, ...] = ()  # relations that score higher than any that the decision allows between these entity types

    @property
    def head(self) -> EntityView:
        return EntityView(self.sentence, self.sentence.entities[self.pair[0]])

    @property
    def tail(self) -> EntityView:
        return EntityView(self.sentence, self.sentence.entities[self.pair[1]])

    @property
    def tokens(self) -> tuple[tuple[str, float], ...]:
        """Each token with its support, the strongest first, whatever its sign."""
        return tuple(sorted(zip(self.sentence.tokens, self.support), key=lambda item: -abs(item[1])))

    def _headline(self) -> str:
        ends = " → ".join(f"{entity.text} ({entity.type})" for entity in (self.head, self.tail))
        return f"{ends}: {', '.join(self.decided) or 'no relation'}"

    def _reason(self) -> str:
        name, best = self.scores[0]
        side = "reaches" if best >= self.threshold else "is below"
        reason = f"The highest score, {signed(best, 2)} of {name}, {side} the threshold of {signed(self.threshold, 2)}."
        if self.forbidden:
            reason += f" Training has no {' or '.join(self.forbidden)} between {self.head.type} and {self.tail.type}: left out."
        return reason if self.not_a_candidate is None else f"{reason} The pair is no candidate: {self.not_a_candidate}."

    def __str__(self) -> str:
        lines = [self._headline(), self._reason(), "scores:"]
        lines += [f"  {signed(score, 2):>7}  {name}" for name, score in self.scores[:_MOST_SCORES]]
        lines += _rest(len(self.scores) - _MOST_SCORES, "relation type")
        lines.append(f"how far the score of {self.relation} falls when a token is hidden:")
        lines += [f"  {signed(support, 2):>7}  {token}" for token, support in self.tokens[:_MOST_TOKENS]]
        lines += _rest(len(self.support) - _MOST_TOKENS, "token")
        return "\n".join(map(printable, lines))

    def _repr_html_(self) -> str:
        """For notebooks: all scores, and all tokens coloured by their support."""
        scores = Table.of(("relation", "score"), [(name, signed(score, 2)) for name, score in self.scores])
        tokens = Table.of(("token", "support"), [(token, signed(support, 2)) for token, support in self.tokens[:_MOST_TOKENS]])
        legend = (
            f"Support: how far the score of {self.relation} falls when the token is hidden. Colours show it, and each token has its number."
        )
        content = (
            f"<p>{escape(self._reason())}</p>\n{table(scores)}{weighted_tokens(self.sentence, self.support)}"
            f'<p class="note">{escape(legend)}</p>\n{table(tokens)}'
        )
        return framed(page_of(self._headline(), content), _HEIGHT)


def explain(
    scorer: AnyScorer, decision: Decision, sentence: Sentence, pair: tuple[int, int] | None, relation: str | None = None
) -> Explanation:
    """Score the pair as it is and with each token hidden. The candidates of the sentence are scored with it, as in prediction.

    Of an undirected model the pair is turned into text order. Of an ensemble all numbers are means over its members.

    Args: relation: whose score the tokens explain; None: the one with the highest score.
    Raises: DataError for positions that the sentence does not have, for a relation that the model does not know, and for a sentence without
        the trees that the model reads.
    """
    head, tail = _checked(sentence, pair)
    if not isinstance(relation, str | None):
        raise DataError(f"relation type: expected one of {', '.join(scorer.encoding.labels)}, got {relation!r}")
    if scorer.candidates.direction == "undirected":
        head, tail = in_text_order(sentence, head, tail)
    sentence, labels = sentence.with_relations(None), scorer.encoding.labels
    members = scorer.members if isinstance(scorer, Ensemble) else (scorer,)
    rows = np.mean([_rows(member, sentence, head, tail) for member in members], axis=0)  # (1 + T, K)
    order = (-rows[0]).argsort(kind="stable").tolist()
    column = order[0] if relation is None else scorer.encoding.column(relation)
    reason = scorer.candidates.reason_to_drop(sentence.entities[head], sentence.entities[tail])
    scored = Scored(sentence, [Pair(head, tail)], rows[:1].astype(np.float32))
    decided = decision.decide(scored, labels).relations or ()
    return Explanation(
        sentence, (head, tail), tuple((labels[number], float(rows[0, number])) for number in order),
        decision.threshold_of(labels[order[0]]),
        () if reason is not None else tuple(taken.type for taken in decided), reason, labels[column],
        tuple((rows[0, column] - rows[1:, column]).tolist()), _forbidden(decision, scored, labels, order),
    )  # fmt: skip


def _forbidden(decision: Decision, scored: Scored, labels: tuple[str, ...], order: Sequence[int]) -> tuple[str, ...]:
    """Args: order: columns, that of the highest score first."""
    [allowed] = decision.cells(scored, labels).allowed
    return tuple(labels[number] for number in takewhile(lambda number: not allowed[number], order))


def _checked(sentence: Any, pair: Any) -> tuple[int, int]:
    if not isinstance(sentence, Sentence):
        expected = "a relation of a document, as in document.relations, or a Sentence with its entities beside a pair"
        raise DataError(f"sentence: expected {expected}, got {type(sentence).__name__}")
    size = len(sentence.entities)
    try:
        head, tail = map(_whole, pair)
    except (TypeError, ValueError):
        raise DataError(f"pair: expected two positions in the sentence's entities, such as found.pair, got {pair!r}") from None
    if head == tail or not (0 <= head < size and 0 <= tail < size):
        raise DataError(
            f"pair: expected two different positions in 0..{size - 1} ({counted(size, 'entity', 'entities')}), got {(head, tail)}"
        )
    return head, tail


def _whole(position: Any) -> int:
    """Raises TypeError for anything but a whole number."""
    if isinstance(position, bool):
        raise TypeError
    return index(position)


def _rows(scorer: Scorer, sentence: Sentence, head: int, tail: int) -> NDArray[np.float64]:
    """(1 + T, K) scores of the pair: of the sentence as it is, then with each token hidden."""
    if "trees" in scorer.model.READS:
        [sentence] = with_trees([sentence], scorer.annotators.get("trees"))
    pairs = scorer.candidates.pairs(sentence)
    if Pair(head, tail) not in pairs:
        pairs.append(Pair(head, tail))
    place = pairs.index(Pair(head, tail))
    example = next(one for one in examples_of(sentence, pairs, scorer.encoding, labelled=False) if place in one.places)
    row, size = list(example.places).index(place), len(example.places)
    variants = [example, *(_hidden(example, token, scorer.encoding) for token in range(example.length))]
    result = np.empty((len(variants), len(scorer.encoding.labels)))
    batches = cut([one.work for one in variants], max_pairs=BATCH_PAIRS, max_tokens=most_tokens(scorer.encoding))
    for batch in batches:
        scores = score_batch(scorer, [variants[number] for number in batch], InferenceReport())
        result[list(batch)] = scores[row::size]
    return result


def _hidden(example: Example, token: int, encoding: Encoding) -> Example:
    """The example with one token that nobody can read."""
    words = None if example.words is None else _with(example.words, token, UNKNOWN_WORD)
    tokens = None if example.tokens is None else tuple(_with(list(example.tokens), token, _HIDDEN))
    pieces = example.pieces
    if pieces is not None and encoding.subwords is not None:
        pieces = _without(pieces, token, encoding.subwords.stand_in)
    return replace(example, words=words, tokens=tokens, pieces=pieces)


def _without(pieces: Pieces, token: int, stand_in: int) -> Pieces:
    """The pieces with all those of a token hidden; one that it shares with its neighbour is hidden for both."""
    first, last = pieces.first[token], pieces.last[token]
    return pieces._replace(ids=[*pieces.ids[:first], *[stand_in] * (last + 1 - first), *pieces.ids[last + 1 :]])


def _with(values: Sequence[Any], place: int, value: Any) -> list[Any]:
    return [*values[:place], value, *values[place + 1 :]]


def _rest(number: int, noun: str) -> list[str]:
    return [f"  and {counted(number, noun)} more"] if number > 0 else []
