"""Events: a run is the append-only log of these, and everything a viewer sees is a fold of it.

A new kind is added here, to the union at the end; the trainer emits it, the log stores it, and every ``match`` and
``switch`` over the union stops type-checking until it is handled.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.orders import Adjustment
from layerloom.schema.problems import Problem

State = Literal["queued", "starting", "running", "paused", "succeeded", "stopped", "failed", "interrupted"]
Averaged = Literal["trained", "ema", "swa"]
"""Weights of a checkpoint: those that are trained, or an average of them over the steps or the epochs."""
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
    nonfinite: dict[Literal["weight", "gradient", "update"], list[str]] = {}
    """Parameters whose norm is null because it is NaN or infinite."""


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


class Activations(_Event):
    """Outputs of layers at one step, seen in a sample of the batch; columns run parallel to ``names``."""

    kind: Literal["activations"] = "activations"
    step: int
    names: list[str]
    """Qualified names of layers, in the order in which they ran."""
    mean: list[float | None]
    std: list[float | None]
    zeros: list[float]
    """Share of the values that are exactly zero."""
    units: list[int]
    """Channels or features."""
    dead: list[int]
    """Of them, those that were zero at every place and for every sample."""
    nonfinite: list[str] = []
    """Layers whose mean and deviation are null because a value was NaN or infinite."""


class Image(Wire):
    """Maps of one layer for one sample, as bytes: 0 to 254 from ``low`` to ``high``, 255 for what is not finite."""

    layer: str
    of: Literal["features", "attention"]
    sample: Annotated[int, Field(ge=0)]
    """Place in the validation part."""
    maps: int
    """Channels, or heads of attention: the first ones of ``total``."""
    total: int
    rows: int
    """Height, or the positions that look."""
    columns: int
    """Width, or the positions that are looked at."""
    size: list[int]
    """Rows and columns before they were made smaller to fit."""
    low: float
    high: float
    pixels: Annotated[str, Field(max_length=400_000)]
    """``maps`` × ``rows`` × ``columns`` bytes in base64, row by row."""


class Images(_Event):
    """Feature maps and attention maps at one step."""

    kind: Literal["images"] = "images"
    step: int
    items: list[Image]


Sampled = Literal["norms", "histograms", "activations", "images"]


class Sampling(_Event):
    """What statistics cost, and how often each kind was sampled of late so that they keep to their budget."""

    kind: Literal["sampling"] = "sampling"
    step: int
    budget: float
    """Share of the wall time that they may take."""
    share: float
    """That they took since the last such event."""
    rates: dict[Sampled, float]
    """Samples per second."""
    slowed: list[Sampled] = []
    """Kinds that are taken more rarely than they would be with a larger budget."""
    shed: list[Sampled] = []
    """Kinds that are too dear to be taken once a minute, the dearest first."""


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
    weights: Averaged = "trained"
    answers: int = 0
    """The number of the wish for a checkpoint that this one fulfils; 0 where it was due anyway."""


class Adjusted(_Event):
    """A change of the plan took effect: what comes after ``step`` steps is trained by it."""

    kind: Literal["adjusted"] = "adjusted"
    step: int
    epoch: int
    """Epochs done by then, validation included."""
    adjustment: Adjustment
    """All that differs from the plan by now."""


class ProblemFound(_Event):
    """Something went wrong; a failed run ends with one. ``traceback`` is the trainer's own."""

    kind: Literal["problem"] = "problem"
    problem: Problem
    traceback: str = ""


Bulky = Literal["histograms", "activations", "images", "log"]
"""Kinds of events that take much room, and that an operator may not want kept for long."""


class Thinned(_Event):
    """An event stood here that the operator does not want kept any longer. Given by the service."""

    kind: Literal["thinned"] = "thinned"
    of: Bulky
    """The kind that it had."""


Event = Annotated[
    StateChanged
    | Progress
    | Metrics
    | ParameterStatistics
    | Histograms
    | Activations
    | Images
    | Sampling
    | Log
    | CheckpointSaved
    | Adjusted
    | ProblemFound
    | Thinned,
    Field(discriminator="kind"),
]
