"""relsift serve"""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from relsift.cli import prediction_options, text_options

_NEEDED = ("fastapi", "uvicorn", "prometheus_client")


def command(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN…", help="Run or model folders, NAME=RUN to name one, or demo-en, demo-zh. The first is the default."),
    ],
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is open to the network.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 for any that is free.")] = 8000,
    workers: Annotated[int, typer.Option(min=1, max=256, help="Processes, each with all models.")] = 1,
    threads: Annotated[
        int | None, typer.Option(min=1, help="Threads of torch in a process; the processors shared among the workers if left out.")
    ] = None,
    token_file: Annotated[
        Path | None, typer.Option(help="File with the token that requests must bear; RELSIFT_TOKEN in the environment if left out.")
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="ORIGIN", show_default=False, help="Site whose pages may ask, as https://example.org. May be repeated."),
    ] = None,
    max_kb: Annotated[int, typer.Option(help="Most kilobytes of a request.")] = 1024,
    max_documents: Annotated[int, typer.Option(help="Most documents of a request.")] = 256,
    max_tokens: Annotated[int, typer.Option(help="Most tokens of a document.")] = 20_000,
    max_entities: Annotated[int, typer.Option(help="Most entities that a document may bring.")] = 300,
    timeout: Annotated[float, typer.Option(help="Seconds that a request may take.")] = 30.0,
    queue: Annotated[int, typer.Option(help="Most requests at a time, waiting ones included; further ones get 429.")] = 256,
    batch_wait: Annotated[float, typer.Option(help="Milliseconds that a request waits for others, to be scored together.")] = 2.0,
    batch_work: Annotated[int, typer.Option(help="Most tokens and pairs scored together; 0 scores each request alone.")] = 2048,
    stop_timeout: Annotated[float, typer.Option(help="Seconds for requests under way when told to stop (SIGTERM).")] = 30.0,
    entities_from: text_options.EntitiesFrom = None,
    types: text_options.Types = None,
    cache_mb: Annotated[float, typer.Option(min=0, help="Memory of each model for what it remembers of words, in megabytes.")] = 256,
    device: prediction_options.Device = "cpu",
    precision: prediction_options.Precision = "float32",
) -> None:
    """Answer HTTP requests: texts or annotated sentences in, relations out. Needs `pip install 'relsift[serve]'`."""
    from relsift.errors import ConfigError

    for name in _NEEDED:
        if find_spec(name) is None:
            raise ConfigError(f"relsift serve: expected the package {name} to be installed, got none; pip install 'relsift[serve]'")
    from relsift.serving import options
    from relsift.serving import workers as processes
    from relsift.serving.limits import Limits

    limits = Limits(
        max_kb=max_kb, max_documents=max_documents, max_tokens=max_tokens, max_entities=max_entities, timeout=timeout, queue=queue,
        batch_wait=batch_wait, batch_work=batch_work, stop_timeout=stop_timeout,
    )  # fmt: skip
    found_by = text_options.entity_source(entities_from or (), types, "--entities-from")
    processes.serve(
        options.ServeOptions(
            models=options.named(runs), host=host, port=port, workers=workers, threads=threads, device=device,
            precision=prediction_options.as_precision(precision), cache_mb=cache_mb,
            entities_from=() if found_by is None else found_by.specs, types=None if found_by is None else found_by.types,
            token=options.read_token(token_file, os.environ), allow_origins=options.checked_origins(allow_origin or ()), limits=limits,
        )
    )  # fmt: skip
