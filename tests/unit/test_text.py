"""Tokens keep their offsets, never cut a character that a reader sees as one, and never lose one."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.text import is_mostly_cjk, tokenise


def words(text: str, *cuts: int, characters: bool = False) -> list[str]:
    return [text[start:end] for start, end in tokenise(text, cuts, characters=characters)]


def test_words_numbers_and_marks_are_tokens():
    assert words("It cost 1,250.5 (or so).") == ["It", "cost", "1,250.5", "(", "or", "so", ")", "."]


def test_letters_and_digits_are_cut_apart():
    assert words("CO2-rich p_53") == ["CO", "2", "-", "rich", "p", "_", "53"]


def test_chinese_characters_are_tokens_and_latin_words_beside_them_stay_whole():
    assert words("他用GPU训练了12天。") == ["他", "用", "GPU", "训", "练", "了", "12", "天", "。"]


def test_every_character_is_a_token_if_asked():
    assert words("用GPU 12天", characters=True) == ["用", "G", "P", "U", "1", "2", "天"]


def test_tokens_end_at_cuts():
    assert words("pre-treatment", 3, 9) == ["pre", "-", "treat", "ment"]
    assert words("abc", 0, 3) == ["abc"]


def test_blank_text_has_no_tokens():
    assert tokenise(" \n\t\u3000") == []


def test_the_ideographic_blank_is_no_token():
    assert words("老\u3000师") == words("老\u3000师", characters=True) == ["老", "师"]


MARK, JOINER, SKIN, SHY, ZERO_WIDTH = "\u0301", "\u200d", "\U0001f3fd", "\u00ad", "\u200b"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("राम ने कंपनी की।", ["राम", "ने", "कंपनी", "की", "।"]),  # vowel signs
        ("وُلِدَ أحمد", ["وُلِدَ", "أحمد"]),  # vowel marks
        (f"Rene{MARK}s Cafe{MARK}.", [f"Rene{MARK}s", f"Cafe{MARK}", "."]),
        (f"Z{SHY}ed {SHY}x", [f"Z{SHY}ed", f"{SHY}x"]),
        (f"Ada{ZERO_WIDTH}Berg{ZERO_WIDTH} x", [f"Ada{ZERO_WIDTH}", f"Berg{ZERO_WIDTH}", "x"]),
        (f"👩{JOINER}👩{JOINER}👧👍{SKIN}x", [f"👩{JOINER}👩{JOINER}👧", f"👍{SKIN}", "x"]),
        ("🇩🇪🇫🇷🇩", ["🇩🇪", "🇫🇷", "🇩"]),
        ("1\ufe0f\u20e3 ｶﾞ", ["1\ufe0f\u20e3", "ｶﾞ"]),
        (f"12{MARK}34", [f"12{MARK}", "34"]),  # only words are joined over a mark
        (f"汉{MARK}字", [f"汉{MARK}", "字"]),
        ("\u060012", ["\u060012"]),  # the Arabic number sign belongs to the number behind it
    ],
)
def test_what_is_seen_as_one_character_or_word_is_one_token(text: str, expected: list[str]):
    assert words(text) == expected


def test_characters_keep_their_marks_where_every_character_is_a_token():
    assert words(f"राम e{MARK}x 🇩🇪", characters=True) == ["रा", "म", f"e{MARK}", "x", "🇩🇪"]


def test_a_cut_inside_a_character_is_ignored():
    assert words(f"Rene{MARK} x", 4) == [f"Rene{MARK}", "x"]
    assert words(f"Rene{MARK}x", 5) == [f"Rene{MARK}", "x"]


def test_marks_are_tokens_of_their_own_if_asked():
    assert [f"ae{MARK}b"[a:b] for a, b in tokenise(f"ae{MARK}b", marks_apart=True)] == ["ae", MARK, "b"]


TEXTS = st.text(st.sampled_from(list("ab C1.,!?。！”…\n\t 汉字é—\r\u3000")), max_size=40)
CLUSTERS = st.lists(  # what is seen as one character each, in any order
    st.sampled_from(
        ["a", f"e{MARK}", f"e{MARK}{MARK}", "रा", "की", "وُ", f"👍{SKIN}", f"👩{JOINER}👧", "汉", "1", ".", " ", "\n", "ｶﾞ", f"x{SHY}"]
    ),
    max_size=15,
)


@given(TEXTS, st.sets(st.integers(0, 40)), st.booleans())
def test_tokens_are_in_order_cover_every_character_and_no_blank(text: str, cuts: set[int], characters: bool):
    spans = tokenise(text, cuts, characters=characters)
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    assert all(a < b <= c for (a, b), (c, _) in pairwise(spans))
    assert not any(start < cut < end for start, end in spans for cut in cuts)


@pytest.mark.parametrize(("tokens", "expected"), [(["Ada", "云"], False), (["Ada", "云", "图"], True), (["云A", "。"], True), ([], False)])
def test_tokens_are_mostly_chinese_if_more_than_half_begin_so(tokens: list[str], expected: bool):
    assert is_mostly_cjk(tokens) is expected


@given(CLUSTERS, st.sets(st.integers(0, 60)), st.booleans())
def test_no_token_ends_inside_what_is_seen_as_one_character(clusters: list[str], cuts: set[int], characters: bool):
    text = "".join(clusters)
    edges, position = {0}, 0
    for cluster in clusters:
        position += len(cluster)
        edges.add(position)
    spans = tokenise(text, cuts, characters=characters)
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    assert {edge for span in spans for edge in span} <= edges
