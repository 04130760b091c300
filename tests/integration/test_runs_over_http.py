"""The main job over HTTP, with the real trainer: start, watch, stop, download, and trust the weights."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load as load_safetensors
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split
from torch import nn

from layerloom.data import main_inputs, prepare
from layerloom.graph import build
from layerloom.schema.document import Document
from layerloom.schema.plan import Plan
from serving import Server, wait_for_run
from watching import seqs, states, until, viewer


class DigitsCNN(nn.Module):
    """The first example, as one would write it by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU())
        self.stage2 = nn.Sequential(nn.Conv2d(32, 64, 3, padding=1), nn.BatchNorm2d(64), nn.ReLU())
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(1024, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.fc(self.pool(self.stage2(self.stage1(x))).flatten(1))


def document(user: httpx.Client, name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in user.get("/api/examples").json() if one["id"] == name)["document"]
    return found


def start(user: httpx.Client, name: str, plan: dict[str, Any]) -> str:
    answer = user.post("/api/runs", json={"document": document(user, name), "plan": plan})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_digits_from_the_request_to_weights_that_keep_their_promise(server: Server, user: httpx.Client) -> None:
    plan = {"dataset": "digits", "epochs": 3, "seed": 0, "device": "cpu"}
    run = start(user, "digits-cnn", plan)
    with viewer(server, run) as socket:
        events = until(socket, "succeeded", "failed", "stopped")
    assert seqs(events) == list(range(1, len(events) + 1))
    assert states(events) == ["queued", "starting", "running", "succeeded"]
    kinds = {event["kind"] for event in events}
    assert kinds >= {"state", "progress", "metrics", "checkpoint", "log"}
    assert kinds >= {"statistics", "histograms", "activations", "images", "sampling"}
    steps = [step for event in events if event["kind"] == "metrics" for step in event["steps"]]
    assert sorted(set(steps)) == list(range(1, max(steps) + 1))

    # A second viewer, a reload and the page of events see the same log.
    with viewer(server, run, after=5) as socket:
        assert until(socket, "succeeded") == events[5:]
    assert user.get(f"/api/runs/{run}/events", params={"limit": 5_000}).json()["items"] == events

    shown = user.get(f"/api/runs/{run}").json()
    assert shown["state"] == "succeeded"
    assert user.get(f"/api/runs/{run}/metrics.csv").text.count("\n") == max(steps) + 1

    pt = user.get(f"/api/runs/{run}/checkpoints/last/state_dict")
    assert pt.headers["content-disposition"] == f'attachment; filename="DigitsCNN-step{max(steps)}.pt"'
    weights = torch.load(io.BytesIO(pt.content), weights_only=True)
    safe = load_safetensors(user.get(f"/api/runs/{run}/checkpoints/last/state_dict?format=safetensors").content)
    assert list(weights) == list(DigitsCNN().state_dict())
    assert set(safe) == set(weights)
    assert all(torch.equal(safe[name], weights[name]) for name in weights)

    module = DigitsCNN().eval()
    module.load_state_dict(weights, strict=True)
    prepared = prepare(Plan(**plan), main_inputs(Document(**shown["document"])), Path(server.home) / "data")
    with torch.no_grad():
        right = module(*prepared.validation.inputs.values()).argmax(1) == prepared.validation.targets
    assert right.double().mean().item() == pytest.approx(shown["last"]["validation/accuracy"], abs=1e-6)
    assert shown["last"]["validation/accuracy"] > 0.9


def test_weights_of_scaled_inputs_come_with_the_scaling(server: Server, user: httpx.Client) -> None:
    """Raw numbers, scaled as the run says and nothing else known of LayerLoom, give the accuracy that was shown."""
    run = start(user, "iris-mlp", {"dataset": "iris", "epochs": 30, "device": "cpu"})
    assert wait_for_run(user, run, "succeeded", "failed")["state"] == "succeeded"
    shown = user.get(f"/api/runs/{run}").json()
    weights = user.get(f"/api/runs/{run}/checkpoints/last/state_dict?format=safetensors").content
    (server.home / "iris.safetensors").write_bytes(weights)
    with safe_open(server.home / "iris.safetensors", "pt") as file:
        scaling = json.loads(file.metadata()["layerloom.scaling"])
    assert scaling == shown["scaling"]

    module = build(Document.model_validate(shown["document"]))
    module.load_state_dict(load_safetensors(weights), strict=True)
    flowers, kinds = load_iris(return_X_y=True)
    _, rows = train_test_split(range(len(kinds)), test_size=0.2, random_state=0, stratify=kinds)
    x = torch.tensor(flowers[rows], dtype=torch.float32)
    x = (x - torch.tensor(scaling["mean"]["x"])) / torch.tensor(scaling["deviation"]["x"])
    with torch.no_grad():
        right = module.eval()(x).argmax(1) == torch.tensor(kinds[rows])
    assert right.double().mean().item() == pytest.approx(shown["last"]["validation/accuracy"], abs=1e-6)

    images = start(user, "digits-cnn", {"dataset": "digits", "epochs": 1, "device": "cpu"})
    assert wait_for_run(user, images, "succeeded", "failed")["state"] == "succeeded"
    assert user.get(f"/api/runs/{images}").json()["scaling"] is None


def test_pause_resume_and_stop(server: Server, user: httpx.Client) -> None:
    run = start(user, "digits-mlp", {"dataset": "digits-flat", "epochs": 5_000, "device": "cpu"})
    with viewer(server, run) as socket:
        events = until(socket, "running")
        assert user.delete(f"/api/runs/{run}").status_code == 409
        assert user.post(f"/api/runs/{run}/pause").status_code == 200
        events += until(socket, "paused")
        at_pause = user.get(f"/api/runs/{run}").json()["step"]
        assert user.post(f"/api/runs/{run}/resume").status_code == 200
        events += until(socket, "running")
        assert user.post(f"/api/runs/{run}/stop").status_code == 200
        events += until(socket, "stopped")
    assert states(events) == ["queued", "starting", "running", "paused", "queued", "starting", "running", "stopped"]
    assert seqs(events) == list(range(1, len(events) + 1))
    assert user.get(f"/api/runs/{run}").json()["step"] >= at_pause
    assert user.get(f"/api/runs/{run}/checkpoints/last/state_dict").status_code == 200
    assert user.delete(f"/api/runs/{run}").status_code == 204
    assert not (server.home / "runs" / run).exists()


def test_own_data_from_the_upload_to_the_weights(server: Server, user: httpx.Client) -> None:
    rows = "".join(f"{x / 50},{(x * 7 % 50) / 50},{'left' if x < 25 else 'right'}\n" for x in range(50))
    made = user.put("/api/datasets/sides?filename=sides.csv", content=f"a,b,side\n{rows}".encode())
    assert made.status_code == 201, made.text
    network = document(user, "iris-mlp")
    network["inputs"]["x"]["shape"] = [2]
    plan = {"dataset": "sides", "epochs": 2, "device": "cpu"}
    refused = user.post("/api/runs", json={"document": document(user, "iris-mlp"), "plan": plan})
    assert [item["code"] for item in refused.json()["errors"]] == ["dataset_mismatch"]
    run = user.post("/api/runs", json={"document": network, "plan": plan}).json()["id"]
    assert wait_for_run(user, run, "succeeded", "failed")["state"] == "succeeded"
    weights = torch.load(
        io.BytesIO(user.get(f"/api/runs/{run}/checkpoints/best/state_dict").content), weights_only=True
    )
    assert weights["hidden.weight"].shape == (16, 2)


def test_a_failure_tells_why_and_the_server_lives(server: Server, user: httpx.Client) -> None:
    network = document(user, "iris-mlp")
    block = network["blocks"]["IrisMLP"]
    block["members"][-1]["arguments"]["out_features"] = 2
    run = user.post("/api/runs", json={"document": network, "plan": {"dataset": "iris", "epochs": 1}}).json()["id"]
    view = wait_for_run(user, run, "succeeded", "failed")
    assert view["state"] == "failed"
    problem: dict[str, Any] = view["problem"]  # type: ignore[assignment]
    assert problem["message"]
    assert user.get("/health").status_code == 200


@pytest.mark.parametrize("name", ["sine-lstm", "character-gru", "attention-digits", "residual-digits", "wine-gated"])
def test_other_kinds_of_networks_learn(server: Server, user: httpx.Client, name: str) -> None:
    example = next(one for one in user.get("/api/examples").json() if one["id"] == name)
    run = start(user, name, {"dataset": example["plan"]["dataset"], "epochs": 1, "device": "cpu"})
    view = wait_for_run(user, run, "succeeded", "failed")
    assert view["state"] == "succeeded", view["problem"]
