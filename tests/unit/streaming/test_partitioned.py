"""Prediction in partitions, with workers that are no processes: results, resume, bad records, failures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import toy
from partitioned_work import BROKEN, documents, predict_here, records, save_model, write
from relsift.errors import CheckpointError, ConfigError, DataError, RelsiftError
from relsift.extractor import RelationExtractor
from relsift.files import locked
from relsift.inference import InferenceReport
from relsift.streaming.partition_work import PartitionWorker
from relsift.streaming.predict import predict_file

parquet = pytest.importorskip("pyarrow.parquet")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("partitions")
    save_model(folder / "model")
    write(folder / "in.jsonl", documents(toy.sentences(60), [1, 4, 20, 1, 2] * 5))
    return folder


@pytest.fixture(autouse=True)
def _without_compiling(monkeypatch):
    monkeypatch.setenv("RELSIFT_KERNEL", "torch")


def assert_as_predict(place: Path, source: Path, out: Path, tmp_path: Path) -> None:
    """The lines are those of the plain command; scores to rounding."""
    plain = tmp_path / "plain.jsonl"
    predict_file(RelationExtractor.from_pretrained(place / "model"), str(source), plain, report=InferenceReport(), on_error="skip")
    wanted, got = [json.loads(line) for line in plain.read_text(encoding="utf-8").splitlines()], records(out)
    for one, other in zip(got, wanted, strict=True):
        scores = [[relation.pop("score") for relation in record["relations"]] for record in (one, other)]
        assert one == other
        assert scores[0] == pytest.approx(scores[1], abs=1e-4)


def test_partitions_together_are_what_predict_writes(place, tmp_path):
    result, computed = predict_here(place / "model", place / "in.jsonl", tmp_path / "out")
    assert computed == list(range(len(computed)))
    assert len(computed) > 3
    assert (result.report.sentences, result.report.entities, result.report.num_faults) == (60, 180, 0)
    assert_as_predict(place, place / "in.jsonl", tmp_path / "out", tmp_path)
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["sentences"] == 60


def test_relations_are_columns_with_the_text_of_their_sentence(place, tmp_path):
    predict_here(place / "model", place / "in.jsonl", tmp_path / "out")
    row = parquet.read_table(tmp_path / "out" / "documents" / "part-000000.parquet").to_pylist()[0]
    line = json.loads(row["json"])
    first = row["relations"][0]
    assert (row["document"], row["sentences"], len(row["relations"])) == ("d0", 1, len(line["relations"]))
    head = line["entities"][line["relations"][0]["head"]]
    assert (first["text"].replace(" ", ""), first["relation"]) == ("".join(line["tokens"]), line["relations"][0]["type"])
    assert first["head_text"] == " ".join(line["tokens"][head["start"] : head["end"]])


def test_a_finished_partition_is_never_computed_again(place, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(RelsiftError, match=r"2 that failed: part-000001 \(bytes \d+ to \d+ of .*in.jsonl\): its worker died; part-000003"):
        predict_here(place / "model", place / "in.jsonl", out, broken=(1, 3))
    assert not (out / "summary.json").exists()
    before = {file.name: file.stat().st_mtime_ns for file in (out / "documents").iterdir()}
    result, computed = predict_here(place / "model", place / "in.jsonl", out, resume=True, megabytes=None)
    assert computed == [1, 3]
    assert (result.computed, result.kept, result.report.sentences) == (2, len(before), 60)
    assert {name: (out / "documents" / name).stat().st_mtime_ns for name in before} == before
    assert_as_predict(place, place / "in.jsonl", out, tmp_path)
    assert predict_here(place / "model", place / "in.jsonl", out, resume=True)[1] == []


def test_another_model_input_or_threshold_is_refused_on_resume(place, tmp_path):
    out, source = tmp_path / "out", tmp_path / "in.jsonl"
    source.write_bytes((place / "in.jsonl").read_bytes())
    predict_here(place / "model", source, out)
    other = save_model(tmp_path / "other", seed=1)
    for model, options, name in ((other, {}, "model"), (place / "model", {"threshold": 0.5}, "threshold"),
                                 (place / "model", {"megabytes": 1.0}, "partition bytes")):  # fmt: skip
        with pytest.raises(ConfigError, match=f"--resume: expected the {name} with which"):
            predict_here(model, source, out, resume=True, **options)
    with source.open("a", encoding="utf-8") as stream:
        stream.write("\n")
    with pytest.raises(ConfigError, match="--resume: expected the files with which"):
        predict_here(place / "model", source, out, resume=True)


def test_a_folder_with_results_or_other_things_is_not_written_to(place, tmp_path):
    predict_here(place / "model", place / "in.jsonl", tmp_path / "out")
    with pytest.raises(ConfigError, match="one of an earlier prediction; go on with --resume"):
        predict_here(place / "model", place / "in.jsonl", tmp_path / "out")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"one that holds 'notes.txt'"):
        predict_here(place / "model", place / "in.jsonl", tmp_path / "full")
    with locked(tmp_path / "out" / "lock", busy="taken"), pytest.raises(CheckpointError, match="no other process that predicts here"):
        predict_here(place / "model", place / "in.jsonl", tmp_path / "out", resume=True)


def test_bad_records_go_to_a_table_with_file_line_and_reason(place, tmp_path):
    source, out = tmp_path / "in.jsonl", tmp_path / "out"
    write(source, documents(toy.sentences(20), [2] * 10), (3, BROKEN), (17, '{"id": "x", "tokens": ["a"], "entities": [{"start": 5}]}\n'))
    result, _ = predict_here(place / "model", source, out, megabytes=0.001)
    table = parquet.read_table(out / "bad_records.parquet").to_pylist()
    assert [(row["file"], row["line"]) for row in table] == [(str(source), 4), (str(source), 19)]
    assert table[0]["reason"].startswith("expected one JSON object a line")
    assert result.report.num_faults == 2
    assert any("broken line" in note for note in result.notes)
    assert_as_predict(place, source, out, tmp_path)


def test_an_input_of_bad_records_only_is_an_error_that_names_their_table(place, tmp_path):
    (tmp_path / "in.jsonl").write_text('{"tokens": ["a"], "id": 1, "entities": 7}\n' * 3, encoding="utf-8")
    with pytest.raises(DataError, match=r"got none: broken records only; see .*bad_records.parquet"):
        predict_here(place / "model", tmp_path / "in.jsonl", tmp_path / "out")
    assert parquet.read_table(tmp_path / "out" / "bad_records.parquet").num_rows == 3


def test_columns_of_a_table_that_nobody_reads_are_named(place, tmp_path):
    import pyarrow

    rows = {"tokens": [["Ada", "met", "Bo"]], "entities": [[]], "page": [3], "author": ["Cy"]}
    parquet.write_table(pyarrow.table(rows), tmp_path / "in.parquet")
    result, _ = predict_here(place / "model", tmp_path / "in.parquet", tmp_path / "out")
    [note] = [note for note in result.notes if "columns not read" in note]
    assert "2 columns" in note
    assert "(author, page)" in note


def test_what_only_readers_know_is_read_by_one_process(place, tmp_path):
    source = tmp_path / "data"
    (source / "a").mkdir(parents=True)
    write(source / "a" / "one.jsonl", documents(toy.sentences(10), [5, 5]))
    write(source / "two.jsonl", documents(toy.sentences(4, seed=1), [4]))
    result, computed = predict_here(place / "model", source, tmp_path / "out", megabytes=0.0002)
    assert len(computed) > 1
    assert result.report.sentences == 14
    assert_as_predict(place, source, tmp_path / "out", tmp_path)


def test_text_for_a_model_that_finds_no_entities_is_refused(place, tmp_path):
    (tmp_path / "in.txt").write_text("Ada met Bo.", encoding="utf-8")
    with pytest.raises(ConfigError, match="expected entities, which this model relates and does not find"):
        predict_here(place / "model", tmp_path / "in.txt", tmp_path / "out")


def test_a_worker_with_another_model_is_refused(place, tmp_path):
    from partitioned_work import settings_for
    from relsift.streaming.partition import cut_lines

    first, second = (PartitionWorker(settings_for(folder, place / "in.jsonl", tmp_path / "out"))
                     for folder in (place / "model", save_model(tmp_path / "other", seed=1)))  # fmt: skip
    (partition,) = cut_lines([place / "in.jsonl"], 1 << 20)
    with pytest.raises(CheckpointError, match=r"worker on .*: expected model '\w+' as the first worker has"):
        second.compute(partition, first.begin())


def test_a_broken_file_of_a_partition_is_named(place, tmp_path):
    predict_here(place / "model", place / "in.jsonl", tmp_path / "out")
    file = tmp_path / "out" / "documents" / "part-000001.parquet"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(ConfigError, match=r"part-000001.parquet: expected a finished partition, .*delete it, and it is computed again"):
        predict_here(place / "model", place / "in.jsonl", tmp_path / "out", resume=True)
