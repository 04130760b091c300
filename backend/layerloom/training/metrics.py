"""Metrics of torchmetrics by their catalogue names, with what the data and the network tell filled in."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.catalogue import metrics
from layerloom.schema.plan import Choice
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import accepts, construct, keywords, resolve
from layerloom.training.criterion import Criterion, Task, leaves
from layerloom.training.failure import TrainingError

_PREFIX = re.compile(r"^(Multiclass|Binary|Multilabel)(?=[A-Z])")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def series_name(name: str) -> str:
    """``torchmetrics.classification.MulticlassAccuracy`` → ``accuracy``, ``…MeanAbsoluteError`` →
    ``mean_absolute_error``."""
    return _WORD.sub("_", _PREFIX.sub("", name.rpartition(".")[2])).lower()


class Meters:
    """The metrics of one part of the data. They see the first tensor that the module returns."""

    def __init__(self, named: dict[str, Any], criterion: Criterion) -> None:
        self._named = named
        self._criterion = criterion

    @property
    def names(self) -> list[str]:
        """Series names without their part: ``accuracy``."""
        return list(self._named)

    def larger_is_better(self, name: str) -> bool:
        """The direction in which a metric improves; the larger where torchmetrics leaves it open."""
        return self._named[name].higher_is_better is not False

    def update(self, output: Any, target: Tensor) -> None:
        """Add a batch."""
        if not self._named:
            return
        prediction, target = _comparable(leaves(output)[0].detach(), target, self._criterion)
        for metric in self._named.values():
            metric.update(prediction, target)

    def compute(self) -> dict[str, float]:
        """Values over all batches since the last call; NaN where a value is undefined."""
        values = {}
        for name, metric in self._named.items():
            value = metric.compute()
            values[name] = float(value.float().mean()) if isinstance(value, Tensor) else float("nan")
        self.reset()
        return values

    def reset(self) -> None:
        """Forget every batch."""
        for metric in self._named.values():
            metric.reset()


def build_meters(
    choices: list[Choice] | None, criterion: Criterion, sample: Tensor, classes: int, device: torch.device
) -> Meters:
    """The plan's metrics, or the task's own. ``sample`` is an output of the module, ``classes`` the data's number.

    Raises:
        TrainingError: unknown name, or arguments that torchmetrics refuses.
    """
    task = criterion.task
    single = task == "classification" and (sample.dim() == 1 or sample.shape[1] == 1)
    if choices is None:
        choices = _defaults(task, single)
    width = sample.shape[-1] if task == "tokens" else sample.shape[1] if sample.dim() > 1 else 1
    known = metrics()
    named: dict[str, Any] = {}
    for choice in choices:
        target = resolve(choice, known, ProblemCode.UNKNOWN_METRIC, "metric")
        arguments = keywords(choice.arguments)
        for name, value in _facts(max(width, classes), task, single).items():
            if accepts(target, name):
                arguments.setdefault(name, value)
        metric = construct(target, choice.name.rpartition(".")[2], **arguments)
        named[_unused(series_name(choice.name), named)] = metric.to(device)
    return Meters(named, criterion)


def _defaults(task: Task, single: bool) -> list[Choice]:
    if task == "regression":
        return [
            Choice(name="torchmetrics.regression.MeanAbsoluteError"),
            Choice(name="torchmetrics.regression.R2Score"),
        ]
    if task == "reconstruction":
        return [Choice(name="torchmetrics.regression.MeanAbsoluteError")]
    if single:
        return [Choice(name="torchmetrics.classification.BinaryAccuracy")]
    # Micro: the share of all samples that are right. torchmetrics' own default weighs classes equally.
    return [Choice(name="torchmetrics.classification.MulticlassAccuracy", arguments={"average": "micro"})]


def _facts(classes: int, task: Task, single: bool) -> dict[str, Any]:
    facts: dict[str, Any] = {"num_classes": classes, "num_labels": classes, "validate_args": False}
    if task in ("classification", "tokens"):
        facts["task"] = "binary" if single else "multiclass"
    return facts


def _unused(name: str, taken: dict[str, Any]) -> str:
    number = 2
    candidate = name
    while candidate in taken:
        candidate, number = f"{name}_{number}", number + 1
    return candidate


def _comparable(prediction: Tensor, target: Tensor, criterion: Criterion) -> tuple[Tensor, Tensor]:
    """Predictions and targets in torchmetrics' shapes: class scores on axis 1, or equal shapes."""
    if prediction.dtype in (torch.bfloat16, torch.float16):
        prediction = prediction.float()
    if criterion.task == "tokens":
        return prediction.flatten(0, -2), target.flatten()
    if criterion.task == "classification":
        if prediction.numel() == target.numel():
            # One number per sample: a logit, unless the loss takes probabilities.
            probability = prediction if isinstance(criterion.loss, nn.BCELoss) else prediction.sigmoid()
            return probability.reshape(target.shape), target
        return prediction, target
    if prediction.numel() == target.numel():
        # Columns of one number are flat, because torchmetrics counts their width as outputs.
        shape = target.shape[:1] if target.numel() == len(target) else target.flatten(1).shape
        return prediction.reshape(shape), target.reshape(shape)
    raise TrainingError(
        ProblemCode.DATASET_MISMATCH,
        f"Metrics cannot compare predictions {list(prediction.shape)} with targets {list(target.shape)}.",
    )
