"""Starting and keeping runs over HTTP, without training any."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from stores import DOCUMENT, claimed, loss, numbered, publish_checkpoint, running
from stores import PLAN as STORED_PLAN
from unit.api.conftest import Api
from waiting import wait_for

GRAPH: dict[str, Any] = DOCUMENT.model_dump(mode="json")
PLAN: dict[str, Any] = {"dataset": "digits-flat", "epochs": 3, "seed": 0}


def start(user: httpx.Client, plan: dict[str, Any] | None = None, **headers: str) -> httpx.Response:
    return user.post("/api/runs", json={"document": GRAPH, "plan": plan or PLAN}, headers=headers)


def codes(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 422, answer.text
    return [item["code"] for item in answer.json()["errors"]]


def test_a_short_plan_is_a_whole_one(api: Api, user: httpx.Client) -> None:
    woken = len(api.woken)
    answer = start(user)
    assert answer.status_code == 201
    run = answer.json()
    assert answer.headers["location"] == f"/api/runs/{run['id']}"
    assert (run["state"], run["name"], run["model"], run["parameters"]) == ("queued", "Line", "Line", 650)
    assert run["plan"]["optimizer"]["name"] == "torch.optim.AdamW"
    assert run["document"]["blocks"] == GRAPH["blocks"]
    assert len(api.woken) == woken + 1
    assert user.get(f"/api/runs/{run['id']}").json() == run


def test_one_key_makes_one_run(user: httpx.Client) -> None:
    first = start(user, **{"Idempotency-Key": "k1"})
    again = start(user, **{"Idempotency-Key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json()["id"] == again.json()["id"]
    assert start(user, **{"Idempotency-Key": "k2"}).json()["id"] != first.json()["id"]
    assert start(user, {**PLAN, "seed": 1}, **{"Idempotency-Key": "k1"}).status_code == 422


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"dataset": "digitz"}, "unknown_dataset"),
        ({"dataset": "../token"}, "unknown_dataset"),
        ({"dataset": "iris"}, "dataset_mismatch"),
        ({"dataset": "characters"}, "dataset_mismatch"),
        ({"optimizer": {"name": "torch.optim.Adan"}}, "unknown_optimizer"),
        ({"optimizer": {"name": "os.system"}}, "unknown_optimizer"),
        ({"optimizer": {"name": "torch.nn.Linear"}}, "unknown_optimizer"),
        ({"optimizer": {"name": "torch.optim.SGD", "arguments": {"rl": 0.1}}}, "unknown_argument"),
        ({"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": -1}}}, "plan_invalid"),
        ({"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": "much"}}}, "plan_invalid"),
        ({"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": {"$float": "nan"}}}}, "plan_invalid"),
        ({"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": {"$float": "inf"}}}}, "plan_invalid"),
        ({"optimizer": {"name": "torch.optim.SGD", "arguments": {"lr": {"$ref": "n1"}}}}, "plan_invalid"),
        ({"optimizer": {"name": "torch.optim.AdamW", "arguments": {"betas": {"$tuple": [0.9, 1]}}}}, "plan_invalid"),
        ({"optimizer": {"name": "torch.optim.AdamW", "arguments": {"betas": [0.9]}}}, "plan_invalid"),
        ({"scheduler": {"name": "StepLR"}}, "unknown_scheduler"),
        ({"scheduler": {"name": "torch.optim.lr_scheduler.StepLR", "arguments": {"x": 1}}}, "unknown_argument"),
        ({"scheduler": {"name": "torch.optim.lr_scheduler.StepLR"}}, "missing_argument"),
        ({"scheduler": {"name": "torch.optim.lr_scheduler.OneCycleLR"}}, "missing_argument"),
        (
            {"scheduler": {"name": "torch.optim.lr_scheduler.ExponentialLR", "arguments": {"gamma": "x"}}},
            "plan_invalid",
        ),
        (
            {"scheduler": {"name": "torch.optim.lr_scheduler.ReduceLROnPlateau", "arguments": {"factor": 2}}},
            "plan_invalid",
        ),
        ({"metrics": [{"name": "torchmetrics.regression.MinkowskiDistance"}]}, "missing_argument"),
        ({"metrics": [{"name": "torchmetrics.classification.MulticlassConfusionMatrix"}]}, "unknown_metric"),
        ({"loss": {"name": "torch.nn.ReLU"}}, "unknown_loss"),
        ({"loss": {"name": "torch.nn.CrossEntropyLoss", "arguments": {"reduction": 3, "x": 1}}}, "unknown_argument"),
        ({"metrics": [{"name": "accuracy"}]}, "unknown_metric"),
        ({"device": "cuda:99"}, "device_unavailable"),
        ({"epochs": 0}, "invalid_body"),
        ({"epochs": 1.5}, "invalid_body"),
        ({"batch_size": True}, "invalid_body"),
        ({"epoch": 3}, "invalid_body"),
        ({"split": {"validation": 1}}, "invalid_body"),
        ({"device": "cuda; rm"}, "invalid_body"),
    ],
)
def test_plans_that_cannot_be_meant(user: httpx.Client, change: dict[str, Any], code: str) -> None:
    total = user.get("/api/runs").json()["total"]
    assert code in codes(start(user, {**PLAN, **change}))
    assert user.get("/api/runs").json()["total"] == total


def test_patterns_that_match_nothing_are_told_where_they_stand(user: httpx.Client) -> None:
    plan: dict[str, Any] = {
        **PLAN,
        "groups": [{"pattern": "*.bias", "weight_decay": 0.0}, {"pattern": "fx.*", "lr": 0.1}, {"pattern": "fc.bias"}],
        "statistics": {"layers": ["fc", "fcc"]},
    }
    answer = start(user, plan)
    assert codes(answer) == ["plan_invalid"] * 3
    told = {item["path"]: item for item in answer.json()["errors"]}
    assert list(told) == ["/plan/groups/1/pattern", "/plan/groups/2/pattern", "/plan/statistics/layers/1"]
    near = {path: item["problem"]["data"]["nearest"] for path, item in told.items()}
    assert set(near["/plan/groups/1/pattern"]) == {"fc.weight", "fc.bias"}
    assert near["/plan/statistics/layers/1"] == ["fc"]
    assert "earlier groups" in told["/plan/groups/2/pattern"]["message"]
    # Who asks for no images need not say of what.
    plan["groups"].pop(1)
    plan["groups"].pop(1)
    assert start(user, {**plan, "statistics": {"layers": ["fcc"], "features": False, "attention": False}}).is_success
    assert start(user, {**plan, "statistics": {"layers": ["f*"]}}).is_success


@pytest.mark.parametrize(
    "scheduler",
    [
        {"name": "CosineAnnealingLR"},
        {"name": "CosineAnnealingLR", "arguments": {"T_max": 3}},
        {"name": "OneCycleLR", "arguments": {"max_lr": 0.1}},
        {"name": "OneCycleLR", "arguments": {"max_lr": 0.1, "epochs": 3, "steps_per_epoch": 5}},
        {"name": "ReduceLROnPlateau", "arguments": {"patience": 2}},
        {"name": "CyclicLR", "arguments": {"base_lr": 0.01, "max_lr": 0.1}},
    ],
)
def test_lengths_of_a_schedule_may_be_the_runs_own(user: httpx.Client, scheduler: dict[str, Any]) -> None:
    named = {**scheduler, "name": f"torch.optim.lr_scheduler.{scheduler['name']}"}
    assert start(user, {**PLAN, "scheduler": named}).status_code == 201


def test_a_loss_with_weights_is_judged_without_making_them(user: httpx.Client) -> None:
    arguments = {"in_features": 1_000_000, "num_classes": 1_000_000}
    loss = {"name": "torch.nn.LinearCrossEntropyLoss", "arguments": arguments}
    assert codes(start(user, {"dataset": "none", "loss": loss})) == ["unknown_dataset"]


def test_a_layer_in_place_of_a_number_is_told_and_never_built(user: httpx.Client) -> None:
    block = GRAPH["blocks"]["Line"]
    for arguments in ({}, {"in_features": 200_000, "out_features": 200_000}):
        layer = {"$layer": {"target": "torch.nn.Linear", "arguments": arguments}}
        wrong = {**GRAPH, "blocks": {"Line": {**block, "arguments": [{"name": "a", "default": layer}]}}}
        report = user.post("/api/graphs/check", json=wrong)
        assert (report.status_code, report.json()["ok"]) == (200, False)


def test_a_network_with_errors_is_not_trained(user: httpx.Client) -> None:
    broken: dict[str, Any] = {**GRAPH, "blocks": {"Line": {**GRAPH["blocks"]["Line"], "members": []}}}
    answer = user.post("/api/runs", json={"document": broken, "plan": PLAN})
    assert "unknown_member" in codes(answer)
    assert answer.json()["errors"][0]["problem"]["node"] == "n1"
    assert "unknown_member" in codes(user.post("/api/graphs/python", json=broken))
    report = user.post("/api/graphs/check", json=broken)
    assert (report.status_code, report.json()["ok"]) == (200, False)


def test_a_stored_network_is_trained_by_its_id(user: httpx.Client) -> None:
    network = user.post("/api/networks", json={"document": GRAPH}).json()["id"]
    made = user.post("/api/runs", json={"network": network, "plan": PLAN})
    assert made.json()["document"] == GRAPH
    assert user.post("/api/runs", json={"network": network, "revision": 7, "plan": PLAN}).status_code == 404
    assert user.post("/api/runs", json={"network": "none", "plan": PLAN}).status_code == 404
    for unclear in ({}, {"document": GRAPH, "network": network}, {"document": GRAPH, "revision": 1}, {"revision": 1}):
        assert codes(user.post("/api/runs", json={**unclear, "plan": PLAN})) == []


def test_wishes_names_and_deletion(api: Api, user: httpx.Client) -> None:
    run = start(user).json()["id"]
    patched = user.patch(f"/api/runs/{run}", json={"name": "Mine", "tags": ["a", "b"]})
    assert (patched.json()["name"], patched.json()["tags"]) == ("Mine", ["a", "b"])
    assert user.post(f"/api/runs/{run}/pause").json()["state"] == "paused"
    assert user.post(f"/api/runs/{run}/resume").json()["state"] == "queued"
    assert user.post(f"/api/runs/{run}/stop").json()["state"] == "stopped"
    assert user.post(f"/api/runs/{run}/resume").json()["code"] == "state_conflict"
    assert user.delete(f"/api/runs/{run}").status_code == 204
    assert user.get(f"/api/runs/{run}").status_code == 404
    live = claimed(api.store).run
    assert user.delete(f"/api/runs/{live}").status_code == 409
    assert user.get(f"/api/runs/{live}").status_code == 200
    api.store.queue.lost(live, 1, "the test is over")


def test_the_table_is_filtered_sorted_and_cut(user: httpx.Client) -> None:
    names = [f"table {letter}" for letter in "cabed"]
    for name in names:
        user.post("/api/runs", json={"document": GRAPH, "plan": PLAN, "name": name})
    page = user.get("/api/runs", params={"search": "table", "sort": "name", "descending": False}).json()
    assert [row["name"] for row in page["items"]] == sorted(names)
    assert page["total"] == 5
    part = user.get("/api/runs", params={"search": "table", "sort": "name", "limit": 2, "offset": 1}).json()
    assert [row["name"] for row in part["items"]] == ["table d", "table c"]
    assert user.get("/api/runs", params={"search": "table", "state": "failed"}).json() == {"items": [], "total": 0}


def test_what_a_run_leaves_behind(api: Api, user: httpx.Client) -> None:
    claim = claimed(api.store, name="left")
    run = claim.run
    saved = publish_checkpoint(api.store, run, claim.attempt, 7, best=True)
    events = [running(), loss(1, 0.5), loss(2, None), loss(2, 0.25, "validation/loss"), saved]
    api.store.log.append(run, claim.attempt, numbered(*events))
    page = user.get(f"/api/runs/{run}/events", params={"after": 2, "limit": 3}).json()
    assert [event["seq"] for event in page["items"]] == [3, 4, 5]
    assert page["last_seq"] == 7
    assert user.get(f"/api/runs/{run}/metrics.csv").text.splitlines() == [
        "step,epoch,seconds,train/loss,validation/loss",
        "1,0.1,0.01,0.5,",
        "2,0.2,0.02,nan,0.25",
    ]
    assert [row["step"] for row in user.get(f"/api/runs/{run}/checkpoints").json()] == [7]
    for which in ("last", "best", "7"):
        answer = user.get(f"/api/runs/{run}/checkpoints/{which}/state_dict")
        assert answer.content == b"weights"
        assert answer.headers["content-disposition"] == 'attachment; filename="Line-step7.pt"'
    missing = user.get(f"/api/runs/{run}/checkpoints/8/state_dict")
    assert (missing.status_code, missing.json()["code"]) == (404, "checkpoint_missing")
    source = user.get(f"/api/runs/{run}/export/python")
    assert source.headers["content-disposition"] == 'attachment; filename="Line.py"'
    compile(source.text, "Line.py", "exec")
    # What was sent is removed after the answer, which has arrived by now.
    wait_for(lambda: not list(api.services.drafts.iterdir()), "the drafts' end")
    api.store.queue.lost(run, claim.attempt, "the test is over")


def test_curves_come_at_any_zoom(api: Api, user: httpx.Client) -> None:
    claim = claimed(api.store)
    run, address = claim.run, f"/api/runs/{claim.run}/series"
    assert user.get(address).json() == {"items": [], "last_seq": 2}
    events = [loss(step, None if step == 3 else step / 10) for step in range(1, 41)]
    events.append(loss(40, 0.5, "validation/loss"))
    api.store.log.append(run, claim.attempt, numbered(*events))
    page = user.get(address, params={"names": ["train/loss", "other"], "first": 2, "last": 4}).json()
    assert page["last_seq"] == api.store.log.last_seq(run)
    [part] = page["items"]
    assert part == {
        "name": "train/loss",
        "total": 40,
        "counts": [1, 1, 1],
        "steps": [2, 3, 4],
        "lasts": [2, 3, 4],
        "epochs": [0.2, 0.3, 0.4],
        "times": [0.02, 0.03, 0.04],
        "clock": pytest.approx(part["clock"]),
        "lows": [0.2, None, 0.4],
        "highs": [0.2, None, 0.4],
        "means": [0.2, None, 0.4],
        "broken": [0, 1, 0],
    }
    assert part["clock"][0] == pytest.approx(api.store.runs.summary(run).created_at, abs=60)
    train, validation = user.get(address, params={"buckets": 3}).json()["items"]
    assert (train["counts"], train["lows"], train["broken"]) == ([32, 7, 1], [0.1, 3.3, 4.0], [1, 0, 0])
    assert (validation["name"], validation["means"]) == ("validation/loss", [0.5])
    for wrong in ({"buckets": 0}, {"buckets": 10**6}, {"first": -1}, {"last": 2**63}, {"names": "n" * 201}):
        assert user.get(address, params=wrong).status_code == 422
    assert user.get("/api/runs/nosuchrunabc/series").status_code == 404
    api.store.queue.lost(run, claim.attempt, "the test is over")


def test_the_system_and_its_figures(user: httpx.Client) -> None:
    system = user.get("/api/system").json()
    assert system["torch"].startswith("2.")
    assert "cpu" in [device["id"] for device in system["devices"]]
    assert 'layerloom_runs{state="queued"}' in user.get("/metrics").text


def test_long_tables_come_in_one_answer(api: Api, user: httpx.Client) -> None:
    for _ in range(205):
        api.store.runs.add(DOCUMENT, STORED_PLAN, name="many")
    page = user.get("/api/runs", params={"search": "many", "limit": 1_000}).json()
    assert len(page["items"]) == page["total"] == 205
    assert len({row["id"] for row in page["items"]}) == 205


def test_what_cannot_be_changed_says_what_would_help(api: Api, user: httpx.Client) -> None:
    cycle = {"name": "torch.optim.lr_scheduler.OneCycleLR", "arguments": {"max_lr": 0.1, "total_steps": 5_000}}
    groups = [{"pattern": "fc.*", "lr": 0.1}]
    run = start(user, {**PLAN, "scheduler": cycle, "groups": groups}).json()["id"]
    refused = user.patch(f"/api/runs/{run}", json={"epochs": 9})
    assert (refused.status_code, "Fork the run" in refused.json()["detail"]) == (409, True)
    refused = user.patch(f"/api/runs/{run}", json={"groups": {"head.*": 0.1}})
    assert codes(refused) == ["plan_invalid"]
    assert refused.json()["errors"][0]["problem"]["data"]["nearest"] == ["fc.*"]
    for wrong in ({"learning_rate": 0}, {"learning_rate": -1}, {"epochs": 0}, {"epochs": 1.5}, {"steps": True}):
        assert user.patch(f"/api/runs/{run}", json=wrong).status_code == 422
    changed = user.patch(f"/api/runs/{run}", json={"groups": {"fc.*": 0.2}, "name": "Other"}).json()
    assert (changed["name"], changed["adjustment"]["groups"], changed["adjusted"]) == ("Other", {"fc.*": 0.2}, [])
    refused = user.post(f"/api/runs/{run}/checkpoint")
    assert (refused.status_code, refused.json()["code"]) == (409, "state_conflict")
    assert "Ask again when it trains" in refused.json()["detail"]
