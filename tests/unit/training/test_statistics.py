"""Norms and histograms are right, and arrive in every epoch of a small model."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from torch import nn

from layerloom.schema.plan import Statistics
from layerloom.training import TrainingError
from layerloom.training.distributions import BINS, distribution
from layerloom.training.statistics import Sampler
from unit.training.support import Seen, fit, net, plan


def test_every_epoch_of_a_small_model_has_statistics(tmp_path: Path) -> None:
    seen = fit(net(), plan(epochs=10), tmp_path)
    steps = {event.step for event in seen.of("statistics")}
    assert {1, *range(8, 81, 8)} <= steps
    assert seen.of("histograms")[0].step == 1


def test_norms_are_those_of_torch(tmp_path: Path) -> None:
    module = net()
    before = {name: value.detach().clone() for name, value in module.named_parameters()}
    sgd = {"name": "torch.optim.SGD", "arguments": {"lr": 0.5}}
    seen = fit(module, plan(steps=1, optimizer=sgd), tmp_path)
    event = seen.of("statistics")[0]
    assert event.names == list(before)
    for index, (name, value) in enumerate(module.named_parameters()):
        update = (before[name] - value).norm().item()
        assert event.weight_norm[index] == pytest.approx(value.norm().item(), rel=1e-5)
        assert event.update_norm[index] == pytest.approx(update, rel=1e-4, abs=1e-7)
        assert event.gradient_norm[index] == pytest.approx(update / 0.5, rel=1e-4, abs=1e-6)


def test_histograms_count_every_value_of_a_small_tensor(tmp_path: Path) -> None:
    seen = fit(net(), plan(), tmp_path)
    items = seen.of("histograms")[0].items
    sizes = {name: value.numel() for name, value in net().named_parameters()}
    assert {(item.name, item.of) for item in items} == {(name, of) for name in sizes for of in ("weight", "gradient")}
    for item in items:
        assert len(item.edges) == len(item.counts) + 1 == BINS + 1
        assert item.edges == sorted(item.edges)
        assert sum(item.counts) == sizes[item.name]


def test_distribution_agrees_with_histc() -> None:
    torch.manual_seed(0)
    tensors = [torch.randn(40, 30), torch.rand(7) * 5, torch.zeros(9), torch.full((1,), 3.0)]
    edges, counts = distribution(tensors)
    for tensor, (low, high), row in zip(tensors, edges.tolist(), counts, strict=True):
        assert low <= tensor.min().item() <= tensor.max().item() <= high
        expected = torch.histc(tensor, BINS, low, high)
        assert int(row.sum()) == tensor.numel()
        # A value on a border may fall to either side.
        assert (row - expected).abs().sum() <= 4


def test_distribution_leaves_out_what_is_not_finite() -> None:
    _edges, counts = distribution(
        [torch.tensor([1.0, float("nan"), 2.0, float("inf")]), torch.full((3,), float("nan"))]
    )
    assert counts.sum(1).tolist() == [2, 0]


def test_a_large_tensor_is_sampled() -> None:
    _edges, counts = distribution([torch.randn(1_000_000)])
    assert counts.sum().item() == 2_048


def test_parameters_without_gradient_have_none(tmp_path: Path) -> None:
    class Half(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.unused = nn.Linear(6, 3), nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.used(x)

    seen: Seen = fit(Half(), plan(), tmp_path)
    event = seen.of("statistics")[0]
    gradients = dict(zip(event.names, event.gradient_norm, strict=True))
    assert gradients["unused.weight"] is None
    assert gradients["used.weight"] is not None
    assert {item.name for item in seen.of("histograms")[0].items if item.of == "gradient"} == {
        "used.weight",
        "used.bias",
    }


def test_norms_that_are_not_finite_are_marked(tmp_path: Path) -> None:
    module = net()
    with torch.no_grad():
        module.head.bias[0] = math.inf
    seen = Seen(None, [])
    with pytest.raises(TrainingError):
        fit(module, plan(steps=1), tmp_path, seen=seen)
    event = seen.of("statistics")[0]
    place = event.names.index("head.bias")
    assert event.weight_norm[place] is None
    assert "head.bias" in event.nonfinite["weight"]
    assert event.nonfinite["gradient"]
    healthy = fit(net(), plan(steps=1), tmp_path / "healthy")
    assert healthy.of("statistics")[0].nonfinite == {}


def test_a_quiet_sampler_never_looks_again() -> None:
    sampler = Sampler(net(), Statistics(norms=False, histograms=False, activations=False))
    assert not sampler.arm(0.0)
    assert sampler.next_look == float("inf")


def test_what_it_costs_is_told_at_the_end(tmp_path: Path) -> None:
    told = fit(net(), plan(), tmp_path).of("sampling")[-1]
    assert told.step == 24
    assert told.budget == 0.02
    assert set(told.rates) == {"norms", "activations", "histograms"}
    assert all(rate > 0 for rate in told.rates.values())
