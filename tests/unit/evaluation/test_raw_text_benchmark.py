"""`benchmarks/raw_text.py`: the text of a corpus is rebuilt with exact characters, and losses are counted by them."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import pytest

from relsift.bundle import Bundle, build
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.evaluation.scores import evaluate
from relsift.extractor import RelationExtractor
from relsift.inference import Scorer
from relsift.readers.raw import split_by_rules
from relsift.schema import Document, Entity, Relation, Sentence
from toy import encoding, randomise, sentences

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture(scope="module")
def raw_text() -> Any:
    """The script as a module."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        spec = importlib.util.spec_from_file_location("raw_text_benchmark", BENCHMARKS / "raw_text.py")
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, spec.name, module)  # dataclasses look their module up
        spec.loader.exec_module(module)
        yield module


def test_texts_are_rebuilt_with_blanks_or_as_in_print_and_chinese_without(raw_text):
    english = Document("d", (Sentence("a", ("Ada", "left", ",", "Bo", "too", ".")), Sentence("b", ("Rain", "."))))
    assert raw_text.rebuilt(english, "blanks").text == "Ada left , Bo too . Rain ."
    assert raw_text.rebuilt(english, "print").text == "Ada left, Bo too. Rain."
    chinese = raw_text.rebuilt(Document("d", (Sentence("a", ("张", "三", "␣", "来", "。")), Sentence("b", ("雨", "。")))), "blanks")
    assert chinese.text == "张三 来。雨。"
    assert chinese.spans == [[(0, 1), (1, 2), (2, 3), (3, 4), (4, 5)], [(5, 6), (6, 7)]]


def test_ends_inside_a_token_and_relations_over_a_sentence_end_are_counted(raw_text):
    sentence = Sentence(
        "a", ("Old", "Mill", "is", "Bo", ".", "He", "left"), (Entity(0, 1, "X"), Entity(3, 4, "X"), Entity(5, 6, "X")),
        (Relation(0, 1, "r"), Relation(1, 2, "r")),
    )  # fmt: skip
    document = raw_text.rebuilt(Document("d", (sentence,)), "blanks")
    assert raw_text.boundaries_inside([document], split_by_rules) == (0, 6, 1, 2)  # "Bo . | He": our rules end a sentence there

    def glued(text: str) -> list[Sentence]:  # one token up to the end of "Old M"
        return [Sentence("0", (text[:5], text[5:].strip()), offsets=((0, 5), (5, len(text))))]

    assert raw_text.boundaries_inside([document], glued) == (6 - 1, 6, 0, 2)  # the first end alone is an end of a token


def test_by_characters_the_scores_of_given_entities_are_those_of_the_evaluator(raw_text):
    known = encoding()
    network = build("multitask_cnn", {"filters": 4, "windows": (2,)}, known)
    randomise(network, 0)
    extractor = RelationExtractor(Bundle("multitask_cnn", Scorer(network.eval(), known, Candidates()), Decision(threshold=0.0)))
    gold = [Document(sentence.id, (sentence,)) for sentence in sentences(20, seed=1)]
    documents = [raw_text.rebuilt(document, "blanks") for document in gold]
    annotated = [raw_text.by_characters(one, one.document.sentences, one.spans) for one in documents]
    found = list(raw_text.predicted(extractor, documents, "relations", split_by_rules))
    by_characters = evaluate(annotated, found, direction="directed", entities="predicted")
    items = [Document(document.id, tuple(s.with_relations(None) for s in document.sentences)) for document in gold]
    predicted = [document.sentences[0] for document in extractor(items, entities="gold")]
    expected = evaluate([document.sentences[0] for document in gold], predicted, direction="directed", entities="predicted")
    assert by_characters.per_type == expected.per_type
    assert any(counts.true_positive for counts in expected.per_type.values())
