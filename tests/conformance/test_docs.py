"""The pages name what the registries hold: a new format, corpus or command is not done before a user can read about it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main

from relsift.cli.main import app
from relsift.config import RunConfig
from relsift.corpora.data import resolve
from relsift.files import file_sha256
from relsift.losses.base import BOTH
from relsift.readers.base import ReadReport
from relsift.registry import CORPORA, ENTITY_ANNOTATORS, EXPERIMENTS, LOSSES, MODELS, READERS, WRITERS, find

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("docs/formats.md", [*READERS, *WRITERS]),
        ("docs/annotators.md", [*ENTITY_ANNOTATORS]),
        ("docs/corpora.md", [*CORPORA]),
        ("CHANGELOG.md", [command.name for command in app.registered_commands]),
        ("CHANGELOG.md", [*MODELS]),
        ("docs/experiments.md", [*EXPERIMENTS]),
        ("docs/losses.md", [*LOSSES, BOTH]),
        ("CHANGELOG.md", [*LOSSES]),
    ],
)
def test_a_page_names_everything_registered(page, names):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("name", READERS)
def test_the_table_of_options_has_each_option_of_a_reader_with_its_values(name):
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \| (.*) \|$", (ROOT / "docs" / "formats.md").read_text(encoding="utf-8"), re.MULTILINE)
    written = {option: text for format, option, text in rows if format == name}
    reader = find("reader", name)
    assert written.keys() == {*reader.options, *reader.open_options}
    for option, values in reader.options.items():
        simple = {part for value in values for part in value.split("+")}  # values may be joined by "+" in all ways
        assert [value for value in simple if f"`{value}`" not in written[option] and f"`+{value}`" not in written[option]] == []
        assert re.search("`(.*?)`", written[option])[1] == values[0], option


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_a_page(model):
    assert (ROOT / "docs" / "models" / f"{model}.md").is_file()


def test_links_between_pages_lead_somewhere():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_picture_of_the_readme_and_the_figures_below_it_are_of_one_demo():
    # benchmarks/demo_picture.py writes all three together.
    picture = ROOT / "docs" / "images" / "demo-page.png"
    figures = json.loads(picture.with_suffix(".json").read_text(encoding="utf-8"))
    assert figures["picture_sha256"] == file_sha256(picture)
    counts = figures["relations"]
    assert counts["gold"] == counts["found"] + counts["missed"] + counts["wrong"]
    predicted = counts["found"] + counts["wrong"] + counts["spurious"]
    assert figures["f1"] == pytest.approx(2 * counts["found"] / (counts["gold"] + predicted))
    caption = re.search(r"<!-- demo -->\n(.*?)<!-- end of demo -->", README, re.DOTALL)[1]
    assert set(re.findall(r"[\d.]+\d", caption)) == {str(figures["sentences"]), f"{100 * figures['f1']:.1f}", *map(str, counts.values())}


def option_names(command: str) -> set[str]:
    """The long options of a command of the command line, `corpora prepare` too."""
    found = typer.main.get_command(app)
    for word in command.split():
        found = found.commands[word]
    return {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_that_a_page_writes_down_exists_with_its_options(page):
    commands = {" ".join(path) for path in paths_of(typer.main.get_command(app))}
    text = page.read_text(encoding="utf-8")
    fenced = re.findall(r"^ *```\w*\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    code = "\n".join([*fenced, *re.findall(r"^    relsift .*", text, re.MULTILINE)])
    for call in [*re.findall(r"^ *relsift .*", code, re.MULTILINE), *re.findall(r"(?<!`)`relsift [^`]*`", text)]:
        words = re.sub(r"\s#\s.*", "", call.strip("` ")).split()[1:]
        named = max((c for c in commands if words[: len(c.split())] == c.split()), key=len, default="")
        assert named or words[0].startswith(("-", "…")), f"{page.name}: {call}"
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", " ".join(words)))
        assert options - option_names(named) <= {"--version"}, f"{page.name}: {call}"


def paths_of(command, *words) -> Iterator[tuple[str, ...]]:
    """The words of every command below a group."""
    for name, inner in getattr(command, "commands", {}).items():
        yield (*words, name)
        yield from paths_of(inner, *words, name)


def test_every_setting_that_the_pages_name_is_one_of_a_run():
    pages = "".join(page.read_text(encoding="utf-8") for page in [*(ROOT / "docs" / "how_to").glob("*.md"), ROOT / "docs" / "faq.md"])
    settings = set(re.findall(r"`(candidates|encoding|training)\.(\w+)", pages))
    assert len(settings) > 30
    for section, key in settings:
        assert key in RunConfig.model_fields[section].annotation.model_fields, f"{section}.{key}"


def test_the_readme_counts_what_the_demo_learns_from():
    sentences = [s for document in resolve("gazette-en").documents("train", ReadReport()) for s in document.sentences]
    relations = sum(len(sentence.relations) for sentence in sentences)
    assert f"The demo learns from {relations} related pairs in {len(sentences)} sentences." in README
