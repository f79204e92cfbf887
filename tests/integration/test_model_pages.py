"""The page of each model: its parts stand in one order, its figure is there, and the model line by line gives the model's own numbers."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from relsift.registry import MODELS
from toy import HAS_TRANSFORMERS

FOLDER = Path(__file__).parents[2] / "docs" / "models"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
MOST_LINES = 30  # of a literal form: what is longer shows its core only
LARGEST = 30_000  # bytes of a figure


def blocks(page: str) -> list[str]:
    return BLOCK.findall((FOLDER / page).read_text(encoding="utf-8"))


@cache
def helpers() -> dict[str, Any]:
    """The names that the overview defines for the pages."""
    names: dict[str, Any] = {}
    common, with_transformer = blocks("README.md")
    exec(compile(common, "docs/models/README.md", "exec"), names)
    if HAS_TRANSFORMERS:
        exec(compile(with_transformer, "docs/models/README.md", "exec"), names)
    return names


@pytest.mark.parametrize("model", MODELS)
def test_the_model_line_by_line_gives_the_numbers_of_the_model(model):
    [block] = blocks(f"{model}.md")
    assert len([line for line in block.splitlines() if line.strip()]) <= MOST_LINES
    assert "\nassert torch.allclose(" in block
    assert f'example("{model}"' in block
    if "toy_subwords" in block and not HAS_TRANSFORMERS:
        pytest.skip("the packages of Hugging Face are missing")
    exec(compile(block, f"docs/models/{model}.md", "exec"), dict(helpers()))


@pytest.mark.parametrize("model", MODELS)
def test_a_page_has_its_parts_in_order_and_a_figure_that_loads_nothing(model):
    text = (FOLDER / f"{model}.md").read_text(encoding="utf-8")
    parts = (f"# {model}\n\n**", "\n![", "\n## Line by line\n", "\n## Equations\n", "\n## Preset", "\n## What it scored\n", "](../results/")
    places = [text.find(part) for part in parts[:-1]] + [text.rfind(parts[-1])]
    assert -1 not in places
    assert places == sorted(places)
    [(words, file)] = re.findall(r"!\[(.*?)\]\((.*?)\)", text)
    figure = (FOLDER / file).read_text(encoding="utf-8")
    assert len(words) > 60  # says what the figure shows
    assert len(figure.encode()) < LARGEST
    assert re.findall(r"(?:href|src)=|url\((?!#)", figure) == []
