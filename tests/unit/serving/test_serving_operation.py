"""All around extraction: probes, figures, pages, the token, limits of time and number, and the end of the service."""

from __future__ import annotations

import asyncio
import io
import json
import logging
import re
import shutil
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from relsift.errors import ConfigError
from relsift.files import to_json
from relsift.serving import middleware, models
from relsift.serving.limits import Limits
from relsift.serving.logs import LOGGER, JsonLines
from relsift.serving.options import checked_origins, named, read_token
from relsift.serving.problems import CODES
from relsift.serving.static_page import add_page
from relsift.shipped import located
from serving_app import JSON, ask, serving, together

ROOT = Path(__file__).parents[3]
TEXT = "Ida Holm and her sister own the ferry."
REQUEST = ("POST", "/v1/extract", {"json": {"documents": [{"text": TEXT}]}})
TOKEN = b"a-token-of-some-length"


@pytest.fixture
def blocked(demo, monkeypatch):
    """The model answers only when this event is set; `.reached` is set once it is asked."""
    go_on, reached, scored = threading.Event(), threading.Event(), type(demo.extractor).scored

    def patient(self, documents, **options):
        reached.set()
        assert go_on.wait(20)
        return scored(self, documents, **options)

    monkeypatch.setattr(type(demo.extractor), "scored", patient)
    go_on.reached = reached
    yield go_on
    go_on.set()


def test_the_models_say_what_they_know(app, demo):
    body = ask(app, "GET", "/v1/models").json()
    first, second = body["models"]
    assert (first["name"], first["default"], second["name"], second["default"]) == ("demo-en", True, "second", False)
    assert first["relations"] == list(demo.extractor.labels)
    assert first["entity_types"] == list(demo.extractor.entity_types)
    assert (first["finds_entities"], first["language"], first["licence"], first["data"]) == (True, "en", "Apache-2.0", "gazette-en")
    assert first["checksum"] == demo.extractor.checksum
    assert body["limits"]["max_entities"] == Limits().max_entities


def test_a_model_that_is_replaced_on_the_disk_answers_from_memory(tmp_path, demo):
    folder = tmp_path / "mine"
    shutil.copytree(located(Path("demo-en")), folder)
    [(name, place)] = named([str(folder)])
    loaded = models.load(name, place, device="cpu", precision="float32", cache_mb=1)
    for file in folder.iterdir():
        file.write_bytes(b"another model")
    with serving(loaded) as (_, app):
        answer = ask(app, *REQUEST[:2], **REQUEST[2])
    assert (answer.status_code, answer.json()["model"]) == (200, "mine")
    assert [entity["text"] for entity in answer.json()["results"][0]["entities"]] == [e.text for e in demo.extractor(TEXT).entities]


def test_the_figures_count_requests_and_documents(demo):
    with serving(demo) as (_, app):
        together(app, REQUEST, REQUEST, ("POST", "/v1/extract", {"content": b"{", "headers": JSON}), ("GET", "/secret/words", {}))
        text = ask(app, "GET", "/metrics").text
    assert 'relsift_requests_total{path="/v1/extract",status="200"} 2.0' in text
    assert 'relsift_requests_total{path="/v1/extract",status="400"} 1.0' in text
    assert 'relsift_requests_total{path="other",status="404"} 1.0' in text
    assert 'relsift_documents_total{model="demo-en"} 2.0' in text
    assert 'relsift_requests_waiting{model="demo-en"} 0.0' in text
    assert "relsift_requests_in_flight 1.0" in text  # this one
    assert "secret" not in text


def test_the_pages_load_nothing_from_elsewhere(app):
    page = ask(app, "GET", "/docs")
    assert page.status_code == 200 and "/v1/extract" in page.text and "GivenDocument" in page.text
    assert not re.findall(r"""(?:src|href)\s*=|@import|url\((?!["']?data:)""", page.text)
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<title>relsift</title>" in ask(app, "GET", "/").text


def test_files_of_the_page_are_served_with_a_strict_policy(tmp_path):
    (tmp_path / "index.html").write_text("<p>page", encoding="utf-8")
    (tmp_path / "app.js").write_text("1", encoding="utf-8")
    (tmp_path / "notes.md").write_text("no", encoding="utf-8")
    app = FastAPI()
    add_page(app, tmp_path)
    index, script, other = together(app, ("GET", "/", {}), ("GET", "/page/app.js", {}), ("GET", "/page/notes.md", {}))
    assert (index.text, index.headers["content-type"], script.text, other.status_code) == ("<p>page", "text/html; charset=utf-8", "1", 404)
    assert "script-src 'self'" in index.headers["content-security-policy"] and "unsafe" not in index.headers["content-security-policy"]


def test_the_committed_description_is_that_of_the_service(app):
    served = ask(app, "GET", "/openapi.json").json()
    committed = ROOT / "docs" / "openapi.json"
    told = "write it anew: python benchmarks/openapi.py"
    assert committed.read_text(encoding="utf-8") == to_json(served) + "\n", told


def test_a_fault_of_ours_has_the_shape_of_all_errors_and_tells_nothing(demo, monkeypatch):
    with serving(demo) as (service, app):
        monkeypatch.setattr(type(service), "summary", lambda self: {}["the secret"])
        answer = ask(app, "GET", "/v1/models")
    assert (answer.status_code, answer.json()["error"]["code"]) == (500, "internal")
    assert "secret" not in answer.text


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nope", 404), ("GET", "/v1/extract", 405), ("DELETE", "/healthz", 405)])
def test_paths_and_methods_that_nobody_serves_get_the_same_shape(app, method, path, status):
    answer = ask(app, method, path)
    assert answer.status_code == status == CODES[answer.json()["error"]["code"]]


def test_every_answer_forbids_guessing_types_and_frames(app):
    for path in ("/v1/models", "/nope", "/docs", "/openapi.json"):
        headers = ask(app, "GET", path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]


# ---- token and origins


def test_with_a_token_only_those_who_bear_it_are_answered(demo):
    with serving(demo, token=TOKEN) as (_, app):
        for headers in ({}, {"authorization": "Bearer no"}, {"authorization": TOKEN.decode()}, {"authorization": b"Bearer \xff"}):
            for method, path, options in (REQUEST, ("GET", "/v1/models", {}), ("GET", "/metrics", {})):
                answer = ask(app, method, path, headers=headers, **options)
                assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
        assert ask(app, *REQUEST[:2], **REQUEST[2], headers={"authorization": f"Bearer {TOKEN.decode()}"}).status_code == 200
        assert [ask(app, "GET", path).status_code for path in ("/healthz", "/readyz", "/docs")] == [200] * 3


def test_a_token_comes_from_a_file_or_the_environment(tmp_path):
    file = tmp_path / "token"
    file.write_bytes(TOKEN + b"\n")
    assert read_token(file, {"RELSIFT_TOKEN": "another-token-of-some-length"}) == TOKEN
    assert read_token(None, {"RELSIFT_TOKEN": TOKEN.decode()}) == TOKEN
    assert read_token(None, {}) is None


@pytest.mark.parametrize("token", ["", "short", "a token with blanks in it", "ein-Schlüssel-mit-Umlaut"])
def test_a_token_that_is_none_is_refused_without_showing_it(token):
    with pytest.raises(ConfigError, match=r"RELSIFT_TOKEN: expected a token") as error:
        read_token(None, {"RELSIFT_TOKEN": token})
    assert not token or token not in str(error.value)


def test_pages_of_other_sites_may_ask_only_if_they_are_named(demo, app):
    asked = {"origin": "https://a.example", "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    assert "access-control-allow-origin" not in ask(app, "OPTIONS", "/v1/extract", headers=asked).headers
    with serving(demo, allow_origins=["https://a.example"], token=TOKEN) as (_, named_only):
        allowed = ask(named_only, "OPTIONS", "/v1/extract", headers=asked)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, "https://a.example")
        other = ask(named_only, "OPTIONS", "/v1/extract", headers=asked | {"origin": "https://b.example"})
        assert "access-control-allow-origin" not in other.headers


@pytest.mark.parametrize("origin", ["*", "example.org", "https://example.org/", "null"])
def test_an_origin_is_a_scheme_and_a_host(origin):
    with pytest.raises(ConfigError, match="--allow-origin"):
        checked_origins([origin])


# ---- time, number, end


def test_beyond_the_queue_requests_are_told_to_come_again(demo, blocked):
    with serving(demo, queue=2) as (_, app):

        async def all_of_them():
            async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
                first = [asyncio.ensure_future(client.request(REQUEST[0], REQUEST[1], **REQUEST[2])) for _ in range(2)]
                while not blocked.reached.is_set():
                    await asyncio.sleep(0)
                late = await client.request(REQUEST[0], REQUEST[1], **REQUEST[2])
                blocked.set()
                return late, await asyncio.gather(*first)

        late, first = asyncio.run(all_of_them())
    assert (late.status_code, late.headers["retry-after"], late.json()["error"]["code"]) == (429, "1", "busy")
    assert [answer.status_code for answer in first] == [200, 200]


def test_a_request_that_takes_too_long_is_ended_and_the_next_one_is_answered(demo, blocked):
    with serving(demo, timeout=0.05) as (service, app):
        answer = ask(app, *REQUEST[:2], **REQUEST[2])
        assert (answer.status_code, answer.json()["error"]["code"]) == (408, "timeout")
        assert service.extractions == service.in_flight == 0
        blocked.set()
    with serving(demo) as (_, app):
        assert ask(app, *REQUEST[:2], **REQUEST[2]).status_code == 200


def asgi_request(app, *messages, path="/v1/extract"):
    """An HTTP request by its ASGI messages; after the last one nothing comes. Returns what is sent."""
    sent, left = [], list(messages)

    async def receive():
        if left:
            return left.pop(0)
        return await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http",
        "headers": [(b"content-type", b"application/json")], "http_version": "1.1", "server": ("test", 80), "client": ("test", 1),
    }  # fmt: skip
    return app(scope, receive, send), sent


def body(content: bytes, *, more: bool = False):
    return {"type": "http.request", "body": content, "more_body": more}


def test_a_body_that_never_ends_is_given_up(demo):
    with serving(demo, timeout=0.05) as (_, app):
        run, sent = asgi_request(app, body(b'{"documents"', more=True))
        asyncio.run(run)
    assert sent[0]["status"] == 408


def test_a_body_that_is_too_large_is_not_kept_and_not_read_to_its_end(demo):
    with serving(demo, max_kb=1) as (_, app):
        run, sent = asgi_request(app, *[body(b"x" * 1024, more=True)] * 1000)
        asyncio.run(run)
    assert sent[0]["status"] == 413


def test_a_client_that_hangs_up_does_not_harm_the_others_of_its_batch(demo, blocked):
    content = json.dumps({"documents": [{"text": TEXT}]}).encode()
    with serving(demo) as (service, app):

        async def all_of_them():
            first, _ = asgi_request(app, body(content))
            running = asyncio.ensure_future(first)
            while not blocked.reached.is_set():
                await asyncio.sleep(0)
            gone, gone_sent = asgi_request(app, body(content), {"type": "http.disconnect"})
            other, other_sent = asgi_request(app, body(content))
            waiting = asyncio.ensure_future(other)
            await gone
            blocked.set()
            await asyncio.gather(running, waiting)
            return gone_sent, other_sent

        gone, other = asyncio.run(all_of_them())
        assert (gone[0]["status"], other[0]["status"]) == (499, 200)
        assert service.in_flight == 0
        count = next(line for line in service.metrics.text().decode().splitlines() if line.startswith("relsift_documents_total"))
    assert count.endswith(" 2.0")  # the one whose client had gone was not scored


def test_while_the_service_stops_requests_are_sent_away_and_probes_say_so(demo):
    with serving(demo) as (service, app):
        assert ask(app, "GET", "/readyz").status_code == 200
        service.is_stopping = True
        answer = ask(app, *REQUEST[:2], **REQUEST[2])
        assert (answer.status_code, answer.headers["connection"], answer.json()["error"]["code"]) == (503, "close", "stopping")
        assert [ask(app, "GET", path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [200, 503, 200]


def test_the_end_waits_for_requests_under_way(demo):
    with serving(demo) as (service, app):
        pass
    assert not service.is_ready
    assert ask(app, "GET", "/readyz").status_code == 503


# ---- logs and options


def test_logs_are_json_without_texts_tokens_or_names_of_paths(demo, monkeypatch):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger(LOGGER)
    monkeypatch.setattr(logger, "handlers", [handler])
    level = logger.level
    logger.setLevel(logging.INFO)
    monkeypatch.setattr(type(demo.extractor), "scored", lambda *_, **__: 1 / len(()))
    with serving(demo, token=TOKEN) as (_, app):
        bearer = {"authorization": f"Bearer {TOKEN.decode()}"}
        ask(app, *REQUEST[:2], **REQUEST[2], headers=bearer)
        ask(app, "GET", "/v1/Skerrin?text=Skerrin", headers=bearer)
        ask(app, "POST", "/v1/extract", json={"documents": [{"text": "Skerrin", "entities": [{"start": 0, "end": 99, "type": "GPE"}]}]})
    logger.setLevel(level)
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line.get("status")) for line in lines] == [
        ("fault", None), ("request", 500), ("request", 404), ("request", 401),
    ]  # fmt: skip
    assert lines[0]["exception"] == "ZeroDivisionError" and lines[0]["places"]
    assert lines[1]["documents"] == 1
    for secret in ("Ida", "Skerrin", TOKEN.decode()):
        assert secret not in stream.getvalue()


def test_a_client_whose_connection_breaks_while_it_is_answered_is_no_fault(service, monkeypatch):
    """As a body does that breaks the protocol: the web server has answered, and takes nothing more."""
    told: list[str] = []
    monkeypatch.setattr(middleware, "log", lambda event, *_, **fields: told.append(f"{event} {fields.get('exception')}"))

    async def send(_: Any) -> None:
        raise ConnectionResetError("gone")

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "GET", "path": "/healthz", "headers": [], "query_string": b"", "http_version": "1.1"}
    asyncio.run(service[1](scope, receive, send))
    assert told == ["connection ended ConnectionResetError", "request None"]


@pytest.mark.parametrize("field", ["max_kb", "timeout", "queue", "stop_timeout", "batch_wait"])
@pytest.mark.parametrize("value", [-1, float("nan"), float("inf")])
def test_a_limit_is_a_number_above_nothing(field, value):
    with pytest.raises(ConfigError, match=f"--{field.replace('_', '-')}"):
        Limits(**{field: value})


def test_models_get_the_names_of_their_folders_or_those_they_are_given():
    assert named(["runs/a", "b=runs/a/model", "runs/c/model", "demo-zh", "d/e=f/g"]) == (
        ("a", "runs/a"), ("b", "runs/a/model"), ("c", "runs/c/model"), ("demo-zh", "demo-zh"), ("g", "d/e=f/g"),
    )  # fmt: skip


@pytest.mark.parametrize("runs", [["runs/a", "old/a"], ["=runs/a"], ["a b=runs/a"]])
def test_a_name_for_two_models_and_a_name_that_is_none_are_refused(runs):
    with pytest.raises(ConfigError, match="NAME=RUN"):
        named(runs)
