"""Convert a named corpus's raw files to native JSON lines below the home folder. Inputs are checked, results described.

corpora/NAME/train.jsonl …   one file a split
corpora/NAME/corpus.json     source, licence, checksums of inputs and outputs, counts, what the readers left out
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any, TextIO

from relsift.archive import ARCHIVE_SUFFIX, unpack
from relsift.concepts import without_mentions
from relsift.corpora.corpus import SPLITS, Corpus
from relsift.corpora.description import write_description
from relsift.corpora.download import ReportProgress, download
from relsift.corpora.locate import locate
from relsift.errors import DataError
from relsift.files import check_output, file_sha256, make_folder, open_output, replaced_folder
from relsift.home import HOME_VARIABLE, corpus_folder
from relsift.readers.base import ReadReport
from relsift.schema import Document
from relsift.writers import native


def prepare(corpus: Corpus, *, source: Path | None, home: Path, progress: ReportProgress | None = None) -> Path:
    """Read the raw files below `source`, or download them, and write the corpus below `home`. Returns its folder.

    An earlier folder of the corpus is replaced when the new one is complete.

    Args: source: a folder, or a zip archive. None: download.
    Raises: DataError if a raw file is missing, has another checksum, or is broken; if the download or the archive fails; or if
        nothing can be written.
    """
    report_progress = progress or (lambda *_: None)
    if corpus.shipped is not None:
        raise DataError(f"{corpus.name}: expected a corpus to prepare, got one that ships with relsift and is ready to use")
    target = corpus_folder(corpus.name, home)
    report = ReadReport()
    try:
        make_folder(target.parent)
        with ExitStack() as stack:
            raw_paths = locate(corpus, _unpacked(corpus, source, stack, report_progress))
            check_output(target, raw_paths.values())
            new_folder = stack.enter_context(replaced_folder(target))
            counts = _write(corpus, raw_paths, new_folder, report, report_progress)
            _describe(corpus, new_folder, counts, report)
    except OSError as error:
        raise DataError(
            f"{error.filename or target}: expected raw files to read and a place to write to, got {error.strerror or error}; "
            f"set ${HOME_VARIABLE} to a folder with room that you may write to, and $TMPDIR for downloads"
        ) from error
    return target


def _unpacked(corpus: Corpus, source: Path | None, stack: ExitStack, progress: ReportProgress) -> Path:
    """The folder of the raw files. One that is made for this is deleted when the stack is closed."""
    if source is not None and not (source.is_file() and source.suffix.lower() == ARCHIVE_SUFFIX):
        return source
    scratch = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="relsift-")))
    if source is None:
        download(corpus, scratch, progress)
    else:
        unpack(source, scratch / "unpacked", str(source))
    return scratch


def read_raw(corpus: Corpus, raw_paths: dict[str, Path], report: ReadReport) -> Iterator[tuple[str, Document]]:
    """Every document of the corpus with the name of its split, in the order of the readings."""
    for reading in corpus.readings:
        for split, document in reading.read(raw_paths[reading.raw], report):
            reason = corpus.leave_out(document) if corpus.leave_out is not None else None
            if reason is not None:
                report.drop(reason, f"{raw_paths[reading.raw]}: {document.id}")
            else:
                yield split, document


def _write(
    corpus: Corpus, raw_paths: dict[str, Path], folder: Path, report: ReadReport, progress: ReportProgress
) -> dict[str, Counter[str]]:
    """Write one file a split; returns what each holds."""
    counts: dict[str, Counter[str]] = {}
    with ExitStack() as stack:
        streams: dict[str, TextIO] = {}
        for number, (split, document) in enumerate(read_raw(corpus, raw_paths, report), start=1):
            if split not in streams:
                streams[split] = stack.enter_context(open_output(folder / f"{split}.jsonl"))
                counts[split] = Counter()
            for one in without_mentions(document):
                report.regain_concepts(one.type)  # the file holds them
            native.write([replace(document, across=())], streams[split])  # described as left out, since results rest on these files
            counts[split].update(document_counts(document))
            progress("reading", number, None)
    return {split: counts[split] for split in SPLITS if split in counts}


def document_counts(document: Document) -> Counter[str]:
    """Numbers of documents (1), sentences, entities and relations."""
    return Counter(
        documents=1,
        sentences=len(document.sentences),
        entities=sum(len(sentence.entities) for sentence in document.sentences),
        relations=sum(len(sentence.relations or ()) for sentence in document.sentences),
    )


def _describe(corpus: Corpus, folder: Path, counts: dict[str, Counter[str]], report: ReadReport) -> None:
    from relsift import __version__

    description: dict[str, Any] = {
        "name": corpus.name,
        "title": corpus.title,
        "language": corpus.language,
        "domain": corpus.domain,
        "direction": corpus.direction,
        "licence": corpus.licence,
        "source": corpus.source,
        "homepage": corpus.homepage,
        "citation": corpus.citation,
        "notes": list(corpus.notes),
        "relsift": __version__,
        "inputs": {raw.path: raw.sha256 for raw in corpus.raw},
        "splits": {
            split: {"file": f"{split}.jsonl", "sha256": file_sha256(folder / f"{split}.jsonl")} | dict(numbers)
            for split, numbers in counts.items()
        },
        "dropped": dict(report.dropped),
    }
    write_description(folder, description)

