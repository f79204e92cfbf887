"""The routes that the page at `/` needs beside those of the models: samples, formats, and files in and out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.requests import ClientDisconnect

from relsift.registry import find, table
from relsift.serving import conversion
from relsift.serving.body import read_body
from relsift.serving.openapi import body_of, errors
from relsift.serving.page_schemas import ConvertRequest, FormatsAnswer, ReadAnswer, ReadRequest, SamplesAnswer
from relsift.serving.problems import as_json
from relsift.serving.requests import body_json, checked
from relsift.serving.samples import samples
from relsift.serving.service import Service

_JSON = "application/json"
_CLOSED = 499  # nobody receives the answer
_FILE: Any = {"description": "The file", "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
_PROBLEMS = ("not_json", "unauthorized", "too_large", "not_json_type", "invalid", "stopping")
_MOST_NOTES, _LONGEST_NOTE = 10, 300  # in a header; characters
_AT_ONCE = 2  # conversions under way; the others wait


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

    @app.post(
        "/v1/read", tags=["files"], summary="Read files in any format", responses=errors(ReadAnswer, only=_PROBLEMS),
        openapi_extra=body_of(ReadRequest),
    )  # fmt: skip
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

    @app.post(
        "/v1/convert", tags=["files"], summary="Save documents in any format", response_class=Response,
        responses=errors(None, only=_PROBLEMS) | {200: _FILE},
        openapi_extra=body_of(ConvertRequest),
    )  # fmt: skip
    async def convert(request: Request) -> Response:
        """Body: an object of `documents` (lines of relsift's own format) and `to`. The answer is a file, a zip archive where the format is
        a folder. The header `relsift-notes` lists, as JSON, what the format cannot hold: ten notes at most, each cut after 300 characters.
        `relsift-more-notes` counts the others."""
        try:
            body = await read_body(request, most)
        except ClientDisconnect:
            return Response(status_code=_CLOSED)
        given = checked(ConvertRequest, body_json(body))
        async with free:
            made = await asyncio.to_thread(conversion.convert_records, given.documents, given.to)
        headers = {
            "content-disposition": f'attachment; filename="{made.name}"', "relsift-notes": _short(made.notes),
            "relsift-more-notes": str(max(0, len(made.notes) - _MOST_NOTES)),
        }  # fmt: skip
        return Response(made.content, media_type="application/octet-stream", headers=headers)


def _short(notes: tuple[str, ...]) -> str:
    """As ASCII, and cut: headers are short."""
    return json.dumps([note if len(note) <= _LONGEST_NOTE else f"{note[:_LONGEST_NOTE]}…" for note in notes[:_MOST_NOTES]])


def _formats() -> dict[str, Any]:
    readers = [find("reader", name) for name in conversion.reader_names()]
    writers = [find("writer", name) for name in table("writer")]
    return {
        "readers": [{"name": one.name, "summary": one.summary, "suffix": ""} for one in readers],
        "writers": [{"name": one.name, "summary": one.summary, "suffix": one.suffix} for one in writers],
    }
