"""Training, development and test parts, told by names."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from relsift.corpora.data import resolve
from relsift.corpora.parts import find_parts
from relsift.errors import DataError
from relsift.readers.base import ReadReport


def line(key: str) -> str:
    return json.dumps({"id": key, "tokens": ["Ada", "met", "Bo"], "entities": [{"start": 0, "end": 1, "type": "P"}], "relations": []})


def write(folder: Path, *names: str) -> Path:
    """One native sentence in each file; its id is the file's name."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(line(name) + "\n", encoding="utf-8")
    return folder


def read(folder: Path | str, split: str | None = None) -> tuple[list[str], dict[str, list[str]]]:
    """Ids of the sentences, and reason -> names of files that were left out."""
    report = ReadReport()
    ids = [sentence.id for document in resolve(str(folder)).documents(split, report) for sentence in document.sentences]
    return ids, {reason: [Path(place).name for place in places] for reason, places in report.examples.items()}


@pytest.mark.parametrize(
    ("train", "dev", "test"),
    [
        ("train.jsonl", "valid.jsonl", "test.jsonl"),
        ("train.jsonl", "val.jsonl", "test.jsonl"),
        ("TRAIN.jsonl", "Validation.jsonl", "Test.jsonl"),
        ("Train.JSONL", "DEV.jsonl", "Test.JsonL"),
        ("trainset.jsonl", "devset.jsonl", "testset.jsonl"),
        ("x_traindata.jsonl", "x_validdata.jsonl", "x_testdata.jsonl"),
        ("training.jsonl", "development.jsonl", "testing.jsonl"),
        ("ace_train.jsonl", "ace_dev.jsonl", "ace_test.jsonl"),
        ("train-v2.jsonl", "dev-v2.jsonl", "test-v2.jsonl"),
        ("my_train_gold.jsonl", "my_devel_gold.jsonl", "my_test_gold.jsonl"),
        ("train1.jsonl", "dev1.jsonl", "test1.jsonl"),
        ("trainData.jsonl", "devData.jsonl", "testData.jsonl"),
        ("train.jsonl", "eval.jsonl", "test.jsonl"),
        ("train.jsonl", "dev.jsonl", "eval.jsonl"),
        ("Train/a.jsonl", "Dev/a.jsonl", "Test/a.jsonl"),
        ("Training/a.jsonl", "valid.jsonl", "TEST/b.jsonl"),
    ],
)
def test_the_usual_names_are_parts(tmp_path: Path, train: str, dev: str, test: str):
    write(tmp_path, train, dev, test)
    assert resolve(str(tmp_path)).splits == ("train", "dev", "test")
    for split, name in (("train", train), ("dev", dev), ("test", test)):
        assert read(tmp_path, split) == ([name], {})
        assert read(f"{tmp_path}/{split}") == ([name], {})


def test_what_lies_beside_the_parts_is_named_and_not_read(tmp_path: Path):
    write(tmp_path, "c_train.jsonl", "c_dev.jsonl", "c_test.jsonl", "c_train_dev.jsonl", "more.jsonl")
    (tmp_path / "c_types.json").write_text('{"entities": {}}', encoding="utf-8")
    ids, left_out = read(tmp_path)
    assert ids == ["c_train.jsonl", "c_dev.jsonl", "c_test.jsonl"]
    assert left_out == {
        "data files beside the parts, not read": ["c_train_dev.jsonl", "more.jsonl"],
        "other files beside the parts, not read": ["c_types.json"],
    }
    assert read(tmp_path, "test")[1] == left_out


def test_a_page_beside_a_part_changes_nothing(tmp_path: Path):
    write(tmp_path, "train.jsonl", "test.jsonl")
    (tmp_path / "test.html").write_text("<html>", encoding="utf-8")
    assert resolve(str(tmp_path)).splits == ("train", "test")
    assert read(tmp_path, "test") == (["test.jsonl"], {"other files beside the parts, not read": ["test.html"]})


@pytest.mark.parametrize("hidden", ["._train.jsonl", ".train.jsonl", "__MACOSX/train.jsonl", ".ipynb_checkpoints/train.jsonl"])
def test_hidden_files_are_no_parts_and_not_named(tmp_path: Path, hidden: str):
    write(tmp_path, "train.jsonl", "dev.jsonl", hidden)
    assert read(tmp_path) == (["train.jsonl", "dev.jsonl"], {})


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train.jsonl", "valid.jsonl", "dev.jsonl"], "expected one dev part, got dev.jsonl, valid.jsonl"),
        (["train.jsonl", "train/a.jsonl", "dev.jsonl"], "expected one train part, got train, train.jsonl"),
        (["a_train.jsonl", "a_dev.jsonl", "b_train.jsonl", "b_dev.jsonl"], "expected one set of parts, got several: a_dev.jsonl"),
        (["train1.jsonl", "a_train.jsonl", "dev-2.jsonl", "test-x.jsonl"], "expected names that tell training, development and test part"),
        (["task_training_TRAIN_FILE.jsonl", "task_testing_keys_TEST_FILE.jsonl"], "expected names that tell training, development and"),
        (["train-0-of-2.jsonl", "train-1-of-2.jsonl", "test-0-of-1.jsonl"], "expected names that tell training, development and test part"),
    ],
)
def test_names_that_do_not_decide_are_refused(tmp_path: Path, names: list[str], message: str):
    write(tmp_path, *names)
    with pytest.raises(DataError) as raised:
        resolve(str(tmp_path))
    assert message in str(raised.value)


def test_documents_that_happen_to_be_called_so_are_no_parts(tmp_path: Path):
    """Of a folder with a file a document, two names with such words decide nothing."""
    write(tmp_path, "train_robbery.jsonl", "test_flight.jsonl", "harbour.jsonl")
    assert read(tmp_path)[0] == ["harbour.jsonl", "test_flight.jsonl", "train_robbery.jsonl"]
    assert find_parts(tmp_path, lambda path: True).paths == {}


def test_a_part_that_cannot_be_read_is_an_error_and_no_absent_part(tmp_path: Path):
    write(tmp_path, "train.jsonl", "test.jsonl")
    (tmp_path / "dev.jsonl").write_text("", encoding="utf-8")
    with pytest.raises(DataError, match=r"dev\.jsonl: expected text, annotated or not, got none: an empty file"):
        resolve(str(tmp_path))


def test_a_part_of_a_folder_can_be_named_in_any_format(tmp_path: Path):
    write(tmp_path, "train.jsonl", "valid.jsonl")
    assert read(f"native:{tmp_path}/dev")[0] == ["valid.jsonl"]
    assert read(f"{tmp_path}/valid")[0] == ["valid.jsonl"]
    with pytest.raises(DataError, match="expected a part of train, dev, got 'test'"):
        resolve(f"{tmp_path}/test")


def test_a_path_and_a_corpus_of_one_name_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path / "home"))
    write(tmp_path / "gazette-en", "train.jsonl", "dev.jsonl")
    write(tmp_path / "conll04", "train.jsonl", "dev.jsonl")
    for spec in ("gazette-en", "gazette-en/dev"):
        with pytest.raises(DataError) as raised:
            resolve(spec)
        assert f"write corpus:{spec} for the corpus, or ./{spec} for the path" in str(raised.value)
        assert resolve(f"corpus:{spec}").language == "en"
    assert read("./gazette-en", "dev")[0] == ["dev.jsonl"]
    assert read("conll04", "dev")[0] == ["dev.jsonl"]  # there is no such corpus to confuse it with
    assert read("conll04/dev")[0] == ["dev.jsonl"]
    with pytest.raises(DataError, match="corpus:gazette-en/x: expected a part of train, dev, test, got 'x'"):
        resolve("corpus:gazette-en/x")


def test_of_two_sets_in_two_formats_the_named_format_takes_its_own(tmp_path: Path):
    """As in the raw folder of CoNLL04."""
    write(tmp_path, "a_train.jsonl", "a_dev.jsonl")
    for part in ("train", "dev"):
        (tmp_path / f"b_{part}.txt").write_text("#doc 1\n", encoding="utf-8")
    assert read(f"native:{tmp_path}") == (
        ["a_train.jsonl", "a_dev.jsonl"], {"other files beside the parts, not read": ["b_dev.txt", "b_train.txt"]},
    )  # fmt: skip


def test_files_of_a_folder_that_its_reader_does_not_read_are_named(tmp_path: Path):
    write(tmp_path, "one.jsonl", "more/two.jsonl", ".hidden/three.txt")
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Bo left.", encoding="utf-8")
    (tmp_path / "b.ann").write_text("T1\tPER 0 2\tBo\n", encoding="utf-8")
    ids, left_out = read(f"native:{tmp_path}")
    assert sorted(ids) == ["more/two.jsonl", "one.jsonl"]
    assert left_out == {
        "data files in another format, not read": ["b.ann"],
        "files of a folder with another ending": ["README.md", "b.txt"],
    }
    write(tmp_path / "parts", "train/a.jsonl", "test/b.jsonl", "train/page.html")
    assert read(tmp_path / "parts")[1] == {"files of a folder with another ending": ["page.html"]}


def test_lists_of_file_names_are_no_parts_of_the_documents_beside_them(tmp_path: Path):
    for name in ("ner-train-names.txt", "ner-dev-names.txt", "ner-test-names.txt", "event-train-names.txt", "event-dev-names.txt"):
        (tmp_path / name).write_text("one\n")
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "one.txt").write_text("Ada met Bo.")
    (tmp_path / "data" / "one.ann").write_text("T1\tPerson 0 3\tAda\nT2\tPerson 8 10\tBo\nR1\tMet Arg1:T1 Arg2:T2\n")
    data = resolve(f"brat:{tmp_path}")
    (document,) = data.documents(None, ReadReport())
    assert (list(data.splits), len(document.sentences[0].entities)) == ([], 2)


def test_plain_names_of_another_format_do_not_hide_the_parts_of_the_named_one(tmp_path: Path):
    for part in ("train", "dev"):
        (tmp_path / f"{part}.PubTator").write_text("1|t|Ada left.\n1|a|\n", encoding="utf-8")
        write(tmp_path, f"{part}.native.jsonl")
    data = resolve(f"native:{tmp_path}")
    assert data.splits == ("train", "dev")
    assert [document.id for document in data.documents("dev")] == ["dev.native.jsonl"]
    write(tmp_path, "dev_native.jsonl")
    with pytest.raises(DataError, match=r"expected one dev part, got dev\.native\.jsonl, dev_native\.jsonl"):
        resolve(f"native:{tmp_path}")
