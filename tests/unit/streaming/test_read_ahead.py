"""Reading ahead changes nothing but the time: order, errors and bounds, and no thread that outlives its use."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.streaming.read_ahead import read_ahead


def soon(true: Callable[[], bool]) -> bool:
    """Whether it becomes true before anybody would call the program hung."""
    deadline = time.monotonic() + 10
    while not true() and time.monotonic() < deadline:
        time.sleep(0.001)
    return true()


def readers() -> int:
    return sum(thread.name == "relsift-read-ahead" for thread in threading.enumerate())


@given(st.lists(st.none() | st.integers()), st.integers(1, 4))
def test_gives_the_same_items_in_the_same_order(items: list[int | None], size: int):
    assert list(read_ahead(items, size)) == items


@given(st.integers(0, 5), st.integers(1, 4))
def test_an_error_comes_after_the_items_before_it(before: int, size: int):
    def broken() -> Iterator[int]:
        yield from range(before)
        raise ValueError("line 6")

    got: list[int] = []
    with pytest.raises(ValueError, match="line 6"):
        got.extend(read_ahead(broken(), size))  # extend keeps what came before the error
    assert got == list(range(before))


def test_what_is_no_ordinary_error_ends_the_items_and_does_not_hang(monkeypatch):
    monkeypatch.setattr(threading, "excepthook", lambda _: None)

    def leaving() -> Iterator[int]:
        yield 1
        raise SystemExit

    assert list(read_ahead(leaving(), 2)) == [1]


@given(st.integers(1, 4))
def test_makes_as_many_items_in_advance_as_it_may_and_no_more(size: int):
    produced = 0

    def items() -> Iterator[int]:
        nonlocal produced
        while produced < 20:
            produced += 1
            yield produced

    for taken in read_ahead(items(), size):
        assert soon(lambda: produced == min(20, taken + size))  # noqa: B023
        time.sleep(0)  # would one more be made, it would be now or at the next item
        assert produced <= taken + size


def test_nothing_is_read_before_the_first_item_is_asked_for():
    before = readers()
    items = read_ahead(iter([1]), 1)
    assert readers() == before
    assert next(items) == 1


def test_the_thread_ends_when_the_consumer_stops_early():
    def endless() -> Iterator[int]:
        while True:
            yield 1

    items = read_ahead(endless(), 3)
    next(items)
    items.close()
    assert soon(lambda: readers() == 0)


def test_closing_does_not_wait_for_an_item_that_never_comes():
    never = threading.Event()

    def idle_pipe() -> Iterator[int]:
        yield 1
        never.wait()
        yield 2

    items = read_ahead(idle_pipe(), 3)
    assert next(items) == 1
    items.close()  # would hang here
    assert readers() == 1
    never.set()
    assert soon(lambda: readers() == 0)


INTERRUPTED = """
import signal
from relsift.streaming.read_ahead import read_ahead

class Stop(Exception): ...

def stop(*_):
    raise Stop

signal.signal(signal.SIGALRM, stop)
for number in range(400):
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.0005 + number % 50 * 0.00001)
        for _ in read_ahead(range(100_000), 2):
            pass
    except Stop:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
"""


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no timers")
def test_an_exception_out_of_a_signal_never_leaves_it_waiting_for_itself():
    # In a process of its own: what goes wrong here hangs.
    subprocess.run([sys.executable, "-c", INTERRUPTED], check=True, timeout=60)
