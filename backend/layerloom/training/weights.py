"""Weights of classes in a loss: balanced by how often each occurs in the training part, or given."""

from __future__ import annotations

import inspect
import re

import torch
from torch import Tensor

from layerloom.catalogue import losses
from layerloom.catalogue.advice import LOSS_OF_CLASSES
from layerloom.schema.plan import Choice, Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import accepts, keywords, resolve
from layerloom.training.criterion import Task
from layerloom.training.failure import TrainingError

_PER_CLASS = re.compile(r"weight given to\s+each\s+class")
"""By its docstring: ``weight`` of other losses weighs samples or numbers."""


def class_weights(plan: Plan, task: Task, targets: Tensor, output: Tensor) -> dict[str, list[float]]:
    """The argument of the plan's loss that weighs classes, or none. ``output`` is one of the module, for any samples.

    ``balanced`` gives a class of n among N samples of C classes the weight N / (C·n), as scikit-learn does, and a loss
    that asks for the weight of positive examples (N − n) / n. A class that does not occur has the weight 1.

    Raises:
        TrainingError: there are no classes, the loss has no weights for them, or their number is another one.
    """
    if plan.class_weights is None:
        return {}
    if task not in ("classification", "tokens") or targets.is_floating_point():
        raise _refusal("The data's targets are numbers, so there are no classes to weigh. Leave the weights out.")
    choice = plan.loss or Choice(name=LOSS_OF_CLASSES)
    label = choice.name.rpartition(".")[2]
    target = resolve(choice, losses(), ProblemCode.UNKNOWN_LOSS, "loss")
    name = "weight" if _PER_CLASS.search(inspect.getdoc(target) or "") else "pos_weight"
    if not accepts(target, name):
        raise _refusal(f"{label} has no weights for classes. Choose CrossEntropyLoss, or leave the weights out.")
    if choice.arguments.get(name) is not None:
        raise _refusal(f"The classes are weighed twice, here and by {label}'s {name}. Leave one of them out.")
    width = output.shape[-1] if task == "tokens" else output.shape[1] if output.dim() > 1 else 1
    classes = max(width, 2)  # a single logit tells two classes apart
    if plan.class_weights == "balanced":
        counts = _counts(targets, classes, keywords(choice.arguments).get("ignore_index"))
        total, present = counts.sum(), (counts > 0).sum()
        balanced = total / (present * counts) if name == "weight" else (total - counts) / counts
        weights: list[float] = balanced.where(counts > 0, 1.0).tolist()
        return {name: weights[-1:] if width == 1 else weights}
    weights = plan.class_weights
    if len(weights) != classes:
        raise _refusal(f"There are {len(weights)} weights for the {classes} classes of the network's output.")
    if width == 1:
        if weights[0] == 0:
            raise _refusal("The weight of the first of two classes is what the other is measured by; it cannot be 0.")
        weights = [weights[1] / weights[0]]
    return {name: weights}


def _counts(targets: Tensor, classes: int, ignored: int | None) -> Tensor:
    """How often each class occurs, ``[C]``; negative numbers are no classes."""
    flat = targets.flatten()
    flat = flat[(flat >= 0) & (flat < classes)]
    counts = torch.bincount(flat, minlength=classes).cpu().double()
    if ignored is not None and 0 <= ignored < classes:
        counts[ignored] = 0
    return counts


def _refusal(message: str) -> TrainingError:
    return TrainingError(ProblemCode.PLAN_INVALID, message, field="class_weights")
