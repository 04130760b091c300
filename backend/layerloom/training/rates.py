"""Which learning rate suits a network: a short run whose rate rises from step to step, on a copy of it.

The method is the range test of L. N. Smith, *Cyclical Learning Rates for Training Neural Networks*, WACV 2017
(arXiv:1506.01186): the rate rises from step to step until the loss grows, here by equal factors. Suggested is the rate
at which the smoothed loss falls most steeply over the logarithm of the rate, below the one where it is smallest.
"""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from torch import Tensor, nn

from layerloom.schema.plan import Plan
from layerloom.schema.problems import ProblemCode
from layerloom.training.accumulating import Piece, pieces
from layerloom.training.batches import Batch, Batches, Samples
from layerloom.training.criterion import Task
from layerloom.training.device import choose_device, set_threads
from layerloom.training.failure import TrainingError
from layerloom.training.groups import freeze
from layerloom.training.position import generator_states, seed_generators, set_generator_states
from layerloom.training.setup import Parts, assemble

SMOOTHING = 0.9
"""Share of a smoothed loss that the earlier ones have."""
WORSE = 4.0
"""The test ends where the smoothed loss is so many times the smallest one."""
SETTLED = 10
"""Steps after which the smoothed loss tells more of the network than of a single batch."""
FALL = 0.9
"""A smallest loss above this share of the one at the beginning is no fall."""


@dataclass(frozen=True)
class RateCurve:
    """Losses against learning rates; columns run parallel."""

    rates: list[float]
    losses: list[float]
    smoothed: list[float]
    """The same losses without most of the batches' noise."""
    suggestion: float | None
    """The rate at which the smoothed loss falls most steeply; None where it does not fall."""


def find_rate(
    module: nn.Module,
    plan: Plan,
    train: Samples,
    *,
    task: Task,
    classes: int = 0,
    low: float = 1e-7,
    high: float = 10.0,
    steps: int = 100,
    watch: Callable[[RateCurve], None] | None = None,
) -> RateCurve:
    """Train a copy of ``module`` for ``steps`` steps, whose rates rise by equal factors from ``low`` to ``high``.

    The plan's optimizer, groups (which keep their ratios), loss, clipping, mixing and accumulation are used, and its
    schedule is not; one device computes, in single precision where the plan leaves the precision open. The test ends
    early where the loss has become ``WORSE``. ``watch`` is given the curve so far after each step, without a
    suggestion. Nothing of the module changes, and every generator goes on where it was.

    Raises:
        ValueError: the rates do not rise, or there are fewer than two steps.
        TrainingError: the plan does not fit the module and the data.
    """
    if not 0 < low < high or not math.isfinite(high) or steps < 2:
        raise ValueError("The rates rise from a low one above zero to a high one, in two steps or more.")
    set_threads(plan)
    device = choose_device(plan.device)
    short = {"steps": steps, "epochs": None, "scheduler": None, "warmup": 0, "averaging": None, "early_stopping": None}
    states = generator_states(device)
    try:
        ours = _copied(module).to(device)
        freeze(ours, plan.groups)
        parts = assemble(ours, plan.model_copy(update=short), train, train, task, classes, device)
        seed_generators(plan.seed)
        ours.train()
        rates = [low * (high / low) ** (step / (steps - 1)) for step in range(steps)]
        curve = RateCurve([], [], [], None)
        for curve in _risen(ours, parts, rates, plan):
            if watch is not None:
                watch(curve)
    finally:
        set_generator_states(states, device)
    return replace(curve, suggestion=_steepest(curve.rates, curve.smoothed))


def _risen(module: nn.Module, parts: Parts, rates: list[float], plan: Plan) -> Iterator[RateCurve]:
    """The curve after each step at these rates, as far as they are worth going."""
    optimizer, own = parts.optimizer, parts.optimizer.defaults["lr"]
    ratios = [float(group["lr"] / own) if own else 1.0 for group in optimizer.param_groups]
    losses: list[float] = []
    smoothed: list[float] = []
    average = 0.0
    for rate, (inputs, target) in zip(rates, _endless(parts.train, plan.seed), strict=False):
        for group, ratio in zip(optimizer.param_groups, ratios, strict=True):
            group["lr"] = rate * ratio
        if parts.mixer is not None:
            inputs, target = parts.mixer(inputs, target)
        cut = pieces(inputs, target, plan.accumulation, parts.criterion, parts.sample)
        first, *more = [partial(_loss, module, parts, piece) for piece in cut]
        loss = float(parts.updates.step(first, more=more))
        if not math.isfinite(loss):
            break
        losses.append(loss)
        average = SMOOTHING * average + (1 - SMOOTHING) * loss
        smoothed.append(average / (1 - SMOOTHING ** len(losses)))
        yield RateCurve(rates[: len(losses)], [*losses], [*smoothed], None)
        if smoothed[-1] > WORSE * min(smoothed):
            break


def _loss(module: nn.Module, parts: Parts, piece: Piece) -> Tensor:
    with parts.precision.autocast():
        return parts.criterion.weighed(module(**piece.inputs), piece.target, piece.share)


def _endless(batches: Batches, seed: int) -> Iterator[Batch]:
    for epoch in itertools.count(1):
        yield from batches.shuffled(seed, epoch)


def _steepest(rates: list[float], smoothed: list[float]) -> float | None:
    rates, smoothed = rates[SETTLED:], smoothed[SETTLED:]
    lowest = int(np.argmin(smoothed)) if smoothed else 0
    if lowest < 2 or smoothed[lowest] > FALL * smoothed[0]:
        return None
    slopes = np.gradient(smoothed[: lowest + 1], np.log(rates[: lowest + 1]))
    return rates[int(np.argmin(slopes))]


def _copied(module: nn.Module) -> nn.Module:
    try:
        return copy.deepcopy(module)
    except (RuntimeError, TypeError) as error:
        raise TrainingError(
            ProblemCode.PLAN_INVALID, f"The network cannot be copied, so no rate can be tried on it: {error}"
        ) from error
