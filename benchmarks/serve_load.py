"""Load of `relsift serve` on this machine: latency and throughput with and without micro-batching, and of a plain handler; what is lost at
a stop; memory over minutes. Writes benchmarks/results/serving.json.

    python benchmarks/serve_load.py [--quick] [--seconds 5] [--minutes 10] [--only memory]

The *plain* handler is what one writes without a service: FastAPI, the same model, one request at a time (`serve_plain.py`). All servers
run in a process of their own, one thread of torch each; the clients share one further process and ask again as soon as they have an
answer (closed loop).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from measure import machine, print_table

from relsift.files import write_json

RESULTS = Path(__file__).parent / "results" / "serving.json"
MODEL = "demo-en"
CLIENTS = (1, 8, 64)
SHORT = "Ida Holm, mayor of Skerrin, lives in Vell and her sister owns the ferry."
LONG = " ".join([SHORT, "The engineer inspected the harbour in Skerrin on Monday."] * 10)
TEXTS = {"short": SHORT, "long": LONG}
SERVERS = {
    "batched": ["-m", "relsift", "serve", MODEL, "--port", "0", "--threads", "1"],
    "unbatched": ["-m", "relsift", "serve", MODEL, "--port", "0", "--threads", "1", "--batch-work", "0"],
    "plain": [str(Path(__file__).parent / "serve_plain.py"), MODEL],
}
WARM_UP = 0.5  # seconds before the clock starts
STOP_CLIENTS = 16


@contextmanager
def server(name: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """The process and its port, once it answers."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen([sys.executable, *SERVERS[name]], stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if '"ready"' in line:
                port = int(json.loads(line)["address"].rpartition(":")[2])
                break
        else:
            raise SystemExit(f"{name}: the server ended with status {process.wait()}")
        drain = subprocess.Popen(["cat"], stdin=process.stderr, stdout=subprocess.DEVNULL)  # else its log would fill the pipe
        yield process, port
    finally:
        process.terminate()
        process.wait(60)
        drain.wait(10)


def request_of(text: str, number: int = 0) -> bytes:
    body = json.dumps({"documents": [{"id": str(number), "text": text}]}).encode()
    head = f"POST /v1/extract HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


class Client:
    """One connection, kept open. A whole HTTP library would take more time than the server."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, request: bytes) -> tuple[str, bytes]:
        """An outcome and the body: a status; `refused` if nobody listens; `lost` if the connection ends after the request was sent."""
        if self.writer is None:
            try:
                self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                return "refused", b""
        assert self.reader is not None
        try:
            self.writer.write(request)
            head = (await self.reader.readuntil(b"\r\n\r\n")).decode().lower()
            size = int(head.partition("content-length:")[2].partition("\r\n")[0])
            body = await self.reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError):
            self.writer = None
            return "lost", b""
        if "connection: close" in head:
            self.writer.close()
            self.writer = None
        return head.split(" ", 2)[1], body


async def load(process: subprocess.Popen[str], port: int, text: str, clients: int, seconds: float) -> dict[str, Any]:
    """Closed loop: latencies in milliseconds, answers a second, and the server's CPU time of an answer in milliseconds.

    CPU time depends little on what else the machine does.
    """
    measured, spent = psutil.Process(process.pid), list[float]()
    times: list[float] = []
    outcomes: Counter[str] = Counter()
    started = time.perf_counter() + WARM_UP
    end = started + seconds

    async def loop(number: int) -> None:
        client, request = Client(port), request_of(text, number)
        while (before := time.perf_counter()) < end:
            outcome, _ = await client.ask(request)
            after = time.perf_counter()
            if before >= started:
                times.append(1000 * (after - before))
                outcomes[outcome] += 1

    async def watch() -> None:
        for moment in (started, end):
            await asyncio.sleep(moment - time.perf_counter())
            spent.append(sum(measured.cpu_times()[:2]))

    await asyncio.gather(watch(), *(loop(number) for number in range(clients)))
    if not times:
        raise SystemExit(f"{clients} clients: expected answers within {seconds:g} s, got none; give more --seconds")
    p50, p95, p99 = np.percentile(times, (50, 95, 99)).tolist()
    return {
        "clients": clients, "answers": len(times), "per_second": len(times) / seconds, "p50": p50, "p95": p95, "p99": p99,
        "cpu": 1000 * (spent[1] - spent[0]) / len(times), "outcomes": dict(outcomes),
    }  # fmt: skip


async def warm_up(port: int) -> None:
    """What is loaded with the first requests is not measured."""
    client = Client(port)
    for number in range(5):
        for text in TEXTS.values():
            await client.ask(request_of(text, number))


async def stop(process: subprocess.Popen[str], port: int, after: float) -> dict[str, Any]:
    """What becomes of requests when the server is told to stop under load. Each client ends with the first answer that is not 200."""
    outcomes: Counter[str] = Counter()
    told: list[float] = []

    async def loop(number: int) -> None:
        client, request = Client(port), request_of(SHORT, number)
        while True:
            outcome, body = await client.ask(request)
            if outcome == "200" and json.loads(body)["results"][0]["id"] != str(number):
                outcome = "wrong"
            outcomes[outcome] += 1
            if outcome in ("refused", "lost", "wrong") or (outcome == "503" and told and time.perf_counter() - told[0] > 2):
                return
            if outcome == "503":
                await asyncio.sleep(0.01)

    async def tell() -> None:
        await asyncio.sleep(after)
        told.append(time.perf_counter())
        process.send_signal(signal.SIGTERM)

    await asyncio.gather(tell(), *(loop(number) for number in range(STOP_CLIENTS)))
    status = await asyncio.to_thread(process.wait, 60)
    return {"clients": STOP_CLIENTS, "outcomes": dict(outcomes), "exit_status": status, "seconds": time.perf_counter() - told[0]}


async def memory(process: subprocess.Popen[str], port: int, seconds: float) -> dict[str, Any]:
    """Resident memory in MiB at ten times, under a load of ever new words."""
    sizes: list[float] = []
    measured = psutil.Process(process.pid)
    end = time.perf_counter() + seconds
    asked = 0

    async def loop(number: int) -> None:
        nonlocal asked
        client = Client(port)
        while time.perf_counter() < end:
            asked += 1
            await client.ask(request_of(f"{SHORT} Word{asked} met Name{asked} in Town{asked}.", number))

    async def watch() -> None:
        for part in range(10):
            await asyncio.sleep(max(0.0, end - seconds * (9 - part) / 10 - time.perf_counter()))
            sizes.append(measured.memory_info().rss / 2**20)

    await asyncio.gather(watch(), *(loop(number) for number in range(8)))
    return {"minutes": seconds / 60, "answers": asked, "mib": [round(size, 1) for size in sizes]}


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="a second each, to see that it works; writes nothing")
    options.add_argument("--seconds", type=float, default=5.0, help="of each load")
    options.add_argument("--minutes", type=float, default=10.0, help="of the memory measurement")
    options.add_argument("--only", choices=("memory",), help="this part anew; the others stay as they were")
    chosen = options.parse_args()
    seconds, minutes = (1.0, 0.1) if chosen.quick else (chosen.seconds, chosen.minutes)
    figures: dict[str, Any] = {}
    if chosen.only is None:
        loads = all_loads(seconds)
        with server("batched") as (process, port):
            stopped = asyncio.run(stop(process, port, min(2.0, seconds)))
        print("stop:", stopped)
        figures = {"characters": {kind: len(text) for kind, text in TEXTS.items()}, "loads": loads, "stop": stopped}
    with server("batched") as (process, port):
        grown = asyncio.run(memory(process, port, 60 * minutes))
    print("memory:", grown)
    if chosen.quick:
        return
    if chosen.only is None:
        command = f"python benchmarks/serve_load.py --seconds {seconds:g} --minutes {minutes:g}"
        write_json(RESULTS, {"command": command, "machine": machine(), "figures": figures | {"memory": grown}})
    else:
        content = json.loads(RESULTS.read_text(encoding="utf-8"))
        grown["command"] = f"python benchmarks/serve_load.py --only memory --minutes {minutes:g}"
        write_json(RESULTS, content | {"figures": content["figures"] | {"memory": grown}})


def all_loads(seconds: float) -> list[dict[str, Any]]:
    """Every server, text and number of clients. Args: seconds: of each."""
    loads = []
    for name in SERVERS:
        with server(name) as (process, port):
            asyncio.run(warm_up(port))
            for kind, text in TEXTS.items():
                for clients in CLIENTS:
                    loads.append({"server": name, "text": kind, **asyncio.run(load(process, port, text, clients, seconds))})
    numbers = ("per_second", "p50", "p95", "p99", "cpu")
    rows = [[one["server"], one["text"], one["clients"], *(f"{one[name]:.1f}" for name in numbers), one["outcomes"]] for one in loads]
    print_table(["server", "text", "clients", "answers/s", "p50 ms", "p95 ms", "p99 ms", "CPU ms", "outcomes"], rows)
    return loads


if __name__ == "__main__":
    main()
