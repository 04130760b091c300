"""Runs that begin with what another one has learned."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.events import Averaged
from layerloom.schema.plan import Plan

WhyNot = Literal["new", "gone", "shape", "dtype"]
"""Of a key of a state_dict: only the fork has it, only the origin has it, or both have it otherwise."""
WhyFresh = Literal["", "unwanted", "other", "shared", "unknown"]
"""Why no optimizer state goes along: it is not wanted, another optimizer has made it, this one keeps it for all
parameters together, or an older version saved it without names."""


class NewFork(Wire):
    """Body of ``POST /api/runs/{id}/fork``; what is left out is the origin's."""

    checkpoint: Annotated[str, Field(pattern=r"^(last|best|[0-9]{1,12})$")] = "last"
    document: Document | None = None
    plan: Plan | None = None
    name: Annotated[str, Field(max_length=200)] = ""
    optimizer: bool = True
    """Whether the optimizer's state of a parameter goes along with its weights."""


class NotCarried(Wire):
    """A key whose weights do not go along."""

    key: str
    why: WhyNot
    shape: list[int] | None = None
    """In the fork, which begins with its own initial values there."""
    was: list[int] | None = None
    """In the origin."""


class CarryReport(Wire):
    """What of a checkpoint a fork begins with, by keys of the state_dict."""

    step: int
    epoch: int
    weights: Averaged
    """Which weights the checkpoint holds; it is those that are carried."""
    carried: list[str] = []
    left: list[NotCarried] = []
    optimizer: list[str] = []
    """Parameters whose optimizer state goes along."""
    fresh: WhyFresh = ""
    """Why there are none."""
    network: list[str] = []
    """What the fork's network differs in, in English sentences."""


class ForkedFrom(Wire):
    """Where a run was forked from, in a line. The other run may be gone since."""

    run: str
    name: str
    """Its name now, or the last that it had."""
    step: int
    """Of the checkpoint that the fork began with."""


class Origin(Wire):
    """Where a run was forked from. The other run may be gone since: nothing of it is needed any more."""

    run: str
    name: str
    report: CarryReport


class Offspring(Wire):
    """A run that was forked from this one."""

    id: str
    name: str
