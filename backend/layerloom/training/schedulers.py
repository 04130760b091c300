"""Learning rate schedulers by their catalogue names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from layerloom.catalogue import schedulers
from layerloom.schema.plan import Plan, Schedule
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
    names = [plan.scheduler.name, *(part.name for part in plan.scheduler.parts)]
    each_step = plan.scheduler_interval == "step" or any(name.endswith(".OneCycleLR") for name in names)
    length = steps if each_step else epochs
    label = plan.scheduler.name.rpartition(".")[2]
    inner = _made(plan.scheduler, optimizer, length, larger_is_better)
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


def _made(schedule: Schedule, optimizer: torch.optim.Optimizer, length: int, larger_is_better: bool) -> Any:
    """A scheduler with its parts, each as long as the part of the run that it is for."""
    target = resolve(schedule, schedulers(), ProblemCode.UNKNOWN_SCHEDULER, "scheduler")
    label = schedule.name.rpartition(".")[2]
    arguments = _filled(target, keywords(schedule.arguments), length, larger_is_better)
    if schedulers()[schedule.name].parts:
        lengths = _lengths(arguments.get("milestones"), length, len(schedule.parts))
        arguments["schedulers"] = [
            _made(Schedule(name=part.name, arguments=part.arguments), optimizer, its, larger_is_better)
            for part, its in zip(schedule.parts, lengths, strict=True)
        ]
    elif schedule.parts:
        raise TrainingError(ProblemCode.PLAN_INVALID, f"{label} has no parts.", field="scheduler")
    return construct(target, label, optimizer=optimizer, **arguments)


def _lengths(milestones: Any, length: int, parts: int) -> list[int]:
    """How long each part runs: from its milestone to the next, or all the way where there are none."""
    if not isinstance(milestones, list) or len(milestones) != parts - 1:
        return [length] * parts
    if not all(isinstance(milestone, int) for milestone in milestones):
        return [length] * parts
    starts, ends = [0, *milestones], [*milestones, length]
    return [max(end - start, 1) for start, end in zip(starts, ends, strict=True)]


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
