"""Changes of the plan while a run trains, each between two steps.

A change that took effect before is part of the run: an attempt that begins before its step makes it again at that very
step, so that what is done again is done as it was.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import nn

from layerloom.schema.events import Adjusted, Log
from layerloom.schema.orders import Adjustment
from layerloom.schema.plan import Plan
from layerloom.training.failure import TrainingError
from layerloom.training.groups import divide, owners
from layerloom.training.optimizers import build_optimizer
from layerloom.training.position import Position
from layerloom.training.recorder import Emit
from layerloom.training.rehearsal import stand_in
from layerloom.training.schedulers import Scheduler, build_scheduler, is_as_long_as_the_run
from layerloom.training.setup import Parts

_SCHEDULED = ("lr", "initial_lr", "max_lr", "min_lr", "momentum", "betas")
"""Of a group, what schedulers write."""


@dataclass(frozen=True)
class Length:
    """How long a run is."""

    steps: int
    epochs: int


class Adjusting:
    """What differs from the plan by now, and what has to be done again at which step."""

    def __init__(self, module: nn.Module, plan: Plan, parts: Parts, history: list[Adjusted]) -> None:
        self._module = module
        self._plan = plan
        self._parts = parts
        self._history = history
        self._per_epoch = len(parts.train)

    def due(self, position: Position) -> int:
        """The step at which an earlier change is to be made again; -1 when there is none to come."""
        return next((one.step for one in self._history if one.adjustment.number > position.adjusted), -1)

    def make(self, wanted: Adjustment, position: Position, length: Length, emit: Emit) -> Length:
        """Make what is due at this position, or else what is newly wanted. Returns how long the run is then."""
        ahead = [one for one in self._history if one.adjustment.number > position.adjusted]
        while ahead and ahead[0].step <= position.step and ahead[0].epoch <= position.epoch:
            length = self._apply(ahead.pop(0).adjustment, position, length, emit)
        # What is newly wanted waits until everything that was so is so again.
        if not ahead and wanted.number > position.adjusted:
            event = Adjusted(step=position.step, epoch=position.epoch, adjustment=wanted)
            self._history.append(event)
            emit(event)
            emit(Log(message=f"After step {position.step}: {_told(wanted)}."))
            length = self._apply(wanted, position, length, emit)
        return length

    def _apply(self, adjustment: Adjustment, position: Position, length: Length, emit: Emit) -> Length:
        longer = (adjustment.epochs, adjustment.steps) != tuple(position.lengths)
        position.adjusted = adjustment.number
        position.lengths = [adjustment.epochs, adjustment.steps]
        if longer:
            length = self._length(adjustment, position)
            position.enough, position.stale = False, 0
            self._stretch(position, length, emit)
        self._parts.dial.turn(self._rates(adjustment))
        return length

    def _rates(self, adjustment: Adjustment) -> list[float | None]:
        """What is wanted of each of the optimizer's groups."""
        planned = self._parts.dial.planned
        found = owners(self._parts.optimizer, self._module, self._plan.groups)
        base = next((rate for rate, group in zip(planned, found, strict=True) if group is None), None)
        base = base or float(self._parts.optimizer.defaults["lr"])
        rates: list[float | None] = []
        for rate, group in zip(planned, found, strict=True):
            own = adjustment.groups.get(group.pattern) if group is not None else None
            follows = adjustment.learning_rate is not None and (group is None or group.lr is None)
            rates.append(own if own or not follows else adjustment.learning_rate * (rate / base))  # type: ignore[operator]
        return rates

    def _length(self, adjustment: Adjustment, position: Position) -> Length:
        """From where the run stands: an epoch that a limit of steps has cut short is not gone on with."""
        epochs, steps = adjustment.epochs or self._plan.epochs, adjustment.steps or self._plan.steps
        ahead = math.inf if epochs is None else (epochs - position.epoch) * self._per_epoch - position.batch
        ahead = max(0, int(min(ahead, math.inf if steps is None else steps - position.step)))
        return Length(position.step + ahead, position.epoch + math.ceil((position.batch + ahead) / self._per_epoch))

    def _stretch(self, position: Position, length: Length, emit: Emit) -> None:
        """Let a schedule that is as long as the run be where it would be in a run that was planned so long."""
        scheduler, schedule = self._parts.scheduler, self._plan.scheduler
        if scheduler is None or schedule is None or scheduler.plateau or not is_as_long_as_the_run(schedule):
            return
        try:
            twin, optimizer = self._twin(length)
        except TrainingError as error:
            emit(Log(level="warning", message=f"The schedule stays as long as it was. {error}"))
            return
        for step in range(1, position.step + 1):
            twin.after_step()
            if step % self._per_epoch == 0 and step // self._per_epoch <= position.epoch:
                twin.after_epoch(None)
        self._parts.dial.lift()
        scheduler.load_state_dict(twin.state_dict())
        for group, other in zip(self._parts.optimizer.param_groups, optimizer.param_groups, strict=True):
            group.update({name: other[name] for name in _SCHEDULED if name in other})
        self._parts.dial.put()

    def _twin(self, length: Length) -> tuple[Scheduler, torch.optim.Optimizer]:
        """The plan's scheduler as at the beginning of a run of this length, on an optimizer of nothing."""
        divided = divide(self._module, self._plan.optimizer, self._plan.groups)
        small, groups = stand_in(self._module, divided, torch.device("cpu"))
        optimizer = build_optimizer(self._plan.optimizer, small, groups)
        scheduler = build_scheduler(
            self._plan, optimizer, epochs=length.epochs, steps=length.steps, larger_is_better=False
        )
        assert scheduler is not None
        # It never steps, of which a scheduler that does would warn.
        optimizer._opt_called = True  # type: ignore[attr-defined]
        return scheduler, optimizer


def _told(adjustment: Adjustment) -> str:
    told = []
    if adjustment.learning_rate is not None:
        told.append(f"the learning rate is {adjustment.learning_rate:g}")
    told += [f"that of the group {pattern} is {rate:g}" for pattern, rate in adjustment.groups.items()]
    if adjustment.epochs is not None:
        told.append(f"the run has {adjustment.epochs:,} epochs")
    if adjustment.steps is not None:
        told.append(f"the run has {adjustment.steps:,} steps")
    return ", ".join(told)
