"""Mixup and cutmix: soft targets, metrics that mean something, and numbers that follow from the seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from layerloom.schema.plan import Mixing
from layerloom.training import TrainingError
from layerloom.training.mixing import Mixer, labels
from unit.training.support import Set, fit, net, numbers, plan, stopping

KINDS = ["mixup", "cutmix", "both"]


class Images(nn.Module):
    def __init__(self, out: int = 3) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.drop = nn.Dropout(0.2)
        self.head = nn.Linear(8, out)

    def forward(self, x: Tensor) -> Tensor:
        output: Tensor = self.head(self.drop(self.conv(x).relu().mean((2, 3))))
        return output


def images(count: int = 96, seed: int = 0) -> Set:
    """Each class has a colour of its own."""
    random = torch.Generator().manual_seed(seed)
    targets = torch.arange(count) % 3
    colours = 3 * functional.one_hot(targets, 3).float()
    return Set({"x": torch.randn(count, 3, 8, 8, generator=random) + colours[:, :, None, None]}, targets)


@pytest.mark.parametrize("kind", KINDS)
def test_targets_are_shares_of_what_the_image_is_made_of(kind: Any) -> None:
    target = torch.arange(6) % 3
    flat = functional.one_hot(target, 3).float()[:, :, None, None].expand(6, 3, 8, 8)
    mixer = Mixer(Mixing(kind=kind), "x", 3)
    seen = set()
    for seed in range(8):
        torch.manual_seed(seed)
        inputs, shares = mixer({"x": flat.clone()}, target)
        assert shares.shape == (6, 3)
        torch.testing.assert_close(inputs["x"].mean((2, 3)), shares)
        seen.add("mixup" if inputs["x"].unique().numel() > 2 else "cutmix")
    assert seen == ({kind} if kind != "both" else {"mixup", "cutmix"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_learns_and_counts_what_is_right(kind: str, tmp_path: Path) -> None:
    data = images()
    before = data.inputs["x"].clone()
    settings = plan(
        epochs=15,
        mixing={"kind": kind, "alpha": 0.4},
        optimizer={"name": "torch.optim.Adam", "arguments": {"lr": 0.02}},
    )
    seen = fit(Images(), settings, tmp_path, data=data, validation=images(48, seed=1))
    assert torch.equal(data.inputs["x"], before)
    assert list(seen.series("validation/accuracy").values())[-1] > 0.95  # type: ignore[operator]
    right = list(seen.series("train/accuracy").values())
    assert right[-1] > 0.8  # type: ignore[operator]


@pytest.mark.parametrize("settings", [{}, {"accumulation": 3}, {"class_weights": [1.0, 2.0, 1.0]}])
@pytest.mark.parametrize("stop", [5, 6, 11])
def test_a_pause_changes_nothing(stop: int, settings: dict[str, Any], tmp_path: Path) -> None:
    chosen = plan(mixing={"kind": "both"}, **settings)
    given: dict[str, Any] = {"data": images(), "validation": images(48, seed=1)}
    whole = fit(Images(), chosen, tmp_path / "whole", **given)
    module = Images()
    first = fit(module, chosen, tmp_path / "parts", control=stopping(module, stop, desired="pause"), **given)
    path = first.of("checkpoint")[-1].path
    second = fit(Images(), chosen, tmp_path / "parts", attempt=2, resume=path, **given)
    for series in ("train/loss", "train/accuracy", "validation/loss"):
        assert {**first.series(series), **second.series(series)} == whole.series(series)


def test_parts_see_the_batch_that_was_mixed_as_a_whole(tmp_path: Path) -> None:
    class Plain(Images):
        def __init__(self) -> None:
            super().__init__()
            self.drop = nn.Identity()  # type: ignore[assignment]

    given: dict[str, Any] = {"data": images(), "validation": images(48, seed=1)}
    losses = [
        list(
            fit(Plain(), plan(mixing={}, accumulation=parts), tmp_path / str(parts), **given)
            .series("train/loss")
            .values()
        )
        for parts in (1, 4)
    ]
    assert losses[1] == pytest.approx(losses[0], rel=1e-4)


def test_the_larger_share_is_the_label() -> None:
    assert labels(torch.tensor([[0.3, 0.7], [0.6, 0.4]])).tolist() == [1, 0]


@pytest.mark.parametrize("loss", ["BCEWithLogitsLoss", "MSELoss", "MultiLabelSoftMarginLoss"])
def test_losses_of_equal_shapes_take_shares(loss: str, tmp_path: Path) -> None:
    settings = plan(epochs=1, mixing={}, loss={"name": f"torch.nn.{loss}"})
    seen = fit(Images(), settings, tmp_path, data=images(), validation=images())
    assert len(seen.series("train/loss")) == 6


@pytest.mark.parametrize(
    ("module", "given", "settings", "message"),
    [
        (net, {}, {}, "images with one label"),
        (lambda: net(out=1), {"task": "regression", "data": numbers(), "validation": numbers()}, {}, "images with one"),
        (Images, {"data": images(), "validation": images()}, {"loss": {"name": "torch.nn.NLLLoss"}}, "takes labels"),
        (
            lambda: Images(1),
            {
                "data": Set(images().inputs, images().targets % 2),
                "validation": Set(images().inputs, images().targets % 2),
            },
            {"loss": {"name": "torch.nn.BCEWithLogitsLoss"}},
            "column of the network's output",
        ),
    ],
)
def test_what_cannot_be_mixed_is_refused(
    module: Any, given: dict[str, Any], settings: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=message):
        fit(module(), plan(mixing={}, **settings), tmp_path, **given)
