"""The server is killed while a run trains: the trainer goes on, and whoever watches misses nothing."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from websockets.exceptions import ConnectionClosed

from serving import Server, wait_for_run
from watching import seqs, states, until, viewer


def trainers(home: Path) -> list[psutil.Process]:
    """Processes that still have a file of this home open or named."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = " ".join(process.info["cmdline"] or ())
        try:
            files = [file.path for file in process.open_files()]
        except (psutil.AccessDenied, psutil.NoSuchProcess):
            files = []
        if str(home) in words or any(path.startswith(str(home)) for path in files):
            found.append(process)
    return found


def test_killed_and_started_again(tmp_path: Path) -> None:
    server = Server(tmp_path).start()
    try:
        with server.client() as user:
            user.timeout = 240  # the first request waits until torch is loaded, on a machine that may be busy
            examples = {one["id"]: one["document"] for one in user.get("/api/examples").json()}
            # Long enough to outlast two starts of a server.
            plan = {"dataset": "digits", "epochs": 100, "seed": 0, "device": "cpu"}
            answer = user.post("/api/runs", json={"document": examples["digits-cnn"], "plan": plan})
            run = answer.json()["id"]
        seen: list[dict[str, Any]] = []
        for _ in range(2):
            seen += _watch_and_kill(server, run, seen[-1]["seq"] if seen else 0)
            server.start()
        with server.client() as user:
            shown = user.get(f"/api/runs/{run}").json()
            assert shown["state"] in ("running", "starting", "queued", "succeeded")
            with viewer(server, run, after=seen[-1]["seq"]) as socket:
                seen += until(socket, "succeeded", "failed", "interrupted", "stopped")
            assert wait_for_run(user, run, "succeeded")["step"] == shown["steps"]
            stored = user.get(f"/api/runs/{run}/events", params={"limit": 5_000}).json()["items"]
            assert user.get(f"/api/runs/{run}/checkpoints/last/state_dict").status_code == 200
        # Three connections to three servers: one sequence without a gap or a double.
        assert seqs(seen) == list(range(1, len(seen) + 1))
        assert seen == stored
        assert states(seen) == ["queued", "starting", "running", "succeeded"], (
            "the trainer went on; nothing was repeated"
        )
        steps = [step for event in seen if event["kind"] == "metrics" and "train/loss" in event["series"]
                 for step in event["steps"]]  # fmt: skip
        assert steps == list(range(1, len(steps) + 1))
    finally:
        server.stop()
    end = time.monotonic() + 30
    while left := trainers(tmp_path):
        assert time.monotonic() < end, f"orphans: {left}"
        time.sleep(0.1)


def _watch_and_kill(server: Server, run: str, after: int) -> list[dict[str, Any]]:
    """Watch until training has visibly gone on, kill the server, and keep what had arrived."""
    seen: list[dict[str, Any]] = []
    with viewer(server, run, after=after) as socket:
        while sum(event["kind"] == "metrics" for event in seen) < 5:
            seen.append(json.loads(socket.recv(120)))
        server.kill()
        with pytest.raises(ConnectionClosed):
            _drain(socket, seen)
    time.sleep(1)  # the trainer trains on with nobody to report to
    return seen


def _drain(socket: Any, seen: list[dict[str, Any]]) -> None:
    while True:
        seen.append(json.loads(socket.recv(30)))
