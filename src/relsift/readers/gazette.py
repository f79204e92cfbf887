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
from relsift.readers.base import Reader, ReadReport, beginning_of, read_text
from relsift.readers.records import file_or_children, matching_files
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

_SUFFIXES = (".txt",)
_HEADER = "# "
_MARK = re.compile(r"\[([^\[\]|]*)\|([^\[\]|:]*):([^\[\]|:]*)\]")
_STRAY_MARK = re.compile(r"[\[\]|]")
_RELATION = re.compile(r"([A-Z-]+)\((\d+),(\d+)\)")
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


def read(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield one document a file, sorted by path. Raises DataError naming file and line. Drops nothing."""
    seen: dict[str, Path] = {}
    for file in matching_files(path, report, _recognises_file, *_SUFFIXES):
        document = _document(file, report)
        if seen.setdefault(document.id, file) is not file:
            raise DataError(f"{file}:1: expected an id of its own, got {document.id!r}, which {seen[document.id]} has")
        yield document


def _document(file: Path, report: ReadReport) -> Document:
    lines = [line.rstrip("\r") for line in read_text(file).split("\n")]
    for number, name in enumerate(("id", "headline")):
        got = lines[number] if number < len(lines) else ""
        if not got.startswith(_HEADER) or not got[len(_HEADER) :].strip():
            raise DataError(f"{file}:{number + 1}: expected the line '# {name}', got {got!r}")
    text = ""
    spans: list[tuple[int, int]] = []
    entities: list[TextEntity] = []
    relations: list[TextRelation] = []
    for marked, sentence_relations in _sentences(file, lines):
        text += "\n" if text else ""
        start = len(text)
        text += marked.text
        spans.append((start, len(text)))
        entities += [TextEntity(m.id, m.start + start, m.end + start, m.type) for m in marked.mentions]
        relations += sentence_relations
    if not spans:
        raise DataError(f"{file}:{len(lines)}: expected at least one sentence, got none")
    return document_from_offsets(
        lines[0][len(_HEADER) :].strip(), text, entities, relations, report, where=str(file), sentences=spans
    )


def _sentences(file: Path, lines: list[str]) -> Iterator[tuple[_MarkedSentence, list[TextRelation]]]:
    """Every sentence with the relations of the line that follows it."""
    sentence: _MarkedSentence | None = None
    number = 0
    for line_number, line in enumerate(lines[2:], start=3):
        where = f"{file}:{line_number}"
        if not line.strip():
            continue
        if line.startswith("="):
            if sentence is None:
                raise DataError(f"{where}: expected a sentence before its relations, got {line!r}")
            yield sentence, _relations(line[1:].strip(), sentence, where)
            sentence = None
        elif sentence is not None:
            raise DataError(f"{where}: expected the relations of the sentence before ('= none' if there are none), got {line!r}")
        else:
            sentence = _sentence(line.strip(), number, where)
            number += 1
    if sentence is not None:
        raise DataError(f"{sentence.where}: expected a line '= …' with relations after the last sentence, got the end of the file")


def _sentence(line: str, number: int, where: str) -> _MarkedSentence:
    text = ""
    copied = 0
    mentions: list[TextEntity] = []
    for match in _MARK.finditer(line):
        words, kind, count = match.groups()
        if kind not in ENTITY_TYPES:
            raise DataError(f"{where}: expected an entity type of {', '.join(ENTITY_TYPES)}, got {match.group()!r}")
        if count != str(len(mentions) + 1):
            following = len(mentions) + 1
            raise DataError(
                f"{where}: expected mention number {following} (they count 1, 2, 3 … in text order), got {match.group()!r}"
            )
        if not words or words != words.strip():
            raise DataError(f"{where}: expected the words of a mention without blanks at their edges, got {match.group()!r}")
        text += _checked_text(line[copied : match.start()], where)
        mentions.append(TextEntity(_key(number, int(count)), len(text), len(text) + len(words), kind))
        text += words
        copied = match.end()
    return _MarkedSentence(number, text + _checked_text(line[copied:], where), tuple(mentions), where)


def _checked_text(piece: str, where: str) -> str:
    stray = _STRAY_MARK.search(piece)
    if stray:
        raise DataError(f"{where}: expected mentions as [words|TYPE:n], got a stray {stray.group()!r} in {piece!r}")
    return piece


def _relations(body: str, sentence: _MarkedSentence, where: str) -> list[TextRelation]:
    if body == _NONE:
        return []
    relations: list[TextRelation] = []
    pairs: set[frozenset[int]] = set()
    for word in body.split() or [""]:
        match = _RELATION.fullmatch(word)
        if match is None:
            raise DataError(f"{where}: expected 'none' or relations such as PHYS(1,2), got {word!r}")
        kind, head, tail = match.group(1), int(match.group(2)), int(match.group(3))
        if kind not in ALLOWED:
            raise DataError(f"{where}: expected a relation type of {', '.join(ALLOWED)}, got {word!r}")
        for mention in (head, tail):
            if not 1 <= mention <= len(sentence.mentions):
                raise DataError(f"{where}: expected mentions 1 to {len(sentence.mentions)} of the sentence, got {word!r}")
        if head == tail:
            raise DataError(f"{where}: expected two different mentions, got {word!r}")
        if frozenset((head, tail)) in pairs:
            raise DataError(f"{where}: expected at most one relation for a pair, got {word!r} as a second one")
        pairs.add(frozenset((head, tail)))
        _check_types(kind, sentence.mentions[head - 1].type, sentence.mentions[tail - 1].type, f"{where}: {word}")
        if kind == "PER-SOC" and head > tail:
            raise DataError(f"{where}: expected the mention that comes first as head of PER-SOC, got {word!r}")
        relations.append(TextRelation(_key(sentence.number, head), _key(sentence.number, tail), kind))
    return relations


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
    lines = beginning_of(path).removeprefix("\ufeff").splitlines()
    if len(lines) < 4 or not (lines[0].startswith(_HEADER) and lines[1].startswith(_HEADER)):
        return False
    return any(_MARK.search(line) or line.startswith("= ") for line in lines[2:])


def recognises(path: Path) -> bool:
    """A .txt file with two `# ` lines and then marked sentences, or a folder with such a file."""
    return file_or_children(path, _recognises_file, *_SUFFIXES)


READER = Reader(
    name="gazette",
    summary="the shipped corpus: sentences with [words|TYPE:n] marks, each followed by a line of relations",
    read=read,
    recognises=recognises,
    samples=SAMPLES,
)
