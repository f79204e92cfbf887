"""The facade as a new user meets it: what it takes, what it says about what it cannot know, and how it refuses the rest."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.errors import CheckpointError, ConfigError, DataError, RelsiftError
from relsift.extractor import RelationExtractor
from relsift.inference import InferenceReport, Scorer
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig
from relsift.schema import Document, Entity, Sentence
from relsift.writers.native import record_of
from toy import encoding, randomise

KNOWN = encoding()
ENTITIES = [{"start": 0, "end": 1, "type": "PER"}, {"start": 3, "end": 4, "type": "ORG"}]
ITEM: dict[str, Any] = {"tokens": ["Ada", "works", "for", "Acme"], "entities": ENTITIES}
# Ada [0,3), Acme [14,18)
TEXT: dict[str, Any] = {
    "text": "Ada works for Acme.",
    "entities": [{"start": 0, "end": 3, "type": "PER"}, {"start": 14, "end": 18, "type": "ORG"}],
}


@pytest.fixture(scope="module")
def rx() -> RelationExtractor:
    """Takes every pair as related."""
    model = MultiTaskCNN(MultiTaskCNNConfig.tiny(), KNOWN)
    randomise(model, 0)
    return RelationExtractor(Bundle("multitask_cnn", Scorer(model.eval(), KNOWN, Candidates()), Decision(threshold=-1e9)))


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# ---- what it takes


def test_every_way_to_give_a_sentence_gives_the_same_relations(rx: RelationExtractor):
    sentence = Sentence("item-0", ("Ada", "works", "for", "Acme"), (Entity(0, 1, "PER"), Entity(3, 4, "ORG")), doc_id="item-0")
    expected = rx.predict([sentence])
    assert len(expected[0].relations or ()) == 2  # both directions
    numpy_item = {
        "tokens": np.array(ITEM["tokens"]),
        "entities": [{"start": np.int64(0), "end": np.int32(1), "type": np.str_("PER")}, {"start": 3, "end": 4, "type": "ORG"}],
    }
    same: list[Any] = [
        ITEM, numpy_item, MappingProxyType(ITEM | {"tokens": tuple(ITEM["tokens"])}), ITEM | {"entities": list(sentence.entities)},
        Document("item-0", (sentence,)), ITEM | {"relations": "nonsense, which is ignored"},
    ]  # fmt: skip
    for item in same:
        assert rx.predict([item]) == expected
        assert list(rx.stream(iter([item]))) == expected
        assert rx(item).sentences == tuple(expected)


def test_a_call_gives_one_document_an_item_so_that_items_and_results_can_be_paired(rx: RelationExtractor):
    two = {"text": "Ada left. Bo came.", "entities": []}
    documents = [rx(item) for item in (TEXT, two)]
    assert [(len(d.sentences), d.text) for d in documents] == [(1, TEXT["text"]), (2, two["text"])]


def test_an_empty_text_gives_an_empty_result_and_a_word_about_it(rx: RelationExtractor):
    with pytest.warns(UserWarning, match=r"1 empty text \(kept, as a document without sentences\) \(first: item 1\)"):
        assert [s.id for s in rx.predict([ITEM, {"text": " ", "entities": []}, ITEM])] == ["item-0", "item-2"]
    with pytest.warns(UserWarning, match="empty text"):
        assert rx({"text": "", "entities": []}) == Document("item-0", (), "")


def test_what_it_gives_can_be_given_again(rx: RelationExtractor):
    found = rx.predict([TEXT])
    assert rx.predict([record_of(sentence) for sentence in found]) == found


# ---- the threshold


def test_the_threshold_can_be_set_for_a_call_for_an_extractor_and_when_loading(rx: RelationExtractor, tmp_path: Path):
    (sentence,) = rx.predict([ITEM])
    scores = sorted(relation.score or 0.0 for relation in sentence.relations or ())
    between = (scores[0] + scores[1]) / 2
    rx.save_pretrained(tmp_path / "model")
    for chosen in (
        rx.predict([ITEM], threshold=between), list(rx.stream([ITEM], threshold=between)), rx.with_threshold(between).predict([ITEM]),
        rx.with_threshold(np.float64(between)).predict([ITEM]),
        RelationExtractor.from_pretrained(tmp_path / "model", threshold=between).predict([ITEM]),
    ):  # fmt: skip
        assert [relation.score for relation in chosen[0].relations or ()] == [scores[1]]
    assert rx.threshold == -1e9  # as it was


@pytest.mark.parametrize("threshold", [float("nan"), "0.5", True, [1.0]])
def test_a_threshold_that_is_no_number_is_refused_before_anything_is_read(rx: RelationExtractor, threshold: Any):
    def never() -> Iterator[Any]:
        raise AssertionError
        yield

    with pytest.raises(ConfigError, match=r"threshold: expected a number"):
        rx.with_threshold(threshold)
    with pytest.raises(ConfigError, match=r"threshold: expected a number"):
        rx.stream(never(), threshold=threshold)


# ---- what it does not know


def test_entity_types_and_words_that_training_did_not_have_are_named_once(rx: RelationExtractor):
    unseen = ITEM | {"entities": [entity | {"type": "FIRM"} for entity in ENTITIES]}
    with pytest.warns(UserWarning, match=r"entity types never seen in training, tagged as no entity: FIRM \(4\)") as caught:
        rx.predict([unseen, unseen])
    assert len(caught) == 1
    assert caught[0].filename == __file__
    strange = ITEM | {"tokens": ["qq", "ww", "zz", "xx"]}
    with pytest.warns(UserWarning, match=r"sentences without a single word that training had: 2 of 3;"):
        rx.predict([strange, ITEM, strange])
    report = InferenceReport()
    rx.predict([strange, unseen], report=report)  # said there, not as a warning
    assert (report.unseen_types, report.unknown_sentences) == ({"FIRM": 2}, 1)
    assert len(report.lines()) == 2


def test_a_sentence_with_nothing_to_relate_may_have_words_that_are_unknown(rx: RelationExtractor):
    assert rx.predict([{"tokens": ["qq"], "entities": []}])[0].relations == ()


def test_what_the_data_model_cannot_hold_is_a_warning(rx: RelationExtractor):
    with pytest.warns(UserWarning, match=r"left out or changed: 1 value under the unknown key 'colour' \(first: item 0\)"):
        rx.predict([ITEM | {"colour": "red"}])


# ---- what it refuses

GIVEN = r"this model relates given entities and does not find them: give them, as in \{\"text\": "


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ("Ada leads Acme", rf"^items: expected a Sentence, a Document or a mapping with entities, got str 'Ada leads Acme'; {GIVEN}"),
        (["Ada leads Acme"], rf"^item 0: expected .*, got str 'Ada leads Acme'; {GIVEN}"),
        (ITEM, r"^items: expected a list of items, got one dict; put it into a list, or call the extractor: rx\(item\)"),
        (None, r"^items: expected a list of items, got one NoneType"),
        ([ITEM, {"text": "Ada leads Acme"}], rf'^item 1: expected "entities" beside .* got keys text; {GIVEN}'),
        ([{"text": "Ada", "entities": None}], r'^item 0: expected "entities" beside the text'),
        ([ITEM | {"entities": [(0, 1, "PER")]}], r"^item 0: entity 0: expected an object with start, end and type, got \[0, 1, 'PER'\]"),
        ([ITEM | {"entities": [{"start": 0, "end": 1, "label": "PER"}]}], r"^item 0: entity 0: expected the key 'type', got keys end"),
        ([ITEM | {"entities": [{"start": 0, "end": 9, "type": "PER"}]}], r"^item 0: entity 0: expected 0 <= start < end <= 4 tokens"),
        ([TEXT | {"entities": [{"start": 1, "end": 4, "type": "PER", "text": "Ada"}]}], r"^item 0: entity 0: expected 'Ada', its own"),
        ([ITEM | {"tokens": ["\ud800"]}], r"^item 0: expected whole characters, got half of one, the lone surrogate '\\ud800'"),
        ([ITEM | {"tokens": {"Ada"}}], r"^item 0: expected lists and mappings of texts and numbers, got set"),
        ([{1: 2}], r"^item 0: expected texts as keys, got 1"),
        ([3], r"^item 0: expected a Sentence, a Document or a mapping with entities, got int; this"),
        ([10**5000], r"^item 0: .*got int; this"),
        ([ITEM | {"doc_id": 10**5000}], r"^item 0: expected numbers that fit into 64 bits, got one of 16610 bits"),
    ],
)
def test_other_input_is_refused_with_the_number_of_the_item_and_what_to_give(rx: RelationExtractor, items: Any, message: str):
    with pytest.raises(DataError, match=message):
        rx.predict(items)


def test_a_value_that_holds_itself_is_refused(rx: RelationExtractor):
    item: dict[str, Any] = dict(ITEM)
    item["extra"] = item
    with pytest.raises(DataError, match=r"item 0: expected .* got a value nested thousands deep"):
        rx.predict([item])


@pytest.mark.parametrize("place", [".", "", "..", "file", "file/model"])
def test_a_place_where_no_model_can_be_saved_is_refused(
    rx: RelationExtractor, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    (tmp_path / "file").write_text("x", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RelsiftError, match="expected a"):
        rx.save_pretrained(place)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("folder", [None, 3, b"runs", "a\0b", "a\ud83d"])
def test_what_is_no_path_is_refused_as_a_folder(rx: RelationExtractor, folder: Any):
    for use in (RelationExtractor.from_pretrained, rx.save_pretrained):
        with pytest.raises(CheckpointError, match=r"^folder: expected the path of a run folder or a model folder, got"):
            use(folder)
