"""What DATA on the command line means."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from small_corpus import SENTENCES, small_corpus, write_raw

from relsift.corpora.data import Data, recognise, resolve
from relsift.corpora.prepare import prepare
from relsift.errors import ConfigError, DataError
from relsift.home import home
from relsift.readers.base import ReadReport
from relsift.registry import CORPORA, READERS, table


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The small corpus under a name, prepared in a home folder of its own; returns its folder."""
    raw = write_raw(tmp_path / "raw")
    corpus = small_corpus(raw)
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path / "home"))
    monkeypatch.setitem(CORPORA, "small", "small_corpus:SMALL")
    monkeypatch.setattr("small_corpus.SMALL", corpus, raising=False)
    table.cache_clear()
    yield prepare(corpus, source=raw, home=home())
    table.cache_clear()


def ids(data: Data, split: str | None = None) -> list[str]:
    return [document.id for document in data.documents(split, ReadReport())]


def test_a_prepared_corpus_has_its_parts(small: Path):
    data = resolve("small")
    assert (data.name, data.splits, data.language, data.direction) == ("small", ("train", "dev", "test"), "en", "directed")
    assert ids(data, "train") == ["s0", "s1", "s2", "s3"]
    assert ids(data) == ["s0", "s1", "s2", "s3", "s4", "one"]
    assert ids(data) == ids(data), "data can be read again"
    assert data.dropped == {"normalisations": 1, "documents without entities": 1}
    with pytest.raises(DataError, match="small: expected a part of train, dev, test, got 'valid'"):
        data.documents("valid", ReadReport())


def test_one_part_of_a_corpus_is_data_without_parts(small: Path):
    data = resolve("small/dev")
    assert (data.name, data.splits, data.direction) == ("small/dev", (), "directed")
    assert ids(data) == ["s4"]
    with pytest.raises(DataError, match=r"small/dev: expected a part of none \(this data has no parts\), got 'dev'"):
        data.documents("dev", ReadReport())
    with pytest.raises(DataError, match="small/tset: expected a part of train, dev, test, got 'tset'"):
        resolve("small/tset")
    with pytest.raises(DataError, match="small:dev: expected a slash between a corpus and its part, got a colon; write small/dev"):
        resolve("small:dev")


def test_the_home_folder_is_looked_up_when_asked(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(DataError, match=r"expected a prepared corpus in .*elsewhere.*run `relsift corpora prepare small`"):
        resolve("small")
    monkeypatch.delenv("RELSIFT_HOME")
    assert home() == Path("~/.cache/relsift").expanduser()


def test_a_changed_file_is_refused(small: Path):
    before = resolve("small").sha256()
    assert before == resolve("small").sha256()
    (small / "dev.jsonl").write_text(SENTENCES, encoding="utf-8")
    with pytest.raises(DataError, match=r"dev\.jsonl: expected sha256 .* as in corpus\.json, got .*`relsift corpora prepare small`"):
        resolve("small")


DAMAGED = (
    "",
    "[]",
    "{}",
    '{"format": 1}',
    '{"format": 99, "splits": {}, "dropped": {}}',
    '{"format": 1, "splits": {"train": {}}, "dropped": {}}',
)


@pytest.mark.parametrize("text", DAMAGED)
def test_a_damaged_description_is_refused(small: Path, text: str):
    (small / "corpus.json").write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=r"corpus\.json: .*expected .*run `relsift corpora prepare small` again"):
        resolve("small")


def test_a_path_is_recognised(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    assert recognise(raw / "sentences.jsonl").name == "native"
    assert recognise(raw / "held").name == "brat"
    data = resolve(str(raw / "held"))
    assert (data.splits, data.direction, data.language) == ((), None, None)
    assert ids(data) == ["one", "two"]


def test_a_format_can_be_named_with_options(tmp_path: Path):
    raw = write_raw(tmp_path / "raw")
    words = list(resolve(f"brat:{raw / 'held'}").documents(None, ReadReport()))
    letters = list(resolve(f"brat[unit=characters, lines=wrapped]:{raw / 'held'}").documents(None, ReadReport()))
    assert (len(words[0].sentences[0].tokens), len(letters[0].sentences[0].tokens)) == (4, 11)


def test_an_option_may_take_any_value(tmp_path: Path):
    (tmp_path / "a.txt").write_text("See zit. Berg there. No. 5 left.", encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\tX 9 13\tBerg\n", encoding="utf-8")

    def num_sentences(options: str) -> int:
        return sum(len(document.sentences) for document in resolve(f"brat{options}:{tmp_path}").documents())

    assert (num_sentences(""), num_sentences("[abbreviations=zit.]"), num_sentences("[abbreviations=zit+-no]")) == (3, 2, 3)


def test_unknown_formats_options_and_values_are_refused_with_what_there_is(tmp_path: Path):
    with pytest.raises(ConfigError, match="got 'brot'; did you mean brat"):
        resolve(f"brot:{tmp_path}")
    with pytest.raises(ConfigError, match=r"expected option=value with an option of unit, .* got 'size=1'"):
        resolve(f"brat[size=1]:{tmp_path}")
    with pytest.raises(ConfigError, match="expected unit to be auto or characters, got 'words'"):
        resolve(f"brat[unit=words]:{tmp_path}")
    with pytest.raises(ConfigError, match=r"multihead.*expected option=value with an option of encoding, got 'a=b'"):
        resolve(f"multihead[a=b]:{tmp_path}")
    with pytest.raises(DataError, match="expected a file or a folder, got a path that does not exist"):
        resolve(f"brat:{tmp_path}/nowhere")


def test_a_file_that_may_be_text_is_refused_with_what_to_do(tmp_path: Path):
    (tmp_path / "notes.md").write_text("hello", encoding="utf-8")
    (tmp_path / "rows.jsonl").write_text('{"tekst": "Ada left.", "label": 1}\n', encoding="utf-8")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.md").write_text("hello", encoding="utf-8")
    for name, advice in (
        ("notes.md", r"to read it as raw text write text:.*notes\.md"),
        ("rows.jsonl", r"needs the key \"text\" or \"tokens\", and its first one has keys label, tekst; did you mean 'text' by 'tekst'\?"),
        ("sub", r"raw text is read from files that end with \.txt: rename them, or name one as text:.*a\.md"),
    ):
        with pytest.raises(DataError, match=advice):
            resolve(str(tmp_path / name))
    assert resolve(f"text:{tmp_path / 'notes.md'}").raw == "text"


def test_a_path_no_reader_or_several_recognise_is_refused_with_the_formats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    unknown, empty = tmp_path / "notes.xyz", tmp_path / "empty.jsonl"
    unknown.write_text("hello", encoding="utf-8")
    empty.touch()
    with pytest.raises(DataError, match=r"one that no format recognises; write FORMAT:.* with one of ace2005, .* spert"):
        resolve(str(unknown))
    with pytest.raises(DataError, match="got none: an empty file"):
        resolve(str(empty))
    monkeypatch.setitem(READERS, "twin", READERS["native"])
    table.cache_clear()
    (tmp_path / "s.jsonl").write_text(SENTENCES, encoding="utf-8")
    with pytest.raises(DataError, match="one that native and twin could both be"):
        resolve(str(tmp_path / "s.jsonl"))
    monkeypatch.undo()
    table.cache_clear()


@pytest.mark.parametrize("spec", ["nowhere", "gazete-en", "gazete-en/test", "a" * 5000, "", " ", "gazette-en/x/y"])
def test_what_is_nothing_is_refused_in_one_line(spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(write_raw(tmp_path / "raw") / "held")  # no name is not the working folder
    with pytest.raises(DataError, match="expected") as raised:
        resolve(spec)
    assert "\n" not in str(raised.value)
    assert ("did you mean gazette-en?" in str(raised.value)) == spec.startswith("gazete")


def test_a_folder_of_train_dev_and_test_files_has_parts(tmp_path: Path):
    lines = SENTENCES.splitlines(keepends=True)
    for split, part in (("train", lines[:3]), ("dev", lines[3:4]), ("test", lines[4:])):
        (tmp_path / f"{split}.jsonl").write_text("".join(part), encoding="utf-8")
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    data = resolve(str(tmp_path))
    assert data.splits == ("train", "dev", "test")
    assert ids(data, "test") == ["s4"]
    (tmp_path / "train.jsonl").unlink()
    assert resolve(f"native:{tmp_path}").splits == ("dev", "test")
    (tmp_path / "dev.jsonl").unlink()
    assert resolve(f"native:{tmp_path}").splits == ()


def test_texts_with_their_annotation_are_parts_like_other_files(tmp_path: Path):
    for name, text in (
        ("train.txt", "Bo left."),
        ("train.ann", "T1\tPER 0 2\tBo\n"),
        ("test.txt", "It rained."),
        ("test.ann", ""),
    ):
        (tmp_path / name).write_text(text, encoding="utf-8")
    report = ReadReport()
    data = resolve(str(tmp_path))
    assert data.splits == ("train", "test")
    assert [document.id for document in data.documents("train", report)] == ["train"]
    assert not report.dropped  # the texts are read


def test_checksums_follow_the_content(tmp_path: Path):
    file = tmp_path / "s.jsonl"
    file.write_text(SENTENCES, encoding="utf-8")
    before = resolve(str(file)).sha256()
    file.write_text(SENTENCES + "\n", encoding="utf-8")
    assert resolve(str(file)).sha256() != before


def test_the_shipped_corpus_needs_no_preparing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path))
    data = resolve("gazette-zh")
    assert data.splits == ("train", "dev", "test")
    assert len(ids(data)) == sum(len(ids(data, split)) for split in data.splits)
    assert len(data.sha256()) == 64
    assert not list(tmp_path.iterdir())
