"""The page of `relsift serve` in a real browser: what it decides, marks, corrects, saves, and what it must never do."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("fastapi", exc_type=ImportError)
pytest.importorskip("playwright.sync_api", exc_type=ImportError)

from calling import relsift
from page_browser import FLAGS, VARIABLE, chromium, opened, page_service
from playwright.sync_api import sync_playwright

from relsift.candidates import Pair
from relsift.corpora.data import resolve
from relsift.decisions.decision import Decision
from relsift.decisions.scored import Scored
from relsift.schema import Entity, Sentence
from relsift.serving.results import decision_summary, pairs_of
from relsift.serving.service import Service
from relsift.stable_random import stable_integer

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"no Chromium on the PATH nor in {VARIABLE}: the page is not tested")

READY = "html[data-ready]"
SLIDE = "(v) => { const s = document.getElementById('threshold'); s.value = v; s.dispatchEvent(new Event('input')); }"
MISCHIEF = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Service, str]]:
    with page_service("demo-en", "demo-zh") as both:
        yield both


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def shared(browser: Any, served: tuple[Service, str]) -> Iterator[Any]:
    """One page for the tests that begin with a text of their own."""
    with opened(browser, served[1]) as page:
        page.wait_for_selector(READY)
        yield page


def settled(page: Any) -> None:
    """Wait until no request is waited for or under way."""
    page.wait_for_selector("body:not(.busy, .waiting)")


def enter(page: Any, text: str, *, mine: bool = False) -> None:
    page.set_checked("#mine", mine)
    page.fill("#text", text)
    page.click("#read [type=submit]")
    settled(page)


def text_of(page: Any, number: int) -> Any:
    return page.locator(f'.text[data-number="{number}"]')


def marks(page: Any) -> list[str]:
    """Text and type of each mention, as the page marks them."""
    return page.evaluate("[...document.querySelectorAll('.e[data-type]')].map((one) => `${one.textContent}|${one.dataset.type}`)")


def too_wide(page: Any) -> list[str]:
    """What reaches beyond the right edge of the window; nothing if the page does not scroll sideways."""
    return page.evaluate(
        """() => (document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
          .filter((one) => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".scroll"))
          .map((one) => `${one.tagName} ${one.id} ${one.getAttribute("class")} ${one.getBoundingClientRect().right}`))"""
    )


def lines_of(download: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(download.path()).read_text(encoding="utf-8").splitlines()]


def save(page: Any, *, training: bool, to: str = "native") -> Any:
    page.check("#save-training" if training else "#save-results")
    page.select_option("#save-format", to)
    with page.expect_download() as download:
        page.click("#save")
    return download.value


# ---- the decision ----

LABELS = ("owns", "owned_by", "near", "constructor")  # the last: what every object of JavaScript has, too


def _invented(number: int) -> tuple[Scored, Decision]:
    """Scores of one sentence and a decision, both of many kinds, the same at each run."""
    draw = np.random.default_rng(stable_integer(f"page-{number}") % 2**32)
    entities = tuple(Entity(place, place + 1, str(draw.choice(["PER", "ORG", "GPE"]))) for place in range(int(draw.integers(2, 6))))
    sentence = Sentence("s", tuple("abcdef"), entities)
    pairs = [Pair(h, t) for h in range(len(entities)) for t in range(len(entities)) if h != t and draw.random() < 0.85]
    scores = draw.normal(0, 2, (len(pairs), len(LABELS))).astype(np.float32)
    if number % 3 == 0:
        scores = np.round(scores)  # with many ties
    types = ("PER", "ORG", "GPE")
    triples = frozenset((head, tail, name) for head in types for tail in types for name in LABELS if draw.random() < 0.7)
    decision = Decision(
        mode="several" if number % 2 else "single",
        threshold=float(draw.normal()),
        thresholds={name: float(draw.normal()) for name in LABELS if draw.random() < 0.4} if number % 5 else {},
        constraints=bool(number % 4), triples=triples,
        symmetric=("near",) if number % 7 < 3 else (), inverse={"owns": "owned_by"} if number % 7 < 2 else {},
        at_most={"constructor": {"head": 1}, "owns": {"tail": 1}} if number % 6 < 2 else {},
    )  # fmt: skip
    return Scored(sentence, pairs, scores), decision


def _case(scored: Scored, decision: Decision, labels: tuple[str, ...], threshold: float | None, mode: Any) -> dict[str, Any]:
    """What the page gets, and what relsift takes."""
    changed = decision if threshold is None else decision.with_threshold(threshold)
    if mode is not None:
        changed = Decision.from_json(changed.to_json() | {"mode": mode}, "test")
    taken = changed.decide(scored, labels).relations or ()
    return {
        "labels": list(labels), "decision": decision_summary(decision), "pairs": pairs_of([scored], decision, labels),
        "options": {"threshold": threshold, "mode": mode}, "expected": [[one.head, one.tail, one.type, one.score] for one in taken],
    }  # fmt: skip


def test_the_page_decides_as_relsift_does_at_every_threshold(shared, served):
    cases = []
    for number in range(60):
        scored, decision = _invented(number)
        first = scored.scores.ravel()[:3].tolist()
        values = [None, *first, *(float(np.nextafter(score, 10)) for score in first[:1])]
        cases += [_case(scored, decision, LABELS, threshold, mode) for threshold in values for mode in (None, "single", "several")]
    extractor = served[0].models[0].extractor
    documents = [document for document in resolve("gazette-en/test").documents() if document.id in ("en-054", "en-058")]
    for scored in extractor.scored(documents, entities="gold"):
        exact = scored.scores.ravel().tolist()[::7]
        cases += [_case(scored, extractor.bundle.decision, extractor.labels, threshold, None) for threshold in (None, *exact)]
    assert sum(len(case["expected"]) for case in cases) > 500
    wrong = shared.evaluate(
        """async (cases) => {
          const { changed, decide } = await import("/page/decision.js");
          return cases.map(({ labels, decision, pairs, options, expected }, number) => {
            const taken = decide(labels, changed(decision, options), pairs).map(({ head, tail, type }) => [head, tail, type]);
            const key = (list) => JSON.stringify(list.map(([head, tail, type]) => [head, tail, type]).sort());
            return key(taken) === key(expected) ? null : [number, taken, expected];
          }).filter(Boolean);
        }""",
        cases,
    )
    assert wrong == []


def test_the_slider_acts_without_the_server_and_agrees_with_it(browser, served):
    with opened(browser, served[1]) as page:
        page.wait_for_selector(READY)
        own = page.locator("#relations tbody tr").count()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        counts = {}
        for threshold in ("-3", "0", "2.5"):
            page.evaluate(SLIDE, threshold)
            counts[threshold] = page.locator("#relations tbody tr").count()
        assert not asked
        assert counts["-3"] > counts["0"] >= own > counts["2.5"]
        text = page.input_value("#text")
        for threshold, count in counts.items():
            question = {"documents": [{"text": text}], "threshold": float(threshold)}
            answer = page.request.post(f"{served[1]}/v1/extract", data=question).json()
            assert len(answer["results"][0]["relations"]) == count
        page.click("#own-threshold")
        assert page.locator("#relations tbody tr").count() == own
        page.locator(".arcs .hit").first.dispatch_event("click")
        assert "reaches the threshold" in page.locator("#why").inner_text()
        assert page.locator(".graph .edge").count() == own


# ---- marking ----


def test_entities_are_marked_retyped_and_unmarked_by_keyboard_alone(shared):
    enter(shared, "Ida Holm founded Acme.", mine=True)
    assert marks(shared) == [] and "Mark two or more" in shared.locator("#notes").inner_text()
    text_of(shared, 0).focus()
    for key in ("Shift+ArrowRight", "Shift+ArrowRight", "Shift+ArrowRight", "5"):  # over "Ida", the blank and "Holm"; the fifth type
        shared.keyboard.press(key)
    assert marks(shared) == ["Ida Holm|PER"]
    assert shared.evaluate("document.activeElement.className") == "text"  # the focus stays where the reader works
    for key in ("Home", *["ArrowRight"] * 6, "Shift+ArrowRight", "Enter"):
        shared.keyboard.press(key)
    assert shared.evaluate("document.activeElement.textContent") == "FAC"  # the first button of the bar
    for _ in range(3):
        shared.keyboard.press("Tab")
    shared.keyboard.press("Enter")
    settled(shared)
    assert marks(shared) == ["Ida Holm|PER", "Acme|ORG"]
    shared.select_option("#end-head", label="Ida Holm · PER")
    shared.select_option("#end-tail", label="Acme · ORG")
    assert "ORG-AFF" in shared.locator("#why table").inner_text()
    text_of(shared, 0).focus()
    for key in ("Home", "Enter", "2"):
        shared.keyboard.press(key)
    assert marks(shared) == ["Ida Holm|GPE", "Acme|ORG"]
    text_of(shared, 0).focus()
    shared.keyboard.press("Home")
    shared.keyboard.press("Delete")
    settled(shared)
    assert marks(shared) == ["Acme|ORG"]


def test_characters_are_counted_as_the_service_counts_them(shared):
    text = "😀 𠮷野 met 👩‍🚀 Ada at 𠀋 Acme."
    enter(shared, text, mine=True)
    for word, digit in (("𠮷野", 1), ("Ada", 2), ("Acme", 3)):
        shared.evaluate(
            """([word]) => {
              const place = document.querySelector(".text");
              const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
              while (walker.nextNode()) {
                const at = walker.currentNode.data.indexOf(word);
                if (at < 0) continue;
                getSelection().setBaseAndExtent(walker.currentNode, at, walker.currentNode, at + word.length);
                place.dispatchEvent(new MouseEvent("mouseup"));
                return;
              }
            }""",
            [word],
        )
        shared.wait_for_selector(".bar .quote")
        shared.locator(".bar button.type").nth(digit - 1).click()
        settled(shared)
    assert marks(shared) == ["𠮷野|FAC", "Ada|GPE", "Acme|LOC"]
    [line] = lines_of(save(shared, training=False))
    assert [line["text"][slice(*entity["chars"])] for entity in line["entities"]] == ["𠮷野", "Ada", "Acme"]
    assert line["text"] == text
    text_of(shared, 0).focus()
    shared.keyboard.press("c")  # by characters: one press for each, also for those of two UTF-16 units
    for key in ("Home", "ArrowRight", "ArrowRight", "ArrowRight"):
        shared.keyboard.press(key)
    assert shared.locator("#whisper").inner_text() == "野, in FAC"
    shared.keyboard.press("c")


def test_mentions_that_cross_and_nest_are_all_drawn(shared):
    enter(shared, "The Bank of New York City paid.", mine=True)
    for start, end, digit in ((1, 5, "4"), (3, 6, "2"), (3, 5, "3")):
        text_of(shared, 0).focus()
        shared.keyboard.press("Home")
        for _ in range(2 * start):
            shared.keyboard.press("ArrowRight")
        for _ in range(2 * (end - start) - 1):
            shared.keyboard.press("Shift+ArrowRight")
        shared.keyboard.press(digit)
        settled(shared)
    assert text_of(shared, 0).inner_text() == "The Bank of New York City paid."
    assert sorted(one.split("|")[1] for one in marks(shared)) == ["GPE", "LOC", "ORG"]
    [line] = lines_of(save(shared, training=False))
    assert {(line["text"][slice(*e["chars"])], e["type"]) for e in line["entities"]} == {
        ("Bank of New York", "ORG"), ("New York City", "GPE"), ("New York", "LOC"),
    }  # fmt: skip


def test_a_model_that_finds_no_entities_asks_for_them_and_its_samples_bring_some(browser, served):
    def without_finder(route: Any) -> None:
        answer = route.fetch()
        body = answer.json()
        for model in body["models"]:
            model["finds_entities"] = False
        route.fulfill(response=answer, json=body)

    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.route("**/v1/models", without_finder)
    page.goto(served[1])
    page.wait_for_selector(READY)
    assert page.is_checked("#mine") and page.is_disabled("#mine")
    assert page.locator(".e[data-type]").count() > 10 and page.locator("#relations tbody tr").count() > 0  # the sample has its own
    page.fill("#text", "Ida leads Acme.")
    page.click("#read [type=submit]")
    settled(page)
    assert marks(page) == [] and "Mark two or more" in page.locator("#notes").inner_text()
    context.close()


# ---- correcting and saving ----


def test_corrections_become_training_data_that_relsift_reads(shared, tmp_path, capsys):
    enter(shared, "Bethan Coyle, keeper of the light, rowed home. The tower stands on Skerrow. Nobody met anybody.")
    assert shared.is_disabled("#save") is False
    row = shared.locator("#relations tbody tr").filter(has_text="Skerrow").first
    row.get_by_role("button", name=re.compile("^Confirm")).click()
    row = shared.locator("#relations tbody tr").filter(has_text="Skerrow").first
    kept = row.locator("select").input_value()
    row.locator("select").select_option("PHYS")  # another type than that of the model
    heads = shared.locator("#end-head option").all_inner_texts()
    shared.select_option("#end-head", label=next(name for name in heads if name.startswith("keeper")))
    shared.select_option("#end-tail", label=next(name for name in heads if "Coyle" in name))
    shared.select_option("#add-type", "PER-SOC")
    shared.locator(".add [type=submit]").click()
    shared.check("#save-training")
    assert shared.is_disabled("#save")  # nobody has checked a sentence
    for number in (0, 1, 2):
        shared.locator(".sentence .tick input").nth(number).check()
    shared.evaluate(SLIDE, "1000")
    assert "3 of 3" in shared.locator("#save-note").inner_text()  # what is checked stays, whatever the threshold
    download = save(shared, training=True)
    lines = lines_of(download)
    assert shared.locator("#saved").inner_text().startswith(f"{download.suggested_filename} is saved")
    assert download.suggested_filename == "relsift-training.jsonl"
    assert len(lines) == 3 and all("score" not in json.dumps(line) for line in lines)
    assert "PER-SOC" in [one["type"] for one in lines[0]["relations"]]
    types = [one["type"] for one in lines[1]["relations"]]
    assert types.count("PHYS") == 1 and kept not in types
    assert lines[2]["relations"] == []  # looked at, none
    file = tmp_path / "train.jsonl"
    download.save_as(file)
    assert relsift(capsys, "validate", file)[0] == 0
    read = [sentence for document in resolve(str(file)).documents() for sentence in document.sentences]
    assert [len(sentence.relations or ()) for sentence in read] == [len(line["relations"]) for line in lines]
    how = ("--dev", "gazette-en/dev", "--model", "type_prior", "--set", "training.epochs=1", "--out", tmp_path / "run")
    assert relsift(capsys, "train", "--data", file, *how)[0] == 0
    shared.locator(".sentence .tick input").nth(2).uncheck()
    assert len(lines_of(save(shared, training=True))) == 2  # what nobody checked is not saved as "none"
    archive = save(shared, training=True, to="brat")
    assert archive.suggested_filename.endswith(".zip") and Path(archive.path()).read_bytes().startswith(b"PK")
    for other in ("csv", "label_studio", "html"):
        assert Path(save(shared, training=False, to=other).path()).stat().st_size > 50


def test_files_of_any_format_are_opened_with_their_annotation(shared, tmp_path):
    (tmp_path / "a.txt").write_text("Ada 😀 leads Acme.\n", encoding="utf-8")
    (tmp_path / "a.ann").write_text("T1\tPER 0 3\tAda\nT2\tORG 12 16\tAcme\nR1\tleads Arg1:T1 Arg2:T2\n", encoding="utf-8")
    shared.locator(".more").evaluate("(one) => { one.open = true; }")
    shared.set_input_files("#upload", [tmp_path / "a.txt", tmp_path / "a.ann"])
    settled(shared)
    assert marks(shared) == ["Ada|PER", "Acme|ORG"]
    assert shared.locator("#relations .verdict").all_inner_texts() == ["confirmed by you"]
    assert shared.locator(".sentence .tick input").first.is_checked()
    [line] = lines_of(save(shared, training=True))
    assert line["tokens"][0] == "Ada" and line["relations"] == [{"head": 0, "tail": 1, "type": "leads"}]
    tokens = tmp_path / "tokens.jsonl"
    tokens.write_text(
        '{"id": "one", "tokens": ["Ida", "leads", "Acme"], "entities": [{"start": 0, "end": 1, "type": "PER"}]}\n'
        '{"id": "two", "text": "Bo left."}\n',
        encoding="utf-8",
    )
    shared.set_input_files("#upload", tokens)
    settled(shared)
    assert shared.locator("#document option").all_inner_texts() == ["one", "two"] and marks(shared) == ["Ida|PER"]
    broken = tmp_path / "broken.jsonl"
    broken.write_text(f'{{"id": "{MISCHIEF}", "tokens": [""]}}\n', encoding="utf-8")
    shared.set_input_files("#upload", broken)
    settled(shared)
    said = shared.locator("#problem").inner_text()
    assert "broken.jsonl:1" in said and "/tmp" not in said
    shared.click("#read [type=submit]")
    settled(shared)
    assert shared.is_hidden("#problem")


# ---- what must never happen, and who must be able to read it ----


def test_hostile_words_stay_words(browser, served, tmp_path):
    endless = "W" * 10_000
    types = [MISCHIEF, "\u202eSREP", "__proto__", "a" * 300]
    tokens = [MISCHIEF, "met", endless, "and", "\u202eevil\u202c", "שלום"]
    record = {
        "id": f"{MISCHIEF}", "tokens": tokens,
        "entities": [{"start": place, "end": place + 1, "type": kind} for place, kind in zip((0, 2, 4, 5), types)],
        "relations": [{"head": 0, "tail": 1, "type": MISCHIEF}, {"head": 2, "tail": 3, "type": "constructor"}],
    }  # fmt: skip
    file = tmp_path / "hostile.jsonl"
    file.write_text(json.dumps(record) + "\n", encoding="utf-8")
    with opened(browser, served[1], viewport={"width": 360, "height": 780}) as page:
        page.wait_for_selector(READY)
        page.locator(".more").evaluate("(one) => { one.open = true; }")
        page.set_input_files("#upload", file)
        settled(page)
        page.locator(".arcs .hit").first.dispatch_event("click")
        for summary in page.locator("summary").all():
            if not summary.evaluate("(one) => one.parentElement.open"):
                summary.click()
        assert page.locator("img, iframe, script:not([src])").count() == 0
        assert page.locator(".text").inner_text().replace("\n", "").count("W") == 10_000
        assert too_wide(page) == []
        assert MISCHIEF in page.locator(".arcs text").first.text_content()
        assert len(lines_of(save(page, training=True))[0]["relations"]) == 2


def test_a_token_is_asked_for_and_kept_in_the_tab_alone(browser, served):
    service, address = served
    service.token = b"a-token-of-some-length"
    try:
        with opened(browser, address) as page:
            page.wait_for_selector("#token-dialog[open]")
            page.fill("#token", "wrong")
            page.keyboard.press("Enter")
            page.wait_for_selector("#token-wrong:not([hidden])")
            page.fill("#token", "a-token-of-some-length")
            page.keyboard.press("Enter")
            page.wait_for_selector(READY)
            assert page.locator("#relations tbody tr").count() > 0
            assert page.evaluate("[localStorage.length, document.cookie]") == [0, ""]
    finally:
        service.token = None


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_nothing_serious_is_wrong_for_those_who_do_not_see_or_point(browser, served, width, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    with opened(browser, served[1], viewport={"width": width, "height": 800}, color_scheme=scheme, bypass_csp=True) as page:
        page.wait_for_selector(READY)
        page.locator(".arcs .hit").first.dispatch_event("click")
        page.locator(".e").first.click()
        for summary in page.locator("summary").all():
            if not summary.evaluate("(one) => one.parentElement.open"):
                summary.click()
        found = [one for one in axe.Axe().run(page).response["violations"] if one["impact"] in ("serious", "critical")]
        assert [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found] == []
        assert too_wide(page) == []


def test_the_page_speaks_the_language_of_the_browser_and_takes_samples_of_the_model(browser, served):
    with opened(browser, served[1], locale="zh-CN") as page:
        page.wait_for_selector(READY)
        assert page.inner_text("#read [type=submit]") == "抽取关系" and page.get_attribute("html", "lang") == "zh-Hans"
        page.select_option("#model", "demo-zh")
        settled(page)
        assert page.locator(".text").first.get_attribute("lang") == "zh" and page.locator("#relations tbody tr").count() > 0
        assert page.locator("#samples button").first.get_attribute("lang") == "zh"
        page.click("#language")
        assert page.inner_text("#read [type=submit]") == "Find relations"
        words = page.evaluate("async () => (await import('/page/strings.js')).STRINGS")
        assert words["en"].keys() == words["zh"].keys()
        holes = [{key: sorted(re.findall(r"\{\w+\}", text)) for key, text in words[name].items()} for name in ("en", "zh")]
        assert holes[0] == holes[1]
        page.click("#theme")
        assert page.get_attribute("html", "data-theme") == "dark"
