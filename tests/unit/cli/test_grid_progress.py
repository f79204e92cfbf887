"""What is shown while a grid is computed."""

from __future__ import annotations

import pytest

from relsift.cli.grid_progress import spoken


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "0 s"), (40, "40 s"), (89, "89 s"), (90, "2 min"), (720, "12 min"), (89 * 60, "89 min"), (90 * 60, "1 h 30 min"),
        (12_000, "3 h 20 min"), (36_000, "10 h 0 min"),
    ],
)  # fmt: skip
def test_times_are_written_as_one_would_say_them(seconds, text):
    assert spoken(seconds) == text
