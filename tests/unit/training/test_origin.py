"""A loss that is no longer finite is traced to the layer that made it so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from layerloom.schema.plan import Plan
from layerloom.training import Control, TrainingError
from layerloom.training.origin import Origin, OriginMode
from unit.training.support import Net, Seen, Set, classes, fit, net, plan


class Blocks(nn.Module):
    """Three blocks with dropout, the last of which goes wrong in the training step ``at``, counted in a buffer."""

    def __init__(self, third: nn.Module) -> None:
        super().__init__()
        self.first = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.2))
        self.second = nn.Sequential(nn.Linear(16, 16), nn.BatchNorm1d(16), nn.ReLU())
        self.third = third
        self.head = nn.Linear(16, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.third(self.second(self.first(x))))


class Third(nn.Module):
    """``go_wrong`` at one training step."""

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.register_buffer("count", torch.zeros((), dtype=torch.int64))
        self.fc = nn.Linear(16, 16)

    def forward(self, x: Tensor) -> Tensor:
        self.count += self.training
        x = self.fc(x)
        return self.go_wrong(x) if self.training and self.count == self.at else x

    def go_wrong(self, x: Tensor) -> Tensor:
        raise AssertionError


class Dividing(Third):
    def go_wrong(self, x: Tensor) -> Tensor:
        return x / (x - x)


class Rooting(Third):
    """Finite forward, infinite gradient: the root's slope at zero."""

    def go_wrong(self, x: Tensor) -> Tensor:
        return x + (x - x).square().sqrt()


class Masking(Third):
    """Attention over a mask of infinities, which are meant; the division after it is not."""

    def forward(self, x: Tensor) -> Tensor:
        scores = x.masked_fill(torch.eye(*x.shape, dtype=torch.bool), -torch.inf)
        return super().forward(scores.softmax(1))

    def go_wrong(self, x: Tensor) -> Tensor:
        return x.log()


def diverged(module: nn.Module, folder: Path, settings: Plan | None = None, **given: Any) -> tuple[TrainingError, Seen]:
    seen = Seen(None, [])
    torch.manual_seed(0)
    with pytest.raises(TrainingError) as caught:
        fit(module, settings or plan(epochs=20), folder, seen=seen, **given)
    assert caught.value.problem.code == "diverged"
    return caught.value, seen


def traced(error: TrainingError) -> Origin:
    assert error.origin is not None, error.problem.message
    return error.origin


@pytest.mark.parametrize("step", [1, 5, 30])
def test_a_division_by_zero_is_named_with_its_layer(step: int, tmp_path: Path) -> None:
    torch.manual_seed(0)
    error, seen = diverged(Blocks(Dividing(step)), tmp_path)
    origin = traced(error)
    assert (origin.layer, origin.kind, origin.value) == ("third", "Dividing", "infinity")
    assert "div" in origin.function
    assert error.problem.data["step"] == error.problem.data["began"] == step
    assert f"Step {step} is done again" in seen.of("log")[-1].message
    assert len(seen.series("train/loss")) == step or step < max(seen.series("train/loss"))
    assert seen.of("progress")[-1].step == max(seen.series("train/loss")), "what a failed run shows beside its curves"


def test_an_infinite_gradient_of_a_finite_forward_is_named(tmp_path: Path) -> None:
    torch.manual_seed(0)
    error, _ = diverged(Blocks(Rooting(9)), tmp_path)
    origin = traced(error)
    assert origin.backward
    assert (origin.layer, error.problem.data["began"]) == ("third", 9)
    assert "sqrt" in origin.function or "square" in origin.function


def test_an_infinity_that_is_meant_is_not_blamed(tmp_path: Path) -> None:
    torch.manual_seed(0)
    error, _ = diverged(Blocks(Masking(3)), tmp_path)
    origin = traced(error)
    assert origin.layer == "third"
    assert "log" in origin.function


def test_data_that_are_not_finite_are_named_as_such(tmp_path: Path) -> None:
    data = classes()
    data.inputs["x"][50, 2] = torch.nan
    error, _ = diverged(net(), tmp_path, data=Set(data.inputs, data.targets))
    origin = traced(error)
    assert (origin.given, origin.layer) == ("the batch", "body.0")


def test_steps_that_are_too_large_are_named_with_the_weights_that_grew(tmp_path: Path) -> None:
    settings = plan(epochs=20, optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 1e30}})
    error, _ = diverged(net(), tmp_path, settings)
    origin = traced(error)
    assert origin.layer in ("body.0", "body.1", "head")
    assert origin.weight > 1e20
    assert "weights have grown to" in error.problem.message


def test_an_update_that_overflows_is_named_with_its_weight(tmp_path: Path) -> None:
    settings = plan(epochs=20, optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 1e38, "momentum": 0.9}})
    error, _ = diverged(net(), tmp_path, settings)
    assert traced(error).layer is not None


def test_a_resumed_run_is_replayed_from_its_checkpoint(tmp_path: Path) -> None:
    torch.manual_seed(0)
    first = fit(Blocks(Dividing(30)), plan(epochs=3), tmp_path)
    path = first.of("checkpoint")[-1].path
    error, seen = diverged(Blocks(Dividing(30)), tmp_path, plan(epochs=20), attempt=2, resume=path)
    assert traced(error).layer == "third"
    assert error.problem.data["step"] == 30
    assert "from step 24 on" in seen.of("log")[-1].message


def test_what_cannot_be_traced_is_told_as_it_was(tmp_path: Path) -> None:
    module = net()
    control = Control()

    def leave(*_: Any) -> None:
        control.desired = "stop"

    module.head.register_full_backward_hook(leave)
    settings = plan(epochs=20, optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 1e30}})
    seen = Seen(None, [])
    with pytest.raises(TrainingError) as caught:
        fit(module, settings, tmp_path, control=control, seen=seen, data=nan_data())
    assert caught.value.origin is None
    assert "done again" not in seen.of("log")[-1].message


def nan_data() -> Set:
    data = classes()
    data.inputs["x"][:] = torch.nan
    return data


def test_watching_changes_no_number() -> None:
    module = Net()
    x = torch.randn(8, 6)
    torch.manual_seed(1)
    plain = module(x).sum()
    torch.manual_seed(1)
    with OriginMode(module) as watched:
        seen = module(x).sum()
    assert torch.equal(plain, seen)
    assert watched.found is None
    assert all(
        torch.equal(one, other)
        for one, other in zip(
            torch.autograd.grad(plain, [*module.parameters()]),
            torch.autograd.grad(seen, [*module.parameters()]),
            strict=True,
        )
    )
