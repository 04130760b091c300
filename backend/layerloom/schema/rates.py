"""The search for a learning rate: a short training whose rate rises from step to step, and what its loss was."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from layerloom.schema.problems import Problem
from layerloom.schema.trial import Trial

LOW, HIGH = 1e-7, 10.0
"""The rates that are tried."""


class Beginning(Wire):
    """A checkpoint of a run, whose weights a search begins with, as a fork would: by key, where shapes agree."""

    run: Annotated[str, Field(max_length=64)]
    checkpoint: Annotated[str, Field(pattern=r"^(last|best|[0-9]{1,12})$")] = "last"


class NewRateSearch(Wire):
    """Body of ``POST /api/rates``: what would be trained."""

    document: Document
    plan: Plan
    origin: Beginning | None = None


class RateSearch(Trial):
    """Answer of ``GET /api/rates/{id}``; the columns run parallel, and grow while the search goes on."""

    id: str
    steps: int = 100
    """How many are trained at most: it ends early where the loss has become much worse."""
    rates: list[float] = []
    losses: list[float] = []
    smoothed: list[float] = []
    """The losses without most of the batches' noise."""
    suggestion: float | None = None
    """The rate at which the smoothed loss falls most steeply; None where it does not fall."""
    problems: list[Problem] = []
    """Why it failed, each with the remedy, where the trainer could tell."""
