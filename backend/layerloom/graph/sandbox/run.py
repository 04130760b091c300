"""One call in a process of its own, or many in one that is kept warm."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from layerloom.graph.sandbox.process import Limits, Process

TASKS = "layerloom.graph.sandbox.tasks"
"""The module whose dictionary ``TASKS`` names what may be asked for."""
HOLDS = frozenset({"network", "files", "processes"})
"""What a system may let a process be shut in from, where it can."""
_CALLS = 500
"""After so many, a warm process is replaced: libraries keep what they have seen."""


def run(
    task: str,
    payload: Any,
    *,
    tasks: str = TASKS,
    limits: Limits = Limits(),  # noqa: B008  a frozen value
    file: Path | None = None,
    folder: Path | None = None,
    hide: Sequence[Path] = (),
    stop: threading.Event | None = None,
) -> Any:
    """A task's result, from a process that is started for it and ended after it: for code that is not trusted.

    See ``Process`` for ``file``, ``folder`` and ``hide``. When ``stop`` is set by another thread, it ends early.

    Raises:
        GraphError, TaskError, SandboxError: see ``Process.call``.
    """
    process = Process(tasks, limits, file=file, folder=folder, hide=hide)
    try:
        return process.call(task, payload, stop)
    finally:
        process.end()


@cache
def held() -> frozenset[str]:
    """What this system holds of ``HOLDS``; a process is started once to find out."""
    process = Process(TASKS, Limits())
    try:
        process.call("nothing", None)
    finally:
        process.end()
    return process.held or frozenset()


class Warm:
    """A process that is asked again and again: for trusted code on data that is not.

    Thread-safe: whoever comes while a call is under way waits. A call that takes too much, and only that, is refused;
    the next one finds a new process.
    """

    def __init__(
        self,
        *,
        tasks: str = TASKS,
        limits: Limits = Limits(),  # noqa: B008  a frozen value
        hide: Sequence[Path] = (),
    ) -> None:
        self._tasks, self._limits, self._hide = tasks, limits, hide
        self._lock = threading.Lock()
        self._process: Process | None = None
        self._calls = 0

    def start(self) -> None:
        """Begin to import the libraries, so that the first call waits less; returns at once."""
        with self._lock:
            self._ready()

    def run(self, task: str, payload: Any, stop: threading.Event | None = None) -> Any:
        """A task's result. Raises what ``Process.call`` does."""
        with self._lock:
            process = self._ready()
            self._calls += 1
            return process.call(task, payload, stop)

    def close(self) -> None:
        """End the process. A later call starts another."""
        with self._lock:
            self._drop()

    def _ready(self) -> Process:
        if self._process is not None and (not self._process.alive or self._calls >= _CALLS):
            self._drop()
        if self._process is None:
            self._process = Process(self._tasks, self._limits, hide=self._hide)
        return self._process

    def _drop(self) -> None:
        if self._process is not None:
            self._process.end()
        self._process, self._calls = None, 0
