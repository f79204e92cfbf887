"""BioNLP shared tasks: a text `X.txt`, its given entities `X.a1`, and what was to be found, `X.a2` or `X.rel`, side by side.

The lines are those of brat (see `relsift.readers.brat`). `R` and `*` lines are relations. `E` lines are events, which relsift does not
hold: they are counted with their triggers, the `T` lines that they name; other `T` lines there are entities. An `E` line without a trigger
relates two entities, as in the SeeDev task, and is a relation. Without such a
file the relations of the text are not annotated. Entities of the types Title and Paragraph are parts of the text and are counted only.
Format: https://2013.bionlp-st.org/file-formats
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from relsift.errors import DataError
from relsift.readers import brat
from relsift.readers.base import Reader, ReadReport, beginning_of, found_beside, input_files, is_hidden, no_text, read_text, shown
from relsift.readers.brat_lines import AnnotationFile, is_annotation, parse
from relsift.readers.encodings import UTF8
from relsift.readers.misplaced import AUTO
from relsift.readers.positions import CHARACTERS, CONVENTIONS, begins_with_mark
from relsift.schema import Document

GIVEN = ".a1"
FOUND = (".a2", ".rel")  # of what was to be found; BioNLP 2011 has relations in the second one
_SPLIT_HINT = "; if a sentence is cut at a wrong place, see the option lines=sentences"
_PARTS_OF_THE_TEXT = frozenset(("Title", "Paragraph"))

SAMPLES = {
    "mill.txt": "Ada Berg runs the Old Mill. The Old Mill, or OM, stands in Lund.\n",
    "mill.a1": "T1\tPerson 0 8\tAda Berg\nT2\tPlace 18 26\tOld Mill\nT3\tPlace 32 40\tOld Mill\nT4\tPlace 45 47\tOM\n"
    "T5\tPlace 59 63\tLund\n",
    "mill.a2": "R1\truns Arg1:T1 Arg2:T2\n*\tEquiv T3 T4\nR2\tlocated_in Arg1:T3 Arg2:T5\n",
}


def read(
    path: Path, report: ReadReport, *, lines: str = "break", equivalences: str = "relations", positions: str = CHARACTERS,
    encoding: str = UTF8,
) -> Iterator[Document]:  # fmt: skip
    """Yield one document per text, sorted by path. The options are those of brat.

    Raises: DataError naming file and line; also if the words of many entities are not at their offsets.
    Counts: events with their triggers, parts of the text, discontinuous entities, texts without an .a1 file, and all that brat's reader
        counts.
    """
    if path.suffix.lower() in (".txt", *FOUND):
        path = brat.beside(path, GIVEN, "its given entities beside it")
    files = input_files(path, GIVEN)
    if path.is_dir():
        _count_texts_without_annotation(path, files, report)
    options = brat.Options(lines=lines, equivalences=equivalences, positions=positions, encoding=encoding)
    corpus = brat.Corpus(path, files, options, partial(_load, options), READER.name, split_hint=_SPLIT_HINT)
    yield from brat.documents(corpus, report)


def _load(options: brat.Options, file: Path, report: ReadReport) -> brat.Pair:
    source = brat.beside(file, ".txt", "the text beside the annotation")
    text = read_text(source, options.encoding)
    if not text.strip():
        raise no_text(source, "an empty text")
    annotations = parse(file, report, encoding=options.encoding, equivalences=True)
    found = [other for suffix in FOUND if (other := found_beside(file, file.suffix, suffix)) is not None]
    for other in found:
        as_asked = options.equivalences == "relations"
        more = parse(other, report, encoding=options.encoding, equivalences=as_asked, events_without_trigger=True)
        _add(more, annotations, report)
    _leave_out_parts_of_the_text(annotations, report)
    return brat.Pair(text, begins_with_mark(source), annotations, has_relations=bool(found or annotations.relations))


def _add(more: AnnotationFile, annotations: AnnotationFile, report: ReadReport) -> None:
    """Add the annotations of another file. Some tasks repeat the given entities there. Raises: DataError for an id with two meanings."""
    given = {mention.id: mention for mention in annotations.mentions}
    for mention in more.mentions:
        with report.leaving_out("entities"):
            known = given.get(mention.id)
            if known is None:
                annotations.mentions.append(mention)
            elif (known.type, known.spans) != (mention.type, mention.spans):
                raise DataError(f"{mention.where}: expected an id that the {GIVEN} file does not have, got {shown(mention.id)} again")
    annotations.relations += more.relations
    annotations.events |= more.events
    annotations.relation_ids |= more.relation_ids
    annotations.broken |= more.broken - given.keys()


def _leave_out_parts_of_the_text(annotations: AnnotationFile, report: ReadReport) -> None:
    for mention in annotations.mentions:
        if mention.type in _PARTS_OF_THE_TEXT:
            report.drop("titles and paragraphs, which are no entities", mention.label)
            annotations.others.add(mention.id)


def _count_texts_without_annotation(folder: Path, annotations: list[Path], report: ReadReport) -> None:
    annotated = {file.with_suffix("") for file in annotations}
    for file in sorted(folder.rglob("*")):
        if not is_hidden(file, folder) and file.suffix.lower() in (".txt", *FOUND) and file.with_suffix("") not in annotated:
            report.drop(f"files without an {GIVEN} file", str(file))


def recognises(path: Path) -> bool:
    """An .a1 file that begins as brat's files do, or a folder with such a file."""
    if path.is_dir():
        files = (file for file in sorted(path.rglob("*")) if file.suffix.lower() == GIVEN and not is_hidden(file, path))
        return any(recognises(file) for file in files if file.is_file())
    if path.suffix.lower() != GIVEN:
        return False
    start = beginning_of(path).removeprefix("\ufeff")
    return is_annotation(start.lstrip("\r\n").split("\n", 1)[0])


READER = Reader(
    name="bionlp",
    summary="BioNLP shared tasks: .txt, .a1 and .a2 side by side",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"lines": ("break", "wrapped", "sentences"), "equivalences": ("relations", "ignore"), "positions": (*CONVENTIONS, AUTO)},
    has_encoding=True,
)
