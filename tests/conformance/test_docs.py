"""The pages name what the registries hold: a new format, corpus or command is not done before a user can read about it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from relsift.cli.main import app
from relsift.registry import CORPORA, EXPERIMENTS, MODELS, READERS, WRITERS

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("docs/formats.md", [*READERS, *WRITERS]),
        ("docs/corpora.md", [*CORPORA]),
        ("CHANGELOG.md", [command.name for command in app.registered_commands]),
        ("CHANGELOG.md", [*MODELS]),
        ("docs/experiments.md", [*EXPERIMENTS]),
    ],
)
def test_a_page_names_everything_registered(page, names):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert [name for name in names if name not in text] == []


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_a_page(model):
    assert (ROOT / "docs" / "models" / f"{model}.md").is_file()


def test_links_between_pages_lead_somewhere():
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+?)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
