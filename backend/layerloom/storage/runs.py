"""Runs as the user sees them: add, look at, rename, ask for another state, delete, and their checkpoints."""

from __future__ import annotations

from typing import Literal

from layerloom.schema.document import Document
from layerloom.schema.events import State
from layerloom.schema.plan import Plan
from layerloom.schema.run import Checkpoint, Desired, Run, RunPage, RunSummary
from layerloom.storage.records import Added, Saved

Sort = Literal["created_at", "name", "state", "ended_at", "step"]


class Runs:
    """Every method raises ``Missing`` for an unknown run."""

    def add(
        self, document: Document, plan: Plan, *, name: str = "", parameters: int = 0, key: str | None = None
    ) -> Added:
        """Put a run into the queue. The same Idempotency-Key gives the same run; ``KeyReused`` if the body differs."""
        ...

    def get(self, run: str) -> Run:
        """One run, whole."""
        ...

    def summary(self, run: str) -> RunSummary:
        """Its row of the table, without document and plan."""
        ...

    def list(
        self,
        *,
        text: str = "",
        state: State | None = None,
        sort: Sort = "created_at",
        descending: bool = True,
        limit: int = 50,
        offset: int = 0,
    ) -> RunPage:
        """A page of at most 200 rows. ``text`` is looked for in name, model, data set, tags and id."""
        ...

    def patch(self, run: str, *, name: str | None = None, tags: list[str] | None = None) -> RunSummary:
        """Rename or tag."""
        ...

    def want(self, run: str, desired: Desired) -> RunSummary:
        """Ask for ``run``, ``pause`` or ``stop``.

        A queued, paused or interrupted run is settled at once (with its event); a live one by its trainer, which reads
        the wish from its next receipt. ``StateConflict`` when the run has ended, except that an interrupted run
        may be resumed and that stopping what has ended changes nothing.
        """
        ...

    def delete(self, run: str) -> None:
        """Remove a run with its events and files; ``StateConflict`` while it is live."""
        ...

    def checkpoints(self, run: str) -> list[Checkpoint]:
        """Those whose files are there, newest first."""
        ...

    def checkpoint(self, run: str, which: str) -> Saved:
        """``last``, ``best`` or a step; ``Missing`` when there is none (any more)."""
        ...

    def counts(self) -> dict[State, int]:
        """How many runs are in each state that occurs."""
        ...
