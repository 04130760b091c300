"""Opening the store: connect, bring the schema up to date, hand out its four rooms."""

from __future__ import annotations

from pathlib import Path

from layerloom.storage.log import EventLog
from layerloom.storage.networks import Networks
from layerloom.storage.queue import Queue
from layerloom.storage.runs import Runs


class Store:
    """``networks``, ``runs``, ``log`` and ``queue`` share one database; ``artifacts/<run id>`` holds a run's files."""

    networks: Networks
    runs: Runs
    log: EventLog
    queue: Queue
    artifacts: Path

    def folder(self, run: str) -> Path:
        """The run's folder."""
        return self.artifacts / run

    def ping(self) -> None:
        """One round trip to the database, for ``/health``; ``StoreBusy`` when it does not answer."""
        ...

    def close(self) -> None:
        """Release every connection."""
        ...


def open_store(url: str, artifacts: Path) -> Store:
    """Open ``sqlite:///FILE`` or ``postgresql+psycopg://…`` and migrate it to this version's schema.

    Raises ``StoreInUse`` when another process serves the same SQLite file, ``StoreTooNew``, ``StoreBusy``.
    """
    ...
