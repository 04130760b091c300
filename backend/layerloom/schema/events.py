"""Events: a run is the append-only log of these, and everything a viewer sees is a fold of it.

A new kind is added here, to the union at the end; the trainer emits it, the log stores it, and every ``match`` and
``switch`` over the union stops type-checking until it is handled.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.problems import Problem

State = Literal["queued", "starting", "running", "paused", "succeeded", "stopped", "failed", "interrupted"]
LIVE: frozenset[str] = frozenset({"starting", "running"})
ENDED: frozenset[str] = frozenset({"succeeded", "stopped", "failed", "interrupted"})


class _Event(Wire):
    """``run``, ``seq`` (1, 2, 3… without a gap) and ``at`` (Unix seconds, the service's clock) are given by the log.

    On the way from the trainer to the log they are absent.
    """

    run: str = ""
    seq: int = 0
    at: float = 0.0


class StateChanged(_Event):
    """The run entered a state."""

    kind: Literal["state"] = "state"
    state: State
    reason: str = ""
    attempt: int = 0


class Progress(_Event):
    """How far training is. Times in seconds."""

    kind: Literal["progress"] = "progress"
    step: int
    steps: int
    epoch: int
    """1-based: the epoch that is under way, or the last one."""
    epochs: int
    elapsed: float
    eta: float | None = None
    samples_per_second: float | None = None


class Metrics(_Event):
    """Columns: for each step one value per series. A value that is not finite is null, and listed in ``nonfinite``.

    Series names: ``train/loss``, ``train/lr``, ``train/<metric>``, ``validation/loss``, ``validation/<metric>``.
    """

    kind: Literal["metrics"] = "metrics"
    steps: list[int]
    epochs: list[float]
    """Epochs done at each step, with their fraction."""
    times: list[float]
    """Seconds of training at each step."""
    series: dict[str, list[float | None]]
    nonfinite: dict[str, list[int]] = {}
    """By series: the steps whose value is NaN or infinite."""


class ParameterStatistics(_Event):
    """Norms of every parameter at one step; columns run parallel to ``names``."""

    kind: Literal["statistics"] = "statistics"
    step: int
    names: list[str]
    weight_norm: list[float | None]
    gradient_norm: list[float | None]
    update_norm: list[float | None] = []


class Histogram(Wire):
    """Counts between consecutive edges."""

    name: str
    of: Literal["weight", "gradient"]
    edges: list[float]
    counts: list[int]


class Histograms(_Event):
    """Distributions of parameters at one step."""

    kind: Literal["histograms"] = "histograms"
    step: int
    items: list[Histogram]


class Log(_Event):
    """A line for the log panel."""

    kind: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"] = "info"
    message: Annotated[str, Field(max_length=100_000)]


class CheckpointSaved(_Event):
    """A checkpoint was published. ``value`` is the monitored series at that point."""

    kind: Literal["checkpoint"] = "checkpoint"
    step: int
    epoch: int
    path: str
    """Relative to the run's folder, chosen by the trainer from its attempt and step."""
    best: bool = False
    monitor: str = ""
    value: float | None = None


class ProblemFound(_Event):
    """Something went wrong; a failed run ends with one. ``traceback`` is the trainer's own."""

    kind: Literal["problem"] = "problem"
    problem: Problem
    traceback: str = ""


Event = Annotated[
    StateChanged | Progress | Metrics | ParameterStatistics | Histograms | Log | CheckpointSaved | ProblemFound,
    Field(discriminator="kind"),
]
