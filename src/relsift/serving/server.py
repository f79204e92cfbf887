"""One process that serves: models, threads and the web server. When it is told to stop, it answers what it has begun."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from multiprocessing import parent_process
from types import FrameType
from typing import Any

import torch
import uvicorn

from relsift.serving import models
from relsift.serving.address import address_of
from relsift.serving.app import create_app
from relsift.serving.logs import log, open_logs
from relsift.serving.metrics import Metrics
from relsift.serving.options import ServeOptions
from relsift.serving.service import Service

_NOTICE = 0.5  # seconds in which new requests still hear that the service stops; then nobody listens any more
_ARRIVING = 0.3  # seconds in which requests of open connections may still arrive, and hear the same
_LAST_WORDS = 2  # seconds for answers that are on their way when all is done
_KEEP_ALIVE = 30  # seconds between two requests on a connection
_SWITCH = 0.001  # seconds; Python's default of 5 ms lets the web server wait for the scoring thread after every read and write
_MOST_HEADERS = 65_536  # bytes
_LOCAL = ("127.", "::1")


class Server(uvicorn.Server):
    """uvicorn, which on a signal first answers what is under way, and tells others that the service stops."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service
        self._told: float | None = None  # when it was told to stop

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal begins the end, a second one makes it come at once. A worker leaves Ctrl-C to its parent, which gets it too."""
        if sig == signal.SIGINT and parent_process() is not None:
            return
        if self._told is not None:
            self.should_exit = self.force_exit = self._service.is_hurried = True
            return
        self._told = time.monotonic()
        self._service.is_stopping = True

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second."""
        if self._told is None and (parent := parent_process()) is not None and not parent.is_alive():
            self.handle_exit(signal.SIGTERM, None)  # nobody else would stop this worker
        if self._told is not None:
            waited = time.monotonic() - self._told
            is_done = self._service.in_flight == 0 and waited >= _NOTICE
            self.should_exit = self.should_exit or is_done or waited >= self._service.limits.stop_timeout
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take in first who is waiting at the door: the system would reset connections that nobody has accepted when the door closes."""
        if not self.force_exit:
            for listening in sockets or ():
                await self._accept_waiting(listening)
            for server in self.servers:
                server.close()
            await asyncio.sleep(_ARRIVING)
        await super().shutdown(sockets)

    async def _accept_waiting(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listening.fileno())
        listening.listen(0)  # so hardly anybody comes between the last one and the closing
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:  # nobody waits any more
                return
            connection.setblocking(False)
            await loop.connect_accepted_socket(self._protocol, connection)

    def _protocol(self) -> asyncio.Protocol:
        """As uvicorn makes it for a connection that it accepts itself."""
        protocol: Any = self.config.http_protocol_class
        made: asyncio.Protocol = protocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)
        return made


def run(options: ServeOptions, listening: socket.socket, *, metrics_folder: str | None = None) -> None:
    """Serve until a signal says to stop. Raises CheckpointError or ConfigError for models that cannot be loaded."""
    sys.setswitchinterval(_SWITCH)
    torch.set_num_threads(options.threads_of_a_worker)
    loaded = [
        models.load(
            name, folder, device=options.device, precision=options.precision, entities_from=options.entities_from, types=options.types,
            cache_mb=options.cache_mb,
        )
        for name, folder in options.models
    ]  # fmt: skip
    open_logs()
    service = Service(loaded, options.limits, Metrics.new(metrics_folder), options.token)
    config = uvicorn.Config(
        create_app(service, allow_origins=options.allow_origins), log_config=None, access_log=False, server_header=False, lifespan="off",
        timeout_keep_alive=_KEEP_ALIVE, timeout_graceful_shutdown=_LAST_WORDS, ws="none", h11_max_incomplete_event_size=_MOST_HEADERS,
        proxy_headers=False, http="h11",
    )  # fmt: skip
    names = [name for name, _ in options.models]
    with service:
        if options.token is None and not str(listening.getsockname()[0]).startswith(_LOCAL):
            log("open to the network without a token", logging.WARNING, host=options.host)
        log("ready", address=address_of(listening), models=names, workers=options.workers, token=options.token is not None)
        Server(config, service).run(sockets=[listening])
        log("stopped", in_flight=service.in_flight)
    if service.is_scoring:
        sys.stderr.flush()
        os._exit(0)  # torch ends the process by abort() if one of its threads is at work while Python shuts down
