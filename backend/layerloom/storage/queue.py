"""The dispatcher's side of the store: queue, claims, fencing, retries. What runs the processes owns none of it."""

from __future__ import annotations

import secrets
import time
from typing import Any, cast

import orjson
import sqlalchemy as sa

from layerloom.schema.document import Document
from layerloom.schema.events import LIVE, Adjusted, Event, ProblemFound, State, StateChanged
from layerloom.schema.fork import Origin
from layerloom.schema.plan import Plan
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.storage.journal import Journal, Row, Transaction
from layerloom.storage.log import token_hash
from layerloom.storage.orders import orders_of
from layerloom.storage.records import Claim, Live, Waiting
from layerloom.storage.runs import newest_checkpoint
from layerloom.storage.tables import attempts, run_bodies, runs

RETRIES = 3
_BACKOFF_S = 1.0


class Queue:
    """Attempt numbers are the fencing token: they rise on every claim and whenever a loss is declared."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def waiting(self, limit: int = 64) -> list[Waiting]:
        """Queued runs whose time has come, oldest first."""
        query = _ready(time.time(), limit, runs.c.id, runs.c.device, runs.c.threads, run_bodies.c.plan)
        query = query.join(run_bodies, run_bodies.c.run == runs.c.id)
        with self._journal.database.read() as connection:
            rows = connection.execute(query).all()
        return [Waiting(row.id, row.device, row.threads, orjson.loads(row.plan).get("devices", 1)) for row in rows]

    def claim(self, limit: int, only: str | None = None) -> list[Claim]:
        """Take up to ``limit`` queued runs, or that one alone: attempt raised, fresh token, state ``starting``.

        No run is ever given twice, however many dispatchers ask.
        """
        if limit <= 0:
            return []
        with self._journal.transaction() as transaction:
            query = _ready(transaction.now, limit, runs).with_for_update(skip_locked=True)
            query = query if only is None else query.where(runs.c.id == only)
            rows = transaction.connection.execute(query).mappings().all()
            return [self._take(transaction, dict(row)) for row in rows]

    def _take(self, transaction: Transaction, row: Row) -> Claim:
        run, attempt, token = row["id"], row["attempt"] + 1, secrets.token_urlsafe(32)
        transaction.connection.execute(
            attempts.insert().values(run=run, attempt=attempt, token_hash=token_hash(token), handle=None)
        )
        transaction.record(row, [StateChanged(state="starting", attempt=attempt)], attempt=attempt)
        body = transaction.connection.execute(sa.select(run_bodies).where(run_bodies.c.run == run)).mappings().one()
        saved = newest_checkpoint(transaction.connection, self._journal.artifacts, run)
        return Claim(
            run=run,
            attempt=attempt,
            token=token,
            document=Document.model_validate_json(body["document"]),
            plan=Plan.model_validate_json(body["plan"]),
            resume=None if saved is None else saved.folder.relative_to(self._journal.artifacts / run).as_posix(),
            origin=None if body["origin"] is None else Origin.model_validate_json(body["origin"]).report,
            adjusted=[Adjusted.model_validate(one) for one in orjson.loads(body["adjusted"])],
            orders=orders_of(row),
        )

    def set_handle(self, run: str, attempt: int, handle: str) -> None:
        """Remember the executor's handle of an attempt."""
        mine = sa.and_(attempts.c.run == run, attempts.c.attempt == attempt)
        with self._journal.transaction() as transaction:
            transaction.connection.execute(attempts.update().where(mine).values(handle=handle))

    def live(self) -> list[Live]:
        """Runs that are ``starting`` or ``running``."""
        query = sa.select(
            runs.c.id,
            runs.c.attempt,
            runs.c.state,
            runs.c.desired,
            attempts.c.handle,
            attempts.c.received,
            runs.c.step,
        ).join(attempts, sa.and_(attempts.c.run == runs.c.id, attempts.c.attempt == runs.c.attempt))
        query = query.where(runs.c.state.in_(LIVE)).order_by(runs.c.created_at, runs.c.id)
        with self._journal.database.read() as connection:
            return [Live(*row) for row in connection.execute(query)]

    def lost(
        self, run: str, attempt: int, why: str, *, crash: bool = True, seen: bool = True, traceback: str = ""
    ) -> State | None:
        """The attempt ended without a last word: fence it, then obey the user's wish, or requeue, or give up.

        ``crash`` counts towards the limit of three retries. With the limit reached the run becomes ``failed`` with
        ``trainer_lost``, or ``interrupted``, which the user may resume, when nobody has ``seen`` how it ended (the
        machine was restarted, perhaps). Returns the new state, or None when the attempt was not live any more.
        """
        with self._journal.transaction() as transaction:
            row = _held(transaction, run, attempt)
            if row is None:
                return None
            crashes = row["crashes"] + crash
            said = _verdict(row, crashes, why, seen, traceback)
            wait = _BACKOFF_S * 2 ** (crashes - 1) if crash else 0.0
            # Raised here too: a trainer that only seemed dead is fenced from now on, not from the next claim.
            columns: dict[str, Any] = {"attempt": attempt + 1, "crashes": crashes, "not_before": transaction.now + wait}
            transaction.record(row, said, **columns)
            return cast(State, row["state"])

    def fail(self, run: str, attempt: int, problem: Problem, traceback: str = "") -> bool:
        """End the attempt as ``failed`` for good, fenced; False when the attempt was not live any more."""
        with self._journal.transaction() as transaction:
            row = _held(transaction, run, attempt)
            if row is None:
                return False
            said: list[Event] = [
                ProblemFound(problem=problem, traceback=traceback),
                StateChanged(state="failed", reason=problem.message, attempt=attempt),
            ]
            transaction.record(row, said, attempt=attempt + 1)
            return True


def _ready(now: float, limit: int, *columns: Any) -> sa.Select[Any]:
    query = sa.select(*columns).where(runs.c.state == "queued", runs.c.not_before <= now)
    return query.order_by(runs.c.created_at, runs.c.id).limit(limit)


def _held(transaction: Transaction, run: str, attempt: int) -> Row | None:
    row = transaction.row(run)
    return row if row["attempt"] == attempt and row["state"] in LIVE else None


def _verdict(row: Row, crashes: int, why: str, seen: bool, traceback: str) -> list[Event]:
    """What becomes of a run whose attempt is gone: what the user wants, another attempt, or the end."""
    if row["desired"] != "run":
        state: State = "stopped" if row["desired"] == "stop" else "paused"
        return [StateChanged(state=state, reason=f"The trainer {why}.", attempt=row["attempt"])]
    if crashes <= RETRIES:
        reason = f"The trainer {why}; it goes on from the last checkpoint."
        reason += f" This was crash {crashes} of at most {RETRIES}." if crashes > row["crashes"] else ""
        return [StateChanged(state="queued", reason=reason, attempt=row["attempt"])]
    problem = Problem(
        code=ProblemCode.TRAINER_LOST,
        message=f"The trainer was lost {crashes} times; the last time it {why}. What it saved can be downloaded.",
        data={"why": why, "crashes": crashes},
    )
    end: State = "failed" if seen else "interrupted"
    return [
        ProblemFound(problem=problem, traceback=traceback),
        StateChanged(state=end, reason=problem.message, attempt=row["attempt"]),
    ]
