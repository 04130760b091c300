"""Many viewers of one run who stall, leave and come back as they like: each has every event once, in order."""

from __future__ import annotations

import asyncio
import random
import socket
import threading
import time
from typing import Any

import pytest
from websockets.asyncio.client import connect

from layerloom.api import transport
from layerloom.api.streams import Push, Tail
from layerloom.api.transport import DroppableWebSocket
from layerloom.schema.events import Log
from looping import looped
from stores import claimed, numbered, running
from unit.api.conftest import Api
from waiting import HANG_GUARD_S

VIEWERS = 30
EVENTS = 800
BUFFER_BYTES = 16 * 1024


@pytest.fixture
def rides(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many events a viewer was written while he was level, for each time that he had no room for more.

    Buffers are small, so that stalls tell soon.
    """
    lengths: list[int] = []
    made, ride = DroppableWebSocket.connection_made, Tail.ride

    def narrow(self: DroppableWebSocket, connection: asyncio.BaseTransport) -> None:
        connection.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER_BYTES)
        made(self, connection)

    async def counting(self: Tail, cursor: int, push: Push, blocks: bool) -> int:
        end = await ride(self, cursor, push, blocks)
        lengths.append(end - cursor)
        return end

    monkeypatch.setattr(transport, "UNSENT_BYTES", BUFFER_BYTES)
    monkeypatch.setattr(DroppableWebSocket, "connection_made", narrow)
    monkeypatch.setattr(Tail, "ride", counting)
    return lengths


async def watch(api: Api, path: str, last: int, whims: random.Random) -> list[bytes]:
    """Every event up to the last, over as many connections as it takes."""
    await asyncio.sleep(whims.random() * 2)
    got: list[bytes] = []
    while len(got) < last:
        narrow = socket.create_connection(("127.0.0.1", api.port))
        narrow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        options: dict[str, Any] = {
            "max_queue": 1,
            "close_timeout": 0.1,
            "compression": None,
            "proxy": None,
            "sock": narrow,
        }
        headers = {"Authorization": f"Bearer {api.token}"}
        address = f"ws://127.0.0.1:{api.port}{path}?after={len(got)}"
        async with connect(address, additional_headers=headers, **options) as viewer:
            stay = whims.randint(1, last)
            for _ in range(min(stay, last - len(got))):
                async with asyncio.timeout(HANG_GUARD_S):
                    got.append(await viewer.recv(decode=False))
                if whims.random() < 0.003:
                    await asyncio.sleep(whims.random())
            if whims.random() < 0.5:
                viewer.transport.abort()
    return got


def test_everybody_has_every_event_once_and_in_order(api: Api, rides: list[int]) -> None:
    claim, whims = claimed(api.store), random.Random(4)
    last = api.store.log.last_seq(claim.run) + EVENTS

    def talk() -> None:
        said = 0
        while said < EVENTS:
            count = min(whims.choice([1, 1, 3, 40]), EVENTS - said)
            events = [Log(message="x" * int(whims.expovariate(1 / 1_500))) for _ in range(count)]
            first = [running()] if said == 0 else []
            spoken = numbered(*first, *events[len(first) :], first=said + 1)
            api.store.log.append(claim.run, claim.attempt, spoken)
            said += count
            time.sleep(whims.random() * 0.1)

    async def gather() -> list[list[bytes]]:
        path = f"/api/runs/{claim.run}/stream"
        return await asyncio.gather(*(watch(api, path, last, random.Random(seed)) for seed in range(VIEWERS)))

    talker = threading.Thread(target=talk)
    talker.start()
    seen = looped(gather())
    talker.join()
    told = api.store.log.events(claim.run, 0, last)
    assert len(told) == last
    for seed, got in enumerate(seen):
        assert got == told, f"viewer {seed}"
    assert sum(length > 0 for length in rides) > VIEWERS // 2
