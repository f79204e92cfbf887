"""WebAnno TSV 3, the export of WebAnno and INCEpTION: one token a line, a column for each feature of each layer.

    #FORMAT=WebAnno TSV 3.3
    #T_SP=webanno.custom.Person|value
    #T_RL=webanno.custom.Knows|value|BT_webanno.custom.Person

    #Text=Ada met Bo.
    1-1<tab>0-3<tab>Ada<tab>poet<tab>_<tab>_
    1-2<tab>4-7<tab>met<tab>_<tab>_<tab>_
    1-3<tab>8-10<tab>Bo<tab>baker<tab>friend<tab>1-1          a relation from Ada to Bo

Offsets count UTF-16 code units. A file is one document; its sentences are those of the file, one a line of the document's text. Which
layers and features are read is told by `relsift.readers.layers`, and can be chosen by the options `entity_layer`, `entity_feature`,
`relation_layer` and `relation_feature`. Chains and slots are not read, and counted as layers.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, first_lines, read_text, shown, text_lines
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.layers import OPEN_OPTIONS, Choice, Chosen, choose, count_others
from relsift.readers.positions import Positions
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.readers.webanno_lines import FORMAT, Columns, Row, TsvSentence, header, sentences, unescaped
from relsift.schema import Document
from relsift.text import Span

_NO_TYPE = "(no type)"  # stands for the type of a relation that has none, where lost relations are counted
_TOKEN_COLUMN = 2
_LONGEST_GAP = 1000  # characters between two sentences that are made up for; offsets then are those of the original text

SAMPLES = {
    "notes.tsv": "#FORMAT=WebAnno TSV 3.3\n#T_SP=webanno.custom.Person|value\n"
    "#T_RL=webanno.custom.Knows|value|BT_webanno.custom.Person\n\n\n"
    "#Text=Ada Berg met Bo .\n1-1\t0-3\tAda\tpoet[1]\t_\t_\t\n1-2\t4-8\tBerg\tpoet[1]\t_\t_\t\n1-3\t9-12\tmet\t_\t_\t_\t\n"
    "1-4\t13-15\tBo\tbaker\tfriend\t1-1[1_0]\t\n1-5\t16-17\t.\t_\t_\t_\t\n\n"
    "#Text=It rained .\n2-1\t18-20\tIt\t_\t_\t_\t\n2-2\t21-27\trained\t_\t_\t_\t\n2-3\t28-29\t.\t_\t_\t_\t\n",
}


def read(
    path: Path, report: ReadReport, *, entity_layer: str = "", entity_feature: str = "", relation_layer: str = "",
    relation_feature: str = "", encoding: str = UTF8,
) -> Iterator[Document]:  # fmt: skip
    """Yield one document per file, sorted by path.

    Raises: DataError naming file and line; also for layers or features to choose from, and for a text that is not that of the tokens.
    Counts: layers that are not read, entities and relations without a type, entities without text, and what `document_from_offsets` counts.
    """
    choice = Choice(entity_layer, entity_feature, relation_layer, relation_feature)

    def documents(file: Path) -> Iterator[Document]:
        with report.leaving_out("documents"):
            yield _document(file, file_key(file, path), choice, report, encoding)

    return read_files(path, report, _KIND, documents, encoding)


@dataclass(slots=True)
class _Text:
    """The sentences so far, one a line, and where their rows lie in it."""

    pieces: list[str] = field(default_factory=list)
    length: int = 0
    spans: list[Span] = field(default_factory=list)
    ids: dict[int, str] = field(default_factory=dict)
    rows: list[tuple[Row, Span]] = field(default_factory=list)
    left_out: list[Row] = field(default_factory=list)  # of sentences with faults
    last_end: int = 0  # of the last token, as the file counts

    def add(self, sentence: TsvSentence) -> list[DataError]:
        """Add a sentence, or leave it out and return its faults: broken rows, and rows whose words are not in its text."""
        faults = sentence.faults
        if not faults and not (sentence.rows and sentence.text.strip()):
            faults = [DataError(f"{sentence.where}: expected a sentence with text and tokens, got {len(sentence.rows)} tokens")]
        faults = faults or self._add(sentence)
        if faults:
            self.left_out += sentence.rows
        return faults

    def _add(self, sentence: TsvSentence) -> list[DataError]:
        first = sentence.rows[0].start
        distance = first - self.last_end
        # As many line breaks as the text between sentences had characters, which the format does not hold.
        gap = "\n" * distance if 0 <= distance <= _LONGEST_GAP else "\n" if self.spans else ""
        positions = Positions(sentence.text, "utf16")
        start = self.length + len(gap)
        placed, faults = [], []
        for row in sentence.rows:
            a, b = positions.offset(row.start - first), positions.offset(row.end - first)
            words = unescaped(row.columns[_TOKEN_COLUMN])
            if a is None or b is None or sentence.text[a:b] != words:
                got = "positions outside of it" if a is None or b is None else shown(sentence.text[a:b])
                faults.append(DataError(f"{row.where}: expected {shown(words)} at {row.start}-{row.end} of the text, got {got}"))
            else:
                placed.append((row, (a + start, b + start)))
        if faults:
            return faults if len(faults) <= len(placed) else faults[:1]  # most rows: it is one fault, such as a word too many
        self.rows += placed
        if sentence.id:
            self.ids[len(self.spans)] = sentence.id
        self.spans.append((start, start + len(sentence.text)))
        self.pieces += [gap, sentence.text]
        self.length = start + len(sentence.text)
        self.last_end = max(row.end for row in sentence.rows)
        return []


@dataclass(slots=True)
class _Mention:
    """An annotation of the entity layer so far."""

    where: str
    start: int
    end: int
    type: str | None


@dataclass(slots=True)
class _Mentions:
    """The annotations of the entity layer, and which lie on each row."""

    all: dict[str, _Mention] = field(default_factory=dict)  # by an id made here
    on_row: dict[str, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))  # row -> number -> id

    def at(self, unit: str, number: int, where: str) -> str:
        """The id of the annotation on a row. Raises: DataError if none or several can be meant."""
        there = self.on_row.get(unit, {})
        if number in there:
            return there[number]
        if number == 0 and len(there) == 1:
            return next(iter(there.values()))
        raise DataError(f"{where}: expected one annotation with the number {number} at {unit}, got the numbers {sorted(there) or 'none'}")


def _document(file: Path, key: str, choice: Choice, report: ReadReport, encoding: str) -> Document:
    lines = text_lines(read_text(file, encoding))
    if not lines or FORMAT.match(lines[0]) is None:
        raise DataError(f"{file}:1: expected '#FORMAT=WebAnno TSV 3.…', got {shown(lines[0] if lines else '')}")
    layers, faults = header(lines, file)
    if faults:
        _report(faults[:-1], "layers", report)
        raise faults[-1]
    num_columns = max((columns.first + len(columns.names) for columns in layers), default=_TOKEN_COLUMN + 1)
    text = _Text()
    for sentence in sentences(lines, file, num_columns):
        faults = text.add(sentence)
        _report(faults[:-1], "rows", report)
        _report(faults[-1:], "sentences", report)
    if not text.spans:
        raise DataError(f"{file}: expected at least one sentence, got none")
    spans = [columns.layer for columns in layers if columns.kind == "SP"]
    relation_layers = [columns.layer for columns in layers if columns.kind == "RL"]
    entity, relation = choose(spans, relation_layers, choice, str(file))
    used = {columns.layer.name for columns in layers if any(row.columns[columns.first] != "_" for row, _ in text.rows)}
    count_others(used, (entity, relation), report, str(file))
    mentions = _mentions(text, _columns(layers, "SP", entity), entity, report)
    entities = _entities(mentions, "".join(text.pieces), report)
    relation_columns = _columns(layers, "RL", relation)
    if relation is not None and relation_columns is not None:
        _lose_relations(text.left_out, relation_columns, relation, report)
    relations = None if relation is None else _relations(text, relation_columns, relation, mentions, entities, report)
    return document_from_offsets(
        key, "".join(text.pieces), list(entities.values()), relations, report, where=str(file), sentences=text.spans, sentence_ids=text.ids
    )


def _report(faults: list[DataError], unit: str, report: ReadReport) -> None:
    """Raises: the first of them, unless they are skipped."""
    for fault in faults:
        with report.leaving_out(unit):
            raise fault


def _lose_relations(rows: list[Row], columns: Columns, chosen: Chosen, report: ReadReport) -> None:
    """Count the relations that end on rows that are left out."""
    for row in rows:
        for kind in _kinds(row, columns, chosen):
            report.lost_relations[kind or _NO_TYPE] += 1


def _columns(layers: list[Columns], kind: str, chosen: Chosen | None) -> Columns | None:
    return next((columns for columns in layers if columns.kind == kind and chosen and columns.layer == chosen.layer), None)


def _mentions(text: _Text, columns: Columns | None, chosen: Chosen | None, report: ReadReport) -> _Mentions:
    mentions = _Mentions()
    if columns is None or chosen is None:
        return mentions
    column = columns.column(chosen.feature)
    for row, (start, end) in text.rows:
        for place, item in enumerate(row.items(column)):
            with report.leaving_out("entities"):
                number = item.number or -place  # without a number: 0, and what lies on it
                key = f"T{item.number}" if item.number else f"{row.unit}{f'/{place}' if place else ''}"
                if number in mentions.on_row[row.unit]:
                    raise DataError(f"{row.where}: expected each number once on a row, got {number} again")
                kind = chosen.layer.short if chosen.feature is None else item.value
                known = mentions.all.setdefault(key, _Mention(row.where, start, end, kind))
                if known.type != kind:
                    raise DataError(f"{row.where}: expected {shown(known.type)} for [{item.number}], as before, got {shown(kind)}")
                known.start, known.end = min(known.start, start), max(known.end, end)
                mentions.on_row[row.unit][number] = key
    return mentions


def _entities(mentions: _Mentions, text: str, report: ReadReport) -> dict[str, TextEntity]:
    entities = {}
    for key, mention in mentions.all.items():
        place = f"{mention.where}: {shown(text[mention.start : mention.end])}"
        if not text[mention.start : mention.end].strip():
            report.lose_entity("entities without text", place)
        elif not mention.type or not mention.type.strip():
            report.lose_entity("entities without a type", place)
        else:
            entities[key] = TextEntity(key, mention.start, mention.end, mention.type)
    return entities


def _relations(
    text: _Text, columns: Columns | None, chosen: Chosen, mentions: _Mentions, entities: dict[str, TextEntity], report: ReadReport
) -> list[TextRelation]:
    relations: list[TextRelation] = []
    if columns is None:
        return relations
    for row, _ in text.rows:
        arcs: list[tuple[str | None, str, int, int]] = []
        kinds = _kinds(row, columns, chosen)
        with report.leaving_out("relations", relation=(kinds[0] or _NO_TYPE) if kinds else None):
            try:
                arcs = _arcs(row, columns, kinds)
            except DataError:
                for kind in kinds[1:] if report.on_error == "skip" else ():
                    report.lost_relations[kind or _NO_TYPE] += 1
                raise
        for kind, unit, number, own_number in arcs:
            with report.leaving_out("relations", relation=kind or _NO_TYPE):
                ends = mentions.at(unit, number, row.where), mentions.at(row.unit, own_number, row.where)
                if not kind or not kind.strip():
                    report.lose_relation("relations without a type", row.where, _NO_TYPE)
                elif not all(end in entities for end in ends):
                    report.lose_relation("relations of a dropped entity", row.where, kind)
                else:
                    relations.append(TextRelation(*ends, kind))
    return relations


def _kinds(row: Row, columns: Columns, chosen: Chosen) -> list[str | None]:
    """The types of the relations that end on a row."""
    if chosen.feature is not None:
        return [item.value for item in row.items(columns.column(chosen.feature))]
    return [columns.layer.short] * len(row.items(columns.first + len(columns.names) - 1))


def _arcs(row: Row, columns: Columns, kinds: list[str | None]) -> list[tuple[str | None, str, int, int]]:
    """The relations that end on a row: type, row where each begins, number there, number here. Raises: DataError."""
    sources = row.sources(columns.first + len(columns.names) - 1)
    if len(kinds) != len(sources):
        raise DataError(f"{row.where}: expected a type for each of {len(sources)} relations, got {len(kinds)}")
    return [(kind, *source) for kind, source in zip(kinds, sources)]


def _recognises_file(path: Path) -> bool:
    lines = first_lines(path, 1)
    return bool(lines) and FORMAT.match(lines[0]) is not None


def recognises(path: Path) -> bool:
    """A file that begins with '#FORMAT=WebAnno TSV 3', or a folder with such a file."""
    return file_or_children(path, _KIND)


_KIND = FileKind("webanno", (".tsv",), _recognises_file, re.compile(r"^#(?:FORMAT=WebAnno|T_SP=|T_RL=|Text=)"))
READER = Reader(
    name="webanno",
    summary="WebAnno TSV 3, an export of WebAnno and INCEpTION",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    open_options=OPEN_OPTIONS,
    has_encoding=True,
)
