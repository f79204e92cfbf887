"""Scores the requests of a batch together, and answers each by itself: what is wrong with one never reaches another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.encoding.example import examples_of
from relsift.encoding.types import UNKNOWN_TYPE
from relsift.encoding.words import UNKNOWN_WORD
from relsift.errors import DataError, RelsiftError
from relsift.extractor import RelationExtractor
from relsift.inference import Ensemble, InferenceReport
from relsift.items import BY_MODEL
from relsift.readers.base import ReadReport
from relsift.readers.native import document_of, read_records
from relsift.readers.python_values import as_json as whole_characters
from relsift.schema import Document, Sentence
from relsift.serving.limits import Limits
from relsift.serving.problems import Problem, as_json
from relsift.serving.requests import Extraction, check_size
from relsift.serving.results import decision_summary, pairs_of, result_of


@dataclass(frozen=True)
class Read:
    """A document of a request, before it is scored."""

    record: Mapping[str, Any]
    document: Document
    has_entities: bool
    notes: list[str]
    where: str


@dataclass
class Counts:
    """What a batch was."""

    documents: int = 0
    report: InferenceReport = field(default_factory=InferenceReport)


Outcome = bytes | Problem  # the body of an answer, or what is wrong
Scores = list[list[Scored]]  # of each document, of each sentence


def answers(
    name: str, extractor: RelationExtractor, requests: Sequence[Extraction], limits: Limits, counts: Counts
) -> list[Outcome | Exception]:
    """One outcome a request, in order. An exception that is no Problem is a fault of ours, not of the request."""
    outcomes: list[Outcome | Exception | list[Read]] = [_tried(lambda one=one: _read(extractor, one, limits)) for one in requests]
    read = [documents for documents in outcomes if isinstance(documents, list)]
    scores = _scores_of(extractor, read, counts)
    finished: list[Outcome | Exception] = []
    for request, outcome in zip(requests, outcomes):
        if not isinstance(outcome, list):
            finished.append(outcome)
        elif isinstance(scored := next(scores), Exception):
            finished.append(scored)
        else:
            finished.append(_tried(lambda r=request, d=outcome, s=scored: _answer(name, extractor, r, d, s, counts)))
    return finished


def _tried(work: Any) -> Any:
    """The value, or the exception: a request that fails must not fail the others."""
    try:
        return work()
    except Problem as problem:
        return problem
    except RelsiftError as error:
        return Problem("invalid", str(error))
    except Exception as error:
        return error


def _scores_of(extractor: RelationExtractor, requests: list[list[Read]], counts: Counts) -> Iterator[Scores | Exception]:
    """Of each request. If scoring them together fails, each is scored alone, so that only the guilty one fails."""
    if extractor.candidates.window > 1:  # passages are joined and parted by the extractor, see `_passages`
        for documents in requests:
            yield [[] for _ in documents]
        return
    together = _tried(lambda: _scored(extractor, [one for documents in requests for one in documents], counts))
    if not isinstance(together, Exception):
        rest = iter(together)
        yield from (list(islice(rest, len(documents))) for documents in requests)
    elif len(requests) == 1:
        yield together
    else:
        for documents in requests:
            yield _tried(lambda those=documents: _scored(extractor, those, counts))


def _scored(extractor: RelationExtractor, read: Sequence[Read], counts: Counts) -> Scores:
    counts.documents += len(read)
    found: dict[int, list[Scored]] = {}
    for has_entities in (True, False):  # given entities are related as they are, others are found
        numbers = [number for number, one in enumerate(read) if one.has_entities == has_entities]
        documents = [read[number].document for number in numbers]
        scored = iter(list(extractor.scored(documents, report=counts.report, entities="gold" if has_entities else None)))
        for number, document in zip(numbers, documents):
            found[number] = list(islice(scored, len(document.sentences)))
    return [found[number] for number in range(len(read))]


# ---- reading


def _read(extractor: RelationExtractor, request: Extraction, limits: Limits) -> list[Read]:
    if request.options.all_scores and extractor.candidates.window > 1:
        raise Problem("invalid", "expected a model that reads single sentences, for all scores, got one that reads several", "all_scores")
    decision_of(extractor, request)  # now, before anything is computed
    return [_read_document(extractor, record, f"documents.{number}", limits) for number, record in enumerate(request.documents)]


def _read_document(extractor: RelationExtractor, record: Mapping[str, Any], where: str, limits: Limits) -> Read:
    parts = record.get("sentences")
    has_entities = "entities" in (record if parts is None else parts[0])
    if not has_entities and not extractor.finds_entities:
        raise Problem("invalid", f'expected "entities" beside the text; {BY_MODEL}', where)
    report = ReadReport()
    try:
        whole_characters(record, where)  # what no reader takes: half a character, U+0000
        if parts is None:
            document = document_of(record, where, report, key=record["id"])
        else:
            named = [part | {"id": part.get("id", f"{record['id']}-{n}"), "doc_id": record["id"]} for n, part in enumerate(parts)]
            [document] = read_records(enumerate(named), f"{where}.sentences", report)
    except DataError as error:
        raise Problem("invalid", str(error), where) from error
    check_size(sum(len(sentence.tokens) for sentence in document.sentences), "tokens", limits.max_tokens, where)
    notes = [*report.lines(), *_unknown_types(extractor, document.sentences)]
    return Read(record, document, has_entities, notes, where)


def _unknown_types(extractor: RelationExtractor, sentences: Sequence[Sentence]) -> list[str]:
    kinds = {entity.type for sentence in sentences for entity in sentence.entities}
    types = extractor.bundle.encoding.types
    unknown = sorted(kind for kind in kinds if types.id(kind) == UNKNOWN_TYPE)
    return [f"entity types never seen in training, tagged as no entity: {', '.join(unknown)}"] if unknown else []


def _unknown_words(extractor: RelationExtractor, sentences: Sequence[Sentence]) -> list[str]:
    """Only asked if a sentence of the batch had no known word."""
    words = extractor.bundle.encoding.words
    if words is None or not words.words:
        return []
    count = sum(set(words.ids(sentence.tokens)) == {UNKNOWN_WORD} for sentence in sentences)
    hint = "are they in the language of the training data?"
    return [f"sentences without a single word that training had: {count} of {len(sentences)}; {hint}"] if count else []


# ---- answering


def decision_of(extractor: RelationExtractor, request: Extraction) -> Decision:
    """The model's decision with what the request changes. Raises ConfigError for what it cannot have."""
    decision, options = extractor.bundle.decision, request.options
    if options.threshold is not None:
        decision = decision.with_threshold(options.threshold)
    return decision if options.mode is None else replace(decision, mode=options.mode)


def _answer(
    name: str, extractor: RelationExtractor, request: Extraction, read: Sequence[Read], scores: Scores, counts: Counts
) -> bytes:
    decision, options, labels = decision_of(extractor, request), request.options, extractor.labels
    results = []
    for one, scored in zip(read, scores):
        if extractor.candidates.window > 1:
            document, is_cut = _passages(extractor, decision, one, counts)
        else:
            document = replace(one.document, sentences=tuple(decision.decide(those, labels) for those in scored), across=())
            is_cut = counts.report.cut_pairs > 0 and any(_is_cut(extractor, those) for those in scored)
        notes = [*one.notes, *(_unknown_words(extractor, document.sentences) if counts.report.unknown_sentences else ())]
        result = result_of(document, one.record, with_tokens=options.with_tokens, truncated=is_cut, notes=notes)
        results.append(result | ({"pairs": pairs_of(scored, decision, labels)} if options.all_scores else {}))
    answer: dict[str, Any] = {"model": name, "results": results}
    if options.all_scores:
        answer |= {"labels": list(labels), "decision": decision_summary(decision)}
    return as_json(answer)


def _passages(extractor: RelationExtractor, decision: Decision, read: Read, counts: Counts) -> tuple[Document, bool]:
    """The document by a model that reads several sentences together, and whether a passage was too long for it."""
    decided = RelationExtractor(replace(extractor.bundle, decision=decision), extractor.checksum, annotator=extractor.annotator)
    before = counts.report.cut_pairs
    found = decided.documents([read.document], report=counts.report, entities="gold" if read.has_entities else None)
    [document] = list(found)
    counts.documents += 1
    return document, counts.report.cut_pairs > before


def _is_cut(extractor: RelationExtractor, scored: Scored) -> bool:
    """Whether the model saw a part of the sentence; only asked if it did of some sentence of the batch."""
    scorer = extractor.bundle.scorer
    members = scorer.members if isinstance(scorer, Ensemble) else (scorer,)
    return any(
        member.model.cut_pairs(examples_of(scored.sentence, scored.pairs, member.encoding, labelled=False)) > 0 for member in members
    )
