"""Whoever waits for a turn takes a thread from all others, so that few may."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from layerloom.api.refusals import Refusal
from layerloom.api.turns import RETRY_S, Turns
from layerloom.schema.problems import ProblemCode
from waiting import wait_for


def test_one_works_one_waits_and_the_rest_is_refused() -> None:
    turns = Turns(1, 1, ProblemCode.SERVICE_BUSY, "Try again.")
    done = threading.Event()

    def work() -> None:
        with turns.taken():
            assert done.wait(240)

    with ThreadPoolExecutor(5) as threads:
        asked = [threads.submit(work) for _ in range(5)]
        try:
            wait_for(lambda: sum(one.done() for one in asked) == 3, "three refusals")
        finally:
            done.set()
    failed = [one.exception() for one in asked]
    assert failed.count(None) == 2
    for refusal in filter(None, failed):
        assert isinstance(refusal, Refusal)
        assert (refusal.status_code, refusal.code) == (503, ProblemCode.SERVICE_BUSY)
        assert refusal.headers == {"Retry-After": str(RETRY_S)}
    with turns.taken():
        pass  # none stays taken


def test_a_turn_that_fails_is_given_back() -> None:
    turns = Turns(1, 0, ProblemCode.SERVICE_BUSY, "Try again.")
    for _ in range(2):
        with pytest.raises(RuntimeError), turns.taken():
            raise RuntimeError
