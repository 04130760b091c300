"""Searches for a learning rate: asked for before there is a run, and gone when nobody looks at them any more."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import rmtree

from layerloom.runs.executors.port import Executor
from layerloom.runs.jobs import Means
from layerloom.runs.trials import Trials
from layerloom.schema.document import Document
from layerloom.schema.fork import CarryReport
from layerloom.schema.plan import Plan
from layerloom.schema.rates import RateSearch
from layerloom.storage import ORIGIN, Missing, StateConflict, keep_checkpoint, known_form, new_id

FORGOTTEN = 600.0
"""Seconds after which a search that nobody has asked after is ended, if need be, and deleted: pages are closed without
a word."""
GONE = ".gone"
MOST = 16
"""That are waiting or running at once."""


class RateSearches:
    """``ask``, ``read`` and ``cancel`` from any thread, ``look`` from the dispatcher's. A search is a trial in a folder
    of its own, which needs nothing of any run."""

    def __init__(
        self,
        executor: Executor,
        means: Means,
        *,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._means = means
        self._clock = clock
        self._trials = Trials(RateSearch, executor, self._known)
        self._asked: dict[str, float] = {}
        """When each was last asked after, or first seen."""

    def ask(
        self, document: Document, plan: Plan, *, origin: CarryReport | None = None, checkpoint: Path | None = None
    ) -> RateSearch:
        """Put a search into the queue. ``origin`` says what of ``checkpoint`` it begins with.

        Raises:
            StateConflict: too many are under way.
            FileNotFoundError: the checkpoint is gone.
        """
        if sum(1 for folder in self._known() if (found := self._trials.read(folder)) and found.open) >= MOST:
            raise StateConflict(f"{MOST} searches for a learning rate are under way; wait for one of them.")
        name = new_id()
        folder = self._folder / name
        folder.mkdir(parents=True)
        if checkpoint is not None:
            keep_checkpoint(checkpoint, folder / ORIGIN)
        job = self._means.job(name, folder, document, alone(plan), rates=True, origin=origin)
        report = RateSearch(id=name, state="waiting")
        self._trials.add(folder, job, report)
        return report

    def read(self, search: str) -> RateSearch:
        """The search, as far as it is. Raises ``Missing`` where there is none, or none any more."""
        report = self._trials.read(self._folder / known_form(search, "search"))
        if report is None:
            raise Missing("there is no such search for a learning rate")
        self._asked[search] = self._clock()
        return report

    def cancel(self, search: str) -> None:
        """End a search, if need be, and delete it; one that is gone stays so."""
        folder = self._folder / known_form(search, "search")
        gone = folder.with_name(f"{folder.name}{GONE}")
        with suppress(FileNotFoundError):
            folder.rename(gone)  # at once, whatever its trainer is about to write
            rmtree(gone, ignore_errors=True)

    def look(self) -> None:
        """Start what waits and fits, note what failed, delete what nobody asks after."""
        for left in self._folder.glob(f"*{GONE}"):  # by a service that ended before it was gone
            rmtree(left, ignore_errors=True)
        now = self._clock()
        self._asked = {folder.name: self._asked.get(folder.name, now) for folder in self._known()}
        for name, asked in self._asked.items():
            if now - asked > FORGOTTEN:
                self.cancel(name)
        self._trials.look()

    def _known(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return [folder for folder in self._folder.iterdir() if folder.is_dir() and folder.suffix != GONE]


def alone(plan: Plan) -> Plan:
    """A plan for one device, which has the whole batch."""
    return plan.model_copy(update={"devices": 1, "sync_batch_norm": False})
