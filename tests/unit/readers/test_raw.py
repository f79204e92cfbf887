"""Raw text: files and columns of any size become sentences whose offsets count in the whole text."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from raw_texts import TEXTS, TEXTS_OF_FILES, assert_covers
from relsift.corpora.data import recognise, resolve
from relsift.errors import DataError
from relsift.readers import raw
from relsift.readers.base import ReadReport
from relsift.readers.native import read_lines
from relsift.readers.raw import documents_of, split_by_rules, text_chunks
from relsift.readers.table import READER as TABLE
from relsift.readers.text import READER as TEXT
from relsift.schema import Document, Sentence, sentences_of
from relsift.writers.native import lines


def read(path: Path, report: ReadReport | None = None, **options: str) -> list[Document]:
    return list(TEXT.read(path, report or ReadReport(), **options))


def write(folder: Path, **files: bytes | str) -> Path:
    for name, content in files.items():
        file = folder / name.replace("__", "/").replace("_", ".")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def chunks(text: str, size: int) -> Iterable[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


def contents(documents: Iterable[Document]) -> list[Sentence]:
    return list(sentences_of(documents))


# ---- texts of any length


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "PIECE", 120)
    monkeypatch.setattr(raw, "_UNSURE", 30)


LONG = st.lists(TEXTS, min_size=10, max_size=40).map(" It rained. ".join)


@settings(max_examples=60, deadline=None)
@given(text=LONG, size=st.sampled_from([1, 7, 50]))
def test_a_long_text_is_cut_into_the_sentences_that_it_has_as_a_whole(text: str, size: int):
    with pytest.MonkeyPatch.context() as patch:
        whole = contents(documents_of("d", [text], split_by_rules, ReadReport(), "x"))
        patch.setattr(raw, "PIECE", 120)
        documents = list(documents_of("d", chunks(text, size), split_by_rules, ReadReport(), "x"))
    assert_covers(text, contents(documents))
    assert [(s.id, s.tokens, s.offsets, s.original) for s in contents(documents)] == [
        (s.id, s.tokens, s.offsets, s.original) for s in whole
    ]
    assert {document.id for document in documents} == {"d"}
    assert all(document.text is None for document in documents) == (len(documents) > 1)


@pytest.mark.usefixtures("small_pieces")
def test_pieces_of_a_long_text_read_back_as_one_document():
    text = "".join(f"Ada met Bo {number}.\n" + "\n" * (number % 7 == 0) for number in range(60))
    documents = list(documents_of("d", chunks(text, 40), split_by_rules, ReadReport(), "x"))
    assert len(documents) > 3
    written = [line for document in documents for line in lines(document)]
    (again,) = read_lines(enumerate(written, start=1), "x.jsonl", ReadReport())
    assert again.text is not None and again.text.split() == text.split()
    assert [(s.tokens, s.offsets) for s in again.sentences] == [(s.tokens, s.offsets) for s in contents(documents)]


@pytest.mark.usefixtures("small_pieces")
def test_memory_holds_few_pieces_however_long_the_text_is():
    most = 0

    def split(text: str) -> list[Sentence]:
        nonlocal most
        most = max(most, len(text))
        return split_by_rules(text)

    for text in ("Ada met Bo. " * 3000, "Ada met Bo.\n" * 3000, "Ada met Bo.\n\n" * 3000, "word " * 7000, "张" * 30_000):
        assert sum(len(d.sentences) for d in documents_of("d", chunks(text, 64), split, ReadReport(), "x")) >= 7
    assert most < 10_000


def test_a_sentence_without_end_is_cut_after_marks_and_counted():
    text = ("word " * 300 + ", ") * 10  # 3010 tokens
    report = ReadReport()
    sentences = contents(documents_of("d", [text], split_by_rules, report, "x"))
    assert_covers(text, sentences)
    assert [len(sentence.tokens) for sentence in sentences] == [903, 903, 903, 301]  # each comma is token 301 of its part
    assert report.dropped == {"cuts inside sentences of more than 1000 tokens": 3}


def test_a_line_of_five_megabytes_without_a_full_stop_works():
    text = "word and other words " * 250_000
    report, num_tokens = ReadReport(), 0
    for document in documents_of("d", chunks(text, 1 << 16), split_by_rules, report, "x"):
        num_tokens += sum(len(sentence.tokens) for sentence in document.sentences)
        assert all(len(sentence.tokens) <= raw.LONGEST_SENTENCE for sentence in document.sentences)
    assert num_tokens == 1_000_000
    assert report.dropped["cuts inside sentences of more than 1000 tokens"] == 999


def test_a_word_of_megabytes_is_one_clear_error():
    with pytest.raises(DataError, match="x: expected words of fewer than 1048576 characters, got a longer one at character 0: 'aaa"):
        list(documents_of("d", chunks("a" * 3_000_000, 1 << 16), split_by_rules, ReadReport(), "x"))


@pytest.mark.usefixtures("small_pieces")
@pytest.mark.parametrize("text", ["", " ", "\n" * 1000])
def test_blank_text_is_one_document_without_sentences_and_counted(text: str):
    report = ReadReport()
    (document,) = documents_of("d", chunks(text, 50), split_by_rules, report, "x")
    assert (document.id, document.sentences) == ("d", ())
    assert report.dropped == {raw.EMPTY_TEXTS: 1}


# ---- bytes


@given(
    text=TEXTS_OF_FILES, size=st.integers(1, 5), encoding=st.sampled_from(["utf-8", "utf-16", "utf-16-le", "gb18030"]), mark=st.booleans()
)
def test_bytes_that_come_in_chunks_are_decoded_as_a_whole(text: str, size: int, encoding: str, mark: bool):
    stream = io.BytesIO(b"\xef\xbb\xbf" * (mark and encoding == "utf-8") + text.encode(encoding))
    assert "".join(text_chunks(iter(partial(stream.read, size), b""), "x", encoding)) == text


@pytest.mark.parametrize(
    ("data", "encoding", "message"),
    [
        (b"a\nb\xff", "utf-8", r"x:2: expected UTF-8 text, got byte 0xff; "),
        (b"a\n\xe5\xbc", "utf-8", r"x:2: expected UTF-8 text, got byte 0xe5"),
        (b"a\n\xed\xa0\x80b", "utf-8", r"x:2: expected UTF-8 text, got byte 0xed"),  # half a character
        (b"a\n\nb\x00", "utf-8", r"x:3: expected text, got the character U\+0000"),
        ("张三去北京了".encode("gb18030"), "utf-8", r"it looks like GB18030 .*FORMAT\[encoding=gb18030\]"),
        ("a\n".encode("utf-16"), "utf-8", r"x:1: .*UTF-16: name it with FORMAT\[encoding=utf-16\]"),
        (b"\xef\xbb\xbfa", "cp1252", r"x:1: expected CP1252 text, got the byte-order mark of UTF-8"),
        (b"a\n+2AA-", "utf-7", r"x:\d: expected "),
    ],
)
def test_what_is_no_text_is_refused_with_its_line(data: bytes, encoding: str, message: str):
    for size in (1, 100) if message.startswith(("x:2", "x:3")) else (100,):  # other faults are told by a beginning that comes at once
        stream = io.BytesIO(data)
        with pytest.raises(DataError, match=message):
            list(text_chunks(iter(partial(stream.read, size), b""), "x", encoding))


# ---- files and folders of text


@settings(max_examples=60, deadline=None)
@given(text=TEXTS_OF_FILES)
def test_offsets_of_a_file_count_in_the_file_and_survive_writing(text: str, tmp_path_factory: pytest.TempPathFactory):
    file = tmp_path_factory.getbasetemp() / "any.txt"
    file.write_bytes(text.encode())
    if not text.strip():
        with pytest.raises(DataError, match=r"any\.txt: expected text, annotated or not, got none: (an empty file|a file of blanks only)"):
            read(file)
        return
    (document,) = read(file)
    assert document.text == text and document.id == "any.txt"
    assert_covers(text, document.sentences)
    (again,) = read_lines(enumerate(lines(document), start=1), "x", ReadReport())
    assert [(s.id, s.tokens, s.offsets, s.original) for s in again.sentences] == [
        (s.id, s.tokens, s.offsets, s.original) for s in document.sentences
    ]


def test_a_folder_gives_relative_paths_as_ids_and_keeps_empty_files(tmp_path: Path):
    write(tmp_path, a_txt="Ada left.", sub__b_TXT="Bo came.", empty_txt="", _hidden_txt="no", c_md="no")
    report = ReadReport()
    documents = read(tmp_path, report)
    assert [(d.id, [s.id for s in d.sentences]) for d in documents] == [
        ("a.txt", ["a.txt-0"]), ("empty.txt", []), ("sub/b.TXT", ["sub/b.TXT-0"]),
    ]  # fmt: skip
    assert report.dropped == {raw.EMPTY_TEXTS: 1}
    assert all(sentence.relations is None for sentence in sentences_of(documents))


def test_windows_line_ends_keep_their_place_in_offsets(tmp_path: Path):
    (document,) = read(write(tmp_path, a_txt=b"Ada left.\r\nBo came.\r\n") / "a.txt")
    assert [s.offsets[0][0] for s in document.sentences if s.offsets] == [0, 11]


def test_the_same_name_five_times_has_five_places(tmp_path: Path):
    (document,) = read(write(tmp_path, a_txt="Ada met Ada. Ada and Ada saw Ada.") / "a.txt")
    places = [span for s in document.sentences for token, span in zip(s.tokens, s.offsets or ()) if token == "Ada"]
    assert places == [(0, 3), (8, 11), (13, 16), (21, 24), (29, 32)]


def test_under_skip_a_file_that_is_no_text_is_left_out_and_the_others_are_read(tmp_path: Path):
    write(tmp_path, a_txt=b"\xff\xfe\xfd", b_txt="Bo came.", c_txt=b"a\x00")
    report = ReadReport(on_error="skip")
    assert [document.id for document in read(tmp_path, report)] == ["b.txt"]
    assert report.dropped["broken files"] == 2
    with pytest.raises(DataError, match=r"a\.txt:1"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"a_txt": "Ada left."}, "text"),
        ({"sub__a_txt": "Ada left."}, "text"),
        ({"train_txt": "Ada left.", "test_txt": "Bo came.", "more_txt": "x"}, "text"),
        ({"a_csv": "text\nAda\n"}, "table"),
        ({"a_tsv": "text\tid\nAda\t1\n"}, "table"),
        ({"a_txt": "Ada left.", "a_ann": "T1\tPER 0 3\tAda\n"}, "brat"),
        ({"README_txt": "Read me.", "a_jsonl": '{"id": "1", "tokens": ["a"], "entities": []}\n'}, "native"),
        ({"s_txt": '1\t"The <e1>a</e1> <e2>b</e2>."\nOther\n\n', "README_txt": "Read me."}, "semeval2010"),
    ],
)
def test_raw_text_is_what_no_format_with_annotation_recognises(files: dict[str, str], name: str, tmp_path: Path):
    assert recognise(write(tmp_path, **files)).name == name


@pytest.mark.parametrize("files", [{"a_txt": "Ada", "a_ann": "x"}, {"a_md": "Ada"}])
def test_other_folders_are_not_taken_for_raw_text(files: dict[str, str], tmp_path: Path):
    with pytest.raises(DataError, match="expected a file or folder in a known format"):
        recognise(write(tmp_path, **files))


def test_inputs_without_text_are_refused_in_the_same_words(tmp_path: Path):
    (tmp_path / "none").mkdir()
    os.mkfifo(tmp_path / "pipe")
    blank = write(tmp_path / "blank", a_txt="", b_txt=" \n")
    for place, got in (
        (tmp_path / "none", "a folder without files"), (blank, "a folder of empty files only"), (tmp_path / "pipe", "a pipe or a device"),
    ):  # fmt: skip
        with pytest.raises(DataError, match=rf"{place}: expected text, annotated or not, got none: {got}"):
            recognise(place)
    with pytest.raises(DataError, match=r"expected text, annotated or not, got none: a folder of empty files only"):
        list(resolve(f"text:{blank}").documents())
    (blank / "c.txt").write_text("Ada left.", encoding="utf-8")
    assert [document.id for document in resolve(f"text:{blank}").documents()] == ["a.txt", "b.txt", "c.txt"]


def test_a_folder_of_raw_text_has_no_parts(tmp_path: Path):
    data = resolve(str(write(tmp_path, train_txt="Ada left.", test_txt="Bo came.", more_txt="Rain.")))
    assert (data.splits, data.raw, data.has_split) == ((), "text", True)
    assert [document.id for document in data.documents()] == ["more.txt", "test.txt", "train.txt"]


def test_a_splitter_is_used_for_raw_text_and_for_native_lines_without_annotation(tmp_path: Path):
    def split(text: str) -> list[Sentence]:
        return raw.tokenised(text, [(0, len(text))])

    write(tmp_path, a_txt="Ada left. Bo came.", b_csv="text\nAda left. Bo came.\n")
    entity = '"entities": [{"start": 0, "end": 3, "type": "PER"}]'
    write(tmp_path, c_jsonl='{"text": "Ada left. Bo came."}\n', d_jsonl=f'{{"text": "Ada left. Bo came.", {entity}}}\n')
    for name, count in (("a.txt", 1), ("b.csv", 1), ("c.jsonl", 1), ("d.jsonl", 2)):
        assert len(contents(resolve(str(tmp_path / name), split=split).documents())) == count, name
        assert len(contents(resolve(str(tmp_path / name)).documents())) == 2, name


# ---- tables


def rows(path: Path, report: ReadReport | None = None, **options: str) -> list[tuple[str, str | None]]:
    return [(document.id, document.text) for document in TABLE.read(path, report or ReadReport(), **options)]


@pytest.mark.parametrize(
    ("name", "content", "options"),
    [
        ("a.csv", 'id,text\n1,"Ada, Bo"\n2,"x\ny"\n', {}),
        ("a.csv", '\ufeffid,text\r\n1,"Ada, Bo"\r\n\r\n2,"x\ny"\r\n', {}),
        ("a.tsv", 'text\tid\nAda, Bo\t1\n"x\ny"\t2\n', {}),
        ("a.csv", 'key;body;text\n1;Ada, Bo;no\n2;"x\ny";no\n', {"separator": "semicolon", "text": "body", "id": "key"}),
    ],
)
def test_a_table_gives_one_document_a_row(name: str, content: str, options: dict[str, str], tmp_path: Path):
    (tmp_path / name).write_bytes(content.encode())
    assert rows(tmp_path / name, **options) == [("1", "Ada, Bo"), ("2", "x\ny")]


def test_rows_without_ids_are_named_by_file_and_number_and_ids_that_repeat_are_counted(tmp_path: Path):
    write(tmp_path, a_csv="text\nAda\nBo\n", b_csv="id,text\nx,Ada\nx,Bo\n,Cy\n")
    report = ReadReport()
    assert [key for key, _ in rows(tmp_path, report)] == ["a-1", "a-2", "x", "x", "b-3"]
    assert report.dropped == {"rows with an id that an earlier row has (kept)": 1, "rows without an id, named by their number": 1}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"a\.csv:1: expected a column 'text', got none"),
        ("text\n", r"a\.csv: expected rows below the names of the columns, got none"),
        ("body,id\nAda,1\n", r"a\.csv:1: expected a column 'text', got 'body', 'id'; name the column with table\[text=NAME\]:path"),
        ("text;id\nAda;1\n", r"a\.csv:1: expected a column 'text', got 'text;id'; .*table\[separator=NAME\]:path"),
        ("text,text\nAda,1\n", r"a\.csv:1: expected a column 'text', got 2 of that name"),
        ("id,text\n1,Ada\n2\n", r"a\.csv:3: expected 2 fields, as there are columns, got 1"),
        ('text\n"Ada"x\n', r"a\.csv:2: expected fields between separators, quoted or not, got "),
        ('text\n"Ada\n', r"a\.csv:2: expected fields between separators, quoted or not, got "),
        ("text\nAda\n\x00\n", r"a\.csv:3: expected text, got the character U\+0000"),
        (b"text\nAda\n\xff\n", r"a\.csv:3: expected UTF-8 text, got byte 0xff"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(content: str | bytes, message: str, tmp_path: Path):
    with pytest.raises(DataError, match=message):
        rows(write(tmp_path, a_csv=content) / "a.csv")


def test_under_skip_a_broken_row_is_left_out(tmp_path: Path):
    report = ReadReport(on_error="skip")
    assert rows(write(tmp_path, a_csv="id,text\n1,Ada\n2\n3,Bo\n") / "a.csv", report) == [("1", "Ada"), ("3", "Bo")]
    assert report.dropped == {"broken rows": 1}


def test_a_field_of_any_length_is_read(tmp_path: Path):
    import csv

    limit = csv.field_size_limit()
    ((_, text),) = rows(write(tmp_path, a_csv="text\n" + "Ada left. " * 20_000) / "a.csv")
    assert text is not None and len(text) == 200_000
    assert csv.field_size_limit() == limit


def test_parquet_is_read_batch_by_batch(tmp_path: Path):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    texts = [f"Ada left {number}. 他走了。" for number in range(600)]
    parquet.write_table(pyarrow.table({"text": texts, "id": list(range(600)), "more": texts}), tmp_path / "a.parquet")
    assert recognise(tmp_path / "a.parquet") is TABLE
    assert rows(tmp_path / "a.parquet") == [(str(number), text) for number, text in enumerate(texts)]
    parquet.write_table(pyarrow.table({"text": [1, 2]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet: row 1: expected a text, got 1"):
        rows(tmp_path / "a.parquet")
    parquet.write_table(pyarrow.table({"body": ["x"]}), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"a\.parquet: expected a column 'text', got 'body'"):
        rows(tmp_path / "a.parquet")
    (tmp_path / "a.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(DataError, match=r"a\.parquet: expected a Parquet file, got "):
        rows(tmp_path / "a.parquet")
