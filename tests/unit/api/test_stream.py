"""The live log: replay, live events, many viewers, and viewers that do not behave."""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.sync.client import ClientConnection

from layerloom.api.routes import stream
from layerloom.api.streams import Streams
from layerloom.api.transport import UNSENT_BYTES, DroppableWebSocket
from layerloom.schema.events import Event, Log, Metrics
from stores import claimed, loss, numbered, progress, running
from unit.api.conftest import Api
from waiting import HANG_GUARD_S


def lines(count: int, text: str = "line") -> list[Event]:
    return [Log(message=f"{text} {index}") for index in range(count)]


class Feed:
    """A run with a trainer that says what the test tells it."""

    def __init__(self, api: Api) -> None:
        self.api, self.claim, self.sent = api, claimed(api.store), 0
        self.run = self.claim.run
        self.path = f"/api/runs/{self.run}/stream"
        self.say(running())

    def say(self, *events: Event) -> None:
        self.api.store.log.append(self.run, self.claim.attempt, numbered(*events, first=self.sent + 1))
        self.sent += len(events)

    @property
    def last(self) -> int:
        return self.api.store.log.last_seq(self.run)

    def watch(self, query: str = "") -> ClientConnection:
        return self.api.websocket(self.path + query)


@pytest.fixture
def feed(api: Api) -> Feed:
    return Feed(api)


def take(viewer: ClientConnection, count: int) -> list[dict[str, Any]]:
    return [json.loads(viewer.recv(HANG_GUARD_S)) for _ in range(count)]


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in events]


def drain(viewer: ClientConnection) -> None:
    while True:
        viewer.recv(HANG_GUARD_S)


def flood(viewer: ClientConnection) -> None:
    for _ in range(10_000):
        viewer.send("x")


def closed_with(viewer: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        drain(viewer)
    assert closed.value.rcvd is not None, closed.value
    return closed.value.rcvd.code


def test_the_whole_log_and_then_what_comes(feed: Feed) -> None:
    feed.say(*lines(5))
    with feed.watch() as viewer:
        first = take(viewer, 8)
        assert seqs(first) == list(range(1, 9))
        assert [event["state"] for event in first[:3]] == ["queued", "starting", "running"]
        feed.say(*lines(3, "live"))
        live = take(viewer, 3)
        assert seqs(live) == [9, 10, 11]
        assert [event["message"] for event in live] == ["live 0", "live 1", "live 2"]
        assert live[0]["run"] == feed.run


@pytest.mark.parametrize("after", [0, 1, 4, 7, 8])
def test_the_first_frame_is_the_event_behind_the_cursor(feed: Feed, after: int) -> None:
    feed.say(*lines(5))
    assert feed.last == 8
    with feed.watch(f"?after={after}") as viewer:
        feed.say(*lines(1, "new"))
        assert seqs(take(viewer, 9 - after)) == list(range(after + 1, 10))


def test_a_long_log_is_replayed_while_it_grows(feed: Feed) -> None:
    feed.say(*lines(2_000))
    talking = threading.Thread(target=lambda: [feed.say(*lines(7)) for _ in range(100)])
    with feed.watch() as viewer:
        talking.start()
        assert seqs(take(viewer, 2_703)) == list(range(1, 2_704))
    talking.join()


def test_viewers_who_come_at_any_time_see_the_same(feed: Feed) -> None:
    seen: dict[int, list[str]] = {}

    def watch(index: int) -> None:
        time.sleep(index * 0.01)
        with feed.watch() as viewer:
            seen[index] = [str(viewer.recv(HANG_GUARD_S)) for _ in range(203)]

    viewers = [threading.Thread(target=watch, args=(index,)) for index in range(20)]
    for viewer in viewers:
        viewer.start()
    for _ in range(40):
        feed.say(*lines(5))
        time.sleep(0.005)
    for viewer in viewers:
        viewer.join()
    assert len(seen) == 20
    assert all(frames == seen[0] for frames in seen.values())
    assert [json.loads(frame)["seq"] for frame in seen[0]] == list(range(1, 204))


def test_who_has_the_curves_is_sent_the_rest(feed: Feed) -> None:
    """What lies before is passed over, and from there on nothing is missing and nothing comes twice."""
    for step in range(1, 41):
        feed.say(loss(step), progress(step), *lines(1))
    assert feed.last == 123
    with feed.watch("?curves=100") as viewer:
        feed.say(loss(41))
        frames = take(viewer, 3 + 32 + 1 + 25)
    slow, rest = frames[:-25], frames[-25:]
    assert [event["seq"] for event in slow if event["kind"] == "progress"] == [98]
    assert not [event for event in slow if event["kind"] == "metrics"]
    assert [event["seq"] for event in slow if event["kind"] == "log"] == list(range(6, 100, 3))
    assert seqs(frames) == sorted(seqs(frames))
    assert seqs(rest) == list(range(100, 125))
    with feed.watch("?after=110&curves=100") as viewer:
        assert seqs(take(viewer, 14)) == list(range(111, 125))
    with feed.watch("?curves=99999") as viewer:
        assert closed_with(viewer) == 4400


def test_columns_come_as_blocks_to_those_who_ask(feed: Feed) -> None:
    events = [
        Metrics(
            steps=[1, 2, 3],
            epochs=[0.1, 0.2, 0.3],
            times=[0.5, 0.75, 1.1],
            series={"a": [0.1, None, 1e300], "b": [None, -0.0, 3.0]},
            nonfinite={"a": [2]},
        ),
        Metrics(steps=[1, 2], epochs=[0.1], times=[], series={"ragged": [1.0]}),
        Log(message='"kind":"metrics"'),
    ]
    with feed.watch("?after=3&blocks=1") as viewer, feed.watch("?after=3") as plain:
        feed.say(*events)
        block, *texts = (viewer.recv(HANG_GUARD_S) for _ in range(3))
        said, *others = take(plain, 3)
    with feed.watch("?after=3&blocks=1") as late:
        assert [late.recv(HANG_GUARD_S) for _ in range(3)] == [block, *texts]
    assert [json.loads(text) for text in texts] == others
    assert isinstance(block, bytes)
    mark, size = struct.unpack_from("<B3xI", block)
    head = json.loads(block[8 : 8 + size])
    columns = np.frombuffer(block, "<f8", offset=8 + size).reshape(-1, head["length"])
    assert (mark, (8 + size) % 8, head["series"]) == (1, 0, ["a", "b"])
    assert [said.pop(name) for name in ("steps", "epochs", "times")] == columns[:3].tolist()
    for column, (name, values) in zip(columns[3:], said["series"].items(), strict=True):
        known = [np.nan if value is None else value for value in values]
        assert np.array_equal(column, known, equal_nan=True), name
    same = ("run", "seq", "at", "kind", "nonfinite")
    assert {name: head[name] for name in same} == {name: said[name] for name in same}


def test_a_trainer_is_told_that_somebody_watches(feed: Feed) -> None:
    trainer = feed.api.client(Authorization=f"Bearer {feed.claim.token}")

    def watched() -> bool:
        answer = trainer.post(f"/api/worker/runs/{feed.run}/events", json={"attempt": 1, "events": []})
        return bool(answer.json()["watched"])

    with feed.watch() as viewer:
        take(viewer, 3)
        assert watched()
    wait_until(lambda: not watched())


def test_an_ended_run_stays_open(feed: Feed) -> None:
    feed.api.store.runs.want(feed.run, "stop")
    feed.api.store.queue.lost(feed.run, 1, "gone")
    with feed.watch() as viewer:
        assert take(viewer, feed.last)[-1]["state"] == "stopped"
        with pytest.raises(TimeoutError):
            viewer.recv(0.3)


@pytest.mark.parametrize(
    ("query", "code"),
    [("?after=99", 4400), ("?after=-1", 4400), ("?after=x", 4400), ("?after=", 4400), ("?after=" + "9" * 99, 4400)],
)
def test_cursors_that_cannot_be(feed: Feed, query: str, code: int) -> None:
    with feed.watch(query) as viewer:
        assert closed_with(viewer) == code


@pytest.mark.parametrize("run", ["none", "%00", "99999999999999999999999", "..%2e", "%ff"])
def test_runs_that_are_not(api: Api, run: str) -> None:
    with api.websocket(f"/api/runs/{run}/stream") as viewer:
        assert closed_with(viewer) == 4404


def test_a_viewer_that_talks_is_sent_away(feed: Feed) -> None:
    with feed.watch() as viewer:
        viewer.send("a word is no harm")
        take(viewer, 3)
        with pytest.raises(ConnectionClosed):
            flood(viewer)
        assert viewer.close_code == 1008


def test_large_and_broken_frames(feed: Feed) -> None:
    with feed.watch() as viewer:
        viewer.send("x" * 70_000)
        assert closed_with(viewer) == 1009
    for frame, code in ((b"\x81\x82\0\0\0\0\xff\xfe", 1007), (b"\x81\x01a", 1002), (b"\xff\x80\0\0\0\0", 1002)):
        with feed.watch() as viewer:
            viewer.socket.sendall(frame)
            assert closed_with(viewer) == code


def deaf_viewer(feed: Feed) -> socket.socket:
    """One that has asked for the log and never reads."""
    deaf = socket.create_connection(("127.0.0.1", feed.api.port))
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = (
        f"GET {feed.path} HTTP/1.1\r\nHost: 127.0.0.1:{feed.api.port}\r\nAuthorization: Bearer {feed.api.token}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    deaf.sendall(request.encode())
    return deaf


def test_a_viewer_that_does_not_read_is_dropped_and_harms_nobody(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PATIENCE_SECONDS", 0.5)
    streams = feed.api.services.streams
    with feed.watch() as reader, deaf_viewer(feed) as deaf:
        take(reader, 3)
        wait_until(lambda: streams.viewers == 2)
        for _ in range(12):
            feed.say(*lines(10, "x" * 90_000))
        assert seqs(take(reader, 120)) == list(range(4, 124))
        wait_until(lambda: streams.viewers == 1)
        feed.say(*lines(1))
        assert seqs(take(reader, 1)) == [124]
        assert deaf.recv(12) == b"HTTP/1.1 101"


def test_nobody_waits_for_a_viewer_that_does_not_read(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the service is patient with it, the others have everything, and what it is owed is not kept for it."""
    monkeypatch.setattr(stream, "PATIENCE_SECONDS", 10.0 * HANG_GUARD_S)
    wires: list[DroppableWebSocket] = []
    made = DroppableWebSocket.connection_made
    monkeypatch.setattr(
        DroppableWebSocket, "connection_made", lambda self, wire: (made(self, wire), wires.append(self))
    )
    streams = feed.api.services.streams
    with feed.watch() as reader, deaf_viewer(feed):
        take(reader, 3)
        wait_until(lambda: streams.viewers == 2)
        for _ in range(240):
            feed.say(*lines(1, "x" * 60_000))
        assert seqs(take(reader, 240)) == list(range(4, 244))
        assert streams.viewers == 2
        unsent = [wire.transport.get_write_buffer_size() for wire in wires]
        assert UNSENT_BYTES < max(unsent) < 2 * UNSENT_BYTES
    wait_until(lambda: streams.viewers == 0)


def test_a_viewer_who_leaves_is_forgotten(feed: Feed) -> None:
    streams = feed.api.services.streams
    with feed.watch() as viewer:
        take(viewer, 3)
        assert streams.viewers == 1
    wait_until(lambda: streams.viewers == 0)
    feed.say(*lines(3))
    viewer = feed.watch()
    viewer.socket.close()
    wait_until(lambda: streams.viewers == 0)


def test_a_fault_of_ours_ends_the_connection(
    feed: Feed, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def follow(*_given: Any, **_how: Any) -> AsyncIterator[list[bytes]]:
        raise ValueError("nobody foresaw this")
        yield []

    monkeypatch.setattr(Streams, "follow", follow)
    with feed.watch() as viewer, pytest.raises(ConnectionClosedError) as closed:
        drain(viewer)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1011
    assert "nobody foresaw this" in caplog.text


def test_a_deleted_run_ends_quietly(feed: Feed) -> None:
    feed.api.store.runs.want(feed.run, "stop")
    feed.api.store.queue.lost(feed.run, 1, "gone")
    with feed.watch() as viewer:
        take(viewer, feed.last)
        feed.api.store.runs.delete(feed.run)
        with pytest.raises((TimeoutError, ConnectionClosedError)):
            viewer.recv(0.3)


def wait_until(condition: Any) -> None:
    end = time.monotonic() + HANG_GUARD_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_server_without_our_protocol_sends_the_same(feed: Feed) -> None:
    """Through ASGI alone."""
    store = feed.api.store

    async def read(run: str, after: int, limit: int) -> list[bytes]:
        return store.log.events(run, after, limit)

    streams = Streams(read)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        streams.attach()
        yield

    app = FastAPI(lifespan=lifespan)
    app.include_router(stream.router)
    app.state.services = replace(feed.api.services, streams=streams)
    deafen = store.log.listen(streams.publish)
    try:
        with TestClient(app) as client, client.websocket_connect(feed.path) as viewer:
            assert [viewer.receive_json()["seq"] for _ in range(3)] == [1, 2, 3]
            feed.say(*lines(20))
            assert [viewer.receive_json()["seq"] for _ in range(20)] == list(range(4, 24))
    finally:
        deafen()
