"""Writing: one transaction that stores events, folds them into the run's row and tells listeners after the commit."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import orjson
import sqlalchemy as sa
from pydantic import TypeAdapter

from layerloom.schema.events import Adjusted, CheckpointSaved, Event
from layerloom.storage.database import Database
from layerloom.storage.errors import EventRefused, Missing
from layerloom.storage.fold import Status, fold
from layerloom.storage.ids import known_form, label
from layerloom.storage.series.replay import Kept
from layerloom.storage.series.writing import append
from layerloom.storage.tables import checkpoints, events, run_bodies, runs

Listener = Callable[[str, int, list[bytes]], None]
"""Called with run, first ``seq`` and the events as stored, after the commit, in order for each run, by the writing
thread: it must be quick (hand over to an event loop, set a flag) and must not call the store."""

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_CHECKPOINT_PATH = re.compile(r"checkpoints/a(\d{1,9})-s\d{1,18}")
_log = logging.getLogger(__name__)
Row = dict[str, Any]


class Journal:
    """What every part of the store writes through."""

    def __init__(self, database: Database, artifacts: Path) -> None:
        self.database = database
        self.artifacts = artifacts
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of every append in this process; returns the function that ends it."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """All or nothing; listeners hear of it when it is all."""
        published: list[tuple[str, int, list[bytes]]] = []
        with self.database.write(lambda: self._publish(published)) as connection:
            yield Transaction(connection, self.artifacts, published)

    def _publish(self, published: list[tuple[str, int, list[bytes]]]) -> None:
        for run, first, bodies in published:
            for listener in tuple(self._listeners):
                try:
                    listener(run, first, bodies)
                except Exception:  # what is stored is stored: a viewer's failure is not the trainer's
                    _log.exception("a listener of run %s failed", run)


class Transaction:
    """A write in progress."""

    def __init__(
        self, connection: sa.Connection, artifacts: Path, published: list[tuple[str, int, list[bytes]]]
    ) -> None:
        self.connection = connection
        self.now = time.time()
        self._artifacts = artifacts
        self._published = published

    def row(self, run: str) -> Row:
        """The run's row, locked until the end of the transaction; ``Missing``."""
        query = sa.select(runs).where(runs.c.id == known_form(run, "run")).with_for_update()
        found = self.connection.execute(query).mappings().first()
        if found is None:
            raise Missing("there is no such run")
        return dict(found)

    def record(self, row: Row, new: Sequence[Event], **columns: Any) -> list[bytes]:
        """Give events their ``run``, ``seq`` and ``at``, store them, and update the row with them and ``columns``.

        ``row`` becomes what is stored now.
        """
        run, first = row["id"], row["last_seq"] + 1
        stamped = [
            event.model_copy(update={"run": run, "seq": seq, "at": self.now}) for seq, event in enumerate(new, first)
        ]
        status = status_of(row)
        obeyed: dict[str, Any] = {}
        for event in stamped:
            status = fold(status, event)
            if isinstance(event, CheckpointSaved):
                self._checkpoint(run, event)
                # A trainer cannot fulfil more than was wished.
                obeyed["answered"] = max(obeyed.get("answered", row["answered"]), min(event.answers, row["asked"]))
            elif isinstance(event, Adjusted):
                self._adjusted(run, event)
                obeyed["adjusted"] = event.adjustment.number
        changed = {**columns_of(status), "last_seq": row["last_seq"] + len(stamped), **obeyed, **columns}
        bodies = self._store(run, stamped)
        self.connection.execute(runs.update().where(runs.c.id == run).values(changed))
        if status.problem is not None:
            body = status.problem.model_dump_json().encode()
            self.connection.execute(run_bodies.update().where(run_bodies.c.run == run).values(problem=body))
        row.update(changed)
        if bodies:
            self._published.append((run, first, bodies))
        return bodies

    def _store(self, run: str, stamped: Sequence[Event]) -> list[bytes]:
        bodies = [_EVENT.dump_json(event) for event in stamped]
        elsewhere = append(self.connection, run, stamped, bodies)
        rows = [
            {
                "run": run,
                "seq": event.seq,
                "kind": event.kind,
                "at": event.at,
                **elsewhere.get(event.seq, Kept(body, None, None))._asdict(),
            }
            for event, body in zip(stamped, bodies, strict=True)
        ]
        if rows:
            self.connection.execute(events.insert(), rows)
        return bodies

    def _checkpoint(self, run: str, event: CheckpointSaved) -> None:
        match = _CHECKPOINT_PATH.fullmatch(event.path)
        if match is None:
            raise EventRefused("a checkpoint lies in checkpoints/a<attempt>-s<step> of its run")
        attempt, table = int(match[1]), checkpoints
        mine = table.c.run == run
        self._forget_retired(run)
        self.connection.execute(table.delete().where(mine, table.c.attempt == attempt, table.c.step == event.step))
        if event.best:
            self.connection.execute(table.update().where(mine).values(best=False))
        facts = {"epoch": event.epoch, "path": event.path, "best": event.best, "value": event.value}
        facts["weights"] = event.weights
        key = {"run": run, "attempt": attempt, "step": event.step, "monitor": label(event.monitor)}
        self.connection.execute(table.insert().values(**key, **facts, saved_at=self.now))

    def _adjusted(self, run: str, event: Adjusted) -> None:
        mine = run_bodies.c.run == run
        known = self.connection.execute(sa.select(run_bodies.c.adjusted).where(mine)).scalar_one()
        text = orjson.dumps([*orjson.loads(known), event.model_dump(mode="json")]).decode()
        self.connection.execute(run_bodies.update().where(mine).values(adjusted=text))

    def _forget_retired(self, run: str) -> None:
        """Trainers delete all but the last and best files; rows of deleted ones would pile up."""
        query = sa.select(checkpoints.c.path).where(checkpoints.c.run == run)
        paths = self.connection.execute(query).scalars().all()
        gone = [path for path in paths if not is_published(self._artifacts / run / path)]
        if gone:
            self.connection.execute(checkpoints.delete().where(checkpoints.c.run == run, checkpoints.c.path.in_(gone)))


def is_published(folder: Path) -> bool:
    """Whether a checkpoint is there whole: its manifest is the last to be written and the first to be deleted."""
    return (folder / "manifest.json").is_file()


def status_of(row: Row) -> Status:
    """The folded part of a run's row."""
    plain = {name: row[name] for name in ("state", "started_at", "ended_at", "step", "steps", "epoch", "epochs")}
    return Status(**plain, last=orjson.loads(row["last"]), best=orjson.loads(row["best"]))


def columns_of(status: Status) -> dict[str, Any]:
    """The same, as columns."""
    names = ("state", "started_at", "ended_at", "step", "steps", "epoch", "epochs")
    plain = {name: cast(Any, getattr(status, name)) for name in names}
    return {**plain, "last": orjson.dumps(status.last).decode(), "best": orjson.dumps(status.best).decode()}
