"""Trials in the queue: started by the executor where there is room, and looked after until they end.

A trial is a folder with the job that makes its report, and the report as far as it is. All that must survive lies
there: whoever looks after a restart finds what waits, and what runs. A folder that is gone is a trial that nobody wants
any more.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import ValidationError

from layerloom.files import write_json
from layerloom.runs.executors.port import Executor, Need, Task
from layerloom.schema.trial import REPORT_FILE, Trial
from layerloom.schema.worker import Job

Report = TypeVar("Report", bound=Trial)
_log = logging.getLogger(__name__)
GRACE = 5.0
"""From TERM to KILL, in seconds."""


class Trials(Generic[Report]):
    """Trials of one kind. ``add`` and ``read`` from any thread, ``look`` from the dispatcher's."""

    def __init__(self, kind: type[Report], executor: Executor, known: Callable[[], Iterable[Path]]) -> None:
        """``known`` gives the folders of all trials that there are, for a look after a restart."""
        self._kind = kind
        self._executor = executor
        self._known = known
        self._lock = threading.Lock()
        self._open: list[Path] | None = None
        """Those that are not done; None until it was looked for them."""

    def add(self, folder: Path, job: Job, report: Report) -> None:
        """Put a trial into the queue, in a folder that is there."""
        write_json(folder / "job.json", job)
        write_json(folder / REPORT_FILE, report)
        with self._lock:
            if self._open is not None:
                self._open.append(folder)

    def read(self, folder: Path) -> Report | None:
        """The report, as far as it is."""
        return read_report(self._kind, folder)

    def look(self) -> None:
        """Start what waits and fits; note what ended without a report."""
        with self._lock:
            if self._open is None:
                self._open = [folder for folder in self._known() if self._is_open(folder)]
            waiting = list(self._open)
        closed = [folder for folder in waiting if self._settled(folder)]
        if closed:
            with self._lock:
                self._open = [folder for folder in self._open if folder not in closed]

    def _is_open(self, folder: Path) -> bool:
        report = self.read(folder)
        return report is not None and report.open

    def _settled(self, folder: Path) -> bool:
        try:
            return self._is_settled(folder)
        except FileNotFoundError:  # deleted at this moment: the next look finds it gone
            return False
        except Exception as error:  # whatever is wrong with one is no reason to leave the others alone
            _log.exception("the trial in %s could not be looked after", folder)
            return self._failed(folder, f"It could not be started: {error}. Ask for it again.")

    def _is_settled(self, folder: Path) -> bool:
        """Whether there is nothing more to look after."""
        status = self._executor.poll([str(folder)])[str(folder)]
        report = self.read(folder)
        if report is None:
            self._executor.stop(str(folder), GRACE)
            return status.phase != "running"
        if status.phase == "running":
            return False
        if report.state == "waiting" and status.phase == "gone":
            self._start(folder)
            return False
        if report.open:
            return self._failed(folder, f"The trainer {status.why} before the report was done. Ask for it again.")
        return True

    def _failed(self, folder: Path, message: str) -> bool:
        """Note why there is no report; False when that cannot be noted now."""
        with suppress(OSError):
            report = self.read(folder)
            if report is not None:
                write_json(folder / REPORT_FILE, report.model_copy(update={"state": "failed", "message": message}))
            return True
        return False

    def _start(self, folder: Path) -> None:
        """Start it when there is room."""
        job = Job.model_validate_json((folder / "job.json").read_bytes())
        need = needed(job)
        if self._executor.room([need]):
            self._executor.start(Task(f"{job.run}.{folder.parent.name}{folder.name}", folder, need))


def needed(job: Job) -> Need:
    """What a trial asks of the machine: one device, unless it compares several."""
    return Need(job.plan.device, job.plan.threads, job.parity.devices if job.parity is not None else 1)


def read_report(kind: type[Report], folder: Path) -> Report | None:
    """A trial's report as far as it is; None where there is none."""
    with suppress(FileNotFoundError, NotADirectoryError, ValidationError):
        return kind.model_validate_json((folder / REPORT_FILE).read_bytes())
    return None
