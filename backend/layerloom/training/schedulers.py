"""Learning rate schedulers by their catalogue names."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim.lr_scheduler import LinearLR, ReduceLROnPlateau

from layerloom.catalogue import schedulers
from layerloom.schema.plan import Plan, Schedule
from layerloom.schema.problems import ProblemCode
from layerloom.training.arguments import accepts, construct, keywords, resolve
from layerloom.training.dial import Dial
from layerloom.training.failure import TrainingError


@dataclass
class Scheduler:
    """A scheduler and when it steps; a warm-up in front of it, which takes its steps first."""

    inner: Any
    """None where there is a warm-up only."""
    each_step: bool
    plateau: bool
    """It looks at a monitored value."""
    warmup: LinearLR | None = None
    dial: Dial | None = None
    """What a user has made of the rates; the scheduler knows nothing of it."""

    def after_step(self) -> None:
        """Advance after an optimizer step, where that is the plan's interval."""
        self._by_itself(self._after_step)

    def after_epoch(self, monitored: float | None) -> None:
        """Advance after an epoch. ``monitored`` is what ReduceLROnPlateau watches; None leaves it as it is."""
        self._by_itself(self._after_epoch, monitored)

    def _by_itself(self, advance: Callable[..., None], *arguments: Any) -> None:
        dial = self.dial
        if dial is None or not dial.turned:
            advance(*arguments)
            return
        dial.lift()
        advance(*arguments)
        dial.put()

    def _after_step(self) -> None:
        if self._warming():
            rising = self.warmup.last_epoch < self.warmup.total_iters  # type: ignore[union-attr]
            self.warmup.step()  # type: ignore[union-attr]
            if rising:
                return
        if self.each_step and not self.plateau and self.inner is not None:
            self.inner.step()

    def _after_epoch(self, monitored: float | None) -> None:
        if self.inner is None or self._warming():
            return
        if self.plateau:
            if monitored is not None:
                self.inner.step(monitored)
        elif not self.each_step:
            self.inner.step()

    def _warming(self) -> bool:
        """Whether no step was made yet with the whole rate."""
        return self.warmup is not None and self.warmup.last_epoch <= self.warmup.total_iters

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        parts = {"inner": self.inner, "warmup": self.warmup}
        return {name: part.state_dict() for name, part in parts.items() if part is not None}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from what ``state_dict`` gave."""
        # Before there were warm-ups, a checkpoint held the scheduler's own state alone.
        own = state.get("inner") if {"inner", "warmup"} & state.keys() else state
        if self.inner is not None and own is not None:
            self.inner.load_state_dict(own)
        if self.warmup is not None and "warmup" in state:
            self.warmup.load_state_dict(state["warmup"])


def is_as_long_as_the_run(schedule: Schedule) -> bool:
    """Whether a schedule, or a part of it, takes its length from the run."""
    own = [Schedule(name=part.name, arguments=part.arguments) for part in schedule.parts]
    if own:
        return any(is_as_long_as_the_run(part) for part in own)
    target = resolve(schedule, schedulers(), ProblemCode.UNKNOWN_SCHEDULER, "scheduler")
    given = schedule.arguments.keys()
    cyclic = accepts(target, "T_max") and "T_max" not in given
    return cyclic or (accepts(target, "total_steps") and not {"total_steps", "epochs"} & given)


def build_scheduler(
    plan: Plan, optimizer: torch.optim.Optimizer, *, epochs: int, steps: int, larger_is_better: bool
) -> Scheduler | None:
    """The plan's scheduler; lengths that it leaves out (``T_max``, ``total_steps``) are those of the run, or of what a
    warm-up leaves of it.

    Raises:
        TrainingError: unknown name, arguments that torch refuses, or a length that ends before the run.
    """
    if plan.warmup >= steps:
        raise TrainingError(
            ProblemCode.PLAN_INVALID,
            f"A warm-up of {plan.warmup:,} steps leaves nothing of the run's {steps:,}. Make it shorter.",
            field="warmup",
            expected=steps,
            got=plan.warmup,
        )
    if plan.scheduler is None:
        return Scheduler(None, True, False, _warmup(plan, optimizer)) if plan.warmup else None
    # An epoch in which every step warms up is none of the scheduler's.
    epochs, steps = epochs - plan.warmup // math.ceil(steps / epochs), steps - plan.warmup
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
    # After the scheduler, which may begin with another rate than the optimizer's: it is this one that is warmed up to.
    return Scheduler(inner, each_step, isinstance(inner, ReduceLROnPlateau), _warmup(plan, optimizer))


def _warmup(plan: Plan, optimizer: torch.optim.Optimizer) -> LinearLR | None:
    if plan.warmup == 0:
        return None
    return LinearLR(optimizer, start_factor=1 / (plan.warmup + 1), total_iters=plan.warmup)


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
