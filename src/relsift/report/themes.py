"""Colours and fonts of plots: fixed in an SVG file; inside an HTML page those of the page, light or dark."""

from __future__ import annotations

import re

INK, QUIET, RULE, CARD = "#22262b", "#626a72", "#e0ddd4", "#fffefb"
# As --c0 to --c7 in page.css, after Paul Tol's colour-blind-safe schemes; the plots give each its own marker and dashes too.
SERIES = ("#3f7fb5", "#b8860b", "#3d8f63", "#b3567f", "#6b62b5", "#4a9aa5", "#a8603c", "#7a7f86")

_VARIABLES = {INK: "--ink", QUIET: "--quiet", RULE: "--rule", CARD: "--card"} | {c: f"--c{n}" for n, c in enumerate(SERIES)}
_FAMILY = (
    "Inter, system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', "
    "'WenQuanYi Zen Hei', sans-serif"
)


def any_font(svg: str) -> str:
    """matplotlib's SVG with every text left to the reader's fonts, Chinese ones among them; it laid them out with one of its own."""
    return re.sub(r"(<text style=\"[^\"]*?)'DejaVu Sans'", rf"\1{_FAMILY}", svg)


def in_page(svg: str, key: str, alt: str) -> str:
    """An `<svg>` element to stand in a page: its colours follow the page, and its ids begin with `key`, so that no two plots share one.

    Args:
        alt: what it shows, already escaped for an attribute.
    """
    element = re.sub(r"<[^!?][^>]*>", lambda tag: _in_page(tag[0], key), svg[svg.index("<svg") :])
    element = element.replace('<style type="text/css">*{', f'<style type="text/css">#{key} *{{')
    return element.replace("<svg ", f'<svg id="{key}" role="img" aria-label="{alt}" ', 1)


def _in_page(tag: str, key: str) -> str:
    tag = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{key}-", tag)
    return re.sub(r"((?:fill|stroke): )(#[0-9a-f]{6})\b", _as_variable, tag)


def _as_variable(match: re.Match[str]) -> str:
    colour = match[2]
    return f"{match[1]}var({_VARIABLES[colour]}, {colour})" if colour in _VARIABLES else match[0]
