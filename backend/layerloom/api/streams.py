"""Live events to any number of viewers.

A viewer is a cursor over the log, not a queue: what it has not got yet comes from a short tail that all viewers of a
run share, and from the store where the tail does not reach. So nobody can miss an event or get one twice, however slow
he is and whenever he comes. Those who are level ride on the tail: what is new is framed once and written to each of
their connections, without a task or a copy for each; who has no room for it goes on at his own pace.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice

from layerloom.api.frames import as_block
from layerloom.api.transport import UNSENT_BYTES, pieces

TAIL_EVENTS = 512
TAIL_BYTES = 2 * 1024 * 1024
PAGE = 500
TICKS_PER_SECOND = 50
WRITES_PER_SECOND = 8_000
"""To all viewers together: the more there are, the more events go in one write. A thousand wait 125 ms at most."""

Read = Callable[[str, int, int], Awaitable[list[bytes]]]
"""Events of a run after a cursor, at most so many, from the store."""
Push = Callable[[bytes], bool]
"""Writes frames to a viewer without waiting; False, and nothing is written, when he has no room for them."""


@dataclass(eq=False, slots=True)
class Rider:
    """A viewer who is level: he has exactly the events up to his cursor."""

    push: Push
    cursor: int
    blocks: bool
    """He takes columns as blocks of memory."""
    behind: asyncio.Event = field(default_factory=asyncio.Event)


class Tail:
    """The newest events of one run, without a gap between them."""

    def __init__(self) -> None:
        self.last = 0
        self.viewers = 0
        self.told = -float("inf")
        """When ``tell`` was called, by the loop's clock."""
        self.telling: asyncio.TimerHandle | None = None
        self._events: deque[tuple[int, bytes]] = deque()
        self._bytes = 0
        self._riders: set[Rider] = set()
        self._told = asyncio.Event()
        self._reads: dict[int, asyncio.Future[list[bytes]]] = {}

    async def stored(self, cursor: int, read: Callable[[], Awaitable[list[bytes]]]) -> list[bytes]:
        """What ``read`` finds behind the cursor; all who ask for the same meanwhile share one read.

        A thousand viewers that come at once would otherwise read the same a thousand times. What is stored after such
        a read began is in this tail, which is as old as its first viewer; so nobody misses it.
        """
        reading = self._reads.get(cursor)
        if reading is None:
            reading = self._reads[cursor] = asyncio.ensure_future(read())
            reading.add_done_callback(lambda _done: self._reads.pop(cursor))
        # Who leaves must not take it from the others.
        return await asyncio.shield(reading)

    def add(self, first: int, events: list[bytes]) -> None:
        """Events ``first``, ``first + 1``, … as the store has them; nobody hears of them before ``tell``."""
        for seq, event in enumerate(events, first):
            if seq <= self.last and self._events:
                continue
            if self._events and seq != self.last + 1:
                self._events.clear()
                self._bytes = 0
            self._events.append((seq, event))
            self._bytes += len(event)
            self.last = seq
        while len(self._events) > TAIL_EVENTS or (self._bytes > TAIL_BYTES and len(self._events) > 1):
            self._bytes -= len(self._events.popleft()[1])

    def after(self, cursor: int) -> list[bytes] | None:
        """The events behind a cursor; None when the tail does not reach back to it."""
        if not self._events or self._events[0][0] > cursor + 1:
            return None
        return [event for _, event in islice(self._events, cursor + 1 - self._events[0][0], None)]

    def tell(self) -> None:
        """Write what is new to all riders, and wake who waits for it."""
        made: dict[tuple[int, bool], bytes | None] = {}
        for rider in tuple(self._riders):
            if rider.cursor >= self.last:
                continue
            kind = (rider.cursor, rider.blocks)
            if kind not in made:
                made[kind] = self._joined(*kind)
            frames = made[kind]
            if frames is not None and rider.push(frames):
                rider.cursor = self.last
            else:
                self._riders.discard(rider)
                rider.behind.set()
        self._told.set()
        self._told = asyncio.Event()

    def _joined(self, cursor: int, blocks: bool) -> bytes | None:
        """What is behind a cursor as one write; None when it is no longer there, or too much to write unread."""
        events = self.after(cursor) or []
        joined = list(pieces(map(as_block, events) if blocks else events, UNSENT_BYTES))
        return joined[0] if len(joined) == 1 else None

    async def grown(self, cursor: int) -> None:
        """Return when there is an event behind the cursor."""
        while self.last <= cursor:
            await self._told.wait()

    async def ride(self, cursor: int, push: Push, blocks: bool = False) -> int:
        """Have what comes behind the cursor pushed for as long as there is room; returns the cursor then."""
        if self.last > cursor:
            return cursor
        rider = Rider(push, cursor, blocks)
        self._riders.add(rider)
        try:
            await rider.behind.wait()
        finally:
            self._riders.discard(rider)
        return rider.cursor


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

    def watched(self, run: str) -> bool:
        """Whether somebody follows the run."""
        return run in self._tails

    def publish(self, run: str, first: int, events: list[bytes]) -> None:
        """The store's listener: hand stored events to those who watch the run."""
        if self._loop is not None and run in self._tails and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._add, self._loop, run, first, events)

    def _add(self, loop: asyncio.AbstractEventLoop, run: str, first: int, events: list[bytes]) -> None:
        tail = self._tails.get(run)
        if tail is None:
            return
        tail.add(first, events)
        if tail.telling is None:
            # The first after a silence goes at once; what follows too soon waits, and goes together.
            pause = max(1 / TICKS_PER_SECOND, self.viewers / WRITES_PER_SECOND)
            tail.telling = loop.call_at(max(loop.time(), tail.told + pause), self._tell, loop, tail)

    @staticmethod
    def _tell(loop: asyncio.AbstractEventLoop, tail: Tail) -> None:
        tail.telling = None
        tail.told = loop.time()
        tail.tell()

    async def follow(
        self, run: str, cursor: int, push: Push | None, *, blocks: bool = False
    ) -> AsyncGenerator[list[bytes], None]:
        """Every event behind the cursor, stored ones first and then live ones, for as long as one listens.

        With ``blocks``, columns come as blocks of memory. What is yielded the caller has to send; while he is level
        with the log, events are pushed instead, unless he has no ``push``. He has made sure that the run exists.
        """
        with self._watching(run) as tail:
            while True:
                events = tail.after(cursor)
                if events is None:
                    events = await tail.stored(cursor, partial(self._read, run, cursor, PAGE))
                if events:
                    yield list(map(as_block, events)) if blocks else events
                    cursor += len(events)
                elif push is not None:
                    cursor = await tail.ride(cursor, push, blocks)
                else:
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
