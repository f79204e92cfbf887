"""PubTator: title, abstract and annotations of one article after the other, a blank line between.

    26094|t|Antihypertensive drugs and depression.                the passages: t, a, or other letters; joined by one character
    26094|a|Methyl dopa may cause depression.
    26094<tab>27<tab>37<tab>depression<tab>Disease<tab>D003866    a mention: half-open offsets, words, type, ids of its concepts
    26094<tab>CID<tab>D008750<tab>D003866                         a relation of two concepts: type first; BioRED adds a novelty

Relations are between concepts of the article and are given to their mentions by the rule of `relsift.readers.concepts`. A mention
without ids belongs to no relation.
Option: `positions`, what offsets count: characters, utf16 units or bytes (see `relsift.readers.positions`); auto: what fits best.
Source: Wei et al., Nucleic Acids Research 41 (2013), 10.1093/nar/gkt441.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.annotated_text import AnnotatedText, OffsetCheck, Part
from relsift.readers.base import Reader, ReadReport, beginning_of, read_text, shown, text_lines, whole_number
from relsift.readers.brat_lines import LONGEST_QUOTE, TextBound
from relsift.readers.concepts import NO_CONCEPTS, ConceptRelation, concept_ids, mention_relations, with_concepts
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_or_children, matching_files, read_files
from relsift.readers.misplaced import AUTO
from relsift.readers.positions import CHARACTERS, UNITS
from relsift.readers.standoff import document_from_offsets
from relsift.schema import Document
from relsift.sentences import split_sentences

_PASSAGE = re.compile(r"([^|\t\s][^|\t]{0,60})\|([A-Za-z]\w{0,20})\|(.*)", re.DOTALL)
_NUMBER = re.compile(r"-?\d+")
_WORDS, _TYPE, _CONCEPTS = 3, 4, 5  # columns of a mention, from 0
_LONGEST_RELATION = 5  # columns: article, type, two concepts, novelty

SAMPLES = {
    "uptake.PubTator": "101|t|Avolin slows the uptake of Berex.\n"
    "101|a|Avolin may cause dizziness. Berex, when taken with Avolin, does not.\n"
    "101\t0\t6\tAvolin\tChemical\tD900001\n101\t27\t32\tBerex\tChemical\tD900002\n101\t34\t40\tAvolin\tChemical\tD900001\n"
    "101\t51\t60\tdizziness\tDisease\tD900003\n101\t62\t67\tBerex\tChemical\tD900002\n101\t85\t91\tAvolin\tChemical\tD900001\n"
    "101\tInteracts\tD900001\tD900002\n101\tCauses\tD900001\tD900003\tNovel\n\n"
    "102|t|Corin is safe.\n102|a|No effect of Corin was seen.\n102\t0\t5\tCorin\tChemical\t-1\n",
}


def read(path: Path, report: ReadReport, *, positions: str = CHARACTERS, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document per article, in file order; the article's id is the document's.

    Raises: DataError naming file and line; also if the words of many mentions are not at their offsets.
    Counts: relations of concepts that no relation of mentions shows, further columns of relations (novelty is expected and not counted),
        and what `document_from_offsets` counts.
    """

    def all_texts() -> Iterator[AnnotatedText]:
        scratch = ReadReport(on_error="skip")
        for file in matching_files(path, scratch, _KIND, encoding):
            with scratch.leaving_out("files"):
                for article in _articles(file, scratch, encoding):
                    yield article.annotated()

    check = OffsetCheck(READER.name, path, positions, all_texts)

    def documents(file: Path) -> Iterator[Document]:
        for article in _articles(file, report, encoding):
            document = None
            with report.leaving_out("documents"):
                document = _document(article, check, report)
            if document is not None:
                yield document

    return read_files(path, report, _KIND, documents, encoding)


@dataclass(slots=True)
class _Article:
    """What the lines of one article say."""

    where: str  # file and first line
    id: str
    passages: list[str] = field(default_factory=list)
    mentions: list[TextBound] = field(default_factory=list)
    concepts: dict[str, tuple[str, ...]] = field(default_factory=dict)  # id of a mention -> its concepts
    relations: list[ConceptRelation] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "\n".join(self.passages)

    def annotated(self) -> AnnotatedText:
        """For the check of its offsets."""
        return AnnotatedText(self.where, [Part(self.text, self.mentions)], [(r.where, r.type) for r in self.relations], UNITS)


def _document(article: _Article, check: OffsetCheck, report: ReadReport) -> Document | None:
    if not article.text.strip():
        raise DataError(f"{article.where}: expected a title or an abstract, got none")
    entities = check.entities(article.annotated(), report)
    if entities is None:
        return None
    sentences = split_sentences(article.text, [(entity.start, entity.end) for entity in entities.values()])
    relations = mention_relations(article.relations, list(entities.values()), article.concepts, sentences, report)
    document = document_from_offsets(
        article.id, article.text, list(entities.values()), relations, report, where=article.where, sentences=sentences
    )
    return with_concepts(document, article.concepts, article.relations)


def _articles(file: Path, report: ReadReport, encoding: str) -> Iterator[_Article]:
    """The articles of a file. A broken line is an error, or left out and counted. Raises: DataError for a file without any."""
    article: _Article | None = None
    num_articles = 0
    for number, line in enumerate(text_lines(read_text(file, encoding)), start=1):
        where = f"{file}:{number}"
        if not line.strip():
            continue
        passage = _PASSAGE.fullmatch(line)
        if passage is not None and "\t" not in line[: passage.start(3)]:
            key = passage[1].strip()
            if article is None or article.id != key or article.mentions or article.relations:
                if article is not None:
                    yield article
                article = _Article(where, key)
                num_articles += 1
            article.passages.append(passage[3])
        elif article is None:
            raise DataError(f"{where}: expected a title such as '26094|t|Some title', got {line[:LONGEST_QUOTE]!r}")
        else:
            _add_annotation(line, article, where, report)
    if article is None:
        raise DataError(f"{file}:1: expected an article, got an empty file")
    yield article


def _add_annotation(line: str, article: _Article, where: str, report: ReadReport) -> None:
    columns = line.split("\t")
    # Concepts can be numbers too: 101 Causes 5743 1022.
    has_end = len(columns) > _LONGEST_RELATION and _NUMBER.fullmatch(columns[2].strip()) is not None
    is_mention = has_end or (len(columns) > 1 and _NUMBER.fullmatch(columns[1].strip()) is not None)
    kind = columns[1].strip() if len(columns) > 1 and not is_mention else None
    with report.leaving_out("entities" if is_mention else "relations", relation=kind):
        if columns[0].strip() != article.id:
            raise DataError(f"{where}: expected a line of article {shown(article.id)}, got {line[:LONGEST_QUOTE]!r}")
        if is_mention:
            _add_mention(columns, article, where)
        else:
            _add_relation(columns, article, where, report)


def _add_mention(columns: list[str], article: _Article, where: str) -> None:
    if len(columns) <= _TYPE:
        raise DataError(f"{where}: expected 'id<tab>start<tab>end<tab>words<tab>type<tab>concept', got {len(columns)} columns")
    start, end = (whole_number(columns[column].strip(), where) for column in (1, 2))
    kind, words = columns[_TYPE].strip(), columns[_WORDS]
    if not 0 <= start <= end:
        raise DataError(f"{where}: expected 0 <= start <= end, got {start} and {end}")
    if not kind:
        raise DataError(f"{where}: expected a type, got an empty column")
    key = f"T{len(article.mentions) + 1}"
    article.mentions.append(TextBound(where, key, kind, ((start, end),), words if words.strip() else None))
    article.concepts[key] = concept_ids(columns[_CONCEPTS]) if len(columns) > _CONCEPTS else ()


def _add_relation(columns: list[str], article: _Article, where: str, report: ReadReport) -> None:
    filled = [column.strip() for column in columns]
    while filled and not filled[-1]:
        filled.pop()
    if len(filled) < 4 or not all(filled[1:4]):
        raise DataError(f"{where}: expected 'id<tab>type<tab>concept<tab>concept', got {shown(chr(9).join(columns))}")
    kind, head, tail = filled[1:4]
    if len(filled) > _LONGEST_RELATION:
        report.drop("further columns of relations", where)
    if head in NO_CONCEPTS or tail in NO_CONCEPTS:
        report.lose_relation("relations with a concept without id", where, kind)
    else:
        article.relations.append(ConceptRelation(where, head, tail, kind))


def _recognises_file(path: Path) -> bool:
    """Whether the first filled line is a title or a text, and the next one of another passage or an annotation of the same article."""
    lines = [line for line in beginning_of(path, 1 << 16).split("\n") if line.strip()]
    first = _PASSAGE.fullmatch(lines[0]) if lines else None
    if first is None or first[2] not in ("t", "a"):
        return False
    return len(lines) == 1 or lines[1].startswith((f"{first[1]}|", f"{first[1]}\t"))


def recognises(path: Path) -> bool:
    """A file that begins with a title line, `26094|t|…`, or a folder with such a file."""
    return file_or_children(path, _KIND)


_KIND = FileKind("pubtator", (".pubtator", ".txt"), _recognises_file, re.compile(r"^[^|\t]{1,60}\|[ta]\|"))
READER = Reader(
    name="pubtator",
    summary="PubTator: titles, abstracts, mentions, and relations of concepts (BioRED, BC5CDR)",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={"positions": (*UNITS, AUTO)},
    has_encoding=True,
)
