"""The validation loss is the criterion's of the whole part, however the outputs are cut on the way."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from layerloom.training import Control, Task, validation
from layerloom.training.criterion import leaves
from layerloom.training.setup import assemble
from layerloom.training.validation import validate
from unit.training.support import Set, classes, fit, net, numbers, plan

CUTS = [1, 100, 2**20]
"""Numbers in the outputs that are looked at together: a batch, a few, all."""


def losses_of(
    module: nn.Module, loss: dict[str, Any] | None, task: Task, part: Set, monkeypatch: pytest.MonkeyPatch, **more: Any
) -> tuple[list[float], float]:
    """``validation/loss`` for each cut, and the criterion's value of all outputs at once."""
    settings = plan(loss=loss, metrics=[], **more)
    parts = assemble(module, settings, part, part, task, 3, torch.device("cpu"))
    seen = []
    for numbers_at_once in CUTS:
        monkeypatch.setattr(validation, "JOINED_NUMBERS", numbers_at_once)
        values = validate(module, parts, Control())
        assert values is not None
        seen.append(values["validation/loss"])
    with torch.no_grad():
        output = module.eval()(**part.inputs)
    return seen, float(parts.criterion(output, part.targets))


WEIGHTED: list[dict[str, Any]] = [
    {"weight": [0.1, 1.0, 7.0]},
    {"ignore_index": 1},
    {"weight": [0.1, 1.0, 7.0], "ignore_index": 0, "label_smoothing": 0.1},
]


@pytest.mark.parametrize("arguments", WEIGHTED)
def test_a_mean_weighs_parts_by_what_it_divides_by(arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    # In order of class, so that no two parts weigh the same; some parts hold nothing but ignored targets.
    data = classes(150, seed=1)
    order = data.targets.argsort(stable=True)
    part = Set({"x": data.inputs["x"][order]}, data.targets[order])
    loss = {"name": "torch.nn.CrossEntropyLoss", "arguments": arguments}
    seen, whole = losses_of(net(), loss, "classification", part, monkeypatch)
    assert seen == pytest.approx([whole] * len(CUTS), rel=2e-6)


def test_a_network_that_is_always_right_is_weighted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    class Sure(nn.Module):
        """Right without a doubt about class 0, and without an idea of the others."""

        def __init__(self) -> None:
            super().__init__()
            self.scale = nn.Parameter(torch.tensor(1.0))

        def forward(self, x: Tensor) -> Tensor:
            return self.scale * x

    targets = torch.arange(3).repeat_interleave(40)
    logits = torch.zeros(120, 3)
    logits[:40, 0] = 1e4
    loss = {"name": "torch.nn.CrossEntropyLoss", "arguments": {"weight": [9.0, 1.0, 2.0]}}
    seen, whole = losses_of(Sure(), loss, "classification", Set({"x": logits}, targets), monkeypatch)
    assert seen == pytest.approx([whole] * len(CUTS), rel=2e-6)


def test_ignored_tokens_weigh_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    ids = torch.randint(0, 7, (80, 5))
    targets = torch.where(torch.arange(80)[:, None] < torch.tensor([80, 70, 60, 9, 3]), ids, -100)

    class Copy(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.table, self.head = nn.Embedding(7, 8), nn.Linear(8, 7)

        def forward(self, x: Tensor) -> Tensor:
            return self.head(self.table(x))

    seen, whole = losses_of(Copy(), None, "tokens", Set({"x": ids}, targets), monkeypatch)
    assert seen == pytest.approx([whole] * len(CUTS), rel=2e-6)


def test_each_of_several_outputs_has_its_own_divisor(monkeypatch: pytest.MonkeyPatch) -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(6, 1), nn.Linear(6, 1)

        def forward(self, x: Tensor) -> Any:
            return {"one": self.one(x), "two": self.two(x).abs()}

    for name in ("torch.nn.HuberLoss", "torch.nn.GaussianNLLLoss"):
        seen, whole = losses_of(Heads(), {"name": name}, "regression", numbers(110), monkeypatch)
        assert seen == pytest.approx([whole] * len(CUTS), rel=2e-6)


def test_nothing_but_ignored_targets_is_no_number(monkeypatch: pytest.MonkeyPatch) -> None:
    part = classes(90, of=1)
    loss = {"name": "torch.nn.CrossEntropyLoss", "arguments": {"ignore_index": 0}}
    seen, _whole = losses_of(net(), loss, "classification", part, monkeypatch)
    assert all(math.isnan(value) for value in seen)


@pytest.mark.parametrize("count", [96, 100, 7])
def test_a_sum_is_that_of_an_average_training_batch(count: int, tmp_path: Path) -> None:
    # Nothing is learnt, and the same samples are in both parts: both series must tell the same.
    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    torch.manual_seed(0)
    still = {"name": "torch.optim.SGD", "arguments": {"lr": 0.0}}
    loss = {"name": "torch.nn.CrossEntropyLoss", "arguments": {"reduction": "sum"}}
    part = classes(count)
    seen = fit(Plain(), plan(epochs=1, loss=loss, optimizer=still), tmp_path, data=part, validation=part)
    steps = [value for value in seen.series("train/loss").values() if value is not None]
    (whole,) = seen.series("validation/loss").values()
    assert whole == pytest.approx(sum(steps) / len(steps), rel=1e-5)


def test_a_sum_does_not_depend_on_the_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    loss = {"name": "torch.nn.CrossEntropyLoss", "arguments": {"reduction": "sum", "weight": [0.1, 1.0, 7.0]}}
    seen, whole = losses_of(net(), loss, "classification", classes(100), monkeypatch)
    # 100 samples are seven batches, of 14.3 samples on average.
    assert seen == pytest.approx([whole / 7] * len(CUTS), rel=2e-6)


def test_low_precision_outputs_are_averaged_in_single(monkeypatch: pytest.MonkeyPatch) -> None:
    module = net()
    seen, _whole = losses_of(module, None, "classification", classes(100), monkeypatch, precision="bf16")
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        output = module.eval()(classes(100).inputs["x"])
    (expected,) = (nn.functional.cross_entropy(leaf.float(), classes(100).targets) for leaf in leaves(output))
    assert seen == pytest.approx([float(expected)] * len(CUTS), rel=2e-6)
