"""A process known by pid and birth, because a pid alone is given to another process after the first has gone."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import psutil

_SAME_BIRTH_S = 5
"""Birth times are derived from the wall clock, which may be set; no pid comes round again so soon."""


@dataclass(frozen=True, slots=True)
class Process:
    """A trainer: the leader of a session and process group of its own."""

    pid: int
    born: float
    """Unix seconds, as ``psutil`` gives it."""

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this pid now."""
        return cls(pid, psutil.Process(pid).create_time())

    def alive(self) -> bool:
        """Whether it runs; one that has ended and is not reaped does not."""
        found = self._found()
        with suppress(psutil.Error):
            return found is not None and self._same(found) and found.status() != psutil.STATUS_ZOMBIE
        return False

    def send(self, number: signal.Signals) -> None:
        """Signal the process alone."""
        if self.alive():
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill_group(self) -> None:
        """SIGKILL to the process and to everything it has left in its session."""
        self.send(signal.SIGKILL)
        for pid in self._session():
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)

    def _session(self) -> Iterator[int]:
        found = self._found()
        if found is not None and not self._same(found):
            return  # a stranger has the pid, and no pid is given away while its session has a member
        for process in psutil.process_iter():
            with suppress(OSError):
                if os.getsid(process.pid) == self.pid:
                    yield process.pid

    def _found(self) -> psutil.Process | None:
        try:
            return psutil.Process(self.pid)
        except psutil.Error:
            return None

    def _same(self, process: psutil.Process) -> bool:
        return bool(abs(process.create_time() - self.born) < _SAME_BIRTH_S)
