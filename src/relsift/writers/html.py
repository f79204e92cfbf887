"""HTML: one self-contained page of all sentences with coloured entities and an arc for every relation."""

from __future__ import annotations

from relsift.report.sentence_page import write_documents
from relsift.writers.base import Writer

WRITER = Writer(name="html", summary="one self-contained page with entities and relation arcs", suffix=".html", write=write_documents)
