"""The training loop. It knows a module, a plan and tensors; no document, no file but its checkpoints, no network."""

from __future__ import annotations

import math
import time
from collections import deque
from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.schema.events import Log
from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.batches import Samples
from layerloom.training.checkpoints import CheckpointStore
from layerloom.training.control import ENDS, Control, Outcome, Wanted
from layerloom.training.criterion import Task, leaves
from layerloom.training.device import choose_device, set_threads
from layerloom.training.failure import TrainingError
from layerloom.training.keeper import Keeper
from layerloom.training.optimizers import clip_gradients
from layerloom.training.position import (
    generator_states,
    seed_generators,
    set_generator_states,
    set_transient_buffers,
    transient_buffers,
)
from layerloom.training.recorder import Emit, Recorder
from layerloom.training.setup import Parts, assemble
from layerloom.training.statistics import Sampler
from layerloom.training.validation import joined, validate

RECENT_SAMPLES = 2_048
RECENT_NUMBERS = 2**20
"""Training metrics look at the last outputs of an epoch, at most so many samples and numbers."""


def train(
    module: nn.Module,
    plan: Plan,
    train: Samples,
    validation: Samples,
    *,
    task: Task,
    emit: Emit,
    control: Control,
    folder: Path,
    attempt: int = 1,
    classes: int = 0,
    resume: str | None = None,
) -> Outcome:
    """Train ``module`` in place.

    ``emit`` is given events of ``layerloom.schema.events`` as they arise; ``folder`` is the run's, where checkpoints
    go; ``classes`` is the number of classes of the data, where it has any; ``resume`` is the path of a checkpoint below
    ``folder`` to go on from, which on one CPU build gives the very numbers that an uninterrupted run would have given.

    Raises:
        TrainingError: the plan does not fit (before the first step), or the loss diverged.
        Exception: whatever the module raises.
    """
    threads = set_threads(plan)
    device = choose_device(plan.device)
    emit(Log(message=_describe(module, plan, train, validation, device, threads)))
    module.to(device)
    parts = assemble(module, plan, train, validation, task, classes, device)
    seed_generators(plan.seed)
    loop = Loop(module, plan, parts, emit, control, CheckpointStore(folder, attempt))
    if resume is not None:
        loop.resume(resume)
    try:
        return loop.run()
    except BaseException:
        loop.rescue()
        raise


class Loop:
    """One attempt at a run."""

    def __init__(
        self, module: nn.Module, plan: Plan, parts: Parts, emit: Emit, control: Control, store: CheckpointStore
    ) -> None:
        self._module = module
        self._plan = plan
        self._parts = parts
        self._emit = emit
        self._control = control
        self._per_epoch = len(parts.train)
        self._parameters = [parameter for parameter in module.parameters() if parameter.requires_grad]
        self._recorder = Recorder(
            emit,
            steps=parts.steps,
            steps_per_epoch=self._per_epoch,
            epochs=parts.epochs,
            samples_per_step=parts.train.mean_size,
        )
        self._sampler = Sampler(module, plan.statistics)
        self._keeper = Keeper(store, emit, parts.monitor, parts.larger_is_better, self._contents)
        self._position = self._keeper.position
        self._recent: deque[tuple[Tensor, Tensor]] | None = None
        self._gradient_step = self._closure_step if isinstance(parts.optimizer, torch.optim.LBFGS) else self._plain_step

    def resume(self, path: str) -> None:
        """Take up a checkpoint: weights, buffers, optimizer, scheduler, generators and position."""
        contents = self._keeper.load(path)
        training = contents.training
        self._module.load_state_dict(contents.state)
        self._parts.optimizer.load_state_dict(training["optimizer"])
        if self._parts.scheduler is not None and training["scheduler"] is not None:
            self._parts.scheduler.inner.load_state_dict(training["scheduler"])
        if self._parts.precision.scaler is not None and training["scaler"] is not None:
            self._parts.precision.scaler.load_state_dict(training["scaler"])
        set_transient_buffers(self._module, training.get("buffers", {}), self._parts.device)
        set_generator_states(training["generators"], self._parts.device)
        for output, target in training["recent"]:
            self._remember(output.to(self._parts.device), target.to(self._parts.device))
        self._recorder.resume(self._position.step, self._position.elapsed)
        self._emit(Log(message=f"Resumed from {path} at step {self._position.step}."))

    def run(self) -> Outcome:
        """Train until the plan's end, or until something else is wanted."""
        position = self._position
        self._recorder.progress(position.step, min(position.epoch + 1, self._parts.epochs), force=True)
        while position.epoch < self._parts.epochs and not self._finished():
            if not (self._train_epoch() and self._end_epoch()):
                wanted = self._control.wanted
                if wanted != "run":
                    return self._leave(wanted)
        self._check()
        self._keeper.save()
        self._recorder.progress(position.step, position.epoch, force=True)
        return Outcome("succeeded", position.step, position.epoch)

    def rescue(self) -> None:
        """After a failure: bring out what is known, as far as that still works."""
        for save in (self._flush, self._keeper.rescue):
            with suppress(Exception):
                save()

    def _finished(self) -> bool:
        """All steps are done and the epoch that they end in, whole or not, is validated."""
        return self._position.step >= self._parts.steps and self._position.batch == 0

    def _train_epoch(self) -> bool:
        """The rest of an epoch's steps. False when something else than training is wanted."""
        position, control, recorder, sampler = self._position, self._control, self._recorder, self._sampler
        scheduler, group, last = self._parts.scheduler, self._parts.optimizer.param_groups[0], self._parts.steps
        clock = time.perf_counter
        self._module.train()
        if position.batch == 0:
            self._recent = None
        if not control.going():
            return False
        if position.step >= last or position.batch >= self._per_epoch:
            return True
        epoch = position.epoch + 1
        for inputs, target in self._parts.train.shuffled(self._plan.seed, epoch, position.batch):
            at_end = position.batch + 1 == self._per_epoch or position.step + 1 == last
            now = clock()
            sampled = (at_end or now >= sampler.next_look) and sampler.arm(now, epoch_end=at_end)
            rate = float(group["lr"])
            loss = self._gradient_step(inputs, target, sampled)
            position.step += 1
            position.batch += 1
            if sampled:
                sampler.collect(position.step)
            if scheduler is not None:
                scheduler.after_step()
            now = clock()
            recorder.step(loss, rate, now)
            if now >= recorder.next_flush:
                self._flush()
                recorder.progress(position.step, epoch)
                if not at_end:
                    self._keeper.tick(self._check)
            if not control.going():
                return False
            if position.step >= last:
                return True
        return True

    def _plain_step(self, inputs: dict[str, Tensor], target: Tensor, sampled: bool) -> Tensor:
        parts = self._parts
        for parameter in self._parameters:
            parameter.grad = None
        loss = self._backward(inputs, target)
        if parts.precision.scaler is not None:
            parts.precision.scaler.unscale_(parts.optimizer)
        if sampled:
            self._sampler.gradients()
        clip_gradients(self._parameters, self._plan.clip)
        if parts.precision.scaler is not None:
            parts.precision.scaler.step(parts.optimizer)
            parts.precision.scaler.update()
        else:
            parts.optimizer.step()
        return loss

    def _closure_step(self, inputs: dict[str, Tensor], target: Tensor, sampled: bool) -> Tensor:
        """LBFGS evaluates the loss several times in one step; the first is the one that the step started from."""
        losses: list[Tensor] = []

        def closure() -> Tensor:
            for parameter in self._parameters:
                parameter.grad = None
            loss = self._backward(inputs, target, remember=not losses)
            if sampled and not losses:
                self._sampler.gradients()
            clip_gradients(self._parameters, self._plan.clip)
            losses.append(loss)
            return loss

        self._parts.optimizer.step(closure)  # type: ignore[arg-type]  # torch's own annotation says float
        return losses[0]

    def _backward(self, inputs: dict[str, Tensor], target: Tensor, *, remember: bool = True) -> Tensor:
        """Loss of one batch, 0-dimensional and detached, with its gradients left in the parameters."""
        precision = self._parts.precision
        if precision.lowered:
            with precision.autocast():
                output = self._module(**inputs)
                loss = self._parts.criterion(output, target)
        else:
            output = self._module(**inputs)
            loss = self._parts.criterion(output, target)
        scaled = loss if precision.scaler is None else precision.scaler.scale(loss)
        torch.autograd.backward(scaled)
        if remember:
            self._remember(output, target)
        return loss.detach()

    def _remember(self, output: Any, target: Tensor) -> None:
        first = output if isinstance(output, Tensor) else leaves(output)[0]
        if self._recent is None:
            size = min(RECENT_SAMPLES // max(1, len(target)), RECENT_NUMBERS // max(1, first.numel()))
            self._recent = deque(maxlen=max(1, size))
        self._recent.append((first.detach(), target))

    def _end_epoch(self) -> bool:
        """Validate, advance the scheduler, checkpoint. False when something else than training is wanted meanwhile."""
        parts, position = self._parts, self._position
        values = validate(self._module, parts, self._control)
        if values is None:
            return False
        values.update(self._training_values())
        self._recorder.epoch(position.step, values)
        monitored = values[parts.monitor]
        if parts.scheduler is not None and position.batch >= self._per_epoch:
            parts.scheduler.after_epoch(monitored if math.isfinite(monitored) else None)
        position.epoch += 1
        position.batch = 0
        self._keeper.epoch(monitored, self._plan.checkpoints.every_epochs, self._check)
        if time.perf_counter() >= self._recorder.next_flush:
            self._flush()
            self._recorder.progress(position.step, position.epoch, force=True)
        return True

    def _training_values(self) -> dict[str, float]:
        meters = self._parts.training_meters
        if not meters.names or not self._recent:
            return {}
        for output, target in joined(list(self._recent)):
            meters.update(output, target)
        return {f"train/{name}": value for name, value in meters.compute().items()}

    def _flush(self) -> None:
        self._recorder.flush()
        self._sampler.drain(self._emit)

    def _check(self) -> None:
        """Hold that everything a checkpoint would keep is finite: a diverged state must not replace a good one.

        Raises:
            TrainingError: ``diverged``.
        """
        self._flush()
        weights = [parameter.detach() for parameter in self._module.parameters()]
        if weights and not bool(torch.stack([weight.isfinite().all() for weight in weights]).all()):
            raise TrainingError(
                ProblemCode.DIVERGED,
                f"A weight became NaN or infinite by step {self._position.step}. A smaller learning rate or gradient "
                "clipping would help.",
                step=self._position.step,
            )

    def _contents(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The module's state and everything else that a resumed run needs."""
        parts, position = self._parts, self._position
        position.elapsed = self._recorder.elapsed
        scheduler, scaler = parts.scheduler, parts.precision.scaler
        state = self._module.state_dict()
        training = {
            "optimizer": parts.optimizer.state_dict(),
            "scheduler": scheduler.inner.state_dict() if scheduler is not None else None,
            "scaler": scaler.state_dict() if scaler is not None else None,
            "buffers": transient_buffers(self._module, state),
            "generators": generator_states(parts.device),
            "recent": list(self._recent or ()) if position.batch else [],
            "position": position.as_dict(),
        }
        return state, training

    def _leave(self, wanted: Wanted) -> Outcome:
        position = self._position
        if wanted != "abandon":
            self._check()
            self._keeper.save()
            self._recorder.progress(position.step, min(position.epoch + 1, self._parts.epochs), force=True)
        return Outcome(ENDS[wanted], position.step, position.epoch)


def _describe(
    module: nn.Module, plan: Plan, train: Samples, validation: Samples, device: torch.device, threads: int
) -> str:
    trainable = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{threads} threads"
    return (
        f"Training {trainable:,} parameters on {device} ({where}), torch {torch.__version__}, {plan.precision}; "
        f"{len(train.targets):,} samples for training, {len(validation.targets):,} for validation."
    )
