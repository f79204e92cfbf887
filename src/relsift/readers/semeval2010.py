"""SemEval-2010 Task 8: one sentence with two marked nominals and their relation, in blocks.

    1	"The <e1>baker</e1> lit the <e2>oven</e2>."     number, tab, sentence in quotation marks
    Instrument-Agency(e2,e1)                        relation and order of its arguments, or Other
    Comment: any text, or none                      for people; may be missing

Traps: `(e2,e1)` means that e2 fills the first role, so e2 is the head. Only the outermost quotation marks belong to the format.
`Other` is stored as "annotated, no relation": it means that none of the nine relations holds. Tags can touch a word
(`of<e2>flour</e2>`); tokens are cut there. Nominals have no types in this corpus, so all are `Nominal`. Comments are not kept.

Source of the format: Hendrickx et al., SemEval 2010 (S10-1006). Reads the training file and the test file with labels ("FULL").
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, first_lines, read_text, shown, text_lines
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_or_children, read_files
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document

ENTITY_TYPE = "Nominal"
NO_RELATION_LABELS = frozenset({"other", "no_relation", "na", "none"})  # in small letters; without arguments they mean "annotated, none"
_SENTENCE = re.compile(r'([0-9]+)\s+"(.*)"')
_BEGINS_BLOCK = re.compile(r'[0-9]+(?:\t|\s+")')
_TAG = re.compile(r"<(/?)(e[12])>")
_LABEL = re.compile(r"([^\s()]+)\((e1,\s?e2|e2,\s?e1)\)")
_COMMENT = "Comment"

SAMPLES = {
    "semeval.txt": '1\t"The <e1>baker</e1> lit the <e2>oven</e2>."\nInstrument-Agency(e2,e1)\nComment: the baker uses it\n\n'
    '2\t"A <e1>key</e1> lay in the <e2>drawer</e2>."\nContent-Container(e1,e2)\nComment:\n\n'
    '3\t"The <e1>river</e1> froze on a <e2>Monday</e2>."\nOther\nComment:\n'
}


@dataclass(slots=True)
class _Block:
    """A sentence and the filled lines below it, comments left out."""

    number: int  # of the line of the sentence
    sentence: str
    labels: list[tuple[int, str]] = field(default_factory=list)  # line number and line; one if the block is right


def read(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document a sentence, in file order. Raises DataError naming file and line. Counts ids that stand twice."""
    return read_files(path, report, _KIND, partial(_documents, report=report, encoding=encoding), encoding)


def _documents(file: Path, *, report: ReadReport, encoding: str) -> Iterator[Document]:
    lines = text_lines(read_text(file, encoding))
    empty = True
    for block in _blocks(lines):
        empty = False
        with report.leaving_out("sentences"):
            match = _SENTENCE.fullmatch(block.sentence)
            where = f"{file}:{block.number}"
            if match is None:
                raise DataError(f"{where}: expected a number and a sentence in quotation marks, got {shown(block.sentence)}")
            number, label = block.labels[0] if block.labels else (block.number, "")
            if len(block.labels) > 1:
                number, label = block.labels[1]
                raise DataError(f"{file}:{number}: expected one label a sentence, then the next sentence, got {shown(label)}")
            yield _document(match[1], match[2], label, where, f"{file}:{number}", report)
    if empty:
        raise DataError(f"{file}:1: expected at least one sentence, got an empty file")


def _blocks(lines: list[str]) -> Iterator[_Block]:
    block: _Block | None = None
    for number, line in enumerate(map(str.strip, lines), start=1):
        if not line or line.startswith(_COMMENT):
            continue
        if block is None or _BEGINS_BLOCK.match(line):
            if block is not None:
                yield block
            block = _Block(number, line)
        else:
            block.labels.append((number, line))
    if block is not None:
        yield block


def _document(key: str, marked: str, label: str, where: str, label_where: str, report: ReadReport) -> Document:
    text, mentions = _unmark(marked, where)
    relations = []
    if label.lower() not in NO_RELATION_LABELS:
        match = _LABEL.fullmatch(label)
        if match is None:
            got = shown(label) if label else "none below the sentence"
            raise DataError(f"{label_where}: expected Other, no_relation or a relation such as Cause-Effect(e1,e2), got {got}")
        head, tail = (name.strip() for name in match[2].split(","))
        relations.append(TextRelation(head, tail, match[1]))
    return document_from_offsets(
        key, text, mentions, relations, report, where=where, sentences=[(0, len(text))], sentence_ids={0: key}
    )


def _unmark(marked: str, where: str) -> tuple[str, list[TextEntity]]:
    """The sentence without tags, and e1 and e2 by their offsets in it, without blanks at their edges."""
    tags = [match[0] for match in _TAG.finditer(marked)]
    if sorted(tags) != ["</e1>", "</e2>", "<e1>", "<e2>"]:
        got = " ".join(tags[:8]) or "no tags"
        raise DataError(f"{where}: expected <e1>…</e1> and <e2>…</e2>, once each, got {got}")
    edges: dict[str, int] = {}
    pieces: list[str] = []
    length = 0
    for piece, tag in zip(_TAG.split(marked)[::3], [*tags, ""]):  # the two groups of the pattern stand between the pieces
        pieces.append(piece)
        length += len(piece)
        edges[tag] = length
    text = "".join(pieces)
    mentions = []
    for name in ("e1", "e2"):
        start, end = edges[f"<{name}>"], edges[f"</{name}>"]
        words = text[start:end]
        if not words.strip():
            raise DataError(f"{where}: expected words between <{name}> and </{name}>, got none")
        start, end = start + len(words) - len(words.lstrip()), start + len(words.rstrip())
        mentions.append(TextEntity(name, start, end, ENTITY_TYPE))
    return text, mentions


def _recognises_file(path: Path) -> bool:
    lines = [line.strip() for line in first_lines(path, 2)]
    match = _SENTENCE.fullmatch(lines[0]) if lines else None
    if match is None or "<e1>" not in match[2] or len(lines) == 1:
        return False
    return lines[1].lower() in NO_RELATION_LABELS or _LABEL.fullmatch(lines[1]) is not None


def recognises(path: Path) -> bool:
    """A .txt file that opens with a numbered, quoted sentence with an <e1> tag, and a label on the second line."""
    return file_or_children(path, _KIND)


_KIND = FileKind("semeval2010", (".txt",), _recognises_file, re.compile(r"^\s*[0-9]+\s.*<e[12]>"), least_share=0.2)
READER = Reader(
    name="semeval2010",
    summary="SemEval-2010 Task 8: sentences with <e1> and <e2>, one directed relation or Other",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
)
