"""Which sentences to annotate next: those of which a model is least sure, or that may hold the most relations, and no two alike.

| by | the worth of a sentence |
|---|---|
| uncertainty | 1 − 2 abs(p − 0.5) of its most doubtful relation, p its probability: 1 for the toss of a coin, 0 for a sure thing |
| positives | the sum of the probabilities of its relations: how many are to be expected |
| random | a random number, to compare with: no model is asked |

A relation is the one that the decision would take for a pair if every score were enough. Its probability is the calibrated one; of a
decision without calibration, the logistic function of the score above its threshold.
While the input is read, the best sentences are kept, `POOL` of them for each wanted one. At the end the best ones are taken in turn. One is
passed over if it shares more than `MOST_SHARED` of its different words with one that is taken (Jaccard), and comes back only if too few are
left.
Source: uncertainty sampling of Lewis and Gale, SIGIR 1994.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from relsift.corpora.leaks import fingerprint
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.errors import DataError, require
from relsift.evaluation.scores import Entities
from relsift.extractor import RelationExtractor
from relsift.files import check_output
from relsift.inference import InferenceReport, entities_of
from relsift.omissions import Omissions
from relsift.readers.base import OnError, ReadReport
from relsift.schema import Document, Sentence
from relsift.stable_random import RANGE, stable_integer
from relsift.streaming.inputs import open_input
from relsift.streaming.output import check_place, not_written
from relsift.streaming.predict import NOTHING_FINDS_ENTITIES, blocks_of
from relsift.training.data import trained_on
from relsift.writers.base import Writer, write_documents

By = Literal["uncertainty", "positives", "random"]
WAYS: tuple[By, ...] = get_args(By)
MOST = 10_000  # sentences to suggest: with more, comparing each with each takes minutes
POOL = 10  # sentences kept for each one that is wanted
MOST_SHARED = 0.7  # of the different words of two sentences


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A sentence that may be suggested.

    See also: `suggest`, which makes it.

    >>> Suggestion(worth=0.9, place=(0, 1), document="d1", sentence=Sentence("s2", ("Ada", "founded", "Acme"))).sentence.text
    'Ada founded Acme'
    """

    worth: float
    place: tuple[int, int]  # number of its document, number of the sentence in it
    document: str  # id of the document
    sentence: Sentence


    def to_json(self) -> dict[str, object]:
        """The ids of the document and the sentence, what it is worth, and its words.

        >>> Suggestion(worth=0.9, place=(0, 1), document="d1", sentence=Sentence("s2", ("Ada", "left"))).to_json()
        {'document': 'd1', 'sentence': 's2', 'worth': 0.9, 'text': 'Ada left'}
        """
        return {"document": self.document, "sentence": self.sentence.id, "worth": self.worth, "text": self.sentence.text}


@dataclass
class SuggestionReport:
    """What was read and left out, in sentences.

    >>> SuggestionReport(read=10, annotated=3).lines()
    ['3 of 10 sentences are annotated already (--include-annotated takes them too), and are left out']
    """

    read: int = 0
    annotated: int = 0  # whose relations are annotated
    trained_on: int = 0  # that the model was trained on
    without_pairs: int = 0  # that hold no two entities to relate
    repeated: int = 0  # the same sentence again
    alike: int = 0  # chosen although they are like others, since too few are left
    inference: InferenceReport = field(default_factory=InferenceReport)

    def to_json(self) -> dict[str, int]:
        """The counts.

        >>> SuggestionReport(read=10, annotated=3).to_json()["annotated"]
        3
        """
        names = "read", "annotated", "trained_on", "without_pairs", "repeated", "alike"
        return {name: getattr(self, name) for name in names}

    def lines(self) -> list[str]:
        counts = (
            (self.annotated, "are annotated already (--include-annotated takes them too)"),
            (self.trained_on, "were in the training data of the model"),
            (self.without_pairs, "have no pair of entities that the model would relate"),
            (self.repeated, "repeat another sentence"),
        )
        lines = [f"{count} of {self.read} sentences {what}, and are left out" for count, what in counts if count]
        if self.alike:
            lines.append(f"much like another one that is chosen: {self.alike}, since too few others are left")
        return [*lines, *self.inference.lines()]


def acquisition_score(scored: Scored, decision: Decision, labels: tuple[str, ...], by: By) -> float | None:
    """What a sentence is worth, from 0 to 1, or for `positives` from 0 on; None for a sentence without pairs. Not for `random`.

    Args: labels: the relation type of each column of the scores. by: see the top of this module.

    >>> from relsift.candidates import Pair
    >>> from relsift.schema import Entity
    >>> sentence = Sentence("s1", ("Ada", "met", "Acme"), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")))
    >>> scored = Scored(sentence, [Pair(0, 1)], np.array([[0.0]], np.float32))  # log-odds of 0: the toss of a coin
    >>> acquisition_score(scored, Decision(), ("founder",), "uncertainty"), acquisition_score(scored, Decision(), ("founder",), "positives")
    (1.0, 0.5)
    """
    found = decision.choices(scored, labels)
    if not len(found.scores):
        return None
    if decision.calibration is not None:
        chances = decision.calibration.probability(found.scores)  # (N,)
    else:
        chances = 0.5 * (1 + np.tanh((found.scores - found.bars) / 2))  # (N,) the logistic function, without overflow
    return float(chances.sum()) if by == "positives" else float(1 - 2 * np.abs(chances - 0.5).min())


class Shortlist:
    """The best sentences of a stream, each once: constant memory.

    >>> shortlist = Shortlist(1)
    >>> shortlist.add(Suggestion(0.2, (0, 0), "d1", Sentence("s1", ("Ada", "left"))))
    >>> shortlist.add(Suggestion(0.9, (0, 1), "d1", Sentence("s2", ("Bo", "stayed"))))
    >>> [suggestion.sentence.id for suggestion in shortlist.best()]
    ['s2']
    """

    def __init__(self, size: int) -> None:
        self.size, self.repeated = size, 0
        self._heap: list[tuple[float, tuple[int, int], Suggestion, str]] = []  # the worst one first; of equal ones the last
        self._known = set[str]()  # fingerprints of the sentences in it

    def add(self, suggestion: Suggestion) -> None:
        key = fingerprint(suggestion.sentence)
        if key in self._known:
            self.repeated += 1
            return
        document, sentence = suggestion.place
        entry = (suggestion.worth, (-document, -sentence), suggestion, key)
        if len(self._heap) < self.size:
            heapq.heappush(self._heap, entry)
            self._known.add(key)
        elif entry[:2] > self._heap[0][:2]:
            *_, gone = heapq.heapreplace(self._heap, entry)
            self._known.add(key)
            self._known.discard(gone)

    def best(self) -> list[Suggestion]:
        """The best one first; of equal ones the first."""
        return [entry[2] for entry in sorted(self._heap, key=lambda entry: entry[:2], reverse=True)]


def diverse(ranked: Sequence[Suggestion], count: int) -> tuple[list[Suggestion], int]:
    """`count` of the best that are not much alike; and how many of them are, since too few are left. The order stays.

    >>> texts = ("Ada founded Acme in May .", "Ada founded Acme in May !", "Bo left .")
    >>> ranked = [Suggestion(1.0, (0, n), "d1", Sentence(f"s{n}", tuple(text.split()))) for n, text in enumerate(texts)]
    >>> chosen, alike = diverse(ranked, 2)
    >>> [suggestion.sentence.id for suggestion in chosen], alike
    (['s0', 's2'], 0)
    """
    taken, passed, words = list[Suggestion](), list[Suggestion](), list[frozenset[str]]()
    for suggestion in ranked:
        if len(taken) == count:
            break
        own = frozenset(token.lower() for token in suggestion.sentence.tokens)
        if any(_are_alike(own, other) for other in words):
            passed.append(suggestion)
        else:
            taken.append(suggestion)
            words.append(own)
    back = passed[: count - len(taken)]
    return sorted([*taken, *back], key=lambda one: (-one.worth, one.place)), len(back)


def _are_alike(one: frozenset[str], other: frozenset[str]) -> bool:
    if min(len(one), len(other)) < MOST_SHARED * max(len(one), len(other)):  # at most the smaller one can be shared
        return False
    shared = len(one & other)
    return shared > MOST_SHARED * (len(one) + len(other) - shared)


def suggest(
    extractor: RelationExtractor,
    documents: Iterable[Document],
    count: int,
    *,
    by: By = "uncertainty",
    seed: int = 0,
    known: frozenset[str] = frozenset(),
    include_annotated: bool = False,
    with_predictions: bool = False,
    entities: Entities | None = None,
    report: SuggestionReport,
    on_sentences: Callable[[int], None] | None = None,
) -> list[Suggestion]:
    """The `count` sentences most worth annotating, the best one first; without relations.

    Args:
        by: see the top of this module.
        seed: of the random choice.
        known: fingerprints of sentences to leave out, such as those that the model was trained on.
        include_annotated: do not leave out sentences whose relations are annotated.
        with_predictions: with the relations that the model finds; and with the entities, if the model itself finds them.
        entities: as of `RelationExtractor.predict`. report: collects what was read and left out.
        on_sentences: called after each block with the number of sentences read so far.

    See also: `suggest_file`.

    >>> rx = RelationExtractor.from_pretrained("demo-en")
    >>> texts = ("Ida Holm and her sister own the ferry.", "It rained.")
    >>> documents = [Document(f"d{n}", (Sentence(f"s{n}", tuple(text.split())),)) for n, text in enumerate(texts)]
    >>> [suggestion.sentence.id for suggestion in suggest(rx, documents, 1, report=SuggestionReport())]
    ['s0']
    """
    require(1 <= count <= MOST, "--count", expected=f"a number of sentences, 1 to {MOST}", got=count)
    shortlist, numbers = Shortlist(count if by == "random" else count * POOL), itertools.count()
    for block in blocks_of(_unlabelled(documents, known, include_annotated, report)):
        for suggestion in _valued(extractor, block, numbers, by, seed, with_predictions, entities, report):
            shortlist.add(suggestion)
        if on_sentences is not None:
            on_sentences(report.read)
    report.repeated = shortlist.repeated
    if by == "random":
        return shortlist.best()
    chosen, report.alike = diverse(shortlist.best(), count)
    return chosen


def _unlabelled(
    documents: Iterable[Document], known: frozenset[str], include_annotated: bool, report: SuggestionReport
) -> Iterator[Document]:
    """The documents with the sentences that may be suggested, without relations."""
    for document in documents:
        kept = []
        for sentence in document.sentences:
            report.read += 1
            if sentence.relations is not None and not include_annotated:
                report.annotated += 1
            elif known and fingerprint(sentence) in known:
                report.trained_on += 1
            else:
                kept.append(sentence.with_relations(None))
        yield Document(document.id, tuple(kept))  # without its text, to which those left out belong too; sentences have their part


def _valued(
    extractor: RelationExtractor, block: Sequence[Document], numbers: Iterator[int], by: By, seed: int, with_predictions: bool,
    entities: Entities | None, report: SuggestionReport,
) -> Iterator[Suggestion]:  # fmt: skip
    """The sentences of a block with their worth; those without one are counted. Args: numbers: of documents, the next ones."""
    bundle = extractor.bundle
    found_by_model = bundle.entity_source is None and entities_of(bundle.scorer, entities) == "predicted"
    asked = by != "random" or with_predictions or bundle.entity_source is not None
    scored = extractor.scored(block, report=report.inference, entities=entities) if asked else None
    for document, number in zip(block, numbers):
        for at, sentence in enumerate(document.sentences):
            its = None if scored is None else next(scored)
            if by == "random":
                value: float | None = stable_integer("suggest", seed, number, at) / RANGE
            else:
                value = None if its is None else acquisition_score(its, bundle.decision, bundle.encoding.labels, by)
            if value is None:
                report.without_pairs += 1
                continue
            if its is not None and with_predictions:
                sentence = bundle.decision.decide(its, bundle.encoding.labels)
            elif its is not None and not found_by_model:  # else its entities are predictions too
                sentence = its.sentence
            yield Suggestion(value, (number, at), document.id, sentence)


def documents_of(suggestions: Iterable[Suggestion]) -> list[Document]:
    """The suggested sentences in their documents, as readers of files want them: a document stands where its best sentence ranks.

    >>> best = Suggestion(0.9, (0, 1), "d1", Sentence("s2", ("Bo", "left")))
    >>> next_one = Suggestion(0.5, (0, 0), "d1", Sentence("s1", ("Ada", "left")))
    >>> [(document.id, [sentence.id for sentence in document.sentences]) for document in documents_of([best, next_one])]
    [('d1', ['s1', 's2'])]
    """
    groups: dict[int, list[Suggestion]] = {}
    for suggestion in suggestions:
        groups.setdefault(suggestion.place[0], []).append(suggestion)
    ordered = (sorted(group, key=lambda one: one.place) for group in groups.values())
    return [Document(group[0].document, tuple(one.sentence for one in group)) for group in ordered]


def suggest_file(
    extractor: RelationExtractor,
    source: str,
    out: Path,
    count: int,
    *,
    writer: Writer,
    run: Path,
    by: By = "uncertainty",
    seed: int = 0,
    include_annotated: bool = False,
    with_predictions: bool = False,
    entities: Entities | None = None,
    splitter: str | None = None,
    is_text: bool = False,
    no_relation: Sequence[str] = (),
    on_error: OnError = "stop",
    report: SuggestionReport,
    on_sentences: Callable[[int], None] | None = None,
) -> tuple[list[Suggestion], list[str]]:
    """Write the sentences of `source` that are most worth annotating; returns them, and what the user should know.

    Args: run: folder of the model, which may know what it was trained on. The others as of `suggest` and `predict_file`.
    Raises: DataError for broken input, or if no sentence is left to suggest; ConfigError as `predict_file`.

    See also: `suggest`, of documents in memory.

    >>> from tempfile import TemporaryDirectory
    >>> from relsift.writers.native import WRITER
    >>> rx, report = RelationExtractor.from_pretrained("demo-en"), SuggestionReport()
    >>> with TemporaryDirectory() as folder:
    ...     _ = Path(folder, "notes.txt").write_text("Ida Holm and her sister own the ferry. It rained.")
    ...     found, notes = suggest_file(
    ...         rx, f"{folder}/notes.txt", Path(folder, "next.jsonl"), 1, writer=WRITER, run=Path("demo-en"), report=report)
    >>> found[0].sentence.text, report.read
    ('Ida Holm and her sister own the ferry.', 2)
    """
    require(by in WAYS, "--by", expected=", ".join(WAYS), got=by)
    check_place(out, writer)
    chosen = entities if extractor.bundle.entity_source is not None else entities_of(extractor.bundle.scorer, entities)
    why_no_text = NOTHING_FINDS_ENTITIES if chosen == "gold" else None
    given = open_input(source, splitter=splitter, is_text=is_text, no_relation=no_relation, why_no_text=why_no_text)
    check_output(out, given.files, option="--out")
    left_out, notes = ReadReport(on_error=on_error), list[str]()
    found = suggest(
        extractor, given.documents(left_out, notes), count, by=by, seed=seed, known=trained_on(run), include_annotated=include_annotated,
        with_predictions=with_predictions, entities=entities, report=report, on_sentences=on_sentences,
    )  # fmt: skip
    notes += [*left_out.lines(), *report.lines()]
    if not found:
        why = "; ".join(report.lines()) or "no sentences"
        raise DataError(f"{given.name}: expected sentences to suggest, got none: {why}")
    if len(found) < count:
        notes.append(f"{given.name}: only {len(found)} sentences are there to suggest, not {count}")
    cannot_hold = Omissions()
    write_documents(writer, documents_of(found), out, cannot_hold)
    return found, [*notes, *not_written(writer, cannot_hold)]
