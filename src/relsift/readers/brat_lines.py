"""The lines of one brat `.ann` file, checked one by one; offsets stay as the file counts them, and the text is not looked at."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import ReadReport, read_text, shown, text_lines, whole_number
from relsift.readers.standoff import TextRelation
from relsift.text import Span

LONGEST_QUOTE = 80  # characters of a line in a message
MOST_MEMBERS = 200  # of an equivalence: each two of them become a relation
KINDS = "TREAMN#"  # first letter of an id: text, relation, event, attribute, modification, normalisation, note
_UNUSED = {"A": "attributes", "M": "attributes", "N": "normalisations", "#": "notes"}
# With a blank for the tab, or an entity with another kind of id: an error, not a stray line.
_INTENDED_ANNOTATION = re.compile(rf"[{KINDS}]\d++\s|\*\s|\S{{1,40}}\t[^\t]*?\S\s++\d++\s++\d++(?:\t|\s*$)")
_ARGUMENT = re.compile(r"([^\s:]+):(\S+)")
_TYPE_AND_SPAN = re.compile(r"(.*\S)\s+(-?\d+)\s+(-?\d+)")
_SPAN = re.compile(r"(-?\d+)\s+(-?\d+)")


@dataclass(frozen=True, slots=True)
class TextBound:
    """A `T` line: a mention, with its positions as the file counts them."""

    where: str
    id: str
    type: str
    spans: tuple[Span, ...]  # as listed, each start <= end; at least one
    words: str | None  # None: the line has no words column

    @property
    def label(self) -> str:
        """The mention in a message."""
        return f"{self.where}: {self.id} {(self.words or '')[:LONGEST_QUOTE]!r}"


@dataclass
class AnnotationFile:
    """The content of one .ann file."""

    mentions: list[TextBound] = field(default_factory=list)
    relations: list[tuple[str, TextRelation]] = field(default_factory=list)  # with the place, `file:line`
    events: set[str] = field(default_factory=set)  # ids of events and of their triggers
    others: set[str] = field(default_factory=set)  # ids of mentions that the reader does not take for entities, and counts itself
    relation_ids: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)  # ids of mentions whose line is broken, or that two lines have


def is_annotation(line: str) -> bool:
    """Whether a line begins as brat's do: the id of an annotation, or `*`, and a tab."""
    key, tab, _ = line.partition("\t")
    if not tab or not key:
        return False
    return key == "*" or (key[0] in KINDS and re.match(r"[A-Za-z]*+[0-9]", key[1:]) is not None)


def parse(
    file: Path, report: ReadReport, *, encoding: str, equivalences: bool, events_without_trigger: bool = False
) -> AnnotationFile:
    """The annotations of a file. A broken line is an error, or left out and counted (see `ReadReport.leaving_out`).

    Args: events_without_trigger: an `E` line that names no trigger is a relation, as BioNLP's SeeDev task writes them.
    """
    annotations = AnnotationFile()
    seen: set[str] = set()
    lines = text_lines(read_text(file, encoding).removeprefix("\ufeff"))
    for number, line, further_lines in _grouped(file, lines, report):
        where = f"{file}:{number}"
        key, _, body = line.partition("\t")
        if key[0] == "T":
            with report.leaving_out("entities"):
                if key in seen:
                    annotations.broken.add(key)
                    raise DataError(f"{where}: expected each id once, got {shown(key)} again")
                seen.add(key)
                annotations.broken.add(key)
                annotations.mentions.append(_text_bound(line, further_lines, where, report))
                annotations.broken.discard(key)
        elif key[0] == "R" or (key[0] == "E" and events_without_trigger and ":" not in body.split(" ")[0]):
            annotations.relation_ids.add(key)
            with report.leaving_out("relations"):
                relation = _relation(body, where, report)
                if relation is not None:
                    annotations.relations.append((where, relation))
        elif key[0] == "*":
            with report.leaving_out("equivalences"):
                annotations.relations += [(where, relation) for relation in _equivalence(line, where, report, wanted=equivalences)]
        elif key[0] == "E":
            annotations.events.update((key, body.split(" ")[0].rpartition(":")[2].strip()))
            report.drop("events, with their triggers", where)
        else:
            report.drop(_UNUSED[key[0]], where)
    return annotations


def _grouped(file: Path, lines: list[str], report: ReadReport) -> Iterator[tuple[int, str, list[str]]]:
    """Each annotation: line number, line, and the lines after an entity that are no annotations. Such lines elsewhere are broken."""
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if not line.strip():
            continue
        if not is_annotation(line):
            with report.leaving_out("lines"):
                raise DataError(
                    f"{file}:{number}: expected an annotation such as 'T1<tab>Type 0 4<tab>text', got {line[:LONGEST_QUOTE]!r}"
                )
            continue
        line_number, further_lines = number, []
        while line[0] == "T" and number < len(lines):
            further_line = lines[number]
            if is_annotation(further_line) or _INTENDED_ANNOTATION.match(further_line):
                break
            further_lines.append(further_line)
            number += 1
        yield line_number, line, further_lines


def _text_bound(line: str, further_lines: list[str], where: str, report: ReadReport) -> TextBound:
    key, type_and_offsets, words = (*line.split("\t", 2), "")[:3]
    kind, spans = _type_and_spans(type_and_offsets, line, where)
    if any(not 0 <= start <= end for start, end in spans):
        raise DataError(f"{where}: expected spans with 0 <= start <= end, got {type_and_offsets[-LONGEST_QUOTE:]!r}")
    pieces = [words]
    num_characters, size = len(words), sum(end - start for start, end in spans)
    rest = iter(further_lines)
    # Some tools write the words of a span over a line break on several lines.
    while words and num_characters < size and (further_line := next(rest, None)) is not None:
        pieces.append(further_line)
        num_characters += 1 + len(further_line)
    for stray in filter(str.strip, rest):
        report.drop("stray lines after an entity", f"{where}: {stray[:LONGEST_QUOTE]!r}")
    return TextBound(where, key, kind, tuple(spans), "\n".join(pieces).rstrip("\r\n") if words.strip() else None)


def _type_and_spans(column: str, line: str, where: str) -> tuple[str, list[Span]]:
    """`Type 0 4;6 9`; the type may hold blanks and semicolons, as some exports write it."""
    pieces = column.split(";")
    spans: list[Span] = []
    while len(pieces) > 1 and (match := _SPAN.fullmatch(pieces[-1].strip())):
        spans.append((whole_number(match[1], where), whole_number(match[2], where)))
        pieces.pop()
    match = _TYPE_AND_SPAN.fullmatch(";".join(pieces).strip())
    if match is None:
        raise DataError(f"{where}: expected 'T1<tab>Type start end<tab>text', got {line[:LONGEST_QUOTE]!r}")
    spans.append((whole_number(match[2], where), whole_number(match[3], where)))
    return " ".join(match[1].split()), spans[::-1]


def _relation(body: str, where: str, report: ReadReport) -> TextRelation | None:
    """`Type Arg1:T1 Arg2:T2`; the type may hold blanks. None: it has one argument or more than two, which is counted."""
    body, _, tail = body.strip().partition("\t")
    kind_and_arguments = body.split()
    arguments: list[tuple[str, str]] = []
    while len(kind_and_arguments) > 1 and (match := _ARGUMENT.fullmatch(kind_and_arguments[-1])):
        arguments.insert(0, (match[1], match[2]))
        kind_and_arguments.pop()
        if len(arguments) > MOST_MEMBERS:
            break
    kind = " ".join(kind_and_arguments)
    if not arguments or (len(arguments) == 1 and _ARGUMENT.fullmatch(kind)):
        raise DataError(f"{where}: expected 'R1<tab>Type Arg1:T1 Arg2:T2', got {body[:LONGEST_QUOTE]!r}")
    if len(arguments) != 2:
        report.lose_relation("relations with other than two arguments", where, kind)
        return None
    if tail.strip():
        report.drop("further columns of relations", where)
    (first, head), (second, end) = arguments
    return TextRelation(end, head, kind) if (first, second) == ("Arg2", "Arg1") else TextRelation(head, end, kind)


def _equivalence(line: str, where: str, report: ReadReport, *, wanted: bool) -> list[TextRelation]:
    kind, *members = line.partition("\t")[2].split() or [""]
    if len(members) < 2:
        raise DataError(f"{where}: expected a type and two or more ids, got {line[:LONGEST_QUOTE]!r}")
    if not wanted:
        report.drop("equivalences, as asked", where)
        return []
    different = Counter(members)  # in the order of the line
    for member, count in different.items():
        for _ in range(1, count):
            report.drop("members given twice in an equivalence", f"{where}: {member}")
    if len(different) > MOST_MEMBERS:
        raise DataError(
            f"{where}: expected at most {MOST_MEMBERS} members in an equivalence, each two of which become a relation, "
            f"got {len(different)}; brat[equivalences=ignore] reads the file without equivalences"
        )
    return [TextRelation(head, tail, kind) for head, tail in combinations(different, 2)]
