"""Document stores: Parquet files with all that a sentence holds, one row each (see `relsift.store_layout`).

A batch of rows is checked and made column by column (`relsift.readers.store_columns`). Where a value of it is not valid, its rows are
made one by one through the classes of the data model, and the error names the row. Pages have checksums, which are verified. pyarrow and
numpy are imported when a file is read, so that a list of formats needs neither.
"""

from __future__ import annotations

import base64
import math
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Any

from relsift.errors import DataError
from relsift.readers.base import Reader, ReadReport, no_text, shown
from relsift.readers.folders import FileKind, file_or_children, matching_files
from relsift.schema import Document, Entity, Relation, Sentence, Syntax
from relsift.store_layout import KEY, ROWS_AT_ONCE, SUFFIX, VERSION, pyarrow_for, schema_of, string_paths

_MAGIC = b"PAR1"  # ends a Parquet file, behind the four bytes of the length of what describes it
_LONGEST_FOOTER = 1 << 28  # bytes; a longer one is none of ours
_IDS_COMPARED = 500_000  # of one file, so that memory is bounded
_SHOWN = 200  # characters of an error of pyarrow
_Key = tuple[str | None, str]  # of a sentence: its doc_id and id


@dataclass
class _Open:
    """The document whose rows are being read."""

    name: str = ""
    text: str | None = None
    sentences: list[Sentence] = field(default_factory=list)
    place: int = -1  # of its last row; -1: no row was read
    is_empty: bool = False  # a document without sentences, which is one row

    def begin(self, name: str, text: str | None) -> None:
        self.name, self.text, self.sentences, self.is_empty = name, text, [], False

    def closed(self) -> tuple[Document, ...]:
        """As a sequence; empty if all its sentences were left out. They were checked, with the text."""
        from relsift.readers.store_columns import unchecked_object

        if not self.sentences and not self.is_empty:
            return ()
        return (unchecked_object(Document, self.name, tuple(self.sentences), self.text, (), None),)


def read(path: Path, report: ReadReport) -> Iterator[Document]:
    """Yield documents in file order. A document is in memory as a whole, of a file only a few thousand rows.

    Raises: DataError naming file and row; ConfigError if pyarrow is not installed.
    """
    for file in matching_files(path, report, _KIND):
        with report.leaving_out("files"):
            yield from _documents(file, report)


def _documents(file: Path, report: ReadReport) -> Iterator[Document]:
    from relsift.readers.store_columns import checked_columns

    pyarrow = pyarrow_for(str(file))
    seen: set[_Key] = set()
    current, number = _Open(), 0
    try:
        for batch in chain.from_iterable(map(_pieces, _batches(file, pyarrow))):
            rows = _Rows.of(batch, current)
            columns = checked_columns(batch, rows.texts) if rows.are_in_order(current) else None
            if columns is None:
                yield from _one_by_one(batch, rows, current, seen, f"{file}: row ", number, report)
            else:
                _compare(list(zip(columns.doc_ids, columns.keys)), seen, f"{file}: row ", number, report)
                yield from _joined(columns.sentences(), rows, current)
            number += batch.num_rows
    except (pyarrow.ArrowException, UnicodeDecodeError, OSError) as error:
        got = " ".join(str(error).split())[:_SHOWN]
        problem = "expected a whole document store, got a file that was cut, or altered after it was written"
        raise DataError(f"{file}: row {number + 1} or later: {problem} ({got}); write it again") from error
    yield from current.closed()
    if not number:
        raise no_text(file, "a document store without rows")


@dataclass(frozen=True, slots=True)
class _Rows:
    """What the rows of a batch say of their documents."""

    names: list[str]
    places: list[int]
    own_texts: list[str | None]
    texts: list[str | None]  # of the document of each row
    firsts: list[int]  # rows that begin a document

    @staticmethod
    def of(batch: Any, current: _Open) -> _Rows:
        from relsift.readers.store_columns import Values, strings

        named, places, own = Values.of(batch.column("document")), strings(batch.column("place")), strings(batch.column("document_text"))
        names = batch.column("document").to_pylist() if named is None else named.all()
        firsts = [row for row, place in enumerate(places) if not place]
        edges = [*firsts, len(places)]
        texts = [current.text] * edges[0]
        for first, end in pairwise(edges):
            texts += [own[first]] * (end - first)
        return _Rows(names, places, own, texts, firsts)

    def are_in_order(self, current: _Open) -> bool:
        """Whether each row begins a document or goes on with that of the row before it, and only the first row of one has its text."""
        edges = [*self.firsts, len(self.places)]
        if edges[0] and (current.is_empty or current.place < 0):
            return False
        groups = [(0, edges[0], current.name, current.place + 1), *((a, b, self.names[a], 0) for a, b in pairwise(edges))]
        texts = sum(self.own_texts[row] is not None for row in self.firsts)
        return len(self.own_texts) - self.own_texts.count(None) == texts and all(
            self.places[first:end] == [*range(place, place + end - first)] and self.names[first:end].count(name) == end - first
            for first, end, name, place in groups
        )


def _joined(sentences: Iterator[Sentence], rows: _Rows, current: _Open) -> Iterator[Document]:
    """The documents that end in this batch, whose rows are in order and valid; `current` becomes the last one, which may go on."""
    edges = [*rows.firsts, len(rows.places)]
    current.sentences += islice(sentences, edges[0])
    for first, end in pairwise(edges):
        yield from current.closed()
        current.begin(rows.names[first], rows.own_texts[first])
        current.sentences += islice(sentences, end - first)
    current.place = rows.places[-1] if rows.places else current.place


def _one_by_one(
    batch: Any, rows: _Rows, current: _Open, seen: set[_Key], where: str, before: int, report: ReadReport
) -> Iterator[Document]:
    """As `_joined`, for rows that may be out of order, without sentences, or broken."""
    for index, row in enumerate(batch.to_pylist()):
        name, place, own_text = rows.names[index], rows.places[index], rows.own_texts[index]
        if place == 0:
            yield from current.closed()
            current.begin(name, own_text)
        elif place != current.place + 1 or name != current.name or current.is_empty or own_text is not None or current.place < 0:
            got = f"sentence {place} of {shown(name)} after sentence {current.place} of {shown(current.name)}"
            problem = "expected the sentences of a document in order, its text on the first"
            raise DataError(f"{where}{before + index + 1}: {problem}, got {got}")
        current.place = place
        sentence = _sentence_or_none(row, rows.texts[index], f"{where}{before + index + 1}", report)
        if isinstance(sentence, Sentence):
            current.sentences.append(sentence)
            _compare([(sentence.doc_id, sentence.id)], seen, where, before + index, report)
        else:
            current.is_empty = sentence


def _compare(keys: list[_Key], seen: set[_Key], where: str, before: int, report: ReadReport) -> None:
    """Count the ids that stand twice, in little time if there are none."""
    if not seen.isdisjoint(keys) or len({*keys}) < len(keys):
        for number, key in enumerate(keys, start=before + 1):
            if key in seen:
                report.drop("sentences with an id that an earlier one has (kept)", f"{where}{number}: {key[1]!r}")
            elif len(seen) < _IDS_COMPARED:
                seen.add(key)
    elif len(seen) < _IDS_COMPARED:
        seen.update(keys)


def _sentence_or_none(row: dict[str, Any], text: str | None, where: str, report: ReadReport) -> Sentence | bool:
    """The sentence of a row; True for a document without sentences, False for a sentence that is left out."""
    with report.leaving_out("sentences"):
        try:
            return _is_bare(row) or _sentence(row, text)
        except DataError as error:
            raise DataError(f"{where}: {error}") from error
    for relation in row["relations"] or ():
        report.lost_relations[relation["type"]] += 1
    return False


def _is_bare(row: dict[str, Any]) -> bool:
    """Whether a row is a document without sentences. Raises DataError if it has no tokens and other values of a sentence."""
    if row["tokens"] is not None:
        return False
    filled = [name for name, value in row.items() if value and name not in ("document", "document_text")]
    if filled:
        raise DataError(f"expected tokens beside {', '.join(filled)}, got none")
    return True


def _sentence(row: dict[str, Any], text: str | None) -> Sentence:
    """The sentence of one row, made by the classes of the data model, which check it. text: of its document."""
    for name in ("id", "entities"):
        if row[name] is None:
            raise DataError(f"expected a value in the column {name}, got none")
    starts, ends = row["starts"], row["ends"]
    if (starts is None) != (ends is None) or len(starts or ()) != len(ends or ()):
        raise DataError(f"sentence {row['id']!r}: expected as many starts as ends, got {shown(starts)} and {shown(ends)}")
    trees = [row[name] for name in ("heads", "dependencies", "pos")]
    if len({tree is None for tree in trees}) > 1:
        raise DataError(f"sentence {row['id']!r}: expected heads, dependencies and pos together, got only some of them")
    sentence = Sentence(
        row["id"],
        tuple(row["tokens"]),
        _entities(row["entities"]),
        None if row["relations"] is None else tuple(map(_relation, row["relations"])),
        row["doc_id"],
        None if starts is None else tuple(zip(starts, ends)),
        None if row["heads"] is None else Syntax(*map(tuple, trees)),
        None if row["tagged"] is None else _entities(row["tagged"]),
        row["text"],
    )
    return Document(row["document"], (sentence,), text).sentences[0]


def _entities(records: Sequence[dict[str, Any]]) -> tuple[Entity, ...]:
    entities = []
    for record in records:
        first, last, score = record["char_start"], record["char_end"], record["score"]
        if (first is None) != (last is None) or not math.isfinite(score or 0):
            raise DataError(f"expected both ends of the characters of an entity or none, and a finite score, got {shown(record)}")
        chars = None if first is None else (first, last)
        entities.append(Entity(record["start"], record["end"], record["type"], record["subtype"], record["id"], chars, score))
    return tuple(entities)


def _relation(record: dict[str, Any]) -> Relation:
    if not math.isfinite(record["score"] or 0) or not 0 <= (record["probability"] or 0) <= 1:
        raise DataError(f"expected a relation with a finite score and a probability from 0 to 1, got {shown(record)}")
    return Relation(**record)


def _batches(file: Path, pyarrow: Any) -> Iterator[Any]:
    """A few thousand rows at once. Raises DataError for a file of another version."""
    schema = schema_of(pyarrow)
    description = pyarrow.parquet.read_metadata(file)
    _check(description, schema, file)
    with pyarrow.parquet.ParquetFile(
        file, metadata=description, read_dictionary=string_paths(schema), page_checksum_verification=True
    ) as table:
        for group in range(table.num_row_groups):  # pyarrow would hold all of them
            yield from table.iter_batches(ROWS_AT_ONCE, row_groups=[group], use_threads=False)


def _pieces(batch: Any) -> Iterator[Any]:
    """The batch in pieces: documents without sentences stand alone, so that the rows between them can be made by column."""
    if batch.column("tokens").null_count == 0:
        yield batch
        return
    bare = [row for row, has_tokens in enumerate(batch.column("tokens").is_valid().to_pylist()) if not has_tokens]
    edges = sorted({0, *bare, *(row + 1 for row in bare), batch.num_rows})
    yield from (batch.slice(first, end - first) for first, end in pairwise(edges))


def _check(description: Any, schema: Any, file: Path) -> None:
    """Args: description: pyarrow's, of the file. schema: what it must have."""
    metadata = description.metadata or {}
    if metadata.get(KEY) != VERSION:
        got = "a Parquet file that is no document store" if KEY not in metadata else f"version {shown(metadata[KEY].decode('latin-1'))}"
        raise DataError(f"{file}: expected a document store of version {VERSION.decode()}, got {got}")
    found = description.schema.to_arrow_schema()
    paths = {description.schema.column(number).path for number in range(description.num_columns)}
    if not found.equals(schema) or not paths.issuperset(string_paths(schema)):
        different = [name for name in schema.names if name not in found.names or not found.field(name).equals(schema.field(name))]
        got = f"others: {', '.join(different or map(shown, found.names))}"
        raise DataError(f"{file}: expected the columns of a document store of version {VERSION.decode()}, got {got}; write it again")


def _recognises_file(path: Path) -> bool:
    """Whether what describes the Parquet file, at its end, names the store."""
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            stream.seek(max(size - 8, 0))
            end = stream.read()
            length = int.from_bytes(end[:4], "little")
            if end[4:] != _MAGIC or not 0 < length <= min(size - 8, _LONGEST_FOOTER):
                return False
            stream.seek(size - 8 - length)
            return KEY in stream.read(length)
    except OSError:
        return False


def recognises(path: Path) -> bool:
    """A .parquet file with the mark of a store in its metadata, or a folder with one."""
    return file_or_children(path, _KIND)


_KIND = FileKind("store", (SUFFIX,), _recognises_file, re.compile(""))
_SAMPLE = """
eNrNWA1sG+UZvrtcHMd1Sxp6hw1pZhCcKKF1kiZpgrzBZzuxnSauY5ofR2iV/2LHcWxjO0kdjal0MKBlo7BRsa5sUDRYtcFgDGgB8SMNxjbotGlCE6u6DsGAsQFjEr/d2Pd+92Pf+S
fONKSlzd193/e+z/v3vO9d60P+Lo7lTNwl3P1nnlyy4WeqlaIufsT6L4sxSFEMRVGRLnLt5ihOhyUPvfTeQ4Y2/NiCf3VtlCTdYKYougGrE7AT194eAhlKJQOI8EOLNwof+7gQd/3B
W24ylktfjGhiv4Fux1cUCVpm0gupSDRiQeH5qGUkH9lisactyehMfgtW7eeGudN3Xu8uB2r7sxiIjmZJOJs7pbscWP0JaOUu5O78497ja8oT0OyRrYhpMHLt3HdOXfcsW+6QrksSpb
C5H9PcgzT38W233LfWxvFF6xPXMFToudb2uzbdT//jT0OP9u0z3Vs4dsNPn98+MfnCF6/5keGOyPB2vz+SsL1sbg4PHnjrZsf0Y/Gu4+ibl32loGvSP9DmPLbpurs/zv61dd8vCndl
XtoM+d7CXcHtPf7E93EAJk0A5xzHucaLxlPrwDkTwza2dO8cuuEoKVSIm+Jeu+epF3E4rZxBpdi1kabeFDUpyGwLw1B7GFZPsbD5/l49Lvhvn2mWQN558oZfG+oH0TGw+YaFUUAu40
a4/a98eKq5DedYndiNb4mJbegHpYa7DOQmMe4z/IPz7eQmuPeeu+mDdTZOX8z2BetpqhELpXILoYQOPwQji/PpCOimQwlwKJtO57G5C7ge7uTb73y9CayrE7j+Jo11puE1qHA718k9
+YMXX9XZgAmyxbMKols+uHjhMiHBH7vjnw+vqwv+AFTmCkz8lz/dP9mGM6pOh+V1inqQqLTC1UD6jiEgNNXXoiPKfu7hb524m62gTUv9JymDNivlkpbyiqNrw5w6/fobv2xU9c66q0
UB36Afbjv8LowOidj/u2d/chYYUwcH2VAZa2jFcDx3MXf9D/cfbbJxTBF7TYCimrBUOD2fCaYKGNjCdXOfHXn8UWM5cMu1MjDJWoCmGUjaJZyNu/XI23/Rl8fNHdVoQNBBPHIktWfu
e/rd5jrUjMUpB2pfe/+h1xvqUNtQVIOpdPuvbv3EWK4mzyY5X/j4XO5S7jf3Hz+4pnzgrJ2VBw4xwlKrFWfJ7Hvg6BuHGRt+VEoBRMBr4MDJ7z3xqa58LAIRVFj/Y7DPN+7PWxza/d
Q3ztxc4SUht7skrpNJASpvv3v6I2MdKnSxRe+5+bufNaraCJJpwALiWzW7Kz0jddIjH+7/hC5PvtxJRXSlk04+fd/fDeX+yNyWNJokZn90uaT27w8ee7ahbrU3L+dY85ltvZRJlwvH
o/NBrh2/ZS+iTPpIOrwwH03lL6JGAIRj8GZjJhkMR0GAMa2VBXblo7sVKThhZiOlSx0W3KXeYktUerFEPj0XTeVwHnUjNthiTWxyNpfnGNGXpmgyWuIKaOTywWy+sgZbogGybDQVqU
+yMR4NVhFlNKLGSDSDcaOp8Gx0NY43ZNL1i+Mq4NVsvoqJ3qIG1yIViORFfG7A/om4bL6QiZbmvwm/kLV7JVVj8dIQjgezuyQ42NCTDYJpwMvGXDidjYrVC8Zi0cj/sYfN2WgymJ9N
p1ZMo0F0jAUiSI/54GyygpMlFsjzmkw2HQqGZpOz+QLF68xt5jPnCxT+4DD3UroWc7GfOCOv4xf5Q7QwJeg3XUoGN+n5Fnyz8UazzgxjCXQZ80U6yix1HdFz89PCEdrTBhOeYyQxoy
imbkgivpfmv00LZ4oKNt6G8QVWo4ozS+Tj/LJwoKFEegNIUzpFWoxF6mjZxL208Aor7GMrB1OqToyxintf4n3Cg40l5iiQJ0O5xFy/NB5IvZRKGXkTf4zhTzDCySZhj67c9gRGajX3
4W9uCY7F5g0YTRwdWrRWnCl+Hy2c0BN/DICxSdAZzX0M1aJGIAOlmv4fmqvri/XsF8eMFsDIJ/mvCq8aiunA6jpzH0vpNflQzZ5ymGdo/jVaOGUUTq8pz8qF5iqgMJjKsQ7R/FO0cH
id8PO15Vh6LZYYn1sZWio8sfExqoHPYJrtPUsVKIt5YqgHBmYGAcny12FqV0eRAqsCQ3qZ4OCyHaOFl9cLe9aXh9huXg2oPLQI7gGa/xkt3Hi2cKy1HHcdwe2j9OpGrIIrtqeBv4pP
CX87u6Rf9FoYthZMycBU4F7ZoElgvWDKsFWgXuCqQxlqMwPGKMEZ5q8SHuXLcAyUmhrSK6cyv3T8CP9l4bZzVCgU5ilTB4pELxHjvRoYMhMqgcjkkub8jWbhhKmcA5R5FZAl1JJQj5
wrvGmuhjokopZSqxKqPPch2L3nqQaxFoWtjqLmlYh2+jxN6urEKqWViPRUWw0kQy0+SKwSYQ5vrAEjEaL4naAuJ8xrArSTnxE+0QL1MQxTHw58Sig4p9ur48hMqAokM+EgzT+O57NF
eP4L5VTYYNbAGmq6V5IwaOc952sTxoj/y7EyUum3kIL3TjU8/vBGXifo+d9fQJkvNa3FkLnZmfyWXB57Y6K7KJMR+f07Ji8T/31i2mOykp+YByE0hsSf7Qj1IHsMDSEUQ44Y2bPbVe
dLcB9UzgcRUq5Eipx74G4n95hyYi+K7oaLE3bdw8mQ25uZTo0thLf6F8Pz43Dkg8sE0QX/nON2DJtCYSyP/yD7IKy3oQC2sOTCQjnsM1pGWNe1hH1HATvG9qJRhIZidtlo2JewWsG9
saVxyUmVay6ynoNlYXpydzziSi6GUqPgaW4AZ2q7rI86QQiNFPXBJuomGYK1vQceryTI5NwNF4yZDE1OLEQQSnf4rNatij+jRSEl1Qg54MxtL4S6h+OB+WQuOOXvRd6Rfqu1n3jv9K
VU+i6NPjHt9iZCW4eTsLYuLovyMScC+0TGT0QDxfoUixRxJ5emCZwjB/J9SvyeyvZIEP54cJIIIY/sHxokJHAp6xr6rngyMCnujWv0l5R4xfq5NfUbUkKxdwYmI6lpwHEmeq3Wgc6O
GTFe504i1FOMF6Dtc4jwBcIGvjjDcJInRsCgfbCID0f2ZMg1kZ+e7O1EHifG7+/sWCT4dpHZZfkkquFur8zveaso70AuZ59Yz0EHMWJfKvZT0b9E0DVUmOqeWJgWN+ckewgROMe4Yj
+uOFlqfztxqjseDycHliMYC3MQTfqyUn7FyAryemy8SOqS+hBXXEngfg/Y26aRL6sn4a+3K5Dy94Zd4ygA8r3LUrxoSIw3pomX9E9ndMqeFEmUwPLWQSXeeDHqkvicYn/1ziFfQsa3
k/72yflFjsr2AMqu5AQ5EttU+g6nvB4l+XBo5p2I55Hsd+IezUxPjYpF92GnuxR9L9l1Fu0TKBeZTz2A5YTtHeSkR063RP1xJZ+uidz0ZFcylBpDU4C/2ynNg0FnZf6I8QW6Bwq4l1
2Ail12ySMGq/X/F/wbtPpK+WfvlNar4t8O37KKf1fL65X5FwB7yxr5lfg3BvJbl/tXxT9XAst3zCnxrsQ/b6JfxR+vnN86+YcSAyp9t7weFPlXqj+mOEHsh10Dy2gHiS9tnak537Xv
o3GQL/i2qubrsGa+ivOWzMO5aZyf0Lwf/3oVvl8J+j07B2rnVzM/3U6Qn5Pmod0pvi/Dmu+FceV9Rt4P/mVYp8DegJIvR1327M4OVX498lrO75Imv2PKGuobJsfOHsiX17et9vtM06
8hRV5k9lZ5vfL7TOSHG75ndmJ/O8as6nm4Qn2dHqvqfYF64MtvxXzHyPt8MYj7HuLOgb8dyx2rqq83Af6OyvZqfm+4Jnoi0gbI53HP1exvMg/8i4GugQzMpe0gP4B7XKyn5N+Yxj+o
up3I7wT53STPHnAJ12tUEpaNyP7GNP56SX5dA4kIqa1/RvHdA/atHileuT6xit8Drt3xQPe48r3sIHWLKeF5JKUh6f1SwT9UxT+P2r8x+fuqVBVRJksmmL16IZrfHM5kNgez2fSSZT
GazeF/iFi6+7Z0bukynzm/jaI+77+UzUxRPuTv+g8J1GTf
"""
READER = Reader(
    name="store",
    summary="document store: whole sentences, read several times as fast as JSON lines; Parquet, needs pyarrow",
    read=read,
    recognises=recognises,
    samples={"train.parquet": zlib.decompress(base64.b64decode(_SAMPLE))},
)
