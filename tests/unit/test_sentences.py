"""Sentences keep their offsets, never cut an entity and never lose a character; abbreviations are told from ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.sentences import line_spans, split_sentences


def sentences(text: str, *keep: tuple[int, int], wrapped: bool = False, abbreviations: tuple[str, ...] = ()) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text, keep, wrapped=wrapped, abbreviations=abbreviations)]


def test_blank_text_has_no_sentences():
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


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_lines_are_wrapped_whatever_their_ends(end):
    text = end.join(("The mill stands", "in Lund. It is", "old.", "", "The end"))
    assert sentences(text, wrapped=True) == [f"The mill stands{end}in Lund.", f"It is{end}old.", "The end"]


def test_wrapped_chinese_keeps_a_closing_quote_on_the_next_line_with_its_sentence():
    assert sentences("他说：“走吧。\n”我们走\n了。", wrapped=True) == ["他说：“走吧。\n”", "我们走\n了。"]


def test_wrapped_text_keeps_entities_whole_as_well():
    text = "The Who? Me!\nBand played. We left."
    assert sentences(text, (4, 17), wrapped=True) == ["The Who? Me!\nBand played.", "We left."]


# One sentence each: the first full stop or mark inside is none of its ends.
WHOLE = """
Dr. A. Holm d. 1910 in Lund.
Sein Sohn geb. 1880 in Vell.
It was done in SPSS ver. 22 by IBM.
Plots used R (v. 3.5) there.
They met on Nov. 22 in Vell.
We saw Capt. Bo there.
It began at 5 p.m. Monday in Lund.
See vol. 3 of it.
The Yahoo! Chief left.
The U.S. Army left.
Acme Inc. Chairman Bo left.
Acme Ltd. Lund is closed.
Lt. Berg and Col. Holm and Gen. Ek met Rev. Bo and the Hon. Ida Ek.
They live on St. Olaf and Mt. Vell.
He came in no. 5 and No. KB/32/2002.
See p. 5, pp. 7, fig. 2, Figs. S1, Eq. (5), sec. 2.2 and ch. IV.
Berg et al. Lund 1999 and Ek et al. (2001) agree.
Quercus spp. Lund and Salix sp. (Vell) grow, var. Alba too.
He got it i.v. Metformin was next to it, i.e. Tin.
She has a Ph.D. Berlin gave it.
It cost approx. 50, ca. 60 or c. 1850.
Jan. Ek and Sat. Night came.
Am 3. Mai 1990 kam er.
Am 9. November 1989 kam er.
Frau Dr. Ek bzw. Herr Prof. Holm kam.
Vgl. Bd. 3, Abb. 4 und S. 7 dazu.
La Dra. Ana vino.
Mme. Ek et M. Holm.
N°. 1026 is it.
You and Albert I. Jones left.
He said . . . nothing.
Она родилась 19 ноября 2012 г. № 268 там.
Он живёт в г. Москве, ул. Мира.
Das gilt z. B. Frau Holm, i. V. m. Art. 3.
Это т. е. Иванов и т. д. Петров.
Holm v. Berg was decided, Fed. R. Civ. P. 12, by the 9th Cir. Court.
Er kam gem. § 5 Abs. 2 bzgl. Frau Ek, bspw. Herr Holm.
Im 19. Jahrhundert kam er, im 2. Weltkrieg nicht, vgl. Aufl. 2 u. Tab. 4.
Call tel. +46 5.
He lives in ул. Ленина, д. 5.
Dña. Ana y Ud. Berg.
See Ek et seq. Section 5 and op. cit. Berg.
1. The list begins here.
""".strip().splitlines()


@pytest.mark.parametrize("text", WHOLE)
def test_a_full_stop_of_an_abbreviation_does_not_end_a_sentence(text: str):
    assert sentences(text) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "The answer was no.|He left.",
        "It costs 5 at Acme Inc.|The mill is old.",
        "It began at 5 p.m.|He left.",
        "He lives in the U.S.|She does not.",
        "They sat.|Nobody left.",
        "It is made of Tin, Zinc etc.|The rest is Iron.",
        "It took 5 min.|Bo left.",
        "It is at 37°C.|Bo left.",
        "It was in FT.|The end.",
        "You and I.|Did they?",
        "We saw art.|He left.",
        "He met Yahoo!|The end.",
        "Она родилась в 2000 г.|Он нет.",
        "यह है।|वह है।",
        "هل هو؟|نعم.",
        "He said »Go!«|Bo left.",
        "Er kam am 5.|Bo ging.",
        "It was May 5.|November was cold.",
        "He measured x.|Bo left.",
    ],
)
def test_a_sentence_ends_where_another_begins(text: str):
    assert sentences(text.replace("|", " ")) == text.split("|")


def test_own_abbreviations_never_end_a_sentence_and_listed_ones_can_be_taken_out():
    text = "See Nachtr. Holm. We saw zit. Berg."
    assert sentences(text) == ["See Nachtr.", "Holm.", "We saw zit.", "Berg."]
    assert sentences(text, abbreviations=("nachtr", "Zit.")) == ["See Nachtr. Holm.", "We saw zit. Berg."]
    assert sentences("See vol. 3 there.", abbreviations=("-vol",)) == ["See vol.", "3 there."]


def test_own_abbreviations_hold_in_wrapped_text():
    assert sentences("See zit.\nBerg.", wrapped=True, abbreviations=("zit",)) == ["See zit.\nBerg."]


def test_every_kind_of_line_break_ends_a_sentence():
    assert sentences("One\r\nTwo\rThree\nFour") == ["One", "Two", "Three", "Four"]


def test_only_a_line_break_ends_a_sentence_where_each_line_is_one():
    text = "Dr. A. Holm left. He slept.\n\n  Bo!  "
    assert [text[a:b] for a, b in line_spans(text)] == ["Dr. A. Holm left. He slept.", "Bo!"]
    assert line_spans("One\nTwo\nThree", [(2, 5)]) == [(0, 7), (8, 13)]  # an entity from One to Two holds them together


TEXTS = st.text(st.sampled_from(list("ab C1.,!?。！”…\n\t 汉字é—\r»)°")), max_size=40)


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
