"""Weights of classes: balanced or given, in the form that each loss takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.utils.class_weight import compute_class_weight
from torch import nn
from torch.nn import functional

from layerloom.training import TrainingError
from layerloom.training.weights import class_weights
from unit.training.support import Set, classes, fit, net, numbers, plan

BCE = "torch.nn.BCEWithLogitsLoss"


def uneven(of: int = 3) -> Set:
    """Nine in ten samples are of the first class."""
    whole = classes(300, of=of)
    keep = (whole.targets == 0) | (torch.arange(300) % 20 < of)
    return Set({"x": whole.inputs["x"][keep]}, whole.targets[keep])


@pytest.mark.parametrize("loss", [None, "CrossEntropyLoss", "NLLLoss", "MultiMarginLoss", "MultiLabelSoftMarginLoss"])
def test_balanced_is_what_scikit_learn_calls_so(loss: str | None) -> None:
    data = uneven()
    settings = plan(class_weights="balanced", loss=loss and {"name": f"torch.nn.{loss}"})
    given = class_weights(settings, "classification", data.targets, torch.zeros(2, 3))
    labels = data.targets.numpy()
    expected = compute_class_weight("balanced", classes=np.unique(labels), y=labels)
    assert given == {"weight": pytest.approx(expected.tolist())}


def test_what_does_not_occur_or_is_ignored_counts_nothing() -> None:
    loss = {"name": "torch.nn.CrossEntropyLoss", "arguments": {"ignore_index": 1}}
    targets = torch.tensor([0, 0, 0, 1, 1, 2, -100])
    given = class_weights(plan(class_weights="balanced", loss=loss), "tokens", targets, torch.zeros(2, 5, 4))
    assert given == {"weight": pytest.approx([4 / 6, 1.0, 4 / 2, 1.0])}


def test_positive_weights() -> None:
    settings = plan(class_weights="balanced", loss={"name": BCE})
    targets = torch.tensor([0, 0, 0, 1])
    assert class_weights(settings, "classification", targets, torch.zeros(2, 1)) == {"pos_weight": [3.0]}
    assert class_weights(settings, "classification", targets, torch.zeros(2, 2)) == {
        "pos_weight": pytest.approx([1 / 3, 3.0])
    }
    settings = plan(class_weights=[0.5, 2.0], loss={"name": BCE})
    assert class_weights(settings, "classification", targets, torch.zeros(2)) == {"pos_weight": [4.0]}


def test_given_numbers_are_the_losses_own_argument(tmp_path: Path) -> None:
    weights = [0.2, 1.0, 5.0]
    ours = fit(net(), plan(class_weights=weights), tmp_path / "ours")
    loss = {"name": "torch.nn.CrossEntropyLoss", "arguments": {"weight": weights}}
    theirs = fit(net(), plan(loss=loss), tmp_path / "theirs")
    for series in ("train/loss", "validation/loss"):
        assert ours.series(series) == theirs.series(series)


def test_rare_classes_are_learnt_sooner(tmp_path: Path) -> None:
    metric = {"name": "torchmetrics.classification.MulticlassRecall", "arguments": {"average": "macro"}}
    recall = []
    for weights in (None, "balanced"):
        settings = plan(epochs=4, class_weights=weights, metrics=[metric])
        seen = fit(net(), settings, tmp_path / str(weights), data=uneven(), validation=uneven())
        recall.append(list(seen.series("validation/recall").values())[-1])
    assert recall[1] > recall[0] + 0.05  # type: ignore[operator]


def test_a_single_logit(tmp_path: Path) -> None:
    data = uneven(of=2)
    settings = plan(class_weights="balanced", loss={"name": BCE})
    seen = fit(net(out=1), settings, tmp_path, data=data, validation=data)
    assert list(seen.series("validation/loss").values())[-1] is not None


def test_label_smoothing_is_an_argument_of_the_loss(tmp_path: Path) -> None:
    data = classes(96)
    settings = plan(
        steps=1,
        batch_size=96,
        optimizer={"name": "torch.optim.SGD", "arguments": {"lr": 0.0}},
        loss={"name": "torch.nn.CrossEntropyLoss", "arguments": {"label_smoothing": 0.1}},
        class_weights=[1.0, 2.0, 3.0],
    )

    class Flat(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            torch.manual_seed(0)
            self.body = nn.Linear(6, 3)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.body(x)

    module = Flat()
    seen = fit(module, settings, tmp_path, data=data)
    with torch.no_grad():
        expected = functional.cross_entropy(
            module(data.inputs["x"]), data.targets, torch.tensor([1.0, 2.0, 3.0]), label_smoothing=0.1
        )
    assert seen.series("train/loss")[1] == pytest.approx(float(expected), rel=1e-5)


@pytest.mark.parametrize(
    ("settings", "given", "message"),
    [
        ({"loss": {"name": "torch.nn.MSELoss"}, "class_weights": "balanced"}, {}, "MSELoss has no weights"),
        ({"loss": {"name": "torch.nn.BCELoss"}, "class_weights": "balanced"}, {}, "BCELoss has no weights"),
        ({"class_weights": [1.0, 2.0]}, {}, "2 weights for the 3 classes"),
        ({"class_weights": "balanced"}, {"task": "regression", "data": numbers(), "validation": numbers()}, "numbers"),
        (
            {
                "class_weights": "balanced",
                "loss": {"name": "torch.nn.CrossEntropyLoss", "arguments": {"weight": [1, 1, 1]}},
            },
            {},
            "weighed twice",
        ),
    ],
)
def test_weights_that_have_no_meaning_are_refused(
    settings: dict[str, Any], given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(TrainingError, match=message):
        fit(net(out=1 if given else 3), plan(**settings), tmp_path, **given)
