"""What the store hands out beyond the wire types: for the dispatcher, the trainers' channel and downloads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layerloom.schema.document import Document
from layerloom.schema.events import Adjusted, Averaged, State
from layerloom.schema.fork import CarryReport
from layerloom.schema.orders import Orders
from layerloom.schema.plan import Plan
from layerloom.schema.run import Desired


@dataclass(frozen=True, slots=True)
class Added:
    """A run in the queue. ``new`` is false when its Idempotency-Key had made it before."""

    run: str
    new: bool


@dataclass(frozen=True, slots=True)
class Appended:
    """Answer to a trainer's delivery. ``events`` are those that were new, stamped, as stored."""

    received: int
    """Highest number of the attempt that is stored."""
    desired: Desired
    orders: Orders
    events: list[bytes]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queued run, as much of it as an executor needs to say whether there is room."""

    run: str
    device: str
    """As in the plan: ``auto``, ``cpu``, ``mps``, ``cuda``, ``cuda:1``."""
    threads: int | None
    devices: int = 1


@dataclass(frozen=True, slots=True)
class Claim:
    """A run taken from the queue for one attempt, with the only copy of that attempt's token."""

    run: str
    attempt: int
    token: str
    document: Document
    plan: Plan
    resume: str | None
    """Checkpoint to go on from, relative to the run's folder."""
    origin: CarryReport | None
    """What the run begins with of another one's checkpoint."""
    adjusted: list[Adjusted]
    """Changes of the plan that took effect in earlier attempts."""
    orders: Orders


@dataclass(frozen=True, slots=True)
class Live:
    """A run that a trainer should be working on."""

    run: str
    attempt: int
    state: State
    desired: Desired
    handle: str | None
    """None between claim and start."""
    received: int
    """Events of this attempt so far."""
    step: int


@dataclass(frozen=True, slots=True)
class Saved:
    """A published checkpoint on disk."""

    step: int
    epoch: int
    attempt: int
    folder: Path
    """Absolute; holds ``state.pt``, ``training.pt`` and ``manifest.json``."""
    best: bool
    last: bool
    monitor: str
    value: float | None
    weights: Averaged
    saved_at: float
