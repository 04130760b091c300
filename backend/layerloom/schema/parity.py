"""The parity report of a run: a short training of its plan in several ways, and how far their losses lie apart."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.trial import Trial

WayName = Literal["fp32", "bf16", "devices"]
"""``fp32``: one device in single precision, what the others are held against. ``bf16``: autocast. ``devices``: fp32 on
several devices, batch normalization over all of them."""


class NewParity(Wire):
    """Body of ``POST /api/runs/{id}/parity``."""

    steps: Annotated[int, Field(ge=10, le=1_000, strict=True)] = 100
    devices: Annotated[int, Field(ge=2, le=64, strict=True)] = 2


class ParityWay(Wire):
    """One way of training, and how its losses differ from those of ``fp32``.

    Differences are shares of the mean loss of ``fp32`` over all steps.
    """

    name: WayName
    devices: int = 1
    losses: list[float | None] = []
    """Of each step."""
    seconds: float | None = None
    """Of a step, on average."""
    largest: float | None = None
    """Difference in the step where it is largest."""
    final: float | None = None
    """Difference of the means over the last tenth of the steps."""
    judged: Literal["largest", "final"] | None = None
    """Which of the two the bound is for."""
    bound: float | None = None
    holds: bool | None = None
    message: str = ""
    """Why it could not be trained so."""


class Parity(Trial):
    """Answer of ``GET /api/runs/{id}/parity``; the newest report, kept with the run."""

    steps: int = 0
    random: bool = False
    """The network or the plan draws random numbers as it trains (dropout, mixing): each device draws its own, so that
    several devices are held to a looser bound."""
    ways: list[ParityWay] = []
