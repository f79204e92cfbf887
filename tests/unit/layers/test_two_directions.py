"""Two readings a pair: by hand, with two relations (0 and 1), so columns 0 1 | 2 3 | 4 mean forward, backward, none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from math import log

import pytest
import torch
from torch import Tensor

from relsift.candidates import NO_RELATION, Candidates
from relsift.encoding.batch import Batch, Entities, Pairs, collate
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.errors import ConfigError
from relsift.layers.two_directions import Readings, both_readings, merged_scores, one_reading, targets, two_direction_loss
from relsift.losses.base import classifications
from relsift.losses.labels import first_label
from relsift.models.base.two_direction_classifier import TwoDirectionClassifier, TwoDirectionConfig
from relsift.schema import Relation
from toy import batch_of, encoding, long_sentence, sentences

NONE = NO_RELATION
KNOWN = encoding()


def pairs(*rows: tuple[int, int, int], entities: int = 4) -> Batch:
    """A batch of one sentence with these (head, tail, label) candidates."""
    head, tail, label = torch.tensor(rows).unbind(1)
    zeros = torch.zeros(entities, dtype=torch.int64)
    return Batch(
        entities, torch.tensor([entities]), None, None, None, Entities(zeros, torch.zeros(entities, 2, dtype=torch.int64), zeros),
        Pairs(torch.zeros_like(head), head, tail, labels_of(label)),
    )  # fmt: skip


def labels_of(label: Tensor, relations: int = 2) -> Tensor:
    """(P,) columns, or NO_RELATION -> (P, K) bool."""
    return label[:, None] == torch.arange(relations)


def chosen(batch: Batch, rows: Tensor | slice) -> Batch:
    """The batch with these pairs only."""
    return replace(batch, pairs=Pairs(*(getattr(batch.pairs, name)[rows] for name in ("sentence", "head", "tail", "labels"))))


def test_a_labelled_pair_is_a_column_forth_and_the_opposite_column_back():
    forth, back = targets(pairs((0, 1, 0), (2, 3, 1)), relations=2)
    assert (forth.tolist(), back.tolist()) == ([0, 1], [2, 3])


def test_an_unlabelled_pair_takes_its_reverses_label_the_other_way_round():
    forth, back = targets(pairs((0, 1, NONE), (0, 2, NONE), (1, 0, 1), (2, 0, NONE)), relations=2)
    assert forth.tolist() == [3, 4, 1, 4]
    assert back.tolist() == [1, 4, 3, 4]


def test_of_a_pair_with_two_relations_the_first_is_the_target():
    batch = pairs((0, 1, 0), (1, 0, NONE))
    batch = replace(batch, pairs=replace(batch.pairs, labels=torch.tensor([[True, True], [False, False]])))
    forth, back = targets(batch, relations=2)
    assert (forth.tolist(), back.tolist()) == ([0, 2], [2, 0])


def test_a_pair_follows_its_own_label_whatever_its_reverse_says():
    forth, back = targets(pairs((3, 1, 0), (1, 3, 1)), relations=2)
    assert (forth.tolist(), back.tolist()) == ([0, 1], [2, 3])


def test_a_pair_without_a_label_whose_reverse_is_no_candidate_is_none():
    forth, back = targets(pairs((0, 1, NONE), (2, 3, 0)), relations=2)
    assert (forth.tolist(), back.tolist()) == ([4, 0], [4, 2])


def test_the_reverse_is_found_in_batches_of_many_sentences_as_by_a_plain_search():
    batch = batch_of([*sentences(9), long_sentence(20, 6)], KNOWN)
    generator = torch.Generator().manual_seed(0)
    label = torch.randint(-1, 2, (len(batch.pairs),), generator=generator)
    batch = replace(batch, pairs=replace(batch.pairs, labels=labels_of(label)))
    batch = chosen(batch, torch.randperm(len(batch.pairs), generator=generator)[: len(batch.pairs) // 2])  # any order, some reverses
    labels = dict(zip(zip(batch.pairs.head.tolist(), batch.pairs.tail.tolist()), first_label(batch.pairs.labels).tolist()))
    wanted = []
    for (head, tail), own in labels.items():
        reverse = labels.get((tail, head), NONE)
        wanted.append((own, 2 + own) if own >= 0 else (2 + reverse, reverse) if reverse >= 0 else (4, 4))
    assert list(zip(*(column.tolist() for column in targets(batch, 2)))) == wanted
    assert len(set(wanted)) == 5  # every case came up


def test_targets_of_copies_by_pair_are_those_of_the_whole_sentences():
    # A pair and its reverse share a copy. In two copies neither would see the other's label, and one entity pair would be trained as
    # related in one copy and as "none" in the other.
    group = [*sentences(6), replace(long_sentence(12, 4), relations=(Relation(2, 0, "based_in"), Relation(1, 3, "lives_in")))]
    by_pair, relations = Encoding.fit(sentences(40), tags="pair"), len(KNOWN.labels)
    shared = targets(batch_of(group, KNOWN), relations)
    copies = [example for s in group for example in examples_of(s, Candidates().pairs(s), by_pair)]
    split = targets(collate(copies, by_pair), relations)
    sizes = [len(s.entities) * (len(s.entities) - 1) for s in group]
    shift = [start for size, start in zip(sizes, accumulate(sizes, initial=0)) for _ in range(size // 2)]  # of each copy's sentence
    order = torch.tensor([first + place for first, example in zip(shift, copies) for place in example.places])
    for whole, part in zip(shared, split):
        assert torch.equal(part, whole[order])
    own = first_label(batch_of(group, KNOWN).pairs.labels)
    assert ((own == NONE) & (shared[0] != 2 * relations)).sum() == (own != NONE).sum() == 7  # every reverse has its target


def test_the_loss_is_the_cross_entropy_of_either_reading():
    # Logits log 1..5: probabilities 1/15..5/15. Targets: forth 0 and none (1/15, 5/15), back 2 and none (3/15, 5/15).
    logits = torch.tensor([[log(i) for i in range(1, 6)]] * 2)
    loss = two_direction_loss(logits, logits, pairs((0, 1, 0), (0, 2, NONE)))
    assert loss["forth"].item() == pytest.approx((log(15) + log(3)) / 2)
    assert loss["back"].item() == pytest.approx((log(5) + log(3)) / 2)
    weighted = two_direction_loss(logits, logits, pairs((0, 1, 0), (0, 2, NONE)), other_weight=0.5)
    assert weighted["back"].item() == pytest.approx((log(5) + 0.5 * log(3)) / 1.5)


def test_the_score_is_the_surer_readings_log_odds_against_none_or_the_other_direction():
    forth = torch.tensor([[3.0, 0.0, -1.0, 0.5, 1.0]])  # columns 0 and 1, against none (1): odds 2, -1
    back = torch.tensor([[0.5, 0.75, 1.0, 2.0, 0.5]])  # the same relations are columns 2 and 3, against column 1 (.75): odds .25, 1.25
    assert merged_scores(forth, back).tolist() == [[2.0, 1.25]]


def test_at_threshold_zero_a_relation_is_found_if_it_is_the_answer_of_either_reading():
    generator = torch.Generator().manual_seed(0)
    forth, back = torch.randn(2, 300, 5, generator=generator)
    is_related = merged_scores(forth, back).amax(dim=1) > 0
    answers = forth.argmax(dim=1), back.argmax(dim=1)
    assert torch.equal(is_related, (answers[0] < 2) | ((answers[1] >= 2) & (answers[1] < 4)))


def test_both_orders_of_a_pair_share_their_readings():
    batch = pairs((2, 0, NONE), (0, 2, NONE), (1, 3, NONE))
    readings = both_readings(batch)
    ordered = list(zip(readings.first.tolist(), readings.second.tolist()))
    assert sorted(ordered) == [(0, 2), (1, 3), (2, 0), (3, 1)]
    assert readings.back is not None
    assert [ordered[row] for row in readings.forth.tolist()] == [(2, 0), (0, 2), (1, 3)]
    assert [ordered[row] for row in readings.back.tolist()] == [(0, 2), (2, 0), (3, 1)]


def test_one_reading_is_the_candidates_themselves():
    batch = batch_of(sentences(3), KNOWN)
    readings = one_reading(batch)
    assert torch.equal(readings.first[readings.forth], batch.pairs.head)
    assert torch.equal(readings.second[readings.forth], batch.pairs.tail)


# ---- the class that models derive from


@dataclass(frozen=True, kw_only=True)
class ByType(TwoDirectionConfig):
    pass


class TypesOnly(TwoDirectionClassifier):
    """The vector of a reading is one-hot: the first entity's type, then the second's."""

    Config = ByType
    READS = frozenset({"types"})

    def __init__(self, config: ByType) -> None:
        super().__init__(config, KNOWN)
        self.classifier = self.make_classifier(2 * len(KNOWN.types.names), len(KNOWN.labels))

    def read(self, batch: Batch, readings: Readings) -> Tensor:
        eye = torch.eye(len(KNOWN.types.names))
        return torch.cat([eye[batch.entities.type[readings.first]], eye[batch.entities.type[readings.second]]], dim=1)


@pytest.mark.parametrize("direction", ["directed", "undirected"])
@pytest.mark.parametrize("directions", ["one", "two"])
def test_a_pair_scores_the_same_whatever_else_is_a_candidate(direction, directions):
    torch.manual_seed(0)
    model = TypesOnly(ByType(directions=directions))
    sentence = long_sentence(15, 5)
    batch = batch_of([sentence], KNOWN, Candidates(direction=direction))
    together = model.scores(model(batch))
    for row in range(len(batch.pairs)):
        one = model.scores(model(chosen(batch, slice(row, row + 1))))
        torch.testing.assert_close(one[0], together[row], atol=1e-6, rtol=0)


@pytest.mark.parametrize("directions", ["one", "two"])
def test_directed_relations_are_learned(directions):
    torch.manual_seed(0)
    model = TypesOnly(ByType(directions=directions))
    batch = batch_of([s for s in sentences(40) if s.relations], KNOWN)
    optimiser = torch.optim.Adam(model.parameters(), lr=0.1)
    for _ in range(60):
        optimiser.zero_grad()
        torch.stack(list(model.loss(model(batch), batch).values())).sum().backward()
        optimiser.step()
    label = first_label(batch.pairs.labels)
    related = label != NONE
    scores, columns = model.scores(model(batch)).max(dim=1)
    assert torch.equal(columns[related], label[related])
    backwards = replace(batch, pairs=replace(batch.pairs, head=batch.pairs.tail, tail=batch.pairs.head))
    assert model.scores(model(backwards)).amax(dim=1)[related].max() < scores[related].min()


OTHER_LOSSES = sorted(set(classifications()) - {"cross_entropy"})


@pytest.mark.parametrize("option", [*({"classification": name} for name in OTHER_LOSSES), {"identification": True}])
def test_two_directions_exclude_the_other_losses_and_say_so(option):
    with pytest.raises(ConfigError, match=r"model\.directions: expected one with identification or any classification but cross_entropy"):
        ByType(directions="two", **option)
    assert ByType(directions="one", **option).directions == "one"
