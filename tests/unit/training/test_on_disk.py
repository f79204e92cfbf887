"""Training on sentences in a file: the same model, bit for bit, the same messages, and a clear refusal of what needs them in memory."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relsift.config import RunConfig
from relsift.corpora.leaks import fingerprint, fingerprints_of, repeated_ids
from relsift.errors import ConfigError, OutputError
from relsift.registry import find
from relsift.schema import Entity, Relation, Sentence
from relsift.training.data import LoadedData, training_data
from relsift.training.loop import TrainingResult, train
from relsift.training.negatives import with_drawn_negatives
from relsift.training.processes import digest_of
from relsift.training.record_file import RecordFile
from relsift.training.run import RunData, with_tokens_of_text
from relsift.training.sentence_file import SentenceFile
from relsift.training.training_set import make_training_set
from strategies import documents
from strategies import sentences as any_sentences
from toy import long_sentence, run_config, same_tensors, sentences

MORE = replace(sentences(1, seed=3)[0], id="two relations", relations=(Relation(0, 1, "works_for"), Relation(0, 1, "lives_in")))
TRAINING = [*sentences(20, seed=1), MORE, replace(long_sentence(9, 5), relations=None), long_sentence(12, 6, seed=1)]
DEVELOPMENT = sentences(8, seed=2)


def config_of(sections: dict[str, dict[str, Any]]) -> RunConfig:
    values = run_config(epochs=2).model_dump()
    kept = {name: {} if "name" in own else values[name] for name, own in sections.items()}  # options of one model do not fit another
    return RunConfig.model_validate(values | {name: kept[name] | own for name, own in sections.items()})


def tiny(name: str) -> dict[str, Any]:
    return {"name": name, "preset": None, **find("model", name).Config.tiny().to_dict()}


def facts(result: TrainingResult) -> tuple[Any, ...]:
    """All that a training tells, but its seconds."""
    history = [{**record, "seconds": 0} for record in result.state.history]
    return history, result.bundle.decision, result.candidates, result.notes, result.bundle.encoding.to_json()


def assert_same(one: TrainingResult, other: TrainingResult) -> None:
    assert same_tensors(one.bundle.model.state_dict(), other.bundle.model.state_dict())
    assert facts(one) == facts(other)


# ---- the same model


@pytest.mark.parametrize(
    "sections",
    [
        {},
        {"candidates": {"type_filter": False, "negatives": 0.7}, "encoding": {"tags": "pair", "min_count": 2}},
        {"candidates": {"type_filter": False}, "encoding": {"tags": "word"}, "training": {"negatives": 0.5, "average": True}},
        {"model": tiny("joint_birnn")},
        {"model": {"classification": "class_balanced"}, "candidates": {"direction": "undirected", "max_distance": 4}},
    ],
    ids=["plain", "sampled negatives, tags by pair", "drawn negatives", "joint model", "losses that count labels"],
)
def test_a_model_of_sentences_in_a_file_has_the_same_bytes_as_one_of_sentences_in_memory(sections, tmp_path):
    config = config_of(sections)
    filed = SentenceFile.of(iter(TRAINING), tmp_path)
    assert_same(train(config, filed, DEVELOPMENT), train(config, TRAINING, DEVELOPMENT))
    assert list(tmp_path.iterdir()) == []  # the files have no names


def test_a_transformer_reads_the_same_pieces_from_a_file(toy_encoder, tmp_path):
    model = {**tiny("packed_markers"), "encoder": "huggingface"}
    config = config_of({"model": model, "encoding": {"encoder": str(toy_encoder)}, "training": {"unknown_rate": 0.0}})
    assert_same(train(config, SentenceFile.of(TRAINING, tmp_path), DEVELOPMENT), train(config, TRAINING, DEVELOPMENT))


def test_sentences_in_a_file_get_the_tokens_of_their_text_in_another_file(tmp_path):
    config = config_of({"text": {"tokens": "text"}})
    group = [Sentence("one", ("Ada", "met", "Bo,", "and", "left."), (Entity(0, 1, "PER"), Entity(2, 3, "PER")), ())]
    filed, held = (
        with_tokens_of_text(config, RunData("toy", part, [], {})).training for part in (SentenceFile.of(group, tmp_path), group)
    )
    assert isinstance(filed, SentenceFile)
    assert list(filed) == list(held)
    assert filed[0].tokens == ("Ada", "met", "Bo", ",", "and", "left", ".")


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("begun_on_disk", [True, False])
def test_interrupted_within_an_epoch_it_goes_on_from_the_file_to_the_same_bytes(begun_on_disk, tmp_path):
    config = run_config(epochs=3, word_dropout=0.1, save_minutes=1e-9)
    filed = SentenceFile.of(TRAINING, tmp_path)
    epoch = 0

    def interrupt(done: int, _: int) -> None:
        nonlocal epoch
        epoch += done == 1
        if epoch == 2 and done == 3:
            raise Interrupted

    state = tmp_path / "state"
    with pytest.raises(Interrupted):
        train(config, filed if begun_on_disk else TRAINING, DEVELOPMENT, state_folder=state, on_batch=interrupt)
    assert [file.name for file in state.glob("*.safetensors")] == ["epoch-1-batch-2.safetensors"]
    resumed = train(config, filed, DEVELOPMENT, state_folder=state, resume=True)
    assert_same(resumed, train(config, TRAINING, DEVELOPMENT))


@settings(max_examples=20, deadline=None)
@given(st.lists(any_sentences(annotated=True), min_size=1, max_size=4), st.sampled_from([0.0, 0.5, 1.0, 3.0]), st.integers(0, 3))
def test_groups_in_a_file_equal_those_in_memory_also_with_fewer_pairs(group: list[Sentence], ratio: float, seed: int):
    group = [*group, MORE]  # there is a relation to learn
    config = config_of({"candidates": {"type_filter": False}, "encoding": {"tags": "pair"}})
    with tempfile.TemporaryDirectory() as folder:
        filed, held = (make_training_set(config, sentences) for sentences in (SentenceFile.of(group, Path(folder)), group))
    assert list(filed.works()) == held.works()
    assert digest_of(torch.nn.Identity(), filed) == digest_of(torch.nn.Identity(), held)  # processes compare it
    drawn = [with_drawn_negatives(each, ratio, seed)[0] for each in (filed, held)]
    for one, other in ((filed, held), drawn):
        assert [as_lists(group) for group in one.groups] == [as_lists(group) for group in other.groups]
        assert list(one.works()) == other.works()
    assert (list(filed.sentence_of), filed.rare_words, filed.report, filed.notes) == (
        list(held.sentence_of), held.rare_words, held.report, held.notes,
    )  # fmt: skip


def as_lists(group: Sequence[Any]) -> list[Any]:
    """With the tags that are made anew each time written out."""
    return [replace(example, tags=list(example.tags)) for example in group]


# ---- the file


def cut(file: int) -> None:
    os.ftruncate(file, 9)


def alter(file: int) -> None:
    os.pwrite(file, b"x", 13)


def fail(file: int) -> None:
    """Every read is an error of the system, as of a disk that is no longer there."""
    folder = os.open("/", os.O_RDONLY)
    os.dup2(folder, file)
    os.close(folder)


@settings(max_examples=25, deadline=None)
@given(st.lists(documents(), max_size=3))
def test_sentences_come_back_from_a_file_as_they_were(group):
    whole = [sentence for document in group for sentence in document.sentences]
    with tempfile.TemporaryDirectory() as folder:
        filed = SentenceFile.of(whole, Path(folder))
    assert list(filed) == whole  # also once the folder is gone
    assert [filed[number] for number in range(len(whole))] == filed[:] == whole
    assert list(filed.annotated()) == [sentence for sentence in whole if sentence.relations is not None]
    assert list(filed.fingerprints()) == fingerprints_of(whole)
    assert filed.repeated_ids() == repeated_ids(whole)
    known = {fingerprint(sentence) for sentence in whole[::2]}
    assert filed.known_among({*known, fingerprint(Sentence("x", ("nowhere",)))}) == known


def test_trees_come_back_too(tmp_path):
    assert list(SentenceFile.of(TRAINING, tmp_path)) == TRAINING  # those of the toys have trees


def test_a_full_disk_is_told_in_one_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda **_: Path("/dev/full").open("r+b"))  # noqa: SIM115
    with pytest.raises(OutputError, match=r"an example, 0 MB.*No space left on device") as error:
        RecordFile(tmp_path, "an example", [b"x" * 10**5])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(("damage", "got"), [(cut, "2 of 8 bytes"), (alter, "other bytes"), (fail, "Is a directory")])
def test_a_record_that_the_disk_does_not_give_back_is_an_error_that_names_the_folder(damage, got, tmp_path):
    records = RecordFile(tmp_path, "the training sentences", [b"one", b"four"])
    assert list(records) == [b"one", b"four"]
    damage(records._file.fileno())
    with pytest.raises(OutputError, match=re.escape(f"{tmp_path} (the training sentences): expected what was written")) as error:
        list(records)
    assert f"got {got}" in str(error.value)


# ---- data


def line(key: str, text: str, **more: Any) -> str:
    entities = [{"start": 0, "end": 1, "type": "P"}, {"start": 1, "end": 2, "type": "P"}]
    record = {"id": key, "tokens": text.split(), "entities": entities, "relations": [{"head": 0, "tail": 1, "type": "none"}]}
    return json.dumps(record | more) + "\n"


def told(loaded: LoadedData) -> tuple[Any, ...]:
    run = loaded.run
    return list(run.training), list(run.development), loaded.notes, loaded.warnings, run.checksums, run.options, run.about


def test_what_is_left_out_and_what_to_be_warned_of_is_told_as_without_the_file(tmp_path):
    text = "Ada Bo met in the old harbour of Skerrin"
    broken = line("c", "Cy Di", entities=[{"start": 0, "end": 9, "type": "P"}, {"start": 1, "end": 2, "type": "P"}])
    (tmp_path / "train.jsonl").write_text(line("a", text) + broken + line("a", "Ed Flo") + line("b", "Gus Hal", relations=None))
    (tmp_path / "dev.jsonl").write_text(line("a", text.upper()) + line("z", "Ida Jo"))
    arguments = {"no_relation": ["other"], "on_error": "skip"}
    held = training_data(str(tmp_path), **arguments)
    filed = training_data(str(tmp_path), **arguments, on_disk=tmp_path / "run")
    assert isinstance(filed.run.training, SentenceFile)
    assert told(filed) == told(held)
    assert len(held.warnings) == 5  # a repeated id, a sentence on both sides, few relations, `none`, a type that is not there
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("sections", "words"),
    [
        ({"candidates": {"window": 2}}, "candidates.window: expected 1 beside --on-disk, got 2"),
        ({"training": {"pair_entities": "both"}}, "training.pair_entities: expected gold beside --on-disk"),
        ({"training": {"teacher": "runs/x"}}, "training.teacher: expected none beside --on-disk"),
        ({"model": tiny("sptree")}, "--on-disk: expected a model that reads no dependency trees beside it, got 'sptree'"),
    ],
)
def test_what_needs_all_sentences_in_memory_is_refused(sections, words, tmp_path):
    with pytest.raises(ConfigError) as error:
        make_training_set(config_of(sections), SentenceFile.of(TRAINING, tmp_path))
    assert words in str(error.value)
