"""What a server knows of a run, and what lies in the run's folder."""

from __future__ import annotations

import json
from typing import Any

import httpx
import torch

from serving import Server


def events(user: httpx.Client, run: str, kind: str) -> list[dict[str, Any]]:
    page: list[dict[str, Any]] = []
    after = 0
    while items := user.get(f"/api/runs/{run}/events", params={"after": after, "limit": 5_000}).json()["items"]:
        page += items
        after = items[-1]["seq"]
    return [event for event in page if event["kind"] == kind]


def column(user: httpx.Client, run: str, name: str) -> dict[int, float]:
    """By step; of a step that was done twice the later value counts."""
    points: dict[int, float] = {}
    for event in events(user, run, "metrics"):
        points.update(zip(event["steps"], event["series"].get(name, ()), strict=False))
    return points


def weights(server: Server, user: httpx.Client, run: str) -> dict[str, torch.Tensor]:
    path = events(user, run, "checkpoint")[-1]["path"]
    found: dict[str, torch.Tensor] = torch.load(server.home / "runs" / run / path / "state.pt", weights_only=True)
    return found


def trainer(server: Server, run: str) -> int:
    """Process of the newest attempt."""
    newest = max((server.home / "runs" / run / "attempts").iterdir(), key=lambda place: int(place.name))
    return int(json.loads((newest / "process.json").read_bytes())["pid"])
