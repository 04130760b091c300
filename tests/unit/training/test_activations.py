"""Moments and dead units of layers are those of torch, and the hooks are there for the sampled step only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from layerloom.training.activations import Watch, activations_event
from unit.training.support import Seen, classes, fit, net, plan


def look(module: nn.Module, x: Tensor) -> tuple[Any, dict[str, Tensor]]:
    """The event of one pass, and what each layer gave."""
    outputs: dict[str, Tensor] = {}
    for name, layer in module.named_modules():
        layer.register_forward_hook(lambda _layer, _in, out, name=name: outputs.setdefault(name, out.detach().clone()))
    watch = Watch(module)
    watch.attach()
    module(x)
    return activations_event(1, watch.detach()), outputs


def test_moments_of_small_outputs_are_exact() -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    with torch.no_grad():
        module[0].weight[2] = 0
        module[0].bias[2] = -1
    event, outputs = look(module, torch.randn(16, 6) + 100)
    assert event.names == ["0", "1", "2"]
    for name, mean, std, zeros in zip(event.names, event.mean, event.std, event.zeros, strict=True):
        assert mean == pytest.approx(outputs[name].mean().item(), rel=1e-5)
        assert std == pytest.approx(outputs[name].std(correction=0).item(), rel=1e-5)
        assert zeros == pytest.approx((outputs[name] == 0).float().mean().item())
    assert event.units == [8, 8, 3]
    assert event.dead == [0, int((outputs["1"] == 0).all(0).sum()), 0]
    assert event.dead[1] >= 1


def test_units_are_the_channels_of_whatever_shape() -> None:
    torch.manual_seed(0)
    convolutions = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(2), nn.Conv1d(5, 7, 1), nn.ReLU())
    event, _ = look(convolutions, torch.randn(4, 3, 9, 9))
    assert event.units == [5, 5, 49, 7, 7]
    sequence = nn.Sequential(nn.Linear(6, 9), nn.GELU(), nn.LayerNorm(9))
    assert look(sequence, torch.randn(4, 11, 6))[0].units == [9, 9, 9]


def test_a_large_output_is_sampled_in_every_unit() -> None:
    module = nn.Sequential(nn.Conv2d(3, 16, 3, padding=1), nn.ReLU())
    event, outputs = look(module, torch.randn(64, 3, 32, 32))
    assert event.units == [16, 16]
    assert event.std[0] == pytest.approx(outputs["0"].std().item(), rel=0.1)
    assert event.dead == [0, 0]


def test_what_is_not_finite_is_marked() -> None:
    module = nn.Sequential(nn.Identity(), nn.Tanh())
    event, _ = look(module, torch.tensor([[1.0, torch.inf], [2.0, 3.0]]))
    assert event.nonfinite == ["0"]
    assert event.mean[0] is None
    assert event.std[0] is None
    assert event.mean[1] is not None


def test_a_layer_that_runs_twice_is_seen_once_and_others_may_work_in_place(tmp_path: Path) -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.shared, self.relu, self.out = nn.Linear(6, 6), nn.ReLU(inplace=True), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.out(self.relu(self.shared(self.shared(x))))

    module = Twice()
    event = fit(module, plan(), tmp_path).of("activations")[0]
    assert event.names == ["shared", "relu", "out"]
    assert event.zeros[0] == 0 < event.zeros[1]


def test_hooks_are_there_for_the_sampled_step_only(tmp_path: Path) -> None:
    module = net()
    hooked: list[int] = []
    module.register_forward_hook(lambda layer, _in, _out: hooked.append(len(layer.head._forward_hooks)))
    settings = {"features": False, "attention": False}
    seen = fit(module, plan(epochs=4, statistics=settings), tmp_path)
    assert {0, 1} == set(hooked)
    assert sum(hooked) == len(seen.of("activations"))
    assert not any(layer._forward_hooks for layer in module.children())


def test_a_step_that_fails_leaves_no_hook(tmp_path: Path) -> None:
    module = net()

    def fail(layer: nn.Module, _in: object, _out: object) -> None:
        if layer.training:
            raise ArithmeticError

    module.register_forward_hook(fail)
    with pytest.raises(ArithmeticError):
        fit(module, plan(), tmp_path, seen=Seen(None, []))
    assert not module.head._forward_hooks


@pytest.mark.parametrize(
    "settings", [{"accumulation": 2}, {"precision": "bf16"}, {"optimizer": {"name": "torch.optim.LBFGS"}}]
)
def test_every_way_to_step_is_seen(tmp_path: Path, settings: dict[str, Any]) -> None:
    seen = fit(net(), plan(steps=2, **settings), tmp_path, data=classes(32))
    assert seen.of("activations")[0].names == ["body.0", "body.1", "body.2", "body.3", "head"]
