"""What holds for every registered model that finds entities itself, beside what holds for every model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from model_cases import KNOWN, Case, cases, one_step, parameter, tiny
from relsift.bundle import Bundle, build
from relsift.candidates import Candidates
from relsift.decisions.decision import Decision
from relsift.encoding.encoding import Encoding
from relsift.evaluation.entities import evaluate_entities
from relsift.inference import Scorer, find_entities, score
from relsift.models.base.joint_model import Found, JointModel
from relsift.registry import find, table
from relsift.schema import Entity, Relation, Sentence
from toy import batch_of, four_sentences, long_sentence, one_token, sentences

JOINT = [case for case in cases() if issubclass(case.architecture, JointModel)]
NO_ENTITIES = Sentence("none", ("It", "rained", "in", "Oslo", "."), (), ())
WHOLE = Sentence("whole", ("New", "Quay"), (Entity(0, 2, "LOC"),), ())
NESTED = Sentence(
    "nested", ("Ada", "of", "New", "Quay"), (Entity(0, 4, "PER"), Entity(2, 4, "LOC"), Entity(0, 1, "PER")), (Relation(0, 1, "lives_in"),)
)
CLOSE = {"atol": 1e-5, "rtol": 1e-5}


@pytest.fixture(params=[parameter(case) for case in JOINT])
def case(request) -> Case:
    return request.param


def test_the_joint_models_are_tested_with_every_encoder():
    assert {case.name for case in JOINT} >= {"joint_birnn", "pipeline", "spert", "spert_mt"}
    for name in ("joint_birnn", "pipeline"):
        assert {case.encoder for case in JOINT if case.name == name} == set(table("encoder"))


def found_in(model: JointModel, group: Sequence[Sentence]) -> list[list[tuple[int, int, int, float]]]:
    """Of each sentence, what the model finds: start, end, type, score."""
    batch = batch_of([replace(sentence, entities=(), relations=None) for sentence in group], KNOWN)
    with torch.no_grad():
        found: Found = model.find(model.read(batch), batch)
    result: list[list[tuple[int, int, int, float]]] = [[] for _ in group]
    for sentence, span, kind, value in zip(*(part.tolist() for part in (found.entities.sentence, found.entities.span, found.entities.type)),
                                           found.score.tolist()):  # fmt: skip
        result[sentence].append((*span, kind, value))
    return result


def spans(rows: Sequence[tuple[int, int, int, float]]) -> list[tuple[int, int, int]]:
    return sorted(row[:3] for row in rows)


def mixed() -> list[Sentence]:
    return [*sentences(6), long_sentence(31, 5), one_token(), NO_ENTITIES, WHOLE, NESTED]


def test_finds_entities_inside_their_sentences_each_once(case):
    group = mixed()
    for seed in range(3):
        for sentence, rows in zip(group, found_in(tiny(case, seed), group), strict=True):
            assert all(0 <= start < end <= len(sentence.tokens) for start, end, _, _ in rows)
            assert all(0 <= kind < len(KNOWN.types.names) for _, _, kind, _ in rows)
            assert len(set(spans(rows))) == len(rows)
            assert all(torch.tensor(row[3]).isfinite() for row in rows)


def test_random_weights_find_something_so_that_these_tests_can_fail(case):
    assert any(any(found_in(tiny(case, seed), mixed())) for seed in range(3))


def test_what_is_found_does_not_depend_on_the_entities_pairs_and_tags_of_the_batch(case):
    model = tiny(case)
    batch = batch_of(sentences(6), KNOWN)
    bare = batch_of([replace(s, entities=(), relations=None) for s in sentences(6)], KNOWN)
    with torch.no_grad():
        one, other = (model.find(model.read(either), either) for either in (batch, bare))
    assert torch.equal(one.entities.span, other.entities.span) and torch.equal(one.entities.type, other.entities.type)
    assert torch.equal(one.score, other.score)


def test_padding_and_order_change_nothing_in_what_is_found(case):
    group = mixed()
    for seed in range(3):
        model = tiny(case, seed)
        alone = [found_in(model, [sentence])[0] for sentence in group]
        for order in (range(len(group)), reversed(range(len(group)))):
            order = list(order)
            for number, rows in zip(order, found_in(model, [group[number] for number in order]), strict=True):
                assert spans(rows) == spans(alone[number]), group[number].id
                one, other = (torch.tensor([row[3] for row in sorted(those)]) for those in (rows, alone[number]))
                torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("group", [[NO_ENTITIES], [WHOLE, NO_ENTITIES], [NESTED], [one_token()], [WHOLE]], ids=lambda g: g[0].id)
def test_trains_on_sentences_without_entities_or_pairs_nested_whole_and_of_one_token(case, group):
    model = tiny(case).train()
    parts = one_step(model, batch_of(group, KNOWN))
    assert parts
    assert all(torch.tensor(value).isfinite() and value >= 0 for value in parts.values())
    assert all(weight.isfinite().all() for weight in model.parameters())
    assert score(Scorer(model.eval(), KNOWN, Candidates()), group)


def test_trains_on_entities_of_a_type_that_training_did_not_have(case):
    strange = replace(WHOLE, entities=(Entity(0, 2, "ALIEN"),))
    parts = one_step(tiny(case).train(), batch_of([strange, NESTED], KNOWN))
    assert all(torch.tensor(value).isfinite() for value in parts.values())


def test_pairs_of_found_entities_score_as_those_of_the_same_given_ones(case):
    compared = 0
    for seed in range(3):
        scorer = Scorer(tiny(case, seed), KNOWN, Candidates())
        found = score(scorer, mixed())
        given = score(scorer, [scored.sentence for scored in found], entities="gold")
        for one, other in zip(found, given, strict=True):
            assert [pair[:2] for pair in one.pairs] == [pair[:2] for pair in other.pairs]
            torch.testing.assert_close(torch.from_numpy(one.scores), torch.from_numpy(other.scores), **CLOSE)
            compared += len(one.pairs)
    assert compared > 5


def test_learns_four_sentences_by_heart_and_finds_their_entities_and_relations(case):
    group = four_sentences()
    known = Encoding.fit(group, reads=case.reads, subwords=KNOWN.subwords)
    torch.manual_seed(0)
    model = build(case.name, case.config.to_dict(), known)
    batch = batch_of(group, known)
    scorer, decision = Scorer(model, known, Candidates()), Decision(threshold=model.paper_threshold)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.02 if "words" in case.reads else 0.01)
    relations: list[list[tuple[int, int, str]]] = []
    f1 = 0.0
    wanted = [[(r.head, r.tail, r.type) for r in sentence.relations or ()] for sentence in group]
    for step in range(300):
        model.train()
        optimiser.zero_grad()
        torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
        optimiser.step()
        if step % 20 == 19:
            predicted = [decision.decide(scored, known.labels) for scored in score(scorer, group)]
            f1 = evaluate_entities(group, predicted).micro.f1
            relations = [[(r.head, r.tail, r.type) for r in sentence.relations or ()] for sentence in predicted]
            if f1 == 1.0 and relations == wanted:
                break
    assert f1 == 1.0
    assert relations == wanted


def test_a_saved_model_finds_the_same(case, tmp_path: Path):
    scorer = Scorer(tiny(case), KNOWN, Candidates())
    Bundle(case.name, scorer, Decision()).save(tmp_path / "model")
    loaded = Bundle.load(tmp_path / "model")
    assert find_entities(loaded.scorer, mixed()) == find_entities(scorer, mixed())


def test_every_preset_of_a_joint_model_finds_and_relates(case):
    if case.encoder != find("model", case.name).Config.tiny().encoder:
        pytest.skip("presets do not depend on the encoder of the tiny configuration")
    for name, preset in case.architecture.PRESETS.items():
        model = build(case.name, preset.model, KNOWN)
        assert len(score(Scorer(model, KNOWN, Candidates()), mixed())) == len(mixed()), name
