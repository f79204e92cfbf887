"""When a reader refuses a corpus whose mentions are not at their positions, and what it proposes."""

from __future__ import annotations

from pathlib import Path

import pytest

from relsift.readers.misplaced import AUTO, Fits
from relsift.readers.positions import CONVENTIONS


def fits(*files: tuple[int, dict[str, int]]) -> Fits:
    """Of each file: its mentions, and how many fit; those of a convention that is not named fit nowhere."""
    total = Fits()
    for mentions, numbers in files:
        total.add(mentions, {name: numbers.get(name, 0) for name in CONVENTIONS})
    return total


def complaint(total: Fits, used: str = "characters") -> str:
    return total.complaint(used, reader="brat", path=Path("here")) or ""


def test_a_loss_that_a_convention_explains_is_refused_with_the_way_out():
    assert complaint(fits((1000, {"characters": 980, "utf16": 1000}))) == (
        "expected the words of each mention at its positions, got other words for 20 of 1000 mentions; "
        "they seem to count UTF-16 code units, as JavaScript, Java and C# do: try brat[positions=utf16]:here, which finds 1000"
    )


def test_a_loss_that_no_convention_explains_names_the_option_for_mentions_that_lie_beside_their_words():
    total = fits((10, {}))
    assert complaint(total).endswith("edited after it was annotated? If each is off by a few characters, try brat[offsets=nearby]:here")
    assert (total.complaint(reader="brat", path=Path("here"), nearby=True) or "").endswith("edited after it was annotated?")


def test_files_that_count_differently_are_read_each_in_its_way():
    total = fits((10, {"characters": 10}), (10, {"bom": 10}))
    assert total.best() == AUTO
    assert "try brat[positions=auto]:here, which finds 20" in complaint(total)


def test_one_convention_is_proposed_where_it_fits_as_well_as_each_files_own():
    assert fits((10, {"characters": 10, "bom": 10}), (10, {"bom": 10})).best() == "bom"


def test_a_heavy_loss_that_nothing_explains_is_refused():
    assert "got other words for 2 of 10 mentions; no known way to count positions finds half" in complaint(fits((10, {"characters": 8})))


@pytest.mark.parametrize(
    ("mentions", "numbers"),
    [
        (1000, {"characters": 998, "bom": 1000}),  # 2 of thousands
        (1000, {"characters": 950, "bom": 960}),  # nothing explains half of the loss, and it is small
        (3, {"characters": 2}),  # one slip
        (0, {}),
        (5, {"characters": 5}),
    ],
)
def test_a_few_lost_mentions_are_no_reason(mentions: int, numbers: dict[str, int]):
    assert complaint(fits((mentions, numbers))) == ""


def test_the_only_mention_is_never_lost_in_silence():
    assert "got other words for 1 of 1 mentions" in complaint(fits((1, {})))


def test_a_wrong_choice_is_told_from_the_right_one():
    total = fits((10, {"characters": 10, "utf16": 3}))
    assert complaint(total) == ""
    assert "try brat[positions=characters]:here, which finds 10" in complaint(total, "utf16")
