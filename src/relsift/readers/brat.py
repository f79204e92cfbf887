"""brat standoff: a text `X.txt` and its annotation `X.ann` side by side, or a folder of such pairs.

    T1<tab>Person 0 3<tab>Ada                 entity: half-open character offsets; `0 3;8 12` is discontinuous
    R1<tab>founder_of Arg1:T1 Arg2:T2         relation
    *<tab>Synonym-of T1 T2 T3                 equivalence: a symmetric relation between the members, given here as one relation
                                              for each two members, in the order of the line

brat cuts a span at every line break inside it; fragments with only blanks between them are joined again. Fragments come in any order,
the words column may be missing, and types may hold blanks. `Options` are those of the reader.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, found_beside, input_files, is_hidden, read_text, shown
from relsift.readers.brat_lines import AnnotationFile, is_annotation, parse
from relsift.readers.brat_mentions import entity_of, is_misplaced, num_in_place
from relsift.readers.encodings import UTF8
from relsift.readers.misplaced import AUTO, UNEXPLAINED_SHARE, Fits
from relsift.readers.positions import CHARACTERS, CONVENTIONS, Positions, begins_with_mark, fits
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
_LOST_SHARE = 0.5  # of a file's mentions; if more are lost, its document is left out: it would teach that it holds no entities
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
        path = _beside(path, ".ann", "its annotation beside the text")
    files = input_files(path, ".ann")
    if path.is_dir():
        _count_texts_without_annotation(path, files, report)
    corpus = _Corpus(path, files, Options(**options))
    for file in files:
        document = None
        with report.leaving_out("documents"):
            document = corpus.document(file, report)
        if document is not None:
            yield document


@dataclass(frozen=True)
class _Pair:
    """A text and what its annotation holds, before the one is compared with the other."""

    text: str
    has_mark: bool  # the file of the text begins with a byte-order mark
    annotations: AnnotationFile

    def fits(self, *, nearby: bool) -> dict[str, int]:
        """How many mentions have their words at their positions, by convention."""
        mentions = self.annotations.mentions
        return fits(self.text, lambda positions: num_in_place(self.text, mentions, positions, nearby=nearby), has_mark=self.has_mark)


@dataclass
class _Corpus:
    """The files of one reading. How many mentions are lost in all of them decides what happens to those that are."""

    path: Path
    files: list[Path]
    options: Options
    _survey: Fits | None = field(default=None, init=False)  # made when a first mention is lost

    def document(self, file: Path, report: ReadReport) -> Document | None:
        """The document of one pair; None if so much of its annotation is lost that nothing can be learned from it."""
        pair = self._load(file, report)
        where = str(file)
        convention = self.options.positions
        if convention == AUTO:
            numbers = pair.fits(nearby=self._nearby)
            convention = max(CONVENTIONS, key=lambda name: numbers[name])
            if numbers[convention] > numbers[CHARACTERS]:
                report.drop(f"documents whose offsets count {convention} (kept)", where)
        positions = Positions(pair.text, convention, has_mark=pair.has_mark)
        if self._is_lost(pair, positions, report, where):
            return None
        entities: dict[str, TextEntity] = {}
        for mention in pair.annotations.mentions:
            if mention.id in pair.annotations.events:
                continue  # a trigger, counted with its event
            with report.leaving_out("entities"):
                entity = entity_of(pair.text, mention, positions, report, nearby=self._nearby)
                if entity is not None:
                    entities[mention.id] = _with_subtype(entity) if self.options.subtypes == "hyphen" else entity
        relations = _kept_relations(pair.annotations, entities, report)
        return document_from_offsets(
            (file.relative_to(self.path) if self.path.is_dir() else Path(file.name)).with_suffix("").as_posix(),
            pair.text,
            list(entities.values()),
            relations,
            report,
            where=where,
            sentences=self._sentences(pair.text, entities, relations),
            characters=self.options.unit == "characters",
            marks_apart=self.options.marks == "apart",
            split_hint=_SPLIT_HINT,
        )

    def _load(self, file: Path, report: ReadReport) -> _Pair:
        source = _beside(file, ".txt", "the text beside the annotation")
        text = read_text(source, self.options.encoding)
        annotations = parse(
            file, report, encoding=self.options.encoding, equivalences=self.options.equivalences == "relations"
        )
        return _Pair(text, begins_with_mark(source), annotations)

    def _is_lost(self, pair: _Pair, positions: Positions, report: ReadReport, where: str) -> bool:
        """Whether most mentions of the file are lost; it is counted then. Raises: DataError if many of the whole corpus are."""
        mentions = pair.annotations.mentions
        misplaced = [mention for mention in mentions if is_misplaced(pair.text, mention, positions, nearby=self._nearby)]
        if not misplaced:
            return False
        if self._survey is None:
            self._survey = self._fits_of_all()
        complaint = self._survey.complaint(self.options.positions, reader=READER.name, path=self.path, nearby=self._nearby)
        share = len(misplaced) / len(mentions)
        is_lost = share > _LOST_SHARE
        if complaint and (report.on_error == "stop" or share > UNEXPLAINED_SHARE):
            for _, relation in pair.annotations.relations if report.on_error == "skip" else ():
                report.lost_relations[relation.type] += 1
            report.lost_entities += len(mentions) if report.on_error == "skip" else 0
            raise DataError(f"{misplaced[0].label}: {complaint}")
        if is_lost:
            report.lost_entities += len(mentions)
            report.drop("documents left out, as the words of most entities are not at their offsets", where)
            for place, relation in pair.annotations.relations:
                report.lose_relation("relations of a document left out", place, relation.type)
        return is_lost

    def _fits_of_all(self) -> Fits:
        survey = Fits()
        for file in self.files:
            scratch = ReadReport(on_error="skip")
            with scratch.leaving_out("documents"):
                pair = self._load(file, scratch)
                survey.add(len(pair.annotations.mentions), pair.fits(nearby=self._nearby))
        return survey

    @property
    def _nearby(self) -> bool:
        return self.options.offsets == "nearby"

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


def _beside(file: Path, suffix: str, expected: str) -> Path:
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
