"""The format `html` of the registry writes the page of sentences."""

from __future__ import annotations

import io

from relsift.registry import find
from relsift.report.sentence_page import write_documents
from relsift.schema import Document, Entity, Relation, Sentence


def test_the_writer_writes_the_page_of_sentences():
    entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    document = Document("d", (Sentence("s", ("Ada", "founded", "Acme"), entities, (Relation(0, 1, "FOUNDED"),)),))
    written, expected = io.StringIO(), io.StringIO()
    find("writer", "html").write([document], written)
    write_documents([document], expected)
    assert written.getvalue() == expected.getvalue()
    assert "FOUNDED" in written.getvalue()
