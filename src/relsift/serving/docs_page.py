"""The page `/docs`: what the service answers, in one page that loads nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from relsift.files import to_json
from relsift.report import html
from relsift.report.blocks import Block, Column, Commands, Paragraph, Report, Section, Table
from relsift.serving.openapi import EXAMPLE

DOCS_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"


def docs_page(schema: Mapping[str, Any]) -> str:
    """The text of the page. Args: schema: an OpenAPI description."""
    schemas = schema["components"]["schemas"]
    operations = [
        Section(f"{method.upper()} {path}", _operation(operation))
        for path, by_method in schema["paths"].items()
        for method, operation in by_method.items()
    ]
    parts = [Section(name, (*_purpose(part), _fields(part))) for name, part in schemas.items() if part.get("properties")]
    curl = "curl -H 'Content-Type: application/json' -d '" + to_json(EXAMPLE, indent=None) + "' http://127.0.0.1:8000/v1/extract"
    top = (Paragraph(schema["info"]["description"]), Commands((curl,)), Paragraph("The same for programs: /openapi.json"))
    return html.report(Report(f"{schema['info']['title']} {schema['info']['version']}: HTTP API", (*operations, *parts), top))


def _operation(operation: Mapping[str, Any]) -> tuple[Block, ...]:
    rows: list[tuple[str, ...]] = []
    if body := operation.get("requestBody"):
        rows.append(("request", "", _kind(body["content"]["application/json"]["schema"])))
    for status, answer in operation["responses"].items():
        content: Mapping[str, Any] = next(iter(answer.get("content", {}).values()), {})
        rows.append((status, answer.get("description", ""), _kind(content.get("schema", {}))))
    return Paragraph(operation.get("description") or operation["summary"]), _table(("", "meaning", "content"), rows)


def _purpose(content: Mapping[str, Any]) -> tuple[Block, ...]:
    return (Paragraph(content["description"]),) if content.get("description") else ()


def _fields(content: Mapping[str, Any]) -> Table:
    required = content.get("required", ())
    rows: list[tuple[str, ...]] = [
        (name, _kind(part), "yes" if name in required else "", part.get("description", "")) for name, part in content["properties"].items()
    ]
    return _table(("field", "type", "required", "meaning"), rows)


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> Table:
    return Table(columns=tuple(Column(title=title, align="left", wrap=True) for title in head), rows=tuple(rows))


def _kind(part: Mapping[str, Any]) -> str:
    """A type in words, such as `list of GivenEntity`."""
    if "$ref" in part:
        return str(part["$ref"]).rpartition("/")[2]
    if "anyOf" in part:
        return " or ".join(dict.fromkeys(map(_kind, part["anyOf"])))
    if "enum" in part:
        return " or ".join(map(str, part["enum"]))
    if part.get("type") == "array":
        return f"list of {_kind(part.get('items', {}))}"
    return str(part.get("type", ""))
