"""Data to train and to score on: leaks, parts and sizes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from relsift.corpora.leaks import fingerprints_of, write_fingerprints
from relsift.errors import ConfigError, DataError
from relsift.readers.base import Reader, ReadReport
from relsift.readers.native import READER
from relsift.registry import READERS, table
from relsift.schema import Document
from relsift.training.data import scoring_data, training_data
from relsift.training.run_folder import FINGERPRINTS_FILE


def line(key: str, text: str = "", kind: str = "knows", **more: object) -> str:
    record = {
        "id": key,
        "tokens": (text or f"Ada Bo met {key}").split(),
        "entities": [{"start": 0, "end": 1, "type": "P"}, {"start": 1, "end": 2, "type": "P"}],
        "relations": [{"head": 0, "tail": 1, "type": kind}],
    }
    return json.dumps(record | more) + "\n"


def write(file: Path, *lines: str) -> str:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(lines), encoding="utf-8")
    return str(file)


def few(warnings: list[str]) -> list[str]:
    """Without those about sizes, which all small test data has."""
    return [warning for warning in warnings if ": only " not in warning]


# ---- the same place twice


def test_one_file_for_training_and_development_is_refused_under_any_name(tmp_path: Path):
    file = write(tmp_path / "in/a.jsonl", line("1"), line("2"))
    (tmp_path / "link.jsonl").symlink_to(file)
    (tmp_path / "hard.jsonl").hardlink_to(file)
    write(tmp_path / "copy.jsonl", line("1"), line("2"))
    names = [file, f"native:{file}", *(str(tmp_path / name) for name in ("link.jsonl", "hard.jsonl", "copy.jsonl", "in"))]
    for dev in names:
        with pytest.raises(DataError, match=f"--dev .*expected development data that is not trained on, got what --data {file} reads too"):
            training_data(file, dev)
        with pytest.raises(DataError, match="expected development data that is not trained on"):
            training_data(dev, file)


def test_a_development_part_that_is_the_training_part_again_is_refused(tmp_path: Path):
    write(tmp_path / "a/train.jsonl", line("1"), line("2"))
    write(tmp_path / "a/dev.jsonl", line("1"), line("2"))
    with pytest.raises(DataError, match=r"that is not trained on, got .*dev\.jsonl, which have the same content"):
        training_data(str(tmp_path / "a"))
    (tmp_path / "a/dev.jsonl").unlink()
    (tmp_path / "a/dev.jsonl").symlink_to(tmp_path / "a/train.jsonl")
    with pytest.raises(DataError, match="expected a development part that is not trained on"):
        training_data(str(tmp_path / "a"))


def test_one_corpus_with_parts_is_no_leak_but_its_training_part_is(tmp_path: Path):
    assert len(training_data("gazette-en", "gazette-en").run.development) == 76
    assert len(training_data("gazette-en/train", "gazette-en/dev").run.training) == 352
    for data, dev in (("gazette-en", "gazette-en/train"), ("gazette-en/dev", "gazette-en")):
        with pytest.raises(DataError, match="expected development data that is not trained on"):
            training_data(data, dev)


# ---- the same sentences


def test_sentences_on_both_sides_are_counted_however_they_are_written(tmp_path: Path):
    train = write(tmp_path / "a.jsonl", line("1", "Ada Bo met in a very old inn ."), line("2", "Cy Di left"))
    dev = write(tmp_path / "b.jsonl", line("6", "Cy Di left"), line("7", "ADA Bo met in a very old inn!"), line("8", "Ed Flo ran"))
    assert few(training_data(train, dev).warnings) == [
        "development: 2 sentences stand in training too, so scores may be too good (first: 7 'ADA Bo met in a very old inn!'); "
        "1 of them, shorter than 8 tokens, may be equal by chance; "
        "take them out of one side, or cut the data anew with `relsift split`, which keeps them together"
    ]
    (warning,) = few(training_data(train, write(tmp_path / "c.jsonl", line("7", "Cy Di left"))).warnings)
    assert warning.startswith("development (all of them): 1 sentence stands in training too")
    assert "relsift split" not in warning  # which does not keep such short sentences together


def test_an_id_twice_in_a_part_is_named(tmp_path: Path):
    train = write(tmp_path / "a.jsonl", line("1", "Ada Bo a"), line("1", "Ada Bo b"), line("1", "Ada Bo c"))
    dev = write(tmp_path / "b.jsonl", line("1", "Cy Di a"), line("2", "Cy Di b"))  # ids of another part begin anew in many corpora
    assert few(training_data(train, dev).warnings) == [
        "training: 2 sentences have the id of an earlier one (first: '1'); give each one an id of its own"
    ]


def test_a_model_is_not_scored_on_what_it_was_trained_on_without_a_word(tmp_path: Path):
    train = write(tmp_path / "a.jsonl", line("1"), line("2"))
    run = tmp_path / "run"
    (run / "model").mkdir(parents=True)
    (run / "run.json").write_text("{}", encoding="utf-8")
    write_fingerprints(run / FINGERPRINTS_FILE, fingerprints_of(training_data("gazette-en").run.training))
    assert not few(scoring_data(train, run).warnings)
    write_fingerprints(run / FINGERPRINTS_FILE, fingerprints_of(scoring_data(train).sentences))
    both = write(tmp_path / "b.jsonl", line("x", "Ada Bo met 1"), line("y", "Cy Di met"))
    for folder in (run, run / "model"):
        (warning,) = few(scoring_data(both, folder).warnings)
        assert warning.startswith(f"{both}: 1 sentence stands in the training data of the model too")
    assert not few(scoring_data(both, tmp_path / "unknown").warnings)


# ---- parts


def test_data_with_parts_is_never_scored_on_its_training_part(tmp_path: Path):
    for part in ("train", "valid"):
        write(tmp_path / f"{part}.jsonl", line(part))
    with pytest.raises(DataError, match=r"expected a test part, or data without parts, got the parts train, dev; name one, such as .*/dev"):
        scoring_data(str(tmp_path))
    assert [s.id for s in scoring_data(f"{tmp_path}/dev").sentences] == ["valid"]
    (tmp_path / "train.jsonl").rename(tmp_path / "test.jsonl")
    with pytest.raises(DataError, match="expected data with a training part or without parts, got the parts dev, test"):
        training_data(str(tmp_path))


def test_without_development_data_both_ways_to_get_some_are_named(tmp_path: Path):
    with pytest.raises(DataError, match=r"name one with --dev, or hold out .* --dev-fraction 0\.1 \(`relsift split` writes"):
        training_data(write(tmp_path / "a.jsonl", line("1")))


def test_a_fraction_is_held_out_by_document_and_recorded(tmp_path: Path):
    lines = [line(f"{d}-{n}", f"Ada Bo met {d} {n}", doc_id=str(d)) for d in range(10) for n in range(2)]
    loaded = training_data(write(tmp_path / "a.jsonl", *lines), dev_fraction=0.2)
    run = loaded.run
    assert (len(run.training), len(run.development)) == (16, 4)
    assert not {s.doc_id for s in run.training} & {s.doc_id for s in run.development}
    assert run.options == {"dev_fraction": 0.2}
    assert [s.id for s in training_data(str(tmp_path / "a.jsonl"), dev_fraction=0.2).run.development] == [s.id for s in run.development]
    for fraction in (0.0, 1.0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="--dev-fraction: expected a share"):
            training_data(str(tmp_path / "a.jsonl"), dev_fraction=fraction)
    with pytest.raises(ConfigError, match="--dev-fraction: expected none beside --dev"):
        training_data(str(tmp_path / "a.jsonl"), "gazette-en", dev_fraction=0.1)


# ---- sizes and labels


def test_data_too_small_to_trust_is_named(tmp_path: Path):
    train, dev = write(tmp_path / "a.jsonl", line("1")), write(tmp_path / "b.jsonl", line("2"))
    assert training_data(train, dev).warnings == [
        "development: only 1 relation in 1 annotated sentence, and epoch and threshold are chosen on them; "
        "F1 on fewer than 100 relations changes by several points from chance alone"
    ]
    assert scoring_data(train).warnings[0].startswith(f"{train}: only 1 relation in 1 annotated sentence, and the scores stand on them")
    hundred = write(tmp_path / "c.jsonl", *(line(f"x{n}") for n in range(100)))
    assert not training_data(train, hundred).warnings
    assert not scoring_data(hundred).warnings


def test_labels_for_no_relation_are_named_unless_they_are_taken_out(tmp_path: Path):
    train = write(tmp_path / "a.jsonl", line("1", kind="NA"), line("2"))
    dev = write(tmp_path / "b.jsonl", line("3", kind="NA"))
    assert "--no-relation NA" in few(training_data(train, dev).warnings)[0]
    loaded = training_data(train, dev, no_relation=["NA"])
    assert not few(loaded.warnings)
    assert [len(s.relations or ()) for s in (*loaded.run.training, *loaded.run.development)] == [0, 1, 0]
    assert loaded.run.options == {"no_relation": ["NA"]}
    assert "--no-relation NA" in few(scoring_data(dev).warnings)[0]
    assert scoring_data(dev, no_relation=["NA"]).sentences[0].relations == ()


# ---- what readers lose


def losing(path: Path, report: ReadReport, **options: str) -> Iterator[Document]:
    for document in READER.read(path, report, **options):
        if document.id == "2":
            report.lose_relation("relations across sentences", str(path), "rare")
            report.lose_relation("relations across sentences", str(path), "knows")
        yield document


def test_lost_relations_are_known_by_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(READERS, "losing", "invented_reader:READER")
    table.cache_clear()
    reader = Reader(name="losing", summary="x", read=losing, recognises=lambda path: False, samples={})
    monkeypatch.setattr("relsift.corpora.data.find", partial(_found, reader))
    try:
        data = scoring_data(f"losing:{write(tmp_path / 'a.jsonl', line('1'), line('2'), line('3'))}")
        without = scoring_data(f"losing:{tmp_path / 'a.jsonl'}", no_relation=["rare"])
    finally:
        table.cache_clear()
    assert [dict(lost) for lost in data.losses] == [{}, {"rare": 1, "knows": 1}, {}]
    assert data.lost_relations == {"rare": 1, "knows": 1}
    assert without.lost_relations == {"knows": 1}


def _found(reader: Reader, kind: str, name: str) -> object:
    return reader if name == "losing" else READER


def test_a_development_part_that_a_held_out_share_replaces_is_named():
    unused = "gazette-en: its own development part is not used, since --dev-fraction holds out a share of the training part"
    assert unused in training_data("gazette-en", dev_fraction=0.2).warnings
    assert unused not in training_data("gazette-en").warnings
