"""The features of tokens from a transformer, against a loop that runs one window at a time."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from relsift.encoders.base import make_encoder
from relsift.encoders.huggingface import HuggingFaceEncoder, make_transformer
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError
from relsift.schema import Entity, Sentence
from toy import HAS_TRANSFORMERS, batch_of, long_sentence, one_token, randomise, sentences
from toy_transformer import toy_config, toy_subwords

pytestmark = pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
KINDS = ["bert", "roberta", "electra", "distilbert", "xlm-roberta", "camembert", "mpnet", "deberta-v2", "albert", "modernbert"]


def known_of(kind: str = "bert", **more: Any) -> Encoding:
    return Encoding.fit(sentences(40), reads={"subwords", "tags", "types", "spans"}, subwords=toy_subwords(kind, **more))


def encoder_of(known: Encoding, tag_size: int | None = None, **options: Any) -> HuggingFaceEncoder:
    encoder = make_encoder("huggingface", known, options, word_size=0, tag_size=tag_size)
    assert isinstance(encoder, HuggingFaceEncoder)
    randomise(encoder, scale=0.3)
    return encoder.eval()


def literal(encoder: HuggingFaceEncoder, known: Encoding, sentence: Sentence, pooling: str, layers: int = 1) -> Tensor:
    """(T, H)"""
    subwords: Any = known.subwords
    pieces = subwords.pieces(sentence)
    room = subwords.longest - 2
    starts = [0]
    while starts[-1] + room < len(pieces.ids):
        starts.append(min(starts[-1] + room - room // 4, len(pieces.ids) - room))
    states: list[Tensor] = []
    for piece in range(len(pieces.ids)):
        ends = [(start, min(start + room, len(pieces.ids))) for start in starts]
        start, stop = max((w for w in ends if w[0] <= piece < w[1]), key=lambda w: min(piece - w[0], w[1] - 1 - piece))
        ids = torch.tensor([[2, *pieces.ids[start:stop], 3]])
        output = encoder.transformer(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
        state = torch.stack(output.hidden_states[-layers:]).mean(0) if layers > 1 else output.last_hidden_state
        states.append(state[0, 1 + piece - start])
    rows = []
    for first, last in zip(pieces.first, pieces.last):
        own = torch.stack(states[first : last + 1])
        rows.append({"first": own[0], "last": own[-1], "mean": own.mean(0), "max": own.amax(0)}[pooling])
    return torch.stack(rows)


@pytest.mark.parametrize("pooling", ["first", "last", "mean", "max"])
@pytest.mark.parametrize("kind", KINDS)
def test_features_are_the_states_of_a_tokens_pieces_each_from_its_most_central_window(kind, pooling):
    if pooling != "mean" and kind != "bert":
        pytest.skip("pooling does not depend on the transformer")
    known = known_of(kind, **({"embedding_size": 6} if kind in ("electra", "albert") else {}))
    encoder = encoder_of(known, pooling=pooling)
    group = [long_sentence(40, 2), one_token(), *sentences(2)]
    batch = batch_of(group, known)
    assert batch.subwords is not None
    assert len(batch.subwords.sentence) > len(group) + 2  # several windows
    with torch.no_grad():
        wanted = torch.cat([literal(encoder, known, sentence, pooling) for sentence in group])
        torch.testing.assert_close(encoder.features(batch), wanted, atol=1e-5, rtol=1e-4)
        padded = encoder.padded(batch)
    torch.testing.assert_close(padded[batch.mask], wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("options", [{}, {"last_layers": 2, "units": 2}])
def test_the_first_piece_of_a_sentence_comes_with_the_features_if_asked_for(options):
    known = known_of()
    encoder, group = encoder_of(known, **options), [long_sentence(40, 2), one_token(), *sentences(2)]
    batch, subwords = batch_of(group, known), known.subwords
    assert subwords is not None
    with torch.no_grad():
        features, first = encoder.features_and_first(batch)
        assert torch.equal(features, encoder.features(batch))
        for sentence, state in zip(group, first, strict=True):
            ids = torch.tensor([[2, *subwords.pieces(sentence).ids[: subwords.room], 3]])  # of the first window
            states = encoder.transformer(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True).hidden_states
            wanted = torch.stack(states[-options.get("last_layers", 1) :]).mean(0)[0, 0]
            torch.testing.assert_close(state, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("given", [2, 0])
def test_the_mean_of_the_last_layers_or_of_all_can_stand_for_the_last_one(given):
    known = known_of()
    encoder = encoder_of(known, last_layers=given)
    with torch.no_grad():
        features = encoder.features(batch_of(sentences(2), known))
        wanted = torch.cat([literal(encoder, known, sentence, "mean", layers=2) for sentence in sentences(2)])
    torch.testing.assert_close(features, wanted, atol=1e-5, rtol=1e-4)


def test_tags_and_a_bilstm_add_features():
    known = known_of()
    encoder = encoder_of(known, tag_size=3, units=4)
    batch = batch_of([*sentences(3), long_sentence(30, 3)], known)
    features = encoder.features(batch)
    assert encoder.size == features.shape[1] == 8 + 3 + 2 * 4
    assert encoder.word_size == 8
    assert batch.tags is not None
    torch.testing.assert_close(features[:, 8:11], encoder.tags.weight[batch.tags[batch.mask]])
    alone = encoder.features(batch_of([long_sentence(30, 3)], known))
    torch.testing.assert_close(features[-30:], alone, atol=1e-5, rtol=1e-4)


def test_pretrained_layers_are_all_of_the_transformer_from_the_embeddings_up():
    for kind in KINDS:
        encoder = encoder_of(known_of(kind, **({"num_hidden_layers": 3} if kind != "distilbert" else {})), tag_size=2, units=2)
        layers = encoder.pretrained_layers()
        found = [id(weight) for layer in layers for weight in layer]
        assert sorted(found) == sorted(id(weight) for weight in encoder.transformer.parameters()), kind
        table: Any = encoder.transformer
        assert id(table.get_input_embeddings().weight) in {id(weight) for weight in layers[0]}, kind
        assert all(layers), kind


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "model_type"),
        ({"model_type": "no-such-kind"}, "architecture that transformers knows"),
        (toy_config() | {"num_attention_heads": 3}, "architecture that transformers knows"),
        ({"model_type": "t5", "d_model": 8, "d_kv": 4, "d_ff": 8, "num_layers": 1, "num_heads": 2, "vocab_size": 20}, "t5, which is none"),
        ({"model_type": "gpt2", "n_embd": 8, "n_layer": 1, "n_head": 2, "vocab_size": 20}, "gpt2, which is none"),
        ({"model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}, "llama"),
        (toy_config() | {"is_decoder": True}, "bert, which is none"),
        ({"model_type": "vit", "hidden_size": 8, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 8}, "vit"),
        ({"model_type": "clip"}, "clip, which is none"),
        (toy_config() | {"hidden_act": "no-such-function"}, "architecture that transformers knows"),
        (toy_config() | {"hidden_size": "eight"}, "architecture that transformers knows"),
        (toy_config() | {"hidden_size": -8}, "architecture that transformers knows"),
    ],
)
def test_a_configuration_of_no_encoder_of_text_is_refused(config, message):
    with pytest.raises(ConfigError) as caught:
        make_transformer(config)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("options", [{"last_layers": -1}, {"units": -1}, {"dropout": 1.0}, {"pooling": "median"}, {"unit": 3}])
def test_unfit_options_are_refused_by_name(options):
    with pytest.raises(ConfigError, match=rf"model\.encoder_options\.{next(iter(options))}"):
        encoder_of(known_of(), **options)


def test_more_last_layers_than_there_are_is_refused():
    with pytest.raises(ConfigError, match=r"model\.encoder_options\.last_layers: expected at most 2"):
        encoder_of(known_of(), last_layers=3)


def test_an_encoding_without_pieces_is_refused():
    with pytest.raises(ConfigError, match="encoder huggingface: expected an encoding of subwords"):
        make_encoder("huggingface", Encoding.fit(sentences(4)), word_size=4, tag_size=None)


def test_entities_may_stand_anywhere():
    known = known_of()
    sentence = Sentence("all", ("the",) * 70, (Entity(0, 70, "ORG"), Entity(69, 70, "PER")), ())
    assert encoder_of(known).features(batch_of([sentence], known)).isfinite().all()
