"""The learning rate finder: a curve, a rate that trains well, and nothing changed."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from layerloom.training import RateCurve, TrainingError, find_rate
from layerloom.training.rates import WORSE
from unit.training.support import Set, classes, fit, net, numbers, plan


def found(module: nn.Module | None = None, **settings: Any) -> RateCurve:
    return find_rate(module or net(), plan(**settings), classes(), task="classification", classes=3)


@pytest.mark.parametrize("optimizer", ["AdamW", "SGD"])
def test_the_suggestion_trains_better_than_rates_far_from_it(optimizer: str, tmp_path: Path) -> None:
    choice = {"name": f"torch.optim.{optimizer}"}
    curve = found(optimizer=choice)
    assert curve.suggestion is not None
    assert curve.suggestion in curve.rates
    finals = []
    for factor in (1.0, 0.01):
        rate = {**choice, "arguments": {"lr": factor * curve.suggestion}}
        seen = fit(net(), plan(epochs=4, optimizer=rate), tmp_path / str(factor))
        finals.append(list(seen.series("validation/loss").values())[-1])
    assert finals[0] < finals[1]  # type: ignore[operator]


def test_nothing_changes_and_the_curve_is_the_same_again() -> None:
    module = net()
    module.head.bias.requires_grad_(False)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    states = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    groups = [{"pattern": "body.0.*", "frozen": True}]
    curve = found(module, groups=groups)
    assert torch.equal(torch.get_rng_state(), states[0])
    assert random.getstate() == states[1]
    assert np.array_equal(np.random.get_state()[1], states[2])  # type: ignore[index,arg-type]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.training
    assert all(parameter.grad is None for parameter in module.parameters())
    assert [name for name, value in module.named_parameters() if not value.requires_grad] == ["head.bias"]
    torch.rand(7)
    assert found(module, groups=groups) == curve


def test_rates_rise_evenly_until_the_loss_is_much_worse() -> None:
    curve = find_rate(
        net(),
        plan(optimizer={"name": "torch.optim.SGD"}),
        classes(),
        task="classification",
        low=1e-3,
        high=1e6,
        steps=60,
    )
    assert len(curve.rates) == len(curve.losses) == len(curve.smoothed) < 60
    assert curve.rates[0] == 1e-3
    assert np.diff(np.log(curve.rates)) == pytest.approx(np.log(1e9) / 59)
    assert all(value <= WORSE * min(curve.smoothed) for value in curve.smoothed[:-1])


@pytest.mark.parametrize("curvature", [0.2, 2.0, 20.0])
def test_on_a_parabola_the_losses_are_the_formula_s_and_the_suggestion_lies_by_the_best_rate(curvature: float) -> None:
    """Of (λ/2)w² the gradient is λw: a step multiplies the loss by (1 − ηλ)². The best rate is 1/λ; 2/λ diverges."""

    class Parabola(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.w = nn.Parameter(torch.ones(1))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x * self.w

    side = (curvature / 2) ** 0.5
    data = Set({"x": torch.tensor([[side], [-side]]).repeat(16, 1)}, torch.zeros(32, 1))
    settings = plan(optimizer={"name": "torch.optim.SGD"}, loss={"name": "torch.nn.MSELoss"})
    curve = find_rate(Parabola(), settings, data, task="regression")
    factors = [(1 - rate * curvature) ** 2 for rate in curve.rates[:-1]]
    expected = curvature / 2 * np.cumprod([1.0, *factors])
    before = sum(rate < 1.5 / curvature for rate in curve.rates)
    assert before > 60
    assert curve.losses[:before] == pytest.approx(expected[:before], rel=1e-3, abs=1e-6 * curvature)
    assert curve.suggestion is not None
    assert 0.1 < curve.suggestion * curvature < 1.0


def test_a_batch_in_parts_gives_the_curve_of_the_whole_batch() -> None:
    class Linear(nn.Linear):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return super().forward(x)

    module = Linear(6, 3)
    curves: list[RateCurve] = []
    whole = find_rate(module, plan(), classes(), task="classification", classes=3, watch=curves.append)
    parts = find_rate(module, plan(accumulation=4), classes(), task="classification", classes=3)
    assert parts.losses == pytest.approx(whole.losses, rel=1e-3)
    assert [len(curve.losses) for curve in curves] == list(range(1, len(whole.losses) + 1))


def test_groups_keep_their_ratios_and_a_loss_that_does_not_fall_suggests_nothing() -> None:
    groups = [{"pattern": "*", "factor": 0.0}]
    curve = found(groups=groups)
    assert curve.suggestion is None
    assert len(curve.rates) == 100


def test_the_plan_is_held_against_the_data() -> None:
    with pytest.raises(TrainingError, match="gives 3 for each sample"):
        find_rate(net(), plan(), numbers(), task="regression")
    with pytest.raises(ValueError, match="rise"):
        find_rate(net(), plan(), classes(), task="classification", low=1.0, high=0.1)
