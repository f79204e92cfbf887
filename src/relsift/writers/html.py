"""HTML: one self-contained page of all sentences with coloured entities and an arc for every relation."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from relsift.omissions import Omissions
from relsift.schema import Document
from relsift.writers.base import Writer
from relsift.writers.content import ALL


def write(documents: Iterable[Document], target: Path, left_out: Omissions) -> None:
    """The page. All sentences are held in memory, since its top has their numbers."""
    from relsift.report.sentence_page import write_documents  # needed by no `--help`

    with target.open("w", encoding="utf-8", newline="\n") as stream:
        write_documents(documents, stream)


WRITER = Writer(
    name="html", summary="one self-contained page with entities and relation arcs", suffix=".html", write=write,
    keeps=ALL - {"tags", "trees", "across", "concepts", "concept_relations", "evidence"},
)  # fmt: skip
