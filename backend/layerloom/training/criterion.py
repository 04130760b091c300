"""The loss of a task: which tensors of the output it takes, and targets in the form that it wants.

A module may return one tensor, or a tuple, list or dict of them. A loss of one prediction is summed over all returned
tensors, each against the same targets; a loss of several predictions (``TripletMarginLoss``, ``GaussianNLLLoss``) takes
the returned tensors in order.
"""

from __future__ import annotations

import inspect
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerloom.catalogue import losses
from layerloom.schema.plan import Choice
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import construct, keywords, resolve
from layerloom.training.failure import TrainingError

Task = Literal["classification", "regression", "tokens", "reconstruction"]

Loss = Callable[..., Tensor]
_DEFAULT: dict[Task, Loss] = {
    "classification": functional.cross_entropy,
    "tokens": functional.cross_entropy,
    "regression": functional.mse_loss,
    "reconstruction": functional.mse_loss,
}
_BY_INDEX = "classification"
"""Task that the catalogue gives to losses whose targets are class numbers; others compare tensors of equal shape."""
# What signatures do not tell of targets, the docstrings of torch do.
_SIGNED = re.compile(r"\b1 or -1\b")
_PADDED = re.compile(r"targets padded by -1")


def leaves(output: Any) -> list[Tensor]:
    """Every tensor that a module returned, in order."""
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, tuple | list):
        return [leaf for item in output for leaf in leaves(item)]
    return []


class Criterion:
    """A scalar loss of a module's output and a batch's targets."""

    def __init__(
        self,
        loss: Loss,
        task: Task,
        *,
        by_index: bool,
        of_probabilities: bool = False,
        roles: Sequence[str] = ("input", "target"),
        doc: str = "",
    ) -> None:
        """``roles`` are the parameters of ``loss`` in order; ``doc`` is its docstring."""
        self.loss = loss
        self.task = task
        self.name = type(loss).__name__ if isinstance(loss, nn.Module) else getattr(loss, "__name__", "")
        self.by_index = by_index
        """Targets are class numbers."""
        self._targets = [role in ("target", "targets") for role in roles]
        self.takes = self._targets.count(False)
        """How many predictions the loss compares."""
        self._signed = _SIGNED.search(doc) is not None
        self._padded = _PADDED.search(doc) is not None
        self.of_probabilities = of_probabilities
        """Predictions are probabilities, not logits."""

    def __call__(self, output: Any, target: Tensor) -> Tensor:
        """Loss, 0-dimensional.

        Raises:
            TrainingError: the module returned fewer tensors than the loss compares.
        """
        if self.takes == 1:
            if isinstance(output, Tensor):
                return self._one(output, target)
            parts = [self._one(leaf, target) for leaf in leaves(output)]
            if not parts:
                raise TrainingError(ProblemCode.PLAN_INVALID, "The network returns no tensor to compare with targets.")
            return torch.stack(parts).sum()
        return self._several(leaves(output), target)

    def _one(self, output: Tensor, target: Tensor) -> Tensor:
        value: Tensor = self.loss(*self.fit(output, target))
        return value

    def _several(self, outputs: list[Tensor], target: Tensor) -> Tensor:
        if len(outputs) != self.takes:
            raise TrainingError(
                ProblemCode.PLAN_INVALID,
                f"{self.name} compares {self.takes} predictions, and the network returns {len(outputs)}. "
                "Return a tuple of that many tensors, or choose another loss.",
                expected=self.takes,
                got=len(outputs),
            )
        given = iter(outputs)
        fitted = self.fit(outputs[0], target)[1]
        value: Tensor = self.loss(*(fitted if is_target else next(given) for is_target in self._targets))
        return value

    def fit(self, output: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """One prediction and its targets in the shapes and dtypes that the loss takes.

        Token logits ``[N, T, V]`` and targets ``[N, T]`` are flattened for losses of class numbers. For losses of equal
        shapes, class numbers become one-hot rows, and targets of as many numbers take the prediction's shape.
        """
        if self.by_index:
            if self.task == "tokens" and output.dim() == target.dim() + 1:
                return output.flatten(0, -2), target.flatten()
            return output, target
        if self._padded:
            # Each sample has one label: its number first, then -1 for "no more".
            return output, functional.pad(target.unsqueeze(1), (0, output.shape[-1] - 1), value=-1)
        if target.shape != output.shape:
            target = self._shaped(output, target)
        if not target.is_floating_point():
            target = target.to(output.dtype)
        if self._signed and self.task == "classification":
            target = target * 2 - 1
        return output, target

    def _shaped(self, output: Tensor, target: Tensor) -> Tensor:
        classes = self.task in ("classification", "tokens") and not target.is_floating_point()
        pairs = self.takes > 1 and self._signed
        if classes and not pairs and output.dim() == target.dim() + 1 and output.shape[-1] > 1:
            return functional.one_hot(target, output.shape[-1])
        if output.numel() == target.numel():
            return target.reshape(output.shape)
        if self.takes > 1:
            return target
        raise TrainingError(
            ProblemCode.DATASET_MISMATCH,
            f"The network gives {_shape(output)} for each sample, and the data's targets are {_shape(target)}.",
            expected=list(target.shape[1:]),
            got=list(output.shape[1:]),
        )


def build_criterion(choice: Choice | None, task: Task, device: torch.device) -> Criterion:
    """The plan's loss, or the task's own.

    Raises:
        TrainingError: unknown name, arguments that torch refuses, or a loss with weights of its own.
    """
    if choice is None:
        return Criterion(_DEFAULT[task], task, by_index=task in ("classification", "tokens"))
    known = losses()
    target = resolve(choice, known, ProblemCode.UNKNOWN_LOSS, "loss")
    label = choice.name.rpartition(".")[2]
    arguments = keywords(choice.arguments)
    for name in ("weight", "pos_weight"):
        if isinstance(arguments.get(name), list | tuple):
            arguments[name] = torch.tensor(arguments[name], dtype=torch.float32)
    loss = construct(target, label, **arguments)
    if not isinstance(loss, nn.Module) or next(loss.parameters(), None) is not None:
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"{label} has weights of its own, which would be no part of the network. Draw it as a layer instead.",
        )
    if getattr(loss, "reduction", "mean") == "none":
        raise TrainingError(ProblemCode.PLAN_INVALID, f"{label} needs the reduction mean or sum to train with.")
    return Criterion(
        loss.to(device),
        task,
        by_index=_BY_INDEX in known[choice.name].tasks,
        of_probabilities=_takes(target, 0.5) and not _takes(target, -1.0),
        roles=list(inspect.signature(loss.forward).parameters),
        doc=inspect.getdoc(target) or "",
    )


def _takes(loss: Callable[..., Any], prediction: float) -> bool:
    """Whether a loss, with its default arguments, is defined for a prediction."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            loss()(torch.tensor([prediction]), torch.tensor([0.0]))
        except (RuntimeError, ValueError, TypeError, IndexError):
            return False
    return True


def _shape(value: Tensor) -> str:
    return "×".join(map(str, value.shape[1:])) or "one number"
