"""Opening the store: connect, bring the schema up to date, hand out its rooms."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa

from layerloom.storage.database import Database
from layerloom.storage.journal import Journal
from layerloom.storage.log import EventLog
from layerloom.storage.networks import Networks
from layerloom.storage.queue import Queue
from layerloom.storage.retention import Retention
from layerloom.storage.runs import Runs
from layerloom.storage.series import Series
from layerloom.storage.thinning import Thinning
from layerloom.storage.upgrade import upgrade


class Store:
    """Its rooms share one database; ``artifacts/<run id>`` holds a run's files."""

    def __init__(self, database: Database, artifacts: Path) -> None:
        self._database = database
        self.artifacts = artifacts
        journal = Journal(database, artifacts)
        self.networks = Networks(database)
        self.runs = Runs(journal)
        self.log = EventLog(journal)
        self.series = Series(database)
        self.queue = Queue(journal)
        self.retention = Retention(journal)
        self.thinning = Thinning(database)

    def folder(self, run: str) -> Path:
        """The run's folder."""
        return self.artifacts / run

    def ping(self) -> None:
        """One round trip to the database, for ``/health``; ``StoreBusy`` when it does not answer."""
        with self._database.read() as connection:
            connection.execute(sa.select(1))

    def close(self) -> None:
        """Release every connection."""
        self._database.close()


def open_store(url: str, artifacts: Path) -> Store:
    """Open ``sqlite:///FILE`` or ``postgresql+psycopg://…`` and migrate it to this version's schema.

    Raises ``StoreInUse`` when another process serves the same SQLite file, ``StoreTooNew``, ``StoreBusy``.
    """
    database = Database(url)
    try:
        with database.write() as connection:
            upgrade(connection)
    except BaseException:
        database.close()
        raise
    artifacts = artifacts.resolve()
    artifacts.mkdir(parents=True, exist_ok=True)
    return Store(database, artifacts)
