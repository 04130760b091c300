"""A batch that is run in parts trains as the whole batch does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor, nn
from torch.nn import functional

from layerloom.schema.plan import Clip
from layerloom.training.updates import FusedAdam, build_updates
from unit.training.support import Set, classes, fit, net, plan

CE = "torch.nn.CrossEntropyLoss"
SGD: dict[str, Any] = {"name": "torch.optim.SGD", "arguments": {"lr": 0.05, "momentum": 0.9}}
CASES: dict[str, dict[str, Any]] = {
    "adamw": {},
    "sgd": {"optimizer": SGD, "clip": {"norm": 0.5}},
    "lbfgs": {"optimizer": {"name": "torch.optim.LBFGS", "arguments": {"lr": 0.1, "max_iter": 3}}},
    "fp16": {"precision": "fp16", "optimizer": SGD},
    "a sum": {"loss": {"name": CE, "arguments": {"reduction": "sum"}}},
    "weights": {"loss": {"name": CE, "arguments": {"weight": [0.1, 1.0, 9.0]}}},
    "ignored": {"loss": {"name": CE, "arguments": {"ignore_index": 1, "label_smoothing": 0.1}}},
    "margins": {"loss": {"name": "torch.nn.MultiMarginLoss", "arguments": {"weight": [0.1, 1.0, 9.0]}}},
    "one-hot": {"loss": {"name": "torch.nn.MSELoss"}},
}


def plain(seed: int = 0) -> nn.Module:
    """Without batch normalization and dropout, which see parts otherwise than wholes."""
    torch.manual_seed(seed)

    class Plain(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 3))

        def forward(self, x: Tensor) -> Tensor:
            return self.body(x)

    return Plain()


@pytest.mark.parametrize("parts", [2, 5, 8])
@pytest.mark.parametrize("name", CASES)
def test_the_numbers_are_those_of_the_whole_batch(name: str, parts: int, tmp_path: Path) -> None:
    data = classes(117)  # the last batch has five samples, and is cut into two parts
    whole = fit(plain(), plan(**CASES[name]), tmp_path / "whole", data=data)
    module = plain()
    ours = fit(module, plan(accumulation=parts, **CASES[name]), tmp_path / "parts", data=data)
    bound = 2e-2 if name == "fp16" else 1e-3
    for series in ("train/loss", "validation/loss"):
        expected, got = whole.series(series), ours.series(series)
        assert list(got) == list(expected)
        assert list(got.values()) == pytest.approx(list(expected.values()), rel=bound, abs=bound)
    assert ours.series("train/loss")[1] == pytest.approx(whole.series("train/loss")[1], rel=bound)
    # Every sample is in the training metrics, whole or in parts.
    if name == "ignored":
        return  # what no loss is asked of is not run
    expected, got = (list(seen.series("train/accuracy").values()) for seen in (whole, ours))
    assert got == pytest.approx(expected, abs=0.02)


def test_a_part_that_is_wholly_ignored_is_left_out(tmp_path: Path) -> None:
    labels = torch.tensor([0, 0, 0, 0, 1, 2, 1, 2])
    data = Set({"x": torch.randn(8, 6, generator=torch.Generator().manual_seed(0))}, labels)
    loss = {"name": CE, "arguments": {"ignore_index": 0}}
    given: dict[str, Any] = {"data": data, "validation": data}
    settings = {"batch_size": 8, "loss": loss, "steps": 20}
    whole = fit(plain(), plan(**settings), tmp_path / "whole", **given)
    ours = fit(plain(), plan(accumulation=4, **settings), tmp_path / "parts", **given)
    assert list(ours.series("train/loss").values()) == pytest.approx(
        list(whole.series("train/loss").values()), rel=1e-4
    )


def test_a_part_has_two_samples(tmp_path: Path) -> None:
    """Batch normalization, which refuses a single one, trains; and the last batch of three is one part."""
    sizes: list[int] = []
    module = net()

    def note(part: nn.Module, _given: object, named: dict[str, torch.Tensor]) -> None:
        if part.training and torch.is_grad_enabled():  # not one that rehearses, samples or validates
            sizes.append(len(named["x"]))

    module.register_forward_pre_hook(note, with_kwargs=True)
    module.train()
    fit(module, plan(accumulation=8, epochs=1), tmp_path, data=classes(35), validation=classes(4))
    assert sizes == [2] * 16 + [3]


def test_more_parts_than_pairs_are_refused() -> None:
    with pytest.raises(ValidationError, match="at most 8 parts") as caught:
        plan(accumulation=9)
    assert caught.value.errors()[0]["loc"] == ("accumulation",)


def test_one_tensor_may_be_the_gradient_of_two_parameters() -> None:
    """Autograd hands out the same memory twice; adding in place would count a part twice."""
    module = nn.ParameterList([torch.zeros(3), torch.zeros(3), torch.zeros(3)])
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.1, fused=True)
    updates = build_updates(module, optimizer, Clip())
    assert isinstance(updates, FusedAdam)
    seen: list[list[Tensor | None]] = []

    def part(index: int) -> Tensor:
        both = module[0] + module[1]
        return functional.mse_loss(both if index == 0 else both + module[2], torch.ones(3))

    for _ in range(3):
        updates.step(lambda: part(0), lambda gradients: seen.append([*gradients]), [lambda: part(1), lambda: part(1)])
    first = seen[0]
    assert [float(gradient.sum()) for gradient in first if gradient is not None] == pytest.approx([-6.0, -6.0, -4.0])
