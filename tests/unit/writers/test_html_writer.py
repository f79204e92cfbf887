"""The format `html` of the registry writes the page of sentences."""

from __future__ import annotations

import io
from pathlib import Path

from relsift.omissions import Omissions
from relsift.registry import find
from relsift.report.sentence_page import write_documents
from relsift.schema import Document, Entity, Relation, Sentence


def test_the_writer_writes_the_page_of_sentences(tmp_path: Path):
    entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    document = Document("d", (Sentence("s", ("Ada", "founded", "Acme"), entities, (Relation(0, 1, "FOUNDED"),)),))
    expected = io.StringIO()
    find("writer", "html").write([document], tmp_path / "page.html", Omissions())
    write_documents([document], expected)
    written = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert written == expected.getvalue()
    assert "FOUNDED" in written
