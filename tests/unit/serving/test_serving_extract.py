"""POST /v1/extract: the answers are those of the extractor, alone or in company; what is wrong is said in one shape."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from relsift.decisions.decision import Decision
from relsift.serving import models
from relsift.serving.limits import Limits
from relsift.serving.requests import extraction_of
from relsift.serving.scoring import Counts, answers
from serving_app import JSON, ask, serving, together

TEXTS = (
    "Ida Holm, mayor of Skerrin, lives in Vell. Her sister owns the ferry.",
    "Ida Holm and her sister own the ferry.",
    "The engineer inspected the harbour in Skerrin.",
    "Hm.",
)
TOKENS = ["Ida", "Holm", "lives", "in", "Vell"]
ENTITIES = [{"start": 0, "end": 2, "type": "PER", "id": "ida"}, {"start": 4, "end": 5, "type": "GPE"}]


def extract(app, *documents, **options):
    return ask(app, "POST", "/v1/extract", json={"documents": list(documents), **options})


def spans(found):
    return [(entity["start"], entity["end"], entity["type"]) for entity in found["entities"]]


def results(app, *documents, **options):
    answer = extract(app, *documents, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()["results"]


def test_a_text_gets_the_entities_and_relations_of_the_extractor(app, demo):
    for found, text in zip(results(app, *({"text": text} for text in TEXTS)), TEXTS, strict=True):
        document = demo.extractor(text)
        assert found["text"] == text
        assert [(e["start"], e["end"], e["type"], e["text"], e["score"]) for e in found["entities"]] == [
            (e.start, e.end, e.type, e.text, pytest.approx(e.score, abs=1e-4)) for e in document.entities
        ]
        assert [text[e["start"] : e["end"]] for e in found["entities"]] == [e["text"] for e in found["entities"]]
        assert [(r["head_text"], r["type"], r["tail_text"], r["head_span"], r["score"], r["probability"]) for r in found["relations"]] == [
            (r.head.text, r.type, r.tail.text, [r.head.start, r.head.end], *(pytest.approx(x, abs=1e-4) for x in (r.score, r.probability)))
            for r in document.relations
        ]
        for relation in found["relations"]:
            assert found["entities"][relation["head"]]["text"] == relation["head_text"]
            assert found["entities"][relation["tail"]]["text"] == relation["tail_text"]


def test_the_texts_hold_relations_so_that_the_tests_here_can_fail(demo):
    assert sum(len(demo.extractor(text).relations) for text in TEXTS) > 1


def test_requests_at_one_time_get_the_answers_that_they_get_alone(app):
    documents = [{"id": f"d{number}", "text": TEXTS[number % 4] + f" Part {number}."} for number in range(24)]
    alone = [results(app, document, all_scores=True)[0] for document in documents]
    answers_together = together(app, *(("POST", "/v1/extract", {"json": {"documents": [d], "all_scores": True}}) for d in documents))
    for one, answer in zip(alone, answers_together):
        [found] = answer.json()["results"]
        assert found["id"] == one["id"]
        assert spans(found) == spans(one)
        for pair, other in zip(found["pairs"], one["pairs"], strict=True):
            assert pair["scores"] == pytest.approx(other["scores"], abs=1e-4)


def test_given_entities_are_related_as_they_are(app, demo):
    [found] = results(app, {"tokens": TOKENS, "entities": ENTITIES}, threshold=-100.0)
    assert found["offsets"] == "tokens"
    assert [(e["id"], e["start"], e["end"], e["text"], e["score"]) for e in found["entities"]] == [
        ("ida", 0, 2, "Ida Holm", None), (None, 4, 5, "Vell", None),
    ]  # fmt: skip
    expected = demo.extractor({"tokens": TOKENS, "entities": ENTITIES}, threshold=-100.0, entities="gold").relations
    assert [(r["head"], r["tail"], r["type"]) for r in found["relations"]] == [(*r.pair, r.type) for r in expected]
    assert expected


def test_an_empty_list_of_entities_says_that_there_are_none(app):
    given, found = results(app, {"text": TEXTS[1], "entities": []}, {"text": TEXTS[1]})
    assert given["entities"] == []
    assert found["entities"] != []


def test_sentences_of_a_document_keep_their_numbers_ids_and_characters(app):
    sentences = [
        {"tokens": ["Ida", "sleeps"], "entities": [{"start": 0, "end": 1, "type": "PER"}]},
        {"id": "x", "tokens": TOKENS, "text": "Ida Holm lives in Vell", "offsets": [[0, 3], [4, 8], [9, 14], [15, 17], [18, 22]],
         "text_start": 11, "entities": ENTITIES},
    ]  # fmt: skip
    [found] = results(app, {"id": 7, "sentences": sentences}, threshold=-100.0)
    assert (found["id"], [one["id"] for one in found["sentences"]]) == ("7", ["7-0", "x"])
    assert [e["sentence"] for e in found["entities"]] == [0, 1, 1]
    assert {(r["head"], r["tail"]) for r in found["relations"]} <= {(1, 2), (2, 1)}
    assert found["relations"]


def test_the_threshold_and_the_mode_of_a_request_are_its_own(app):
    document = {"text": TEXTS[0]}
    few, many, several, usual = together(
        app,
        *(("POST", "/v1/extract", {"json": {"documents": [document], **options}})
          for options in ({"threshold": 1e9}, {"threshold": -1e9}, {"threshold": -1e9, "mode": "several"}, {})),
    )  # fmt: skip
    counts = [len(answer.json()["results"][0]["relations"]) for answer in (few, usual, many, several)]
    assert counts[0] == 0 < counts[1] < counts[2] < counts[3]


@pytest.mark.parametrize("threshold", [None, -2.0, 0.5, 3.0])
def test_all_scores_are_enough_to_decide_again_without_the_service(app, threshold):
    body = extract(app, {"text": TEXTS[0]}, all_scores=True, threshold=threshold).json()
    [found], bar = body["results"], body["decision"]["threshold"]
    assert body["decision"]["mode"] == "single"
    assert threshold in (None, bar)
    decided = []
    for pair in found["pairs"]:
        best = max((score, -column) for column, score in enumerate(pair["scores"]) if score is not None)
        if best[0] >= bar:
            decided.append((pair["head"], pair["tail"], body["labels"][-best[1]], best[0], pair["probabilities"][-best[1]]))
    assert decided == [tuple(r[key] for key in ("head", "tail", "type", "score", "probability")) for r in found["relations"]]


def test_a_forbidden_relation_has_no_score(app, demo):
    body = extract(app, {"text": TEXTS[0]}, all_scores=True).json()
    [found], triples = body["results"], demo.extractor.bundle.decision.triples
    for pair in found["pairs"]:
        kinds = tuple(found["entities"][pair[role]]["type"] for role in ("head", "tail"))
        assert [score is not None for score in pair["scores"]] == [(*kinds, name) in triples for name in body["labels"]]


def test_tokens_of_a_text_are_told_when_asked_for(app):
    [without], [found] = results(app, {"text": TEXTS[0]}), results(app, {"text": TEXTS[0]}, with_tokens=True)
    assert "sentences" not in without and "tokens" not in without["entities"][0]
    for sentence in found["sentences"]:
        assert [TEXTS[0][start:end] for start, end in sentence["offsets"]] == sentence["tokens"]
    for entity in found["entities"]:
        first, last = entity["tokens"]
        offsets = found["sentences"][entity["sentence"]]["offsets"]
        assert (offsets[first][0], offsets[last - 1][1]) == (entity["start"], entity["end"])


def test_an_entity_type_that_the_model_does_not_know_is_noted(app):
    [found] = results(app, {"tokens": TOKENS, "entities": [ENTITIES[0], ENTITIES[1] | {"type": "STAR"}]})
    assert "STAR" in " ".join(found["notes"])


def test_words_that_the_model_does_not_know_are_noted_of_the_text_that_has_them(app):
    foreign, known = results(app, {"text": "Qwzx vbrt."[:-1]}, {"text": TEXTS[0]})
    assert "1 of 1" in " ".join(foreign["notes"])
    assert known["notes"] == []


def test_a_request_names_its_model(app):
    assert extract(app, {"text": "Hm."}).json()["model"] == "demo-en"
    assert extract(app, {"text": "Hm."}, model="second").json()["model"] == "second"


def document(**fields) -> bytes:
    return json.dumps({"documents": [fields]}).encode()


def with_entity(**fields) -> bytes:
    return document(text="x", entities=[fields])


BROKEN = {
    "not JSON": (b"{", 400, "not_json", ""),
    "not UTF-8": (b'{"documents": [{"text": "\xff"}]}', 400, "not_json", ""),
    "NaN": (b'{"documents": [{"text": "x"}], "threshold": NaN}', 400, "not_json", ""),
    "a key twice": (b'{"documents": [], "documents": [{"text": "x"}]}', 400, "not_json", ""),
    "thousands of brackets": (b"[" * 100_000, 400, "not_json", ""),
    "a number of thousands of digits": (b'{"threshold": ' + b"9" * 5000 + b"}", 400, "not_json", ""),
    "an infinite threshold": (b'{"documents": [{"text": "x"}], "threshold": 1e999}', 422, "invalid", "threshold"),
    "a list": (b"[]", 422, "invalid", ""),
    "no documents": (b'{"documents": []}', 422, "invalid", "documents"),
    "an unknown field": (b'{"documents": [{"text": "x"}], "treshold": 1}', 422, "invalid", "treshold"),
    "an unknown field of a document": (b'{"documents": [{"text": "x", "txt": 1}]}', 422, "invalid", "documents.0.txt"),
    "a document without words": (b'{"documents": [{"text": "x"}, {"id": "b"}]}', 422, "invalid", "documents.1"),
    "an unknown mode": (b'{"documents": [{"text": "x"}], "mode": "all"}', 422, "invalid", "mode"),
    "an unknown model": (b'{"documents": [{"text": "x"}], "model": "nope"}', 404, "unknown_model", "model"),
    "an id twice": (b'{"documents": [{"id": 1, "text": "x"}, {"id": "1", "text": "y"}]}', 422, "invalid", "documents.1.id"),
    "half a character": (b'{"documents": [{"text": "\\ud800"}]}', 422, "invalid", "documents.0"),
    "U+0000": (b'{"documents": [{"text": "\\u0000"}]}', 422, "invalid", "documents.0"),
    "an empty token": (b'{"documents": [{"tokens": ["a", ""]}]}', 422, "invalid", "documents.0.tokens.1"),
    "offsets without a text": (b'{"documents": [{"tokens": ["a"], "offsets": [[0, 1]]}]}', 422, "invalid", "documents.0"),
    "words beside sentences": (b'{"documents": [{"text": "x", "sentences": [{"tokens": ["a"]}]}]}', 422, "invalid", "documents.0"),
    "entities in some": (document(sentences=[{"tokens": ["a"], "entities": []}, {"tokens": ["b"]}]), 422, "invalid", "documents.0"),
    "trees in a circle": (document(tokens=["a", "b"], heads=[1, 0], dependencies=["x"] * 2, pos=["x"] * 2), 422, "invalid", "documents.0"),
    "an entity outside": (with_entity(start=0, end=9, type="PER"), 422, "invalid", "documents.0"),
    "an entity without a type": (with_entity(start=0, end=1), 422, "invalid", "documents.0.entities.0.type"),
    "an unknown field of an entity": (with_entity(start=0, end=1, type="PER", score=1.0), 422, "invalid", "documents.0.entities.0.score"),
    "a huge position": (with_entity(start=0, end=10**20, type="PER"), 422, "invalid", "documents.0.entities.0.end"),
}  # fmt: skip


@pytest.mark.parametrize("what", BROKEN)
def test_a_request_that_is_wrong_is_told_where_and_why(app, what):
    body, status, code, where = BROKEN[what]
    answer = ask(app, "POST", "/v1/extract", content=body, headers=JSON)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"], error["where"]) == (status, code, where), error
    assert "expected" in error["message"] and len(error["message"]) <= 501
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"content-type": "text/plain"},
        {"content-type": "application/json; charset=latin-1"},
        {"content-type": b"\xff"},
        JSON | {"content-encoding": "gzip"},
    ],
)
def test_only_json_in_utf8_is_taken(app, headers):
    assert ask(app, "POST", "/v1/extract", content=b'{"documents": [{"text": "x"}]}', headers=headers).status_code == 415


def test_what_is_too_large_is_refused_before_it_is_scored(demo):
    many = [{"start": 0, "end": 1, "type": "PER"}] * 10_000
    with serving(demo, max_kb=1024, max_tokens=10, max_documents=2) as (_, app):
        for documents, where in (
            ([{"tokens": ["a"], "entities": many}], "documents.0"),
            ([{"text": "Ada leads Acme. " * 3}], "documents.0"),
            ([{"sentences": [{"tokens": ["a"] * 6}] * 2}], "documents.0"),
            ([{"text": "a"}] * 3, "documents"),
            ([{"text": "a" * 1_100_000}], "body"),
        ):
            answer = extract(app, *documents)
            assert (answer.status_code, answer.json()["error"]["code"], answer.json()["error"]["where"]) == (413, "too_large", where)


def test_a_broken_request_in_a_batch_does_not_touch_the_others(app):
    broken = {"text": "x", "entities": [{"start": 0, "end": 9, "type": "PER"}]}
    documents = [broken if number % 3 == 0 else {"text": TEXTS[1]} for number in range(12)]
    requests = [("POST", "/v1/extract", {"json": {"documents": [document]}}) for document in documents]
    assert [answer.status_code for answer in together(app, *requests)] == [422 if number % 3 == 0 else 200 for number in range(12)]


def test_a_request_that_makes_the_scoring_fail_fails_alone(demo, monkeypatch):
    scored = type(demo.extractor).scored

    def failing(self, documents, **options):
        those = list(documents)
        if any("boom" in sentence.tokens for one in those for sentence in one.sentences):
            raise RuntimeError("the text was: boom")
        return scored(self, those, **options)

    monkeypatch.setattr(type(demo.extractor), "scored", failing)
    with serving(demo) as (_, app):
        requests = [("POST", "/v1/extract", {"json": {"documents": [{"text": text}]}}) for text in (TEXTS[1], "boom", TEXTS[2])]
        first, broken, last = together(app, *requests)
    assert (first.status_code, broken.status_code, last.status_code) == (200, 500, 200)
    assert broken.json()["error"]["code"] == "internal"
    assert "boom" not in broken.text


def test_a_model_that_finds_no_entities_asks_for_them(demo):
    class Relates(type(demo.extractor)):
        finds_entities = False

    extractor = Relates(demo.extractor.bundle)
    limits = Limits()
    given = [{"documents": [{"text": "Ada"}]}, {"documents": [{"text": "Ada", "entities": []}]}]
    requests = [extraction_of(json.dumps(one).encode(), limits) for one in given]
    refused, taken = answers("m", extractor, requests, limits, Counts())
    assert refused.code == "invalid" and "expected \"entities\"" in refused.message
    assert json.loads(taken)["results"][0]["entities"] == []


def test_a_decision_without_calibration_gives_no_probabilities(demo):
    bundle = replace(demo.extractor.bundle, decision=Decision(threshold=-1e9))
    bare = replace(demo, extractor=type(demo.extractor)(bundle))
    with serving(bare) as (_, app):
        [found] = results(app, {"text": TEXTS[0]}, all_scores=True)
    assert {r["probability"] for r in found["relations"]} == {None}
    assert {pair["probabilities"] for pair in found["pairs"]} == {None}


def test_an_annotator_finds_the_entities_of_documents_without_any_and_what_it_leaves_out_is_counted(tmp_path):
    names = tmp_path / "names.jsonl"
    names.write_text('{"label": "PERSON", "pattern": "Ada"}\n{"label": "DAY", "pattern": "Monday"}\n', encoding="utf-8")
    options = {"entities_from": [f"patterns:{names}"], "types": {"PERSON": "PER", "DAY": None}}
    served = models.load("mine", "demo-en", device="cpu", precision="float32", cache_mb=1, **options)
    with serving(served) as (service, app):
        found, given, sentence = results(
            app, {"text": "Ada left on Monday."}, {"text": "Ada left.", "entities": [{"start": 4, "end": 8, "type": "GPE"}]},
            {"sentences": [{"tokens": ["Ada", "left"]}, {"tokens": ["Bo"]}]},
        )  # fmt: skip
        left_out = [line for line in service.metrics.text().decode().splitlines() if line.startswith("relsift_left_out_total")]
    assert [[(e["start"], e["end"], e["type"]) for e in one["entities"]] for one in (found, given, sentence)] == [
        [(0, 3, "PER")], [(4, 8, "GPE")], [(0, 1, "PER")],
    ]  # fmt: skip
    assert left_out == ['relsift_left_out_total{model="mine"} 1.0']
    assert served.summary(default=True)["annotators"] == ["patterns:names.jsonl"]


def test_errors_speak_of_the_request_and_not_of_the_libraries_behind_the_service(app):
    empty = extract(app).json()["error"]
    assert empty["message"] == "documents: expected at least 1 item, got []"
    nameless = extract(app, {"tokens": [""]}).json()["error"]
    assert nameless["message"].endswith("expected at least 1 character, got ''")
    digits = ask(app, "POST", "/v1/extract", content=b'{"threshold": ' + b"9" * 5000 + b"}", headers=JSON).json()["error"]
    assert "5000 digits" in digits["message"] and "sys." not in digits["message"]
