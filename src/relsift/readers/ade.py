"""ADE, adverse effects of drugs, in two forms: the corpus's own DRUG-AE.rel (`ade_rel`) and JSON folds (`ade_folds`).

DRUG-AE.rel has one relation a line, separated by `|`:

    7|Rash after drugol.|Rash|3|7|drugol|14|20        PubMed id, sentence, effect, its offsets, drug, its offsets

Traps: offsets are half-open and count in the text "id, two line ends, title, two line ends, abstract", which the file does not hold.
A mention's offset minus its position in the sentence gives the offset of the sentence. If a mention occurs twice in the sentence,
the other mentions decide. Lines with the same id and sentence are one sentence with several relations. A document is an abstract:
its text is rebuilt at the true offsets, with blanks for the parts that the corpus lacks. An effect may contain the drug ("testamin
toxicity"); both are kept. A `|` inside the sentence is no separator.

The folds are arrays of `{"tokens", "entities": [[start, end, type]], "relations": [[head start, end, tail start, end, type]]}`,
ends exclusive. They lack the sentences with a drug inside an effect and do not say which abstract a sentence is from.

In both, the head is the effect and the tail the drug. Sources: Gurulingappa et al., Journal of Biomedical Informatics 45 (2012);
folds as published with Wang and Lu, EMNLP 2020.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers import records
from relsift.readers.base import Reader, ReadReport, first_lines, input_files, read_text, shown, text_lines, whole_number
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document, Entity, Relation
from relsift.text import Span, normal_forms

EFFECT, DRUG = "Adverse-Effect", "Drug"
RELATION = "Adverse-Effect"
_LONGEST_ABSTRACT = 100_000  # characters; a larger offset is an error of the file, and the text before it would be as many blanks
_OFFSET = re.compile(r"[0-9]{1,9}")
_FOLD_KEYS = frozenset({"tokens", "entities", "relations"})

REL_SAMPLES = {
    "DRUG-AE.rel": "7|Rash after drugol.|Rash|3|7|drugol|14|20\n"
    "7|Both rash and cough were blamed on drugol.|cough|35|40|drugol|56|62\n"
    "7|Both rash and cough were blamed on drugol.|rash|26|30|drugol|56|62\n"
    "8|Fatal testamin toxicity.|testamin toxicity|9|26|testamin|9|17\n"
}
FOLD_SAMPLES = {
    "train.ADE0.json": '[{"tokens": ["Rash", "after", "drugol", "."], "entities": [[0, 1, "Adverse-Effect"], [2, 3, "Drug"]], '
    '"relations": [[0, 1, 2, 3, "Adverse-Effect"]]}]\n',
    "test.ADE0.json": '[{"tokens": ["Testamin", "caused", "mild", "cough"], '
    '"entities": [[0, 1, "Drug"], [2, 4, "Adverse-Effect"]], "relations": [[2, 4, 0, 1, "Adverse-Effect"]]}]\n',
}


@dataclass(slots=True)
class _PlacedSentence:
    """One sentence of an abstract. Each mention of it narrows down where it starts."""

    text: str
    starts: set[int]  # offsets in the abstract at which the sentence may start
    where: str  # file and line
    pairs: list[tuple[Span, Span]] = field(default_factory=list)  # effect and drug, offsets into the abstract


@dataclass(slots=True)
class _PlacedSentences:
    """The sentences of one abstract, in file order."""

    sentences: list[_PlacedSentence] = field(default_factory=list)
    numbers: dict[tuple[str, int], int] = field(default_factory=dict)  # text and a possible start -> number of the first such sentence

    def place(self, text: str, starts: set[int], where: str) -> _PlacedSentence:
        """The sentence with this text that may start at one of `starts`, or a new one. Starts that do not fit both are ruled out.

        Equal sentences at different offsets stay apart: an abstract may repeat its title.
        """
        known = {self.numbers[text, start] for start in starts if (text, start) in self.numbers}
        number = next((number for number in sorted(known) if self.sentences[number].starts & starts), len(self.sentences))
        if number == len(self.sentences):
            self.sentences.append(_PlacedSentence(text, set(starts), where))
            for start in starts:
                self.numbers.setdefault((text, start), number)
        self.sentences[number].starts &= starts
        return self.sentences[number]


def read_rel(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document an abstract, in order of its first line, sentences by offset. Raises DataError naming file and line.

    Counts: duplicate relations, and sentences that several offsets would fit (the first mention is then taken).
    """
    return read_files(path, report, _REL_KIND, partial(_abstracts, report=report, encoding=encoding), encoding)


def _abstracts(file: Path, *, report: ReadReport, encoding: str) -> Iterator[Document]:
    if _is_about_doses(file):
        raise DataError(f"{file}:1: expected drugs and their effects, such as DRUG-AE.rel, got a file named after doses")
    abstracts: dict[str, _PlacedSentences] = {}
    empty = True
    for number, line in enumerate(text_lines(read_text(file, encoding)), start=1):
        if line.strip():
            empty = False
            with report.leaving_out("relations", relation=RELATION):
                _add_line(line, abstracts, f"{file}:{number}")
    if empty:
        raise DataError(f"{file}:1: expected at least one relation, got an empty file")
    for key, placed in abstracts.items():
        yield _abstract(key, placed.sentences, report)


def _add_line(line: str, abstracts: dict[str, _PlacedSentences], where: str) -> None:
    columns = line.split("|")
    if len(columns) < 8:
        raise DataError(f"{where}: expected 8 fields separated by '|', got {len(columns)}: {shown(line)}")
    key, sentence = columns[0].strip(), "|".join(columns[1:-6])
    if not key:
        raise DataError(f"{where}: expected the id of an abstract in the first field, got none")
    if len(sentence) > _LONGEST_ABSTRACT:
        raise DataError(f"{where}: expected a sentence of up to {_LONGEST_ABSTRACT} characters, got {len(sentence)}")
    effect = _mention(sentence, columns[-6:-3], where)
    drug = _mention(sentence, columns[-3:], where)
    starts = effect[1] & drug[1]
    if not starts:
        raise DataError(
            f"{where}: expected offsets as far apart as {columns[-6]!r} and {columns[-3]!r} are in the sentence, "
            f"got {effect[0][0]} and {drug[0][0]}"
        )
    abstracts.setdefault(key, _PlacedSentences()).place(sentence, starts, where).pairs.append((effect[0], drug[0]))


def _mention(sentence: str, columns: list[str], where: str) -> tuple[Span, set[int]]:
    """The mention's span in the abstract, and the offsets at which its sentence may start."""
    text = columns[0]
    span = (whole_number(columns[1].strip(), where), whole_number(columns[2].strip(), where))
    if not text.strip():
        raise DataError(f"{where}: expected the words of a mention before the offsets {columns[1]} and {columns[2]}, got none")
    if span[1] > _LONGEST_ABSTRACT:
        raise DataError(f"{where}: expected offsets up to {_LONGEST_ABSTRACT} characters, got {span[1]}")
    forms = [form for form in normal_forms(text) if len(form) == span[1] - span[0]]
    if not forms:
        raise DataError(f"{where}: expected offsets {len(text)} characters apart for {shown(text)}, got {span[0]}..{span[1]}")
    occurrences = next((found for form in forms if (found := _occurrences(form, sentence))), [])
    if not occurrences:
        raise DataError(f"{where}: expected the mention {shown(text)} in the sentence, got {shown(sentence)}")
    starts = {span[0] - occurrence for occurrence in occurrences if occurrence <= span[0]}
    if not starts:
        raise DataError(f"{where}: expected {shown(text)} at offset {occurrences[0]} or later, its place in the sentence, got {span[0]}")
    return span, starts


def _occurrences(words: str, sentence: str) -> list[int]:
    """Where the words begin in the sentence; they may overlap themselves. Linear in both lengths (Knuth, Morris, Pratt)."""
    if sentence.count(words) < 2:  # the usual case
        first = sentence.find(words)
        second = sentence.find(words, first + 1) if first >= 0 else -1
        if second < 0:
            return [first] if first >= 0 else []
    fallback, matched = [0] * (len(words) + 1), 0  # the longest proper beginning of the words that ends at each of their characters
    for place in range(1, len(words)):
        while matched and words[place] != words[matched]:
            matched = fallback[matched]
        matched += words[place] == words[matched]
        fallback[place + 1] = matched
    found, matched = list[int](), 0
    for place, character in enumerate(sentence):
        while matched and (matched == len(words) or character != words[matched]):
            matched = fallback[matched]
        matched += character == words[matched]
        if matched == len(words):
            found.append(place + 1 - len(words))
    return found


def _abstract(key: str, sentences: list[_PlacedSentence], report: ReadReport) -> Document:
    for sentence in sentences:
        if len(sentence.starts) > 1:
            report.drop("sentences that several offsets would fit, read as the first mention", sentence.where)
    # The largest offset takes the first occurrence of the mention in the sentence.
    in_order = sorted(((max(sentence.starts), sentence) for sentence in sentences), key=lambda item: item[0])
    pieces: list[str] = []
    bounds: list[Span] = []
    length = 0
    mentions: dict[tuple[Span, str], TextEntity] = {}
    relations: list[TextRelation] = []
    for start, sentence in in_order:
        if start < length:
            with report.leaving_out("sentences"):
                raise DataError(
                    f"{sentence.where}: expected the sentence to begin where the one before it ends ({length}) or later, got {start}"
                )
            report.lost_relations[RELATION] += len(set(sentence.pairs))
            continue
        pieces += [" " * (start - length), sentence.text]
        length = start + len(sentence.text)
        bounds.append((start, length))
        for effect, drug in sentence.pairs:
            head, tail = (
                mentions.setdefault((span, kind), TextEntity(f"{kind}-{span[0]}-{span[1]}", *span, kind))
                for span, kind in ((effect, EFFECT), (drug, DRUG))
            )
            relations.append(TextRelation(head.id, tail.id, RELATION))
    return document_from_offsets(
        key, "".join(pieces), list(mentions.values()), relations, report, where=sentences[0].where, sentences=bounds
    )


def _is_about_doses(path: Path) -> bool:
    """Is it the corpus's DRUG-DOSE.rel? It has the same columns with another meaning; only its name tells."""
    return "DOSE" in path.name.upper()


def _recognises_rel_file(path: Path) -> bool:
    columns = (first_lines(path, 1) or [""])[0].split("|")
    numbers = columns[:1] + columns[-5:-3] + columns[-2:]
    return not _is_about_doses(path) and len(columns) >= 8 and all(_OFFSET.fullmatch(number) for number in numbers)


def recognises_rel(path: Path) -> bool:
    """A .rel file of eight or more `|` fields with offsets, not named after doses."""
    return file_or_children(path, _REL_KIND)


def read_folds(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document a sentence, in file order. Raises DataError naming file, line and record (counted from 1).

    A folder may hold the parts of one fold only: every fold is the whole corpus again.

    Counts: values under unknown keys, duplicate entities, duplicate relations, relations of an entity with itself, relations
    whose span has several entity types.
    """
    if path.is_dir():
        folds = sorted({match[1] for file in input_files(path, ".json") if (match := re.search(r"ADE(\d+)\.json$", file.name))})
        if len(folds) > 1:
            raise DataError(
                f"{path}: expected the files of one fold, since each is the whole corpus, got folds {', '.join(folds)}"
            )
    return read_files(path, report, _FOLDS_KIND, partial(_fold_documents, path=path, report=report, encoding=encoding), encoding)


def _fold_documents(file: Path, *, path: Path, report: ReadReport, encoding: str) -> Iterator[Document]:
    key = file_key(file, path)
    for number, (line, value) in enumerate(records.json_records(file, report, encoding, unit="sentences"), start=1):
        with report.leaving_out("sentences"):
            yield _fold_document(value, f"{key}-{number}", f"{file}:{line}: record {number}", report)


def _fold_document(value: Any, key: str, where: str, report: ReadReport) -> Document:
    record = records.as_object(value, _FOLD_KEYS, where, report)
    tokens = records.tokens_of(records.required(record, "tokens", list, where), where)
    entities: list[Entity | None] = []
    for number, item in enumerate(records.required(record, "entities", list, where)):
        entity = None
        with report.leaving_out("entities"):
            (start, end), kind = records.numbers_and_label(item, 2, f"{where}: entity {number}", report)
            entity = Entity(start, end, kind)
        entities.append(entity)
    spans = records.SpanPositions.of(entities)
    relations: list[Relation | None] = []
    for number, item in enumerate(records.required(record, "relations", list, where)):
        place = f"{where}: relation {number}"
        relation = None
        with report.leaving_out("relations", relation=records.label_of(item, 4)):
            (head, head_end, tail, tail_end), kind = records.numbers_and_label(item, 4, place, report)
            first, second = (spans.position(span, report, where=place) for span in ((head, head_end), (tail, tail_end)))
            relation = Relation(first, second, kind)
        relations.append(relation)
    return Document(key, (records.sentence_from_indices(key, tokens, entities, relations, report, where=where),))


def _recognises_folds_file(path: Path) -> bool:
    for record in records.first_objects(path):
        if not record.keys() >= _FOLD_KEYS:
            return False
        entities = record["entities"]
        if entities:  # other formats have empty lists too: the next record decides
            return isinstance(entities, list) and isinstance(entities[0], list)
    return False


def recognises_folds(path: Path) -> bool:
    """A .json array of objects with `tokens` and entities that are lists."""
    return file_or_children(path, _FOLDS_KIND)


_REL_KIND = FileKind("ade_rel", (".rel",), _recognises_rel_file, re.compile(r"(?:\|[^|\n]*){7}"))
_FOLDS_KIND = FileKind("ade_folds", (".json",), _recognises_folds_file, re.compile(r'"tokens"\s*:'))
REL = Reader(
    name="ade_rel",
    summary="ADE corpus: DRUG-AE.rel, one drug-effect relation a line, offsets into the abstract",
    read=read_rel,
    recognises=recognises_rel,
    samples=REL_SAMPLES,
    has_encoding=True,
)
FOLDS = Reader(
    name="ade_folds",
    summary="ADE folds: JSON arrays with entities and relations as lists of token indices",
    read=read_folds,
    recognises=recognises_folds,
    samples=FOLD_SAMPLES,
    has_encoding=True,
)
