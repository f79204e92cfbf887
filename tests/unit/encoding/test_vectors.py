"""Word vectors from files: every format, what is counted, what is refused; values to the last bit."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.encoding.vectors import WordVectors, first_words, read_vectors
from relsift.errors import DataError

GLOVE = b"the 0.1 -0.2 3\nAda 1e-3 2 3\noslo 4 5 6\n"
WORDS = ("Ada", "Oslo", "nowhere", "the")


def written(folder: Path, content: bytes, name: str = "v.txt") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def rows(vectors: WordVectors, words: tuple[str, ...]) -> dict[str, list[float]]:
    return {words[p]: [round(float(x), 6) for x in v] for p, v in zip(vectors.positions, vectors.values, strict=True)}


BY_HAND = {"Ada": [0.001, 2, 3], "Oslo": [4, 5, 6], "the": [0.1, -0.2, 3]}


def save_array(folder: Path, suffix: str, dtype: Any = np.float32) -> Path:
    np.save(folder / "v.npy", np.array([[0.1, -0.2, 3], [1e-3, 2, 3], [4, 5, 6]], dtype))
    (folder / f"v{suffix}").write_text("the\nAda\noslo\n", encoding="utf-8")
    return folder / "v.npy"


FORMATS = {
    "glove": lambda folder: written(folder, GLOVE),
    "windows line ends": lambda folder: written(folder, GLOVE.replace(b"\n", b"\r\n")),
    "no line end at the end": lambda folder: written(folder, GLOVE.rstrip()),
    "word2vec": lambda folder: written(folder, b"3 3\n" + GLOVE.replace(b"\n", b" \n"), "v.vec"),
    "gz": lambda folder: written(folder, gzip.compress(GLOVE), "v.txt.gz"),
    "npy and txt": lambda folder: save_array(folder, ".txt"),
    "npy and vocab": lambda folder: save_array(folder, ".vocab"),
    "npy in double precision": lambda folder: save_array(folder, ".txt", np.float64),
}


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_vectors_and_the_same_count(kind, tmp_path):
    path = FORMATS[kind](tmp_path)
    vectors = read_vectors(path, WORDS)
    assert rows(vectors, WORDS) == BY_HAND
    assert vectors.values.dtype == np.float32
    report = vectors.report
    assert (report.size, report.words, report.found, report.found_lower, report.missing, report.duplicates) == (3, 4, 2, 1, 1, 0)
    assert (report.file, report.sha256) == (path.name, hashlib.sha256(path.read_bytes()).hexdigest())
    assert report.to_json()["missing"] == 1
    assert report.line() == f"word vectors from {path.name}: 2 of 4 words found, 1 only in lower case, 1 start at random"


def test_a_word_in_its_own_case_comes_before_its_lower_case_form(tmp_path):
    path = written(tmp_path, b"us 1 1\nUS 2 2\n")
    vectors = read_vectors(path, ("US", "us", "Us"))
    assert rows(vectors, ("US", "us", "Us")) == {"US": [2, 2], "us": [1, 1], "Us": [1, 1]}
    assert (vectors.report.found, vectors.report.found_lower) == (2, 1)


def test_of_lines_with_the_same_word_the_first_counts_and_the_others_are_counted(tmp_path):
    path = written(tmp_path, b"Ada 1 1\nother 5 5\nAda 2 2\nother 6 6\nAda 3 3\n")
    vectors = read_vectors(path, ("Ada",))
    assert rows(vectors, ("Ada",)) == {"Ada": [1, 1]}
    assert vectors.report.duplicates == 2
    assert vectors.report.line().endswith("; 2 repeated lines left out")


def test_words_with_spaces_are_read_from_the_right(tmp_path):
    # As in glove.840B, where a few tokens are such.
    path = written(tmp_path, b"the 1 2\n. . . 3 4\nat name@domain.com 5 6\n\xc2\xa0x 7 8\n")
    words = ("the", ". . .", "at name@domain.com", "\xa0x")
    assert rows(read_vectors(path, words), words) == {"the": [1, 2], ". . .": [3, 4], "at name@domain.com": [5, 6], "\xa0x": [7, 8]}


def test_a_file_without_a_wanted_word_gives_no_rows_but_its_size(tmp_path):
    vectors = read_vectors(written(tmp_path, GLOVE), ("x",))
    assert (vectors.values.shape, vectors.positions.shape, vectors.report.size, vectors.report.missing) == ((0, 3), (0,), 3, 1)


BROKEN = {
    "too few numbers": (b"the 1 2 3\nAda 1 2\n", r"v\.txt:2: expected a word and 3 numbers, got 3 fields: 'Ada 1 2'"),
    "too many numbers": (b"the 1 2\nAda 1 2 3\n", r"v\.txt:2: expected a word and 2 numbers, got 4 fields: 'Ada 1 2 3'"),
    "of a word nobody wants": (b"the 1 2\nx 1\n", r"v\.txt:2: expected a word and 2 numbers"),
    "an empty line": (b"the 1 2\n\nAda 1 2\n", r"v\.txt:2: expected a word and 2 numbers, got 0 fields: ''"),
    "no word": (b"the 1 2\n 1 2\n", r"v\.txt:2: expected a word"),
    "two spaces": (b"the 1 2\nAda  1\n", r"v\.txt:2: expected 2 numbers after the word, got ' 1'"),
    "not a number": (b"the 1 2\nAda 1 two\n", r"v\.txt:2: expected 2 numbers after the word, got '1 two'"),
    "nan": (b"the 1 2\nAda 1 nan\n", r"v\.txt:2: expected finite numbers, got '1 nan'"),
    "infinite in single precision": (b"the 1 2\nAda 1 1e99\n", r"v\.txt:2: expected finite numbers"),
    "in the first line": (b"Ada 1 x\n", r"v\.txt:1: expected 2 numbers"),
    "empty": (b"", r"v\.txt:1: expected a word and its numbers"),
    "a word alone": (b"the\n", r"v\.txt:1: expected a word and its numbers"),
    "word2vec cut off": (b"3 2\nthe 1 2\nAda 1 2\n", r"v\.txt:1: expected 3 words as its first line says, got 2; copy"),
    "word2vec too long": (b"1 2\nthe 1 2\nAda 1 2\n", r"v\.txt:1: expected 1 words as its first line says, got 2"),
    "word2vec of another size": (b"1 3\nthe 1 2\n", r"v\.txt:2: expected a word and 3 numbers, got 3 fields"),
    "size zero": (b"3 0\n", r"v\.txt:1: expected a word and its numbers"),
    "binary": (b"2 2\nthe \x00\x01\x02\x03\x04\x05\x06\x07\nAda \x00\x01\x02\x03\x04\x05\x06\x07\n", r"v\.txt:2: expected a word and 2"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_broken_text_is_refused_by_file_and_line(kind, tmp_path):
    content, message = BROKEN[kind]
    with pytest.raises(DataError, match=message):
        read_vectors(written(tmp_path, content), ("Ada",))


@pytest.mark.filterwarnings("error")
def test_a_number_too_large_for_single_precision_warns_nowhere_and_is_refused(tmp_path):
    with pytest.raises(DataError, match="finite"):
        read_vectors(written(tmp_path, b"Ada 1 1e99\n"), ("Ada",))


def test_broken_arrays_are_refused(tmp_path):
    path = save_array(tmp_path, ".txt")
    (tmp_path / "v.txt").write_text("the\nAda\n")
    with pytest.raises(DataError, match=r"v\.txt: expected 3 words, one for each row of v\.npy, got 2"):
        read_vectors(path, WORDS)
    (tmp_path / "v.txt").write_text("the\n\nAda\n")
    with pytest.raises(DataError, match=r"v\.txt:2: expected a word, got an empty line"):
        read_vectors(path, WORDS)
    (tmp_path / "v.txt").unlink()
    with pytest.raises(DataError, match=r"expected its words beside it in v\.txt or v\.vocab"):
        read_vectors(path, WORDS)
    for table in (np.zeros(3, np.float32), np.zeros((3, 2), np.int64), np.array([["a"]], object)):
        np.save(path, table, allow_pickle=True)
        with pytest.raises(DataError, match=r"v\.npy: expected"):
            read_vectors(path, WORDS)
    (tmp_path / "v.txt").write_text("Ada\n")
    np.save(path, np.array([[1, np.nan]], np.float32))
    with pytest.raises(DataError, match=r"v\.npy: row 0: expected finite numbers"):
        read_vectors(path, WORDS)


def test_a_missing_file_a_folder_and_a_broken_gz_are_refused(tmp_path):
    for path, got in ((tmp_path / "none.txt", "nothing"), (tmp_path, "a folder")):
        with pytest.raises(DataError, match=f"expected a file of word vectors, got {got}"):
            read_vectors(path, WORDS)
    whole = gzip.compress(GLOVE * 50)
    for content in (GLOVE, whole[: len(whole) // 2]):
        with pytest.raises(DataError, match=r"v\.txt\.gz: expected a readable file"):
            read_vectors(written(tmp_path, content, "v.txt.gz"), WORDS)


words_of_files = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters=" "), min_size=1, max_size=5)
numbers = st.floats(width=32, allow_nan=False, allow_infinity=False)


@settings(max_examples=60, deadline=None)
@given(data=st.data(), size=st.integers(2, 4), kind=st.sampled_from(["glove", "word2vec", "npy", "gz"]))
def test_what_was_written_is_read_bit_for_bit(data, size, kind, tmp_path_factory):
    table = data.draw(st.dictionaries(words_of_files, st.lists(numbers, min_size=size, max_size=size), min_size=1, max_size=6))
    asked = tuple(data.draw(st.lists(st.sampled_from([*table, "?missing?"]), unique=True)))
    folder = tmp_path_factory.mktemp("vectors")
    text = "".join(f"{word} {' '.join(map(repr, row))}\n" for word, row in table.items())
    match kind:
        case "npy":
            np.save(folder / "v.npy", np.array([*table.values()], np.float32))
            (folder / "v.vocab").write_text("".join(f"{word}\n" for word in table), encoding="utf-8", newline="\n")
            path = folder / "v.npy"
        case "gz":
            path = written(folder, gzip.compress(text.encode()), "v.txt.gz")
        case "word2vec":
            path = written(folder, f"{len(table)} {size}\n{text}".encode())
        case _:
            path = written(folder, text.encode())
    vectors = read_vectors(path, asked)
    exact = {asked[p]: v for p, v in zip(vectors.positions, vectors.values, strict=True)}
    for word in asked:
        if word in table:
            assert exact[word].tobytes() == np.array(table[word], np.float32).tobytes()
    assert vectors.report.found == sum(word in table for word in asked)


def test_a_line_that_a_few_compressed_bytes_stand_for_is_refused_before_it_is_held(tmp_path):
    import gzip

    with gzip.open(tmp_path / "bomb.txt.gz", "wb") as stream:
        stream.write(b"a 1 2\n")
        for _ in range(64):
            stream.write(b"0 " * 2**19)  # 64 MB in one line
    read = 0

    class Counted(gzip.GzipFile):
        def readline(self, size: int | None = -1) -> bytes:  # type: ignore[override]
            nonlocal read
            line = super().readline(size)
            read += len(line)
            return line

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("relsift.encoding.vectors.gzip.open", Counted)
        with pytest.raises(DataError, match=r"bomb\.txt\.gz:2: expected a word and its numbers, got a line of more than 1048576 bytes"):
            read_vectors(tmp_path / "bomb.txt.gz", ["a"])
    assert read < 2**21


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a 1_0 2\n", "expected 2 numbers after the word"),
        (b"5 999999999999\na 1\n", "expected a word and 999999999999 numbers"),
        (b"\x00\x01\n", "expected a word"),
    ],
    ids=range(3),
)
def test_headers_and_numbers_that_no_program_writes_are_refused(content, words, tmp_path):
    (tmp_path / "v.txt").write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_vectors(tmp_path / "v.txt", ["a", "9"])
    assert words in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "shape", ["(1000000000, 1000000000)", "(-1, 3)", f"({2**63}, {2**63})", "(1e9, 3)", "'x'", "(" * 1500, "(4, 3, 2)", "(4,)"]
)
@pytest.mark.parametrize("kind", ["<f4", "|O", "<i8", "<U9", "x", "[('a', '<f4')]"])
def test_arrays_of_other_shapes_and_kinds_are_refused_in_one_line(shape, kind, tmp_path):
    described = kind if kind.startswith("[") else repr(kind)
    header = f"{{'descr': {described}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    (tmp_path / "v.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64)
    (tmp_path / "v.txt").write_text("a\n")
    with pytest.raises(DataError, match=r"v\.npy") as caught:
        read_vectors(tmp_path / "v.npy", ["a"])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("first_line", ["", "4 2\n"])
def test_first_words_are_those_of_the_first_lines(tmp_path, first_line):
    path = tmp_path / "v.txt"
    path.write_bytes(first_line.encode() + "the 1 2\na b 3 4\n中 5 6\n".encode() + b"\xff 7 8\n")
    assert first_words(path, 2) == ["the", "a b"]
    assert first_words(path, 9) == ["the", "a b", "中"]
    np.save(tmp_path / "a.npy", np.zeros((3, 2), np.float32))
    (tmp_path / "a.vocab").write_text("x\ny\nz\n")
    assert first_words(tmp_path / "a.npy", 2) == ["x", "y"]
    with pytest.raises(DataError, match=r"v\.txt:2: expected a word and 2 numbers"):
        path.write_text("the 1 2\n3 4\n")
        first_words(path, 2)
