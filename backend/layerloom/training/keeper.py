"""Which checkpoints are written when, and which are kept: the newest two, the best, and what the plan wants kept."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from layerloom.schema.events import CheckpointSaved, Log
from layerloom.schema.orders import Orders
from layerloom.schema.plan import CheckpointPolicy
from layerloom.training.checkpoints import CheckpointStore, Contents, on_cpu
from layerloom.training.failure import TrainingError
from layerloom.training.position import Best, Position
from layerloom.training.recorder import Emit

SHARE = 0.02
"""Of the wall time that checkpoints may take while epochs are short."""
LONGEST = 60.0
"""Seconds of training that a crash may cost, at most."""
RECENT = 2

State = Callable[[], tuple[dict[str, Any], dict[str, Any]]]


class Keeper:
    """Decides after each epoch, and in long epochs each minute, whether a checkpoint is due.

    The best state is copied in memory when it would be too early to write it, and written with the next checkpoint.
    """

    def __init__(
        self,
        store: CheckpointStore,
        emit: Emit,
        monitor: str,
        larger_is_better: bool,
        contents: State,
        decided: Callable[[bool], bool] = bool,
    ) -> None:
        """``decided`` is asked about everything that hangs on the clock: several processes have to be of one mind."""
        self._store = store
        self._emit = emit
        self._monitor = monitor
        self._larger = larger_is_better
        self._state = contents
        self._decided = decided
        self._waiting: Contents | None = None
        self._monitored: tuple[int, float] | None = None
        self._next = 0.0
        self._latest = time.monotonic() + LONGEST
        self._written = ""
        self._former_best = ""
        self._told: CheckpointSaved | None = None
        self._answered = 0
        self.position = Position()

    def load(self, path: str) -> Contents:
        """The checkpoint at ``path``; if its bytes have changed, the newest earlier one that is whole.

        Raises:
            TrainingError: there is none.
        """
        for candidate in (path, *self._store.earlier(path)):
            try:
                contents = self._store.load(candidate)
            except TrainingError as error:
                self._emit(Log(level="warning", message=str(error)))
                continue
            self._take_over(candidate, contents)
            return contents
        return self._store.load(path)

    def epoch(self, monitored: float, policy: CheckpointPolicy, check: Callable[[], None]) -> None:
        """After an epoch: judge it, and write what is due. ``check`` raises where the state is not worth keeping."""
        position, now = self.position, time.monotonic()
        self._monitored = (position.step, monitored)
        improved = math.isfinite(monitored) and self._improves(monitored)
        kept = policy.keep_every is not None and position.epoch % policy.keep_every == 0
        due = now >= self._latest or (position.epoch % policy.every_epochs == 0 and now >= self._next)
        due = self._decided(kept or due)
        if improved or due:
            check()
        if improved:
            path = self._store.path(position.step)
            position.best = Best(monitored, position.step, position.epoch, path)
            self._waiting = None if due else self._snapshot()
        if kept:
            position.kept = [*position.kept, self._store.path(position.step)]
        if due:
            self.save()

    def tick(self, check: Callable[[], None]) -> None:
        """In the middle of an epoch: write when the last checkpoint is a minute old."""
        if self._decided(time.monotonic() >= self._latest):
            check()
            self.save()

    def asked(self, orders: Orders) -> bool:
        """Whether somebody waits for a checkpoint."""
        return orders.checkpoint > self._answered

    def save(self, orders: Orders | None = None) -> None:
        """Publish the best state, if it waits, and the present one; delete what neither is nor was just before.

        One that somebody waits for is kept for good.
        """
        began = time.monotonic()
        position = self.position
        self.rescue()
        path = self._store.path(position.step)
        answers = orders.checkpoint if orders is not None and self.asked(orders) else 0
        if answers and path not in position.kept:
            position.kept = [*position.kept, path]
        if self._written != path:
            best = position.best is not None and position.best.path == path
            self._publish(self._contents(), best=best, answers=answers)
        elif answers and self._told is not None:
            self._emit(self._told.model_copy(update={"answers": answers}))
        self._answered = max(self._answered, answers)
        # What the service still names may be asked for until it has heard of the new one.
        best_path = position.best.path if position.best else ""
        self._store.retire({*position.recent, *position.kept, best_path, self._former_best})
        self._former_best = best_path
        now = time.monotonic()
        self._next = now + (now - began) / SHARE
        self._latest = max(now + LONGEST, self._next)

    def rescue(self) -> None:
        """Publish the best state if it waits: all that a failed run can still give."""
        if self._waiting is not None:
            self._publish(self._waiting, best=True)
            self._waiting = None

    def _publish(self, contents: Contents, *, best: bool, answers: int = 0) -> None:
        position = self.position
        path = self._store.write(contents)
        self._written = path
        position.recent = [*(known for known in position.recent if known != path), path][-RECENT:]
        value = position.best.value if best and position.best else self._value(contents.step)
        epoch = position.best.epoch if best and position.best else position.epoch
        self._told = CheckpointSaved(
            step=contents.step,
            epoch=epoch,
            path=path,
            best=best,
            monitor=self._monitor,
            value=value,
            weights=contents.training.get("weights", "trained"),
        )
        self._emit(self._told.model_copy(update={"answers": answers}))

    def _value(self, step: int) -> float | None:
        if self._monitored is None or self._monitored[0] != step or not math.isfinite(self._monitored[1]):
            return None
        return self._monitored[1]

    def _snapshot(self) -> Contents:
        contents = self._contents()
        return Contents(contents.step, on_cpu(contents.state), on_cpu(contents.training))

    def _contents(self) -> Contents:
        state, training = self._state()
        return Contents(self.position.step, state, training)

    def _improves(self, value: float) -> bool:
        best = self.position.best
        if best is None:
            return True
        return value > best.value if self._larger else value < best.value

    def _take_over(self, path: str, contents: Contents) -> None:
        restored = Position.from_dict(contents.training["position"])
        if restored.best is not None and not self._store.exists(restored.best.path):
            # It was never written, so it cannot be downloaded: the next validation is the best again.
            restored.best = None
        restored.recent = [*(known for known in restored.recent if known != path), path][-RECENT:]
        vars(self.position).update(vars(restored))
