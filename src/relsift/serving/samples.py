"""Short texts to try a model on, from the corpora that ship with relsift: its own words, of parts that no shipped model was trained on."""

from __future__ import annotations

from functools import cache
from typing import Any

from relsift.corpora.data import resolve
from relsift.schema import Document

_SAMPLES = {"en": ("en-058", "en-054", "en-041"), "zh": ("zh-031", "zh-008", "zh-026")}  # language -> documents of the test part
_SENTENCES = 4  # of each, from the first on


@cache
def samples() -> list[dict[str, Any]]:
    """As `relsift.serving.page_routes.Sample`."""
    return [_sample(document, language) for language, keys in _SAMPLES.items() for document in _documents(language, keys)]


def _documents(language: str, keys: tuple[str, ...]) -> list[Document]:
    by_id = {document.id: document for document in resolve(f"gazette-{language}/test").documents()}
    return [by_id[key] for key in keys]


def _sample(document: Document, language: str) -> dict[str, Any]:
    sentences = document.sentences[:_SENTENCES]
    extent = sentences[-1].extent
    assert extent is not None and document.text is not None  # the corpus keeps its texts
    entities = [
        {"start": span[0], "end": span[1], "type": entity.type}
        for sentence in sentences
        for entity in sentence.entities
        if (span := sentence.characters_of(entity)) is not None
    ]
    return {"id": document.id, "language": language, "text": document.text[: extent[1]], "entities": entities}
