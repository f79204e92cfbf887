"""What is registered is shown with its summary: in lists, as JSON, and in the help of the commands that take a name."""

from __future__ import annotations

import json
import re

import pytest
from typer.testing import CliRunner

from relsift.cli.main import app
from relsift.errors import ConfigError
from relsift.registry import EXPERIMENTS, LOSSES, MODELS, READERS, WRITERS, find


def shown(*arguments: str) -> str:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    return result.output


def unspaced(text: str) -> str:
    """The text without white space: help breaks lines where it likes, after hyphens too."""
    return re.sub(r"\s+", "", text)


def test_formats_are_listed_with_summaries_options_and_suffixes():
    listing = shown("formats")
    for name in READERS:
        assert f"{name}  " in listing and find("reader", name).summary in listing
    for name in WRITERS:
        writer = find("writer", name)
        assert f" {writer.suffix or 'folder'} " in listing and writer.summary in listing
    assert "extent=head | full\n" in listing  # of ace2005, the default first


def test_formats_as_json_say_which_ones_take_an_encoding_and_can_be_resumed():
    formats = json.loads(shown("formats", "--json"))
    readers = {reader.pop("name"): reader for reader in formats["readers"]}
    assert readers["ddi2013"]["options"] == {"discontinuous": ["drop", "cover"]}
    assert {name: reader["encoding"] for name, reader in readers.items()} == {name: find("reader", name).has_encoding for name in READERS}
    assert [writer["name"] for writer in formats["writers"] if writer["resumable"]] == ["native"]
    writers = {writer["name"]: writer for writer in formats["writers"]}
    assert writers["csv"]["options"] == {"formulas": ["escaped", "kept"]} and list(writers["turtle"]["open_options"]) == ["base"]


def test_models_are_listed_with_summaries_and_presets():
    listing = shown("models")
    records = {record["name"]: record for record in json.loads(shown("models", "--json"))}
    assert list(records) == list(MODELS)
    for name in MODELS:
        model = find("model", name)
        assert f"{name}: {model.SUMMARY}\n" in listing
        assert records[name]["summary"] == model.SUMMARY
        assert records[name]["reads"] == sorted(model.READS)
        assert records[name]["presets"].keys() == model.PRESETS.keys()
        assert all(f"--preset {preset}: {values.summary}\n" in listing for preset, values in model.PRESETS.items())


def test_models_that_classify_pairs_are_listed_with_the_losses_they_can_be_trained_with():
    listing = shown("models")
    for record in json.loads(shown("models", "--json")):
        within = record["name"] == "pipeline"  # which has the losses of the model of pairs in it
        assert record["classification"].keys() == (set() if within else {*LOSSES, "both"})
        assert all(f"--set model.classification={name}: {text}\n" in listing for name, text in record["classification"].items())


@pytest.mark.parametrize(
    ("command", "kind", "names"),
    [
        ("reproduce", "experiment", EXPERIMENTS), ("convert", "writer", WRITERS), ("convert", "reader", READERS),
        ("predict", "writer", WRITERS),
    ],
)  # fmt: skip
def test_the_help_of_a_command_ends_with_what_it_can_be_given(command, kind, names):
    text = unspaced(shown(command, "--help"))
    for name in names:
        assert unspaced(name + find(kind, name).summary) in text


def test_help_comes_even_where_a_plug_in_cannot_be_loaded(monkeypatch):
    def find_or_fail(kind: str, name: str) -> object:
        if name == "table2":
            raise ConfigError("experiment table2: mend that package\x1b[31m")
        return find(kind, name)

    monkeypatch.setattr("relsift.registry.find", find_or_fail)
    text = unspaced(shown("reproduce", "--help"))
    assert unspaced(r"table2 experiment table2: mend that package\x1b[31m") in text
    assert unspaced(find("experiment", "table3").summary) in text
