"""An extension of griffe, which reads docstrings for the site.

Examples become code, the names after "See also" become links, a line names the guide of each class and function, and the comment beside
a field is its description.
"""

from __future__ import annotations

import re
from typing import Any

import griffe
import guides

_COMMENT = re.compile(r"\s#\s+(.+)$")
_FLAG = re.compile(r"\s*# doctest: .+$")
_SEE_ALSO = re.compile(r"^See also: .+$", re.MULTILINE)
_NAME = re.compile(r"`([\w.]+)`")


class Docstrings(griffe.Extension):
    """Our docstrings have examples anywhere in the text, and one comment a field in place of one docstring for all fields."""

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = with_links(with_fences(obj.docstring.value), obj.module.path)
            if obj.parent is not None and obj.parent.is_module and (guide := guides.line_of(obj.path, obj.module.path)):
                obj.docstring.value += f"\n\n{guide}"

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:
        if attr.docstring is None and attr.endlineno and attr.lines and (comment := _COMMENT.search(attr.lines[-1])):
            attr.docstring = griffe.Docstring(comment[1], lineno=attr.endlineno, parent=attr)


def with_fences(text: str) -> str:
    """The text with a fence around each example: the lines from `>>>` to the next empty line."""
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        starts = line.lstrip().startswith(">>> ")
        if starts and not inside:
            indent = line[: len(line) - len(line.lstrip())]
            lines += ["", f"{indent}```pycon"]
            inside = True
        elif inside and not line.strip():
            lines.append(f"{indent}```")
            inside = False
        lines.append(_FLAG.sub("", line) if inside else line)
    return "\n".join([*lines, f"{indent}```"] if inside else lines)


def with_links(text: str, module: str) -> str:
    """The text with a link at each name after "See also", if a page shows it. Args: module: of names without a dot."""

    def link(name: re.Match[str]) -> str:
        path = name[1] if "." in name[1] else f"{module}.{name[1]}"
        return f'<autoref optional identifier="{path}"><code>{name[1]}</code></autoref>'

    return _SEE_ALSO.sub(lambda line: _NAME.sub(link, line[0]), text)
