"""The BiLSTM encoder against running it token by token, and what it sees of words that training never saw."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from literal_bilstm import token_features
from relsift.encoders.base import make_encoder
from relsift.encoders.bilstm import BiLSTMEncoder, BiLSTMOptions
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError, ShapeError
from relsift.schema import Sentence
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences

KNOWN = encoding()
GROUP = [long_sentence(9, 4), one_token(), *sentences(2)]
TINY: dict[str, Any] = {"units": 4, "character_size": 3, "character_filters": 5, "case_size": 2, "dropout": 0.0}


def make(known: Encoding = KNOWN, tag_size: int | None = 3, dropout: float = 0.0, **options: Any) -> BiLSTMEncoder:
    encoder = BiLSTMEncoder(known, word_size=6, tag_size=tag_size, dropout=dropout, options=BiLSTMOptions(**TINY | options))
    randomise(encoder)
    return encoder.eval()


def with_tokens(*tokens: str) -> Sentence:
    return replace(long_sentence(len(tokens), 2), tokens=tokens, syntax=None)


@pytest.mark.parametrize(
    "options",
    [{}, {"layers": 2}, {"keep_input": True}, {"fixed_vectors": True}, {"character_filters": 0}, {"case_size": 0}, {"tag_size": None}],
    ids=str,
)
def test_features_are_those_of_the_equations_token_by_token(options):
    encoder, batch = make(**options), batch_of(GROUP, KNOWN)
    wanted = torch.cat([token_features(encoder, batch, sentence) for sentence in range(len(GROUP))])
    features = encoder.features(batch)
    assert features.shape == (int(batch.lengths.sum()), encoder.size)
    torch.testing.assert_close(features, wanted)
    torch.testing.assert_close(encoder.padded(batch)[batch.mask], wanted)
    tokens = encoder.keyed(batch)
    torch.testing.assert_close(tokens.features(tokens.keys), wanted)
    assert not tokens.weights  # features depend on the sentence: they may not be remembered


def test_an_unknown_word_is_told_from_another_by_its_characters_and_by_its_case():
    def read(word: str, **options: Any) -> torch.Tensor:
        return make(**options).features(batch_of([with_tokens(word, "lives")], KNOWN))[0]

    assert not torch.equal(read("Osla"), read("Alsa"))
    assert torch.equal(read("Osla", character_filters=0), read("Alsa", character_filters=0))  # both unknown, both a title
    assert not torch.equal(read("Osla", character_filters=0), read("OSLA", character_filters=0))
    assert torch.equal(read("Osla", character_filters=0, case_size=0), read("OSLA", character_filters=0, case_size=0))


def test_a_token_is_read_in_the_light_of_its_whole_sentence():
    encoder = make(keep_input=False)
    first, other = (encoder.features(batch_of([with_tokens("Ada", "lives", end)], KNOWN))[0] for end in ("in", "Oslo"))
    assert not torch.equal(first, other)


def test_fixed_vectors_are_not_trained_and_what_is_added_starts_at_zero():
    encoder = BiLSTMEncoder(KNOWN, word_size=6, tag_size=3, options=BiLSTMOptions(**TINY, fixed_vectors=True))
    assert not encoder.words.weight.requires_grad
    assert encoder.added is not None and encoder.added.requires_grad and not encoder.added.any()
    encoder.freeze_words()
    assert not encoder.added.requires_grad
    assert encoder.word_table() is encoder.words


def test_further_words_have_their_fixed_vector_and_nothing_added():
    known = Encoding.fit(sentences(40), further=["Quito", "lives"])
    assert known.words is not None and known.words.further == ("Quito",)
    encoder = make(known, fixed_vectors=True, keep_input=True)
    assert encoder.added is not None and len(encoder.added) == known.words.num_trained == known.words.num_rows - 1
    read = encoder.features(batch_of([with_tokens("Quito", "lives")], known))[:, encoder.word_size :]
    assert torch.equal(read[0, :6], encoder.words.weight[-1])
    lives = known.words.ids(["lives"])[0]
    assert torch.equal(read[1, :6], encoder.words.weight[lives] + encoder.added[lives])


def test_in_training_the_same_features_are_dropped_for_all_tokens_of_a_sentence():
    encoder, batch = make(dropout=0.5), batch_of(GROUP, KNOWN)
    wanted = encoder.features(batch)
    torch.manual_seed(0)
    tokens = encoder.train().keyed(batch)
    rows = tokens.features(tokens.keys)
    kept = rows != 0
    torch.testing.assert_close(rows[kept], 2 * wanted[kept])  # what is kept makes up for what is dropped
    for sentence, whole in zip(kept.split(batch.lengths.tolist()), (wanted != 0).split(batch.lengths.tolist())):
        assert torch.equal(sentence, whole & sentence.any(dim=0))
    assert 0 < kept.sum() < kept.numel()


def test_its_own_dropout_works_in_training_alone():
    encoder, batch = make(), batch_of(GROUP, KNOWN)
    wanted = encoder.features(batch)
    encoder.drop.p = 0.5
    assert torch.equal(encoder.features(batch), wanted)
    assert not torch.equal(encoder.train().features(batch), wanted)


def test_an_encoding_without_characters_and_a_batch_without_them_are_refused():
    words = Encoding.fit(sentences(8), reads={"words", "tags"})
    with pytest.raises(ConfigError, match="encoder bilstm: expected an encoding of words, characters and tags, got one of tags, words"):
        BiLSTMEncoder(words, word_size=6, tag_size=3)
    with pytest.raises(ShapeError, match=r"batch\.characters"):
        make().features(batch_of(GROUP, words))


@pytest.mark.parametrize(("option", "value"), [("units", 0), ("layers", 0), ("character_filters", -1), ("dropout", 1.0)])
def test_options_out_of_range_are_refused_by_name(option, value):
    with pytest.raises(ConfigError, match=rf"model\.encoder_options\.{option}: expected a number"):
        make_encoder("bilstm", KNOWN, {option: value}, word_size=6, tag_size=3)
