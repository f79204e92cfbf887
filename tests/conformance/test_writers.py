"""What every registered writer does: it takes any valid document, one at a time, writes all or nothing, and counts what it cannot hold."""

from __future__ import annotations

import copy
import re
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.errors import ConfigError, DataError, OutputError
from relsift.omissions import Omissions
from relsift.readers.base import ReadReport
from relsift.registry import READERS, WRITERS, find
from relsift.schema import Document, Entity, Relation, RelationAcross, RelationOfConcepts, Sentence, Syntax, sentences_of
from relsift.writers.base import Writer, write_documents
from relsift.writers.content import CONTENT
from strategies import related_across, related_concepts

NEEDS = {
    "parquet": "pyarrow", "store": "pyarrow", "turtle": "rdflib", "jsonld": "rdflib", "graphml": "networkx", "gexf": "networkx",
    "spacy": "spacy",
}  # fmt: skip
WRITER: list[Writer] = [find("writer", name) for name in WRITERS]


def parameter(writer: Writer) -> object:
    missing = writer.name in NEEDS and find_spec(NEEDS[writer.name]) is None
    return pytest.param(writer, id=writer.name, marks=pytest.mark.skipif(missing, reason=f"without {NEEDS.get(writer.name)}"))


each = pytest.mark.parametrize("writer", [parameter(writer) for writer in WRITER])
read_back = pytest.mark.parametrize("name", [name for name in WRITERS if name in READERS])

ENTITIES = (Entity(0, 1, "PER", "Poet", score=1.5), Entity(2, 3, "ORG"))
TOKENS = ("Ada", "<runs>", "云图公司")
TREE = Syntax((1, -1, 1), ("a", "b", "c"), ("N", "V", "N"))
DOCUMENTS = (
    Document(
        "one",
        (
            Sentence("a", TOKENS, ENTITIES, (Relation(0, 1, "runs", 0.5, 0.6),), "one", tagged=()),
            Sentence("b", TOKENS, ENTITIES, (), "one", syntax=TREE),
        ),
        across=(RelationAcross((0, 1), (1, 0), "knows"),),
    ),
    Document("two", (Sentence("two", TOKENS, ENTITIES, None, "two"),)),
    Document(
        "z",
        (
            Sentence(
                "z", TOKENS, (Entity(0, 1, "PER", concepts=("D1",)), Entity(2, 3, "ORG", concepts=("D2",))),
                (Relation(0, 1, "runs"),), "z",
            ),
        ),
        concept_relations=(RelationOfConcepts("D1", "D2", "runs", (0,)),),
    ),
)  # fmt: skip


def written(writer: Writer, target: Path, *some_documents: Document) -> Omissions:
    left_out = Omissions()
    write_documents(writer, iter(some_documents), target, left_out)
    return left_out


def content(target: Path) -> dict[str, bytes]:
    """The files of a result."""
    files = [target] if target.is_file() else [path for path in target.rglob("*") if path.is_file()]
    return {path.relative_to(target).as_posix(): path.read_bytes() for path in files}


@each
def test_writes_annotated_and_other_sentences_from_a_generator(writer: Writer, tmp_path: Path):
    target = tmp_path / f"new/out{writer.suffix}"
    written(writer, target, *DOCUMENTS)
    assert target.is_dir() == writer.is_folder
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    if writer.is_text:
        text = b"".join(content(target).values()).decode()
        assert "云图公司" in text  # as text, not as escapes
        assert text.endswith("\n") or writer.name in ("graphml", "gexf")
        assert "\r" not in text


@each
def test_the_same_documents_give_the_same_files_and_are_not_changed(writer: Writer, tmp_path: Path):
    before = copy.deepcopy(DOCUMENTS)
    for name in ("a", "b"):
        written(writer, tmp_path / f"{name}{writer.suffix}", *DOCUMENTS)
    assert content(tmp_path / f"a{writer.suffix}") == content(tmp_path / f"b{writer.suffix}")
    assert before == DOCUMENTS


@each
def test_no_documents_are_no_error(writer: Writer, tmp_path: Path):
    assert not written(writer, tmp_path / f"out{writer.suffix}").dropped


@each
@settings(max_examples=8)
@given(any_documents=st.lists(related_across() | related_concepts(), max_size=2))
def test_any_valid_document_can_be_written(writer: Writer, any_documents: list[Document], tmp_path_factory: pytest.TempPathFactory):
    target = tmp_path_factory.mktemp("any") / f"out{writer.suffix}"
    written(writer, target, *any_documents)
    assert content(target)


@each
def test_an_error_while_writing_leaves_what_was_there(writer: Writer, tmp_path: Path):
    target = tmp_path / f"out{writer.suffix}"
    if writer.is_folder:
        target.mkdir()
    else:
        target.write_text("old", encoding="utf-8")

    def broken() -> Iterator[Document]:
        yield from DOCUMENTS
        raise DataError("the input is broken")

    with pytest.raises(DataError, match="the input is broken"):
        write_documents(writer, broken(), target, Omissions())
    assert content(target) == ({} if writer.is_folder else {".": b"old"})
    assert [path.name for path in tmp_path.iterdir()] == [target.name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="without /dev/full")
@pytest.mark.parametrize("writer", [parameter(writer) for writer in WRITER if not writer.is_folder])
def test_a_full_disk_is_named(writer: Writer):
    with pytest.raises(OutputError, match=r"^/dev/full: expected to write on, got "):
        written(writer, Path("/dev/full"), *DOCUMENTS)


@each
def test_what_is_somebody_elses_is_never_written_over(writer: Writer, tmp_path: Path):
    target = tmp_path / f"out{writer.suffix}"
    target.mkdir()
    (target / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match=re.escape(str(target))):
        written(writer, target, *DOCUMENTS)
    assert content(target) == {"mine.txt": b"mine"}


@each
def test_what_a_format_does_not_keep_is_counted_and_nothing_else(writer: Writer, tmp_path: Path):
    left_out = written(writer, tmp_path / f"out{writer.suffix}", *DOCUMENTS)
    # one relation with score and probability, one across sentences, four sentences, two in the first document; three of eight entities are
    # in no relation; one relation of two concepts, shown by one sentence
    counts = {
        "plain_documents": 1, "sentences": 1, "tokens": 4, "plain_sentences": 1, "unrelated": 3, "unannotated": 1, "subtypes": 3,
        "entity_scores": 3, "scores": 1, "probabilities": 1, "across": 1, "concepts": 2, "concept_relations": 1, "evidence": 1, "tags": 1,
        "trees": 1,
    }  # fmt: skip
    assert counts.keys() == CONTENT.keys()
    assert dict(left_out.dropped) == {CONTENT[name].missing: count for name, count in counts.items() if name not in writer.keeps}


@each
def test_a_document_without_sentences_is_written_or_counted(writer: Writer, tmp_path: Path):
    with_one = written(writer, tmp_path / f"one{writer.suffix}", Document("nothing", ()))
    written(writer, tmp_path / f"none{writer.suffix}")
    is_written = content(tmp_path / f"one{writer.suffix}") != content(tmp_path / f"none{writer.suffix}")
    assert is_written == (not with_one.dropped)


@each
def test_describes_itself_in_one_line_and_takes_its_options_alone(writer: Writer):
    assert writer.suffix.startswith(".") or writer.is_folder
    assert writer.summary
    assert "\n" not in writer.summary
    assert writer.keeps <= CONTENT.keys()
    for name, values in writer.options.items():
        for value in values:
            writer.with_options(f"{name}={value}")
        with pytest.raises(ConfigError, match=f"expected {name} to be {values[0]}"):
            writer.with_options(f"{name}=nothing")
    with pytest.raises(ConfigError, match=f"{writer.name}\\[colour=red\\]: expected option=value"):
        writer.with_options("colour=red")


@settings(max_examples=30)
@given(document=related_across() | related_concepts())
@pytest.mark.parametrize("writer", [writer for writer in WRITER if writer.lines is not None], ids=lambda writer: writer.name)
def test_lines_are_the_whole_file_and_begin_as_they_would_without_relations(
    writer: Writer, document: Document, tmp_path_factory: pytest.TempPathFactory
):
    assert writer.lines is not None
    lines = list(writer.lines(document))
    file = tmp_path_factory.getbasetemp() / f"lines{writer.suffix}"
    written(writer, file, document)
    assert file.read_bytes().decode() == "".join(f"{line}\n" for line in lines)
    assert len(lines) == len(document.sentences)
    assert not any("\n" in line for line in lines)
    bare = Document(document.id, tuple(sentence.with_relations(None) for sentence in document.sentences), document.text)
    assert all(line.startswith(without[:-1]) for line, without in zip(lines, writer.lines(bare), strict=True))


def test_names_are_those_of_the_registry():
    assert [writer.name for writer in WRITER] == list(WRITERS)


@pytest.mark.parametrize("name", sorted(NEEDS))
def test_a_package_that_is_missing_is_named_with_its_extra(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for module in (NEEDS[name], "spacy.tokens"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigError, match=rf"(?i)^{name}: expected {NEEDS[name]}.*pip install 'relsift\[\w+\]'$"):
        written(find("writer", name), tmp_path / "out", *DOCUMENTS)


def annotation(group: list[Document]) -> list[tuple[object, ...]]:
    """What the words of a text say, wherever its tokens and sentences end."""
    return [
        (
            "".join(s.text.split()),
            [("".join(s.text_of(e).split()), e.type) for e in s.entities],
            [(r.head, r.tail, r.type) for r in s.relations or ()],
        )
        for s in sentences_of(group)
    ]


@read_back
def test_what_a_format_writes_it_recognises_and_reads_back(name: str, tmp_path: Path):
    pytest.importorskip(NEEDS.get(name, "relsift"))
    writer, reader = find("writer", name), find("reader", name)
    writer = writer.with_options("results=annotations") if "results" in writer.options else writer
    target = tmp_path / f"out{writer.suffix}"
    written(writer, target, *DOCUMENTS)
    assert reader.recognises(target)
    back = list(reader.read(target, ReadReport()))
    assert annotation(back) == annotation(list(DOCUMENTS))


def test_the_page_of_formats_says_what_each_format_keeps():
    page = (Path(__file__).parents[2] / "docs/formats.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` ((?:\| [✓–] ){16})\|$", page, re.MULTILINE)
    marks_of = {name: marks.split()[1::2] for name, marks in rows}
    kept = {name: {part for part, mark in zip(CONTENT, marks, strict=True) if mark == "✓"} for name, marks in marks_of.items()}
    assert kept == {writer.name: set(writer.keeps) for writer in WRITER}
