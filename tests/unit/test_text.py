"""Tokens and sentences keep their offsets, never cut an entity and never lose a character."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.sentences import split_sentences
from relsift.text import is_mostly_cjk, tokenise


def words(text: str, *cuts: int, characters: bool = False) -> list[str]:
    return [text[start:end] for start, end in tokenise(text, cuts, characters=characters)]


def sentences(text: str, *keep: tuple[int, int], wrapped: bool = False) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, keep, wrapped=wrapped)]


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


def test_blank_text_has_neither_tokens_nor_sentences():
    assert tokenise(" \n\t") == []
    assert split_sentences(" \n\t") == []


def test_full_stops_and_chinese_marks_end_sentences():
    assert sentences("One. Two! Three?") == ["One.", "Two!", "Three?"]
    assert sentences("他来了。她走了！真的吗？是……我想") == ["他来了。", "她走了！", "真的吗？", "是……", "我想"]


def test_closing_quotes_and_brackets_belong_to_the_sentence_before_them():
    assert sentences("“走吧。”他说。") == ["“走吧。”", "他说。"]
    assert sentences('(It rained.) "Good." We left.') == ["(It rained.)", '"Good."', "We left."]


@pytest.mark.parametrize(
    "text",
    [
        "Dr. Holm met J. Berg.",
        "See Eq. (5) and Fig. 2 there.",
        "They ship, e.g. Tin, by sea.",
        "It is version 2.5 of the file a.b.",
        "The result (resp. the proof) follows.",
        "“Stop!” she said.",
        "他写了《盼……》，又改了。",
    ],
)
def test_abbreviations_initials_and_marks_inside_a_sentence_do_not_end_it(text: str):
    assert sentences(text) == [text]


def test_semicolons_do_not_end_sentences():
    assert sentences("雨停了；风还在。") == ["雨停了；风还在。"]


def test_line_breaks_end_sentences():
    assert sentences("A title\nThe text.") == ["A title", "The text."]


def test_sentences_never_end_inside_an_entity():
    text = "He saw Who? Me! yesterday. It rained."
    assert sentences(text, (7, 15)) == ["He saw Who? Me! yesterday.", "It rained."]
    assert sentences("One\nTwo", (0, 7)) == ["One\nTwo"]


def test_nested_and_overlapping_entities_are_all_kept_whole():
    assert sentences("Go! Now! Run!", (0, 8), (4, 6)) == ["Go! Now!", "Run!"]
    assert sentences("Go! Now! Run!", (0, 6), (4, 13)) == ["Go! Now! Run!"]


def test_a_name_that_ends_in_a_full_stop_does_not_end_the_sentence_but_other_entities_may():
    assert sentences("Her M.Sc. Berlin gave.", (4, 9)) == ["Her M.Sc. Berlin gave."]
    assert sentences("It is gas. We left.", (6, 10)) == ["It is gas.", "We left."]


def test_wrapped_lines_are_one_sentence_and_blank_lines_end_one():
    text = "The mill stands\nin Lund. It is\nold.\n\nA title\n\nThe end"
    assert sentences(text, wrapped=True) == ["The mill stands\nin Lund.", "It is\nold.", "A title", "The end"]


def test_wrapped_chinese_keeps_a_closing_quote_on_the_next_line_with_its_sentence():
    assert sentences("他说：“走吧。\n”我们走\n了。", wrapped=True) == ["他说：“走吧。\n”", "我们走\n了。"]


def test_wrapped_text_keeps_entities_whole_as_well():
    text = "The Who? Me!\nBand played. We left."
    assert sentences(text, (4, 17), wrapped=True) == ["The Who? Me!\nBand played.", "We left."]


TEXTS = st.text(st.sampled_from(list("ab C1.,!?。！”…\n\t 汉字é—\r")), max_size=40)


@given(TEXTS, st.sets(st.integers(0, 40)), st.booleans())
def test_tokens_are_in_order_cover_every_character_and_no_blank(text: str, cuts: set[int], characters: bool):
    spans = tokenise(text, cuts, characters=characters)
    assert "".join(text[start:end] for start, end in spans) == "".join(text.split())
    assert all(a < b <= c for (a, b), (c, _) in pairwise(spans))
    assert not any(start < cut < end for start, end in spans for cut in cuts)


@given(TEXTS, st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)), max_size=4), st.booleans())
def test_sentences_cover_every_character_and_cut_no_entity(text: str, entities: list[tuple[int, int]], wrapped: bool):
    keep = [(start, min(start + size, len(text))) for start, size in entities if start < len(text)]
    spans = split_sentences(text, keep, wrapped=wrapped)
    assert "".join("".join(text[start:end].split()) for start, end in spans) == "".join(text.split())
    for start, end in keep:
        mention = text[start:end]
        if mention.strip():
            left, right = start + len(mention) - len(mention.lstrip()), start + len(mention.rstrip())
            assert any(first <= left and right <= last for first, last in spans)


@pytest.mark.parametrize(("tokens", "expected"), [(["Ada", "云"], False), (["Ada", "云", "图"], True), (["云A", "。"], True), ([], False)])
def test_tokens_are_mostly_chinese_if_more_than_half_begin_so(tokens: list[str], expected: bool):
    assert is_mostly_cjk(tokens) is expected
