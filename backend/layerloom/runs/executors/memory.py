"""An executor without processes, for tests: the test says how each trainer ends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from layerloom.runs.executors.port import Need, Status, Task


class MemoryExecutor:
    """Implements the port with a number of slots; whatever is told to stop ends at once with SIGTERM."""

    def __init__(self, slots: int = 1) -> None:
        self.slots = slots
        self.started: dict[str, Task] = {}
        self.stopped: list[str] = []
        self.dumped: list[str] = []
        self.printed: dict[str, bytes] = {}
        self._ends: dict[str, Status] = {}

    def room(self, waiting: Sequence[Need]) -> int:
        """See the port."""
        return max(0, min(len(waiting), self.slots - len(self.started) + len(self._ends)))

    def start(self, task: Task) -> str:
        """See the port; the handle is the key."""
        self.started.setdefault(task.key, task)
        return task.key

    def poll(self, handles: Iterable[str]) -> dict[str, Status]:
        """See the port."""
        return {handle: self._status(handle) for handle in handles}

    def _status(self, handle: str) -> Status:
        if handle not in self.started:
            return Status("gone", None, "was never started")
        return self._ends.get(handle, Status("running"))

    def stop(self, handle: str, grace: float, dump: bool = False) -> None:  # noqa: ARG002  (nothing to wait for)
        """See the port."""
        if handle in self.started and handle not in self._ends:
            self.stopped.append(handle)
            if dump:
                self.dumped.append(handle)
            self.finish(handle, -15)

    def logs(self, handle: str, offset: int = 0) -> bytes:
        """See the port."""
        return self.printed.get(handle, b"")[offset:]

    def close(self) -> None:
        """See the port."""

    def finish(self, handle: str, code: int | None) -> None:
        """Let a trainer end."""
        self._ends[handle] = Status("exited", code, "is gone" if code is None else f"ended with exit code {code}")
