"""What passes between the service and a trainer: the job it is given, and the channel it reports on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from layerloom.schema.base import Wire
from layerloom.schema.document import Document
from layerloom.schema.events import Adjusted, Event
from layerloom.schema.fork import CarryReport
from layerloom.schema.orders import Orders
from layerloom.schema.parity import NewParity
from layerloom.schema.plan import Plan
from layerloom.schema.run import Desired


class Job(Wire):
    """``job.json`` in the attempt's folder: everything that a trainer knows. It holds no credential but its own."""

    run: str
    attempt: int = 1
    document: Document
    plan: Plan
    folder: str
    """The run's folder; checkpoints go to ``checkpoints/a<attempt>-s<step>/`` below it."""
    data_folder: str
    """Where uploads and downloaded data sets lie."""
    address_file: str = ""
    """Holds the service's present URL; read anew at every reconnect, because the service may come back elsewhere. Empty
    where there is no service: whoever started the trainer reads its spool."""
    token: str = ""
    """Valid for this run and attempt only; empty where there is no service."""
    python: bool = False
    """Code that the document carries may be run: the server was started so."""
    downloads: bool = True
    """Data sets whose files are not here may be downloaded."""
    resume: str | None = None
    """Checkpoint to go on from, relative to ``folder``."""
    parity: NewParity | None = None
    """Not a run, but a report of how its plan trains in several ways."""
    rates: bool = False
    """Not a run, but a search for a learning rate."""
    origin: CarryReport | None = None
    """What an attempt without ``resume`` begins with of another run's checkpoint, which lies in ``origin/``."""
    adjusted: list[Adjusted] = []
    """Changes that took effect in earlier attempts, each at its step: what is done again is done as it was."""
    orders: Orders = Orders()
    """What is wanted as the attempt begins."""


class Numbered(Wire):
    """An event and its number in the trainer's own spool, 1, 2, 3… within the attempt."""

    number: int
    event: Event


class Delivery(Wire):
    """Body of ``POST /api/worker/runs/{id}/events``. Sending the same numbers again changes nothing."""

    attempt: int
    events: Annotated[list[Numbered], Field(max_length=10_000)]


class Receipt(Wire):
    """Answer to a delivery; an attempt that is not the newest gets 409 ``fenced`` instead, and must leave."""

    received: int
    """Highest number of this attempt that is stored."""
    desired: Desired
    watched: bool = False
    """Whether somebody follows the run live: then its trainer reports more often."""
    orders: Orders = Orders()
