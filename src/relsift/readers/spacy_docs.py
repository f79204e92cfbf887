"""spaCy's binary files of docs (`DocBin`, suffix .spacy). spaCy is imported when a file is read.

Tokens are those of the docs, without blank ones; entities are `doc.ents`, and those of `doc.spans["relsift"]`, where relsift writes all,
since those of `doc.ents` cannot overlap. Relations stand in one of two places of `doc.user_data`:

    ("._.", "rel", None, None)   `doc._.rel` of spaCy's tutorial project `rel_component`:
                                 {(first token of the head, first token of the tail): {label: 0.0 … 1.0, …}, …}.
                                 A label is annotated from 0.5 on. The project writes 1.0 and 0.0, and its component predicts from 0.5 on
    "relsift"                    `doc._.relations` of relsift's own component, by characters (see `stored`)

A doc with neither is not annotated with relations; one with an empty table is, and has none.
"""

from __future__ import annotations

import base64
import bisect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from relsift.errors import ConfigError, DataError, RelsiftError
from relsift.readers.base import Reader, ReadReport, shown
from relsift.readers.folders import FileKind, file_key, file_or_children, read_files
from relsift.schema import Document, Entity, Relation, RelationAcross, Sentence
from relsift.sentences import split_sentences
from relsift.spacy_storage import KEY, End, Stored, text_length

TUTORIAL_KEY = ("._.", "rel", None, None)
ANNOTATED_FROM = 0.5  # of the values of `doc._.rel`
WHOLE, RULES = "whole", "rules"  # what a doc without sentence boundaries is
_ZLIB = b"\x78"  # the first byte of what `DocBin` writes
# Two docs: "Ada Kern founded Acme Mills." with `doc._.rel`, and "Bo left. He joined Acme." with sentences and `doc._.relations`.
_SAMPLE = """
eJzrWl6WWlScmZ+32EDPcGliSUlR8RRHX7+AZSX52al5xUcZF/wxsfDiKp29hZkBAuw8D9X8bH1pzQjle3RelPm/wGQxI5o8lMuQ2LjE9P2G445MDNhB4Cou40/h6yfBzK9nRJV/
P3lRcsTto3sZccgvOrTG583N+vW4zL/JGqhuo2wUjsv97+y2lyim95nj0k/IfO7dP+LD19eJ4zLfPO2ZmoTd01Xk+p+Q/cuKCxKTU4uP8DICAQMDIwOYWp6TmpdeklF8hIMNqIYd
iJcXlxRl5qUXz12wUG+JY3Ju6mLHlMRFTvmLPFKXeKcW5S31zczJKV7sH+S+OMA1aHlafmleSmrKsqz8zLzUlCU5qWklS5ITS4onNTQsTctJTC+e1LgpI7E4vjQvOy+/PC8e4opD
WAVXA+m8+PSi/NKC4klHGCcA0crS4tSi+JTEksRJR4IbpyzWi9dbXJSac+BA0yQG5iaY7aftP0A8Cbb/NMzLwLBCKIEJoio5Etm4HGhecWZaSdMySFhIrAQKJJYA03rxxNYlGamJ
KZM5uUF+XVKSmJkzWVgc5PclJZUFqSvL84uyi+PT8ouWFifnF6UeWF1QlJ+UmJSZk1lSeQAADCTmpA==
"""


class DocSentence(NamedTuple):
    """A sentence of a doc."""

    tokens: list[int]  # numbers of its tokens in the doc; blank ones are left out
    spans: list[Any]  # the spans of its entities, in the order of the sentence's own
    sentence: Sentence


def read(path: Path, report: ReadReport, *, sentences: str = WHOLE) -> Iterator[Document]:
    """Yield one document a doc, in file order.

    Args: sentences: what a doc without sentence boundaries is: one sentence (`whole`), or those of `relsift.sentences` (`rules`).
    Raises: DataError naming file and doc (counted from 1); ConfigError if spaCy is not installed.
    Counts: entities and relations across sentences, relations of an entity with itself, entities without a label, empty docs.
    """
    return read_files(path, report, _KIND, partial(_documents, path=path, report=report, by_rules=sentences == RULES))


def stored(doc: Any, where: str) -> list[Stored] | None:
    """The relations of relsift's own component; None: it has not run, and nobody has set any.

    They count characters, so that merging and splitting tokens leaves them right; the length of the text tells whether they are its own.

    Raises: DataError for anything but what the component writes, and for relations of another text.
    """
    value = doc.user_data.get(KEY)
    if value is None:
        return None
    expected = f'{where}: user_data["{KEY}"]: expected relations as relsift\'s component stores them'
    try:
        length, rows = value["length"], [_stored(row) for row in value["relations"]]
    except (TypeError, ValueError, LookupError) as error:
        raise DataError(f"{expected}, got {shown(value)}") from error
    if length != (size := text_length(doc)):
        raise DataError(f"{expected} for its text of {size} characters, got those of a text of {length}; they were copied from another doc")
    ends = {end: _span(doc, end, size) for row in rows for end in (row.head, row.tail)}
    if lost := [end for end, span in ends.items() if span is None]:
        raise DataError(f"{expected} between words of its text of {size} characters, got an end at {lost[0].start}..{lost[0].end}")
    return [row._replace(head=end_of(ends[row.head]), tail=end_of(ends[row.tail])) for row in rows]


def tutorial_relations(doc: Any, where: str) -> list[Stored] | None:
    """The annotated labels of `doc._.rel`; None: it was never set.

    Raises: DataError for anything but a table as above, and for a label between tokens that begin no entity.
    """
    table = doc.user_data.get(TUTORIAL_KEY)
    if table is None:
        return None
    place = f"{where}: doc._.rel"
    if not isinstance(table, Mapping):
        raise DataError(f"{place}: expected {{(first token of the head, of the tail): {{label: 0 to 1}}}}, got {shown(table)}")
    begins = {span.start: end_of(span) for span in doc.ents}
    relations = []
    for pair, values in table.items():
        if not (isinstance(pair, Sequence) and len(pair) == 2 and isinstance(values, Mapping)):
            raise DataError(f"{place}: expected a pair of tokens and {{label: 0 to 1}}, got {shown(pair)}: {shown(values)}")
        for label, value in values.items():
            if not _is_annotated(value, label, f"{place}: {shown(pair)}: {shown(label)}"):
                continue
            if missing := [token for token in pair if token not in begins]:
                raise DataError(f"{place}: {shown(pair)}: expected first tokens of entities, got {shown(missing[0])}, which begins none")
            relations.append(Stored(begins[pair[0]], begins[pair[1]], label))
    return relations


def end_of(span: Any) -> End:
    return End(span.start_char, span.end_char, span.label_)


def span_of(doc: Any, end: End) -> Any:
    """The tokens under the characters."""
    return doc.char_span(end.start, end.end, label=end.label, alignment_mode="expand")


def _span(doc: Any, end: End, size: int) -> Any | None:
    return span_of(doc, end) if 0 <= end.start < end.end <= size else None


def doc_sentences(
    doc: Any, entities: Iterable[tuple[Any, str]], key: str, report: ReadReport, *, where: str, by_rules: bool
) -> list[DocSentence]:
    """The sentences of a doc; none if it is blank.

    Args:
        entities: spans with their types. key: the id of the document; sentences have `-NUMBER` behind it. where: for the report.
        by_rules: how a doc without sentence boundaries is cut; False: it is one sentence.
    Counts: entities across sentences, of blanks alone, and without a type.
    """
    kept = [[token.i for token in doc[start:end] if token.text.strip()] for start, end in _bounds(doc, entities, by_rules)]
    by_sentence = [tokens for tokens in kept if tokens]
    places = {token: (number, place) for number, tokens in enumerate(by_sentence) for place, token in enumerate(tokens)}
    spans: list[list[Any]] = [[] for _ in by_sentence]
    found: list[list[Entity]] = [[] for _ in by_sentence]
    for span, kind in entities:
        tokens = [places[token] for token in range(span.start, span.end) if token in places]
        problem = (
            "of blanks alone" if not tokens else "without a label" if not kind
            else "across a sentence boundary" if tokens[0][0] != tokens[-1][0] else ""
        )  # fmt: skip
        if problem:
            report.lose_entity(f"entities {problem}", f"{where}: {span.text[:80]!r}")
            continue
        number = tokens[0][0]
        spans[number].append(span)
        found[number].append(Entity(tokens[0][1], tokens[-1][1] + 1, kind, span.ent_id_ or None))
    return [
        DocSentence(tokens, spans[number], _sentence(doc, tokens, tuple(found[number]), key, number))
        for number, tokens in enumerate(by_sentence)
    ]


def _sentence(doc: Any, tokens: list[int], entities: tuple[Entity, ...], key: str, number: int) -> Sentence:
    words, offsets = [], []
    for token in map(doc.__getitem__, tokens):
        word = token.text.strip()
        start = token.idx + token.text.index(word)
        words.append(word)
        offsets.append((start, start + len(word)))
    known = None if doc.has_unknown_spaces else tuple(offsets)
    original = None if known is None else doc.text[known[0][0] : known[-1][1]]
    return Sentence(f"{key}-{number}", tuple(words), entities, doc_id=key, offsets=known, original=original)


def _bounds(doc: Any, entities: Iterable[tuple[Any, str]], by_rules: bool) -> list[tuple[int, int]]:
    """The half-open token spans of the sentences."""
    if doc.has_annotation("SENT_START"):
        return [(sentence.start, sentence.end) for sentence in doc.sents]
    if not by_rules:
        return [(0, len(doc))]
    spans = split_sentences(doc.text, [(span.start_char, span.end_char) for span, _ in entities])
    starts = [start for start, _ in spans][1:]
    numbers = [bisect.bisect_right(starts, token.idx) for token in doc]
    firsts = [token for token, number in enumerate(numbers) if token == 0 or number != numbers[token - 1]]
    return list(zip(firsts, [*firsts[1:], len(doc)]))


def _documents(file: Path, *, path: Path, report: ReadReport, by_rules: bool) -> Iterator[Document]:
    key = file_key(file, path)
    for number, doc in enumerate(_docs(file), start=1):
        where = f"{file}: doc {number}"
        with report.leaving_out("documents"), _errors_of_spacy(where):
            yield _document(doc, f"{key}-{number}", where, report, by_rules)


def _document(doc: Any, key: str, where: str, report: ReadReport, by_rules: bool) -> Document:
    relations, others = stored(doc, where), tutorial_relations(doc, where)
    if relations is not None and others is not None:
        report.drop("docs with doc._.rel beside doc._.relations, not read", where)
    relations = others if relations is None else relations
    spans = {end_of(span): span for span in (*doc.ents, *doc.spans.get(KEY, ()))}  # those that overlap cannot all be `doc.ents`
    for relation in relations or ():
        for end in (relation.head, relation.tail):  # entities of a span group, or that a joint model found
            spans.setdefault(end, span_of(doc, end))
    entities = [(span, end.label) for end, span in sorted(spans.items())]
    sentences = doc_sentences(doc, entities, key, report, where=where, by_rules=by_rules)
    if not sentences:
        report.drop("empty docs (kept, as documents without sentences)", where)
    text = None if doc.has_unknown_spaces else doc.text
    if relations is None:
        return Document(key, tuple(one.sentence for one in sentences), text)
    by_sentence, across = _placed(relations, sentences, where, report)
    complete = tuple(one.sentence.with_relations(those) for one, those in zip(sentences, by_sentence))
    return Document(key, complete, text, tuple(across))


def _placed(
    relations: Sequence[Stored], sentences: Sequence[DocSentence], where: str, report: ReadReport
) -> tuple[list[list[Relation]], list[RelationAcross]]:
    """The relations of each sentence, and those across sentences."""
    across: list[RelationAcross] = []
    places = {end_of(span): (number, place) for number, one in enumerate(sentences) for place, span in enumerate(one.spans)}
    by_sentence: list[dict[tuple[int, int, str], Relation]] = [{} for _ in sentences]
    for relation in relations:
        head, tail = places.get(relation.head), places.get(relation.tail)
        place = f"{where}: {relation.type} {relation.head[:2]} {relation.tail[:2]}"
        if head is None or tail is None:
            report.lose_relation("relations of a dropped entity", place, relation.type)
        elif head[0] != tail[0]:
            report.lose_across(place, relation.type)
            across.append(RelationAcross(head, tail, relation.type, relation.score, relation.probability))
        elif head == tail:
            report.lose_relation("relations of an entity with itself", place, relation.type)
        elif (found := (head[1], tail[1], relation.type)) in by_sentence[head[0]]:
            report.drop("duplicate relations", place)
        else:
            by_sentence[head[0]][found] = Relation(*found, relation.score, relation.probability)
    return [list(those.values()) for those in by_sentence], across


def _docs(file: Path) -> Iterator[Any]:
    try:
        from spacy.tokens import DocBin
        from spacy.vocab import Vocab
    except ImportError as error:
        raise ConfigError(f"{file}: expected spaCy, which reads .spacy files, got none ({error}); pip install 'relsift[spacy]'") from error
    try:
        data = file.read_bytes()
    except OSError as error:
        raise DataError(f"{file}: expected a readable file, got {error.strerror}") from error
    with _errors_of_spacy(str(file)):
        yield from DocBin().from_bytes(data).get_docs(Vocab())


@contextmanager
def _errors_of_spacy(where: str) -> Iterator[None]:
    """Any error but ours becomes a DataError: spaCy checks little, so a broken file ends in errors of many kinds."""
    try:
        yield
    except RelsiftError:
        raise
    except Exception as error:
        problem = " ".join(f"{type(error).__name__}: {error}".split())[:160]
        raise DataError(f"{where}: expected docs as spaCy's DocBin writes them, got {problem}; write the file again") from error


def _stored(row: Mapping[str, Any]) -> Stored:
    """Raises TypeError, ValueError or KeyError for anything else."""
    kind, numbers = row["type"], (row["score"], row["probability"])
    if not (isinstance(kind, str) and kind and all(number is None or type(number) is float for number in numbers)):
        raise ValueError(row)
    return Stored(_end(row["head"]), _end(row["tail"]), kind, *numbers)


def _end(value: Sequence[Any]) -> End:
    start, end, label = value
    if not (type(start) is type(end) is int and isinstance(label, str)):
        raise ValueError(value)
    return End(start, end, label)


def _is_annotated(value: Any, label: Any, where: str) -> bool:
    """Raises DataError for anything but a label and a number from 0 to 1."""
    if not isinstance(label, str) or not label:
        raise DataError(f"{where}: expected a label as text, got {shown(label)}")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise DataError(f"{where}: expected a number from 0 to 1, got {shown(value)}") from error
    if not 0 <= number <= 1:
        raise DataError(f"{where}: expected a number from 0 to 1, got {shown(value)}")
    return number >= ANNOTATED_FROM


def _recognises_file(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(1) == _ZLIB


def recognises(path: Path) -> bool:
    """A .spacy file, or a folder with one, that begins as compressed data do."""
    return (path.is_dir() or path.is_file()) and file_or_children(path, _KIND)


_KIND = FileKind("spacy", (".spacy",), _recognises_file, re.compile(""))
READER = Reader(
    name="spacy",
    summary="spaCy's binary docs (.spacy), with doc._.rel of spaCy's relation project or doc._.relations of relsift's component",
    read=read,
    recognises=recognises,
    samples={"docs.spacy": base64.b64decode(_SAMPLE)},
    options={"sentences": (WHOLE, RULES)},
)
