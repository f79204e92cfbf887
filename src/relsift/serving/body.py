"""The body of a request, as it comes: bounded in bytes, of one type. What is too large is not kept."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request

from relsift.serving.problems import Problem

_JSON = "application/json"
_DISCARDED = 8  # times the limit that is read and thrown away, so that the client hears the answer before the connection closes


async def read_body(request: Request, most: int) -> bytes:
    """Args: most: bytes. Raises Problem for another type or too many bytes; ClientDisconnect if the client hangs up."""
    kind, _, parameters = request.headers.get("content-type", "").partition(";")
    charset = parameters.strip().lower().replace('"', "")
    if kind.strip().lower() != _JSON or charset not in ("", "charset=utf-8", "charset=utf8"):
        raise Problem("not_json_type", f"Content-Type: expected {_JSON} in UTF-8, got {request.headers.get('content-type', 'none')[:80]!r}")
    if (packed := request.headers.get("content-encoding", "identity").strip().lower()) != "identity":
        raise Problem("not_json_type", f"Content-Encoding: expected none, got {packed[:80]!r}; send the JSON as it is")
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size <= most:
            parts.append(part)
        elif size > _DISCARDED * most:
            break
    if size > most:
        raise Problem("too_large", f"body: expected at most {most} bytes, got more; send fewer documents in a request", "body")
    return b"".join(parts)


__all__ = ["ClientDisconnect", "read_body"]
