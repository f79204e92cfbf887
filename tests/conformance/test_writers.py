"""What every registered writer does: it takes any valid document, one at a time, and writes text that can be stored as UTF-8."""

from __future__ import annotations

import copy
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.readers.base import ReadReport
from relsift.registry import READERS, WRITERS, find
from relsift.schema import Document, Entity, Relation, Sentence, sentences_of
from relsift.writers.base import Writer
from strategies import documents

WRITER: list[Writer] = [find("writer", name) for name in WRITERS]
each = pytest.mark.parametrize("writer", WRITER, ids=lambda writer: writer.name)

ENTITIES = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
TOKENS = ("Ada", "<runs>", "云图公司")
DOCUMENTS = (
    Document(
        "one",
        (Sentence("a", TOKENS, ENTITIES, (Relation(0, 1, "runs", 0.5),), "one"), Sentence("b", TOKENS, (), (), "one")),
    ),
    Document("two", (Sentence("two", TOKENS, ENTITIES, None, "two"),)),
)


def written(writer: Writer, *some_documents: Document) -> str:
    stream = io.StringIO()
    writer.write(iter(some_documents), stream)
    return stream.getvalue()


@each
def test_writes_annotated_and_other_sentences_from_a_generator(writer: Writer):
    text = written(writer, *DOCUMENTS)
    assert "云图公司" in text  # as text, not as escapes
    assert text.endswith("\n")
    assert "\r" not in text


@each
def test_the_same_documents_give_the_same_file_and_are_not_changed(writer: Writer):
    before = copy.deepcopy(DOCUMENTS)
    assert written(writer, *DOCUMENTS) == written(writer, *DOCUMENTS)
    assert before == DOCUMENTS


@each
def test_no_documents_are_no_error(writer: Writer):
    written(writer)


@each
@settings(max_examples=30)
@given(any_documents=st.lists(documents(), max_size=2))
def test_any_valid_document_can_be_written_and_stored(writer: Writer, any_documents: list[Document]):
    written(writer, *any_documents).encode()


@each
def test_has_a_suffix_and_describes_itself_in_one_line(writer: Writer):
    assert writer.suffix.startswith(".")
    assert writer.summary
    assert "\n" not in writer.summary


@settings(max_examples=30)
@given(document=documents())
@pytest.mark.parametrize("writer", [writer for writer in WRITER if writer.lines is not None], ids=lambda writer: writer.name)
def test_lines_are_the_whole_file_and_begin_as_they_would_without_relations(writer: Writer, document: Document):
    assert writer.lines is not None
    lines = list(writer.lines(document))
    assert written(writer, document) == "".join(f"{line}\n" for line in lines)
    assert len(lines) == len(document.sentences)
    assert not any("\n" in line for line in lines)
    bare = Document(document.id, tuple(sentence.with_relations(None) for sentence in document.sentences), document.text)
    assert all(line.startswith(without[:-1]) for line, without in zip(lines, writer.lines(bare), strict=True))


def test_names_are_those_of_the_registry():
    assert [writer.name for writer in WRITER] == list(WRITERS)


@pytest.mark.parametrize("name", [name for name in WRITERS if name in READERS])
def test_what_a_format_writes_it_recognises_and_reads_back(name: str, tmp_path: Path):
    writer, reader = find("writer", name), find("reader", name)
    file = tmp_path / f"out{writer.suffix}"
    file.write_text(written(writer, *DOCUMENTS), encoding="utf-8")
    assert reader.recognises(file)
    report = ReadReport()
    back = list(reader.read(file, report))
    assert not report.dropped
    assert [d.id for d in back] == [d.id for d in DOCUMENTS]

    def content(group: list[Document]) -> list[tuple[object, ...]]:
        return [(s.tokens, [(e.start, e.end, e.type) for e in s.entities], s.relations) for s in sentences_of(group)]

    assert content(back) == content(list(DOCUMENTS))


@pytest.mark.parametrize("name", [name for name in WRITERS if name in READERS])
@settings(max_examples=60)
@given(data=st.data())
def test_any_document_reads_back_as_it_was_or_what_is_lost_is_counted(
    name: str, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
):
    document = data.draw(documents())
    writer, reader = find("writer", name), find("reader", name)
    file = tmp_path_factory.getbasetemp() / f"back-{name}{writer.suffix}"
    file.write_text(written(writer, document), encoding="utf-8", newline="")
    report = ReadReport()
    (back,) = reader.read(file, report)
    if not report.dropped:
        assert back.sentences == document.sentences
        assert [s.text for s in back.sentences] == [s.text for s in document.sentences]
        assert [[s.text_of(e) for e in s.entities] for s in back.sentences] == [
            [s.text_of(e) for e in s.entities] for s in document.sentences
        ]
