"""What is wanted of a run beside going, pausing and stopping.

All of it are levels, not messages: what counts is the newest, it may be told any number of times, and whoever comes
late (a trainer after a crash, a service after a restart) is told the same.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from layerloom.schema.base import Wire

Rate = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Adjustment(Wire):
    """In what a run's plan differs from the one it was started with; None where it does not.

    A rate stands for the one that the plan gives: the schedule and its warm-up keep their shape, and each of their
    rates is multiplied by as much as the plan's. For a schedule that names its own highest rate (OneCycleLR) it is
    that rate that is changed. Groups with a factor follow the optimizer's rate.

    A length counts from the run's beginning. A schedule whose length is the run's (``T_max`` or ``total_steps`` left
    out) goes on as in a run that was planned so long; one with a length of its own stays as it is.
    """

    number: int = 0
    """Rises with each change; 0 is the plan as it was."""
    learning_rate: Rate | None = None
    groups: dict[str, Rate] = {}
    """Rates of parameter groups, by the pattern that the plan gives them."""
    epochs: int | None = None
    steps: int | None = None


class Orders(Wire):
    """What a trainer is told besides what is ``desired``."""

    checkpoint: int = 0
    """The highest number for which a checkpoint is wanted; 0 when none is."""
    adjustment: Adjustment = Adjustment()
