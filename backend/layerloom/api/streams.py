"""Live events to any number of viewers.

A viewer is a cursor over the log, not a queue: what it has not got yet comes from a short tail that all viewers of a
run share (each event is made text once), and from the store where the tail does not reach. So nobody can miss an event
or get one twice, however slow he is and whenever he comes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager

TAIL_EVENTS = 512
TAIL_BYTES = 2 * 1024 * 1024
PAGE = 500

Read = Callable[[str, int, int], Awaitable[list[bytes]]]
"""Events of a run after a cursor, at most so many, from the store."""


class Tail:
    """The newest events of one run, without a gap between them."""

    def __init__(self) -> None:
        self.last = 0
        self.viewers = 0
        self._frames: deque[tuple[int, str]] = deque()
        self._bytes = 0
        self._changed = asyncio.Event()

    def add(self, first: int, frames: list[str]) -> None:
        """Events ``first``, ``first + 1``, … as text."""
        for seq, text in enumerate(frames, first):
            if seq <= self.last and self._frames:
                continue
            if self._frames and seq != self.last + 1:
                self._frames.clear()
                self._bytes = 0
            self._frames.append((seq, text))
            self._bytes += len(text)
            self.last = seq
        while len(self._frames) > TAIL_EVENTS or (self._bytes > TAIL_BYTES and len(self._frames) > 1):
            self._bytes -= len(self._frames.popleft()[1])
        self._changed.set()
        self._changed = asyncio.Event()

    def after(self, cursor: int) -> list[str] | None:
        """The texts behind a cursor; None when the tail does not reach back to it."""
        if not self._frames or self._frames[0][0] > cursor + 1:
            return None
        skip = cursor + 1 - self._frames[0][0]
        return [text for _, text in list(self._frames)[skip:]]

    async def grown(self, cursor: int) -> None:
        """Return when there is an event behind the cursor."""
        while self.last <= cursor:
            await self._changed.wait()


class Streams:
    """The tails of all runs that somebody watches, on one event loop; ``publish`` may be called from any thread."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._tails: dict[str, Tail] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    def attach(self) -> None:
        """Use the running loop."""
        self._loop = asyncio.get_running_loop()

    @property
    def viewers(self) -> int:
        """How many watch, over all runs."""
        return sum(tail.viewers for tail in self._tails.values())

    def publish(self, run: str, first: int, events: list[bytes]) -> None:
        """The store's listener: hand stored events to those who watch the run."""
        if self._loop is not None and run in self._tails and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._add, run, first, events)

    def _add(self, run: str, first: int, events: list[bytes]) -> None:
        tail = self._tails.get(run)
        if tail is not None:
            tail.add(first, [event.decode("utf-8") for event in events])

    async def follow(self, run: str, cursor: int) -> AsyncGenerator[str, None]:
        """Every event behind the cursor, stored ones first and then live ones, for as long as one listens.

        The caller has made sure that the run exists.
        """
        with self._watching(run) as tail:
            while True:
                frames = tail.after(cursor)
                if frames is None:
                    frames = [event.decode("utf-8") for event in await self._read(run, cursor, PAGE)]
                for frame in frames:
                    yield frame
                cursor += len(frames)
                if not frames:
                    await tail.grown(cursor)

    @contextmanager
    def _watching(self, run: str) -> Iterator[Tail]:
        tail = self._tails.setdefault(run, Tail())
        tail.viewers += 1
        try:
            yield tail
        finally:
            tail.viewers -= 1
            if not tail.viewers:
                self._tails.pop(run, None)
