"""How long the sentences of the documentation are: python .ci/words.py [FILE …]

Prints the mean and the 90th percentile of words a sentence, over README, docs and docstrings, page by page and together, and the 20 longest
sentences. It gates nothing: style asks for at most 25 words on average, and none above 45.
Not counted: code, tables, headings, links' targets, lists of letters, and text in Chinese, whose words have no blanks between them.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
WORST, WIDTH = 20, 160  # sentences shown; characters of one
_NOT_PROSE = re.compile(
    r"^ *```.*?^ *```$|<!--.*?-->|^ *\|[^\n]*$|^#[^\n]*$|^    \S[^\n]*$"
    r"|^Letters: .*?\.$"  # a list of names, too
    r"|^\S[^\n]*? {2,}\S[^\n]*(?:\n {2,}\S[^\n]*)*$",  # a list of names with their meanings, in columns
    re.DOTALL | re.MULTILINE,
)
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
_ITEM = re.compile(r"^ *(?:[-*]|\d+\.) ", re.MULTILINE)  # each item of a list ends a sentence
_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“*`(\d])|\n\s*\n")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


class Place(NamedTuple):
    """A sentence, and the page or module that has it."""

    name: str
    sentence: str

    @property
    def words(self) -> int:
        return len(self.sentence.split())


def sentences(text: str) -> Iterator[str]:
    """The sentences of a Markdown text."""
    text = _ITEM.sub("\n\n", _LINK.sub(r"\1", _NOT_PROSE.sub("\n\n", text)))
    for part in _END.split(text.replace("**", "")):
        sentence = " ".join(part.split())
        if sentence and not _CHINESE.search(sentence):
            yield sentence


def docstrings(source: str) -> Iterator[str]:
    """The docstrings of a module, without their examples."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and (text := ast.get_docstring(node)):
            yield re.sub(r"^>>>.*?(?:\n\n|\Z)", "\n\n", text, flags=re.DOTALL | re.MULTILINE)


def pages(files: list[Path]) -> Iterator[Place]:
    for file in files:
        text = file.read_text(encoding="utf-8")
        name = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else str(file)
        for part in docstrings(text) if file.suffix == ".py" else [text]:
            yield from (Place(name, sentence) for sentence in sentences(part))


def report(title: str, found: list[Place]) -> str:
    words = np.array([place.words for place in found])
    share = f"90th percentile {np.percentile(words, 90):3.0f}"
    return f"{title:34} {len(found):6,} sentences  mean {words.mean():4.1f}  {share}  longest {words.max():3}"


def main(arguments: list[str]) -> None:
    chosen = [Path(name).resolve() for name in arguments]
    docs = chosen or [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    found = list(pages(docs))
    by_page: dict[str, list[Place]] = {}
    for place in found:
        by_page.setdefault(place.name, []).append(place)
    for name, of_page in by_page.items():
        print(report(name, of_page))
    of_code = [] if chosen else list(pages(sorted((ROOT / "src").rglob("*.py"))))
    print()
    print(report("all pages", found))
    if of_code:
        print(report("all docstrings", of_code))
    print(f"\nThe {WORST} longest, in words:")
    for place in sorted([*found, *of_code], key=lambda place: -place.words)[:WORST]:
        print(f"{place.words:4}  {place.name}: {place.sentence[:WIDTH]}")


if __name__ == "__main__":
    main(sys.argv[1:])
