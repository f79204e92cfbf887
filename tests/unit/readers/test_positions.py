"""Positions of other programs are mapped to code points; the right values are what those programs' own codecs say."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.readers.positions import CONVENTIONS, Positions, begins_with_mark, fits

TEXT = "é\r\n\U0001f600b\n"  # lengths in UTF-8: 2 1 1 4 1 1; in UTF-16: 1 1 1 2 1 1


@pytest.mark.parametrize(
    ("convention", "has_mark", "positions"),
    [
        ("characters", True, [0, 1, 2, 3, 4, 5, 6]),
        ("bom", True, [1, 2, 3, 4, 5, 6, 7]),
        ("bom", False, [0, 1, 2, 3, 4, 5, 6]),
        ("utf16", False, [0, 1, 2, 3, 5, 6, 7]),
        ("bytes", False, [0, 2, 3, 4, 8, 9, 10]),
        ("bytes+bom", True, [3, 5, 6, 7, 11, 12, 13]),
        ("crlf-as-one", False, [0, 1, 1, 2, 3, 4, 5]),
        ("lf-as-two", False, [0, 1, 2, 3, 4, 5, 7]),  # the CR LF already counts two
        ("utf16+crlf-as-one+bom", True, [1, 2, 2, 3, 5, 6, 7]),
    ],
)
def test_each_convention_counts_as_its_programs_do(convention: str, has_mark: bool, positions: list[int]):
    counted = Positions(TEXT, convention, has_mark=has_mark)
    for offset, position in enumerate(positions):
        assert counted.offset(position) == positions.index(position) if offset else True
    assert counted.offset(positions[-1] + 1) is None
    assert counted.offset(-1) is None


def test_a_position_inside_a_character_is_none():
    assert Positions("\U0001f600", "utf16").offset(1) is None
    assert [Positions("é", "bytes").offset(number) for number in range(3)] == [0, None, 1]
    assert Positions("a", "bom", has_mark=True).offset(0) is None


def test_a_convention_that_does_not_exist_is_refused():
    with pytest.raises(KeyError):
        Positions("a", "furlongs")


@given(st.text(st.sampled_from(list("aé汉\U0001f600\r\n")), max_size=30), st.integers(0, 30))
def test_units_are_those_of_the_codecs(text: str, offset: int):
    before = text[:offset]
    for convention, size in (
        ("bytes", len(before.encode())),
        ("utf16", len(before.encode("utf-16-le")) // 2),
        ("crlf-as-one", len(before.replace("\r\n", "\n"))),
        ("lf-as-two", len(before.replace("\r\n", "\n").replace("\n", "\r\n"))),
    ):
        if not (before.endswith("\r") and text[offset : offset + 1] == "\n"):  # no program points between CR and LF
            found = Positions(text, convention).offset(size)
            assert found is not None
            assert text[:found].rstrip("\r") == before.rstrip("\r") if convention == "crlf-as-one" else found == len(before)


def test_what_fits_is_counted_for_every_convention():
    numbers = fits("\U0001f600ab", lambda positions: int(positions.offset(3) == 2))
    assert {name for name, number in numbers.items() if number} == {name for name in CONVENTIONS if name.startswith("utf16")}


@pytest.mark.parametrize(("data", "expected"), [(b"\xef\xbb\xbfa", True), (b"\xff\xfea\0", True), (b"a", False), (b"", False)])
def test_a_byte_order_mark_is_seen(data: bytes, expected: bool, tmp_path: Path):
    file = tmp_path / "a.txt"
    file.write_bytes(data)
    assert begins_with_mark(file) is expected
