"""A run without a server: queue, dispatcher and trainer are the same, and its log is read from the trainer's spool."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from layerloom.runs.dispatcher import Dispatcher
from layerloom.runs.executors.port import Executor
from layerloom.runs.watch import attempt_folder
from layerloom.schema.events import ENDED, Event
from layerloom.schema.run import RunSummary
from layerloom.schema.worker import Numbered
from layerloom.storage import Fenced, Live, StateConflict, Store

PERIOD = 0.1
"""Seconds between two looks."""
GRACE = 60.0
"""Seconds for a trainer to save its checkpoint and leave."""
_BYTES = 1_000_000


class Alone:
    """Sees one queued run through to its end, or until it is paused."""

    def __init__(
        self,
        store: Store,
        executor: Executor,
        run: str,
        *,
        data_folder: Path,
        python: bool = False,
        downloads: bool = True,
    ) -> None:
        self._store = store
        self._executor = executor
        self._run = run
        self._dispatcher = Dispatcher(
            store,
            executor,
            data_folder=data_folder,
            address_file=None,
            python=python,
            downloads=downloads,
            only=run,
        )
        self._spool = Path()
        self._offset = 0
        self._pausing = self._asked = False

    def follow(self, seen: Callable[[Event], None]) -> RunSummary:
        """Train, and show every event of the trainer as it is stored. Returns the run as it is then."""
        try:
            while True:
                if self._pausing and not self._asked:
                    self._ask()
                self._dispatcher.tick()
                live = self._live()
                if live is not None:
                    self._read(live, seen)
                    if self._pausing and live.handle is not None:
                        self._executor.stop(live.handle, GRACE)
                now = self._store.runs.summary(self._run)
                if now.state in ENDED or now.state == "paused":
                    self._read_rest(now.attempt, seen)
                    return now
                time.sleep(PERIOD)
        finally:
            self._dispatcher.close()

    def pause(self) -> None:
        """Let the trainer save a checkpoint and leave; ``follow`` returns then. May be called from a signal handler."""
        self._pausing = True

    def _ask(self) -> None:
        self._asked = True
        with suppress(StateConflict):  # it has ended meanwhile
            self._store.runs.want(self._run, "pause")

    def _live(self) -> Live | None:
        return next((live for live in self._store.queue.live() if live.run == self._run), None)

    def _read(self, live: Live, seen: Callable[[Event], None]) -> None:
        """Store what the trainer has written since the last look."""
        spool = attempt_folder(self._store, live.run, live.attempt) / "spool.jsonl"
        if spool != self._spool:
            self._spool, self._offset = spool, 0
        while new := self._lines():
            for item in new:
                seen(item.event)
            try:
                self._store.log.append(live.run, live.attempt, new)
            except Fenced:
                return

    def _read_rest(self, attempt: int, seen: Callable[[Event], None]) -> None:
        """Show what the dispatcher has stored as the trainer ended."""
        if self._spool == attempt_folder(self._store, self._run, attempt) / "spool.jsonl":
            while new := self._lines():
                for item in new:
                    seen(item.event)

    def _lines(self) -> list[Numbered]:
        """Whole lines behind the last one read, a megabyte at most."""
        try:
            with self._spool.open("rb") as file:
                file.seek(self._offset)
                data = file.read(_BYTES)
                if data and b"\n" not in data:
                    data += file.readline()
        except FileNotFoundError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self._offset += len(whole)
        return [Numbered.model_validate_json(line) for line in whole.splitlines()]
