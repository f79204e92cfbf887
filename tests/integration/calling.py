"""Commands called as a user calls them, in this process, and what an error has to look like."""

from __future__ import annotations

import pytest

from relsift.cli.main import main


def relsift(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output, standard error of one command."""
    capsys.readouterr()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["relsift", *map(str, arguments)])
        try:
            main()
            status = 0
        except SystemExit as stop:
            status = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
    out, err = capsys.readouterr()
    return status, out, err


def assert_one_clear_line(status: int, err: str, *parts: str) -> None:
    assert status == 2, err
    lines = [line for line in err.splitlines() if line.startswith("relsift: error: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    for part in parts:
        assert part in lines[0], lines[0]
