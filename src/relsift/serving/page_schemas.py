"""Requests and answers of the routes that the page at `/` needs (`relsift.serving.page_routes`)."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from relsift.json_schema import Strict
from relsift.serving.schemas import Described

_MOST_FILES = 200  # of an upload


class GivenFile(Strict):
    """A file of an upload."""

    name: str
    content: str = Field(description="Base64.")


class ReadRequest(Strict):
    """Files that belong together, such as the .txt and .ann of brat."""

    files: Annotated[list[GivenFile], Field(min_length=1, max_length=_MOST_FILES)]
    format: str | None = Field(None, description="Name of a reader; left out: the format is recognised.")


class ConvertRequest(Strict):
    """Records to save in a format."""

    documents: Annotated[list[dict[str, Any]], Field(min_length=1, description="Lines of relsift's own format.")]
    to: str = Field(description="Name of a writer.")


class Sample(Described):
    id: str
    language: str
    text: str
    entities: list[dict[str, Any]] = Field(description="Start, end (in characters) and type of each, as people annotated them.")


class SamplesAnswer(Described):
    samples: list[Sample]


class FormatSummary(Described):
    name: str
    summary: str
    suffix: str = Field(description="Of a file in the format; empty: a folder, which comes as a zip archive.")


class FormatsAnswer(Described):
    readers: list[FormatSummary]
    writers: list[FormatSummary]


class ReadAnswer(Described):
    documents: list[dict[str, Any]] = Field(description="Lines of relsift's own format; of raw text, with id and text alone.")
    notes: list[str] = Field(description="What was left out or changed.")
