"""Typed markers against a literal loop: one sequence a pair, with marker vectors put into a list of piece vectors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from relsift.candidates import Candidates
from relsift.encoding.encoding import Encoding
from relsift.encoding.example import examples_of
from relsift.models import typed_markers
from relsift.models.typed_markers import TypedMarkers, TypedMarkersConfig, nearest
from relsift.schema import Entity, Relation, Sentence
from toy import HAS_TRANSFORMERS, batch_of, long_sentence, randomise, sentences
from toy_transformer import toy_subwords

pytestmark = pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
CLOSE: dict[str, Any] = {"atol": 1e-5, "rtol": 1e-4}


def known_of(kind: str = "bert", longest: int = 100, **more: Any) -> Encoding:
    subwords = toy_subwords(kind, longest=longest, **{"max_position_embeddings": 120, **more})
    return Encoding.fit(sentences(40), reads=TypedMarkers.READS, subwords=subwords)


def model_of(known: Encoding, **options: Any) -> TypedMarkers:
    model = TypedMarkers(replace(TypedMarkersConfig.tiny(), **options), known)
    randomise(model, scale=0.4)
    return model.eval()


def tangled() -> Sentence:
    """Nested, equal, overlapping and adjacent entities."""
    tokens = ("Ada", "joined", "the", "Oslo", "works", "of", "Acme", ",", "in", "Oslo")
    spans = [(3, 5), (0, 1), (3, 7), (3, 5), (4, 7), (6, 7), (9, 10)]
    kinds = ["LOC", "PER", "ORG", "ORG", "ORG", "ALIEN", "LOC"]
    return Sentence("tangled", tokens, tuple(Entity(*span, kind) for span, kind in zip(spans, kinds)), (Relation(1, 2, "works_for"),))


def literal_scores(model: TypedMarkers, known: Encoding, sentence: Sentence) -> Tensor:
    """(P, K): a loop over pairs; each has a sequence of vectors of its own."""
    transformer: Any = model.embed.transformer
    subwords: Any = known.subwords
    table = transformer.get_input_embeddings().weight
    pieces = subwords.pieces(sentence)
    before, after = subwords.around
    room = subwords.longest - len(before) - len(after) - 4
    tags = known.tags.ids(sentence, set())
    vectors = [table[number] for number in pieces.ids]
    if model.tags is not None:
        vectors = [v + model.tags.tags.weight[tags[token] if token >= 0 else 0] for v, token in zip(vectors, pieces.token)]
    rows = []
    for pair in Candidates().pairs(sentence):
        ends = [sentence.entities[number] for number in (pair.head, pair.tail)]
        spans = [(pieces.first[e.start], pieces.last[e.end - 1]) for e in ends]

        def mark(role: int, ends: list[Entity] = ends) -> Tensor:
            kind = known.types.id(ends[role // 2].type) + 1
            return model.markers.types.weight[kind] + model.markers.roles.weight[role]

        def away(piece: int, spans: list[tuple[int, int]] = spans) -> int:
            return min(max(low - piece, piece - high, 0) for low, high in spans)

        kept = sorted(sorted(range(len(vectors)), key=lambda piece: (away(piece), piece))[:room])
        sequence: list[Tensor] = [table[number] for number in before]
        places: dict[int, int] = {}
        for piece in [*kept, None]:
            ending = [] if piece is None else [role for role, (low, _) in ((0, spans[0]), (2, spans[1])) if low == piece]
            for role in ending:
                places[role] = len(sequence)
                sequence.append(mark(role))
            if piece is not None:
                sequence.append(vectors[piece])
                # Of two that end here, the tail's marker stands inside.
                sequence += [mark(role) for role, (_, high) in ((3, spans[1]), (1, spans[0])) if high == piece]
        sequence += [table[number] for number in after]
        x = torch.stack(sequence)[None]                                                 # (1, U, E)
        y = transformer(inputs_embeds=x, attention_mask=torch.ones(1, x.shape[1])).last_hidden_state[0]
        rows.append(torch.cat([y[places[0]], y[places[2]]]))
    return model.classifier(model.norm(torch.stack(rows))).scores


@pytest.mark.parametrize("tags", [False, True])
@pytest.mark.parametrize("kind", ["bert", "roberta", "mpnet", "distilbert", "deberta-v2", "albert", "modernbert"])
def test_scores_and_gradients_are_those_of_a_literal_loop_over_pairs(kind, tags):
    known = known_of(kind, **({"embedding_size": 6} if kind == "albert" else {}))
    model = model_of(known, tags=tags)
    group = [tangled(), *sentences(2)]
    scores = model.scores(model(batch_of(group, known)))
    wanted = torch.cat([literal_scores(model, known, sentence) for sentence in group])
    torch.testing.assert_close(scores, wanted, **CLOSE)
    if kind == "bert":
        factors = torch.randn(wanted.shape, generator=torch.Generator().manual_seed(1))
        weights = [weight for name, weight in model.named_parameters() if "identify" not in name]
        for one, other in zip(*(torch.autograd.grad((each * factors).sum(), weights) for each in (scores, wanted)), strict=True):
            torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("length", [40, 300])
def test_a_text_that_is_too_long_keeps_the_pieces_nearest_to_the_entities(length):
    known = known_of(longest=24)
    model, sentence = model_of(known), long_sentence(length, 3)
    short = Entity(1, 2, "PER"), Entity(length - 3, length - 2, "LOC")
    sentence = replace(sentence, entities=(*short, Entity(length // 2, length // 2 + 1, "ORG")))
    scores = model.scores(model(batch_of([sentence, tangled()], known)))
    wanted = torch.cat([literal_scores(model, known, each) for each in (sentence, tangled())])
    torch.testing.assert_close(scores, wanted, **CLOSE)


def test_nearest_pieces_by_hand():
    # Six pieces, room for four; entities on pieces 0 and 5: 1 and 4 are nearest. In the second row there are four pieces only.
    low = high = torch.tensor([[0, 5], [0, 3]])
    kept = nearest(torch.arange(6), torch.tensor([6, 4]), low, high, 4)
    assert kept.int().tolist() == [[1, 1, 0, 0, 1, 1], [1, 1, 1, 1, 0, 0]]


def test_an_entity_longer_than_the_transformer_still_has_all_its_markers():
    known = known_of(longest=24)
    model = model_of(known)
    sentence = Sentence("whole", ("the",) * 50, (Entity(0, 50, "ORG"), Entity(20, 22, "PER")), ())
    scores = model.scores(model(batch_of([sentence], known)))
    assert scores.isfinite().all()
    assert not torch.allclose(scores[0], scores[1])


def test_training_pairs_with_texts_that_are_cut_are_counted():
    known = known_of(longest=24)
    model, long, short = model_of(known), long_sentence(30, 3), tangled()
    examples = [e for sentence in (long, short) for e in examples_of(sentence, Candidates().pairs(sentence), known)]
    room = 24 - 2 - 4
    assert len(known.subwords.pieces(long).ids) > room
    cut = 6 + (42 if len(known.subwords.pieces(short).ids) > room else 0)
    assert model.notes(examples) == [
        f"{cut} of 48 training pairs have texts of more than {room} pieces: the model sees those nearest to the entities"
    ]
    assert model_of(known_of()).notes(examples) == []


@pytest.mark.parametrize("pieces", [1, 200])
def test_the_number_of_pieces_at_once_changes_neither_scores_nor_gradients(pieces, monkeypatch):
    known = known_of()
    model, batch = model_of(known), batch_of([*sentences(3), tangled()], known)

    def gradients() -> list[Tensor]:
        model.zero_grad()
        model.scores(model(batch)).square().sum().backward()
        return [weight.grad.clone() for weight in model.parameters() if weight.grad is not None]

    with torch.no_grad():
        wanted = model.scores(model(batch))
    wanted_gradients = gradients()
    monkeypatch.setattr(typed_markers, "PIECES_AT_ONCE", pieces)
    monkeypatch.setattr(typed_markers, "PIECES_KEPT", pieces)
    with torch.no_grad():
        torch.testing.assert_close(model.scores(model(batch)), wanted, **CLOSE)
    for one, other in zip(gradients(), wanted_gradients, strict=True):
        torch.testing.assert_close(one, other, **CLOSE)
