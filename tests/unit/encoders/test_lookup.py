"""The look-up encoder against indexing its tables: features, the same features as keys, and padded."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from relsift.encoders.base import make_encoder
from relsift.encoders.lookup import LookupEncoder
from relsift.encoding.batch import Batch
from relsift.encoding.encoding import Encoding
from relsift.errors import ConfigError, ShapeError
from toy import batch_of, encoding, long_sentence, one_token, randomise, sentences

KNOWN = encoding()
GROUP = [long_sentence(9, 4), one_token(), *sentences(2)]


def make(tag_size: int | None = 3, dropout: float = 0.0) -> LookupEncoder:
    encoder = LookupEncoder(KNOWN, word_size=6, tag_size=tag_size, dropout=dropout)
    randomise(encoder)
    return encoder.eval()


def literal(encoder: LookupEncoder, batch: Batch) -> Tensor:
    rows = []
    for sentence, length in enumerate(batch.lengths.tolist()):
        for token in range(length):
            parts = [encoder.words.weight[batch.words[sentence, token]]]
            if encoder.tags is not None:
                parts.append(encoder.tags.weight[batch.tags[sentence, token]])
            rows.append(torch.cat(parts))
    return torch.stack(rows)


@pytest.mark.parametrize("tag_size", [3, None])
def test_features_are_the_rows_of_word_and_tag_side_by_side_in_all_three_forms(tag_size):
    encoder, batch = make(tag_size), batch_of(GROUP, KNOWN)
    wanted = literal(encoder, batch)
    assert wanted.shape[1] == encoder.size == encoder.word_size + (tag_size or 0)
    assert torch.equal(encoder.features(batch), wanted)
    padded = encoder.padded(batch)
    assert padded.shape == (*batch.mask.shape, encoder.size)
    assert torch.equal(padded[batch.mask], wanted)
    tokens = encoder.keyed(batch)
    keys, row = torch.unique(tokens.keys, return_inverse=True)
    assert torch.equal(tokens.features(keys)[row], wanted)
    assert int(keys.min()) >= 0 and int(keys.max()) < tokens.count
    assert len(keys) < len(wanted)  # equal tokens share one
    assert [id(weight) for weight in tokens.weights] == [id(weight) for weight in encoder.parameters()]


def test_in_training_with_dropout_tokens_share_nothing_and_may_not_be_remembered():
    encoder, batch = make(dropout=0.5), batch_of(GROUP, KNOWN)
    assert encoder.keyed(batch).weights  # in prediction nothing is dropped
    torch.manual_seed(0)
    tokens = encoder.train().keyed(batch)
    assert not tokens.weights
    rows, wanted = tokens.features(tokens.keys), literal(encoder, batch)
    kept = rows != 0
    torch.testing.assert_close(rows[kept], 2 * wanted[kept])  # what is kept makes up for what is dropped
    for sentence in kept.split(batch.lengths.tolist()):
        assert (sentence == sentence[0]).all()  # the same dimensions of all tokens
    assert 0 < kept.sum() < kept.numel()
    assert torch.equal(encoder.features(batch), wanted)  # these two are without dropout
    assert torch.equal(encoder.padded(batch)[batch.mask], wanted)


def test_the_word_table_is_the_one_that_word_vectors_fill():
    encoder = make()
    assert encoder.word_table() is encoder.words


def test_an_encoding_without_words_or_tags_is_refused():
    nothing, words = Encoding.fit(sentences(8), reads={"types"}), Encoding.fit(sentences(8), reads={"words"})
    for known, tag_size in ((nothing, None), (words, 3)):
        with pytest.raises(ConfigError, match="encoder lookup: expected an encoding of words and tags"):
            LookupEncoder(known, word_size=6, tag_size=tag_size)
    assert LookupEncoder(words, word_size=6, tag_size=None).tags is None


def test_a_batch_without_words_is_refused():
    batch = batch_of(GROUP, Encoding.fit(sentences(8), reads={"types"}))
    with pytest.raises(ShapeError, match=r"batch\.words"):
        make().features(batch)


def test_encoders_are_found_by_name():
    assert isinstance(make_encoder("lookup", KNOWN, word_size=4, tag_size=None), LookupEncoder)
    with pytest.raises(ConfigError, match="lookup"):
        make_encoder("lookop", KNOWN, word_size=4, tag_size=None)


def test_an_encoder_that_does_not_say_its_sizes_is_refused_by_name(monkeypatch: pytest.MonkeyPatch):
    class Sizeless(LookupEncoder):
        def __init__(self, *args, **sizes):
            super().__init__(*args, **sizes)
            del self.size

    monkeypatch.setattr("relsift.encoders.base.find", lambda kind, name: Sizeless)
    with pytest.raises(ConfigError, match=r"^encoder mine: expected whole numbers as size, set by its __init__; got none"):
        make_encoder("mine", KNOWN, word_size=6, tag_size=3)
