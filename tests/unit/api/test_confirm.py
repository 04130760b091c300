"""A real run of a network, asked for over HTTP."""

from __future__ import annotations

import httpx

from layerloom.graph.examples import examples
from unit.graph.checking.drawing import call, layer, network

IN_PLACE = network(
    [
        layer("fc", "Linear", in_features=8, out_features=8),
        layer("act", "Sigmoid"),
        layer("relu", "ReLU", inplace=True),
    ],
    [call("a", "fc", "x"), call("s", "act", "a"), call("r", "relu", "s")],
)


def test_what_a_run_finds_is_told_at_its_node(user: httpx.Client) -> None:
    assert user.post("/api/graphs/check", json=IN_PLACE).json()["ok"]
    answer = user.post("/api/graphs/confirm", json=IN_PLACE, timeout=120)
    (problem,) = answer.json()["problems"]
    assert (answer.status_code, problem["code"], problem["node"]) == (200, "in_place", "s")
    example = examples()[1].document.model_dump(mode="json", by_alias=True)
    assert user.post("/api/graphs/confirm", json=example, timeout=120).json() == {"problems": []}


def test_a_network_with_errors_is_not_run(user: httpx.Client) -> None:
    broken = {**IN_PLACE, "main": "Other"}
    (problem,) = user.post("/api/graphs/confirm", json=broken, timeout=120).json()["problems"]
    assert problem["code"] == "main_missing"
