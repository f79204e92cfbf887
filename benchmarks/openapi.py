"""Write docs/openapi.json, the description of the HTTP service, from its code.

    python benchmarks/openapi.py
"""

from __future__ import annotations

from pathlib import Path

from fastapi.testclient import TestClient

from relsift.files import to_json
from relsift.serving.app import create_app
from relsift.serving.limits import Limits
from relsift.serving.metrics import Metrics
from relsift.serving.service import Service

PAGE = Path(__file__).parent.parent / "docs" / "openapi.json"


def main() -> None:
    app = create_app(Service((), Limits(), Metrics.new()))
    PAGE.write_text(to_json(TestClient(app).get("/openapi.json").json()) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
