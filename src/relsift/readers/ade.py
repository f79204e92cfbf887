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
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers import records
from relsift.readers.base import Reader, ReadReport, beginning_of, input_files, read_text
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document, Entity, Relation
from relsift.text import Span

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


def read_rel(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield one document an abstract, in order of its first line, sentences by offset. Raises DataError naming file and line.

    Counts: duplicate relations, and sentences that several offsets would fit (the first mention is then taken).
    """
    for file in records.matching_files(path, report, _recognises_rel_file, ".rel"):
        if _is_about_doses(file):
            raise DataError(f"{file}:1: expected drugs and their effects, such as DRUG-AE.rel, got a file named after doses")
        abstracts: dict[str, list[_PlacedSentence]] = {}
        for number, line in enumerate(read_text(file).split("\n"), start=1):
            if line.strip():
                _add_line(line.rstrip("\r"), abstracts, f"{file}:{number}")
        if not abstracts:
            raise DataError(f"{file}:1: expected at least one relation, got an empty file")
        for key, sentences in abstracts.items():
            yield _abstract(key, sentences, report)


def _add_line(line: str, abstracts: dict[str, list[_PlacedSentence]], where: str) -> None:
    columns = line.split("|")
    if len(columns) < 8:
        raise DataError(f"{where}: expected 8 fields separated by '|', got {len(columns)}: {line!r}")
    key, sentence = columns[0], "|".join(columns[1:-6])
    effect = _mention(sentence, columns[-6:-3], where)
    drug = _mention(sentence, columns[-3:], where)
    starts = effect[1] & drug[1]
    if not starts:
        raise DataError(
            f"{where}: expected offsets as far apart as {columns[-6]!r} and {columns[-3]!r} are in the sentence, "
            f"got {effect[0][0]} and {drug[0][0]}"
        )
    sentences = abstracts.setdefault(key, [])
    # Equal sentences at different offsets stay apart: an abstract may repeat its title.
    placed = next((placed for placed in sentences if placed.text == sentence and placed.starts & starts), None)
    if placed is None:
        placed = _PlacedSentence(sentence, starts, where)
        sentences.append(placed)
    placed.starts &= starts
    placed.pairs.append((effect[0], drug[0]))


def _mention(sentence: str, columns: list[str], where: str) -> tuple[Span, set[int]]:
    """The mention's span in the abstract, and the offsets at which its sentence may start."""
    text, start, end = columns
    if not (_OFFSET.fullmatch(start) and _OFFSET.fullmatch(end)):
        raise DataError(f"{where}: expected two offsets after {text!r}, got {start!r} and {end!r}")
    span = (int(start), int(end))
    if not text.strip() or span[1] - span[0] != len(text):
        raise DataError(f"{where}: expected offsets {len(text)} characters apart for {text!r}, got {start}..{end}")
    if span[1] > _LONGEST_ABSTRACT:
        raise DataError(f"{where}: expected offsets up to {_LONGEST_ABSTRACT} characters, got {end}")
    occurrences = [match.start() for match in re.finditer(f"(?={re.escape(text)})", sentence)]
    if not occurrences:
        raise DataError(f"{where}: expected the mention {text!r} in the sentence, got {sentence!r}")
    starts = {span[0] - occurrence for occurrence in occurrences if occurrence <= span[0]}
    if not starts:
        raise DataError(f"{where}: expected {text!r} at offset {occurrences[0]} or later, its place in the sentence, got {start}")
    return span, starts


def _abstract(key: str, sentences: list[_PlacedSentence], report: ReadReport) -> Document:
    for sentence in sentences:
        if len(sentence.starts) > 1:
            report.drop("sentences that several offsets would fit, read as the first mention", sentence.where)
    # The largest offset takes the first occurrence of the mention in the sentence.
    in_order = sorted(((max(sentence.starts), sentence) for sentence in sentences), key=lambda item: item[0])
    text = ""
    mentions: dict[tuple[Span, str], TextEntity] = {}
    relations: list[TextRelation] = []
    for start, sentence in in_order:
        if start < len(text):
            raise DataError(
                f"{sentence.where}: expected the sentence to begin where the one before it ends ({len(text)}) or later, got {start}"
            )
        text += " " * (start - len(text)) + sentence.text
        for effect, drug in sentence.pairs:
            head, tail = (
                mentions.setdefault((span, kind), TextEntity(f"{kind}-{span[0]}-{span[1]}", *span, kind))
                for span, kind in ((effect, EFFECT), (drug, DRUG))
            )
            relations.append(TextRelation(head.id, tail.id, RELATION))
    bounds = [(start, start + len(sentence.text)) for start, sentence in in_order]
    return document_from_offsets(key, text, list(mentions.values()), relations, report, where=sentences[0].where, sentences=bounds)


def _is_about_doses(path: Path) -> bool:
    """Is it the corpus's DRUG-DOSE.rel? It has the same columns with another meaning; only its name tells."""
    return "DOSE" in path.name.upper()


def _recognises_rel_file(path: Path) -> bool:
    columns = beginning_of(path).lstrip("\ufeff").split("\n")[0].rstrip("\r").split("|")
    numbers = columns[:1] + columns[-5:-3] + columns[-2:]
    return not _is_about_doses(path) and len(columns) >= 8 and all(_OFFSET.fullmatch(number) for number in numbers)


def recognises_rel(path: Path) -> bool:
    """A .rel file of eight or more `|` fields with offsets, not named after doses."""
    return records.file_or_children(path, _recognises_rel_file, ".rel")


def read_folds(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield one document a sentence, in file order. Raises DataError naming file and record (counted from 1).

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
    for file in records.matching_files(path, report, _recognises_folds_file, ".json"):
        for number, value in enumerate(records.json_array(file), start=1):
            yield _fold_document(value, f"{file.stem}-{number}", f"{file}: record {number}", report)


def _fold_document(value: Any, key: str, where: str, report: ReadReport) -> Document:
    record = records.as_object(value, _FOLD_KEYS, where, report)
    tokens = records.tokens_of(records.required(record, "tokens", list, where), where)
    entities = []
    for number, item in enumerate(records.required(record, "entities", list, where)):
        (start, end), kind = records.numbers_and_label(item, 2, f"{where}: entity {number}")
        entities.append(Entity(start, end, kind))
    relations = []
    for number, item in enumerate(records.required(record, "relations", list, where)):
        (*head, tail_start, tail_end), kind = records.numbers_and_label(item, 4, f"{where}: relation {number}")
        first, second = (
            records.position_of((start, end), entities, report, where=f"{where}: relation {number}")
            for start, end in ((head[0], head[1]), (tail_start, tail_end))
        )
        relations.append(Relation(first, second, kind))
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
    return records.file_or_children(path, _recognises_folds_file, ".json")


REL = Reader(
    name="ade_rel",
    summary="ADE corpus: DRUG-AE.rel, one drug-effect relation a line, offsets into the abstract",
    read=read_rel,
    recognises=recognises_rel,
    samples=REL_SAMPLES,
)
FOLDS = Reader(
    name="ade_folds",
    summary="ADE folds: JSON arrays with entities and relations as lists of token indices",
    read=read_folds,
    recognises=recognises_folds,
    samples=FOLD_SAMPLES,
)
