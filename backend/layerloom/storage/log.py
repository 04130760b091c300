"""The event log: what a trainer delivers is stamped, stored and folded into the run's row in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import sqlalchemy as sa

from layerloom.schema.events import LIVE, CheckpointSaved, Event, StateChanged
from layerloom.schema.worker import Numbered
from layerloom.storage.errors import EventRefused, Fenced, Missing
from layerloom.storage.fold import LARGEST
from layerloom.storage.ids import known_form
from layerloom.storage.journal import Journal, Listener, Row
from layerloom.storage.orders import is_longer, orders_of
from layerloom.storage.records import Appended
from layerloom.storage.series.replay import SPOKEN, texts
from layerloom.storage.tables import SLOW, attempts, events, runs

PAGE = 10_000
_TRAINERS_STATES = {"running", "paused", "succeeded", "stopped", "failed"}


class EventLog:
    """Append-only; ``seq`` is 1, 2, 3… per run without a gap."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def append(self, run: str, attempt: int, numbered: Sequence[Numbered]) -> Appended:
        """Store a trainer's delivery.

        Numbers that are stored already are passed over; after a hole nothing is taken (``Appended.received`` tells
        the sender where to go on). ``Fenced`` when the attempt is not the newest; ``Missing``; ``EventRefused``.
        """
        with self._journal.transaction() as transaction:
            row = transaction.row(run)
            mine = sa.and_(attempts.c.run == run, attempts.c.attempt == row["attempt"])
            query = sa.select(attempts.c.received).where(mine)
            received = transaction.connection.execute(query).scalar()
            if attempt != row["attempt"] or received is None:
                raise Fenced(f"attempt {attempt} of run {run} is not the newest")
            new = [_own(event, attempt) for event in _continuation(received, numbered)]
            _check_states(row, new)
            if not new:
                # A question what is wanted, and nothing to write.
                return Appended(received, row["desired"], orders_of(row), [])
            received += len(new)
            transaction.connection.execute(attempts.update().where(mine).values(received=received))
            bodies = transaction.record(row, [*new, *_consequences(row, new)])
            return Appended(received, row["desired"], orders_of(row), bodies)

    def say(self, run: str, *new: Event) -> list[bytes]:
        """Store events made by the service itself; folded in the same way."""
        with self._journal.transaction() as transaction:
            return transaction.record(transaction.row(run), new)

    def events(self, run: str, after: int = 0, limit: int = 1000) -> list[bytes]:
        """JSON of the events after ``seq`` ``after``, in order; ``Missing`` for an unknown run."""
        query = sa.select(*SPOKEN).where(events.c.run == known_form(run, "run"))
        query = query.where(events.c.seq > max(0, min(after, LARGEST))).order_by(events.c.seq)
        with self._journal.database.read() as connection:
            rows = connection.execute(query.limit(max(0, min(limit, PAGE)))).all()
            if not rows:
                _last_seq(connection, run)
            return texts(connection, rows)

    def outline(self, run: str, after: int, before: int, limit: int = 1000) -> list[tuple[int, bytes]]:
        """``seq`` and JSON of events between two others, in order, but of metrics none and of progress the newest.

        For a viewer who has read the series up to ``before``. The last page is empty.
        """
        within = (events.c.run == known_form(run, "run"), events.c.seq > after, events.c.seq < min(before, LARGEST))
        wanted = sa.select(events.c.seq, events.c.body).where(*within)
        newest = wanted.where(events.c.kind == "progress").order_by(events.c.seq.desc()).limit(1)
        with self._journal.database.read() as connection:
            rows = list(connection.execute(wanted.where(SLOW).order_by(events.c.seq).limit(limit)))
            more = len(rows) == limit
            rows += [row for row in connection.execute(newest) if not more or row.seq < rows[-1].seq]
        return sorted((row.seq, row.body) for row in rows)

    def last_seq(self, run: str) -> int:
        """``seq`` of the newest event; ``Missing`` for an unknown run."""
        with self._journal.database.read() as connection:
            return _last_seq(connection, known_form(run, "run"))

    def attempt_of(self, run: str, token: str) -> int | None:
        """Which attempt of the run a trainer's bearer token belongs to; None when it is no token of this run.

        A fenced attempt's token is still known, so that its trainer is told ``fenced`` and not ``unauthenticated``.
        """
        digest = token_hash(token)
        query = sa.select(attempts.c.attempt).where(
            attempts.c.run == known_form(run, "run"), attempts.c.token_hash == digest
        )
        with self._journal.database.read() as connection:
            return connection.execute(query).scalar()

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of every append in this process; returns the function that ends it."""
        return self._journal.listen(listener)


def token_hash(token: str) -> str:
    """What is stored of a token: it is random and long, so a plain digest cannot be reversed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _last_seq(connection: sa.Connection, run: str) -> int:
    seq = connection.execute(sa.select(runs.c.last_seq).where(runs.c.id == run)).scalar()
    if seq is None:
        raise Missing("there is no such run")
    return int(seq)


def _continuation(received: int, numbered: Sequence[Numbered]) -> list[Event]:
    """The events that follow without a hole on what is stored."""
    new: list[Event] = []
    for item in sorted(numbered, key=lambda item: item.number):
        if item.number == received + len(new) + 1:
            new.append(item.event)
    return new


def _own(event: Event, attempt: int) -> Event:
    if isinstance(event, CheckpointSaved) and event.path != f"checkpoints/a{attempt}-s{event.step}":
        raise EventRefused("an attempt saves its checkpoints as checkpoints/a<attempt>-s<step>")
    return event.model_copy(update={"attempt": attempt}) if isinstance(event, StateChanged) else event


def _check_states(row: Row, new: Sequence[Event]) -> None:
    """A trainer speaks of its own run only while it has it: nothing follows an end."""
    state = row["state"]
    for event in new:
        if not isinstance(event, StateChanged):
            continue
        if event.state not in _TRAINERS_STATES:
            raise EventRefused(f"a trainer cannot make its run {event.state}")
        if state not in LIVE:
            raise Fenced(f"run {row['id']} is {state} already")
        state = event.state


def _consequences(row: Row, new: Sequence[Event]) -> list[Event]:
    """A trainer paused as asked, but the wish has changed in the meantime: what it is now happens at once. And one that
    came to its end before it heard that the run is longer goes on."""
    states = [event.state for event in new if isinstance(event, StateChanged)]
    if states and states[-1] == "succeeded" and row["desired"] == "run" and is_longer(row, new):
        return [StateChanged(state="queued", reason="extended by the user", attempt=row["attempt"])]
    if not states or states[-1] != "paused" or row["desired"] == "pause":
        return []
    if row["desired"] == "stop":
        return [StateChanged(state="stopped", reason="stopped by the user", attempt=row["attempt"])]
    return [StateChanged(state="queued", reason="resumed by the user", attempt=row["attempt"])]
