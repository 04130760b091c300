"""Commands to a run that trains, over HTTP and with the real trainer, through kills of it and of the server."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import torch
from torch import nn

from layerloom.data import main_inputs, prepare
from layerloom.graph import build
from layerloom.schema.document import Document
from layerloom.schema.events import Adjusted
from layerloom.schema.orders import Orders
from layerloom.schema.plan import Plan
from layerloom.training import Control, find_rate, train
from reading import column, events, trainer, weights
from serving import Server, serving, wait_for_run
from waiting import wait_for

PLAN = {
    "dataset": "digits-flat",
    "epochs": 40,
    "seed": 3,
    "threads": 1,
    "device": "cpu",
    "optimizer": {"name": "torch.optim.AdamW", "arguments": {"lr": 0.002}},
    "scheduler": {"name": "torch.optim.lr_scheduler.CosineAnnealingLR"},
    "scheduler_interval": "step",
}


def drawn(user: httpx.Client, example: str = "digits-mlp") -> dict[str, Any]:
    found = {one["id"]: one["document"] for one in user.get("/api/examples").json()}
    document: dict[str, Any] = found[example]
    return document


def start(user: httpx.Client, **changes: Any) -> str:
    answer = user.post("/api/runs", json={"document": drawn(user), "plan": {**PLAN, **changes}})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_changes_survive_a_killed_trainer_bit_for_bit(server: Server, user: httpx.Client, tmp_path: Path) -> None:
    """The trainer is killed after the change, and another one starts again from before it."""
    run = start(user)
    wait_for(lambda: user.get(f"/api/runs/{run}").json()["step"] > 50)
    changed = user.patch(f"/api/runs/{run}", json={"learning_rate": 0.004, "epochs": 50}).json()
    assert changed["adjustment"]["number"] == 1
    (event,) = wait_for(lambda: events(user, run, "adjusted"))
    os.kill(trainer(server, run), signal.SIGKILL)
    shown = wait_for_run(user, run, "succeeded", "failed")
    assert (shown["state"], shown["epochs"], shown["step"]) == ("succeeded", 50, 50 * 23)
    assert len(events(user, run, "adjusted")) == 1, "what is done again is told once"
    assert shown["adjusted"] == [event]
    assert user.get(f"/api/runs/{run}").json()["plan"]["epochs"] == 40, "the plan says what the run was started with"
    # The log says all that is needed to do it again, without a crash.
    history = [Adjusted.model_validate(event)]
    told: list[Any] = []
    module = again(user.get(f"/api/runs/{run}").json(), history, tmp_path, told.append)
    losses = {
        step: loss
        for one in told
        if one.kind == "metrics" and "train/loss" in one.series
        for step, loss in zip(one.steps, one.series["train/loss"], strict=True)
    }
    assert column(user, run, "train/loss") == losses
    end = weights(server, user, run)
    assert all(torch.equal(end[key], value) for key, value in module.state_dict().items())


def again(run: dict[str, Any], history: list[Adjusted], folder: Path, emit: Callable[[Any], None]) -> nn.Module:
    """The run as its log tells it, trained in this process."""
    document, plan = Document.model_validate(run["document"]), Plan.model_validate(run["plan"])
    data = prepare(plan, main_inputs(document), folder)
    module = build(document, seed=plan.seed)
    train(
        module,
        plan,
        data.train,
        data.validation,
        task=data.entry.task,
        classes=len(data.entry.classes),
        emit=emit,
        control=Control(orders=Orders(adjustment=history[-1].adjustment)),
        folder=folder,
        adjusted=history,
    )
    return module


def test_a_checkpoint_now_is_kept_and_a_finished_run_goes_on(server: Server, user: httpx.Client) -> None:
    run = start(user, epochs=400, checkpoints={"every_epochs": 1_000})
    wait_for(lambda: user.get(f"/api/runs/{run}").json()["step"] > 20)
    assert user.post(f"/api/runs/{run}/checkpoint").status_code == 200
    assert user.post(f"/api/runs/{run}/checkpoint").status_code == 200
    wait_for_run(user, run, "succeeded")
    [asked] = [one for one in events(user, run, "checkpoint") if one["answers"]]
    assert asked["step"] in {one["step"] for one in user.get(f"/api/runs/{run}/checkpoints").json()}
    refused = user.post(f"/api/runs/{run}/checkpoint")
    assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    assert "last checkpoint" in refused.json()["detail"]
    refused = user.patch(f"/api/runs/{run}", json={"learning_rate": 0.1, "name": "changed"})
    assert (refused.status_code, user.get(f"/api/runs/{run}").json()["name"]) == (409, "Digits MLP"), "all or nothing"
    assert user.patch(f"/api/runs/{run}", json={"epochs": 402}).json()["state"] == "queued"
    shown = wait_for_run(user, run, "succeeded", "failed")
    assert (shown["epoch"], shown["attempt"], shown["adjusted"][0]["step"]) == (402, 2, 9_200)  # type: ignore[index]


def test_a_wish_outlives_the_server(tmp_path: Path) -> None:
    with serving(tmp_path / "home") as server:
        with server.client() as client:
            client.timeout = 240
            run = start(client, epochs=100_000)
            wait_for(lambda: client.get(f"/api/runs/{run}").json()["step"] > 20)
            pid = trainer(server, run)
            os.kill(pid, signal.SIGSTOP)  # so that it cannot hear before the server is gone
            client.patch(f"/api/runs/{run}", json={"learning_rate": 0.001}).raise_for_status()
        server.kill()
        os.kill(pid, signal.SIGCONT)
        server.start()
        with server.client() as client:
            (event,) = wait_for(lambda: events(client, run, "adjusted"))
            assert event["adjustment"]["learning_rate"] == 0.001
            assert trainer(server, run) == pid
            client.post(f"/api/runs/{run}/stop")
            wait_for_run(client, run, "stopped")
            refused = client.patch(f"/api/runs/{run}", json={"epochs": 200_000})
            assert (refused.status_code, "Fork it" in refused.json()["detail"]) == (409, True)


def test_a_fork_with_another_head_begins_with_the_trunk(server: Server, user: httpx.Client) -> None:
    origin = start(user, epochs=2)
    wait_for_run(user, origin, "succeeded")
    document = user.get(f"/api/runs/{origin}").json()["document"]
    head = document["blocks"][document["main"]]["members"][-1]
    head["arguments"]["out_features"] = 12
    trunk = [key for key in weights(server, user, origin) if not key.startswith(f"{head['name']}.")]
    plan = {**PLAN, "epochs": 1, "groups": [{"pattern": key, "frozen": True} for key in trunk]}
    order = {"checkpoint": "last", "document": document, "plan": plan, "name": "Twelve"}

    told = user.post(f"/api/runs/{origin}/fork/report", json=order).json()
    assert (told["carried"], told["step"], told["weights"]) == (trunk, 46, "trained")
    assert {(one["key"], one["why"], one["shape"][0], one["was"][0]) for one in told["left"]} == {
        (f"{head['name']}.weight", "shape", 12, 10),
        (f"{head['name']}.bias", "shape", 12, 10),
    }
    assert "out_features" in told["network"][0]
    assert len(user.get("/api/runs", params={"search": "Twelve"}).json()["items"]) == 0, "nothing was started"

    made = [user.post(f"/api/runs/{origin}/fork", json=order, headers={"Idempotency-Key": "f"}) for _ in range(2)]
    fork = made[0].json()["id"]
    assert (made[0].status_code, made[1].json()["id"]) == (201, fork)
    shown = wait_for_run(user, fork, "succeeded", "failed")
    assert (shown["state"], shown["step"]) == ("succeeded", 23)
    assert shown["origin"] == {"run": origin, "name": "Digits MLP", "report": told}
    assert user.get(f"/api/runs/{origin}").json()["forks"] == [{"id": fork, "name": "Twelve"}]
    before, after = weights(server, user, origin), weights(server, user, fork)
    assert all(torch.equal(before[key], after[key]) for key in trunk)

    # The whole of it, optimizer too, goes along when nothing is changed; and the fork needs its origin no more.
    again = user.post(f"/api/runs/{origin}/fork", json={"checkpoint": "best"}).json()
    assert again["origin"]["report"]["optimizer"] == [*before]
    assert user.delete(f"/api/runs/{origin}").status_code == 204
    assert wait_for_run(user, again["id"], "succeeded", "failed")["state"] == "succeeded"
    missing = user.post(f"/api/runs/{fork}/fork", json={"checkpoint": "7"})
    assert (missing.status_code, missing.json()["code"]) == (404, "checkpoint_missing")


def search(user: httpx.Client, example: str = "digits-mlp", origin: Any = None, **changes: Any) -> str:
    answer = user.post(
        "/api/rates", json={"document": drawn(user, example), "plan": {**PLAN, **changes}, "origin": origin}
    )
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def found(user: httpx.Client, name: str) -> dict[str, Any]:
    def ended() -> dict[str, Any] | None:
        report: dict[str, Any] = user.get(f"/api/rates/{name}").raise_for_status().json()
        return report if report["state"] in ("done", "failed") else None

    return wait_for(ended) or {}


def test_a_learning_rate_is_found_before_there_is_a_run(server: Server, user: httpx.Client, tmp_path: Path) -> None:
    before = user.get("/api/runs").json()
    name = search(user, devices=2)
    report = found(user, name)
    assert report["state"] == "done", report
    document, plan = Document.model_validate(drawn(user)), Plan.model_validate(PLAN)
    data = prepare(plan, main_inputs(document), tmp_path)
    curve = find_rate(build(document, seed=3), plan, data.train, task=data.entry.task, classes=data.classes)
    assert [report[part] for part in ("rates", "losses", "smoothed")] == [curve.rates, curve.losses, curve.smoothed]
    assert report["suggestion"] == curve.suggestion
    assert 1e-4 < report["suggestion"] < 1
    assert user.get("/api/runs").json() == before
    assert user.delete(f"/api/rates/{name}").status_code == 204
    assert user.get(f"/api/rates/{name}").status_code == 404
    assert not list((server.home / "rates").iterdir())


def test_a_search_tells_why_it_failed_and_can_be_cancelled(server: Server, user: httpx.Client) -> None:
    failed = found(user, search(user, groups=[{"pattern": "*", "frozen": True}]))
    assert failed["state"] == "failed"
    assert [problem["code"] for problem in failed["problems"]] == ["plan_invalid"]
    assert "no trainable parameter" in failed["problems"][0]["message"]
    refused = user.post("/api/rates", json={"document": drawn(user), "plan": {**PLAN, "dataset": "iris"}})
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["problem"]["code"] == "dataset_mismatch"
    # A search that would take a minute.
    slow = search(user, "residual-digits", dataset="digits", batch_size=1024)
    wait_for(lambda: user.get(f"/api/rates/{slow}").json()["losses"])
    process = json.loads((server.home / "rates" / slow / "process.json").read_bytes())["pid"]
    assert user.delete(f"/api/rates/{slow}").status_code == 204
    wait_for(lambda: not Path(f"/proc/{process}").exists(), "its end")
    assert not (server.home / "rates" / slow).exists()


def test_a_search_for_a_fork_begins_with_its_weights(user: httpx.Client) -> None:
    run = start(user, epochs=5)
    assert wait_for_run(user, run, "succeeded", "failed")["state"] == "succeeded"
    fresh, begun = (found(user, search(user, origin=origin)) for origin in (None, {"run": run}))
    assert begun["losses"][0] < fresh["losses"][0] / 4
    gone = {"document": drawn(user), "plan": PLAN, "origin": {"run": run, "checkpoint": "987654"}}
    assert user.post("/api/rates", json=gone).json()["code"] == "checkpoint_missing"
