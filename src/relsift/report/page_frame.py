"""What every HTML page has around its content. A page needs no network; its security policy allows no script but its own."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping, Sequence
from functools import cache
from html import escape
from importlib.resources import files

_EXPORT = re.compile(r"^export (?=function )", re.MULTILINE)


def page_frame(
    title: str,
    *,
    styles: Sequence[str] = ("page.css",),
    scripts: Sequence[str] = (),
    root: Mapping[str, str] | None = None,
    body: Mapping[str, str] | None = None,
) -> tuple[str, str]:
    """The text before and after the content of `<body>`; the content is to end with a line break.

    Args:
        title: plain text.
        styles: names of style sheets in this package.
        scripts: names of scripts in this package, which become one; modules among them import nothing.
        root, body: further attributes of `<html>` and of `<body>`; name -> plain text.
    """
    code = "".join(_EXPORT.sub("", resource(name)) for name in scripts)
    allowed = f"script-src 'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'; " if code else ""
    policy = f"default-src 'none'; style-src 'unsafe-inline'; {allowed}base-uri 'none'; form-action 'none'"
    before = (
        f'<!DOCTYPE html>\n<html lang="en"{_attributes(root or {})}>\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<title>{escape(title)}</title>\n'
        f"<style>{''.join(map(resource, styles))}</style>\n</head>\n<body{_attributes(body or {})}>\n"
    )
    return before, (f"<script>{code}</script>\n" if code else "") + "</body>\n</html>\n"


@cache
def resource(name: str) -> str:
    """Text of a style sheet or a script of this package."""
    return files("relsift.report").joinpath(name).read_text(encoding="utf-8")


def _attributes(values: Mapping[str, str]) -> str:
    return "".join(f' {name}="{escape(value)}"' for name, value in values.items())
