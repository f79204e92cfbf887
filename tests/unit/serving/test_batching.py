"""Which requests are scored together, and when: with a clock that the test sets."""

from __future__ import annotations

import threading
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relsift.serving.batching import ScoringThread, Waiting

WORKS = st.lists(st.integers(0, 50), min_size=1, max_size=30)


def filled(works, *, most_work=100, most_wait=0.5, now=0.0) -> Waiting[int]:
    waiting = Waiting[int](most_work, most_wait)
    for number, work in enumerate(works):
        waiting.add(number, work=work, now=now)
    return waiting


@given(WORKS, st.integers(0, 60))
def test_every_job_is_in_one_batch_in_order_and_no_batch_is_larger_than_allowed(works, most):
    waiting = filled(works, most_work=most)
    batches = []
    while waiting:
        batches.append(waiting.take())
    assert [job for batch in batches for job in batch] == list(range(len(works)))
    assert all(sum(works[job] for job in batch) <= most or len(batch) == 1 for batch in batches)
    assert waiting.work == 0
    for batch, following in pairwise(batches):  # no job is left for later without need
        assert sum(works[job] for job in batch) + works[following[0]] > most


def test_a_lone_request_waits_for_nobody():
    assert filled([10], now=3.0).due() == 3.0


def test_requests_with_company_wait_from_the_first_one_on_and_no_longer():
    waiting = filled([10], now=3.0)
    waiting.add(1, work=10, now=3.4)
    assert waiting.due() == 3.5


def test_a_full_batch_is_due_at_once():
    assert filled([60, 60], now=3.0).due() == 3.0


def test_after_a_batch_of_several_a_lone_request_waits_for_company():
    waiting = filled([10, 10])
    waiting.take()
    assert waiting.due() is None
    waiting.add(2, work=10, now=7.0)
    assert waiting.due() == 7.5
    waiting.take()
    waiting.add(3, work=10, now=9.0)
    assert waiting.due() == 9.0


def test_without_work_for_two_every_request_is_scored_alone():
    waiting = filled([1, 1], most_work=0)
    assert (waiting.take(), waiting.take()) == ([0], [1])


def test_what_comes_while_a_batch_is_scored_is_scored_together_afterwards():
    batches: list[list[int]] = []
    begun, go_on = threading.Event(), threading.Event()

    def run(jobs):
        batches.append(list(jobs))
        begun.set()
        assert go_on.wait(10)

    thread = ScoringThread("test", run, Waiting[int](100, 0.0))
    thread.start()
    thread.submit(0, 1)
    assert begun.wait(10)
    for job in (1, 2, 3):
        thread.submit(job, 1)
    go_on.set()
    assert thread.close(10)
    assert batches == [[0], [1, 2, 3]]


@pytest.mark.parametrize("seconds", [0.0, 3600.0])
def test_closing_runs_what_waits_without_waiting_for_company(seconds):
    batches: list[list[int]] = []
    thread = ScoringThread("test", lambda jobs: batches.append(list(jobs)), filled([1, 1], most_wait=seconds), clock=lambda: 0.0)
    thread.start()
    assert thread.close(10)
    assert batches == [[0, 1]]
    assert not thread.is_alive
