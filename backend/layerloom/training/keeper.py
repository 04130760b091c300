"""Which checkpoints are written when, and which are kept: the newest two and the best."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from layerloom.schema.events import CheckpointSaved, Log
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
        self, store: CheckpointStore, emit: Emit, monitor: str, larger_is_better: bool, contents: State
    ) -> None:
        self._store = store
        self._emit = emit
        self._monitor = monitor
        self._larger = larger_is_better
        self._state = contents
        self._waiting: Contents | None = None
        self._monitored: tuple[int, float] | None = None
        self._next = 0.0
        self._latest = time.monotonic() + LONGEST
        self._written = ""
        self._former_best = ""
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

    def epoch(self, monitored: float, every: int, check: Callable[[], None]) -> None:
        """After an epoch: judge it, and write what is due. ``check`` raises where the state is not worth keeping."""
        position, now = self.position, time.monotonic()
        self._monitored = (position.step, monitored)
        improved = math.isfinite(monitored) and self._improves(monitored)
        due = now >= self._latest or (position.epoch % every == 0 and now >= self._next)
        if improved or due:
            check()
        if improved:
            path = self._store.path(position.step)
            position.best = Best(monitored, position.step, position.epoch, path)
            self._waiting = None if due else self._snapshot()
        if due:
            self.save()

    def tick(self, check: Callable[[], None]) -> None:
        """In the middle of an epoch: write when the last checkpoint is a minute old."""
        if time.monotonic() >= self._latest:
            check()
            self.save()

    def save(self) -> None:
        """Publish the best state, if it waits, and the present one; delete what neither is nor was just before."""
        began = time.monotonic()
        position = self.position
        self.rescue()
        path = self._store.path(position.step)
        if self._written != path:
            best = position.best is not None and position.best.path == path
            self._publish(self._contents(), best=best)
        # What the service still names may be asked for until it has heard of the new one.
        best_path = position.best.path if position.best else ""
        self._store.retire({*position.recent, best_path, self._former_best})
        self._former_best = best_path
        now = time.monotonic()
        self._next = now + (now - began) / SHARE
        self._latest = max(now + LONGEST, self._next)

    def rescue(self) -> None:
        """Publish the best state if it waits: all that a failed run can still give."""
        if self._waiting is not None:
            self._publish(self._waiting, best=True)
            self._waiting = None

    def _publish(self, contents: Contents, *, best: bool) -> None:
        position = self.position
        path = self._store.write(contents)
        self._written = path
        position.recent = [*(known for known in position.recent if known != path), path][-RECENT:]
        value = position.best.value if best and position.best else self._value(contents.step)
        epoch = position.best.epoch if best and position.best else position.epoch
        self._emit(
            CheckpointSaved(step=contents.step, epoch=epoch, path=path, best=best, monitor=self._monitor, value=value)
        )

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
