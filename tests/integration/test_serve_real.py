"""The real server in a process of its own: the command, the client of Python, and its end under load."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

import pytest
from calling import assert_one_clear_line, relsift

from relsift import Client, DataError, Document, Entity, RelationExtractor, Sentence
from relsift.errors import ConfigError, ServiceError

pytest.importorskip("fastapi")
pytest.importorskip("uvicorn")

TOKEN = "a-token-of-some-length"
TEXT = "Ida Holm, mayor of Skerrin, lives in Vell. Her sister owns the ferry."
ENTITIES = (Entity(0, 1, "PER", id="ida"), Entity(3, 4, "GPE"))
ITEMS = [
    TEXT,
    {"id": "own", "text": "Ida Holm and her sister own the ferry."},
    "",
    {"text": "Ida lives in Vell.", "entities": [{"start": 0, "end": 3, "type": "PER"}, {"start": 13, "end": 17, "type": "GPE"}]},
    Sentence("s1", ("Ida", "lives", "in", "Vell"), ENTITIES),
    {"id": "own", "tokens": ["Her", "sister", "owns", "the", "ferry"]},
    Document("d", (Sentence("d-0", ("Ida", "Holm"), offsets=((0, 3), (4, 8))), Sentence("d-1", ("Her", "sister"))), None),
]


@contextmanager
def server(*arguments: str, token: str = "") -> Iterator[tuple[subprocess.Popen[str], int, list[dict[str, object]]]]:
    """The process, its port and its log, which grows."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1"} | ({"RELSIFT_TOKEN": token} if token else {})
    command = [sys.executable, "-m", "relsift", "serve", "demo-en", "--port", "0", *arguments]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment)
    assert process.stderr is not None
    lines: list[dict[str, object]] = []
    ready = threading.Event()

    def read() -> None:
        for line in process.stderr:
            lines.append(json.loads(line))
            if lines[-1]["event"] == "ready":
                ready.set()
        ready.set()

    reader = threading.Thread(target=read)
    reader.start()
    try:
        assert ready.wait(60) and lines and lines[-1]["event"] == "ready", lines
        yield process, int(str(lines[-1]["address"]).rpartition(":")[2]), lines
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        reader.join(10)


def test_the_client_gives_the_documents_of_the_extractor_and_a_signal_ends_it_without_loss():
    extractor = RelationExtractor.from_pretrained("demo-en")
    with server(token=TOKEN) as (process, port, log):
        with Client(f"http://127.0.0.1:{port}", token=TOKEN) as client:
            same_as_the_extractor(client, extractor)
        run_the_code_of_the_page(port)
        with pytest.raises(ServiceError, match="token") as refused, Client(f"http://127.0.0.1:{port}") as client:
            client(TEXT)
        assert refused.value.status == 401
        outcomes = stopped_under_load(process, port)
        assert process.wait(30) == 0
    assert set(outcomes) <= {"200", "503", "refused"}, outcomes
    assert outcomes["200"] > 20
    assert log[-1]["event"] == "stopped" and log[-1]["in_flight"] == 0
    assert not [line for line in log if line["event"] == "fault"]


def same_as_the_extractor(client: Client, extractor: RelationExtractor) -> None:
    assert client.models()[0]["relations"] == list(extractor.labels)
    with pytest.warns(UserWarning):  # of the empty text
        expected = [extractor(item, entities="gold" if number in (3, 4) else None) for number, item in enumerate(ITEMS)]
    found = client(ITEMS)
    assert sum(len(one.relations) for one in expected) > 2
    for number, (one, other) in enumerate(zip(found, expected, strict=True)):
        name = one.id
        assert name == (f"item-{number}" if other.id == "item-0" else other.id)
        assert one.text == other.text
        assert [s.tokens for s in one.sentences] == [s.tokens for s in other.sentences]
        assert [s.offsets for s in one.sentences] == [s.offsets for s in other.sentences]
        for sentence, expected_one in zip(one.sentences, other.sentences):
            assert sentence.id.removeprefix(name) == expected_one.id.removeprefix(other.id)
            assert sentence.entities == tuple(rounded(e, f.score) for e, f in zip(expected_one.entities, sentence.entities, strict=True))
            assert [(r.head, r.tail, r.type, pytest.approx(r.score, abs=1e-4)) for r in expected_one.relations] == [
                (r.head, r.tail, r.type, r.score) for r in sentence.relations
            ]
    assert client(TEXT, threshold=1e9).relations == ()
    with pytest.raises(DataError, match="entity 0"):
        client({"text": "x", "entities": [{"start": 0, "end": 9, "type": "PER"}]})


def run_the_code_of_the_page(port: int) -> None:
    page = (Path(__file__).parents[2] / "docs" / "serving.md").read_text(encoding="utf-8")
    [code] = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    names: dict[str, Any] = {}
    exec(code.replace('Client("http://127.0.0.1:8000"', f'Client("http://127.0.0.1:{port}", token="{TOKEN}"'), names)
    assert [relation.type for relation in names["document"].relations]
    assert [len(document.sentences) for document in names["documents"]] == [1, 1]


def rounded(entity: Entity, score: float | None) -> Entity:
    """The entity with the other score, if the two are equal but for rounding: batches of other sizes round otherwise."""
    assert entity.score == (None if score is None else pytest.approx(score, abs=1e-4))
    return replace(entity, score=score)


def stopped_under_load(process: subprocess.Popen[str], port: int) -> Counter[str]:
    """What becomes of the requests of eight clients while the server is told to stop."""
    body = json.dumps({"documents": [{"text": TEXT}]})
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {TOKEN}"}
    outcomes: Counter[str] = Counter()
    answered = threading.Semaphore(0)

    def client() -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=30)
        while True:
            try:
                connection.connect() if connection.sock is None else None
            except OSError:
                outcomes["refused"] += 1
                return
            try:
                connection.request("POST", "/v1/extract", body, headers)
                answer = connection.getresponse()
                answer.read()
            except (OSError, HTTPException):
                outcomes["lost"] += 1
                return
            outcomes[str(answer.status)] += 1
            if answer.status != 200:
                return
            answered.release()

    threads = [threading.Thread(target=client) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(24):
        assert answered.acquire(timeout=30)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join(60)
    return outcomes


def test_a_second_signal_ends_the_service_in_the_middle_of_a_batch_with_an_answer_for_all():
    entities = [{"start": place, "end": place + 1, "type": "PER"} for place in range(300)]
    body = json.dumps({"documents": [{"tokens": ["Ida"] * 300, "entities": entities}]})  # 89,700 pairs: scored for a second or so
    outcomes: Counter[object] = Counter()

    def ask(port: int) -> None:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/v1/extract", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        outcomes[answer.status, json.loads(answer.read()).get("error", {}).get("code")] += 1

    with server() as (process, port, log):
        threads = [threading.Thread(target=ask, args=(port,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        while not [line for line in log if line["event"] == "request"]:  # the first of them is answered, the others wait
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # two signals at once are one
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
        for thread in threads:
            thread.join(30)
    assert set(outcomes) == {(200, None), (503, "stopping")} and sum(outcomes.values()) == 8
    assert log[-1]["event"] == "stopped" and not [line for line in log if line["level"] == "error"]


def test_what_cannot_be_served_is_one_clear_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("RELSIFT_TOKEN", "short")
    for arguments, part in (
        (["demo-en"], "RELSIFT_TOKEN"),
        (["demo-en", "--timeout", "nan"], "--timeout"),
        (["demo-en", "demo-en"], "NAME=RUN"),
    ):
        status, _, err = relsift(capsys, "serve", *arguments)
        assert_one_clear_line(status, err, part)
    monkeypatch.delenv("RELSIFT_TOKEN")
    status, _, err = relsift(capsys, "serve", "demo-en", "--allow-origin", "*")
    assert_one_clear_line(status, err, "--allow-origin")
    status, _, err = relsift(capsys, "serve", str(tmp_path / "nothing-here"), "--port", "0")
    assert_one_clear_line(status, err, "nothing-here", "demo-en")
    status, _, err = relsift(capsys, "serve", "demo-en", "--host", "192.0.2.1")
    assert_one_clear_line(status, err, "--host 192.0.2.1")


def test_without_the_packages_of_the_service_the_message_says_what_to_install(capsys, monkeypatch):
    monkeypatch.setattr("relsift.cli.serve.find_spec", lambda name: None if name == "uvicorn" else True)
    status, _, err = relsift(capsys, "serve", "demo-en")
    assert_one_clear_line(status, err, "uvicorn", "pip install 'relsift[serve]'")


@pytest.mark.parametrize("url", ["127.0.0.1:8000", "ftp://host", "http://", "http://host/?q"])
def test_the_address_of_a_client_is_that_of_a_service(url):
    with pytest.raises(ConfigError, match="url: expected the address"):
        Client(url)


def test_a_client_without_a_service_says_so():
    with pytest.raises(ServiceError, match=r"127\.0\.0\.1:1: expected an answer"), Client("http://127.0.0.1:1") as client:
        client("Hm.")


@pytest.mark.parametrize("threshold", [math.nan, math.inf, "2", True])
def test_a_threshold_that_is_no_finite_number_is_refused_before_anything_is_sent(threshold):
    with Client("http://127.0.0.1:1") as client, pytest.raises(ConfigError, match="threshold: expected a finite number, got"):
        client("Hm.", threshold=threshold)
