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
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, beginning_of, read_text
from relsift.readers.records import file_or_children, matching_files
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document

ENTITY_TYPE = "Nominal"
NO_RELATION_LABEL = "Other"
_SUFFIXES = (".txt",)
_SENTENCE = re.compile(r'(\d+)\s+"(.*)"\s*')
_TAG = re.compile(r"<(/?)(e[12])>")
_LABEL = re.compile(r"([^\s()]+)\((e1,e2|e2,e1)\)")
_COMMENT = "Comment"

SAMPLES = {
    "semeval.txt": '1\t"The <e1>baker</e1> lit the <e2>oven</e2>."\nInstrument-Agency(e2,e1)\nComment: the baker uses it\n\n'
    '2\t"A <e1>key</e1> lay in the <e2>drawer</e2>."\nContent-Container(e1,e2)\nComment:\n\n'
    '3\t"The <e1>river</e1> froze on a <e2>Monday</e2>."\nOther\nComment:\n'
}


def read(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield one document a sentence, in file order. Raises DataError naming file and line. Counts nothing: all is kept."""
    for file in matching_files(path, report, _recognises_file, *_SUFFIXES):
        lines = ((number, line.strip()) for number, line in enumerate(read_text(file).split("\n"), start=1))
        filled = ((number, line) for number, line in lines if line and not line.startswith(_COMMENT))
        empty = True
        for number, line in filled:
            empty = False
            where = f"{file}:{number}"
            match = _SENTENCE.fullmatch(line)
            if match is None:
                raise DataError(f"{where}: expected a number and a sentence in quotation marks, got {line!r}")
            label_number, label = next(filled, (number, ""))
            yield _document(match[1], match[2], label, where, f"{file}:{label_number}", report)
        if empty:
            raise DataError(f"{file}:1: expected at least one sentence, got an empty file")


def _document(key: str, marked: str, label: str, where: str, label_where: str, report: ReadReport) -> Document:
    text, mentions = _unmark(marked, where)
    relations = []
    if label != NO_RELATION_LABEL:
        match = _LABEL.fullmatch(label)
        if match is None:
            got = repr(label) if label else "the end of the file"
            raise DataError(f"{label_where}: expected Other or a relation such as Cause-Effect(e1,e2), got {got}")
        head, tail = match[2].split(",")
        relations.append(TextRelation(head, tail, match[1]))
    return document_from_offsets(
        key, text, mentions, relations, report, where=where, sentences=[(0, len(text))], sentence_ids={0: key}
    )


def _unmark(marked: str, where: str) -> tuple[str, list[TextEntity]]:
    """The sentence without tags, and e1 and e2 by their offsets in it."""
    tags = [match[0] for match in _TAG.finditer(marked)]
    if tags != ["<e1>", "</e1>", "<e2>", "</e2>"]:
        raise DataError(f"{where}: expected <e1>…</e1> and then <e2>…</e2>, once each, got {' '.join(tags) or 'no tags'}")
    pieces = _TAG.split(marked)[::3]  # the two groups of the pattern stand between the pieces
    edges = [sum(len(piece) for piece in pieces[:number]) for number in range(1, 5)]
    return "".join(pieces), [TextEntity("e1", edges[0], edges[1], ENTITY_TYPE), TextEntity("e2", edges[2], edges[3], ENTITY_TYPE)]


def _recognises_file(path: Path) -> bool:
    lines = [line.strip() for line in beginning_of(path).lstrip("\ufeff").split("\n")]
    match = _SENTENCE.fullmatch(lines[0])
    if match is None or "<e1>" not in match[2] or len(lines) == 1:
        return False
    return lines[1] == NO_RELATION_LABEL or _LABEL.fullmatch(lines[1]) is not None


def recognises(path: Path) -> bool:
    """A .txt file that opens with a numbered, quoted sentence with an <e1> tag, and a label on the second line."""
    return file_or_children(path, _recognises_file, *_SUFFIXES)


READER = Reader(
    name="semeval2010",
    summary="SemEval-2010 Task 8: sentences with <e1> and <e2>, one directed relation or Other",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
)
