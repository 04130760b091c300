"""Learning rate schedulers by their catalogue names."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim.lr_scheduler import ChainedScheduler, ReduceLROnPlateau

from layerloom.catalogue import schedulers
from layerloom.schema.plan import Choice, Plan
from layerloom.schema.problems import ProblemCode
from layerloom.schema.values import LayerValue, Value
from layerloom.training.arguments import construct, plain, resolve
from layerloom.training.failure import TrainingError


@dataclass
class Scheduler:
    """A scheduler and when it steps."""

    inner: Any
    each_step: bool
    plateau: bool
    """It looks at a monitored value."""

    def after_step(self) -> None:
        """Advance after an optimizer step, where that is the plan's interval."""
        if self.each_step and not self.plateau:
            self.inner.step()

    def after_epoch(self, monitored: float | None) -> None:
        """Advance after an epoch. ``monitored`` is what ReduceLROnPlateau watches; None leaves it as it is."""
        if self.plateau:
            if monitored is not None:
                self.inner.step(monitored)
        elif not self.each_step:
            self.inner.step()


def build_scheduler(
    plan: Plan, optimizer: torch.optim.Optimizer, *, epochs: int, steps: int, larger_is_better: bool
) -> Scheduler | None:
    """The plan's scheduler; lengths that it leaves out (``T_max``, ``total_steps``) are those of the run.

    Raises:
        TrainingError: unknown name, one that needs Python code, or arguments that torch refuses.
    """
    if plan.scheduler is None:
        return None
    # OneCycleLR describes single steps and has no other meaning.
    each_step = plan.scheduler_interval == "step" or plan.scheduler.name.endswith(".OneCycleLR")
    length = steps if each_step else epochs
    inner = _build(plan.scheduler, optimizer, length, larger_is_better)
    return Scheduler(inner, each_step, isinstance(inner, ReduceLROnPlateau))


def _build(choice: Choice, optimizer: torch.optim.Optimizer, length: int, larger_is_better: bool) -> Any:
    target = resolve(choice, schedulers(), ProblemCode.UNKNOWN_SCHEDULER, "scheduler")
    label = choice.name.rpartition(".")[2]
    parameters = inspect.signature(target).parameters
    if "lr_lambda" in parameters:
        raise TrainingError(ProblemCode.PLAN_INVALID, f"{label} is described by Python code, which a plan cannot hold.")

    def nested(value: Value) -> Any:
        """SequentialLR and ChainedScheduler hold further schedulers, written as ``$layer`` values."""
        match value:
            case list():
                return [nested(item) for item in value]
            case LayerValue(layer=layer):
                return _build(Choice(name=layer.target, arguments=layer.arguments), optimizer, length, larger_is_better)
            case _:
                return plain(value)

    arguments = {name: nested(value) for name, value in choice.arguments.items()}
    arguments = _lengths(target, parameters.keys(), arguments, length, larger_is_better)
    if target is ChainedScheduler:
        return construct(target, label, arguments.pop("schedulers", []), optimizer, **arguments)
    return construct(target, label, optimizer, **arguments)


def _lengths(
    target: Callable[..., Any], names: Any, arguments: dict[str, Any], length: int, larger_is_better: bool
) -> dict[str, Any]:
    filled = dict(arguments)
    if "T_max" in names:
        filled.setdefault("T_max", length)
    if "total_steps" in names and not {"total_steps", "epochs"} & filled.keys():
        filled["total_steps"] = length
    if target is ReduceLROnPlateau:
        filled.setdefault("mode", "max" if larger_is_better else "min")
    return filled
