"""What an event means for its run's row: a pure fold, so that the table and the log can never disagree."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final, assert_never

from layerloom.schema.events import (
    ENDED,
    Activations,
    Adjusted,
    CheckpointSaved,
    Event,
    Histograms,
    Images,
    Log,
    Metrics,
    ParameterStatistics,
    ProblemFound,
    Progress,
    Sampling,
    State,
    StateChanged,
    Thinned,
)
from layerloom.schema.problems import Problem

LARGEST: Final = 2**63 - 1
_SMALLER_IS_BETTER = re.compile(r"loss|error|perplexity|distance|divergence|deviance")


@dataclass(frozen=True, slots=True)
class Status:
    """The part of a run's row that events decide."""

    state: State
    started_at: float | None = None
    ended_at: float | None = None
    step: int = 0
    steps: int = 0
    epoch: int = 0
    epochs: int = 0
    last: dict[str, float | None] = field(default_factory=dict)
    best: dict[str, float | None] = field(default_factory=dict)
    problem: Problem | None = None
    """Set by the events folded here; None leaves a stored one as it is."""


def fold(status: Status, event: Event) -> Status:
    """The status after an event that happened at ``event.at``."""
    match event:
        case StateChanged():
            return _entered(status, event.state, event.at)
        case Progress():
            return replace(
                status,
                step=bounded(event.step),
                steps=bounded(event.steps),
                epoch=bounded(event.epoch),
                epochs=bounded(event.epochs),
            )
        case Metrics():
            return _measured(status, event)
        case ProblemFound():
            return replace(status, problem=event.problem) if event.problem.severity == "error" else status
        case (
            ParameterStatistics()
            | Histograms()
            | Activations()
            | Images()
            | Sampling()
            | Log()
            | CheckpointSaved()
            | Adjusted()
            | Thinned()
        ):
            return status
        case _:
            assert_never(event)


def _entered(status: Status, state: State, at: float) -> Status:
    started = at if state == "running" and status.started_at is None else status.started_at
    return replace(status, state=state, started_at=started, ended_at=at if state in ENDED else None)


def _measured(status: Status, event: Metrics) -> Status:
    last, best = dict(status.last), dict(status.best)
    for name, column in event.series.items():
        bad = set(event.nonfinite.get(name, ()))
        pairs = list(zip(event.steps, column, strict=False))
        # A null that is not listed as non-finite stands for "not measured at this step".
        newest = next(((value, step) for step, value in reversed(pairs) if value is not None or step in bad), None)
        if newest is not None:
            last[name] = newest[0]
        values = [value for value in column if value is not None]
        if name.startswith("validation/") and values:
            known = [best[name]] if best.get(name) is not None else []
            best[name] = better(name, [*known, *values])
    return replace(status, last=last, best=best)


def better(series: str, values: list[float | None]) -> float | None:
    """The best of a series' values: the smallest of a loss or an error, the largest of anything else."""
    numbers = [value for value in values if value is not None]
    if not numbers:
        return None
    return min(numbers) if _SMALLER_IS_BETTER.search(series.rpartition("/")[2]) else max(numbers)


def bounded(value: int) -> int:
    """A number that a database holds, whatever a trainer claims."""
    return max(0, min(value, LARGEST))
