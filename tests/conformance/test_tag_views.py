"""What the tag input shows (`encoding.tags`), for every registered model: trained, saved, loaded, and pair by pair."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
import torch

from relsift.bundle import Bundle
from relsift.candidates import Candidates
from relsift.config import EncodingConfig, RunConfig, TagView
from relsift.encoding.batch import Batch, collate
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.encoding.tags import BY_PAIR
from relsift.inference import InferenceReport, Scorer, score
from relsift.losses.labels import first_label
from relsift.models.base.joint_model import JointModel
from relsift.models.base.model import RelationModel
from relsift.registry import find, table
from relsift.schema import Entity, Sentence
from relsift.training.loop import train
from toy import encoding, long_sentence, one_token, randomise, run_config, sentences

VIEWS: tuple[TagView, ...] = get_args(TagView)
GROUP = [long_sentence(14, 5), *sentences(4), one_token()]
TWO = [replace(sentence, entities=sentence.entities[:2]) for sentence in sentences(6)]


def reads(name: str) -> frozenset[str]:
    architecture = find("model", name)
    return architecture.reads(architecture.Config.tiny())


# Models of pairs: a joint model sees no entities when it reads the text, and refuses views by pair (tests/unit/test_joint_inference.py).
OF_PAIRS = [name for name in sorted(table("model")) if not issubclass(find("model", name), JointModel)]


@pytest.fixture(params=OF_PAIRS)
def name(request) -> str:
    if "subwords" in reads(request.param):
        pytest.importorskip("transformers", exc_type=ImportError)
    return request.param


def known(view: TagView) -> Encoding:
    return replace(Encoding.fit(sentences(40), tags=view), subwords=encoding().subwords)


def tiny(name: str, **options: Any) -> RelationModel[Any]:
    architecture = find("model", name)
    model = architecture(replace(architecture.Config.tiny(), **options), known("entities"))
    randomise(model, scale=0.3)
    return model.eval()


def scores(model: RelationModel[Any], view: TagView, group: list[Sentence]) -> list[list[list[float]]]:
    """By sentence, pair, relation."""
    return [scored.scores.tolist() for scored in score(Scorer(model, known(view), Candidates()), group)]


def close(wanted: list[list[float]], actual: list[list[float]]) -> bool:
    return len(wanted) == len(actual) and bool(np.allclose(wanted, actual, atol=1e-5, rtol=1e-5))


def config(name: str, view: TagView, encoder: Path | None = None, **training: Any) -> RunConfig:
    model = {"name": name, "preset": None, **find("model", name).Config.tiny().to_dict()}
    base = run_config(epochs=1, **training)
    reading = EncodingConfig(tags=view, tags_seed=3, encoder=None if encoder is None else str(encoder))
    return base.model_copy(update={"model": base.model.model_validate(model), "encoding": reading})


@pytest.mark.parametrize("view", BY_PAIR)
def test_a_pair_scores_among_others_as_it_does_alone(name, view, monkeypatch):
    monkeypatch.setattr("relsift.inference.BATCH_PAIRS", 7)  # copies of one sentence in different batches
    model, symbols = tiny(name), known(view)
    for sentence, actual in zip(GROUP, scores(model, view, GROUP), strict=True):
        wanted = []
        for pair in Candidates().pairs(sentence):
            with torch.no_grad():
                wanted += model.scores(model(collate(examples_of(sentence, [pair], symbols), symbols))).tolist()
        assert close(wanted, actual)


def test_the_pairs_view_of_two_entities_is_the_one_of_all_entities(name):
    model = tiny(name)
    assert scores(model, "pair", TWO) == scores(model, "entities", TWO)


def test_the_other_entities_of_two_are_none(name):
    model = tiny(name)
    assert scores(model, "others", TWO) == scores(model, "constant", TWO)


@pytest.mark.parametrize("view", [view for view in VIEWS if view != "entities"])
def test_every_view_shows_something_else_than_all_entities(name, view):
    model = tiny(name)
    group = sentences(4)  # three entities each: the pair's are not all there are
    other, entities = ([row for pairs in scores(model, either, group) for row in pairs] for either in (view, "entities"))
    assert close(entities, other) is not model.config.tags  # a model that takes no tags cannot tell


@pytest.mark.parametrize("view", VIEWS)
def test_trained_saved_and_loaded_it_predicts_the_same(name, view, tmp_path: Path, request):
    encoder = request.getfixturevalue("toy_encoder") if "subwords" in reads(name) else None
    bundle = train(config(name, view, encoder), sentences(8, seed=1), sentences(8, seed=2)).bundle
    if bundle.encoding.tags is not None:
        assert (bundle.encoding.tags.view, bundle.encoding.tags.num_rows) == (view, known("entities").tags.num_rows)
    bundle.save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    assert loaded.encoding == bundle.encoding
    before, after = ([scored.scores.tolist() for scored in score(either.scorer, GROUP)] for either in (bundle, loaded))
    assert before == after


def test_a_model_trains_on_the_same_pairs_in_the_same_batches_whatever_it_is_shown(monkeypatch):
    architecture = find("model", "multitask_cnn")
    original = architecture.loss
    seen: dict[TagView, list[list[int]]] = {}
    for view in VIEWS:
        labels = seen.setdefault(view, [])

        def spy(self: Any, output: Any, batch: Batch, to: list[list[int]] = labels) -> Any:
            to.append(first_label(batch.pairs.labels).tolist())
            return original(self, output, batch)

        with monkeypatch.context() as patch:
            patch.setattr(architecture, "loss", spy)
            result = train(config("multitask_cnn", view), sentences(12, seed=1), sentences(4, seed=2))
        assert result.candidates.kept == sum(map(len, labels))
    assert len(seen["entities"]) > 1
    assert all(labels == seen["entities"] for labels in seen.values())


def test_a_model_without_tags_is_trained_the_same_by_every_view():
    # Nothing else of the input differs, and no random number: by pair, the tokens that dropout or hiding would draw for are more.
    weights = []
    for view in VIEWS:
        with_tags = config("cr_cnn", view, optimiser="sgd", unknown_rate=0.0)
        without_tags = with_tags.model_copy(update={"model": with_tags.model.model_copy(update={"tags": False})})
        weights.append(train(without_tags, sentences(8, seed=1), sentences(8, seed=2)).bundle.model.state_dict())
    for other in weights[1:]:
        torch.testing.assert_close(other, weights[0])


@pytest.mark.parametrize("view", VIEWS)
def test_the_types_of_entities_matter_to_the_core_model_by_way_of_its_tags_alone(view):
    # Drawn and constant tags do not see them, untyped ones only where an entity is.
    model = tiny("multitask_cnn")
    turn = {"PER": "ORG", "ORG": "LOC", "LOC": "PER"}
    turned = [replace(s, entities=tuple(replace(e, type=turn[e.type]) for e in s.entities)) for s in GROUP]
    same = scores(model, view, turned) == scores(model, view, GROUP)
    assert same is (view in ("untyped", "random", "word", "constant"))


def test_tagged_entities_change_the_tags_alone(name):
    # The same as tags of those entities, with the pairs of the annotated ones; `walk` reads their types too, which stay.
    group = sentences(5)
    none, same = ([replace(s, tagged=tagged(s)) for s in group] for tagged in (lambda s: (), lambda s: s.entities[::-1]))
    model = tiny(name)
    assert scores(model, "entities", same) == scores(model, "entities", group)
    assert scores(model, "entities", none) == scores(model, "constant", group)


def test_tagged_types_that_training_did_not_have_are_reported():
    report = InferenceReport()
    sentence = sentences(1)[0]
    tagged_entities = (Entity(0, 1, "ALIEN"), Entity(1, 2, "ALIEN"), Entity(2, 3, "PER"))
    score(Scorer(tiny("multitask_cnn"), known("entities"), Candidates()), [replace(sentence, tagged=tagged_entities)], report)
    assert report.lines() == ["entity types never seen in training, tagged as no entity: ALIEN (2)"]
