"""brat standoff: a text `X.txt` and its annotation `X.ann` side by side, or a folder of such pairs.

    T1<tab>Person 0 3<tab>Ada                 entity: half-open character offsets; `0 3;8 12` is discontinuous
    R1<tab>founder_of Arg1:T1 Arg2:T2         relation
    *<tab>Synonym-of T1 T2 T3                 equivalence: a symmetric relation between the members, given here as one relation
                                              for each two members, in the order of the line

brat cuts a span at every line break inside it; fragments with only blanks between them are joined again. Options:

    unit: auto (words, and single Chinese characters) or characters (everything, as Chinese corpora do).
    lines: break (a line break ends a sentence) or wrapped (lines cut at a fixed width; only a blank line ends a sentence).
    subtypes: none (`Person-Name` is a type) or hyphen (type `Person`, subtype `Person-Name`).
    equivalences: relations or ignore.
    offsets: exact (an entity whose words are not at its offsets is dropped) or nearby (it is moved to its words if they are at
        most SHIFT characters away: some corpora lost characters after they were annotated).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, input_files, read_text
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets, same_words
from relsift.schema import Document
from relsift.text import Span, split_sentences

SHIFT = 3  # characters
_ANNOTATION = re.compile(r"(?:[TREAMN#]\d+\S*|\*)\t")
_INTENDED_ANNOTATION = re.compile(r"[TREAMN#]\d+\s|\*\s")  # with a blank for the tab: an error, not a stray line
_SPANS = re.compile(r"(\S+) (\d+ \d+(?:;\d+ \d+)*)")
_ARGUMENTS = re.compile(r"(\S+) ([^\s:]+):(\S+) ([^\s:]+):(\S+)")
_LONGEST_QUOTE = 80  # characters of a line in a message
_UNUSED = {"A": "attributes", "M": "attributes", "N": "normalisations", "#": "notes"}

SAMPLES = {
    "mill.txt": "Ada Berg runs the Old Mill.\nThe Old Mill, or OM, stands in Lund.\n",
    "mill.ann": "T1\tPerson 0 8\tAda Berg\nT2\tPlace 18 26\tOld Mill\nR1\truns Arg1:T1 Arg2:T2\n"
    "T3\tPlace 32 40\tOld Mill\nT4\tPlace 45 47\tOM\n*\tsame_as T3 T4\n"
    "T5\tPlace 59 63\tLund\nR2\tlocated_in Arg1:T3 Arg2:T5\t\n",
}


@dataclass
class _Annotations:
    """The content of one .ann file, before relations are checked against the entities that are kept."""

    entities: dict[str, TextEntity] = field(default_factory=dict)  # by id
    dropped: set[str] = field(default_factory=set)  # ids of entities that are left out
    events: set[str] = field(default_factory=set)  # ids of events and of their triggers
    relations: list[tuple[str, TextRelation]] = field(default_factory=list)  # with the place, `file:line`


def read(
    path: Path,
    report: ReadReport,
    *,
    unit: str = "auto",
    lines: str = "break",
    subtypes: str = "none",
    equivalences: str = "relations",
    offsets: str = "exact",
) -> Iterator[Document]:
    """Yield one document per pair, sorted by path. Raises DataError naming file and line.

    Counts: discontinuous entities, entities whose words are not at their offsets, events, attributes, normalisations, notes,
        texts without annotation, and what `document_from_offsets` counts.
    """
    if path.suffix == ".txt":
        path = path.with_suffix(".ann")
    files = input_files(path, ".ann")
    if path.is_dir():
        for missing in sorted({p.with_suffix(".ann") for p in path.rglob("*.txt")} - set(files)):
            report.drop("texts without an .ann file", str(missing.with_suffix(".txt")))
    for file in files:
        source = file.with_suffix(".txt")
        if not source.is_file():
            raise DataError(f"{file}: expected the text beside the annotation, in {source.name}, got no such file")
        text = read_text(source)
        annotations = _parse(file, text, report, nearby=offsets == "nearby", equivalences=equivalences == "relations")
        entities = [_with_subtype(e) if subtypes == "hyphen" else e for e in annotations.entities.values()]
        yield document_from_offsets(
            (file.relative_to(path) if path.is_dir() else Path(file.name)).with_suffix("").as_posix(),
            text,
            entities,
            _kept_relations(annotations, report),
            report,
            where=str(file),
            sentences=split_sentences(text, [(e.start, e.end) for e in entities], wrapped=lines == "wrapped"),
            characters=unit == "characters",
        )


def _parse(file: Path, text: str, report: ReadReport, *, nearby: bool, equivalences: bool) -> _Annotations:
    annotations = _Annotations()
    for number, line, further_lines in _annotations(file):
        where = f"{file}:{number}"
        key, _, body = line.partition("\t")
        if key[0] == "T":
            if key in annotations.entities or key in annotations.dropped:
                raise DataError(f"{where}: expected each id once, got {key!r} again")
            type_name, spans, words = _text_bound(line, text, where)
            # Some tools write the words of a span over a line break on several lines.
            while further_lines and len(words) < sum(end - start for start, end in spans):
                words += "\n" + further_lines.pop(0)
            for stray in filter(str.strip, further_lines):
                report.drop("stray lines after an entity", f"{where}: {stray[:_LONGEST_QUOTE]!r}")
            span = _annotated_span(text, spans, words, nearby, f"{where}: {key} {words[:_LONGEST_QUOTE]!r}", report)
            if span is None:
                annotations.dropped.add(key)
            else:
                annotations.entities[key] = TextEntity(key, *span, type_name)
        elif key[0] == "R":
            annotations.relations.append((where, _relation(body, where)))
        elif key[0] == "*":
            type_name, *members = body.split() or [""]
            if len(members) < 2:
                raise DataError(f"{where}: expected a type and two or more ids, got {line[:_LONGEST_QUOTE]!r}")
            if equivalences:
                annotations.relations += [(where, TextRelation(a, b, type_name)) for a, b in combinations(dict.fromkeys(members), 2)]
            else:
                report.drop("equivalences, as asked", where)
        elif key[0] == "E":
            annotations.events.update((key, body.split(" ")[0].rpartition(":")[2].strip()))
            report.drop("events, with their triggers", where)
        else:
            report.drop(_UNUSED[key[0]], where)
    for trigger in annotations.events & set(annotations.entities):
        del annotations.entities[trigger]
    return annotations


def _annotations(file: Path) -> Iterator[tuple[int, str, list[str]]]:
    """Each annotation: line number, line, and the lines after an entity that are no annotations. Such lines elsewhere are refused."""
    lines = [line.rstrip("\r") for line in read_text(file).split("\n")]
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if not line.strip():
            continue
        if not _ANNOTATION.match(line):
            raise DataError(f"{file}:{number}: expected an annotation such as 'T1<tab>Type 0 4<tab>text', got {line[:_LONGEST_QUOTE]!r}")
        line_number, further_lines = number, []
        while line[0] == "T" and number < len(lines) and not _INTENDED_ANNOTATION.match(lines[number]):
            further_lines.append(lines[number])
            number += 1
        yield line_number, line, further_lines


def _text_bound(line: str, text: str, where: str) -> tuple[str, list[Span], str]:
    _, type_and_offsets, words = (*line.split("\t", 2), "")[:3]
    match = _SPANS.fullmatch(type_and_offsets)
    if match is None or not words:
        raise DataError(f"{where}: expected 'T1<tab>Type start end<tab>text', got {line[:_LONGEST_QUOTE]!r}")
    spans = [(int(start), int(end)) for start, _, end in (part.partition(" ") for part in match.group(2).split(";"))]
    offsets = [edge for span in spans for edge in span]
    if offsets != sorted(offsets) or any(start == end for start, end in spans) or offsets[-1] > len(text):
        raise DataError(f"{where}: expected rising offsets within the {len(text)} characters of the text, got {match.group(2)!r}")
    return match.group(1), spans, words


def _annotated_span(text: str, spans: list[Span], words: str, nearby: bool, where: str, report: ReadReport) -> Span | None:
    """The span of the words that were annotated; None if the entity is dropped. What is dropped or moved is counted."""
    start, end = spans[0][0], spans[-1][1]
    is_continuous = all(not text[left:right].strip() for (_, left), (right, _) in pairwise(spans))
    if is_continuous and same_words(text[start:end], words):
        return start, end
    nearby_span = _nearest_occurrence(text, start, end, words) if nearby else None
    if nearby_span:
        report.drop(f"entities moved by up to {SHIFT} characters to their words (kept)", where)
        return nearby_span
    if not is_continuous:
        report.drop("discontinuous entities", where)
        return None
    if _differs_in_punctuation(text[start:end], words):
        report.drop("entities whose punctuation was edited after annotation (kept)", where)
        return start, end
    report.drop("entities whose words are not at their offsets", where)
    return None


def _nearest_occurrence(text: str, start: int, end: int, words: str) -> Span | None:
    """The span of `words` that starts nearest to `start`, at most SHIFT characters away."""
    pattern = re.compile(r"\s*".join(map(re.escape, "".join(words.split()))))
    first = max(0, start - SHIFT)
    starts = sorted(range(first, min(start + SHIFT, len(text)) + 1), key=lambda position: abs(position - start))
    for position in starts:
        match = pattern.match(text, position, end + 2 * SHIFT)
        if match and match.group():
            return match.span()
    return None


def _differs_in_punctuation(text: str, words: str) -> bool:
    """Do the two differ only in punctuation (`;` and `、`)? Then the offsets still hold."""
    character_pairs = list(zip(text, words))
    return len(text) == len(words) and all(a == b or not (a.isalnum() or b.isalnum()) for a, b in character_pairs)


def _relation(body: str, where: str) -> TextRelation:
    match = _ARGUMENTS.fullmatch(body.strip())
    if match is None:
        raise DataError(f"{where}: expected 'R1<tab>Type Arg1:T1 Arg2:T2', got {body[:_LONGEST_QUOTE]!r}")
    kind, first, head, second, tail = match.groups()
    if (first, second) == ("Arg2", "Arg1"):
        head, tail = tail, head
    return TextRelation(head, tail, kind)


def _kept_relations(annotations: _Annotations, report: ReadReport) -> list[TextRelation]:
    """The relations between entities that are kept; those with an event or a dropped entity are counted."""
    kept = []
    for where, relation in annotations.relations:
        ends = (relation.head, relation.tail)
        if any(end in annotations.events for end in ends):
            report.drop("relations with an event", where)
        elif any(end in annotations.dropped for end in ends):
            report.drop("relations of a dropped entity", where)
        else:
            for end in ends:
                if end not in annotations.entities:
                    raise DataError(f"{where}: expected the id of an entity of this file, got {end!r}")
            kept.append(relation)
    return kept


def _with_subtype(entity: TextEntity) -> TextEntity:
    kind, hyphen, _ = entity.type.partition("-")
    return TextEntity(entity.id, entity.start, entity.end, kind, entity.type) if hyphen and kind else entity


def recognises(path: Path) -> bool:
    """An .ann file with brat lines (or empty beside its text), or a folder with such a file."""
    if path.is_dir():
        first = next(iter(sorted(path.glob("*.ann")) or path.rglob("*.ann")), None)
        return first is not None and recognises(first)
    start = beginning_of(path).removeprefix("\ufeff")
    if path.suffix != ".ann":
        return False
    return bool(_ANNOTATION.match(start)) if start.strip() else path.with_suffix(".txt").is_file()


READER = Reader(
    name="brat",
    summary="brat standoff: .txt and .ann side by side",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    options={
        "unit": ("auto", "characters"),
        "lines": ("break", "wrapped"),
        "subtypes": ("none", "hyphen"),
        "equivalences": ("relations", "ignore"),
        "offsets": ("exact", "nearby"),
    },
)
