"""Every kind of statistics keeps to its part of the budget, and the dearest is the first to be given up."""

from __future__ import annotations

import pytest

from layerloom.training.budget import Kind, Scheduler


def scheduler(*periods: float, budget: float = 0.02, grant: float = 0.0) -> Scheduler:
    """Kinds ``a``, ``b``, … of these shortest periods."""
    return Scheduler([Kind(name, period, grant) for name, period in zip("abcd", periods, strict=False)], budget, 0.0)


def simulate(plan: Scheduler, costs: dict[str, float], seconds: float = 300.0, step: float = 0.02) -> dict[str, int]:
    """Train in steps of one length; samples of each kind after the first ten seconds."""
    taken = dict.fromkeys(costs, 0)
    plan.pace(step)
    now = 0.0
    while now < seconds:
        for name in plan.due(now):
            plan.pay(name, costs[name], now)
            taken[name] += now >= 10
        now += step
    return taken


def share(taken: dict[str, int], costs: dict[str, float], seconds: float = 290.0) -> float:
    return sum(taken[name] * cost for name, cost in costs.items()) / seconds


def test_what_is_cheap_is_sampled_as_often_as_it_may() -> None:
    costs = {"a": 1e-4, "b": 1e-3}
    taken = simulate(scheduler(0.1, 0.5), costs)
    assert taken["a"] == pytest.approx(2_900, rel=0.02)
    assert taken["b"] == pytest.approx(580, rel=0.02)


@pytest.mark.parametrize(
    "costs",
    [
        {"a": 60e-6, "b": 300e-6, "c": 800e-6, "d": 2e-3},
        {"a": 500e-6, "b": 3e-3, "c": 5e-3, "d": 12e-3},
        {"a": 3e-3, "b": 10e-3, "c": 20e-3, "d": 50e-3},
        {"a": 3e-3, "b": 10e-3, "c": 0.3, "d": 5.0},
    ],
    ids=["10", "60", "500", "huge"],
)
def test_all_together_keep_to_the_budget(costs: dict[str, float]) -> None:
    plan = scheduler(0.1, 0.5, 2.0, 2.0)
    taken = simulate(plan, costs)
    assert share(taken, costs) <= 0.0205
    assert share(taken, costs) >= 0.9 * min(0.02, sum(costs[n] / k.period for n, k in plan.kinds.items()))


def test_the_dearest_becomes_rare_first_and_is_shed_first() -> None:
    plan = scheduler(0.1, 0.5, 2.0)
    taken = simulate(plan, {"a": 1e-3, "b": 8e-3, "c": 40e-3})
    assert taken["a"] == pytest.approx(2_900, rel=0.05)
    assert taken["c"] >= 27  # at least every ten seconds
    assert [plan.kinds[name].slowed for name in "abc"] == [False, True, True]
    plan = scheduler(0.1, 0.5, 2.0)
    taken = simulate(plan, {"a": 1e-3, "b": 0.11, "c": 2.0})
    assert [plan.kinds[name].shed for name in "abc"] == [False, False, True]
    assert taken["b"] >= 25
    assert taken["c"] <= 1


def test_what_was_shed_in_a_busy_moment_is_tried_again() -> None:
    plan = scheduler(0.1, 2.0)
    plan.pay("a", 1e-3, 0.0)
    plan.pay("b", 0.5, 0.0)
    plan.pay("b", 3.0, 1.0)
    assert plan.kinds["b"].shed
    taken = simulate(plan, {"a": 1e-3, "b": 1e-3}, seconds=6_000, step=1.0)
    assert not plan.kinds["b"].shed
    assert taken["b"] > 100


def test_what_is_paid_late_is_waited_for() -> None:
    plan = scheduler(0.1)
    plan.pay("a", 1e-3, 0.0)
    plan.pay("a", 1e-3, 1.0)
    before = plan.kinds["a"].due
    plan.owe("a", 2e-3, 1.0)
    assert plan.kinds["a"].due > before


def test_the_grant_shows_something_in_short_epochs_and_is_spent_once() -> None:
    plan = scheduler(0.1, grant=0.055)
    taken = 0
    for epoch in range(100):
        for name in plan.due(epoch * 1e-3, shown=True):
            plan.pay(name, 0.01, epoch * 1e-3)
            taken += 1
    assert taken == 5


def test_a_report_tells_what_was_spent_since_the_last_one_and_how_often() -> None:
    plan = scheduler(0.5)
    assert plan.report(0.0) == (0.0, {"a": 0.0})
    simulate(plan, {"a": 1e-3}, seconds=10)
    spent, rates = plan.report(10.0)
    assert spent == pytest.approx(0.002, rel=0.05)
    assert rates["a"] == pytest.approx(2.0, rel=0.05)
    spent, rates = plan.report(20.0)
    assert spent == 0
    assert rates["a"] == pytest.approx(0.1, rel=0.1)
