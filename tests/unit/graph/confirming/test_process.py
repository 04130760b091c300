"""Confirming in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from layerloom.graph.confirming import confirm, confirmed
from layerloom.graph.examples import examples
from layerloom.graph.sandbox import Limits, Warm
from unit.graph.checking.drawing import parsed
from unit.graph.confirming.test_confirm import BAD


@pytest.fixture(scope="module")
def process() -> Iterator[Warm]:
    made = Warm(limits=Limits(wall_s=60))
    yield made
    made.close()


def test_the_answer_is_that_of_the_function(process: Warm) -> None:
    for name in ("a layer in place behind a sigmoid", "a vocabulary that is moved beyond an embedding"):
        document = parsed(BAD[name][0])
        assert confirmed(document, process) == confirm(document)
    assert confirmed(examples()[0].document, process) == []


def test_what_takes_too_long_is_not_confirmed() -> None:
    hurried = Warm(limits=Limits(wall_s=0.05))
    try:
        (problem,) = confirmed(examples()[0].document, hurried)
    finally:
        hurried.close()
    assert (problem.code, problem.severity) == ("not_confirmed", "warning")
    assert "seconds" in problem.message
