"""A service in this process, and how tests ask it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx

from relsift.serving.app import create_app
from relsift.serving.limits import Limits
from relsift.serving.metrics import Metrics
from relsift.serving.models import ServedModel
from relsift.serving.service import Service

JSON = {"content-type": "application/json"}


@contextmanager
def serving(*served: ServedModel, allow_origins=(), token: bytes | None = None, **limits: Any) -> Iterator[tuple[Service, Any]]:
    """A service and its application."""
    with Service(served, replace(Limits(), **limits), Metrics.new(), token) as service:
        yield service, create_app(service, allow_origins=allow_origins)


def ask(app: Any, method: str, path: str, **request: Any) -> httpx.Response:
    """One request, without a network."""
    return together(app, (method, path, request))[0]


def together(app: Any, *requests: tuple[str, str, dict[str, Any]]) -> list[httpx.Response]:
    """Requests at one time."""

    async def all_of_them() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url="http://test") as client:
            return await asyncio.gather(*(client.request(method, path, **options) for method, path, options in requests))

    return asyncio.run(all_of_them())
