"""What goes wrong with a request: one shape for all of it, `{"error": {"code", "message", "where"}}`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

CODES: dict[str, int] = {  # code -> HTTP status
    "not_json": 400,  # no UTF-8, no JSON, NaN, a key twice, brackets too deep
    "unauthorized": 401,
    "not_found": 404,
    "unknown_model": 404,
    "method_not_allowed": 405,
    "timeout": 408,
    "too_large": 413,
    "not_json_type": 415,  # of the header Content-Type
    "invalid": 422,  # JSON that is no request, or data that contradicts itself
    "busy": 429,
    "internal": 500,
    "stopping": 503,
    "not_ready": 503,
}
RETRY_AFTER = {"busy": 1, "stopping": 2, "not_ready": 2}  # seconds
FAULT = "the service failed; its log says where"
MOST_QUOTED = 500  # characters of a message, which may quote the request


class Problem(Exception):
    """A request that gets an error as its answer. Args: where: the place in the request, such as `documents.0.tokens`; empty: all of it."""

    def __init__(self, code: str, message: str, where: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.where = code, message, where

    @property
    def status(self) -> int:
        return CODES[self.code]

    def headers(self) -> Mapping[str, str]:
        seconds = RETRY_AFTER.get(self.code)
        found = {} if seconds is None else {"retry-after": str(seconds)}
        return found | ({"www-authenticate": "Bearer"} if self.code == "unauthorized" else {})

    def body(self) -> bytes:
        message = self.message if len(self.message) <= MOST_QUOTED else f"{self.message[:MOST_QUOTED]}…"
        return as_json({"error": {"code": self.code, "message": message, "where": self.where}})


def as_json(value: Any) -> bytes:
    """UTF-8. Raises ValueError for a number that is not finite. Half a character, which a message may quote, becomes a question mark."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")
