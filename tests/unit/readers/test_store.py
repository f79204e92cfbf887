"""Document stores: what is written comes back as it was, and what was altered is refused with its row."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.corpora.convert import convert, writer_for
from relsift.corpora.data import recognise, resolve
from relsift.errors import DataError
from relsift.omissions import Omissions
from relsift.readers import native, store
from relsift.readers import store_columns as columns_module
from relsift.readers.base import ReadReport
from relsift.schema import Document, Entity, Relation, Sentence, Syntax
from relsift.store_layout import KEY, schema_of
from relsift.writers import native as native_writer
from relsift.writers import store as store_writer
from relsift.writers.base import write_documents
from strategies import documents

pyarrow = pytest.importorskip("pyarrow")
from pyarrow import parquet  # noqa: E402  # after the check that it is there

TREE = Syntax((1, -1, 1), ("a", "b", ""), ("N", "V", "N"))
ENTITIES = (Entity(0, 1, "PER", "", "e", (0, 3), -1.25), Entity(2, 3, "ORG"))
FIRST = Sentence("s", ("Ada", "runs", "Zed"), ENTITIES, (Relation(0, 1, "runs", 0.1, 0.75),), "d", ((0, 3), (4, 8), (9, 12)), TREE, ())
SECOND = Sentence("t", ("Bo", "left"), (Entity(0, 1, "PER"),), None, None, ((13, 15), (16, 20)), tagged=(Entity(1, 2, "X"),))
DOCUMENT = Document("d", (FIRST, SECOND), "Ada runs Zed Bo left")


def written(file: Path, *group: Document) -> Path:
    write_documents(store_writer.WRITER, iter(group), file, Omissions())
    return file


def read(path: Path, on_error: Any = "stop") -> tuple[list[Document], ReadReport]:
    report = ReadReport(on_error=on_error)
    return list(store.read(path, report)), report


def rewritten(file: Path, change: Callable[[list[dict[str, Any]]], object], metadata: dict[bytes, bytes] | None = None) -> Path:
    """The file with its rows changed, as another program could."""
    table = parquet.read_table(file)
    rows = table.to_pylist()
    change(rows)
    schema = schema_of(pyarrow) if metadata is None else schema_of(pyarrow).with_metadata(metadata)
    parquet.write_table(pyarrow.Table.from_pylist(rows, schema=schema), file)
    return file


@st.composite
def any_documents(draw: st.DrawFn) -> list[Document]:
    """With and without text, sentences, trees, probabilities, and texts of sentences that the document does not have."""
    found = []
    for document in draw(st.lists(documents(), max_size=3)):
        sentences = []
        for sentence in document.sentences:
            size = len(sentence.tokens)
            heads = tuple(draw(st.integers(-1, place - 1)) if place else -1 for place in range(size))
            syntax = Syntax(heads, sentence.tokens, ("",) * size) if draw(st.booleans()) else None
            chances = st.sampled_from([None, 0.0, 0.3])
            links = sentence.relations and tuple(replace(one, probability=draw(chances)) for one in sentence.relations)
            sentences.append(replace(sentence, syntax=syntax, relations=links, doc_id=draw(st.sampled_from([None, "d", sentence.doc_id]))))
        found.append(draw(st.sampled_from([
            Document(document.id, tuple(sentences), document.text), Document(document.id, tuple(sentences)), Document("", (), ""),
            Document("empty", ()),
        ])))  # fmt: skip
    return found


@settings(max_examples=40, deadline=None)
@given(group=any_documents(), rows=st.sampled_from([1, 2, 4096]))
def test_every_field_comes_back_whatever_the_size_of_the_row_groups(group, rows, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store_writer, "ROWS_AT_ONCE", rows)
        patch.setattr(store, "ROWS_AT_ONCE", 3)
        patch.setattr(columns_module, "_SENTENCES_AT_ONCE", 2)
        file = written(tmp_path_factory.getbasetemp() / "any.parquet", *group)
        if group:
            assert read(file)[0] == group
        else:
            with pytest.raises(DataError, match="expected text, annotated or not, got none"):
                read(file)


@settings(max_examples=20, deadline=None)
@given(group=st.lists(documents(), min_size=1, max_size=2))
def test_a_store_says_what_native_lines_say(group, tmp_path_factory):
    file = tmp_path_factory.getbasetemp() / "same.parquet"
    group = [replace(document, id=f"{document.id}-{number}") for number, document in enumerate(group)]  # lines of one id are one document
    lines = [line.encode() for document in group for line in native_writer.lines(document)]
    from_lines = list(native.read_lines(enumerate(lines, start=1), "same.jsonl", ReadReport()))
    assert read(written(file, *from_lines))[0] == from_lines
    back = read(written(file, *group))[0]
    assert [line.encode() for document in back for line in native_writer.lines(document)] == lines


def test_valid_rows_are_made_by_column_and_equal_those_of_the_classes(tmp_path: Path):
    file = written(tmp_path / "a.parquet", DOCUMENT, replace(DOCUMENT, text=None))
    (batch,) = store._batches(file, pyarrow)
    texts = [DOCUMENT.text] * 2 + [None] * 2
    columns = columns_module.checked_columns(batch, texts)
    assert columns is not None
    made = list(columns.sentences())
    assert made == [store._sentence(row, text) for row, text in zip(batch.to_pylist(), texts)]
    assert made == [*DOCUMENT.sentences, *DOCUMENT.sentences]
    assert made[0].original == "Ada runs Zed"


def test_documents_without_sentences_do_not_slow_down_those_around_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    one_by_one, sizes = store._one_by_one, []
    monkeypatch.setattr(store, "_one_by_one", lambda batch, *others: (sizes.append(batch.num_rows), one_by_one(batch, *others))[1])
    group = [DOCUMENT, Document("x", ()), Document("y", (), " "), replace(DOCUMENT, id="e")]
    assert read(written(tmp_path / "a.parquet", *group))[0] == group
    assert sizes == [1, 1]


def test_texts_of_sentences_whose_document_has_none_are_kept(tmp_path: Path):
    sentence = replace(FIRST, original="Ada/runs/Zed")
    (document,) = read(written(tmp_path / "a.parquet", Document("d", (sentence,))))[0]
    assert document.text is None
    assert document.sentences == (sentence,)


def set_in(row: int, *way: Any, to: Any) -> Callable[[list[dict[str, Any]]], None]:
    def change(rows: list[dict[str, Any]]) -> None:
        place: Any = rows[row]
        for key in way[:-1]:
            place = place[key]
        place[way[-1]] = to

    return change


BROKEN = {
    "no tokens": set_in(1, "tokens", to=[]), "an empty token": set_in(1, "tokens", 0, to=""), "no id": set_in(1, "id", to=None),
    "null for tokens": set_in(1, "tokens", to=None), "fewer starts than tokens": set_in(1, "starts", to=[13]),
    "fewer offsets than tokens": lambda rows: rows[1].update(starts=[13], ends=[15]), "ends alone": set_in(1, "starts", to=None),
    "an end beyond the text": set_in(1, "ends", 1, to=99), "an end before its start": set_in(1, "ends", 0, to=13),
    "a negative start": set_in(1, "starts", 0, to=-1), "another text of its own": set_in(1, "text", to="other"),
    "an entity beyond the sentence": set_in(1, "entities", 0, "end", to=3), "an empty entity": set_in(1, "entities", 0, "end", to=0),
    "an entity before the sentence": set_in(1, "entities", 0, "start", to=-1),
    "an entity without a type": set_in(1, "entities", 0, "type", to=""),
    "half of the characters": set_in(1, "entities", 0, "char_end", to=3),
    "an infinite score": set_in(1, "entities", 0, "score", to=float("inf")),
    "a tag beyond the sentence": set_in(1, "tagged", 0, "end", to=3), "a tag without a type": set_in(1, "tagged", 0, "type", to=""),
    "a head beyond the entities": set_in(0, "relations", 0, "head", to=2), "a negative tail": set_in(0, "relations", 0, "tail", to=-1),
    "a relation with itself": set_in(0, "relations", 0, "tail", to=0),
    "a relation without a type": set_in(0, "relations", 0, "type", to=""),
    "not a number": set_in(0, "relations", 0, "score", to=float("nan")),
    "a probability above 1": set_in(0, "relations", 0, "probability", to=1.5),
    "a negative probability": set_in(0, "relations", 0, "probability", to=-0.5), "a cycle": set_in(0, "heads", 1, to=0),
    "a head outside": set_in(0, "heads", 1, to=3), "fewer labels than heads": set_in(0, "dependencies", to=["a"]),
    "heads alone": set_in(0, "pos", to=None),
    "trees of another length": lambda rows: rows[1].update(heads=[-1], dependencies=["a"], pos=["b"]),
    "a missing sentence": set_in(1, "place", to=2), "another document in the middle": set_in(1, "document", to="e"),
    "a text in the middle": set_in(1, "document_text", to=""), "a beginning without a first row": set_in(0, "place", to=1),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_value_that_is_not_valid_is_refused_with_file_and_row(name: str, tmp_path: Path):
    file = rewritten(written(tmp_path / "a.parquet", DOCUMENT), BROKEN[name])
    with pytest.raises(DataError, match=r"a\.parquet: row [12]: ") as caught:
        read(file)
    assert "\n" not in str(caught.value)


def test_the_row_is_counted_in_the_whole_file_and_documents_before_it_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "ROWS_AT_ONCE", 4)
    group = [replace(DOCUMENT, id=f"d{number}") for number in range(5)]
    file = rewritten(written(tmp_path / "a.parquet", *group), set_in(7, "tokens", to=[]))
    stream = store.read(file, ReadReport())
    assert [next(stream) for _ in range(3)] == group[:3]
    with pytest.raises(DataError, match=r"row 8: sentence 't': expected at least one token"):
        next(stream)


def test_a_broken_sentence_is_left_out_and_its_relations_are_counted(tmp_path: Path):
    file = rewritten(written(tmp_path / "a.parquet", DOCUMENT), set_in(0, "entities", 0, "end", to=9))
    (document,), report = read(file, "skip")
    assert document.sentences == DOCUMENT.sentences[1:]
    assert report.dropped["broken sentences"] == 1
    assert report.lost_relations == {"runs": 1}


def test_ids_that_stand_twice_are_kept_and_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store, "ROWS_AT_ONCE", 2)
    back, report = read(written(tmp_path / "a.parquet", DOCUMENT, DOCUMENT))
    assert back == [DOCUMENT, DOCUMENT]
    assert report.lines() == [
        f"2 sentences with an id that an earlier one has (kept) (first: {tmp_path / 'a.parquet'}: row 3: 's')"
    ]


@pytest.mark.parametrize(
    ("sentence", "problem"),
    [
        (replace(FIRST, id="\ud800"), r"half of one, '\\ud800'"),
        (replace(FIRST, tokens=("Ada", "x\udc00", "Zed")), r"sentence 's': expected whole characters, got half of one, '\\udc00'"),
        (replace(FIRST, entities=(replace(ENTITIES[0], subtype="\ud800"), ENTITIES[1])), "half of one"),
        (replace(FIRST, entities=(replace(ENTITIES[0], score=float("inf")), ENTITIES[1])), "finite scores, got inf"),
        (replace(FIRST, relations=(Relation(0, 1, "r", float("nan")),)), "finite scores, got nan"),
        (replace(FIRST, relations=(Relation(0, 1, "r", 0.0, 1.5),)), "from 0 to 1, got 1.5"),
        (replace(FIRST, entities=(replace(ENTITIES[0], chars=(0, 2**70)), ENTITIES[1])), "that a document store can hold"),
    ],
)
def test_what_no_store_can_hold_is_refused_and_nothing_is_written(sentence: Sentence, problem: str, tmp_path: Path):
    with pytest.raises(DataError, match=problem):
        written(tmp_path / "a.parquet", DOCUMENT, Document("e", (sentence,)))
    assert not list(tmp_path.iterdir())


def test_bytes_that_were_altered_or_cut_are_refused_or_change_nothing(tmp_path: Path):
    content = written(tmp_path / "a.parquet", DOCUMENT).read_bytes()
    draw, refused = random.Random(1), 0
    ends = [content[:size] for size in (0, 4, 12, len(content) // 2, len(content) - 1)]
    for changed in chain(ends, (flipped(content, draw.randrange(len(content)), draw) for _ in range(100))):
        file = tmp_path / "b.parquet"
        file.write_bytes(changed)
        try:
            assert read(file)[0] == [DOCUMENT]
        except DataError as error:
            refused += 1
            assert str(error).startswith(f"{file}: ") and "\n" not in str(error)
            assert len(str(error)) < 700
    assert refused > 60


def flipped(content: bytes, place: int, draw: random.Random) -> bytes:
    changed = bytearray(content)
    changed[place] ^= 1 << draw.randrange(8)
    return bytes(changed)


def test_every_altered_page_is_refused_with_the_rows_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(store_writer, "ROWS_AT_ONCE", 2)
    file = written(tmp_path / "a.parquet", DOCUMENT, replace(DOCUMENT, id="e"))
    place = parquet.read_metadata(file).row_group(1).column(0).data_page_offset
    content = bytearray(file.read_bytes())
    content[place + 30] ^= 255
    file.write_bytes(content)
    documents = store.read(file, ReadReport())
    with pytest.raises(DataError, match=r"row 3 or later: expected a whole document store, got a file that was cut, or altered"):
        list(documents)


def test_other_versions_other_columns_and_other_tables_are_refused(tmp_path: Path):
    file = rewritten(written(tmp_path / "a.parquet", DOCUMENT), lambda rows: None, {KEY: b"2"})
    with pytest.raises(DataError, match=r"a\.parquet: expected a document store of version 1, got version '2'"):
        read(file)
    assert store.recognises(file)
    table = pyarrow.table({"id": ["n1"], "text": ["Ada runs Zed."]})
    parquet.write_table(table, file)
    assert not store.recognises(file)
    assert recognise(file).name == "table"
    with pytest.raises(DataError, match="got a Parquet file that is no document store"):
        read(file)
    parquet.write_table(table.replace_schema_metadata({KEY: b"1"}), file)
    with pytest.raises(DataError, match="expected the columns of a document store of version 1, got others: document, place"):
        read(file)


def test_parts_of_a_folder_are_stores_and_a_part_that_was_cut_is_not_passed_over(tmp_path: Path):
    target = tmp_path / "data"
    for part in ("train", "dev", "test"):
        written(target / f"{part}.parquet", replace(DOCUMENT, id=part))
    data = resolve(str(target))
    assert data.splits == ("train", "dev", "test")
    assert [document.id for document in resolve(f"{target}/test").documents()] == ["test"]
    (target / "test.parquet").write_bytes((target / "test.parquet").read_bytes()[:-100])
    with pytest.raises(DataError, match=r"test\.parquet"):
        list(resolve(str(target)).documents("test"))


def test_convert_writes_a_store_by_its_name_and_back(tmp_path: Path):
    lines = tmp_path / "a.jsonl"
    record = {"id": "s", "tokens": ["Ada", "left"], "entities": [{"start": 0, "end": 1, "type": "PER"}], "relations": []}
    lines.write_text(json.dumps(record), encoding="utf-8")
    target = tmp_path / "a.parquet"
    assert writer_for(target, None).name == "parquet"  # the table, if nothing is said
    convert(resolve(str(lines)), target, writer_for(target, "store"), ReadReport())
    assert recognise(target).name == "store"
    assert list(resolve(str(target)).documents()) == list(resolve(str(lines)).documents())
