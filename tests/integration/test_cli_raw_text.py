"""Raw text through `relsift predict` and `relsift annotate`, with a joint model of a few weights and with patterns that find entities."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from calling import assert_one_clear_line, relsift
from hypothesis import HealthCheck, given, settings

from raw_texts import TEXTS_OF_FILES
from relsift import registry
from relsift.config import load_config
from relsift.corpora.data import resolve
from relsift.extractor import RelationExtractor
from relsift.inference import InferenceReport
from relsift.readers import raw
from relsift.schema import Entity, Relation, Sentence, sentences_of
from relsift.streaming.predict import predict_file
from relsift.training.loop import train

TRAINING = [
    Sentence("a", ("Ada", "joined", "Acme", "."), (Entity(0, 1, "PER"), Entity(2, 3, "ORG")), (Relation(0, 1, "works_for"),)),
    Sentence("b", ("Acme", "moved", "to", "Oslo"), (Entity(0, 1, "ORG"), Entity(3, 4, "LOC")), (Relation(0, 1, "based_in"),)),
    Sentence("c", ("Bo", "settled", "in", "Riga"), (Entity(0, 1, "PER"), Entity(3, 4, "LOC")), (Relation(0, 1, "lives_in"),)),
]
TEXT = "  Ada joined Acme.\r\n\r\n😀 Acme moved to Oslo; e\u0301 张三。Bo settled in Riga.\nAda and Ada, Ada. Ada met Ada.\n"
PATTERNS = ('{"label": "PERSON", "pattern": "Ada"}', '{"label": "FIRM", "pattern": "Acme"}', '{"label": "DATE", "pattern": "Riga"}')


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The model folders `joint` and `pairs` (of a model that relates given entities), and files."""
    folder = tmp_path_factory.mktemp("raw")
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(registry.MODELS, "toy_joint", "toy_joint:ToyJoint")
        registry.table.cache_clear()
        by_heart = ["training.epochs=40", "training.patience=40", "training.threshold=paper"]
        for name, model, overrides in (("joint", "toy_joint", by_heart), ("pairs", "type_prior", [])):
            train(load_config(model=model, overrides=overrides), TRAINING, TRAINING).bundle.save(folder / name)
        (folder / "notes.txt").write_bytes(TEXT.encode())
        (folder / "patterns.jsonl").write_text("".join(f"{line}\n" for line in PATTERNS), encoding="utf-8")
        (folder / "types.yaml").write_text("PERSON: PER\nFIRM: ORG\nDATE: null\n", encoding="utf-8")
        yield folder
    registry.table.cache_clear()


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def give(content: str | bytes) -> None:
        file = tmp_path / "standard_input"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        monkeypatch.setattr("sys.stdin", file.open())

    return give


def records(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def assert_points_into(text: str, lines: list[dict[str, Any]]) -> None:
    """Offsets of every line lead back to the text that went in."""
    for line in lines:
        if line["tokens"]:
            start = line["text_start"]
            assert text[start : start + len(line["text"])] == line["text"]
            assert [text[start + a : start + b] for a, b in line["offsets"]] == line["tokens"]


def predict(capsys, *arguments: object) -> list[dict[str, Any]]:
    status, out, err = relsift(capsys, "predict", *arguments)
    assert status == 0, err
    return records(out)


# ---- predict


def test_a_joint_model_reads_a_text_file(place, capsys):
    status, out, err = relsift(capsys, "predict", place / "joint", place / "notes.txt")
    assert status == 0, err
    lines = records(out)
    assert_points_into(TEXT, lines)
    assert [line["id"] for line in lines] == [f"notes.txt-{number}" for number in range(5)]
    first = lines[0]
    assert (first["doc_id"], first["text_start"], first["text"]) == ("notes.txt", 2, "Ada joined Acme.")
    assert [(e["start"], e["type"], "score" in e) for e in first["entities"]] == [(0, "PER", True), (2, "ORG", True)]
    assert [(r["head"], r["tail"], r["type"], "score" in r) for r in first["relations"]] == [(0, 1, "works_for", True)]
    assert f"note: {place / 'notes.txt'}: taken for raw text, in the format text" in err
    assert "taken for" not in relsift(capsys, "predict", place / "joint", f"text:{place / 'notes.txt'}")[2]


def test_a_folder_a_table_and_json_lines_give_the_same_as_a_file(place, capsys, tmp_path):
    def essence(lines: list[dict[str, Any]]) -> list[Any]:
        keys = ("tokens", "text", "text_start", "offsets", "entities", "relations")
        return [[line.get(key) for key in keys] for line in lines]

    whole = essence(predict(capsys, place / "joint", place / "notes.txt"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_bytes(TEXT.encode())
    (tmp_path / "a.csv").write_bytes(f'id,text\nx,"{TEXT}"\n'.encode())
    (tmp_path / "a.jsonl").write_text(json.dumps({"id": "x", "text": TEXT}) + "\n", encoding="utf-8")
    for source in (folder, tmp_path / "a.csv", tmp_path / "a.jsonl"):
        lines = predict(capsys, place / "joint", source)
        assert_points_into(TEXT, lines)
        assert essence(lines) == whole


def test_a_model_that_needs_entities_says_what_to_do(place, capsys, tmp_path, standard_input):
    (tmp_path / "a.jsonl").write_text('{"text": "Ada joined Acme."}\n', encoding="utf-8")
    advice = ("expected entities, which this model relates and does not find", "--entities-from spacy:", "joint model")
    out = tmp_path / "out.jsonl"
    for source in (place / "notes.txt", tmp_path / "a.jsonl"):
        for options in ([], ["--on-error", "skip"]):
            status, _, err = relsift(capsys, "predict", place / "pairs", source, "--out", out, *options)
            assert_one_clear_line(status, err, f"{source}: ", *advice)
            assert not out.exists()
    for options in (["--text"], []):
        standard_input(TEXT)
        status, _, err = relsift(capsys, "predict", place / "pairs", "-", *options)
        assert_one_clear_line(status, err, "standard input: ", *advice)
    status, _, err = relsift(capsys, "predict", place / "joint", place / "notes.txt", "--entities", "gold")
    assert_one_clear_line(status, err, *advice)


def test_annotators_find_what_the_model_relates(place, capsys):
    found = ["--entities-from", f"patterns:{place / 'patterns.jsonl'}", "--types", place / "types.yaml"]
    status, out, err = relsift(capsys, "predict", place / "pairs", place / "notes.txt", *found)
    assert status == 0, err
    lines = records(out)
    assert_points_into(TEXT, lines)
    assert [(e["type"], *e["chars"]) for e in lines[0]["entities"]] == [("PER", 0, 3), ("ORG", 11, 15)]
    assert [r["type"] for r in lines[0]["relations"]] == ["works_for"]
    assert "note: 1 entity of types that the type table leaves out" in err
    same = [TEXT[line["text_start"] + a : line["text_start"] + b] for line in lines[3:] for e in line["entities"] for a, b in [e["chars"]]]
    assert same == ["Ada"] * 5


def test_a_type_table_is_checked(place, capsys, tmp_path):
    found = ["--entities-from", f"patterns:{place / 'patterns.jsonl'}"]
    table = tmp_path / "types.json"
    for content, part in (
        ("[1]", "got list"),
        ('{"A": 1}', "got 'A': 1"),
        ('{"A": ""}', "got 'A': ''"),
        ("", "got an empty file"),
        ("{", "got "),
    ):
        table.write_text(content, encoding="utf-8")
        status, _, err = relsift(capsys, "predict", place / "pairs", place / "notes.txt", *found, "--types", table)
        assert_one_clear_line(status, err, 'types.json: expected a table of types, such as {"PERSON": "PER", "DATE": null}', part)
    status, _, err = relsift(capsys, "predict", place / "pairs", place / "notes.txt", *found, "--types", tmp_path / "none.json")
    assert_one_clear_line(status, err, "none.json: expected a readable file")
    status, _, err = relsift(capsys, "predict", place / "joint", place / "notes.txt", "--types", table)
    assert_one_clear_line(status, err, "--types: expected --entities-from beside it")


@pytest.mark.parametrize("with_patterns", [False, True])
def test_prediction_of_text_is_resumed_after_any_line(place, capsys, tmp_path, monkeypatch, with_patterns):
    monkeypatch.setattr(raw, "PIECE", 60)
    text, out = tmp_path / "long.txt", tmp_path / "out.jsonl"
    text.write_text("Ada joined Acme. Bo settled in Riga.\n\n" * 20, encoding="utf-8")
    model = ["pairs", "--entities-from", f"patterns:{place / 'patterns.jsonl'}"] if with_patterns else ["joint"]
    command = ("predict", place / model[0], text, "--out", out, "--resume", *model[1:])
    monkeypatch.setattr("relsift.streaming.predict.SENTENCES_AT_ONCE", 8)
    assert relsift(capsys, *command)[0] == 0
    whole = out.read_bytes()
    assert len(whole.splitlines()) == 40
    (tmp_path / ".out.jsonl.complete.json").rename(tmp_path / "out.jsonl.resume.json")
    out.write_bytes(whole[: len(whole) * 2 // 3])  # as if killed in the middle of a line
    status, _, err = relsift(capsys, *command)
    assert status == 0, err
    assert out.read_bytes() == whole
    for further in (["--splitter", "rules:wrapped"], ["--entities-from", f"patterns:{place / 'patterns.jsonl'}"] * 2):
        status, _, err = relsift(capsys, *command, *further)
        assert_one_clear_line(status, err, "--resume: expected the")


def test_a_prediction_is_not_resumed_with_other_names_in_the_file_of_patterns(place, capsys, tmp_path):
    names, text, out = tmp_path / "names.jsonl", tmp_path / "in.txt", tmp_path / "out.jsonl"
    names.write_bytes((place / "patterns.jsonl").read_bytes())
    text.write_text("Ada joined Acme.", encoding="utf-8")
    command = ("predict", place / "pairs", text, "--out", out, "--resume", "--entities-from", f"patterns:{names}")
    assert relsift(capsys, *command)[0] == 0
    names.write_text('{"label": "GPE", "pattern": "Ada"}', encoding="utf-8")
    status, _, err = relsift(capsys, *command)
    assert_one_clear_line(status, err, "--resume: expected the")


def test_text_in_which_a_model_finds_nothing_is_said_to_have_no_relations(place, capsys, tmp_path):
    text = tmp_path / "in.txt"
    text.write_text("Nothing of the kind was there.", encoding="utf-8")
    status, _, err = relsift(capsys, "predict", place / "joint", text)
    assert status == 0 and "note: 1 sentence, none with two entities that the model found" in err


def test_options_without_effect_are_refused(place, capsys, tmp_path):
    data = tmp_path / "a.json"
    data.write_text(registry.find("reader", "spert").samples["spert.json"], encoding="utf-8")
    status, _, err = relsift(capsys, "predict", place / "joint", data, "--splitter", "rules")
    assert_one_clear_line(status, err, "--splitter: expected raw text, got annotated data")
    status, _, err = relsift(capsys, "predict", place / "joint", place / "notes.txt", "--text")
    assert_one_clear_line(status, err, "--text: expected - as INPUT")
    status, _, err = relsift(capsys, "predict", place / "joint", place / "notes.txt", "--splitter", "rule")
    assert_one_clear_line(status, err, "did you mean rules?")


@pytest.mark.parametrize(
    "content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", b"Ada\x00 joined Acme.", b"Ada \xed\xa0\x80.", "张三".encode("gb18030")]
)
def test_a_file_without_text_is_one_clear_error(place, capsys, tmp_path, content):
    (tmp_path / "a.txt").write_bytes(content)
    for source in (tmp_path / "a.txt", f"text:{tmp_path / 'a.txt'}"):
        status, out, err = relsift(capsys, "predict", place / "joint", source)
        assert_one_clear_line(status, err, "a.txt", "expected ", "got ")
        assert out == ""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=TEXTS_OF_FILES)
def test_offsets_hold_from_any_text_to_the_output(place, pieces, tmp_path_factory):
    text = f"{pieces}\nAda joined Acme."
    file, out = (tmp_path_factory.getbasetemp() / name for name in ("any.txt", "any.jsonl"))
    file.write_bytes(text.encode())
    predict_file(RelationExtractor.from_pretrained(place / "joint"), f"text:{file}", out, report=InferenceReport())
    lines = records(out.read_text(encoding="utf-8").replace("\u2028", "\\u2028").replace("\x85", "\\u0085"))
    assert_points_into(text, lines)
    assert [r["type"] for r in lines[-1]["relations"]] == ["works_for"] and lines[-1]["entities"][0]["type"] == "PER"


# ---- standard input


def test_standard_input_is_taken_for_json_or_text_by_its_beginning_and_the_user_is_told(place, capsys, standard_input):
    line = json.dumps({"id": "x", "text": "Ada joined Acme."})
    for content in (line, f"\n \r\n{line}\n", f"\ufeff{line}", f"[{line}]", f"[\n{line}]"):
        standard_input(content)
        status, out, err = relsift(capsys, "predict", place / "joint", "-")
        assert status == 0, err
        assert "taken for" not in err and records(out)[0]["id"] == "x", content
    for content in (TEXT, "[1] Ada joined Acme.", "\ufeffAda joined Acme."):
        standard_input(content)
        status, out, err = relsift(capsys, "predict", place / "joint", "-")
        assert status == 0, err
        assert "note: standard input: taken for raw text" in err
        assert records(out)[0]["id"] == "standard-input-0"
        assert_points_into(content.removeprefix("\ufeff"), records(out))


def test_standard_input_that_looks_like_json_is_text_if_the_user_says_so(place, capsys, standard_input):
    standard_input("{Ada joined Acme.}")
    status, out, err = relsift(capsys, "predict", place / "joint", "-", "--text")
    assert status == 0 and "taken for" not in err
    assert records(out)[0]["tokens"] == ["{", "Ada", "joined", "Acme", ".", "}"]
    standard_input("{Ada joined Acme.}")
    status, _, err = relsift(capsys, "predict", place / "joint", "-")
    assert_one_clear_line(status, err, "standard input:1: expected one JSON object a line")


@pytest.mark.parametrize(("content", "got"), [(b"", "nothing"), (b" \n ", "blanks only"), (b"a\xff", "byte 0xff"), (b"a\x00", "U+0000")])
def test_standard_input_without_text_is_one_clear_error(place, capsys, standard_input, content, got):
    standard_input(content)
    status, _, err = relsift(capsys, "predict", place / "joint", "-", "--text")
    assert_one_clear_line(status, err, "standard input", got)


@pytest.mark.parametrize("options", [(), ("--text",)])
@pytest.mark.parametrize(("content", "got"), [(b"", "nothing"), (b" \n\t\n", "blanks only")])
def test_standard_input_without_text_is_refused_in_the_words_of_empty_files(place, capsys, standard_input, content, got, options):
    standard_input(content)
    status, _, err = relsift(capsys, "predict", place / "joint", "-", *options)
    assert_one_clear_line(status, err, f"standard input: expected text, annotated or not, got none: {got}")


def test_every_row_names_the_input_that_it_comes_from(place, capsys, tmp_path):
    (tmp_path / "a.jsonl").write_text(
        '{"id": "one", "text": "Ada joined Acme."}\n{"text": "Ada left. Bo came."}\n{"id": "x", "text": ""}\n', encoding="utf-8"
    )
    lines = predict(capsys, place / "joint", tmp_path / "a.jsonl")
    assert [line.get("doc_id", line["id"]) for line in lines] == ["one", "a-2", "a-2", "x"]
    assert [line.get("doc_id") for line in lines[:3]] == ["one", "a-2", "a-2"]


def test_text_that_looks_wrapped_is_said_to_be_once_and_only_where_it_can_be_helped(place, capsys, tmp_path):
    text = tmp_path / "in.txt"
    text.write_text("Ada joined Acme in the\nsummer when the mill of\nthe town was sold to a\nman from the coast and\nhis wife left.\n")
    for options, number in (((), 1), (("--splitter", "rules:wrapped"), 0)):
        status, _, err = relsift(capsys, "predict", place / "joint", text, *options)
        assert status == 0 and err.count("1 of 1 texts look hard-wrapped") == number, err


# ---- annotate


def annotate(capsys, place: Path, *arguments: object) -> tuple[int, str, str]:
    return relsift(capsys, "annotate", *arguments, "--with", f"patterns:{place / 'patterns.jsonl'}")


def test_annotate_writes_sentences_tokens_and_entities_and_no_relations(place, capsys, tmp_path):
    out = tmp_path / "new" / "out.jsonl"
    status, printed, err = annotate(capsys, place, place / "notes.txt", "--out", out)
    assert status == 0, err
    lines = records(out.read_text(encoding="utf-8"))
    assert_points_into(TEXT, lines)
    assert all("relations" not in line for line in lines)
    assert [(e["type"], *e["chars"]) for e in lines[0]["entities"]] == [("PERSON", 0, 3), ("FIRM", 11, 15)]
    assert [line.split() for line in printed.splitlines()[1:]] == [
        ["sentences", "5"], ["entities", "9"], ["PERSON", "6"], ["FIRM", "2"], ["DATE", "1"],
    ]  # fmt: skip
    again = list(sentences_of(resolve(str(out)).documents()))
    assert all(sentence.relations is None for sentence in again) and sum(len(s.entities) for s in again) == 9
    assert [r["relations"] for r in predict(capsys, place / "pairs", out, "--entities", "gold")][1:] == [[]] * 4  # it can be predicted on


def test_annotate_renames_types_splits_and_prints_json(place, capsys, tmp_path):
    arguments = (
        place / "notes.txt",
        "--out",
        tmp_path / "out.jsonl",
        "--types",
        place / "types.yaml",
        "--splitter",
        "rules:wrapped",
        "--json",
    )
    status, out, err = annotate(capsys, place, *arguments)
    assert status == 0, err
    facts = json.loads(out)
    assert (facts["sentences"], facts["types"], facts["splitter"]) == (5, {"PER": 6, "ORG": 2}, "rules:wrapped==1")
    assert facts["dropped"] == {"entities of types that the type table leaves out": 1}


def test_annotate_writes_to_standard_output_and_keeps_entities_that_are_given(place, capsys, tmp_path):
    given_entities = {"id": "x", "tokens": ["Ada"], "entities": [{"start": 0, "end": 1, "type": "DOG"}], "relations": []}
    (tmp_path / "in.jsonl").write_text(f'{json.dumps(given_entities)}\n{{"id": "y", "text": "Ada."}}\n', encoding="utf-8")
    status, out, err = annotate(capsys, place, tmp_path / "in.jsonl")
    assert status == 0, err
    assert [line["entities"][0]["type"] for line in records(out)] == ["DOG", "PERSON"]
    assert "relations" not in records(out)[0]
    assert "note: 1 of 2 sentences had entities and keep them" in err


def test_annotation_is_resumed_after_any_line(place, capsys, tmp_path, monkeypatch):
    monkeypatch.setattr(raw, "PIECE", 60)
    monkeypatch.setattr("relsift.streaming.predict.SENTENCES_AT_ONCE", 8)
    text, out = tmp_path / "long.txt", tmp_path / "out.jsonl"
    text.write_text("Ada joined Acme. Bo settled in Riga.\n\n" * 20, encoding="utf-8")
    command = (text, "--out", out, "--resume")
    assert annotate(capsys, place, *command)[0] == 0
    whole = out.read_bytes()
    assert len(whole.splitlines()) == 40
    (tmp_path / ".out.jsonl.complete.json").rename(tmp_path / "out.jsonl.resume.json")
    for size in (0, 1, len(whole) // 2, len(whole) - 1):
        out.write_bytes(whole[:size])  # as if killed in the middle of a line
        status, _, err = annotate(capsys, place, *command)
        assert status == 0 and out.read_bytes() == whole, err
        (tmp_path / ".out.jsonl.complete.json").rename(tmp_path / "out.jsonl.resume.json")
    status, _, err = annotate(capsys, place, *command, "--splitter", "rules:wrapped")
    assert_one_clear_line(status, err, "--resume: expected the splitter with which")
    status, _, err = relsift(capsys, "predict", place / "joint", *command)
    assert_one_clear_line(status, err, "--resume: expected the model with which")
    status, _, err = annotate(capsys, place, text, "--resume")
    assert_one_clear_line(status, err, "--resume: expected an INPUT that can be read again and --out")


def test_annotate_writes_what_comes_before_a_broken_place_as_predict_does(place, capsys, tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_text("Ada.", encoding="utf-8")
    (tmp_path / "a" / "2.txt").write_bytes(b"\xff\xfe\xfd")
    out = tmp_path / "out.jsonl"
    out.write_text("old", encoding="utf-8")
    status, _, err = annotate(capsys, place, tmp_path / "a", "--out", out)
    assert_one_clear_line(status, err, "2.txt:1: expected UTF-8 text")
    assert [line["doc_id"] for line in records(out.read_text(encoding="utf-8"))] == ["1.txt"]
    out.write_text("old", encoding="utf-8")
    (tmp_path / "a" / "0.txt").write_bytes(b"\xff\xfe\xfd")
    status, _, err = annotate(capsys, place, tmp_path / "a", "--out", out)
    assert_one_clear_line(status, err, "0.txt:1: expected UTF-8 text")
    assert out.read_text(encoding="utf-8") == "old"  # nothing was annotated before it
    (tmp_path / "a" / "0.txt").unlink()
    status, _, err = annotate(capsys, place, tmp_path / "a", "--out", out, "--on-error", "skip")
    assert status == 0 and "note: 1 broken file" in err
    status, _, err = annotate(capsys, place, tmp_path / "a", "--out", tmp_path / "a" / "1.txt")
    assert_one_clear_line(status, err, "--out")
    status, _, err = annotate(capsys, place, tmp_path / "a", "--json")
    assert_one_clear_line(status, err, "--json: expected --out")


def test_annotate_names_an_annotator_that_is_not_there(place, capsys):
    status, _, err = relsift(capsys, "annotate", place / "notes.txt", "--with", "patterns:/no/such/file.jsonl")
    assert_one_clear_line(status, err, "/no/such/file.jsonl")
