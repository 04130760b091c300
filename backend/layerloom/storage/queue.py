"""The dispatcher's side of the store: queue, claims, fencing, retries. The engine that runs processes owns none of it."""

from __future__ import annotations

from layerloom.schema.events import State
from layerloom.schema.problems import Problem
from layerloom.storage.records import Claim, Live, Waiting

RETRIES = 3


class Queue:
    """Attempt numbers are the fencing token: they rise on every claim and whenever a loss is declared."""

    def waiting(self, limit: int = 64) -> list[Waiting]:
        """Queued runs whose time has come, oldest first."""
        ...

    def claim(self, limit: int) -> list[Claim]:
        """Take up to ``limit`` queued runs: attempt raised, fresh token, state ``starting``. No run is ever given twice."""
        ...

    def set_handle(self, run: str, attempt: int, handle: str) -> None:
        """Remember the executor's handle of an attempt."""
        ...

    def live(self) -> list[Live]:
        """Runs that are ``starting`` or ``running``."""
        ...

    def lost(self, run: str, attempt: int, why: str, *, crash: bool = True) -> State | None:
        """The attempt ended without a last word: fence it, then obey the user's wish, or requeue, or give up.

        ``crash`` counts towards the limit of three retries; with the limit reached the run becomes ``failed`` with
        ``trainer_lost``. Returns the new state, or None when the attempt was not live any more.
        """
        ...

    def fail(self, run: str, attempt: int, problem: Problem, traceback: str = "") -> bool:
        """End the attempt as ``failed`` for good, fenced; False when the attempt was not live any more."""
        ...
