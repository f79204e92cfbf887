"""Served over HTTP and on the page: a model whose pairs have no direction, and one that reads two sentences together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", exc_type=ImportError)

import httpx
from page_browser import FLAGS, VARIABLE, chromium, opened, page_service

from relsift.cli.main import main
from relsift.corpora.data import resolve
from relsift.schema import Document, Entity, Relation, Sentence
from toy_across import documents, lines_of

in_a_browser = pytest.mark.skipif(chromium() is None, reason=f"no Chromium on the PATH nor in {VARIABLE}: the page is not tested")
TEXT = "Ada left. Acme paid. Vell shone."
ENTITIES = [(0, 3, "PER"), (10, 14, "ORG"), (21, 25, "LOC")]


def _within(count: int) -> list[Document]:
    entities = (Entity(0, 1, "PER"), Entity(2, 3, "ORG"))
    return [
        Document(key, (Sentence(key, ("Ada", "met", "Acme", key), entities, (Relation(0, 1, "met"),), key),))
        for key in (f"d{number}" for number in range(count))
    ]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str, str]]:
    """That of a service, and the names of its models: without direction, and of two sentences."""
    folder = tmp_path_factory.mktemp("served")
    for name, those, setting in (("plain", _within, "direction=undirected"), ("two", documents, "window=2")):
        for part, count in (("train", 16), ("dev", 6)):
            (folder / name).mkdir(exist_ok=True)
            (folder / name / f"{part}.jsonl").write_text(lines_of(those(count)), encoding="utf-8")
        with pytest.MonkeyPatch.context() as patch, pytest.raises(SystemExit) as end:
            how = ["--model", "type_prior", "--set", "training.epochs=1", "--set", f"candidates.{setting}"]
            patch.setattr("sys.argv", ["relsift", "train", "--data", str(folder / name), *how, "--out", str(folder / f"run-{name}")])
            main()
        assert not end.value.code
    names = (str(folder / "run-plain"), str(folder / "run-two"))
    with page_service(*names) as (_, url):
        yield url, *names


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", exc_type=ImportError)
    with playwright.sync_playwright() as started:
        yield started.chromium.launch(executable_path=chromium(), args=FLAGS)


def extract(url: str, model: str, **options: Any) -> httpx.Response:
    entities = [{"start": start, "end": end, "type": kind} for start, end, kind in ENTITIES]
    return httpx.post(f"{url}/v1/extract", json={"model": model, "documents": [{"text": TEXT, "entities": entities}], **options})


def test_the_service_tells_the_direction_and_the_window_of_each_model(address):
    told = httpx.get(f"{address[0]}/v1/models").json()["models"]
    assert [(one["direction"], one["window"], one["all_scores"]) for one in told] == [("undirected", 1, True), ("directed", 2, False)]
    assert [one["licence"] for one in told] == [None, None]  # their cards say "unknown"


def test_a_model_of_two_sentences_relates_neighbours_and_no_others(address):
    url, _, two = address
    [found] = extract(url, two, threshold=-100.0).json()["results"]
    related = {(one["head_text"], one["type"], one["tail_text"]) for one in found["relations"]}
    assert related == {("Ada", "works_for", "Acme"), ("Acme", "based_in", "Vell")}  # Ada and Vell stand three sentences apart
    assert [(one["sentence"], one["text"]) for one in found["entities"]] == [(0, "Ada"), (1, "Acme"), (2, "Vell")]
    for one in found["relations"]:
        assert TEXT[slice(*one["head_span"])] == one["head_text"] and TEXT[slice(*one["tail_span"])] == one["tail_text"]
    assert extract(url, two, threshold=100.0).json()["results"][0]["relations"] == []
    refused = extract(url, two, all_scores=True)
    assert refused.status_code == 422 and refused.json()["error"]["where"] == "all_scores"


def enter(page: Any, model: str, text: str, *entities: tuple[int, int, str]) -> None:
    """Open a text with entities, without annotated relations, and let a model score it."""
    page.select_option("#model", model)
    page.locator(".more").evaluate("(one) => { one.open = true; }")
    given = [{"start": start, "end": end, "type": kind} for start, end, kind in entities]
    line = json.dumps({"id": "a", "text": text, "entities": given}) + "\n"
    page.set_input_files("#upload", {"name": "a.jsonl", "mimeType": "application/json", "buffer": line.encode()})
    page.wait_for_function("(text) => [...document.querySelectorAll('.text')].map((one) => one.textContent).join(' ') === text", arg=text)
    page.wait_for_selector("body:not(.busy, .waiting)")


@in_a_browser
def test_relations_without_direction_have_no_arrow_heads_and_one_row_a_pair(address, browser):
    url, plain, _ = address
    with opened(browser, url) as page:
        page.wait_for_selector("html[data-ready]")
        enter(page, plain, "Acme hired Ada.", (0, 4, "ORG"), (11, 14, "PER"))
        assert page.locator(".arcs path.end").count() == 0 and page.locator(".arcs circle.end").count() == 2
        assert page.locator(".arcs title").first.text_content().startswith("Acme – Ada")
        assert page.locator(".graph .edge").count() == 1 and page.locator(".graph [marker-end]").count() == 0
        page.select_option("#end-head", label="Ada · PER")  # against the text order, in which the model scores pairs
        page.select_option("#end-tail", label="Acme · ORG")
        assert page.locator("#why tr.shown").count() == 1
        assert page.locator('#why [data-focus="swap"]').count() == 0


@in_a_browser
def test_relations_across_sentences_are_shown_explained_and_not_lost_in_silence(address, browser):
    url, _, two = address
    with opened(browser, url) as page:
        page.wait_for_selector("html[data-ready]")
        enter(page, two, TEXT, *ENTITIES)
        assert page.locator(".arcs .hit").count() == 0 and page.locator("#relations tbody tr").count() == 2
        assert float(page.get_attribute("#threshold", "min")) <= -10 and float(page.get_attribute("#threshold", "max")) >= 10
        page.select_option("#end-head", label="Ada · PER")
        page.select_option("#end-tail", label="Acme · ORG")
        assert "of one sentence" not in page.locator("#why").inner_text()
        page.check("#save-training")
        page.locator(".sentence .tick input").nth(0).check()
        assert "Left out: 1 of the relations" in page.locator("#save-note").inner_text()  # it ends in a sentence that nobody checked
        page.locator(".sentence .tick input").nth(1).check()
        with page.expect_download() as download:
            page.click("#save")
        saved = [json.loads(line) for line in Path(download.value.path()).read_text(encoding="utf-8").splitlines()]
        assert [line.get("across", []) for line in saved] == [[{"head": 0, "tail": 0, "away": 1, "type": "works_for"}], []]
        assert "Left out: 1" in page.locator("#save-note").inner_text()  # that of Acme and Vell, now
        page.locator(".sentence .tick input").nth(1).uncheck()
        page.locator(".sentence .tick input").nth(2).check()
        page.select_option("#end-head", label="Ada · PER")  # over the sentence between them
        page.select_option("#end-tail", label="Vell · LOC")
        page.select_option("#add-type", "works_for")
        page.locator(".add [type=submit]").click()
        with page.expect_download() as download:
            page.click("#save")
        gapped = Path(download.value.path()).with_suffix(".jsonl")
        download.value.save_as(gapped)
        apart = list(resolve(str(gapped)).documents())
        assert [(one.id, [sentence.tokens[0] for sentence in one.sentences], one.across) for one in apart] == [
            ("a", ["Ada"], ()), ("a-from-3", ["Vell"], ()),
        ]  # fmt: skip
        assert "Left out: 3" in page.locator("#save-note").inner_text()
