"""Early stopping: a run ends when a series has not improved for some epochs."""

from __future__ import annotations

import math

from layerloom.schema.plan import EarlyStopping
from layerloom.training.position import Position


class Patience:
    """Judges a series after each epoch. What it knows lies in the position, so that a resumed run knows it too."""

    def __init__(self, settings: EarlyStopping, series: str, larger_is_better: bool) -> None:
        self._epochs = settings.patience
        self._change = settings.min_change
        self._sign = 1 if larger_is_better else -1
        self._series = series

    def judge(self, position: Position, values: dict[str, float]) -> str | None:
        """After an epoch of these ``values``: why the run ends here, or None. What is no number is no better."""
        value = values.get(self._series, math.nan)
        if math.isfinite(value) and self._improves(value, position.reached):
            position.reached, position.stale = value, 0
            return None
        position.stale += 1
        if position.stale < self._epochs:
            return None
        position.enough = True
        by = f" by more than {self._change:g}" if self._change else ""
        best = "it never was a number" if position.reached is None else f"the best was {position.reached:.6g}"
        return (
            f"Stopping early after epoch {position.epoch}: {self._series} has not improved{by} in the last "
            f"{position.stale} epochs; {best}."
        )

    def _improves(self, value: float, reached: float | None) -> bool:
        return reached is None or self._sign * (value - reached) > self._change
