"""What `serve_load.py` compares with: a plain handler of FastAPI, one request at a time, with the same model.

    python benchmarks/serve_plain.py MODEL
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel

from relsift import RelationExtractor


class Given(BaseModel):
    id: str
    text: str


class Request(BaseModel):
    documents: list[Given]


def create_app(model: str) -> FastAPI:
    app, extractor = FastAPI(), RelationExtractor.from_pretrained(model)

    @app.post("/v1/extract")
    async def extract(request: Request) -> dict[str, Any]:
        results = []
        for given in request.documents:
            document = extractor(given.text)
            entities = [{"start": e.start, "end": e.end, "type": e.type, "text": e.text, "score": e.score} for e in document.entities]
            relations = [
                {"head": r.head.text, "tail": r.tail.text, "type": r.type, "score": r.score, "probability": r.probability}
                for r in document.relations
            ]
            results.append({"id": given.id, "text": given.text, "entities": entities, "relations": relations})
        return {"model": model, "results": results}

    return app


def main() -> None:
    torch.set_num_threads(1)
    # Named as TCP, or asyncio does not set TCP_NODELAY: the body then waits 40 ms until the client has acknowledged the head.
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.bind(("127.0.0.1", 0))
    listening.listen(2048)  # as many wait as at relsift serve; from here on nobody is refused
    app = create_app(sys.argv[1])
    port = listening.getsockname()[1]
    print(json.dumps({"event": "ready", "address": f"http://127.0.0.1:{port}"}), file=sys.stderr, flush=True)
    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[listening])


if __name__ == "__main__":
    main()
