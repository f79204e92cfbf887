"""Text that was cut into lines of one width is told from text whose lines end where sentences or headings do."""

from __future__ import annotations

import textwrap

import pytest

from relsift.annotators.wrapped_lines import WrapWatch, looks_wrapped
from relsift.readers.raw import split_by_rules

PROSE = (
    "The mill at Skerrin was built before the war and stood empty for thirty years. Ida Holm, who leads the town, bought it last year "
    "and gave it to a group of young painters from the coast. They have put new glass into the windows and taken the old wheel out, "
    "which now lies in the grass beside the road. Nobody in the town had thought that the roof would hold for so long."
)


@pytest.mark.parametrize("width", [40, 60, 78])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_lines_of_one_width_look_wrapped(width, line_end):
    assert looks_wrapped(line_end.join(textwrap.wrap(PROSE, width)))
    assert looks_wrapped(f"A heading{line_end * 2}" + line_end.join(textwrap.wrap(PROSE, width)) + line_end * 2 + "The end.")


@pytest.mark.parametrize(
    "text",
    [
        "",
        PROSE,
        "\n".join(PROSE.split(". ")),  # one sentence a line
        f"{PROSE}\n\n" * 9,  # one paragraph a line
        "\n".join(("milk", "bread and butter", "eggs", "salt", "six apples")),  # a list: of different lengths
        "\n".join(("Rain falls on the roof of the mill", "Night comes over the hills of Skerr", "None of us knows the way to town") * 3),
        "两个\n城市\n之间\n的路\n很远",
        "one line\nand another",  # too few to tell
    ],
)
def test_other_lines_do_not_look_wrapped(text):
    assert not looks_wrapped(text)


def test_texts_that_look_wrapped_are_counted_once_with_what_to_do():
    watch = WrapWatch(split_by_rules)
    wrapped = "\n".join(textwrap.wrap(PROSE, 60))
    for text in (wrapped, PROSE, wrapped):
        assert watch(text) == split_by_rules(text)
    (line,) = watch.lines()
    assert line.startswith("2 of 3 texts look hard-wrapped") and line.endswith("try --splitter rules:wrapped")
    assert WrapWatch(split_by_rules).lines() == []
