"""gazette: the inline markup of the corpus that ships with relsift (rules: corpora/gazette/GUIDE.md).

    # g-1                                                                     id
    # Ferry back at work                                                      headline, not annotated
    [Ada Kern|PER:1], [pilot|PER:2] of [the ferry|VEH:3], met [two men|PER:4].
    = ART(2,3)                                                                head 2, tail 3; `= none`: looked at, no relation

Every sentence is a line of its own, followed by a line with its relations. The text of the document is its sentences without the
marks, one a line; tokens are cut at the edges of mentions. The guide's table says which types a relation may join. A relation that
breaks it is an error, since relsift maintains this corpus.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, first_lines, read_text, shown, text_lines, whole_number
from relsift.readers.encodings import UTF8
from relsift.readers.folders import FileKind, file_or_children, matching_files
from relsift.readers.standoff import TextEntity, TextRelation, document_from_offsets
from relsift.schema import Document

ENTITY_TYPES = ("PER", "ORG", "GPE", "LOC", "FAC", "VEH")
_PLACES = frozenset({"GPE", "LOC", "FAC"})
_PERSON, _GROUP = frozenset({"PER"}), frozenset({"ORG"})
ALLOWED: dict[str, tuple[tuple[frozenset[str], frozenset[str]], ...]] = {
    "PHYS": ((_PERSON, _PLACES | {"VEH"}), (_PLACES | {"VEH"}, _PLACES)),
    "PART-WHOLE": ((_PLACES, _PLACES), (_GROUP, frozenset({"ORG", "GPE"}))),
    "PER-SOC": ((_PERSON, _PERSON),),
    "ORG-AFF": ((_PERSON, frozenset({"ORG", "GPE"})), (_GROUP, _GROUP)),
    "ART": ((frozenset({"PER", "ORG", "GPE"}), frozenset({"FAC", "VEH"})),),
    "GEN-AFF": ((_PERSON, frozenset({"GPE", "LOC"})), (_GROUP, frozenset({"GPE", "LOC"}))),
}  # fmt: skip
"""The guide's table: for each relation type, the head and tail types that it may join."""

_HEADER = "# "
_MARK = re.compile(r"\[([^\[\]|]*)\|([^\[\]|:]*):([^\[\]|:]*)\]")
_STRAY_MARK = re.compile(r"[\[\]|]")
_RELATION = re.compile(r"([A-Z-]+)\(([0-9]+),([0-9]+)\)")
_RECOGNITION_LINES = 50  # that are looked at for a mark
_NONE = "none"

SAMPLES = {
    "g-1.txt": "# g-1\n# Ferry back at work\n\n"
    "[Ada Kern|PER:1], [pilot|PER:2] of [the ferry|VEH:3], met [two men|PER:4] in [Orlby|GPE:5].\n"
    "= ART(2,3) PHYS(1,5) PHYS(4,5)\n"
    "[The union|ORG:1] denies that [Kern|PER:2] owns [a barge|VEH:3].\n= none\n",
    "g-2.txt": "# g-2\n# 渡轮\n\n[梧城|GPE:1]的[船长|PER:2]上了[“苇莺”号|VEH:3]。\n= ORG-AFF(2,1) PHYS(2,3)\n",
}


@dataclass(frozen=True, slots=True)
class _MarkedSentence:
    """One sentence of the file."""

    number: int  # in its document, from 0
    text: str  # without marks
    mentions: tuple[TextEntity, ...]  # offsets into `text`
    where: str  # file and line


def read(path: Path, report: ReadReport, *, encoding: str = UTF8) -> Iterator[Document]:
    """Yield one document a file, sorted by path. Raises DataError naming file and line. Drops nothing."""
    seen: dict[str, Path] = {}
    for file in matching_files(path, report, _KIND, encoding):
        with report.leaving_out("documents"):
            document = _document(file, report, encoding)
            if seen.setdefault(document.id, file) is not file:
                raise DataError(f"{file}:1: expected an id of its own, got {document.id!r}, which {seen[document.id]} has")
            yield document


def _document(file: Path, report: ReadReport, encoding: str) -> Document:
    lines = text_lines(read_text(file, encoding))
    for number, name in enumerate(("id", "headline")):
        got = lines[number] if number < len(lines) else ""
        if not got.startswith(_HEADER) or not got[len(_HEADER) :].strip():
            raise DataError(f"{file}:{number + 1}: expected the line '# {name}', got {shown(got)}")
    texts: list[str] = []
    start = 0
    spans: list[tuple[int, int]] = []
    entities: list[TextEntity] = []
    relations: list[TextRelation] = []
    for marked, sentence_relations in _sentences(file, lines, report):
        texts.append(marked.text)
        spans.append((start, start + len(marked.text)))
        entities += [TextEntity(m.id, m.start + start, m.end + start, m.type) for m in marked.mentions]
        relations += sentence_relations
        start += len(marked.text) + 1  # and the line end
    if not spans:
        raise DataError(f"{file}:{len(lines)}: expected at least one sentence, got none")
    return document_from_offsets(
        lines[0][len(_HEADER) :].strip(), "\n".join(texts), entities, relations, report, where=str(file), sentences=spans
    )


def _sentences(file: Path, lines: list[str], report: ReadReport) -> Iterator[tuple[_MarkedSentence, list[TextRelation]]]:
    """Every sentence with the relations of the line that follows it."""
    sentence: tuple[str, str] | None = None  # its line, and where that is
    number = 0
    for line_number, line in enumerate(lines[2:], start=3):
        where = f"{file}:{line_number}"
        if not line.strip():
            continue
        with report.leaving_out("sentences"):
            if line.startswith("="):
                if sentence is None:
                    raise DataError(f"{where}: expected a sentence before its relations, got {shown(line)}")
                marked_line, sentence = sentence, None
                marked = _sentence(marked_line[0], number, marked_line[1])
                number += 1
                yield marked, _relations(line[1:].strip(), marked, where, report)
            else:
                before, sentence = sentence, (line.strip(), where)
                if before is not None:
                    raise DataError(
                        f"{where}: expected the relations of the sentence before ('= none' if there are none), got {shown(line)}"
                    )
    if sentence is not None:
        with report.leaving_out("sentences"):
            raise DataError(f"{sentence[1]}: expected a line '= …' with relations after the last sentence, got the end of the file")


def _sentence(line: str, number: int, where: str) -> _MarkedSentence:
    pieces: list[str] = []
    length = copied = 0
    mentions: list[TextEntity] = []
    for match in _MARK.finditer(line):
        words, kind, count = match.groups()
        if kind not in ENTITY_TYPES:
            raise DataError(f"{where}: expected an entity type of {', '.join(ENTITY_TYPES)}, got {shown(match.group())}")
        if count != str(len(mentions) + 1):
            following = len(mentions) + 1
            raise DataError(
                f"{where}: expected mention number {following} (they count 1, 2, 3 … in text order), got {shown(match.group())}"
            )
        if not words or words != words.strip():
            raise DataError(f"{where}: expected the words of a mention without blanks at their edges, got {shown(match.group())}")
        between = _checked_text(line[copied : match.start()], where)
        start = length + len(between)
        mentions.append(TextEntity(_key(number, len(mentions) + 1), start, start + len(words), kind))
        pieces += [between, words]
        length = start + len(words)
        copied = match.end()
    pieces.append(_checked_text(line[copied:], where))
    return _MarkedSentence(number, "".join(pieces), tuple(mentions), where)


def _checked_text(piece: str, where: str) -> str:
    stray = _STRAY_MARK.search(piece)
    if stray:
        raise DataError(f"{where}: expected mentions as [words|TYPE:n], got a stray {stray.group()!r} in {shown(piece)}")
    return piece


def _relations(body: str, sentence: _MarkedSentence, where: str, report: ReadReport) -> list[TextRelation]:
    if body == _NONE:
        return []
    relations: list[TextRelation] = []
    pairs: set[frozenset[int]] = set()
    for word in body.split() or [""]:
        match = _RELATION.fullmatch(word)
        with report.leaving_out("relations", relation=match[1] if match else None):
            if match is None:
                raise DataError(f"{where}: expected 'none' or relations such as PHYS(1,2), got {shown(word)}")
            relations.append(_relation(match, sentence, pairs, where))
    return relations


def _relation(match: re.Match[str], sentence: _MarkedSentence, pairs: set[frozenset[int]], where: str) -> TextRelation:
    """A checked relation; enters its pair of mentions in `pairs`."""
    word = shown(match.group())
    kind, head, tail = match[1], whole_number(match[2], where), whole_number(match[3], where)
    if kind not in ALLOWED:
        raise DataError(f"{where}: expected a relation type of {', '.join(ALLOWED)}, got {word}")
    for mention in (head, tail):
        if not 1 <= mention <= len(sentence.mentions):
            raise DataError(f"{where}: expected mentions 1 to {len(sentence.mentions)} of the sentence, got {word}")
    if head == tail:
        raise DataError(f"{where}: expected two different mentions, got {word}")
    if frozenset((head, tail)) in pairs:
        raise DataError(f"{where}: expected at most one relation for a pair, got {word} as a second one")
    pairs.add(frozenset((head, tail)))
    _check_types(kind, sentence.mentions[head - 1].type, sentence.mentions[tail - 1].type, f"{where}: {match.group()}")
    if kind == "PER-SOC" and head > tail:
        raise DataError(f"{where}: expected the mention that comes first as head of PER-SOC, got {word}")
    return TextRelation(_key(sentence.number, head), _key(sentence.number, tail), kind)


def _check_types(kind: str, head: str, tail: str, where: str) -> None:
    if not any(head in heads and tail in tails for heads, tails in ALLOWED[kind]):
        allowed = "; ".join(f"{_joined_types(heads)} -> {_joined_types(tails)}" for heads, tails in ALLOWED[kind])
        raise DataError(f"{where}: expected {allowed}, got {head} -> {tail}")


def _joined_types(types: frozenset[str]) -> str:
    return "/".join(name for name in ENTITY_TYPES if name in types)


def _key(sentence: int, mention: int) -> str:
    """The id of a mention: unique in the document, while mention numbers restart in every sentence."""
    return f"{sentence}.{mention}"


def _recognises_file(path: Path) -> bool:
    """Two header lines and, as far as the beginning of the file shows, a mention or a line of relations."""
    lines = first_lines(path, _RECOGNITION_LINES)
    if len(lines) < 4 or not (lines[0].startswith(_HEADER) and lines[1].startswith(_HEADER)):
        return False
    return any(_MARK.search(line) or line.startswith("= ") for line in lines[2:])


def recognises(path: Path) -> bool:
    """A .txt file with two `# ` lines and then marked sentences, or a folder with such a file."""
    return file_or_children(path, _KIND)


_KIND = FileKind("gazette", (".txt",), _recognises_file, re.compile(r"^= |\|[A-Z]+:[0-9]+\]"), least_share=0.5)
READER = Reader(
    name="gazette",
    summary="the shipped corpus: sentences with [words|TYPE:n] marks, each followed by a line of relations",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
    has_encoding=True,
)
