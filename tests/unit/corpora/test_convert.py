"""Data written in another format."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_corpus import SENTENCES, write_raw

from relsift.corpora.convert import convert, with_ids, writer_for
from relsift.corpora.data import resolve
from relsift.errors import ConfigError, DataError
from relsift.omissions import Omissions
from relsift.readers.base import ReadReport
from relsift.registry import READERS, WRITERS, find
from relsift.schema import Document, RelationAcross, Sentence, sentences_of
from relsift.writers import html, native


def test_a_file_becomes_a_file(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    target = tmp_path / "new/notes.jsonl"
    report = ReadReport()
    assert convert(resolve(str(raw / "held")), target, native.WRITER, report) == [target]
    before = list(sentences_of(resolve(str(raw / "held")).documents()))
    after = list(sentences_of(resolve(str(target)).documents()))
    assert after == before
    assert report.dropped == {"normalisations": 1}
    assert [child.name for child in target.parent.iterdir()] == ["notes.jsonl"]


def notes_across(folder: Path) -> Path:
    """One text of two sentences with a relation across them, and one with a relation within."""
    folder.mkdir()
    (folder / "a.txt").write_text("Ada left. Bo met Cy.", encoding="utf-8")
    entities = "T0\tPER 0 3\tAda\nT1\tPER 10 12\tBo\nT2\tPER 17 19\tCy\n"
    (folder / "a.ann").write_text(f"{entities}R1\tknows Arg1:T0 Arg2:T2\nR2\tmet Arg1:T1 Arg2:T2\n", encoding="utf-8")
    return folder


def test_a_format_that_holds_relations_across_sentences_loses_none(tmp_path: Path):
    source, target, report, left_out = notes_across(tmp_path / "notes"), tmp_path / "a.jsonl", ReadReport(), Omissions()
    convert(resolve(str(source)), target, native.WRITER, report, left_out=left_out)
    assert not report.dropped and not report.lost_relations and not left_out.dropped
    (document,) = resolve(str(target)).documents()
    assert document.across == (RelationAcross((0, 0), (1, 1), "knows"),)


def test_a_format_without_a_place_for_relations_across_sentences_counts_them(tmp_path: Path):
    source, report, left_out = notes_across(tmp_path / "notes"), ReadReport(), Omissions()
    convert(resolve(str(source)), tmp_path / "a.json", find("writer", "displacy"), report, left_out=left_out)
    assert (report.dropped["relations across sentences"], report.lost_relations) == (1, {"knows": 1})
    assert "relations across sentences" not in left_out.dropped  # counted once


def test_parts_become_files_of_a_folder(tmp_path: Path):
    files = convert(resolve("gazette-zh"), tmp_path / "zh", native.WRITER, ReadReport())
    assert [file.name for file in files] == ["train.jsonl", "dev.jsonl", "test.jsonl"]
    assert resolve(str(tmp_path / "zh")).splits == ("train", "dev", "test")
    before, after = (list(sentences_of(resolve(name).documents("dev"))) for name in ("gazette-zh", str(tmp_path / "zh")))
    assert after == before


def test_parts_are_not_mixed_in_one_file(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"expected a folder for data with parts .* such as gazette-en/train"):
        convert(resolve("gazette-en"), tmp_path / "all.jsonl", native.WRITER, ReadReport())
    assert not list(tmp_path.iterdir())


def test_broken_data_leaves_no_half_written_file(tmp_path: Path):
    source, target = tmp_path / "source.jsonl", tmp_path / "target.jsonl"
    source.write_text(SENTENCES + "{", encoding="utf-8")
    target.write_text("kept", encoding="utf-8")
    with pytest.raises(DataError):
        convert(resolve(str(source)), target, native.WRITER, ReadReport())
    assert target.read_text(encoding="utf-8") == "kept"
    assert sorted(child.name for child in tmp_path.iterdir()) == ["source.jsonl", "target.jsonl"]


@pytest.mark.parametrize("name", ["native", "brat"])
def test_of_data_with_one_broken_part_no_part_is_written_and_the_same_command_then_works(name: str, tmp_path: Path):
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    (source / "train.jsonl").write_text(SENTENCES, encoding="utf-8")
    (source / "dev.jsonl").write_text(SENTENCES + "{", encoding="utf-8")
    with pytest.raises(DataError):
        convert(resolve(str(source)), target, find("writer", name), ReadReport())
    assert [child.name for child in tmp_path.iterdir()] == ["source"]
    (source / "dev.jsonl").write_text(SENTENCES, encoding="utf-8")
    convert(resolve(str(source)), target, find("writer", name), ReadReport())
    assert {child.name.partition(".")[0] for child in target.iterdir()} == {"train", "dev"}


def test_the_format_is_told_by_the_name(tmp_path: Path):
    assert writer_for(tmp_path / "x.jsonl", None) is native.WRITER
    assert writer_for(tmp_path / "x.html", None) is html.WRITER
    assert writer_for(tmp_path / "folder", None) is native.WRITER
    assert writer_for(tmp_path / "x.page", "html") is html.WRITER
    assert writer_for(tmp_path / "x.csv", "csv[formulas=kept]").name == "csv"
    with pytest.raises(ConfigError, match=r"csv\[formulas=maybe\]: expected formulas to be escaped or kept, got 'maybe'"):
        writer_for(tmp_path / "x.csv", "csv[formulas=maybe]")
    with pytest.raises(ConfigError, match=r"expected a name that ends with one of \.jsonl \(native\), .* got '\.zip'"):
        writer_for(tmp_path / "x.zip", None)
    with pytest.raises(ConfigError, match=r"or --to NAME, got '\.zip'"):
        writer_for(tmp_path / "x.zip", None, "--to")
    with pytest.raises(ConfigError, match=r"^--to: expected one of .*, got 'labelstudio'; did you mean label_studio\?"):
        writer_for(tmp_path / "x", "labelstudio", "--to")
    with pytest.raises(ConfigError, match=r"brat:x: expected a path alone, .* write x and --to brat"):
        writer_for(Path("brat:x"), None, "--to")
    with pytest.raises(ConfigError, match="did you mean native"):
        writer_for(tmp_path / "x.jsonl", "nativ")


@pytest.mark.parametrize("name", READERS)
def test_every_format_becomes_lines_that_are_read_back_as_they_are(name: str, tmp_path: Path):
    folder = tmp_path / "raw"
    for file, text in find("reader", name).samples.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    data = resolve(f"{name}:{folder}")
    files = convert(data, tmp_path / "out", native.WRITER, ReadReport())
    assert all(file.stat().st_size for file in files) and len(files) == len(data.splits or (None,))
    before = list(sentences_of(data.documents()))
    report = ReadReport()
    after = list(sentences_of(resolve(f"native:{tmp_path}/out").documents(None, report)))
    assert after == before
    assert not report.dropped


@pytest.mark.parametrize("name", WRITERS)
def test_parts_stay_parts_in_every_format(name: str, tmp_path: Path):
    writer = find("writer", name)
    if writer.name in ("parquet", "store", "turtle", "jsonld", "graphml", "gexf", "spacy"):
        packages = {"parquet": "pyarrow", "store": "pyarrow", "turtle": "rdflib", "jsonld": "rdflib", "spacy": "spacy"}
        pytest.importorskip(packages.get(name, "networkx"))
    writer = writer.with_options("results=annotations" if "results" in writer.options else None)
    source = tmp_path / "source"
    source.mkdir()
    for part in ("train", "test"):
        (source / f"{part}.jsonl").write_text(SENTENCES, encoding="utf-8")
    left_out = Omissions()
    places = convert(resolve(str(source)), tmp_path / "out", writer, ReadReport(), left_out=left_out)
    assert [place.relative_to(tmp_path / "out").as_posix() for place in places] == [f"train{writer.suffix}", f"test{writer.suffix}"]
    if name in READERS:
        back = resolve(str(tmp_path / "out"))
        assert back.splits == ("train", "test")
        words = ["".join(s.tokens) for s in sentences_of(resolve(str(source)).documents("test"))]
        assert ["".join(s.tokens) for s in sentences_of(back.documents("test"))] == words


def test_a_file_in_the_place_of_a_folder_and_a_folder_with_files_are_refused_before_anything_is_written(tmp_path: Path):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    (tmp_path / "full/test").mkdir(parents=True)
    (tmp_path / "full/test/mine").write_text("mine", encoding="utf-8")
    with pytest.raises(DataError, match="expected a folder, for the files of the format brat, got a file"):
        convert(resolve("gazette-en/dev"), tmp_path / "file", find("writer", "brat"), ReadReport())
    with pytest.raises(DataError, match=r"full/test: expected a new or empty folder for the format brat, got one with files"):
        convert(resolve("gazette-en"), tmp_path / "full", find("writer", "brat"), ReadReport())
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "full", "mine", "test"]


def test_what_the_format_cannot_hold_is_counted(tmp_path: Path):
    left_out = Omissions()
    convert(resolve("gazette-en/dev"), tmp_path / "a.csv", find("writer", "csv"), ReadReport(), left_out=left_out)
    sentences = list(sentences_of(resolve("gazette-en/dev").documents()))
    assert left_out.dropped["sentences without a relation, left out"] == sum(not sentence.relations for sentence in sentences)


def test_records_without_an_id_get_one_and_are_counted(tmp_path: Path):
    file = tmp_path / "a.json"
    file.write_text('[{"tokens": ["a"], "entities": [], "relations": [], "orig_id": ""}]', encoding="utf-8")
    report = ReadReport()
    try:
        convert(resolve(f"spert:{file}"), tmp_path / "a.jsonl", native.WRITER, report)
    except DataError:
        return  # the reader refuses it: nothing is written
    assert [s.id for s in sentences_of(resolve(str(tmp_path / "a.jsonl")).documents())] != [""]
    assert not (tmp_path / "a.jsonl").read_text(encoding="utf-8").startswith('{"id": ""')


def test_empty_ids_are_made_up_from_positions_and_counted():
    nameless = Document("", (Sentence("", ("a",), (), (), ""), Sentence("x", ("b",), (), (), "")))
    documents = [nameless, Document("d", (Sentence("s", ("c",), (), (), "d"),))]
    report = ReadReport()
    result = list(with_ids(documents, report))
    assert [(d.id, [(s.id, s.doc_id) for s in d.sentences]) for d in result] == [
        ("document-1", [("document-1-0", "document-1"), ("x", "document-1")]), ("d", [("s", "d")]),
    ]  # fmt: skip
    assert report.dropped == {"documents with empty ids (kept, with made-up ones)": 1}


def test_nothing_that_is_read_is_written_over(tmp_path: Path):
    source = tmp_path / "in"
    source.mkdir()
    (source / "train.jsonl").write_text(SENTENCES, encoding="utf-8")
    (tmp_path / "link").symlink_to(source)
    (tmp_path / "hard.jsonl").hardlink_to(source / "train.jsonl")
    for data, target in (
        ("in/train.jsonl", "in/train.jsonl"), ("in", "in"), ("in", "link"), ("in", "in/new"), ("link/train", "in/x"),
        ("in/train.jsonl", "hard.jsonl"), ("in/train.jsonl", "link/train.jsonl"),
    ):  # fmt: skip
        with pytest.raises(ConfigError, match=r"expected a place (that is not read|outside the input)"):
            convert(resolve(str(tmp_path / data)), tmp_path / target, native.WRITER, ReadReport())
    assert (source / "train.jsonl").read_text(encoding="utf-8") == SENTENCES
    assert [path.name for path in source.iterdir()] == ["train.jsonl"]


def test_pages_written_beside_the_parts_leave_the_parts_as_they_are(tmp_path: Path):
    convert(resolve("gazette-zh"), tmp_path / "zh", native.WRITER, ReadReport())
    convert(resolve(str(tmp_path / "zh/test.jsonl")), tmp_path / "zh/test.html", html.WRITER, ReadReport())
    assert resolve(str(tmp_path / "zh")).splits == ("train", "dev", "test")


def test_a_minus_is_no_target(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text('{"text": "Ada left.", "entities": [], "relations": []}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match=r"expected the name of a file or folder, got '-'"):
        convert(resolve("a.jsonl"), Path("-"), writer_for(Path("-"), "csv"), ReadReport())
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
