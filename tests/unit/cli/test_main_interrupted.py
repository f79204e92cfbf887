"""Ctrl-C at a moment when a library swallows it."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from relsift.cli import main as entry


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("is_interrupted", [True, False])
def test_an_import_that_an_interruption_broke_is_an_interruption_and_any_other_failure_is_not(is_interrupted, monkeypatch, capsys):
    def half_imported(**_: Any) -> None:
        if is_interrupted:
            with pytest.raises(KeyboardInterrupt):  # as extension modules catch it, and go on
                signal.raise_signal(signal.SIGINT)
        raise ImportError("cannot load module more than once per process")

    monkeypatch.setattr(entry, "app", half_imported)
    with pytest.raises(SystemExit if is_interrupted else ImportError) as end:
        entry.main()
    assert not is_interrupted or end.value.code == entry.INTERRUPTED
