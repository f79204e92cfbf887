"""relsift as a component of a spaCy pipeline: what it relates, what it keeps, how it is saved, sent to processes and scored."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

spacy = pytest.importorskip("spacy")

import srsly  # noqa: E402
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from spacy.tokens import Doc, DocBin, Span  # noqa: E402
from spacy.training import Example  # noqa: E402

from relsift import registry  # noqa: E402
from relsift.annotators.entities import EntitySource  # noqa: E402
from relsift.bundle import Bundle, build  # noqa: E402
from relsift.candidates import Candidates  # noqa: E402
from relsift.decisions.decision import Decision  # noqa: E402
from relsift.errors import CheckpointError, ConfigError, DataError  # noqa: E402
from relsift.inference import Scorer  # noqa: E402
from relsift.integrations.spacy_relations import SpanRelation, register  # noqa: E402
from relsift.models.multitask_cnn import MultiTaskCNN, MultiTaskCNNConfig  # noqa: E402
from relsift.schema import Entity  # noqa: E402
from toy import encoding, randomise  # noqa: E402

KNOWN = encoding()
TEXT = "Ada works for Acme. Bo joined Acme."
TYPES = {"PERSON": "PER", "FIRM": "ORG", "DATE": None}
PATTERNS = [{"label": label, "pattern": name} for name, label in (
    ("Ada", "PERSON"), ("Bo", "PERSON"), ("Acme", "FIRM"), ("Tuesday", "DATE"), ("Oslo", "PLACE"),
)]  # fmt: skip

Triple = tuple[str, str, str]


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(registry.MODELS, "toy_joint", "toy_joint:ToyJoint")
    registry.table.cache_clear()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        yield
    registry.table.cache_clear()


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a model that takes every pair as related, in both directions."""
    network = MultiTaskCNN(MultiTaskCNNConfig.tiny(), KNOWN)
    randomise(network, 0)
    folder = tmp_path_factory.mktemp("component") / "model"
    Bundle("multitask_cnn", Scorer(network.eval(), KNOWN, Candidates()), Decision(threshold=-1e9)).save(folder)
    return str(folder)


@pytest.fixture
def joint(tmp_path: Path) -> str:
    """The folder of a joint model that finds Ada, Acme and Oslo, and takes every pair as related."""
    network: Any = build("toy_joint", {}, KNOWN)
    for word, kind in (("Ada", "PER"), ("Acme", "ORG"), ("Oslo", "LOC")):
        network.words.weight.data[KNOWN.words.ids([word])[0], KNOWN.types.names.index(kind)] = 9.0
    for word in ("works", "for", "lives", "in", "."):
        network.words.weight.data[KNOWN.words.ids([word])[0], -1] = 9.0
    Bundle("toy_joint", Scorer(network.eval(), KNOWN, Candidates()), Decision(threshold=-1e9)).save(tmp_path / "joint")
    return str(tmp_path / "joint")


def pipeline(model: str | None, *, sentences: bool = True, **config: Any) -> Any:
    nlp = spacy.blank("en")
    if sentences:
        nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns(PATTERNS)
    nlp.add_pipe("relsift", config={"model": model, "types": TYPES} | config)
    return nlp


def triples(doc: Any) -> list[Triple]:
    return [(relation.head.text, relation.type, relation.tail.text) for relation in doc._.relations]


def pairs(doc: Any) -> list[tuple[str, str]]:
    return [(head, tail) for head, _, tail in triples(doc)]


# ---- what is related


def test_relations_are_between_the_spans_of_the_doc_with_type_and_score(model: str):
    doc = pipeline(model)(TEXT)
    assert pairs(doc) == [("Ada", "Acme"), ("Acme", "Ada"), ("Bo", "Acme"), ("Acme", "Bo")]
    first = doc._.relations[0]
    assert (first.head.start, first.head.end, first.head.label_) == (0, 1, "PERSON")
    assert (first.tail.start_char, first.tail.end_char, first.tail.label_) == (14, 18, "FIRM")
    assert first.type in KNOWN.labels
    assert isinstance(first.score, float)
    assert first.head.doc is doc
    with pytest.raises(AttributeError):
        first.type = "other"


def test_relations_are_those_of_the_extractor_on_the_same_tokens_and_types(model: str):
    from relsift import RelationExtractor

    doc = pipeline(model)(TEXT)
    rx = RelationExtractor.from_pretrained(model)
    expected = []
    for words, firm in ((["Ada", "works", "for", "Acme", "."], 3), (["Bo", "joined", "Acme", "."], 2)):
        entities = [(0, 1, "PER"), (firm, firm + 1, "ORG")]
        item = {"tokens": words, "entities": [{"start": start, "end": end, "type": kind} for start, end, kind in entities]}
        expected += [(one.type, one.score) for one in rx(item).relations]
    assert [(one.type, one.score) for one in doc._.relations] == [(kind, pytest.approx(score, abs=1e-5)) for kind, score in expected]


def test_a_type_that_the_table_leaves_out_is_in_no_relation_and_stays_an_entity(model: str):
    doc = pipeline(model)("Ada joined Acme Tuesday.")
    assert pairs(doc) == [("Ada", "Acme"), ("Acme", "Ada")]
    assert [span.label_ for span in doc.ents] == ["PERSON", "FIRM", "DATE"]


def test_a_type_that_training_did_not_have_is_a_warning_once(model: str):
    nlp = pipeline(model)
    with pytest.warns(UserWarning, match="relsift: entities of a type that training did not have: PLACE; the config `types` renames them"):
        nlp("Ada lives in Oslo.")
    nlp("Ada lives in Oslo.")


def test_text_that_the_model_does_not_know_is_a_warning_once(model: str):
    nlp = pipeline(model, sentences=False, types={})
    doc = Doc(nlp.vocab, words=["Zyx", "vut"], sent_starts=[True, False])
    doc.ents = [Span(doc, 0, 1, "PER"), Span(doc, 1, 2, "ORG")]
    with pytest.warns(UserWarning, match="relsift: sentences without a single word that training had: 1 of 1"):
        nlp.get_pipe("relsift")(doc)
    list(nlp.get_pipe("relsift").pipe([doc, doc]))


def test_a_higher_threshold_gives_fewer_relations(model: str):
    scores = sorted(one.score for one in pipeline(model)(TEXT)._.relations)
    doc = pipeline(model, threshold=scores[2])(TEXT)
    assert sorted(one.score for one in doc._.relations) == scores[2:]


def test_blank_tokens_are_no_words_of_a_sentence(model: str):
    plain, spaced = (pipeline(model)(text) for text in ("Ada works for Acme.", "  Ada \n works  for Acme."))
    assert [one.score for one in spaced._.relations] == [one.score for one in plain._.relations]
    assert [spaced.text[one.head.start_char : one.head.end_char] for one in spaced._.relations] == ["Ada", "Acme"]


def test_a_text_without_words_has_no_relations(model: str):
    nlp = pipeline(model)
    for text in ("", " ", "\n\n", "Ada"):
        assert nlp(text)._.relations == []


def test_entities_may_come_from_a_span_group_where_they_overlap(model: str):
    nlp = pipeline(model, entities="spans:names", types={})
    doc = nlp.make_doc("Ada Lee works for Acme.")
    doc.spans["names"] = [Span(doc, 0, 2, "PER"), Span(doc, 1, 2, "PER"), Span(doc, 4, 5, "ORG"), Span(doc, 3, 4)]
    with pytest.warns(UserWarning, match=r"left out or changed: entities without a label \(first: 'Ada Lee works for Acme\.': 'for'\)"):
        nlp(doc)
    assert len(doc._.relations) == 6
    assert {head for head, _ in pairs(doc)} == {"Ada Lee", "Lee", "Acme"}
    with pytest.warns(UserWarning, match="docs without the span group 'names', taken to have no entities"):
        assert nlp(TEXT)._.relations == []


def test_the_same_span_twice_in_a_group_counts_once(model: str):
    nlp = pipeline(model, entities="spans:names", types={"PERSON": "PER"})
    doc = nlp.make_doc("Ada Lee  works for Acme.")  # token 2 is a blank
    firsts = [(0, 2, "PER"), (5, 6, "ORG")]
    again = [(0, 2, "PER"), (0, 3, "PER"), (0, 2, "PERSON")]  # the same words, and the same type in the model
    doc.spans["names"] = [Span(doc, *span) for span in (*firsts, *again, (0, 2, "ORG"))]
    with pytest.warns(UserWarning, match=r"entities with the span and type of an earlier one \(first: 'Ada Lee  works for Acme\.'"):
        nlp(doc)
    assert nlp.get_pipe("relsift").report.dropped == {"entities with the span and type of an earlier one": 3}
    ends = [((one.head.start, one.head.label_), (one.tail.start, one.tail.label_)) for one in doc._.relations]
    assert len(ends) == len(set(ends)) == 6  # of three entities
    assert all(head != tail for head, tail in ends)


def test_an_entity_across_sentences_is_counted_and_warned_of(model: str):
    nlp = pipeline(model, sentences=False)
    doc = Doc(nlp.vocab, words=["Ada", "works", "for", "Acme"], sent_starts=[True, False, False, True])
    doc.ents = [Span(doc, 0, 1, "PERSON"), Span(doc, 2, 4, "FIRM")]
    component = nlp.get_pipe("relsift")
    with pytest.warns(UserWarning, match=r"entities across a sentence boundary \(first: 'Ada works for Acme': 'for Acme'\)"):
        component(doc)
    assert doc._.relations == []
    assert component.report.dropped == {"entities across a sentence boundary": 1}
    assert component.report.lost_entities == 1


def test_without_sentence_boundaries_rules_cut_the_text_and_the_doc_stays_without(model: str):
    with pytest.warns(UserWarning, match="docs without sentence boundaries, cut by relsift's rules; add a parser or a sentencizer"):
        doc = pipeline(model, sentences=False)(TEXT)
    assert triples(doc) == triples(pipeline(model)(TEXT))
    assert not doc.has_annotation("SENT_START")


def test_a_joint_model_finds_the_entities_and_sets_them(joint: str):
    doc = pipeline(joint, entities="model", types={})("Ada works for Acme.")
    assert [(span.text, span.label_) for span in doc.ents] == [("Ada", "PER"), ("Acme", "ORG")]  # the ruler's labels are replaced
    assert pairs(doc) == [("Ada", "Acme"), ("Acme", "Ada")]
    kept = pipeline(joint, entities="model", types={}, set_ents=False)("Ada works for Acme.")
    assert [span.label_ for span in kept.ents] == ["PERSON", "FIRM"]
    assert [span.label_ for span in (kept._.relations[0].head, kept._.relations[0].tail)] == ["PER", "ORG"]


def test_of_found_entities_that_overlap_the_surest_stays_in_the_doc_and_the_others_are_counted(joint: str):
    component = pipeline(joint, entities="model", types={}).get_pipe("relsift")
    doc = Doc(spacy.blank("en").vocab, words=["Ada", "Kern", "of", "Acme"])
    found = [(0, 1, "PER", 1.0), (0, 2, "PER", 2.0), (1, 4, "ORG", 0.5), (3, 4, "ORG", -1.0)]
    component._set_ents(doc, [(Entity(start, end, kind, score=score), Span(doc, start, end, kind)) for start, end, kind, score in found])
    assert [(span.start, span.end, span.label_) for span in doc.ents] == [(0, 2, "PER"), (3, 4, "ORG")]
    assert component.report.dropped == {"entities that overlap a surer one (kept in relations, not in doc.ents)": 2}


def test_a_joint_model_relates_given_entities_too(joint: str):
    assert pairs(pipeline(joint)("Ada works for Acme.")) == [("Ada", "Acme"), ("Acme", "Ada")]


# ---- streams


def test_a_stream_gives_the_same_relations_as_one_doc_at_a_time(model: str):
    texts = [TEXT, "", "Ada joined Acme.", "Nobody."] * 5
    expected = [triples(pipeline(model)(text)) for text in texts]
    for config in ({}, {"batch_sentences": 1}, {"batch_sentences": 3}):
        nlp = pipeline(model, **config)
        assert [triples(doc) for doc in nlp.pipe(texts)] == expected
        assert [triples(doc) for doc in nlp.pipe(iter(texts), batch_size=2)] == expected
    found = pipeline(model).pipe(zip(texts, range(20)), as_tuples=True)
    assert [(triples(doc), number) for doc, number in found] == list(zip(expected, range(20)))


def test_a_doc_that_fails_goes_to_the_error_handler_and_the_others_are_related(model: str, monkeypatch: pytest.MonkeyPatch):
    nlp, failed = pipeline(model), []
    component = nlp.get_pipe("relsift")
    before = component._given
    monkeypatch.setattr(component, "_given", lambda doc: 1 / 0 if doc.text == "bad" else before(doc))
    nlp.set_error_handler(lambda name, _component, docs, error: failed.append((name, [doc.text for doc in docs], type(error))))
    assert [len(doc._.relations) for doc in nlp.pipe([TEXT, "bad", TEXT])] == [4, 4]
    assert failed == [("relsift", ["bad"], ZeroDivisionError)]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="processes cannot be forked here")
def test_two_processes_give_the_same_relations_with_their_contexts(model: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("spacy.language.mp", multiprocessing.get_context("fork"))
    nlp = pipeline(model)
    texts = [(TEXT, 1), ("Ada joined Acme.", 2), ("", 3), ("Bo works for Acme.", 4)]
    expected = [(triples(doc), context) for doc, context in nlp.pipe(texts, as_tuples=True)]  # loads the model before the fork
    found = nlp.pipe(texts, as_tuples=True, n_process=2, batch_size=1)
    assert [(triples(doc), context) for doc, context in found] == expected


@pytest.mark.parametrize("is_loaded", [True, False])
def test_what_a_spawned_process_gets_relates_as_before(model: str, is_loaded: bool):
    nlp = pipeline(model)
    component = nlp.get_pipe("relsift")
    expected = triples(nlp(TEXT))
    if not is_loaded:
        component = pipeline(model).get_pipe("relsift")
    make, arguments = component.__reduce__()  # what multiprocessing sends
    assert (arguments[2] is not None) == is_loaded
    doc = nlp(TEXT)
    doc._.relations = None
    assert triples(make(*arguments)(doc)) == expected


# ---- what is stored


def test_relations_survive_bytes_and_doc_bin(model: str):
    nlp = pipeline(model)
    doc = nlp(TEXT)
    again = Doc(nlp.vocab).from_bytes(doc.to_bytes())
    [binned] = DocBin(docs=[doc], store_user_data=True).get_docs(nlp.vocab)
    for copy in (again, binned, doc.copy()):
        assert [repr(one) for one in copy._.relations] == [repr(one) for one in doc._.relations]
        assert all(one.head.doc is copy for one in copy._.relations)


def test_relations_stay_right_when_tokens_are_merged(model: str):
    doc = pipeline(model)("The Ada works for Acme.")
    before = triples(doc)
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[2:4])
    assert triples(doc) == before


@settings(max_examples=30)
@given(data=st.data())
def test_relations_that_are_set_come_back_as_they_were(data: st.DataObject):
    words = data.draw(st.lists(st.text("aé汉🙂 ", min_size=1, max_size=3), min_size=2, max_size=6))
    doc = Doc(spacy.blank("en").vocab, words=words)
    spans = st.integers(0, len(words) - 1).flatmap(lambda start: st.integers(start + 1, len(words)).map(lambda end: doc[start:end]))
    labels = st.sampled_from(["", "PER", "ORG"])
    scores = st.none() | st.floats(-9, 9)
    ends = st.builds(lambda span, label: Span(doc, span.start, span.end, label), spans, labels)
    relations = data.draw(st.lists(st.builds(SpanRelation, ends, ends, st.sampled_from(["a", "b"]), scores, scores), max_size=4))
    doc._.relations = relations
    again = Doc(doc.vocab).from_bytes(doc.to_bytes())

    def values(those: list[SpanRelation]) -> list[Any]:
        return [
            (
                one.head.start,
                one.head.end,
                one.head.label_,
                one.tail.start,
                one.tail.end,
                one.tail.label_,
                one.type,
                one.score,
                one.probability,
            )
            for one in those
        ]

    assert values(doc._.relations) == values(again._.relations) == values(relations)


def test_relations_of_another_doc_or_text_are_refused(model: str):
    nlp = pipeline(model)
    doc, other = nlp(TEXT), nlp.make_doc(TEXT)
    with pytest.raises(DataError, match=r"expected relations between spans of this doc, got spans of another one at 0"):
        other._.relations = doc._.relations
    with pytest.raises(DataError, match="expected SpanRelations with a type, got 3 at 0"):
        other._.relations = [3]
    with pytest.raises(DataError, match=r"doc\._\.relations: expected a list of SpanRelations, or None, got 3"):
        other._.relations = 3
    part = doc[5:9].as_doc(copy_user_data=True)
    with pytest.raises(DataError, match=r"for its text of 15 characters, got those of a text of 35; they were copied from another doc"):
        part._.relations  # noqa: B018
    doc.user_data["relsift"] = {"length": 35, "relations": [{"head": [0, 3]}]}
    with pytest.raises(DataError, match=r'user_data\["relsift"\]: expected relations as relsift\'s component stores them'):
        doc._.relations  # noqa: B018


def test_the_extension_is_registered_again_without_an_error_and_never_over_that_of_others():
    before = Doc.get_extension("relations")
    register()
    try:
        Doc.set_extension("relations", default=3, force=True)
        with pytest.raises(ConfigError, match=r"doc\._\.relations: expected a name that is free"):
            register()
    finally:
        Doc.set_extension("relations", getter=before[2], setter=before[3], force=True)


def test_a_component_is_refused_if_another_package_took_the_name_before_or_after_it_was_made(model: str):
    before = Doc.get_extension("relations")
    nlp = pipeline(model)
    try:
        Doc.set_extension("relations", default=3, force=True)
        with pytest.raises(ConfigError, match=r"doc\._\.relations: expected a name that is free"):
            spacy.blank("en").add_pipe("relsift")
        with pytest.raises(ConfigError, match=r"doc\._\.relations: expected a name that is free"):
            nlp(TEXT)
    finally:
        Doc.set_extension("relations", getter=before[2], setter=before[3], force=True)
    assert len(nlp(TEXT)._.relations) == 4


NAME_OF_ANOTHER_FIRST = """
Doc.set_extension("relations", default=[])
nlp = spacy.blank("en")
import relsift.integrations.spacy_relations
"""
NAME_OF_ANOTHER_LATER = """
nlp = spacy.blank("en")
Doc.set_extension("relations", default=[])
"""


@pytest.mark.parametrize("steps", [NAME_OF_ANOTHER_FIRST, NAME_OF_ANOTHER_LATER])
def test_pipelines_without_the_component_leave_the_name_to_others(steps: str, tmp_path: Path):
    code = (
        f"import spacy\nfrom spacy.tokens import Doc\n{steps}"
        "print(nlp('Ada left.')._.relations)\n"
        "try:\n    nlp.add_pipe('relsift')\nexcept Exception as error:\n    print(type(error).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.split("\n")[:2] == ["[]", "ConfigError"], done.stderr


def test_the_type_table_of_the_model_folder_is_used_unless_the_config_has_one_and_is_saved(model: str, tmp_path: Path):
    (tmp_path / "names.jsonl").write_text('{"label": "X", "pattern": "Ada"}\n', encoding="utf-8")
    bundle = replace(Bundle.load(Path(model)), entity_source=EntitySource((f"patterns:{tmp_path / 'names.jsonl'}",), TYPES))
    bundle.save(tmp_path / "model")
    text = "Ada joined Acme Tuesday."
    nlp = pipeline(str(tmp_path / "model"), types={})
    expected = triples(nlp(text))
    assert pairs(nlp(text)) == [("Ada", "Acme"), ("Acme", "Ada")]
    assert expected == triples(pipeline(model)(text))
    own = pipeline(str(tmp_path / "model"), types={"PERSON": None, "DATE": "PER", "FIRM": "ORG"})
    assert pairs(own(text)) == [("Acme", "Tuesday"), ("Tuesday", "Acme")]
    nlp.to_disk(tmp_path / "saved")
    (tmp_path / "model").rename(tmp_path / "gone")
    (tmp_path / "names.jsonl").unlink()
    again = spacy.load(tmp_path / "saved")
    assert triples(again(text)) == expected
    as_bytes = pipeline(None, types={})
    as_bytes.get_pipe("relsift").from_bytes(again.get_pipe("relsift").to_bytes())
    assert triples(as_bytes(text)) == expected
    again.to_disk(tmp_path / "saved")  # over itself, and the table stays
    assert triples(spacy.load(tmp_path / "saved")(text)) == expected


# ---- saving


def test_a_saved_pipeline_is_found_by_a_process_that_never_imported_relsift(model: str, tmp_path: Path):
    folder = tmp_path / "moved"
    first = tmp_path / "first"
    Path(model).rename(first)  # the folder of the config is gone when the pipeline is loaded
    try:
        nlp = pipeline(str(first))
        expected = triples(nlp(TEXT))
        nlp.to_disk(folder)
    finally:
        first.rename(model)
    code = (
        "import sys, spacy\n"
        f"nlp = spacy.load({str(folder)!r})\n"
        f"doc = nlp({TEXT!r})\n"
        "print([(one.head.text, one.type, one.tail.text) for one in doc._.relations])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=tmp_path, env=os.environ | {"OMP_NUM_THREADS": "1"}
    )
    assert done.stdout.strip() == str(expected), done.stderr


def test_a_pipeline_as_bytes_carries_its_model(model: str):
    nlp = pipeline(model)
    again = pipeline(None).from_bytes(nlp.to_bytes())
    doc = nlp(TEXT)
    expected = triples(doc)
    doc._.relations = None
    assert triples(again.get_pipe("relsift")(doc)) == expected  # spaCy's entity ruler, the other component, finds nothing after from_bytes
    assert again.get_pipe("relsift").to_bytes() == nlp.get_pipe("relsift").to_bytes()


@pytest.mark.parametrize(
    "files", [[], {"a": 1}, {"../a": b""}, {"/a": b""}, {"a/../../b": b""}, {"c:\\a": b""}, {"": b""}, {"model.json": b"{}"}]
)
def test_bytes_of_anything_else_are_refused(model: str, files: Any):
    component = pipeline(model).get_pipe("relsift")
    for data in (srsly.msgpack_dumps(files), b"", b"\xc1"):
        with pytest.raises(CheckpointError, match=r"expected"):
            component.from_bytes(data)


# ---- scores


def example(nlp: Any, text: str, gold: list[tuple[int, int, str]] | None) -> Example:
    """Args: gold: head and tail as tokens, and the type."""
    reference = nlp.make_doc(text)
    if gold is not None:
        reference._.relations = [SpanRelation(_entity(reference, head), _entity(reference, tail), kind) for head, tail, kind in gold]
    return Example(nlp.make_doc(text), reference)


def _entity(doc: Any, token: int) -> Any:
    return Span(doc, token, token + 1, {"Ada": "PER", "Bo": "PERSON"}.get(doc[token].text, "ORG"))


def test_scores_are_those_that_one_counts_by_hand(model: str):
    nlp = pipeline(model)
    found = {(head, tail): kind for head, kind, tail in triples(nlp("Ada works for Acme."))}
    right = found["Ada", "Acme"]
    wrong = next(kind for kind in KNOWN.labels if kind != found["Acme", "Ada"])
    examples = [
        example(nlp, "Ada works for Acme.", [(0, 3, right), (3, 0, wrong)]),  # both pairs are predicted: one right, one of another type
        example(nlp, "Ada joined Acme.", None),  # not annotated: left out
        example(nlp, "Nobody left.", [(0, 1, right)]),  # missed
    ]
    scores = nlp.evaluate(examples)
    assert scores["rel_micro_p"] == pytest.approx(1 / 2)
    assert scores["rel_micro_r"] == pytest.approx(1 / 3)
    assert scores["rel_micro_f"] == pytest.approx(2 / 5)
    assert scores["rel_per_type"][right]["r"] == pytest.approx(1 / 2)
    assert nlp.evaluate(examples[1:2])["rel_micro_f"] is None


def test_gold_relations_may_stand_as_those_of_the_tutorial_of_spacy(model: str):
    nlp = pipeline(model)
    [kind] = [kind for head, kind, _ in triples(nlp("Ada works for Acme.")) if head == "Ada"]
    one = example(nlp, "Ada works for Acme.", None)
    one.reference.ents = [_entity(one.reference, 0), _entity(one.reference, 3)]
    one.reference.user_data["._.", "rel", None, None] = {(0, 3): {kind: 1.0, "x": 0.0}, (3, 0): {kind: 0.0}}
    scores = nlp.evaluate([one])
    assert (scores["rel_micro_p"], scores["rel_micro_r"]) == (0.5, 1.0)


# ---- what is refused


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"entities": "ents"}, "relsift.entities: expected doc.ents, spans:NAME for a span group, or model, got 'ents'"),
        ({"entities": "spans:"}, "relsift.entities"),
        ({"batch_sentences": 0}, "relsift.batch_sentences: expected 1 or more, got 0"),
        ({"types": {"A": ""}}, "relsift.types: expected types that are not blank"),
        ({"types": {"A": " "}}, "relsift.types: expected types that are not blank"),
        ({"types": {"A:B": "PER"}}, "relsift.types: expected labels that spaCy's config files can hold, got 'A:B'"),
        ({"entities": "model", "types": {"A": "B"}}, "relsift.types: expected none with entities=model"),
    ],
)
def test_a_config_that_cannot_be_used_is_refused_when_the_component_is_added(config: dict[str, Any], message: str):
    with pytest.raises(ConfigError, match=message):
        spacy.blank("en").add_pipe("relsift", config=config)


def test_a_model_that_is_missing_or_does_not_fit_is_refused_at_the_first_doc(model: str, tmp_path: Path):
    with pytest.raises(ConfigError, match=r"relsift\.model: expected a run or model folder, got none"):
        pipeline(None)(TEXT)
    with pytest.raises(CheckpointError, match="nowhere"):
        pipeline(str(tmp_path / "nowhere"))(TEXT)
    with pytest.raises(ConfigError, match=r"expected doc\.ents or spans:NAME for a model that finds no entities itself"):
        pipeline(model, entities="model", types={})(TEXT)


def test_a_gpu_is_refused_in_a_forked_process(model: str, monkeypatch: pytest.MonkeyPatch):
    from relsift.integrations.spacy import _in_forked_process

    with pytest.raises(ConfigError, match=r"relsift\.device: expected cpu in processes of nlp\.pipe\(n_process=…\), got cuda:0"):
        _in_forked_process("relsift", "cuda:0")


def test_a_model_with_a_window_is_refused(tmp_path: Path):
    network = MultiTaskCNN(MultiTaskCNNConfig.tiny(), KNOWN)
    randomise(network, 0)
    Bundle("multitask_cnn", Scorer(network.eval(), KNOWN, Candidates(window=2)), Decision()).save(tmp_path / "model")
    nlp = pipeline(str(tmp_path / "model"))
    with pytest.raises(ConfigError, match=r"expected a model that reads single sentences, got one with candidates\.window=2"):
        nlp("Ada leads Acme.")
