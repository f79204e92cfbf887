"""The page in a real browser, where one is installed: its script runs under its own security policy and draws every class."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from page_browser import VARIABLE, chromium

from relsift.report.sentence_page import write_comparison
from relsift.schema import Entity, Relation, Sentence

CHROMIUM = chromium()
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--virtual-time-budget=3000", "--window-size=700,900", "--dump-dom"),
)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason=f"no Chromium on the PATH nor in {VARIABLE}: the page's script is not tested")


def dumped(page: Path, profile: Path) -> str:
    """The page's elements after its script has run."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60, check=True).stdout


def test_an_arc_is_drawn_for_each_class_also_across_lines(tmp_path):
    tokens = ("Ada", "founded", "Acme", "in", "Bern", *["and", "so", "on"] * 30, "near", "</script><img onerror=alert(1)>")
    entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"), Entity(4, 5, "GPE"), Entity(len(tokens) - 1, len(tokens), "LOC"))
    gold = Sentence("s", tokens, entities, (Relation(0, 1, "FOUNDED"), Relation(1, 2, "BASED"), Relation(0, 3, "NEAR")))
    predicted = gold.with_relations([Relation(0, 1, "FOUNDED", 0.9), Relation(1, 2, "OWNS", 0.6), Relation(0, 2, "LIVES", 0.75)])
    page = tmp_path / "page.html"
    with page.open("w", encoding="utf-8") as stream:
        write_comparison([gold], [predicted], stream, title="t", direction="directed", summary={})

    dom = dumped(page, tmp_path / "profile")

    svg = dom.split('<svg class="arcs"')[1].split("</svg>")[0]
    groups = re.findall(r'<g class="arc (\w+)"[^>]*>(.*?)</g>', svg, flags=re.DOTALL)
    strokes = {kind: sum(body.count('class="stroke"') for k, body in groups if k == kind) for kind, _ in groups}
    assert strokes == {"found": 1, "wrong": 1, "spurious": 1, "missed": 2}  # the missed one leaves one line and enters another
    assert "≠ OWNS" in svg and " not BASED" in svg and "score 0.75" in svg
    assert "NaN" not in svg and "Infinity" not in svg and "<img" not in dom
    assert "1 of 1 sentences" in dom
