"""Whoever waits for a turn takes a thread from all others, so that few may."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from layerloom.api.refusals import Refusal
from layerloom.api.routes import graphs
from layerloom.api.turns import RETRY_S, Turns
from layerloom.graph import confirming
from layerloom.schema.problems import ProblemCode
from unit.api.test_confirm import IN_PLACE
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


def test_a_question_that_its_client_gave_up_leaves_its_place(
    user: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As those of somebody who draws on: of three times as many as have room none takes it from the last one."""
    may_end, looked_at = threading.Event(), []

    def confirmed(document: Any) -> list[Any]:
        looked_at.append(document.name)
        assert may_end.wait(240)
        return []

    def ask(name: str, patience: float = 240) -> int:
        return user.post("/api/graphs/confirm", json={**IN_PLACE, "name": name}, timeout=patience).status_code

    def places() -> int:
        return turns._here._value

    turns = Turns(1, 2, ProblemCode.SERVICE_BUSY, "Try again.")
    monkeypatch.setattr(graphs, "_CONFIRMED", turns)
    monkeypatch.setattr(confirming, "confirmed", confirmed)
    with ThreadPoolExecutor(2) as threads:
        try:
            first = threads.submit(ask, "first")
            wait_for(lambda: looked_at, "the first question to be looked at")
            for number in range(6):
                with pytest.raises(httpx.ReadTimeout):
                    ask(f"given up {number}", patience=0.3)
                wait_for(lambda: places() == 2, "the place to be free")
            last = threads.submit(ask, "last")
            wait_for(lambda: places() == 1, "the last question to wait")
        finally:
            may_end.set()
        assert (first.result(), last.result()) == (200, 200)
    assert looked_at == ["first", "last"]
