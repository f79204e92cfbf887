"""The pieces of a text and the tokens that they belong to, for the three kinds of tokenizers."""

from __future__ import annotations

from functools import cache
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.encoding.subwords import Pieces, SubwordInput, Window, central_window
from relsift.schema import Sentence
from strategies import ANY_TEXT, WORDS
from toy import HAS_TRANSFORMERS
from toy_transformer import toy_config, toy_subwords

pytestmark = pytest.mark.skipif(not HAS_TRANSFORMERS, reason="the packages of Hugging Face are missing")
KINDS = ["wordpiece", "byte_bpe", "unigram"]
STAND_IN = 1


@cache
def tokenizer(kind: str) -> Any:
    """WordPiece that lower-cases and drops accents; byte-level BPE; Unigram behind NFKC that marks the beginning of words."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers

    if kind == "wordpiece":
        names = ["[PAD]", "[UNK]", "the", "acme", "an", "##n", "##a", "a", "b", "##b", "naive", "公", "司", "##s"]
        made = Tokenizer(models.WordPiece({name: number for number, name in enumerate(names)}, unk_token="[UNK]"))
        made.normalizer = normalizers.BertNormalizer(lowercase=True)
        made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    elif kind == "byte_bpe":
        alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
        vocabulary = {name: number for number, name in enumerate(["<pad>", "<unk>", *alphabet, "th", "the", "Ġthe", "Ac"])}
        made = Tokenizer(models.BPE(vocabulary, [("t", "h"), ("th", "e"), ("Ġ", "the"), ("A", "c")]))
        made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        made.decoder = decoders.ByteLevel()
    else:
        whole = [("<pad>", 0.0), ("<unk>", -20.0), ("▁", -2.0), ("▁the", -3.0), ("公司", -3.0), ("the", -4.0), ("Acme", -3.0)]
        made = Tokenizer(models.Unigram([*whole, *((letter, -6.0) for letter in "abcdefghijklmnopqrstuvwxyzABC公司/15")], unk_id=1))
        made.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace(" {2,}", " ")])
        made.pre_tokenizer = pre_tokenizers.Metaspace()
    return made


@cache
def subwords_of(kind: str) -> SubwordInput:
    return SubwordInput(tokenizer(kind).to_str(), {}, 50, STAND_IN)


def pieces(kind: str, *tokens: str) -> Pieces:
    return subwords_of(kind).pieces(Sentence("s", tokens, (), ()))


def checked(kind: str, sentence: Sentence) -> Pieces:
    """The pieces, compared with a literal reading of the tokenizer's offsets."""
    found = subwords_of(kind).pieces(sentence)
    encoded = tokenizer(kind).encode(sentence.text, add_special_tokens=False)
    spans = sentence.token_spans
    of_token = [
        [number for number, (start, end) in enumerate(encoded.offsets) if start < stop and first < end and start < end]
        for first, stop in spans
    ]
    bare = [number for number, those in enumerate(of_token) if not those]
    assert found.uncovered == len(bare)
    assert all(0 <= first <= last < len(found.ids) for first, last in zip(found.first, found.last, strict=True))
    stand_ins = {found.first[number] for number in bare}
    assert len(stand_ins) == len(bare)
    assert all(found.first[number] == found.last[number] and found.ids[found.first[number]] == STAND_IN for number in bare)
    assert all(found.token[found.first[number]] == number for number in bare)
    real = [place for place in range(len(found.ids)) if place not in stand_ins]
    assert [found.ids[place] for place in real] == encoded.ids  # no piece is lost, and all are in order
    for number, those in enumerate(of_token):
        if those:
            assert (found.first[number], found.last[number]) == (real[those[0]], real[those[-1]])
    owners = [[number for number, those in enumerate(of_token) if piece in those] for piece in range(len(encoded.ids))]
    assert [found.token[place] for place in real] == [min(numbers, default=-1) for numbers in owners]
    places = [found.first[number] for number in range(len(spans))]
    assert places == sorted(places)  # in the order of the tokens, stand-ins included
    return found


STRANGE = (
    "\u200b", "\u200d", "\u0301", "é", "e\u0301", "ﬁ", "½", "①", "Ａ", "👩‍👩‍👧",
    "🇳🇴", "\xad", "…", "ǆ", "İ", "ß", "公司", "\ufeff", "ิ",
)


@pytest.mark.parametrize("kind", KINDS)
@given(tokens=st.lists(st.sampled_from((*WORDS, *STRANGE, "the", "Acme")) | ANY_TEXT, min_size=1, max_size=8))
def test_every_token_has_the_pieces_that_it_shares_a_character_with_or_a_stand_in(kind, tokens):
    checked(kind, Sentence("s", tuple(tokens), (), ()))


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(st.sampled_from("the Acme公司\u200b\u0301é½ﬁ😀 \n\t。"), min_size=1, max_size=20), data=st.data())
def test_so_it_is_for_tokens_anywhere_in_a_text_of_blanks_and_strange_characters(kind, text, data):
    edges = sorted(data.draw(st.sets(st.integers(0, len(text)), min_size=2, max_size=8)))
    spans = []
    for start, end in pairwise(edges):
        inside = [place for place in range(start, end) if not text[place].isspace()]
        if inside:
            spans.append((inside[0], inside[-1] + 1))
    if not spans:
        return
    tokens = tuple(text[start:end] for start, end in spans)
    original = text[spans[0][0] : spans[-1][1]]
    checked(kind, Sentence("s", tokens, (), (), offsets=tuple(spans), original=original))


def test_word_pieces_by_hand():
    # "Anna" -> an ##n ##a; the accent of "naïve" is dropped; "zzz" is unknown; a lone accent has no piece at all
    found = pieces("wordpiece", "Anna", "naïve", "zzz", "\u0301", "the")
    assert found == Pieces([4, 5, 6, 10, 1, STAND_IN, 2], [0, 0, 0, 1, 2, 3, 4], [0, 3, 4, 5, 6], [2, 3, 4, 5, 6], 1)


def test_a_piece_of_several_chinese_characters_belongs_to_each_of_them():
    found = pieces("unigram", "公", "司", "the")
    company = tokenizer("unigram").token_to_id("公司")
    place = found.ids.index(company)
    assert (found.first[1], found.last[1]) == (place, place)
    assert found.last[0] == place
    assert found.token[place] == 0
    assert found.uncovered == 0


def test_bytes_of_one_character_all_belong_to_its_token():
    found = pieces("byte_bpe", "the", "😀", "the")
    assert found.last[1] - found.first[1] + 1 in (4, 5)  # four bytes, perhaps with the blank before them
    assert found.token[found.last[1]] == 1


def test_one_character_that_becomes_several_keeps_its_token():
    # NFKC makes "½" three characters, 1 ⁄ 2, and "ﬁ" two.
    found = pieces("unigram", "½", "ﬁ")
    assert found.uncovered == 0
    assert [found.token.count(number) > 1 for number in (0, 1)] == [True, True]
    assert set(found.token) <= {-1, 0, 1}  # -1: the mark for the blank between them


# ---- windows


@given(count=st.integers(0, 400), longest=st.integers(16, 60))
def test_windows_cover_every_piece_overlap_and_are_full(count, longest):
    subwords = toy_subwords(longest=longest)
    room = longest - 2  # [CLS] and [SEP]
    windows = subwords.windows(count)
    assert windows[0].start == 0
    assert windows[-1].stop == count
    if len(windows) == 1:
        assert count <= room
        return
    assert all(window.stop - window.start == room for window in windows)
    overlap = room // 4
    assert all(one.stop - other.start >= overlap and one.start < other.start for one, other in pairwise(windows))
    assert (len(windows) - 2) * (room - overlap) + room < count  # one fewer would not do


@given(count=st.integers(1, 300))
def test_the_state_of_a_piece_comes_from_the_window_with_most_text_on_both_sides(count):
    windows = toy_subwords().windows(count)
    for piece in range(count):
        chosen = windows[central_window(piece, windows)]
        sides = [min(piece - w.start, w.stop - 1 - piece) for w in windows if w.start <= piece < w.stop]
        assert min(piece - chosen.start, chosen.stop - 1 - piece) == max(sides)


def test_the_first_of_equally_central_windows_is_taken():
    assert central_window(5, [Window(0, 8), Window(3, 11)]) == 0


def test_special_pieces_stand_around_the_text():
    subwords = toy_subwords()
    assert subwords.around == ([2], [3])
    assert subwords.room == 22
    assert subwords_of("byte_bpe").around == ([], [])


def test_padding_and_truncation_of_a_tokenizer_file_are_switched_off():
    from tokenizers import Tokenizer

    made = Tokenizer.from_str(toy_subwords().tokenizer)
    made.enable_truncation(4)
    made.enable_padding(length=30)
    subwords = SubwordInput(made.to_str(), toy_config(), 24, STAND_IN)
    assert len(subwords.pieces(Sentence("s", ("the",) * 9, (), ())).ids) == 9
