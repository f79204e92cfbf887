"""Requests right and wrong to a real process of `relsift serve`: every one has to be answered, and none by a status of 5xx.

    python benchmarks/serve_fuzz.py [--requests 8000] [--seed 0] [--quick]

Four kinds, each a quarter of the requests:
described  made by schemathesis from the service's own OpenAPI, half of them as described and half not
extract    right requests for relations of which a few places are changed: another type, hostile text, numbers beyond all limits, depth
files      samples of every reader, as they are or with changed bytes, lines and names, to be read; what came of them, changed, to be saved
raw        bytes that are hardly HTTP or JSON: methods, paths, headers, lengths, broken encodings

Writes benchmarks/results/serving_fuzz.json with the answers by kind and status. What fails is printed with its request, and ends the
script with status 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import requests
import schemathesis
from hypothesis import strategies as st
from measure import machine
from serve_fuzz_requests import MODELS, mutated, raw_request, right_request, upload

from relsift.files import write_json
from relsift.registry import find, table

RESULTS = Path(__file__).parent / "results" / "serving_fuzz.json"
PATIENCE = 60.0  # seconds; no answer within them is a hang. The service's own limit is 30
CHECKED = ("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance")


@dataclass
class Tally:
    """What came of the requests."""

    statuses: dict[str, Counter[str]] = field(default_factory=dict)  # kind -> status -> answers
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0  # seconds

    def note(self, kind: str, status: str, request: object, started: float, *, is_fault: bool = False) -> None:
        self.statuses.setdefault(kind, Counter())[status] += 1
        self.slowest = max(self.slowest, time.perf_counter() - started)
        if is_fault or status.startswith("5") or not status.isdecimal():
            self.faults.append(f"{kind}: {status}: {request!r}"[:3000])
            print(self.faults[-1], file=sys.stderr, flush=True)


@contextmanager
def service(log: Path) -> Iterator[str]:
    """The address of a process, once it is ready."""
    command = [sys.executable, "-m", "relsift", "serve", *MODELS, "--port", "0", "--threads", "1", "--max-tokens", "4000"]
    with log.open("w", encoding="utf-8") as stream:
        process = subprocess.Popen(command, stderr=stream, env=os.environ | {"OMP_NUM_THREADS": "1"})
    try:
        while not (found := re.search(r'"address": ?"([^"]+)"', log.read_text(encoding="utf-8"))):
            if process.poll() is not None:
                raise SystemExit(f"the service ended with status {process.returncode}: {log.read_text(encoding='utf-8')[-2000:]}")
            time.sleep(0.2)
        yield found[1]
        if process.poll() is not None:
            raise SystemExit(f"the service died with status {process.returncode}")
    finally:
        process.terminate()
        process.wait(60)


# ---- kinds


def described(address: str, tally: Tally, count: int, draw: random.Random) -> None:
    modes = schemathesis.GenerationMode
    tried = []
    for found in schemathesis.openapi.from_url(f"{address}/openapi.json").get_all_operations():
        operation = found.ok()
        has_body = operation.method.upper() == "POST"
        tried.append((operation, modes.POSITIVE, 20 if has_body else 1))
        if has_body:
            tried.append((operation, modes.NEGATIVE, 20))
    whole = sum(weight for _, _, weight in tried)
    for operation, mode, weight in tried:
        ask_as_described(operation.as_strategy(generation_mode=mode), max(1, count * weight // whole), draw.randrange(2**32), tally)


def ask_as_described(strategy: st.SearchStrategy[Any], count: int, seed: int, tally: Tally) -> None:
    settings = hypothesis.settings(
        max_examples=count, deadline=None, database=None, phases=[hypothesis.Phase.generate],
        suppress_health_check=list(hypothesis.HealthCheck),
    )  # fmt: skip

    @hypothesis.seed(seed)
    @settings
    @hypothesis.given(strategy)
    def each(case: Any) -> None:
        started = time.perf_counter()
        try:
            answer = case.call(timeout=PATIENCE)
        except requests.RequestException as error:
            tally.note("described", type(error).__name__, case.as_curl_command(), started)
            return
        status, request, is_fault = str(answer.status_code), None, False
        try:
            case.validate_response(answer, checks=[getattr(schemathesis.checks, name) for name in CHECKED])
        except (AssertionError, ExceptionGroup) as error:
            request, is_fault = (str(error), case.as_curl_command()), True
        tally.note("described", status, request, started, is_fault=is_fault)

    each()


def extract(address: str, tally: Tally, count: int, draw: random.Random) -> None:
    for _ in range(count):
        post(address, "/v1/extract", mutated(right_request(draw), draw), "extract", tally)


def files(address: str, tally: Tally, count: int, draw: random.Random) -> None:
    readers = [find("reader", name) for name in table("reader")]
    writers = [*table("writer"), "csv[formulas=kept]", "brat[", "none", ""]
    records: list[dict[str, Any]] = []
    for number in range(count):
        if number % 2 == 0 or not records:
            body = upload(readers[number // 2 % len(readers)], draw)
            answer = post(address, "/v1/read", body, "files", tally)
            if answer is not None and answer.status_code == 200:
                records = (records + answer.json()["documents"])[-200:]
        else:
            chosen = draw.sample(records, min(len(records), draw.randint(1, 3)))
            body = {"documents": json.loads(json.dumps(chosen)), "to": draw.choice(writers)}
            post(address, "/v1/convert", mutated(body, draw) if draw.random() < 0.7 else body, "files", tally)


def raw(address: str, tally: Tally, count: int, draw: random.Random) -> None:
    host, port = address.removeprefix("http://").split(":")
    for _ in range(count):
        request = raw_request(draw)
        started = time.perf_counter()
        try:
            with socket.create_connection((host, int(port)), timeout=PATIENCE) as connection:
                connection.sendall(request)
                connection.shutdown(socket.SHUT_WR)
                answer = b"".join(iter(lambda: connection.recv(65536), b""))
        except (ConnectionResetError, BrokenPipeError):
            answer = b""  # a service may hang up on what is no HTTP
        except OSError as error:
            tally.note("raw", type(error).__name__, request, started)
            continue
        status = re.match(rb"HTTP/1\.1 (\d{3})", answer)
        tally.note("raw", "0" if status is None else status[1].decode(), request, started)


KINDS: tuple[Callable[[str, Tally, int, random.Random], None], ...] = (described, extract, files, raw)


def post(address: str, path: str, body: Any, kind: str, tally: Tally) -> requests.Response | None:
    started = time.perf_counter()
    content = json.dumps(body, ensure_ascii=True).encode()
    try:
        answer = requests.post(address + path, data=content, headers={"content-type": "application/json"}, timeout=PATIENCE)
    except requests.RequestException as error:
        tally.note(kind, type(error).__name__, (path, content), started)
        return None
    tally.note(kind, str(answer.status_code), (path, content, answer.text[:300]), started)
    return answer


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--requests", type=int, default=8000)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--quick", action="store_true", help="200 requests, to see that it works; writes nothing")
    chosen = options.parse_args()
    count = 200 if chosen.quick else chosen.requests
    tally, started = Tally(), time.perf_counter()
    with tempfile.TemporaryDirectory() as place, service(log := Path(place) / "log") as address:
        for kind in KINDS:
            kind(address, tally, count // len(KINDS), random.Random(f"{chosen.seed} {kind.__name__}"))
            print(kind.__name__, dict(tally.statuses.get(kind.__name__, {})), file=sys.stderr, flush=True)
        healthy = requests.get(f"{address}/healthz", timeout=PATIENCE).status_code
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"fault"' in line:
                tally.faults.append(line[:3000])
                print(line, file=sys.stderr)
    statuses = {kind: dict(sorted(found.items())) for kind, found in tally.statuses.items()}
    total = sum(sum(found.values()) for found in statuses.values())
    took = time.perf_counter() - started
    print(f"{total} requests in {took:.0f} s, {len(tally.faults)} faults, slowest {tally.slowest:.1f} s, health {healthy}")
    if not chosen.quick:
        figures = {"requests": total, "faults": len(tally.faults), "slowest_seconds": round(tally.slowest, 2), "statuses": statuses}
        command = f"python benchmarks/serve_fuzz.py --requests {count} --seed {chosen.seed}"
        write_json(RESULTS, {"command": command, "machine": machine(), "figures": figures})
    if tally.faults or healthy != 200:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
