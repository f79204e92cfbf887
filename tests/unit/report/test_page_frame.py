"""The frame of every HTML page: its security policy, and attributes and titles that stay text."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest

from relsift.report.page_frame import page_frame, resource


def test_a_page_without_a_script_allows_none():
    before, after = page_frame("t")
    assert "<script" not in before + after and "script-src" not in before
    assert "default-src 'none'" in before and resource("page.css") in before
    assert before.startswith("<!DOCTYPE html>") and after == "</body>\n</html>\n"


def test_a_script_stands_after_the_content_and_is_named_by_its_hash():
    before, after = page_frame("t", scripts=("arcs.js", "page.js"))
    code = after.removeprefix("<script>").removesuffix("</script>\n</body>\n</html>\n")
    checksum = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert f"script-src 'sha256-{checksum}'" in before and "<script" not in before + code
    assert code.endswith(resource("page.js"))
    assert not re.search(r"^(import|export)\b", code, re.MULTILINE)  # a script is no module


@pytest.mark.parametrize("text", ["</title><script>", '"><b>', "a & b"])
def test_titles_and_attributes_are_escaped(text: str):
    before, _ = page_frame(text, root={"data-x": text}, body={"class": text})
    head = before.replace(resource("page.css"), "")
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
    assert text not in head
    assert f"<title>{escaped}</title>" in head
    assert f'<html lang="en" data-x="{escaped}">' in head and f'<body class="{escaped}">' in head


def test_style_sheets_stand_in_the_order_given():
    before, _ = page_frame("t", styles=("page.css", "report.css"))
    assert f"<style>{resource('page.css')}{resource('report.css')}</style>" in before
