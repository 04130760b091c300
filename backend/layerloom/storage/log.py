"""The event log: what a trainer delivers is stamped, stored and folded into the run's row in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from layerloom.schema.events import Event
from layerloom.schema.worker import Numbered
from layerloom.storage.records import Appended

Listener = Callable[[str, int, list[bytes]], None]
"""Called with run, first ``seq`` and the events as stored, after the commit, in order for each run, by the writing
thread: it must be quick (hand over to an event loop, set a flag) and must not call the store."""


class EventLog:
    """Append-only; ``seq`` is 1, 2, 3… per run without a gap."""

    def append(self, run: str, attempt: int, numbered: Sequence[Numbered]) -> Appended:
        """Store a trainer's delivery.

        Numbers that are stored already are passed over; after a hole nothing is taken (``Appended.received`` tells
        the sender where to go on). ``Fenced`` when the attempt is not the newest; ``Missing``; ``EventRefused``.
        """
        ...

    def say(self, run: str, *events: Event) -> list[bytes]:
        """Store events made by the service itself; folded in the same way."""
        ...

    def events(self, run: str, after: int = 0, limit: int = 1000) -> list[bytes]:
        """JSON of the events after ``seq`` ``after``, in order; ``Missing`` for an unknown run."""
        ...

    def last_seq(self, run: str) -> int:
        """``seq`` of the newest event; ``Missing`` for an unknown run."""
        ...

    def attempt_of(self, run: str, token: str) -> int | None:
        """Which attempt of the run a trainer's bearer token belongs to; None when it is no token of this run.

        A fenced attempt's token is still known, so that its trainer is told ``fenced`` and not ``unauthenticated``.
        """
        ...

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Be told of every append in this process; returns the function that ends it."""
        ...
