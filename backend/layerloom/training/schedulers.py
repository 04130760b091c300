"""Learning rate schedulers by their catalogue names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from layerloom.catalogue import schedulers
from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import accepts, construct, keywords, resolve
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
        TrainingError: unknown name, arguments that torch refuses, or a length that ends before the run.
    """
    if plan.scheduler is None:
        return None
    # OneCycleLR describes single steps and has no other meaning.
    each_step = plan.scheduler_interval == "step" or plan.scheduler.name.endswith(".OneCycleLR")
    length = steps if each_step else epochs
    target = resolve(plan.scheduler, schedulers(), ProblemCode.UNKNOWN_SCHEDULER, "scheduler")
    arguments = _filled(target, keywords(plan.scheduler.arguments), length, larger_is_better)
    label = plan.scheduler.name.rpartition(".")[2]
    inner = construct(target, label, optimizer, **arguments)
    # It would fail at its end, however late that is.
    planned = getattr(inner, "total_steps", length)
    if each_step and isinstance(planned, int) and planned < steps:
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"{label} ends after {planned:,} of the run's {steps:,} steps. Leave its length out, or make it as long.",
            field="scheduler",
            expected=steps,
            got=planned,
        )
    return Scheduler(inner, each_step, isinstance(inner, ReduceLROnPlateau))


def _filled(
    target: Callable[..., Any], arguments: dict[str, Any], length: int, larger_is_better: bool
) -> dict[str, Any]:
    """Arguments with what only the run can tell."""
    filled = dict(arguments)
    if accepts(target, "T_max"):
        filled.setdefault("T_max", length)
    if accepts(target, "total_steps") and not {"total_steps", "epochs"} & filled.keys():
        filled["total_steps"] = length
    if target is ReduceLROnPlateau:
        filled.setdefault("mode", "max" if larger_is_better else "min")
    return filled
