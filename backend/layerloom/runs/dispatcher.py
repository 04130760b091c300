"""The dispatcher: a thread between queue and executor. It starts what waits and watches what runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from layerloom.runs.executors.port import Executor
from layerloom.storage import Store


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds of patience."""

    period: float = 0.25
    """Between two looks when nothing wakes it."""
    obey: float = 10
    """From a wish to stop or pause until the trainer is made to."""
    grace: float = 5
    """From TERM to KILL."""
    stalled: float = 120
    """Without a step."""


class Dispatcher:
    """Stateless but for its clocks: all that must survive is in the store, so it may die and come back at any time."""

    def __init__(
        self, store: Store, executor: Executor, *, data_folder: Path, address_file: Path, limits: Limits = Limits()
    ) -> None: ...

    def start(self) -> None:
        """Adopt what still runs from before, then look every ``period`` in a thread of its own."""
        ...

    def wake(self) -> None:
        """Look now: a run was added, or a wish changed. Cheap, from any thread."""
        ...

    def close(self) -> None:
        """End the thread and let go of the executor; trainers go on."""
        ...

    def tick(self) -> None:
        """One look, for tests: start what fits, notice what ended, enforce what is wanted."""
        ...

    @property
    def healthy(self) -> bool:
        """The thread is alive and its last look succeeded."""
        ...
