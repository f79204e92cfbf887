"""A service of this process with its page in a real Chromium, for tests and pictures."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn

from relsift.serving import models
from relsift.serving.app import create_app
from relsift.serving.limits import Limits
from relsift.serving.metrics import Metrics
from relsift.serving.service import Service

VARIABLE = "RELSIFT_CHROMIUM"
_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip


def chromium() -> str | None:
    """The browser that the environment names, or the first on the PATH."""
    named = os.environ.get(VARIABLE)
    return named if named and Path(named).exists() else next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def page_service(*names: str) -> Iterator[tuple[Service, str]]:
    """The service with these models, and its address."""
    loaded = [models.load(name, name, device="cpu", precision="float32", cache_mb=16) for name in names]
    with Service(loaded, Limits(), Metrics.new()) as service, socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(create_app(service), log_config=None, access_log=False, lifespan="off", ws="none", http="h11")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield service, f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(10)


@contextmanager
def opened(browser: Any, address: str, **options: Any) -> Iterator[Any]:
    """The page in a context of its own, once its sample is scored. Errors of its scripts, and what its policy refuses, fail the test."""
    context = browser.new_context(**({"locale": "en-GB", "viewport": {"width": 1280, "height": 900}} | options))
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    refused = "the server responded with a status of 4"  # what a test asks for on purpose
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" and refused not in message.text else None)
    page.on("request", lambda request: faults.append(request.url) if not request.url.startswith((address, "blob:", "data:")) else None)
    try:
        page.goto(address)
        yield page
        assert not faults, faults
    finally:
        context.close()
