"""Runs of two processes under a server: orders, kills of one process and of the server, and the parity report."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import torch

from layerloom.schema.parity import Parity, ParityWay
from offspring import gathered, reap
from reading import column, events, trainer, weights
from serving import Server, serving, wait_for_run
from waiting import wait_for

PATIENCE = 60
STEPS = 20
"""Of a parity report."""
AHEAD = 300
"""Epochs of some milliseconds each, so that a length is wished for before it is reached."""
PLAN: dict[str, Any] = {
    "dataset": "digits-flat",
    "device": "cpu",
    "devices": 2,
    "threads": 1,
    "seed": 3,
    "epochs": 60,
    "optimizer": {"name": "torch.optim.AdamW", "arguments": {"lr": 0.002}},
}

IRIS: dict[str, Any] = {"dataset": "iris", "batch_size": 16, "epochs": 3}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One that may be killed; when it has ended, nothing is left of all that it started."""
    with gathered() as known:
        with serving(tmp_path_factory.mktemp("home")) as running:
            yield running
        wait_for(lambda: not reap(known), "the end of every process that was started", PATIENCE)


@pytest.fixture(autouse=True)
def ended(server: Server) -> Iterator[None]:
    """A run that a failed test has left is not in the way of the next."""
    yield
    with server.client() as client:
        for run in client.get("/api/runs").raise_for_status().json()["items"]:
            if run["state"] == "running":
                client.post(f"/api/runs/{run['id']}/stop")
                wait_for_run(client, run["id"], "stopped", "succeeded", "failed")


@pytest.fixture(scope="module")
def network(server: Server) -> dict[str, Any]:
    return example(server, "digits-mlp")


@pytest.fixture(scope="module")
def plain(server: Server) -> dict[str, Any]:
    """Without dropout."""
    return example(server, "iris-mlp")


@pytest.fixture(scope="module")
def whole(server: Server, network: dict[str, Any]) -> str:
    """A run that nothing disturbs."""
    with server.client() as client:
        run = start(client, network)
        assert wait_for_run(client, run, "succeeded", "failed")["state"] == "succeeded"
        return run


def example(server: Server, name: str) -> dict[str, Any]:
    with server.client() as client:
        client.timeout = 240
        return next(one for one in client.get("/api/examples").json() if one["id"] == name)["document"]


def start(user: httpx.Client, network: dict[str, Any], **changes: Any) -> str:
    answer = user.post("/api/runs", json={"document": network, "plan": {**PLAN, **changes}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def processes(server: Server, run: str) -> list[psutil.Process]:
    """The one that watches the two, and the two."""
    folder = server.home / "runs" / run
    wait_for(lambda: [*folder.glob("attempts/*/process.json")], "a trainer", PATIENCE)
    watching = psutil.Process(trainer(server, run))
    return [watching, *wait_for(lambda: two if len(two := watching.children()) == 2 else [], "two ranks", PATIENCE)]


def gone(ended: list[psutil.Process]) -> None:
    wait_for(lambda: not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in ended), "their end")


def test_a_run_whose_second_process_is_killed_ends_as_if_it_were_not(
    server: Server, user: httpx.Client, network: dict[str, Any], whole: str
) -> None:
    run = start(user, network)
    first = processes(server, run)
    wait_for(lambda: [*(server.home / "runs" / run).glob("checkpoints/*/manifest.json")], "a checkpoint")
    first[2].kill()
    shown = wait_for_run(user, run, "succeeded", "failed")
    assert shown["state"] == "succeeded", shown["problem"]
    (crash,) = [one["reason"] for one in events(user, run, "state") if one["reason"]]
    assert "killed by SIGKILL; it goes on from the last checkpoint. This was crash 1 of" in crash
    assert any(one["message"].startswith("Resumed from checkpoints/") for one in events(user, run, "log"))
    gone(first)
    assert column(user, run, "train/loss") == column(user, whole, "train/loss")
    assert column(user, run, "validation/loss") == column(user, whole, "validation/loss")
    expected, got = weights(server, user, whole), weights(server, user, run)
    assert list(got) == list(expected)
    assert all(torch.equal(got[key], value) for key, value in expected.items())


def last_step(server: Server, run: str) -> int:
    """How far the newest attempt has come, by what it has written down itself."""
    newest = max((server.home / "runs" / run / "attempts").iterdir(), key=lambda place: int(place.name))
    whole, _, _ = (newest / "spool.jsonl").read_text().rpartition("\n")
    told = [event for line in whole.splitlines() if (event := json.loads(line)["event"])["kind"] == "progress"]
    return int(told[-1]["step"])


def test_two_processes_obey_and_outlive_the_server(server: Server, user: httpx.Client, network: dict[str, Any]) -> None:
    run = start(user, network, epochs=100_000, checkpoints={"every_epochs": 1_000_000})
    wait_for(lambda: user.get(f"/api/runs/{run}").json()["step"] > 20, "steps")
    user.patch(f"/api/runs/{run}", json={"learning_rate": 0.0005}).raise_for_status()
    (changed,) = wait_for(lambda: user.get(f"/api/runs/{run}").json()["adjusted"], "the change")
    wait_for(lambda: user.get(f"/api/runs/{run}").json()["step"] > changed["step"] + 10, "steps after it")
    rates = column(user, run, "train/lr")
    assert (rates[changed["step"]], rates[changed["step"] + 1]) == (0.002, 0.0005)

    user.post(f"/api/runs/{run}/checkpoint").raise_for_status()
    (kept,) = wait_for(lambda: [one for one in events(user, run, "checkpoint") if one["answers"]], "the checkpoint")
    assert kept["step"] in {one["step"] for one in user.get(f"/api/runs/{run}/checkpoints").json()}

    before = processes(server, run)
    user.post(f"/api/runs/{run}/pause").raise_for_status()
    at = wait_for_run(user, run, "paused")["step"]
    gone(before)
    user.post(f"/api/runs/{run}/resume").raise_for_status()
    wait_for(lambda: user.get(f"/api/runs/{run}").json()["step"] > at + 10, "steps after the pause")
    steps = column(user, run, "train/loss")
    assert list(steps) == list(range(1, len(steps) + 1)), "none is lost or done twice"

    after = processes(server, run)
    server.kill()
    server.start()
    with server.client() as client:
        client.timeout = 240
        adopted = client.get(f"/api/runs/{run}").json()
        # What it did while there was no server is heard of first: it may have passed any length by then.
        written = last_step(server, run)
        epoch = wait_for(
            lambda: now["epoch"] if (now := client.get(f"/api/runs/{run}").json())["step"] >= written else 0,
            "its steps",
        )
        client.patch(f"/api/runs/{run}", json={"epochs": epoch + AHEAD}).raise_for_status()
        shown = wait_for_run(client, run, "succeeded", "failed")
        assert shown["state"] == "succeeded", shown["problem"]
        assert shown["epoch"] == epoch + AHEAD
        assert shown["attempt"] == adopted["attempt"]
        gone(after)
        steps = column(client, run, "train/loss")
        assert list(steps) == list(range(1, int(shown["step"]) + 1))
        assert column(client, run, "train/lr")[len(steps)] == 0.0005


def real(way: ParityWay, bound: float) -> None:
    """It was trained, and judged by numbers of its own."""
    assert len(way.losses) == STEPS
    assert None not in way.losses
    assert way.seconds
    assert way.largest is not None
    assert way.final is not None
    assert 0 <= way.final <= way.largest
    assert (way.bound, way.holds, way.message) == (bound, True, "")


def test_a_report_over_the_api_has_numbers_and_bounds(user: httpx.Client, plain: dict[str, Any]) -> None:
    run = start(user, plain, **IRIS)
    assert wait_for_run(user, run, "succeeded", "failed")["state"] == "succeeded"
    assert user.get(f"/api/runs/{run}/parity").json()["state"] == "none"
    assert user.post(f"/api/runs/{run}/parity", json={"steps": STEPS}).is_success
    again = user.post(f"/api/runs/{run}/parity", json={"steps": STEPS})
    assert (again.status_code, again.json()["code"]) == (409, "state_conflict")

    def done() -> Parity | None:
        report = Parity.model_validate(user.get(f"/api/runs/{run}/parity").json())
        return report if report.state in ("done", "failed") else None

    report = wait_for(done, "the report", PATIENCE)
    assert report is not None
    assert (report.state, report.steps, report.random) == ("done", STEPS, False), report.message
    fp32, bf16, devices = report.ways
    assert (fp32.name, bf16.name, devices.name, devices.devices) == ("fp32", "bf16", "devices", 2)
    real(bf16, 0.05)
    real(devices, 0.01)
    assert bf16.final, "it rounds to 8 bits"
    assert devices.largest is not None
    assert devices.largest < 1e-5, "it adds up in another order"
    # The third way is how the run was trained.
    trained = column(user, run, "train/loss")
    assert devices.losses == [trained[step] for step in range(1, STEPS + 1)]
    assert fp32.losses == pytest.approx(devices.losses, abs=1e-5)


def test_the_command_prints_the_report(plain: dict[str, Any], tmp_path: Path) -> None:
    files = [tmp_path / "network.json", tmp_path / "plan.json"]
    for file, content in zip(files, (plain, {**PLAN, **IRIS}), strict=True):
        file.write_text(json.dumps(content))
    command = [sys.executable, "-m", "layerloom.cli", "parity", *map(str, files), "--home", str(tmp_path / "home")]
    done = subprocess.run(
        [*command, "--steps", str(STEPS)], capture_output=True, text=True, timeout=4 * PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    heading, *rows, note = done.stdout.splitlines()
    assert heading.split()[:2] == ["way", "ms"]
    assert [row[:12].strip() for row in rows] == ["fp32", "bf16", "2 devices"]
    assert "agrees (≤ 0.05 at the end)" in rows[1]
    assert "agrees (≤ 0.01 in every step)" in rows[2]
    for row in rows[1:]:
        took, largest, final = map(float, row[12:47].split())
        assert took > 0
        assert 0 <= final <= largest < 0.05
    assert note.startswith("Differences are shares of the mean fp32 loss")
