"""The routes that the page at `/` needs beside those of the models: samples, formats, and files in and out."""

from __future__ import annotations

import asyncio
import json
from typing import Annotated, Any

from fastapi import FastAPI, Request, Response
from pydantic import Field
from starlette.requests import ClientDisconnect

from relsift.json_schema import Strict
from relsift.registry import find, table
from relsift.serving import conversion
from relsift.serving.body import read_body
from relsift.serving.openapi import errors
from relsift.serving.problems import as_json
from relsift.serving.requests import _json as body_json, checked
from relsift.serving.samples import samples
from relsift.serving.schemas import Described
from relsift.serving.service import Service

_JSON = "application/json"
_CLOSED = 499  # nobody receives the answer
_MOST_FILES = 200  # of an upload
_AT_ONCE = 2  # conversions under way; the others wait


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


def add_page_routes(app: FastAPI, service: Service) -> None:
    most = service.limits.max_bytes
    free = asyncio.Semaphore(_AT_ONCE)

    @app.get("/v1/samples", tags=["files"], summary="Texts to try a model on", responses=errors(SamplesAnswer))
    async def get_samples() -> Response:
        """In English and Chinese; all in them is invented."""
        return Response(as_json({"samples": await asyncio.to_thread(samples)}), media_type=_JSON)

    @app.get("/v1/formats", tags=["files"], summary="The formats that are read and written", responses=errors(FormatsAnswer))
    async def get_formats() -> Response:
        """Names for `/v1/read` and `/v1/convert`."""
        return Response(as_json(_formats()), media_type=_JSON)

    @app.post("/v1/read", tags=["files"], summary="Read files in any format", responses=errors(ReadAnswer, extract=True))
    async def read(request: Request) -> Response:
        """Body: an object of `files` (name, content in base64) and perhaps `format`. Nothing is kept."""
        try:
            body = await read_body(request, most)
        except ClientDisconnect:
            return Response(status_code=_CLOSED)
        given = checked(ReadRequest, body_json(body))
        files = [(file.name, file.content) for file in given.files]
        async with free:
            records, notes = await asyncio.to_thread(conversion.read_files, files, given.format)
        return Response(as_json({"documents": records, "notes": notes}), media_type=_JSON)

    @app.post("/v1/convert", tags=["files"], summary="Save documents in any format", responses=errors(None, extract=True))
    async def convert(request: Request) -> Response:
        """Body: an object of `documents` (lines of relsift's own format) and `to`. The answer is a file, a zip archive where the format is
        a folder. The header `relsift-notes` lists, as JSON, what the format cannot hold."""
        try:
            body = await read_body(request, most)
        except ClientDisconnect:
            return Response(status_code=_CLOSED)
        given = checked(ConvertRequest, body_json(body))
        async with free:
            made = await asyncio.to_thread(conversion.convert_records, given.documents, given.to)
        headers = {"content-disposition": f'attachment; filename="{made.name}"', "relsift-notes": _short(made.notes)}
        return Response(made.content, media_type="application/octet-stream", headers=headers)


def _short(notes: tuple[str, ...]) -> str:
    """As ASCII, and cut: headers are short."""
    return json.dumps([note[:300] for note in notes[:10]])


def _formats() -> dict[str, Any]:
    readers = [find("reader", name) for name in conversion.reader_names()]
    writers = [find("writer", name) for name in table("writer")]
    return {
        "readers": [{"name": one.name, "summary": one.summary, "suffix": ""} for one in readers],
        "writers": [{"name": one.name, "summary": one.summary, "suffix": one.suffix} for one in writers],
    }
