"""The routes. Each answers JSON; what goes wrong has one shape (`relsift.serving.problems`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

from relsift import __version__
from relsift.serving.body import ClientDisconnect, read_body
from relsift.serving.docs_page import DOCS_POLICY, docs_page
from relsift.serving.metrics import MEDIA_TYPE
from relsift.serving.middleware import Middleware
from relsift.serving.openapi import EXTRACT_BODY, TITLE, described, errors
from relsift.serving.page_routes import add_page_routes
from relsift.serving.problems import FAULT, Problem, as_json
from relsift.serving.requests import extraction_of
from relsift.serving.schemas import ExtractAnswer, ModelsAnswer, StatusAnswer
from relsift.serving.service import Service
from relsift.serving.static_page import add_page

_CLOSED = 499  # status in the log of a request whose client hung up; nobody receives it
_JSON = "application/json"


def create_app(service: Service, *, allow_origins: Sequence[str] = ()) -> ASGIApp:
    """The ASGI application. Args: allow_origins: of pages in browsers that may ask this service, beside its own."""
    app = FastAPI(title=TITLE, version=__version__, docs_url=None, redoc_url=None, openapi_url=None)
    _add_models(app, service)
    _add_probes(app, service)
    add_page_routes(app, service)
    schema = described(app)

    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return Response(as_json(schema), media_type=_JSON)

    page = docs_page(schema)

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(page, headers={"content-security-policy": DOCS_POLICY})

    add_page(app)
    _add_error_answers(app)
    inner: ASGIApp = app
    if allow_origins:
        inner = CORSMiddleware(
            app, allow_origins=list(allow_origins), allow_methods=["GET", "POST"], allow_headers=["authorization", "content-type"]
        )
    return Middleware(inner, service)


def _add_models(app: FastAPI, service: Service) -> None:
    answers = errors(ExtractAnswer, extract=True)

    @app.post("/v1/extract", tags=["relations"], summary="Find relations", responses=answers, openapi_extra=EXTRACT_BODY)
    async def extract(request: Request) -> Response:
        """Relations of texts, or between the entities of annotated sentences. Documents with `entities` keep them; in others they are
        found, if the model can."""
        limits = service.limits
        if service.extractions >= limits.queue:
            raise Problem("busy", f"the service works on {limits.queue} requests, the most it takes; ask again after a second")
        service.extractions += 1
        try:
            async with asyncio.timeout(limits.timeout):
                return await _extract(service, request)
        except TimeoutError as error:
            raise Problem("timeout", f"expected a request that takes at most {limits.timeout:g} s; send fewer documents in one") from error
        except asyncio.CancelledError as error:  # by the web server, whose own answer would be a bare 500
            if not service.is_stopping:
                raise
            raise Problem("stopping", "the service ends before this request has its answer; ask again, or ask another one") from error
        finally:
            service.extractions -= 1

    @app.get("/v1/models", tags=["relations"], summary="The models and the limits", responses=errors(ModelsAnswer))
    async def models() -> Response:
        """What each model knows and needs, and what a request may hold."""
        return Response(as_json(service.summary()), media_type=_JSON)


async def _extract(service: Service, request: Request) -> Response:
    try:
        body = await read_body(request, service.limits.max_bytes)
    except ClientDisconnect:
        return Response(status_code=_CLOSED)
    extraction = extraction_of(body, service.limits)
    request.scope["relsift"] = {"bytes": len(body), "documents": len(extraction.documents), "work": extraction.work}
    finished = await _unless_closed(service.extract(extraction), request)
    if finished is None:
        return Response(status_code=_CLOSED)
    name, answer = finished
    request.scope["relsift"]["model"] = name
    return Response(answer, media_type=_JSON)


async def _unless_closed(work: Coroutine[Any, Any, tuple[str, bytes]], request: Request) -> tuple[str, bytes] | None:
    """The result, or None if the client hangs up before; then the work is cancelled. The body has been read, so nothing else can come."""
    answer, closed = asyncio.ensure_future(work), asyncio.ensure_future(_closed(request))
    try:
        await asyncio.wait((answer, closed), return_when=asyncio.FIRST_COMPLETED)
        return answer.result() if answer.done() else None
    finally:
        answer.cancel()
        closed.cancel()


async def _closed(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _add_probes(app: FastAPI, service: Service) -> None:
    @app.get("/healthz", tags=["operation"], summary="Whether the process works", responses=errors(StatusAnswer, only=("internal",)))
    async def healthz() -> Response:
        """For a supervisor that restarts the process: 500 if a restart is needed."""
        return _status(service.is_alive, "internal", "a scoring thread has ended; restart the service")

    @app.get("/readyz", tags=["operation"], summary="Whether requests are taken", responses=errors(StatusAnswer, only=("not_ready",)))
    async def readyz() -> Response:
        """For a load balancer: 503 while the service starts or stops."""
        return _status(service.is_ready, "not_ready", "the service takes no requests now")

    @app.get(
        "/metrics", tags=["operation"], summary="Figures for Prometheus", response_class=Response,
        responses=errors(None, only=("unauthorized",)) | {200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    )  # fmt: skip
    async def metrics() -> Response:
        """Requests, times, batches. Of several workers, of all together."""
        return Response(service.metrics.text(), headers={"content-type": MEDIA_TYPE})


def _status(is_well: bool, code: str, message: str) -> Response:
    if not is_well:
        raise Problem(code, message)
    return Response(as_json({"status": "ok"}), media_type=_JSON)


def _add_error_answers(app: FastAPI) -> None:
    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        request.scope.setdefault("relsift", {})["code"] = error.code
        return Response(error.body(), error.status, headers=dict(error.headers()), media_type=_JSON)

    async def of_framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status_code, "invalid")
        messages = {
            "not_found": "expected a path that /docs lists, got another one",
            "method_not_allowed": f"expected a method that /docs lists for this path, got {request.method[:10]}",
        }
        answer = Problem(code, messages.get(code, f"expected a request that /docs describes, got {error.detail}"))
        headers = {**answer.headers(), **(error.headers or {})}
        return Response(answer.body(), error.status_code, headers=headers, media_type=_JSON)

    async def fault(request: Request, error: Exception) -> Response:
        return Response(Problem("internal", FAULT).body(), 500, media_type=_JSON)  # the middleware logs it

    handlers: dict[type[Exception], Callable[[Request, Exception], Coroutine[Any, Any, Response]]] = {
        Problem: problem, HTTPException: of_framework, Exception: fault,
    }  # fmt: skip
    for kind, handler in handlers.items():
        app.add_exception_handler(kind, handler)
