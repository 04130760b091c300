"""The port between the dispatcher and whatever runs processes. No method mentions a pid, an actor or a GPU's index."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Protocol

Phase = Literal["waiting", "running", "exited", "gone"]


@dataclass(frozen=True, slots=True)
class Need:
    """What a run asks of the machine."""

    device: str = "auto"
    """As in the plan: ``auto``, ``cpu``, ``mps``, ``cuda``, ``cuda:1``."""
    threads: int | None = None
    devices: int = 1
    """How many of them at once."""


@dataclass(frozen=True, slots=True)
class Task:
    """One attempt of one run, ready to start: ``folder`` is the attempt's, with ``job.json`` in it."""

    key: str
    """``<run>.a<attempt>``: the same key never starts twice."""
    folder: Path
    need: Need


@dataclass(frozen=True, slots=True)
class Status:
    """``code`` is None when nobody saw it, negative for a signal; ``why`` is for the user."""

    phase: Phase
    code: int | None = None
    why: str = ""


class Executor(Protocol):
    """Six methods; one suite of scenarios holds for every implementation."""

    def room(self, waiting: Sequence[Need]) -> int:
        """How many of these, in order, would start now."""

    def start(self, task: Task) -> str:
        """Start the trainer; a storable handle. The same key again returns the same handle and starts nothing."""

    def poll(self, handles: Iterable[str]) -> dict[str, Status]:
        """How each is; an unknown handle is ``gone``."""

    def stop(self, handle: str, grace: float, dump: bool = False) -> None:
        """TERM, and KILL to the whole process group after ``grace`` seconds; returns at once, may be repeated.

        ``dump`` first asks the trainer for the stacks of its threads, which go to its log.
        """

    def logs(self, handle: str, offset: int = 0) -> bytes:
        """What the trainer printed, from a byte offset; a negative one counts from the end. At most a megabyte."""

    def close(self) -> None:
        """Let go, without stopping any job."""
