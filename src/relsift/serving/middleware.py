"""What every request passes through: the token, the end of the service, security headers, logs and figures, and errors of ours."""

from __future__ import annotations

import hmac
import logging
from collections.abc import MutableMapping
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from relsift.serving.logs import fault, log
from relsift.serving.problems import FAULT, Problem
from relsift.serving.service import Service

POLICY = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_NEEDS_TOKEN = ("/v1/", "/metrics")  # what begins so; pages and probes tell nothing
_STILL_ANSWERED = ("/healthz", "/readyz", "/metrics")  # while the service stops
_PATHS = (
    "/v1/extract", "/v1/models", "/v1/samples", "/v1/formats", "/v1/read", "/v1/convert", "/healthz", "/readyz", "/metrics", "/docs",
    "/openapi.json", "/",
)  # fmt: skip


class _ConnectionEnded(Exception):
    """The answer cannot be sent: the client has hung up, or its body broke the protocol while it was read."""


class Middleware:
    """ASGI around ASGI."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        service, started = self.service, self.service.clock()
        answer: dict[str, int] = {}

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
                message["headers"] = self._headers(message)
            try:
                await send(message)
            except Exception as error:
                raise _ConnectionEnded from error
            answer["is_whole"] = message["type"] == "http.response.body" and not message.get("more_body", False)

        service.in_flight += 1
        service.metrics.in_flight.inc()
        try:
            if (problem := self._refusal(scope)) is not None:
                await answer_problem(problem, send_with_headers)
            else:
                await self.app(scope, receive, send_with_headers)
        except _ConnectionEnded as error:
            log("connection ended", exception=type(error.__cause__).__name__)
        except Exception as error:
            log("fault", logging.ERROR, **fault(error))
            if "status" not in answer:
                await answer_problem(Problem("internal", FAULT), send_with_headers)
            elif not answer.get("is_whole"):  # half an answer is out: the connection has to end
                raise
        finally:
            service.in_flight -= 1
            service.metrics.in_flight.dec()
            self._note(scope, answer.get("status", 0), service.clock() - started)

    def _refusal(self, scope: Scope) -> Problem | None:
        path = scope["path"]
        if self.service.is_stopping and path not in _STILL_ANSWERED:
            return Problem("stopping", "the service is about to stop; ask again, or ask another one")
        if self.service.token is None or not path.startswith(_NEEDS_TOKEN) or scope["method"] == "OPTIONS":
            return None
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        kind, _, token = given.partition(b" ")
        if kind.lower() == b"bearer" and hmac.compare_digest(token.strip(), self.service.token):
            return None
        return Problem("unauthorized", "Authorization: expected the token of this service, got " + ("another one" if given else "none"))

    def _headers(self, message: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
        headers = [*message.get("headers", ()), *_HEADERS]
        names = {name for name, _ in headers}
        if b"content-security-policy" not in names:
            headers.append((b"content-security-policy", POLICY.encode()))
        if b"cache-control" not in names:
            headers.append((b"cache-control", b"no-store"))
        if self.service.is_stopping:
            headers.append((b"connection", b"close"))
        return headers

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        """Paths that nobody serves are not logged as they are: they may hold anything."""
        path = scope["path"] if scope["path"] in _PATHS else "other"
        self.service.metrics.requests.labels(path, str(status)).inc()
        self.service.metrics.seconds.labels(path).observe(seconds)
        fields: dict[str, Any] = {"method": scope["method"] if scope["method"].isalpha() else "other", "path": path, "status": status}
        log("request", **fields, seconds=round(seconds, 4), **scope.get("relsift", {}))


async def answer_problem(problem: Problem, send: Send) -> None:
    body = problem.body()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    headers += [(name.encode(), value.encode()) for name, value in problem.headers().items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
