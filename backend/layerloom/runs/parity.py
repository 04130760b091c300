"""Parity reports of runs: asked for by the API, trained by a process of the executor, kept in the run's folder.

A report is a trial in the folder ``parity/<number>/`` of a run.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from shutil import rmtree

from layerloom.runs.executors.port import Executor
from layerloom.runs.jobs import Means
from layerloom.runs.trials import Trials
from layerloom.schema.parity import NewParity, Parity
from layerloom.storage import StateConflict, Store

FOLDER = "parity"


class Parities:
    """``ask`` and ``read`` from any thread, ``look`` from the dispatcher's."""

    def __init__(self, store: Store, executor: Executor, means: Means) -> None:
        self._store = store
        self._means = means
        self._asking = threading.Lock()
        self._trials = Trials(Parity, executor, self._known)

    def ask(self, run: str, wanted: NewParity) -> Parity:
        """Put a report into the queue; it takes the place of an earlier one.

        Raises:
            Missing: there is no such run.
            StateConflict: its report is being made.
        """
        found = self._store.runs.get(run)
        with self._asking:
            if self.read(run).open:
                raise StateConflict("the parity report is being made")
            whole = self._store.folder(run) / FOLDER
            earlier = _folders(whole)
            folder = whole / str(1 + (int(earlier[-1].name) if earlier else 0))
            folder.mkdir(parents=True)
            job = self._means.job(run, folder, found.document, found.plan, parity=wanted)
            report = Parity(state="waiting", steps=wanted.steps)
            self._trials.add(folder, job, report)
            for old in earlier:
                rmtree(old, ignore_errors=True)
        return report

    def read(self, run: str) -> Parity:
        """The newest report, as far as it is. Raises ``Missing`` where there is no such run."""
        self._store.runs.summary(run)
        folders = _folders(self._store.folder(run) / FOLDER)
        return (self._trials.read(folders[-1]) if folders else None) or Parity()

    def look(self) -> None:
        """Start what waits and fits; note what ended without a report."""
        self._trials.look()

    def _known(self) -> Iterator[Path]:
        for whole in self._store.artifacts.glob(f"*/{FOLDER}"):
            yield from _folders(whole)


def _folders(whole: Path) -> list[Path]:
    """Reports of a run, oldest first."""
    if not whole.is_dir():
        return []
    return sorted((one for one in whole.iterdir() if one.name.isdigit()), key=lambda one: int(one.name))
