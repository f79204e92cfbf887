"""The site of the documentation: it builds with all its links, asks for nothing from elsewhere, and answers what users ask."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mkdocs")
ROOT = Path(__file__).parents[2]
TAGS = "script|link|img|iframe|source|video|audio|object"  # what a browser loads by itself, in contrast to links
LOADED = re.compile(rf"<(?:{TAGS})\b[^>]*?\b(?:src|href|data)=[\"']?((?:https?:)?//[^\"'\s>]+)", re.IGNORECASE)
COMPLAINTS = {  # what users of other tools complain about most, and words that they would search for
    "co-occurrence": ("co-occur", "threshold"), "imbalance": ("class imbalance", "negative"),
    "everything is no relation": ("no relation", "threshold", "type filter"),
    "sure of nonsense": ("probabilities", "calibration", "negatives"),
    "subsampling": ("subsample", "negatives"),
    "own data": ("train", "own data"),
    "exports without relations": ("export", "label studio", "doccano", "no relations"),
    "offsets of brat": ("offsets", "brat", "utf-16"),
    "raw text": ("raw text", "sentence", "predict"),
    "characters or tokens": ("character offsets", "token"),
    "confidence": ("confidence", "score", "threshold"),
    "truncation": ("truncated", "long text"),
    "memory": ("memory", "long documents"),
    "strict or boundaries": ("strict", "boundaries", "micro", "macro"),
    "published numbers": ("published numbers", "reach"),
    "candidates that were pruned": ("misses", "candidates"),
    "rot of dependencies": ("torch", "pinned", "install"),
    "dead downloads": ("downloaded", "corpus", "dead"),
    "spaCy's factory": ("can't find factory",),
    "confusion matrix": ("confusion",),
    "licences": ("licence", "models"),
    "recipes": ("reproduce", "command", "paper"), "settings of a training": ("recipe", "config.yaml"),
    "overfitting": ("overfitting", "more data"), "diverging": ("loss nan",), "stopping": ("early stopping",), "zero-shot": ("zero-shot",),
    "the same name twice": ("same name", "twice"),
    "coreference": ("coreference",),
    "across sentences": ("relations across sentences", "window"),
    "directions": ("constrain", "directions"),
    "without a large GPU": ("gpu", "fine-tune"),
    "what to annotate next": ("annotate next",),
    "Chinese offsets": ("chinese", "offsets"),
    "service": ("http", "service", "requests"),
}  # fmt: skip


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The whole site, built as `make site` does: a broken link, a missing anchor or a page without a place in the navigation fails."""
    folder = tmp_path_factory.mktemp("site")
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-m", "mkdocs", "build", "--quiet", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_no_page_loads_anything_from_elsewhere(site):
    pages = list(site.rglob("*.html"))
    assert len(pages) > 60
    assert {(page.name, address) for page in pages for address in LOADED.findall(page.read_text(encoding="utf-8"))} == set()
    loading = re.compile(r"(?:url\(|@import)\s*[\"']?https?:")
    assert [file.name for file in site.rglob("*.css") if loading.search(file.read_text(encoding="utf-8"))] == []


def test_tables_and_lists_are_rendered_as_such(site):
    # Where Markdown on the site is stricter than elsewhere: an empty line before them, and four blanks for a list in a list.
    raw = re.compile(r"<p>\s*\||<p>\s*- |\n\|[-:| ]+\|\n")
    assert [page.name for page in site.rglob("*.html") if raw.search(page.read_text(encoding="utf-8"))] == []
    sources = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    assert [page.name for page in sources if re.search(r"^ {1,3}(?:[-*]|\d+\.) ", page.read_text(encoding="utf-8"), re.MULTILINE)] == []


@pytest.mark.parametrize("complaint", COMPLAINTS)
def test_a_search_for_what_users_complain_about_finds_a_section(complaint, site):
    sections = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))["docs"]
    texts = [re.sub(r"<[^>]+>", "", f"{section['title']} {section['text']}").replace("’", "'").lower() for section in sections]
    assert any(all(word in text for word in COMPLAINTS[complaint]) for text in texts), COMPLAINTS[complaint]


def test_every_class_and_function_of_the_reference_leads_to_its_guide(site):
    heading = re.compile(r'<h[23] id="(relsift[\w.]+)" class="doc doc-heading">\s*<code class="[^"]*doc-symbol-(?:class|function)"')
    entries = {}
    for page in (site / "reference" / "api").glob("*.html"):
        parts = re.split(r"(?=<h[2-6] id=)", page.read_text(encoding="utf-8"))
        entries |= {found[1]: 'Guide: <a class="autorefs autorefs-internal"' in part for part in parts if (found := heading.match(part))}
    assert len(entries) > 120 and [name for name, has_guide in entries.items() if not has_guide] == []


def test_every_key_of_the_configuration_has_a_meaning_and_every_command_its_help(site):
    html = (site / "reference" / "configuration.html").read_text(encoding="utf-8")
    rows = re.findall(r"<tr>\s*<td><code>(\w+)</code></td>.*?<td>(.*?)</td>\s*</tr>", html.replace("\n", " "))
    meanings = [(key, row.rpartition("<td>")[2].strip()) for key, row in rows]
    assert len(meanings) > 200 and [key for key, meaning in meanings if not meaning] == []
    html = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    assert "relsift corpora prepare" in html and "--dev-fraction" in html
