"""The watch over running trainers: how they ended, whether they obey, whether they get on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from layerloom.files import tail
from layerloom.runs import spool
from layerloom.runs.executors.port import Executor, Status
from layerloom.schema.events import LIVE
from layerloom.schema.problems import Problem, ProblemCode
from layerloom.storage import Live, Missing, Store

LEFT = 76
"""Exit code of a trainer that was asked to leave by a signal: it has saved a checkpoint and can go on elsewhere."""
_AWAY_S = 5
_LOG_END = -60_000


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
    """Without a sign of progress, at least; longer for a run that was silent for long before and came back."""
    linger: float = 330
    """From a run's end until a trainer that does not leave is made to; it may be waiting to deliver its last events."""


@dataclass(slots=True)
class _Pulse:
    """What is known of one attempt on this process's own monotonic clock."""

    signs: tuple[int, int] = (-1, -1)
    """Events received, bytes in the spool."""
    at: float = 0.0
    longest: float = 0.0
    unheeded: float | None = None
    """Since when it is wanted to stop or pause."""
    stalled: float | None = None
    """For how long it had been silent when it was told to go."""


class Watch:
    """Looks at live runs. Clocks restart when the watcher itself was away: that time is nobody's silence."""

    def __init__(self, store: Store, executor: Executor, limits: Limits) -> None:
        self._store = store
        self._executor = executor
        self._limits = limits
        self._pulses: dict[str, _Pulse] = {}
        self._leaving: dict[str, float] = {}
        self._looked = time.monotonic()

    def look(self, live: list[Live]) -> None:
        """Once per tick, with every live run that has a handle."""
        now = time.monotonic()
        if now - self._looked > _AWAY_S:
            for pulse in self._pulses.values():
                pulse.at = now
        self._looked = now
        handles = {run.handle: run for run in live if run.handle is not None}
        for handle, status in self._executor.poll(handles).items():
            run = handles[handle]
            if status.phase in ("exited", "gone"):
                self._ended(run, handle, status)
            elif status.phase == "running":
                self._enforce(run, handle, now)
                self._feel(run, handle, now)
        self._see_off(set(handles), now)

    def _enforce(self, run: Live, handle: str, now: float) -> None:
        pulse = self._pulses.setdefault(handle, _Pulse(at=now))
        if run.desired == "run":
            pulse.unheeded = None
        elif pulse.unheeded is None:
            pulse.unheeded = now
        elif now - pulse.unheeded > self._limits.obey:
            self._executor.stop(handle, self._limits.grace)

    def _feel(self, run: Live, handle: str, now: float) -> None:
        pulse = self._pulses[handle]
        signs = (run.received, spool.size(self._attempt_folder(run) / "spool.jsonl"))
        if signs != pulse.signs:
            pulse.longest = max(pulse.longest, now - pulse.at)
            pulse.signs, pulse.at = signs, now
        elif now - pulse.at > max(self._limits.stalled, 5 * pulse.longest) and pulse.stalled is None:
            pulse.stalled = now - pulse.at
            self._executor.stop(handle, self._limits.grace, dump=True)

    def _ended(self, run: Live, handle: str, status: Status) -> None:
        """The process is gone: what it had to say lies in its spool; what it could not say is concluded here."""
        spool.import_rest(self._store, run.run, run.attempt, self._attempt_folder(run) / "spool.jsonl", run.received)
        pulse = self._pulses.pop(handle, _Pulse())
        try:
            now = self._store.runs.summary(run.run)
        except Missing:
            return
        if now.attempt != run.attempt or now.state not in LIVE:
            return
        queue, why = self._store.queue, status.why
        if pulse.stalled is not None:
            queue.fail(run.run, run.attempt, _stalled(pulse.stalled), self._printed(handle))
        elif status.code == LEFT:
            queue.lost(run.run, run.attempt, "left when it was asked to", crash=False)
        elif status.code is not None and status.code > 0:
            queue.fail(run.run, run.attempt, _failed(why), self._printed(handle))
        else:
            queue.lost(run.run, run.attempt, why, traceback=self._printed(handle), seen=status.code is not None)

    def _see_off(self, live: set[str], now: float) -> None:
        """A trainer whose run has ended leaves by itself, and is made to when it does not."""
        for handle in [known for known in self._pulses if known not in live]:
            del self._pulses[handle]
            self._leaving[handle] = now
        for handle, status in self._executor.poll(list(self._leaving)).items():
            if status.phase != "running":
                del self._leaving[handle]
            elif now - self._leaving[handle] > self._limits.linger:
                self._executor.stop(handle, self._limits.grace)

    def _attempt_folder(self, run: Live) -> Path:
        return attempt_folder(self._store, run.run, run.attempt)

    def _printed(self, handle: str) -> str:
        return tail(self._executor.logs(handle, _LOG_END))


def attempt_folder(store: Store, run: str, attempt: int) -> Path:
    """Holds an attempt's ``job.json``, ``spool.jsonl`` and ``log``."""
    return store.folder(run) / "attempts" / str(attempt)


def _failed(why: str) -> Problem:
    return Problem(
        code=ProblemCode.TRAINER_FAILED,
        message=f"The trainer {why} before it could say what was wrong. Its log tells more.",
        data={"why": why},
    )


def _stalled(seconds: float) -> Problem:
    return Problem(
        code=ProblemCode.STALLED,
        message=f"The trainer made no step for {seconds:.0f} s and was ended. The stacks of its threads, in its log, "
        "show where it stood: data that do not arrive, perhaps, or a layer that does not return.",
        data={"seconds": round(seconds)},
    )
