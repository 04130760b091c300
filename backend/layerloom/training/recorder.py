"""Metrics as columns, gathered without reading a single value back from the device until a flush."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from layerloom.schema.events import Metrics, Progress
from layerloom.schema.problems import ProblemCode
from layerloom.training.failure import TrainingError

Emit = Callable[[Any], None]
FLUSH_SECONDS = 0.1
"""Time between flushes; a step that takes longer is flushed at once."""
WATCHED_SECONDS = 0.035
"""The same while somebody watches: a flush costs the loop its time, and only a viewer sees the difference."""
LONG_STEP = 0.02
"""Seconds of a step that is told at once while somebody watches."""
PROGRESS_SECONDS = 0.2
RATE_SECONDS = 2.0
"""How far back one looks for the speed of training: two looks may lie so near to each other, or have so long a pause
between them (a checkpoint, a validation), that what was done meanwhile says little."""
MOMENT_DIGITS = 6
"""Of a step's time in seconds: clocks tell no more, and digits cost text."""


class Recorder:
    """Columns of losses and learning rates by step, and rows of epoch values, on their way to ``emit``."""

    def __init__(
        self,
        emit: Emit,
        *,
        steps: int,
        steps_per_epoch: int,
        epochs: int,
        samples_per_step: float,
        watched: Callable[[], bool] = lambda: False,
    ) -> None:
        self._emit = emit
        self._watched = watched
        self._total = (steps, steps_per_epoch, epochs)
        self._samples_per_step = samples_per_step
        self._losses: list[Tensor] = []
        self._rates: list[float] = []
        self._times: list[float] = []
        self._rows: list[tuple[int, float, dict[str, float]]] = []
        self._first_step = 1
        self._start = time.perf_counter()
        self._before = 0.0
        self._begin_step = 0
        self._marks: deque[tuple[float, int]] = deque()
        """When progress was told, and after which step; the first may lie further back than is looked."""
        self.next_flush = self._start
        self._last = self._start

    def resume(self, step: int, elapsed: float) -> None:
        """Go on after ``step`` steps that took ``elapsed`` seconds."""
        self._first_step = step + 1
        self._begin_step = step
        self._before = elapsed

    def lengthen(self, steps: int, epochs: int) -> None:
        """The run is to have so many of both."""
        self._total = (steps, self._total[1], epochs)

    @property
    def elapsed(self) -> float:
        """Seconds of training, earlier attempts included."""
        return self._before + time.perf_counter() - self._start

    def step(self, loss: Tensor, rate: float, now: float) -> None:
        """Keep one step's loss (0-dimensional, on its device) and learning rate; ``now`` is ``perf_counter()``."""
        self._losses.append(loss)
        self._rates.append(rate)
        self._times.append(now)
        if now - self._last > LONG_STEP and self._watched():
            self.next_flush = now
        self._last = now

    def epoch(self, step: int, values: dict[str, float]) -> None:
        """Keep values that stand for a whole epoch."""
        self._rows.append((step, self.elapsed, values))

    def flush(self) -> None:
        """Emit what is kept.

        Raises:
            TrainingError: ``diverged``, when a loss is NaN or infinite; it is emitted first.
        """
        broken = self._flush_steps()
        self._flush_rows()
        self.next_flush = time.perf_counter() + (WATCHED_SECONDS if self._watched() else FLUSH_SECONDS)
        if broken is not None:
            raise TrainingError(
                ProblemCode.DIVERGED,
                f"The loss became NaN or infinite at step {broken}. A smaller learning rate, gradient clipping or "
                "another initialization would help.",
                step=broken,
            )

    def progress(self, step: int, epoch: int, *, force: bool = False) -> None:
        """Emit how far training is; at most five times a second unless forced."""
        now = time.perf_counter()
        if not force and self._marks and now - self._marks[-1][0] < PROGRESS_SECONDS:
            return
        marks = self._marks
        while len(marks) > 1 and now - marks[1][0] >= RATE_SECONDS:
            marks.popleft()
        then, before = marks[0] if marks else (self._start, self._begin_step)
        marks.append((now, step))
        steps, _per_epoch, epochs = self._total
        done, spent = step - self._begin_step, now - self._start
        recent = (step - before) / (now - then) if step > before and now > then else None
        average = done / spent if done > 0 and spent > 0 else None
        rate = recent or average
        self._emit(
            Progress(
                step=step,
                steps=steps,
                epoch=epoch,
                epochs=epochs,
                elapsed=self._before + spent,
                # The average knows of validation and checkpoints, the recent rate does not.
                eta=(steps - step) / average if average else None,
                samples_per_second=rate * self._samples_per_step if rate else None,
            )
        )

    def _flush_steps(self) -> int | None:
        if not self._losses:
            return None
        losses = self._column().tolist()
        steps = range(self._first_step, self._first_step + len(losses))
        times = (np.array(self._times) + (self._before - self._start)).round(MOMENT_DIGITS).tolist()
        columns = {"train/loss": losses, "train/lr": self._rates}
        # Asked of all at once, because a flush looks at each number of each step.
        finite = math.isfinite(sum(losses)) and math.isfinite(sum(self._rates))
        broken = {} if finite else nonfinite(list(steps), columns)
        self._emit_columns(list(steps), times, columns, broken)
        self._first_step += len(losses)
        self._losses, self._rates, self._times = [], [], []
        return broken["train/loss"][0] if "train/loss" in broken else None

    def _column(self) -> Tensor:
        """The losses of the steps since the last flush."""
        return torch.stack(self._losses)

    def _flush_rows(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            columns = {name: [values[name] for _, _, values in rows] for name in rows[0][2]}
            steps = [step for step, _, _ in rows]
            self._emit_columns(steps, [moment for _, moment, _ in rows], columns, nonfinite(steps, columns))

    def _emit_columns(
        self, steps: list[int], times: list[float], columns: dict[str, list[float]], broken: dict[str, list[int]]
    ) -> None:
        series: dict[str, Any] = dict(columns)
        for name in broken:
            series[name] = [value if math.isfinite(value) else None for value in columns[name]]
        epochs = (np.array(steps) / self._total[1]).tolist()
        # The numbers are our own: to validate them would cost as much as all the rest.
        self._emit(
            Metrics.model_construct(
                run="",
                seq=0,
                at=0.0,
                kind="metrics",
                steps=steps,
                epochs=epochs,
                times=times,
                series=series,
                nonfinite=broken,
            )
        )


def nonfinite(steps: list[int], columns: dict[str, list[float]]) -> dict[str, list[int]]:
    """By series: the steps whose value is NaN or infinite; none for a series of numbers."""
    found = {
        name: [step for step, value in zip(steps, values, strict=True) if not math.isfinite(value)]
        for name, values in columns.items()
    }
    return {name: bad for name, bad in found.items() if bad}
