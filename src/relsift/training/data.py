"""Sentences to train on and to score on, from what the user named, and what is to be known of them first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from relsift.bundle import RUN_FILE
from relsift.candidates import Direction
from relsift.corpora.corpus import DEV, TEST, TRAIN
from relsift.corpora.data import Data, resolve
from relsift.corpora.leaks import duplicates_line, fingerprint, read_fingerprints, repeated_ids, repeated_ids_line, same_origin, seen_before
from relsift.corpora.losses import documents_with_losses, regain
from relsift.corpora.no_relation import never_seen, no_relation_warnings
from relsift.corpora.split import SEED, share_warnings, split_documents
from relsift.errors import ConfigError, DataError, require
from relsift.passages import passages
from relsift.readers.base import OnError, ReadReport
from relsift.schema import Document, Sentence, sentences_of
from relsift.training.on_disk import OPTION
from relsift.training.run_folder import FINGERPRINTS_FILE, RunData
from relsift.training.sentence_file import SentenceFile

_KINDS = {TRAIN: "training", DEV: "development", TEST: "test"}  # parts, in words
_SCORES = "the scores stand on them"
FEW_RELATIONS = 100  # in a part to select or score on; with fewer, F1 moves by points from chance alone


@dataclass(frozen=True)
class LoadedData:
    """Sentences to train on, and what is to be known of them."""

    run: RunData
    direction: Direction | None  # the corpus's usual direction, if it has one
    notes: list[str]  # what the readers left out, one line a reason
    warnings: list[str] = field(default_factory=list)  # why scores of this data may mislead, one line each
    documents: list[Document] = field(default_factory=list)  # those of the training sentences, to draw samples from


@dataclass(frozen=True)
class ScoringData:
    """Documents to score a model on, and what is to be known of them."""

    name: str
    documents: list[Document]
    losses: list[Counter[str]]  # of each document: type -> annotated relations that the reader could not keep
    dropped_before: dict[str, int]  # reason -> items that are not in the data since the corpus was prepared
    notes: list[str]  # what the readers left out, one line a reason
    warnings: list[str]  # why the scores may mislead, one line each
    read: list[Document] = field(default_factory=list)  # the documents as they were read, with sentences where `documents` have passages

    @property
    def sentences(self) -> list[Sentence]:
        return list(sentences_of(self.documents))

    @property
    def lost_relations(self) -> Counter[str]:
        """Type -> relations of all documents that the reader could not keep."""
        return sum(self.losses, Counter[str]())


def training_data(
    data: str,
    dev: str | None = None,
    *,
    dev_fraction: float | None = None,
    no_relation: Sequence[str] = (),
    on_error: OnError = "stop",
    window: int = 1,
    licence: str | None = None,
    on_disk: Path | None = None,
) -> LoadedData:
    """The training and development sentences of `data`; a corpus with parts brings its own development part.

    A sentence of one part that is also in the other, and an id that two sentences of a part have, are named in `warnings`.

    Args:
        dev: other data, whose development part is taken if it has parts. dev_fraction: share of the training sentences to hold out in
            their place, whole documents, those that share text together. no_relation: see `resolve`. on_error: see `ReadReport`.
        window: sentences of the passages that are trained on: relations across sentences that one holds are not lost.
        licence: of the model that is trained, for its card.
        on_disk: the training sentences are kept in a file of this folder, not in memory (see `SentenceFile`), and there are no documents;
            not beside `dev_fraction` or a window.
    Raises: DataError if there is no development data, or both are read from the same place; ConfigError for `dev` beside `dev_fraction`.
    """
    _check_cut(dev, dev_fraction, window, on_disk)
    source = resolve(data, no_relation)
    if source.splits and TRAIN not in source.splits:
        raise DataError(f"{data}: expected data with a training part or without parts, got the parts {', '.join(source.splits)}")
    part = TRAIN if source.splits else None
    report = ReadReport(on_error=on_error)
    warnings: list[str] = []
    filed: SentenceFile | None = None
    checksums = {source.name: source.sha256()}
    if dev_fraction is not None:
        cut = split_documents(list(source.documents(part, report)), {DEV: dev_fraction}, seed=SEED, where=data)
        documents, dev_documents = cut[TRAIN], list(cut[DEV])
        warnings = share_warnings(cut, {DEV: dev_fraction})
        if DEV in source.splits:
            warnings.append(f"{data}: its own development part is not used, since --dev-fraction holds out a share of the training part")
    else:
        dev_source, dev_part = _development_source(data, source, part, dev, no_relation)
        read = source.documents(part, report)
        filed = None if on_disk is None else SentenceFile.of(sentences_of(read), on_disk)
        documents = list(read) if filed is None else []
        dev_documents = list(dev_source.documents(dev_part, report))
        checksums |= {dev_source.name: dev_source.sha256()} if dev is not None else {}
    for document in (*documents, *dev_documents):
        regain(document, window, report)
    training = list(sentences_of(documents)) if filed is None else filed
    development = list(sentences_of(dev_documents))
    options: dict[str, Any] = {"no_relation": list(no_relation)} if no_relation else {}
    options |= {"on_error": on_error} if on_error != "stop" else {}
    options |= {"dev_fraction": dev_fraction} if dev_fraction is not None else {}
    facts = {"data_licence": source.licence, "language": source.language, "licence": licence}
    about = {name: value for name, value in facts.items() if value is not None}
    both = (documents, dev_documents) if filed is None else None
    run = RunData(source.name, training, development, checksums, options, both, about)
    warnings += [*_training_warnings(training, development, _in_passages(dev_documents, window)), *never_seen(no_relation, report)]
    return LoadedData(run, source.direction, report.lines(), warnings, documents)


def _check_cut(dev: str | None, dev_fraction: float | None, window: int, on_disk: Path | None) -> None:
    """Raises ConfigError for arguments of `training_data` that do not go together."""
    if dev is not None and dev_fraction is not None:
        raise ConfigError(f"--dev-fraction: expected none beside --dev, which names the development data, got {dev_fraction:g}")
    if dev_fraction is not None:
        is_share = 0 < dev_fraction < 1
        require(is_share, "--dev-fraction", expected="a share of the sentences between 0 and 1, such as 0.1", got=dev_fraction)
        expected = f"none beside {OPTION}, since it reads all text; cut the data into files with `relsift split` first"
        require(on_disk is None, "--dev-fraction", expected=expected, got=dev_fraction)
    require(on_disk is None or window == 1, "candidates.window", expected=f"1 beside {OPTION}", got=window)


def scoring_data(
    data: str,
    run: Path | None = None,
    *,
    part: str = TEST,
    no_relation: Sequence[str] = (),
    on_error: OnError = "stop",
    window: int = 1,
    concepts: bool = False,
) -> ScoringData:
    """Annotated documents to score a model on: of data with parts, this one.

    Args:
        run: folder of the model's run, to notice sentences that it was trained on. no_relation, on_error: as for `training_data`.
        window: that of the model (`Candidates.window`); with more than 1, the documents have passages for sentences.
        concepts: the relations of concepts will be scored, so few relations of mentions are no reason for a warning.
    Raises: DataError if there are parts and not this one, since all parts together would be training data too.
    """
    source = resolve(data, no_relation)
    chosen = _part_or_whole(data, source, part, _KINDS[part])
    report = ReadReport(on_error=on_error)
    pairs = list(documents_with_losses(source.documents(chosen, report), report))
    for document, lost in pairs:
        regain(document, window, report, lost)
    name = source.name if chosen is None else f"{source.name}/{chosen}"
    sentences = list(sentences_of(document for document, _ in pairs))  # whose repetition matters, where passages overlap
    documents = [passages(document, window) for document, _ in pairs]
    scored = None if concepts else list(sentences_of(documents))
    warnings = [*_scoring_warnings(name, sentences, scored, run), *never_seen(no_relation, report)]
    return ScoringData(
        name, documents, [lost for _, lost in pairs], dict(source.dropped), report.lines(), warnings, [document for document, _ in pairs]
    )


def _part_or_whole(data: str, source: Data, part: str, kind: str) -> str | None:
    """The part, or None for data without parts. Raises DataError for data with other parts only. Args: kind: of the part, in words."""
    if source.splits and part not in source.splits:
        raise DataError(
            f"{data}: expected a {kind} part, or data without parts, got the parts {', '.join(source.splits)}; "
            f"name one, such as {data}/{source.splits[-1]}"
        )
    return part if source.splits else None


def _development_source(data: str, source: Data, part: str | None, dev: str | None, no_relation: Sequence[str]) -> tuple[Data, str | None]:
    """Where development sentences are read: the data, and its part. Raises DataError as `training_data` does."""
    if dev is None:
        if DEV not in source.splits:
            raise DataError(
                f"{data}: expected a corpus with a development part, got one without; name one with --dev, or hold out a tenth of the "
                "training documents with --dev-fraction 0.1 (`relsift split` writes such parts to files)"
            )
        if (origin := same_origin(source, part, source, DEV)) is not None:
            raise DataError(f"{data}: expected a development part that is not trained on, got the training part again: {origin}")
        return source, DEV
    dev_source = resolve(dev, no_relation)
    dev_part = _part_or_whole(dev, dev_source, DEV, "development")
    if (origin := same_origin(source, part, dev_source, dev_part)) is not None:
        raise DataError(
            f"--dev {dev}: expected development data that is not trained on, got what --data {data} reads too: {origin}; "
            "leave out --dev and hold out a share with --dev-fraction 0.1"
        )
    return dev_source, dev_part


def _in_passages(documents: Sequence[Document], window: int) -> list[Sentence]:
    return list(sentences_of([passages(document, window) for document in documents]))


def _training_warnings(
    training: Sequence[Sentence], development: Sequence[Sentence], selected_on: Sequence[Sentence]
) -> Iterator[str]:
    """Args: selected_on: the development sentences, or their passages."""
    filed = training if isinstance(training, SentenceFile) else None
    for part, sentences in (("training", training), ("development", development)):
        if ids := sentences.repeated_ids() if isinstance(sentences, SentenceFile) else repeated_ids(sentences):
            yield repeated_ids_line(part, ids)
    known = set(map(fingerprint, training)) if filed is None else filed.known_among(set(map(fingerprint, development)))
    if leaked := seen_before(development, known):
        share = "" if len(leaked) < len(development) else " (all of them)"
        yield duplicates_line(
            f"development{share}", "training", leaked,
            "take them out of one side, or cut the data anew with `relsift split`, which keeps them together",
        )  # fmt: skip
    yield from too_few("development", selected_on, "epoch and threshold are chosen on them")
    yield from no_relation_warnings(_types_of(training) if filed is None else filed.relation_types)


def _scoring_warnings(name: str, sentences: Sequence[Sentence], scored: Sequence[Sentence] | None, run: Path | None) -> Iterator[str]:
    """Args: scored: the sentences, or their passages; None if relations of concepts are scored."""
    if ids := repeated_ids(sentences):
        yield repeated_ids_line(name, ids)
    if run is not None:
        yield from seen_in_training(name, sentences, run)
    if scored is not None:
        yield from too_few(name, scored, _SCORES)
    yield from no_relation_warnings(_types_of(sentences))


def _types_of(sentences: Iterable[Sentence]) -> Iterator[str]:
    """Of each relation."""
    return (relation.type for sentence in sentences for relation in sentence.relations or ())


def seen_in_training(name: str, sentences: Sequence[Sentence], run: Path) -> Iterator[str]:
    """A warning if a model was trained on some of the sentences."""
    if leaked := seen_before(sentences, trained_on(run)):
        share = "" if len(leaked) < len(sentences) else " (all of them)"
        yield duplicates_line(f"{name}{share}", "the training data of the model", leaked, "score on data that it has not seen")


def too_few(name: str, sentences: Sequence[Sentence], use: str) -> Iterator[str]:
    """A warning if the sentences have too few annotated relations to trust a score."""
    relations = sum(len(sentence.relations or ()) for sentence in sentences)
    annotated = sum(sentence.relations is not None for sentence in sentences)
    yield from _too_few(name, relations, _counted(annotated, "annotated sentence"), use)


def too_few_of_concepts(name: str, relations: int, documents: int) -> Iterator[str]:
    """As `too_few`, for scores of relations between concepts. Args: relations: gold ones, of so many annotated documents."""
    yield from _too_few(name, relations, _counted(documents, "annotated document"), _SCORES)


def _too_few(name: str, relations: int, places: str, use: str) -> Iterator[str]:
    """As `too_few`. Args: places: in which they are, in words."""
    if relations < FEW_RELATIONS:
        counts = f"{_counted(relations, 'relation')} in {places}"
        yield f"{name}: only {counts}, and {use}; F1 on fewer than {FEW_RELATIONS} relations changes by several points from chance alone"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def trained_on(run: Path) -> frozenset[str]:
    """Fingerprints of the sentences that a model was trained on, from its run folder or the one around its model folder; else empty."""
    folder = run if (run / RUN_FILE).is_file() else run.resolve().parent
    return read_fingerprints(folder / FINGERPRINTS_FILE)
