"""A hub of Hugging Face on the loopback interface: what fetching and publishing a model asks for, and nothing else."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import unquote

COMMIT = "c" * 40


class Hub(ThreadingHTTPServer):
    """`files` are those of the only model, `owner/model`; `asked` has the path and the token of each request."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    server: Hub

    def log_message(self, *_: Any) -> None:
        """Nothing: tests print nothing."""

    def do_GET(self) -> None:
        path = self._asked()
        if path.startswith("/api/models/owner/model/revision/"):
            if path.rpartition("/")[2] not in ("main", COMMIT):
                return self._answer(404, {}, **{"X-Error-Code": "RevisionNotFound"})
            siblings = [{"rfilename": name} for name in self.server.files]
            return self._answer(200, {"id": "owner/model", "sha": COMMIT, "siblings": siblings})
        if path == f"/api/models/owner/model/tree/{COMMIT}":
            files = self.server.files.items()
            return self._answer(200, [{"type": "file", "path": name, "size": len(body), "oid": "0" * 40} for name, body in files])
        name = path.removeprefix(f"/owner/model/resolve/{COMMIT}/")
        if name in self.server.files:
            body = self.server.files[name]
            return self._send(200, body, ETag=f'"{hashlib.sha1(body).hexdigest()}"', **{"X-Repo-Commit": COMMIT})
        return self._answer(404, {}, **{"X-Error-Code": "RepoNotFound"})

    do_HEAD = do_GET

    def do_POST(self) -> None:
        path, body = self._asked(), self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if path == "/api/validate-yaml":
            return self._answer(200, {"errors": [], "warnings": []})
        if path == "/api/repos/create":
            return self._answer(200, {"url": f"{self.server.address}/owner/model", "name": "owner/model"})
        if path == "/api/models/owner/model/preupload/main":
            files = [{"path": each["path"], "uploadMode": "regular", "shouldIgnore": False} for each in json.loads(body)["files"]]
            return self._answer(200, {"files": files})
        if path == "/api/models/owner/model/commit/main":
            for line in body.splitlines():
                entry = json.loads(line)
                if entry["key"] == "file":
                    self.server.files[entry["value"]["path"]] = base64.b64decode(entry["value"]["content"])
            address = f"{self.server.address}/owner/model/commit/{COMMIT}"
            return self._answer(200, {"commitUrl": address, "commitOid": COMMIT, "success": True})
        return self._answer(403, {"error": f"no {self.headers.get('Authorization')}"})

    def _asked(self) -> str:
        path = unquote(self.path.partition("?")[0])
        self.server.asked.append((path, self.headers.get("Authorization")))
        return path

    def _answer(self, status: int, value: Any, **headers: str) -> None:
        self._send(status, json.dumps(value).encode(), **{"Content-Type": "application/json"} | headers)

    def _send(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def running_hub() -> Iterator[Hub]:
    """A hub that answers within the block."""
    hub = Hub()
    thread = Thread(target=hub.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        hub.shutdown()
        hub.server_close()
        thread.join()
