"""brat standoff: a text `X.txt` and its annotation `X.ann` side by side, or a folder of such pairs.

    T1<tab>Person 0 3<tab>Ada                 entity: half-open character offsets; `0 3;8 12` is discontinuous
    R1<tab>founder_of Arg1:T1 Arg2:T2         relation
    *<tab>Synonym-of T1 T2 T3                 equivalence: a symmetric relation between the members, given here as one relation
                                              for each two members, in the order of the line

brat cuts a span at every line break inside it; fragments with only blanks between them are joined again. Fragments come in any order,
the words column may be missing, and types may hold blanks. `Options` are those of the reader.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.annotated_text import AnnotatedText, OffsetCheck, Part
from relsift.readers.base import Reader, ReadReport, beginning_of, found_beside, input_files, is_hidden, read_text, shown
from relsift.readers.brat_lines import AnnotationFile, is_annotation, parse
from relsift.readers.encodings import UTF8
from relsift.readers.misplaced import AUTO
from relsift.readers.positions import CHARACTERS, CONVENTIONS, begins_with_mark
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document
from relsift.sentences import line_spans, split_sentences
from relsift.text import Span

SAMPLES = {
    "mill.txt": "Ada Berg runs the Old Mill. The Old Mill, or OM, stands in Lund.\n",
    "mill.ann": "T1\tPerson 0 8\tAda Berg\nT2\tPlace 18 26\tOld Mill\nR1\truns Arg1:T1 Arg2:T2\n"
    "T3\tPlace 32 40\tOld Mill\nT4\tPlace 45 47\tOM\n*\tsame_as T3 T4\n"
    "T5\tPlace 59 63\tLund\nR2\tlocated_in Arg1:T3 Arg2:T5\t\n",
}
_SPLIT_HINT = "; if a sentence is cut at a wrong place, see the options relations=whole, lines=sentences, abbreviations=WORD+WORD"


@dataclass(frozen=True)
class Options:
    """What the reader can be asked for; the first value listed is the default."""

    encoding: str = UTF8
    unit: str = "auto"  # auto (words, and single Chinese characters) or characters (everything, as Chinese corpora do)
    marks: str = "attached"  # accents, vowel signs and invisible characters belong to the letter before; apart: are tokens
    # break: a line break ends a sentence. wrapped: lines are cut at a fixed width, only a blank line ends a sentence. sentences: each
    # line is one sentence.
    lines: str = "break"
    relations: str = "within"  # within a sentence, others are left out; whole: sentences that a relation joins become one
    abbreviations: str = ""  # words, joined by "+", whose full stop never ends a sentence; -word takes a word out of relsift's own
    subtypes: str = "none"  # hyphen: `Person-Name` is the type `Person` with the subtype `Person-Name`
    equivalences: str = "relations"  # or ignore
    # exact: an entity whose words are not at its offsets is dropped. nearby: it is moved to its words if they are at most
    # SHIFT characters away; some corpora lost characters after they were annotated.
    offsets: str = "exact"
    positions: str = CHARACTERS  # what offsets count, see relsift.readers.positions; auto: for each file what fits most entities


def read(path: Path, report: ReadReport, **options: str) -> Iterator[Document]:
    """Yield one document per pair, sorted by path. `options` are those of `Options`.

    Raises: DataError naming file and line; also if the words of many entities are not at their offsets.
    Counts: discontinuous entities, entities whose words are not at their offsets, events, attributes, normalisations, notes,
        texts without annotation, and what `document_from_offsets` counts.
    """
    if path.suffix.lower() == ".txt":
        path = beside(path, ".ann", "its annotation beside the text")
    files = input_files(path, ".ann")
    if path.is_dir():
        _count_texts_without_annotation(path, files, report)
    choice = Options(**options)
    yield from documents(Corpus(path, files, choice, partial(_load, choice)), report)


def documents(corpus: Corpus, report: ReadReport) -> Iterator[Document]:
    """Those of all files, in their order; a broken one is an error or left out, as the report says."""
    for file in corpus.files:
        document = None
        with report.leaving_out("documents"):
            document = corpus.document(file, report)
        if document is not None:
            yield document


def _load(options: Options, file: Path, report: ReadReport) -> Pair:
    source = beside(file, ".txt", "the text beside the annotation")
    text = read_text(source, options.encoding)
    annotations = parse(file, report, encoding=options.encoding, equivalences=options.equivalences == "relations")
    return Pair(text, begins_with_mark(source), annotations)


@dataclass(frozen=True)
class Pair:
    """A text and what its annotation holds, before the one is compared with the other."""

    text: str
    has_mark: bool  # the file of the text begins with a byte-order mark
    annotations: AnnotationFile
    has_relations: bool = True  # whether relations are annotated, be it none

    def annotated(self, file: Path) -> AnnotatedText:
        """For the check of its offsets."""
        relations = [(place, relation.type) for place, relation in self.annotations.relations]
        return AnnotatedText(str(file), [Part(self.text, self.annotations.mentions, has_mark=self.has_mark)], relations)


@dataclass
class Corpus:
    """The files of one reading, in brat's layout or in one much like it."""

    path: Path
    files: list[Path]
    options: Options
    load: Callable[[Path, ReadReport], Pair]  # the text and annotations that belong to one of the files
    reader: str = "brat"  # name of the format
    split_hint: str = _SPLIT_HINT  # what a user can do about sentences that are cut at a wrong place

    def __post_init__(self) -> None:
        self._check = OffsetCheck(self.reader, self.path, self.options.positions, self._all_texts, self.options.offsets == "nearby")

    def document(self, file: Path, report: ReadReport) -> Document | None:
        """The document of one pair; None if so much of its annotation is lost that nothing can be learned from it."""
        pair = self.load(file, report)
        where = str(file)
        ignored = pair.annotations.events | pair.annotations.others  # counted already
        found = self._check.entities(pair.annotated(file), report, ignored)
        if found is None:
            return None
        entities = {key: _with_subtype(entity) for key, entity in found.items()} if self.options.subtypes == "hyphen" else found
        relations = _kept_relations(pair.annotations, entities, report)
        return document_from_offsets(
            (file.relative_to(self.path) if self.path.is_dir() else Path(file.name)).with_suffix("").as_posix(),
            pair.text,
            list(entities.values()),
            relations if pair.has_relations else None,
            report,
            where=where,
            sentences=self._sentences(pair.text, entities, relations),
            characters=self.options.unit == "characters",
            marks_apart=self.options.marks == "apart",
            split_hint=self.split_hint,
        )

    def _all_texts(self) -> Iterator[AnnotatedText]:
        for file in self.files:
            scratch = ReadReport(on_error="skip")
            with scratch.leaving_out("documents"):
                yield self.load(file, scratch).annotated(file)

    def _sentences(self, text: str, entities: dict[str, TextEntity], relations: list[TextRelation]) -> list[Span]:
        keep = [(entity.start, entity.end) for entity in entities.values()]
        if self.options.relations == "whole":
            for relation in relations:
                head, tail = entities[relation.head], entities[relation.tail]
                keep.append((min(head.start, tail.start), max(head.end, tail.end)))
        if self.options.lines == "sentences":
            return line_spans(text, keep)
        abbreviations = [word for word in self.options.abbreviations.split("+") if word.strip()]
        return split_sentences(text, keep, wrapped=self.options.lines == "wrapped", abbreviations=abbreviations)


def _kept_relations(annotations: AnnotationFile, entities: dict[str, TextEntity], report: ReadReport) -> list[TextRelation]:
    """The relations between entities that are kept; others are counted. Raises: DataError for the id of nothing in the file."""
    dropped = {mention.id for mention in annotations.mentions} - set(entities)
    kept = []
    for where, relation in annotations.relations:
        ends = {relation.head, relation.tail}
        if ends & annotations.broken:
            report.lose_relation("relations of a broken entity", where, relation.type)
        elif ends & annotations.events:
            report.lose_relation("relations with an event", where, relation.type)
        elif ends & annotations.relation_ids:
            report.lose_relation("relations with a relation", where, relation.type)
        elif ends & dropped:
            report.lose_relation("relations of a dropped entity", where, relation.type)
        elif ends <= entities.keys():
            kept.append(relation)
        else:
            with report.leaving_out("relations"):
                if report.on_error == "skip":
                    report.lost_relations[relation.type] += 1
                unknown = relation.tail if relation.head in entities else relation.head
                raise DataError(f"{where}: expected the id of an entity of this file, got {shown(unknown)}")
    return kept


def _with_subtype(entity: TextEntity) -> TextEntity:
    kind, hyphen, _ = entity.type.partition("-")
    return TextEntity(entity.id, entity.start, entity.end, kind, entity.type) if hyphen and kind else entity


def beside(file: Path, suffix: str, expected: str) -> Path:
    """The file of the same name with another suffix, in small or capital letters. Raises: DataError if there is none."""
    found = found_beside(file, file.suffix, suffix)
    if found is not None:
        return found
    usual = file.with_suffix(suffix)
    packed = Path(f"{usual}.gz")
    got = f"only {packed.name}, which has to be unpacked first" if packed.is_file() else "no such file"
    raise DataError(f"{file}: expected {expected}, in {usual.name}, got {got}")


def _count_texts_without_annotation(folder: Path, annotations: list[Path], report: ReadReport) -> None:
    annotated = {file.with_suffix("") for file in annotations}
    for file in sorted(folder.rglob("*")):
        if is_hidden(file, folder) or not file.is_file():
            continue
        if file.suffix.lower() == ".txt" and file.with_suffix("") not in annotated:
            report.drop("texts without an .ann file", str(file))
        elif file.name.lower().endswith(".ann.gz"):
            report.drop("packed annotations, which are not read (unpack them first)", str(file))


def recognises(path: Path) -> bool:
    """An .ann file with brat lines (or empty beside its text), or a folder with such a file."""
    if path.is_dir():
        files = (file for file in sorted(path.rglob("*")) if file.suffix.lower() == ".ann" and not is_hidden(file, path))
        first = next(files, None)
        return first is not None and recognises(first)
    if path.suffix.lower() != ".ann":
        return False
    start = beginning_of(path).removeprefix("\ufeff")
    if not start.strip():
        return found_beside(path, path.suffix, ".txt") is not None
    return is_annotation(start.lstrip("\r\n").split("\n", 1)[0])


READER = Reader(
    name="brat",
    summary="brat standoff: .txt and .ann side by side",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={
        "unit": ("auto", "characters"),
        "marks": ("attached", "apart"),
        "lines": ("break", "wrapped", "sentences"),
        "relations": ("within", "whole"),
        "subtypes": ("none", "hyphen"),
        "equivalences": ("relations", "ignore"),
        "offsets": ("exact", "nearby"),
        "positions": (*CONVENTIONS, AUTO),
    },
    open_options={"abbreviations": "words joined by +, such as zit.+Nachtr.+-no (-no: \"no.\" ends a sentence)"},
    has_encoding=True,
)
