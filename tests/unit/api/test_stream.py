"""The live log: replay, live events, many viewers, and viewers that do not behave."""

from __future__ import annotations

import json
import socket
import threading
import time
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.sync.client import ClientConnection

from layerloom.api.routes import stream
from layerloom.api.streams import TAIL_EVENTS, Tail
from layerloom.schema.events import Event, Log
from stores import claimed, numbered, running
from unit.api.conftest import Api

GUARD_S = 30


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
    return [json.loads(viewer.recv(GUARD_S)) for _ in range(count)]


def seqs(events: list[dict[str, Any]]) -> list[int]:
    return [event["seq"] for event in events]


def drain(viewer: ClientConnection) -> None:
    while True:
        viewer.recv(GUARD_S)


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
            seen[index] = [str(viewer.recv(GUARD_S)) for _ in range(203)]

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


def test_a_viewer_that_does_not_read_is_dropped_and_harms_nobody(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "PATIENCE_SECONDS", 0.5)
    deaf = socket.create_connection(("127.0.0.1", feed.api.port))
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = (
        f"GET {feed.path} HTTP/1.1\r\nHost: 127.0.0.1:{feed.api.port}\r\nAuthorization: Bearer {feed.api.token}\r\n"
        "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    deaf.sendall(request.encode())
    streams = feed.api.services.streams
    with feed.watch() as reader:
        take(reader, 3)
        wait_until(lambda: streams.viewers == 2)
        for _ in range(12):
            feed.say(*lines(10, "x" * 90_000))
        assert seqs(take(reader, 120)) == list(range(4, 124))
        wait_until(lambda: streams.viewers == 1)
        feed.say(*lines(1))
        assert seqs(take(reader, 1)) == [124]
    assert deaf.recv(12) == b"HTTP/1.1 101"
    deaf.close()


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


def test_a_deleted_run_ends_quietly(feed: Feed) -> None:
    feed.api.store.runs.want(feed.run, "stop")
    feed.api.store.queue.lost(feed.run, 1, "gone")
    with feed.watch() as viewer:
        take(viewer, feed.last)
        feed.api.store.runs.delete(feed.run)
        with pytest.raises((TimeoutError, ConnectionClosedError)):
            viewer.recv(0.3)


def wait_until(condition: Any) -> None:
    end = time.monotonic() + GUARD_S
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


class TestTail:
    def test_it_reaches_back_only_so_far(self) -> None:
        tail = Tail()
        assert tail.after(0) is None
        tail.add(1, [str(seq) for seq in range(1, TAIL_EVENTS + 11)])
        assert tail.after(0) is None
        assert tail.after(10) == [str(seq) for seq in range(11, TAIL_EVENTS + 11)]
        assert tail.after(TAIL_EVENTS + 10) == []

    def test_a_gap_empties_it(self) -> None:
        tail = Tail()
        tail.add(1, ["1", "2"])
        tail.add(5, ["5"])
        assert tail.after(2) is None
        assert tail.after(4) == ["5"]

    def test_what_is_told_twice_is_kept_once(self) -> None:
        tail = Tail()
        tail.add(1, ["1", "2"])
        tail.add(2, ["2", "3"])
        assert tail.after(0) == ["1", "2", "3"]

    def test_it_holds_few_large_events(self) -> None:
        tail = Tail()
        tail.add(1, ["x" * 1_500_000] * 5)
        assert tail.after(3) is None
        assert len(tail.after(4) or []) == 1
