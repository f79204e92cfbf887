"""The files of the web page at `/`, from the folder `page` beside this module: `index.html`, and others at `/page/NAME`.

What draws arcs is shared with the pages that relsift writes, and lies beside them.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI, Response
from starlette.responses import RedirectResponse

from relsift.report.page_frame import resource

FOLDER = Path(__file__).parent / "page"
INDEX = "index.html"
SHARED = ("arcs.js", "arcs.css")  # of relsift.report
# Nothing from elsewhere, no inline script or style, no frame around the page.
PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
TYPES = {
    ".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8",
    ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png", ".woff2": "font/woff2",
}  # fmt: skip


def add_page(app: FastAPI, folder: Path = FOLDER) -> None:
    """Serve the files as they are now; without `index.html`, `/` leads to `/docs`."""
    files = {file.name: file for file in sorted(folder.glob("*")) if file.suffix in TYPES and file.is_file()}
    for name, file in files.items():
        _add(app, "/" if name == INDEX else f"/page/{name}", file.read_bytes(), TYPES[file.suffix])
    for name in SHARED:
        _add(app, f"/page/{name}", resource(name).encode(), TYPES[Path(name).suffix])
    if INDEX not in files:

        @app.get("/", include_in_schema=False)
        async def home() -> Response:
            return RedirectResponse("docs")


def _add(app: FastAPI, path: str, content: bytes, kind: str) -> None:
    headers = {"content-type": kind, "content-security-policy": PAGE_POLICY, "cache-control": "no-cache"}

    @app.get(path, include_in_schema=False)
    async def file() -> Response:
        return Response(content, headers=headers)
