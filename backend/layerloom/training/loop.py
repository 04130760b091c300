"""The training loop. It knows a module, a plan and tensors; no document, no file but its checkpoints, no network."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from layerloom.schema.events import Adjusted, Log
from layerloom.schema.orders import Orders
from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.accumulating import pieces
from layerloom.training.adjusting import Adjusting, Length
from layerloom.training.averaging import Averaged
from layerloom.training.batches import Samples
from layerloom.training.carrying import Carried, carry_optimizer, carry_weights, optimized
from layerloom.training.checkpoints import CheckpointStore, on_cpu
from layerloom.training.compiling import Compiled
from layerloom.training.control import ENDS, Control, Outcome, Wanted
from layerloom.training.criterion import Share, Task
from layerloom.training.device import choose_device, set_threads
from layerloom.training.failure import TrainingError
from layerloom.training.groups import freeze
from layerloom.training.images import probe_of
from layerloom.training.keeper import Keeper
from layerloom.training.position import (
    Position,
    generator_states,
    seed_generators,
    set_generator_states,
    set_transient_buffers,
    transient_buffers,
)
from layerloom.training.ranks import ALONE, Ranks, SharedControl, SharedRecorder, Silent, quiet
from layerloom.training.recent import Recent
from layerloom.training.recorder import Emit, Recorder
from layerloom.training.replay import Replay
from layerloom.training.setup import Parts, assemble
from layerloom.training.sharing import Part, Sharing, nothing
from layerloom.training.statistics import Sampler
from layerloom.training.tuner import in_its_way
from layerloom.training.updates import Forward
from layerloom.training.validation import validate


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
    ranks: Ranks = ALONE,
    adjusted: Sequence[Adjusted] = (),
    carried: Carried | None = None,
) -> Outcome:
    """Train ``module`` in place.

    ``emit`` is given events of ``layerloom.schema.events`` as they arise; ``folder`` is the run's, where checkpoints
    go; ``classes`` is the number of classes of the data, where it has any; ``resume`` is the path of a checkpoint below
    ``folder`` to go on from, which on one CPU build gives the very numbers that an uninterrupted run would have given;
    ``adjusted`` are the changes of the plan that took effect in earlier attempts; ``carried`` is what to begin with of
    another run's checkpoint. ``ranks`` are the processes that train together; each of them calls this.

    Raises:
        TrainingError: the plan does not fit (before the first step), or the loss diverged.
        Exception: whatever the module raises.
    """
    threads = set_threads(plan)
    device = choose_device(plan.device, ranks.rank, ranks.world)
    own = control
    if ranks.several:
        control = SharedControl(own, ranks)
        plan, emit = (plan, emit) if ranks.first else quiet(plan)
    freeze(module, plan.groups)
    emit(Log(message=_describe(module, plan, train, validation, device, threads, ranks)))
    begun = CheckpointStore(folder, attempt).load(carried.path) if carried is not None and resume is None else None
    if carried is not None and begun is not None:
        carry_weights(module, begun, carried)
    module.to(device)
    parts = assemble(module, plan, train, validation, task, classes, device, ranks)
    if plan.precision == "auto":
        parts = ranks.in_turn(partial(in_its_way, module, parts, folder, emit))
    if carried is not None and begun is not None:
        emit(Log(message=carry_optimizer(module, parts.optimizer, begun, carried)))
    seed_generators(ranks.seed(plan.seed))
    store = CheckpointStore(folder, attempt) if ranks.first else Silent(folder, attempt)
    # Shared with a replay, which has to make the same changes at the same steps.
    history = list(adjusted)
    loop = Loop(module, plan, emit, control, store, parts=parts, history=history)
    if resume is not None:
        loop.resume(resume)
    make = partial(Loop, module, parts=replace(parts, ranks=ALONE), history=history)
    replay = Replay(make, loop, module, plan, store)
    try:
        return loop.run()
    except BaseException as error:
        loop.rescue()
        if ranks.first:
            replay.explain(error, emit, own)
        raise


class Loop:
    """One attempt at a run."""

    def __init__(
        self,
        module: nn.Module,
        plan: Plan,
        emit: Emit,
        control: Control,
        store: CheckpointStore,
        *,
        parts: Parts,
        history: list[Adjusted],
    ) -> None:
        self._module = module
        self._averaged = Averaged(module, plan.averaging, parts.steps) if plan.averaging is not None else None
        self._sharing = Sharing(module, plan, parts) if parts.ranks.several else None
        called = module if self._sharing is None else self._sharing.module
        self._call = Compiled(called, emit) if plan.compile else called
        self._plan = plan
        self._parts = parts
        self._emit = emit
        self._control = control
        self._per_epoch = len(parts.train)
        self._recorder = (SharedRecorder if parts.ranks.several else Recorder)(
            emit,
            steps=parts.steps,
            steps_per_epoch=self._per_epoch,
            epochs=parts.epochs,
            samples_per_step=parts.train.mean_size,
            watched=lambda: control.watched,
        )
        if isinstance(self._recorder, SharedRecorder):
            self._recorder.share(parts.ranks)
        self._sampler = Sampler(module, plan.statistics, probe_of(module, plan, parts, emit), hooks=not plan.compile)
        decided = parts.ranks.decided
        self._keeper = Keeper(store, emit, parts.monitor, parts.larger_is_better, self.contents, decided)
        self._position = self._keeper.position
        self._length = Length(parts.steps, parts.epochs)
        self._optimized = optimized(module, parts.optimizer, plan)
        self._adjusting = Adjusting(module, plan, parts, history)
        self._obeyed: Orders | None = None
        self._due = -1
        self._recent = Recent(parts)

    @property
    def position(self) -> Position:
        """How far it is."""
        return self._position

    def resume(self, path: str) -> None:
        """Take up a checkpoint: weights, buffers, optimizer, scheduler, generators and position."""
        contents = self._keeper.load(path)
        training = contents.training
        state, buffers = contents.state, training.get("buffers", {})
        if self._averaged is not None and training.get("averaging") is not None:
            state = self._averaged.take_up(training["averaging"], state)
            self._averaged.set_transient_buffers(buffers, self._parts.device)
        self._module.load_state_dict(state)
        self._parts.optimizer.load_state_dict(training["optimizer"])
        # In this process it has not stepped yet, of which a scheduler that steps first would warn.
        self._parts.optimizer._opt_called = self._position.step > 0  # type: ignore[attr-defined]
        if self._parts.scheduler is not None and training["scheduler"] is not None:
            self._parts.scheduler.load_state_dict(training["scheduler"])
        if training.get("dial") is not None:
            self._parts.dial.load_state_dict(training["dial"])
        if self._position.length:
            self._length = Length(*self._position.length)
            self._recorder.lengthen(*self._position.length)
        if self._parts.precision.scaler is not None and training["scaler"] is not None:
            self._parts.precision.scaler.load_state_dict(training["scaler"])
        set_transient_buffers(self._module, buffers, self._parts.device)
        own = self._own(training)
        if own["generators"] is not None:
            set_generator_states(own["generators"], self._parts.device)
        self._recent.resume(own, self._parts.device)
        self._recorder.resume(self._position.step, self._position.elapsed)
        self._emit(Log(message=f"Resumed from {path} at step {self._position.step}."))

    def run(self) -> Outcome:
        """Train until the plan's end, or until something else is wanted."""
        position = self._position
        self._module.train()
        self._obey()
        self._tell_where()
        while position.epoch < self._length.epochs and not self._finished():
            if not (self._train_epoch() and self._end_epoch()):
                wanted = self._control.wanted
                if wanted != "run":
                    return self._leave(wanted)
            self._obey()
        self._check()
        self._sampler.drain(self._emit, last=True)
        self._keeper.save(self._control.orders)
        self._recorder.progress(position.step, position.epoch, force=True)
        return Outcome("succeeded", position.step, position.epoch)

    def _own(self, training: Mapping[str, Any]) -> dict[str, Any]:
        """Of a checkpoint, what was this rank's own. With another number of ranks, the first goes on with the first
        one's random numbers, and the others begin new ones."""
        ranks, known = self._parts.ranks, training.get("ranks", [])
        if len(known) == ranks.world:
            return dict(known[ranks.rank])
        if ranks.first:
            return dict(training)
        seed_generators(ranks.seed(self._plan.seed + self._position.step))
        return {"generators": None, "recent": []}

    def rescue(self) -> None:
        """After a failure: bring out what is known, as far as that still works."""
        if self._sharing is not None:
            self._sharing.end()  # the others may be gone, and whoever waited for them would wait for ever
        for save in (self._sampler.release, self._flush, self._keeper.rescue, self._tell_where):
            with suppress(Exception):
                save()

    def _tell_where(self) -> None:
        position = self._position
        self._recorder.progress(position.step, min(position.epoch + 1, self._length.epochs), force=True)

    def _finished(self) -> bool:
        """All steps are done and the epoch that they end in, whole or not, is validated; or the run ends early."""
        if self._position.enough:
            return True
        return self._position.step >= self._length.steps and self._position.batch == 0

    def _obey(self) -> None:
        """Do what is wanted besides training on: change what the plan says, write a checkpoint."""
        self._obeyed = orders = self._control.orders
        position = self._position
        length = self._adjusting.make(orders.adjustment, position, self._length, self._emit)
        self._due = self._adjusting.due(position)
        if length != self._length:
            self._length = length
            position.length = [length.steps, length.epochs]
            self._recorder.lengthen(length.steps, length.epochs)
            if self._averaged is not None:
                self._averaged.go_on()
        if self._keeper.asked(orders):
            self._check()
            self._keeper.save(orders)

    def _train_epoch(self) -> bool:
        """The rest of an epoch's steps. False when something else than training is wanted."""
        position, control, recorder, sampler = self._position, self._control, self._recorder, self._sampler
        scheduler, group = self._parts.scheduler, self._parts.optimizer.param_groups[0]
        updates, look, clock = self._parts.updates, self._sampler.gradients, time.perf_counter
        whole = self._plan.accumulation == 1 and self._sharing is None
        averaged, mixer = self._averaged, self._parts.mixer
        if position.batch == 0:
            self._recent.restart()
        if not control.going():
            return False
        if position.step >= self._length.steps or position.batch >= self._per_epoch:
            return True
        epoch = position.epoch + 1
        for inputs, target in self._parts.train.shuffled(self._plan.seed, epoch, position.batch):
            at_end = position.batch + 1 == self._per_epoch or position.step + 1 == self._length.steps
            now = clock()
            sampled = (at_end or now >= sampler.next_look) and sampler.arm(now, epoch_end=at_end)
            rate = float(group["lr"])
            if mixer is not None:
                inputs, target = mixer(inputs, target)
            if whole:
                loss = updates.step(partial(self._loss, inputs, target), look if sampled else None)
            else:
                first, *more = self._cut(inputs, target)
                loss = updates.step(first, look if sampled else None, more)
            self._recent.keep()
            position.step += 1
            position.batch += 1
            if sampled:
                sampler.collect(position.step)
            if averaged is not None:
                averaged.after_step(position.step)
            if scheduler is not None:
                scheduler.after_step()
            now = clock()
            recorder.step(loss, rate, now)
            if now >= recorder.next_flush:
                self._flush()
                recorder.progress(position.step, epoch)
                if not at_end:
                    self._keeper.tick(self._check)
            if control.orders is not self._obeyed or position.step == self._due:
                self._obey()
            if not control.going():
                return False
            if position.step >= self._length.steps:
                return True
        return True

    def _loss(self, inputs: dict[str, Tensor], target: Tensor, share: Share | None = None) -> Tensor:
        """Loss of a batch, or of a part of one times its share; 0-dimensional."""
        precision = self._parts.precision
        if precision.lowered:
            with precision.autocast():
                output = self._call(**inputs)
                loss = self._parts.criterion.weighed(output, target, share)
        else:
            output = self._call(**inputs)
            loss = self._parts.criterion.weighed(output, target, share)
        self._recent.see(output, target)
        return loss

    def _cut(self, inputs: dict[str, Tensor], target: Tensor) -> list[Forward]:
        """The parts of a batch, whose losses add up to its own."""
        if self._sharing is not None:
            mine = partial(self._run_part, self._sharing, inputs, target)
            return [partial(mine, part) for part in self._sharing.parts(target)]
        cut = pieces(inputs, target, self._plan.accumulation, self._parts.criterion, self._parts.sample)
        seen: list[int] = []

        def run(place: int) -> Tensor:
            piece = cut[place]
            loss = self._loss(piece.inputs, piece.target, piece.share)
            if place + 1 < len(cut) and place not in seen:  # the last is kept after the step, as a whole batch is
                seen.append(place)
                self._recent.keep()
            return loss

        return [partial(run, place) for place in range(len(cut))]

    def _run_part(self, sharing: Sharing, inputs: dict[str, Tensor], target: Tensor, part: Part) -> Tensor:
        """The loss of one of this rank's parts, times its share."""
        self._recent.keep()  # the part before
        rows = {name: value[part.rows] for name, value in inputs.items()}
        with sharing.running(part):
            if any(part.share):
                return self._loss(rows, target[part.rows], part.share)
            with self._parts.precision.autocast():
                return nothing(self._call(**rows))

    def _end_epoch(self) -> bool:
        """Validate, advance the scheduler, checkpoint. False when something else than training is wanted meanwhile."""
        parts, position, averaged = self._parts, self._position, self._averaged
        shown = averaged.module if averaged is not None and averaged.shown else self._module
        values = validate(shown, parts, self._control)
        if values is None:
            return False
        values.update(self._recent.values())
        before, whole = vars(position).copy(), position.batch >= self._per_epoch
        position.epoch += 1
        position.batch = 0
        reason = parts.patience.judge(position, values) if parts.patience is not None else None
        if averaged is not None:
            averaged.after_epoch(position.step)
            if (
                averaged.kind == "swa"
                and averaged.count
                and (position.epoch >= self._length.epochs or self._finished())
            ):
                concluded = self._conclude(averaged, values)
                if concluded is None:
                    vars(position).update(before)
                    return False
                values = concluded
        if reason is not None:
            self._emit(Log(message=reason))
        self._recorder.epoch(position.step, values)
        monitored = values[parts.monitor]
        if parts.scheduler is not None and whole:
            parts.scheduler.after_epoch(monitored if math.isfinite(monitored) else None)
        self._keeper.epoch(monitored, self._plan.checkpoints, self._check)
        if time.perf_counter() >= self._recorder.next_flush:
            self._flush()
            self._recorder.progress(position.step, position.epoch, force=True)
        return True

    def _conclude(self, averaged: Averaged, trained: dict[str, float]) -> dict[str, float] | None:
        """Make the average what the run gives; its values in place of those that were ``trained``. None when something
        else is wanted meanwhile."""
        parts = self._parts
        if not averaged.measure(parts.train, self._plan.seed, parts.precision, self._control):
            return None
        values = validate(averaged.module, parts, self._control)
        if values is None:
            return None
        averaged.conclude()
        told = ", ".join(f"{name} {value:.6g} ({trained[name]:.6g} without it)" for name, value in values.items())
        self._emit(Log(message=f"The average over {averaged.count} epochs is what is kept: {told}."))
        return {**trained, **values}

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

    def contents(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """The module's state and everything else that a resumed run needs."""
        parts, position = self._parts, self._position
        position.elapsed = self._recorder.elapsed
        scheduler, scaler = parts.scheduler, parts.precision.scaler
        averaged = self._averaged
        shown = averaged if averaged is not None and averaged.shown else None
        state = (shown.module if shown is not None else self._module).state_dict()
        own = {"generators": generator_states(parts.device), **self._recent.contents(inside=position.batch > 0)}
        training = {
            "weights": shown.kind if shown is not None else "trained",
            "averaging": averaged.as_dict() if averaged is not None else None,
            "optimizer": parts.optimizer.state_dict(),
            "optimized": self._optimized,
            "scheduler": scheduler.state_dict() if scheduler is not None else None,
            "dial": parts.dial.state_dict(),
            "scaler": scaler.state_dict() if scaler is not None else None,
            "buffers": transient_buffers(self._module, state),
            **own,
            "ranks": parts.ranks.gathered(on_cpu(own)) if parts.ranks.several else [],
            "position": position.as_dict(),
        }
        return state, training

    def _leave(self, wanted: Wanted) -> Outcome:
        position = self._position
        if wanted != "abandon":
            self._check()
            self._sampler.drain(self._emit, last=True)
            self._keeper.save(self._control.orders)
            self._tell_where()
        return Outcome(ENDS[wanted], position.step, position.epoch)


def _describe(
    module: nn.Module, plan: Plan, train: Samples, validation: Samples, device: torch.device, threads: int, ranks: Ranks
) -> str:
    trainable = sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)
    where = torch.cuda.get_device_name(device) if device.type == "cuda" else f"{threads} threads"
    on = f"{ranks.world} × {device.type}, each" if ranks.several else str(device)
    return (
        f"Training {trainable:,} parameters on {on} ({where}), torch {torch.__version__}, {plan.precision}; "
        f"{len(train.targets):,} samples for training, {len(validation.targets):,} for validation."
    )
