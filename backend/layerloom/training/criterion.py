"""The loss of a task: which tensors of the output it takes, and targets in the form that it wants.

A module may return one tensor, or a tuple, list or dict of them. A loss of one prediction is summed over all returned
tensors, each against the same targets; a loss of several predictions (``TripletMarginLoss``, ``GaussianNLLLoss``) takes
the returned tensors in order.

Parts of a set that are too large to be compared at once are added up by ``Criterion.parts``, which asks the loss itself
what it divides by: no weight of a class and no ignored target is known here.
"""

from __future__ import annotations

import copy
import inspect
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from layerloom.catalogue import losses
from layerloom.schema.plan import Choice
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import accepts, construct, keywords, resolve
from layerloom.training.failure import TrainingError

Task = Literal["classification", "regression", "tokens", "reconstruction"]

Loss = Callable[..., Tensor]
Share = tuple[float, ...]
"""What the loss of some of a batch's samples is multiplied with, so that the sum over all parts is the loss of the
batch: one factor, or one for each head. 0: no sample of the part counts."""
_DEFAULT: dict[Task, Loss] = {
    "classification": functional.cross_entropy,
    "tokens": functional.cross_entropy,
    "regression": functional.mse_loss,
    "reconstruction": functional.mse_loss,
}
_BY_INDEX = "classification"
"""Task that the catalogue gives to losses whose targets are class numbers; others compare tensors of equal shape."""
_IGNORED = inspect.signature(functional.cross_entropy).parameters["ignore_index"].default
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
        self.sums = getattr(loss, "reduction", "mean") == "sum"
        """The loss of a batch grows with its number of samples."""
        self._summed = _summed(loss)
        self.uneven = True
        """Samples count differently, as far as ``observe`` has not told otherwise."""

    def __call__(self, output: Any, target: Tensor) -> Tensor:
        """Loss, 0-dimensional.

        Raises:
            TrainingError: the module returned fewer tensors than the loss compares.
        """
        if self.takes == 1 and isinstance(output, Tensor):
            value: Tensor = self.loss(*self.fit(output, target))
            return value
        values = [self.loss(*given) for given in self._compared(output, target)]
        return values[0] if len(values) == 1 else torch.stack(values).sum()

    def parts(self, output: Any, target: Tensor) -> Tensor:
        """What the loss of a larger set is put together from, of which these are some samples: ``[K, 2]``.

        For each of the K comparisons (one, or one per returned tensor) the sum over the samples, and what the loss
        divides that sum by: a number of values, or the weights of the classes that occur. The loss of all samples is
        the sum over K of Σ sums / Σ divisors. A loss that only sums is divided by its number of samples.
        float64, on the CPU because not every accelerator has that type.
        """
        rows = []
        for given in self._compared(output, target):
            if self._summed is None:
                rows.append((len(target) * float(self.loss(*given)), float(len(target))))
            else:
                rows.append((float(self._summed(*given)), self._divisor(given, len(target))))
        return torch.tensor(rows, dtype=torch.float64)

    def weighed(self, output: Any, target: Tensor, share: Share | None) -> Tensor:
        """The loss of a part of a batch, times its share; None for a whole one."""
        loss = self(output, target)
        return loss if share is None else loss * share[0]

    def shares(self, output: Any, target: Tensor, parts: Sequence[Tensor]) -> list[Share]:
        """What the losses of a batch's ``parts`` are multiplied with so that their sum is the loss of the batch.

        ``target`` are the targets of the batch and ``parts`` those of its parts; ``output`` is any output of the
        module, of which only the shape of a sample matters.
        """
        if self.sums:
            return [(1.0,)] * len(parts)
        if not self.by_index or target.is_floating_point() or not self.uneven:
            return [(len(part) / len(target),) for part in parts]
        sample = leaves(output)[0][:1].detach()
        divisors = [
            self._divisor(self.fit(sample.expand(len(part), *sample.shape[1:]), part), len(part)) for part in parts
        ]
        whole = sum(divisors)
        return [(divisor / whole,) for divisor in divisors] if whole else [(1 / len(parts),)] * len(parts)

    def observe(self, targets: Tensor) -> None:
        """Note whether samples count differently, by the weights of their classes or because some of ``targets``, which
        are all that training sees, are ignored. Once, so that no step has to ask the device."""
        weighed = getattr(self.loss, "weight", None) is not None
        ignored = getattr(self.loss, "ignore_index", _IGNORED)
        self.uneven = weighed or bool((targets == ignored).any())

    def _divisor(self, given: tuple[Tensor, ...], count: int) -> float:
        """The sum of ``count`` samples' losses divided by their mean.

        It depends on the targets alone, so it is taken from predictions that are wrong everywhere, as far as one
        number can be: a network that is always right would give 0 / 0. Losses that compare predictions with one another
        find equal ones right; for those the network's own are asked.
        """
        if self.sums or self._summed is None:
            return float(count)
        equal = tuple(
            value if is_target else torch.full_like(value, 0.5)
            for value, is_target in zip(given, self._targets, strict=True)
        )
        for arguments in (equal, given):
            total, mean = float(self._summed(*arguments)), float(self.loss(*arguments))
            if total == 0 and math.isnan(mean):
                return 0.0  # every target is ignored
            if mean != 0 and 0 < total / mean < math.inf:
                return total / mean
        return float(count)

    def _compared(self, output: Any, target: Tensor) -> list[tuple[Tensor, ...]]:
        """Arguments of the loss, for each comparison.

        Raises:
            TrainingError: the module returned another number of tensors than the loss compares.
        """
        outputs = leaves(output)
        if self.takes == 1:
            if not outputs:
                raise TrainingError(ProblemCode.PLAN_INVALID, "The network returns no tensor to compare with targets.")
            return [self.fit(leaf, target) for leaf in outputs]
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
        return [tuple(fitted if is_target else next(given) for is_target in self._targets)]

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


def build_criterion(
    choice: Choice | None, task: Task, device: torch.device, weights: Mapping[str, list[float]] | None = None
) -> Criterion:
    """The plan's loss, or the task's own; ``weights`` is an argument beside those of ``choice``.

    Raises:
        TrainingError: unknown name, arguments that torch refuses, or a loss with weights of its own.
    """
    if choice is None:
        return Criterion(_DEFAULT[task], task, by_index=task in ("classification", "tokens"))
    known = losses()
    target = resolve(choice, known, ProblemCode.UNKNOWN_LOSS, "loss")
    label = choice.name.rpartition(".")[2]
    arguments = {**keywords(choice.arguments), **(weights or {})}
    for name in ("weight", "pos_weight"):
        if isinstance(arguments.get(name), list | tuple):
            arguments[name] = construct(torch.tensor, f"{label}'s {name}", arguments[name], dtype=torch.float32)
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


def _summed(loss: Loss) -> Loss | None:
    """The same loss with the reduction ``sum``; None where it has no such choice."""
    if not isinstance(loss, nn.Module):
        return partial(loss, reduction="sum") if accepts(loss, "reduction") else None
    if not hasattr(loss, "reduction"):
        return None
    other: Any = copy.copy(loss)
    other.reduction = "sum"
    return cast(Loss, other)


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
