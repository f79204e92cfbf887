"""Structured logs: one JSON object a line on standard error. They never hold a text, a token of a document, or the service's token."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

LOGGER = "relsift.serving"
_FIELDS = "relsift"  # attribute of a record with what stands beside the event


class JsonLines(logging.Formatter):
    """One JSON object a record. Of an exception its kind and places, not its message, which may quote a request."""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields: Mapping[str, Any] = getattr(record, _FIELDS, {})
        line: dict[str, Any] = {"time": time, "level": record.levelname.lower(), "event": record.getMessage(), **fields}
        if record.exc_info and record.exc_info[1] is not None:
            line |= fault(record.exc_info[1])
        return json.dumps(line, ensure_ascii=True)


def fault(error: BaseException) -> dict[str, Any]:
    """An exception without its message."""
    places = [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    return {"exception": type(error).__name__, "places": places[-10:]}


def log(event: str, level: int = logging.INFO, **fields: Any) -> None:
    logging.getLogger(LOGGER).log(level, event, extra={_FIELDS: fields})


def open_logs() -> None:
    """Send what the service and its web server say to standard error. Called once a process, by `relsift serve` alone."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name, level in ((LOGGER, logging.INFO), ("uvicorn.error", logging.WARNING), ("py.warnings", logging.WARNING)):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [handler], False
        logger.setLevel(level)
