"""The OpenAPI description: routes from the code, requests and answers from `relsift.serving.schemas`. docs/openapi.json is a copy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from relsift.serving.page_schemas import ConvertRequest, ReadRequest
from relsift.serving.problems import CODES, RETRY_AFTER
from relsift.serving.schemas import ErrorAnswer, ExtractRequest

TITLE = "relsift"
DESCRIPTION = (
    "Relation extraction: documents in, relations between their entities out. Every error has the same shape, an object `error` with "
    "`code`, `message` and `where`. If the service has a token, requests bear it: `Authorization: Bearer TOKEN`."
)
_REFERENCE = "#/components/schemas/{model}"
EXAMPLE = {"documents": [{"id": "1", "text": "Ida Holm, mayor of Skerrin, lives in Vell."}]}
_REQUESTS = (ExtractRequest, ReadRequest, ConvertRequest)


def body_of(request: type[BaseModel], **example: Any) -> dict[str, Any]:
    """The body of a route that reads it itself, for FastAPI."""
    content = {"schema": {"$ref": _REFERENCE.format(model=request.__name__)}} | example
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


EXTRACT_BODY = body_of(ExtractRequest, example=EXAMPLE)
_OF_ALL = ("unauthorized", "stopping")
_OF_EXTRACT = ("not_json", "unknown_model", "timeout", "too_large", "not_json_type", "invalid", "busy")
_WORDS = {
    400: "No UTF-8 or no JSON", 401: "The token is missing or wrong", 404: "No such model", 408: "It took too long",
    413: "Too many bytes, documents, tokens or entities", 415: "Another type than application/json",
    422: "JSON that is no request, or data that contradicts itself", 429: "Too many requests at a time", 500: "A fault of the service",
    503: "The service starts or stops",
}  # fmt: skip


def errors(answer: type[BaseModel] | None, *, extract: bool = False, only: Sequence[str] = ()) -> dict[int | str, dict[str, Any]]:
    """The answers of a route, for FastAPI. Args: only: codes of its errors, in place of the usual ones."""
    codes = only or (*_OF_ALL, *(_OF_EXTRACT if extract else ()))
    found: dict[int | str, dict[str, Any]] = {} if answer is None else {200: {"model": answer, "description": "The answer"}}
    for status in sorted({CODES[code] for code in codes}):
        found[status] = {"model": ErrorAnswer, "description": _WORDS[status]}
        if status in {CODES[code] for code in RETRY_AFTER}:
            found[status]["headers"] = {"Retry-After": {"description": "Seconds", "schema": {"type": "integer"}}}
    return found


def described(app: FastAPI) -> dict[str, Any]:
    """The description of all routes that are in the schema."""
    schema = app.openapi()
    _, definitions = models_json_schema([(request, "validation") for request in _REQUESTS], ref_template=_REFERENCE)
    components = schema.setdefault("components", {})
    components["schemas"] = dict(sorted((components.get("schemas", {}) | definitions["$defs"]).items()))
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer", "description": "Only if the service has a token."}}
    for path in (name for name in schema["paths"] if name.startswith(("/v1/", "/metrics"))):
        for operation in schema["paths"][path].values():
            operation["security"] = [{}, {"token": []}]
    schema["info"]["description"] = DESCRIPTION
    return schema
