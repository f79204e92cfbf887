"""Hooks of mkdocs: pages that are made when the site is built, and links that leave docs/.

Pages link to files of the repository by relative paths, which every viewer of Markdown follows. On the site a page or picture from outside
docs/ has a copy (`COPIES`), a link to a source leads to the page made from it (`MADE_FROM`), and a link to any other file becomes its
name, since there is no address to lead to.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import MutableSet
from pathlib import Path

import guides
import reference
from markdown.extensions import toc
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
COPIES = {  # in the repository -> below docs/
    "README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md",
    "src/relsift/corpora/gazette/GUIDE.md": "gazette.md",
}  # fmt: skip
MADE_FROM = {  # source -> the page that is made from it
    **{f"src/{name.replace('.', '/')}.py": f"reference/api/{page}.md" for page, (_, _, names) in reference.API.items() for name in names},
    "src/relsift/config.py": "reference/configuration.md",
    "src/relsift/cli": "reference/commands.md",
}
PICTURES = "benchmarks/results/plots"
_LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
_FENCED = re.compile(r"(^ *```.*?^ *```$)", re.DOTALL | re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z]+:|#")


def _unique(name: str, taken: MutableSet[str], *_: object) -> str:
    """An anchor as GitHub makes it: a heading that stands twice gets -1 (Markdown's own habit is _1)."""
    number, found = 0, name
    while found in taken or not found:
        number += 1
        found = f"{name}-{number}"
    taken.add(found)
    return found


toc.unique = _unique


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """A page that mkdocs.yml gives no place stands at the end of the navigation, so that a new page is never lost."""
    named = set(re.findall(r": (\S+\.md)$", Path(config.config_file_path).read_text(encoding="utf-8"), re.MULTILINE))
    further = [page.relative_to(config.docs_dir).as_posix() for page in sorted(Path(config.docs_dir).rglob("*.md"))]
    if further := [page for page in further if page not in named]:
        config.nav = [*(config.nav or []), {"More": further}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds what is copied and what is made from the code."""
    for source, target in COPIES.items():
        files.append(File.generated(config, target, content=(ROOT / source).read_text(encoding="utf-8")))
    for picture in sorted((ROOT / PICTURES).glob("*.svg")):
        files.append(File.generated(config, f"plots/{picture.name}", abs_src_path=str(picture)))
    for target, content in reference.pages():
        files.append(File.generated(config, target, content=content))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """The text of a page with its links led to where the site has their targets."""
    place = page.file.src_uri
    source = next((own for own, copy in COPIES.items() if copy == place), f"docs/{place}")
    parts = _FENCED.split(markdown)  # text and fenced blocks by turns
    parts[::2] = [_LINK.sub(lambda link: _led(link, source, place), part) for part in parts[::2]]
    return "".join(parts)


def on_page_content(html: str, *, page: Page, config: MkDocsConfig, **_: object) -> str:
    """Makes the page and its headings known as targets of `guides`."""
    headings = list(page.toc)
    for heading in headings:  # grows
        headings += heading.children
        config.plugins["autorefs"].register_anchor(page, guides.identifier(f"{page.file.src_uri}#{heading.id}"), heading.id)
    if headings:
        config.plugins["autorefs"].register_anchor(page, guides.identifier(page.file.src_uri), headings[0].id)
    return html


def _led(link: re.Match[str], source: str, place: str) -> str:
    mark, text, target = link.groups()
    if _ELSEWHERE.match(target):
        return link[0]
    path, hash_sign, anchor = target.partition("#")
    found = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
    if found.startswith(f"{PICTURES}/"):
        there = f"plots/{posixpath.basename(found)}"
    elif found in COPIES:
        there = COPIES[found]
    elif found in MADE_FROM:
        there = MADE_FROM[found]
    elif found.startswith("docs/"):
        there = found.removeprefix("docs/")
    elif (ROOT / found).exists():
        return text
    else:
        return link[0]  # mkdocs reports it
    return f"{mark}[{text}]({posixpath.relpath(there, posixpath.dirname(place) or '.')}{hash_sign}{anchor})"
