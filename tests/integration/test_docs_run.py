"""The commands and the code of the pages run as they stand, in order, on a folder of annotations like the one they speak of."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from relsift import config
from relsift.cli.main import main
from relsift.config import RunConfig
from relsift.corpora.data import resolve
from relsift.demo import demo_config
from relsift.readers.base import ReadReport
from relsift.registry import MODELS
from relsift.schema import Document, Sentence
from relsift.serving.models import load as load_model
from serving_app import JSON, ask, serving

ROOT = Path(__file__).parents[2]
HOW_TO = tuple(
    f"docs/how_to/{name}.md"
    for name in ("thresholds", "graph", "python", "raw_text", "brat", "label_studio", "doccano", "bioc", "unbalanced", "pitfalls")
)
TUTORIALS = ("docs/start/tutorial.md", "docs/start/tutorial_zh.md")
WALKS = {  # pages that are read one after the other, in one folder
    "README.md": ("README.md",),
    "tutorial.md": (TUTORIALS[0], "docs/start/demo_models.md", *HOW_TO),
    "tutorial_zh.md": (TUTORIALS[1],),
    **{
        page: (f"docs/{page}",)
        for page in ("evaluation.md", "annotators.md", "spacy.md", "export.md", "sharing.md", "losses.md", "training.md")
    },
}
PAGES = tuple(page for walk in WALKS.values() for page in walk)
RUN_ELSEWHERE = {  # by test_plug_ins, test_serve_real and test_model_pages
    *(f"docs/models/{name}.md" for name in (*MODELS, "README")),
    *(f"docs/internals/add_{kind}.md" for kind in ("annotator", "loss", "model", "reader", "writer")), "docs/serving.md",
}  # fmt: skip
BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
PRINTS = re.compile(r"^```python\n((?:(?!```).)*?)^```\n\nIt prints:\n\n```text\n(.*?)^```$", re.DOTALL | re.MULTILINE)
HERE_DOCUMENT = re.compile(r"cat > (\S+) <<'(\w+)'")
DOCUMENTS = 14  # of the shipped corpus, as the folder `annotations`


def blocks(page: str) -> list[tuple[str, str]]:
    """Language and text of every fenced block."""
    return [(language, text) for language, text in BLOCK.findall((ROOT / page).read_text(encoding="utf-8"))]


def commands(block: str) -> Iterator[list[str]]:
    """The words of each command, as a shell splits them. `cat > FILE <<'END'` writes its file."""
    lines = iter(block.splitlines())
    for line in lines:
        if here := HERE_DOCUMENT.fullmatch(line.strip()):
            text = iter(lambda: next(lines), here[2])  # up to the line that ends it
            Path(here[1]).write_text("".join(f"{row}\n" for row in text), encoding="utf-8")
        elif words := shlex.split(line, comments=True):
            yield words


def run(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    if words[0] == "make":
        recipes = (ROOT / "Makefile").read_text(encoding="utf-8")
        assert re.search(rf"^{words[1]}:", recipes, re.MULTILINE), words
        if words[1] != "demo":
            return
        assert "$(BIN)/relsift demo --out demo-out $(DEMO_ARGS)" in recipes
        words = ["relsift", "demo", "--out", "demo-out"]
    assert words[0] == "relsift", f"a block that says sh holds another command than relsift and make: {words}"
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", words)
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = stop.code or 0
    assert status == 0, f"{shlex.join(words)}\n{capsys.readouterr().err}"


def write_brat(document: Document, folder: Path) -> None:
    """One document of invented news as brat writes it, a sentence a line; offsets are counted here."""
    text, notes = "", []
    for sentence in document.sentences:
        first = len(notes)
        starts = []
        for token in sentence.tokens:
            starts.append(len(text))
            text += token + " "
        for entity in sentence.entities:
            start, end = starts[entity.start], starts[entity.end - 1] + len(sentence.tokens[entity.end - 1])
            notes.append(f"T{len(notes) + 1}\t{entity.type} {start} {end}\t{text[start:end]}")
        for relation in sentence.relations or ():
            head, tail = (_mark(sentence, position, notes, first) for position in (relation.head, relation.tail))
            notes.append(f"R{len(notes) + 1}\t{relation.type} Arg1:{head} Arg2:{tail}")
        text = text[:-1] + "\n"
    (folder / f"{document.id}.txt").write_text(text, encoding="utf-8")
    (folder / f"{document.id}.ann").write_text("".join(f"{note}\n" for note in notes), encoding="utf-8")


def _mark(sentence: Sentence, position: int, notes: list[str], first: int) -> str:
    return notes[first + position].partition("\t")[0]


@pytest.fixture
def working_folder(tmp_path, monkeypatch) -> Path:
    """What the pages take for granted: a folder `annotations`, and a demo that trains a small model."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RELSIFT_HOME", str(tmp_path / "home"))
    (tmp_path / "annotations").mkdir()
    for document in list(resolve("gazette-en").documents("train", ReadReport()))[:DOCUMENTS]:
        write_brat(document, tmp_path / "annotations")
    values = demo_config("en").model_dump()
    values["model"] |= {"word_size": 8, "filters": 4, "windows": (2,), "hidden": 8}
    values["training"] |= {"epochs": 1}
    monkeypatch.setattr("relsift.demo.demo_config", lambda language: RunConfig.model_validate(values))
    return tmp_path


@pytest.fixture
def short_trainings(request, monkeypatch) -> None:
    """README and the tutorials train whole models: here each of them has one epoch, and its threshold is any."""
    if not request.node.callspec.params["walk"].startswith(("README", "tutorial")):
        return
    load = config.load_config

    def short(*, overrides: list[str] | None = None, **given) -> RunConfig:
        return load(overrides=[*(overrides or ()), "training.epochs=1"], **given)

    monkeypatch.setattr(config, "load_config", short)


def names_of_examples() -> dict[str, object]:
    """The names that examples in Python take for granted: annotated sentences, and two runs of two systems each."""
    # Two sentences a document: an example that trains a tagger needs several documents, not many sentences.
    sentences = [s for d in resolve("gazette-en").documents("test", ReadReport()) for s in d.sentences[:2]]
    nothing = [sentence.with_relations(()) for sentence in sentences]
    return {
        "gold": sentences, "runs_of_first": [sentences, nothing], "runs_of_second": [nothing, nothing],
        "training": sentences[:14], "test": sentences[14:],
    }  # fmt: skip


@pytest.mark.parametrize("walk", WALKS)
def test_the_commands_and_the_code_of_the_pages_run_as_they_stand(walk, working_folder, short_trainings, capsys):
    if "tutorial" in walk:  # begins in an empty folder
        shutil.rmtree(working_folder / "annotations")
    names = names_of_examples()
    for page in WALKS[walk]:
        examples = [" ".join(text.split()) for language, text in blocks(page) if language == "json"]
        if examples and "tutorial" not in walk:  # the pages show what stands in new.jsonl
            Path("new.jsonl").write_text("".join(f"{line}\n" for line in examples), encoding="utf-8")
        outputs = dict(PRINTS.findall((ROOT / page).read_text(encoding="utf-8")))
        for language, text in blocks(page):
            if language == "sh":
                for words in commands(text):
                    run(words, capsys)
            elif language == "python":
                capsys.readouterr()
                if "annotators.tagger" in text or "import spacy" in text:
                    pytest.importorskip("spacy")
                exec(compile(text, page, "exec"), names)
                if text in outputs:
                    assert capsys.readouterr().out == outputs[text]
    if "tutorial" in walk:
        check_service(WALKS[walk][0])


def check_service(page: str) -> None:
    """The service that a tutorial ends with answers its request. It is called here without a socket."""
    text = (ROOT / page).read_text(encoding="utf-8")
    serve = shlex.split(re.search(r"^relsift serve (.*)$", text, re.MULTILINE)[1])
    options = dict(zip(serve[1::2], serve[2::2]))
    source = (options["--entities-from"],) if options else ()
    model = load_model("mine", serve[0], device="cpu", precision="float32", cache_mb=16, entities_from=source)
    [body] = [words[words.index("-d") + 1] for line in text.splitlines() if line.startswith("curl") for words in [shlex.split(line)]]
    with serving(model) as (_, app):
        answer = ask(app, "POST", "/v1/extract", content=body.encode(), headers=JSON)
    assert answer.status_code == 200
    assert [bool(result["entities"]) for result in answer.json()["results"]] == [True]


def test_a_page_says_of_each_block_what_it_is():
    for page in (*PAGES, "docs/formats.md", "docs/corpora.md", "docs/experiments.md"):
        assert {language for language, _ in blocks(page)} <= {"sh", "python", "json", "text"}, page


def test_every_page_with_commands_or_code_is_run_by_a_test():
    pages = ("README.md", *(file.relative_to(ROOT).as_posix() for file in sorted((ROOT / "docs").rglob("*.md"))))
    with_code = {page for page in pages if {"sh", "python"} & {language for language, _ in blocks(page)}}
    assert with_code - set(PAGES) <= RUN_ELSEWHERE


def test_the_folder_of_these_tests_is_read_as_it_was_written(working_folder):
    # The writer above is no part of relsift: what the reader makes of it is compared with what the shipped corpus holds.
    report = ReadReport()
    written = list(resolve("gazette-en").documents("train", ReadReport()))[:DOCUMENTS]
    again = list(resolve(f"brat:{working_folder / 'annotations'}").documents(None, report))
    entities, relations = ([sum(len(getattr(s, kind)) for d in documents for s in d.sentences) for documents in (written, again)]
                           for kind in ("entities", "relations"))  # fmt: skip
    assert entities[0] == entities[1]
    assert relations[0] == relations[1] + report.dropped["relations across sentences"]
    assert report.dropped["relations across sentences"] <= 2
