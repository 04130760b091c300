"""Metrics of torchmetrics by their catalogue names, with what the data and the network tell filled in."""

from __future__ import annotations

import inspect
import re
from typing import Any

import torch
from torch import Tensor

from layerloom.catalogue import metrics
from layerloom.schema.plan import Choice
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import accepts, construct, keywords, resolve
from layerloom.training.criterion import Criterion, Task, leaves
from layerloom.training.failure import TrainingError
from layerloom.training.ranks import ALONE, Ranks

_PREFIX = re.compile(r"^(Multiclass|Binary|Multilabel)(?=[A-Z])")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def series_name(name: str) -> str:
    """``torchmetrics.classification.MulticlassAccuracy`` → ``accuracy``, ``…MeanAbsoluteError`` →
    ``mean_absolute_error``."""
    return _WORD.sub("_", _PREFIX.sub("", name.rpartition(".")[2])).lower()


# Micro: the share of all samples that are right. torchmetrics' own default weighs classes equally.
_ACCURACY = Choice(name="torchmetrics.classification.MulticlassAccuracy", arguments={"average": "micro"})
_ERROR = Choice(name="torchmetrics.regression.MeanAbsoluteError")
_DEFAULTS: dict[Task, list[Choice]] = {
    "classification": [_ACCURACY],
    "tokens": [_ACCURACY],
    "regression": [_ERROR, Choice(name="torchmetrics.regression.R2Score")],
    "reconstruction": [_ERROR],
}


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

    @property
    def main(self) -> str:
        """Series that decides which checkpoint is best unless the plan names one."""
        return f"validation/{self.names[0]}" if self._named else "validation/loss"

    def kept(self, output: Any) -> Tensor:
        """What of an output is needed later."""
        return (output if isinstance(output, Tensor) else leaves(output)[0]).detach()

    def update(self, output: Any, target: Tensor) -> None:
        """Add a batch."""
        if not self._named:
            return
        prediction, target = _comparable(leaves(output)[0].detach(), target, self._criterion)
        for metric in self._named.values():
            metric.update(prediction, target)

    def compute(self, _ranks: Ranks = ALONE) -> dict[str, float]:
        """Values over all batches since the last call; NaN where a value is undefined. torchmetrics by itself adds up
        what all ranks have seen.

        Raises:
            TrainingError: a metric that is no single number.
        """
        values = {}
        for name, metric in self._named.items():
            value = metric.compute()
            if not isinstance(value, Tensor) or value.numel() != 1:
                raise TrainingError(
                    ProblemCode.PLAN_INVALID,
                    f"{type(metric).__name__} gives more than one number, which is no curve. Choose an average, or "
                    "another metric.",
                )
            values[name] = float(value)
        self.reset()
        return values

    def reset(self) -> None:
        """Forget every batch."""
        for metric in self._named.values():
            metric.reset()


def class_columns(output: Tensor, task: Task) -> int:
    """For how many classes an output holds scores; a single column tells two classes apart."""
    width = output.shape[-1] if task == "tokens" else output.shape[1] if output.dim() > 1 else 1
    return max(2, width)


def build_meters(
    choices: list[Choice] | None, criterion: Criterion, sample: Tensor, classes: int, device: torch.device
) -> Meters:
    """The plan's metrics, or the task's own. ``sample`` is an output of the module, ``classes`` the data's number.

    Raises:
        TrainingError: unknown name, or arguments that torchmetrics refuses.
    """
    task = criterion.task
    if choices is None:
        choices = _DEFAULTS[task]
    width = max(classes, class_columns(sample, task))
    known = metrics()
    named: dict[str, Any] = {}
    for choice in choices:
        target = resolve(choice, known, ProblemCode.UNKNOWN_METRIC, "metric")
        arguments = keywords(choice.arguments)
        for name, value in _facts(width, task).items():
            if accepts(target, name):
                arguments.setdefault(name, value)
        if accepts(target, "average") and inspect.signature(target).parameters["average"].default in (None, "none"):
            # A value per class is no curve.
            arguments.setdefault("average", "macro")
        metric = construct(target, choice.name.rpartition(".")[2], **arguments)
        named[_unused(series_name(choice.name), named)] = metric.to(device)
    return Meters(named, criterion)


def _facts(classes: int, task: Task) -> dict[str, Any]:
    facts: dict[str, Any] = {"num_classes": classes, "num_labels": classes, "validate_args": False}
    return {**facts, "task": "multiclass"} if task in ("classification", "tokens") else facts


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
            # One number per sample: a logit, unless the loss takes probabilities. Metrics take a score per class.
            one = prediction if criterion.of_probabilities else prediction.sigmoid()
            one = one.reshape(target.shape)
            return torch.stack((1 - one, one), 1), target
        return prediction, target
    if prediction.numel() == target.numel():
        # Columns of one number are flat, because torchmetrics counts their width as outputs.
        shape = target.shape[:1] if target.numel() == len(target) else target.flatten(1).shape
        return prediction.reshape(shape), target.reshape(shape)
    raise TrainingError(
        ProblemCode.DATASET_MISMATCH,
        f"Metrics cannot compare predictions {list(prediction.shape)} with targets {list(target.shape)}.",
    )
