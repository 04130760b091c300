"""A viewer of a run's live log, for tests."""

from __future__ import annotations

import json
from typing import Any

from websockets.sync.client import ClientConnection, connect

from serving import Server

ENDED = {"succeeded", "stopped", "failed", "interrupted"}


def viewer(server: Server, run: str, after: int | None = None) -> ClientConnection:
    """A websocket on the run's log."""
    query = "" if after is None else f"?after={after}"
    address = f"{server.url.replace('http', 'ws', 1)}/api/runs/{run}/stream{query}"
    return connect(address, additional_headers={"Authorization": f"Bearer {server.token}"}, proxy=None)


def until(socket: ClientConnection, *states: str, seconds: float = 180) -> list[dict[str, Any]]:
    """Every event up to the first that enters one of these states."""
    events: list[dict[str, Any]] = []
    while not events or events[-1].get("state") not in states:
        events.append(json.loads(socket.recv(seconds)))
    return events


def states(events: list[dict[str, Any]]) -> list[str]:
    """The states that a log passes through."""
    return [event["state"] for event in events if event["kind"] == "state"]


def seqs(events: list[dict[str, Any]]) -> list[int]:
    """The numbers of the events."""
    return [event["seq"] for event in events]
