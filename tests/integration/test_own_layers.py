"""A network with layers of one's own, from the palette to the trained weights, on a server that allows it and on one
that does not.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import torch

from layerloom.schema.document import Document
from serving import Server, serving
from unit.graph.test_own_layers import FORGETFUL, PAYLOAD, SIGN, SWISH
from waiting import wait_for

PATIENT = httpx.Timeout(300)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("home"), "--allow-python") as server:
        yield server


@pytest.fixture(scope="module")
def client(server: Server) -> Iterator[httpx.Client]:
    with server.client() as client:
        client.timeout = PATIENT
        yield client


def network(**code: str) -> dict[str, Any]:
    """For the data set ``blobs`` of two features, its hidden layer gated by a layer of one's own."""
    members = [
        {"kind": "layer", "name": "first", "target": "torch.nn.Linear", "arguments": {"in_features": {"$auto": True}}},
        {"kind": "layer", "name": "gate", "target": "python.SwishGate", "arguments": {"width": 8}},
        {"kind": "layer", "name": "last", "target": "torch.nn.Linear", "arguments": {"in_features": {"$auto": True}}},
    ]
    members[0]["arguments"]["out_features"], members[2]["arguments"]["out_features"] = 8, 10  # type: ignore[index]
    nodes = [
        {"op": "call", "id": "a", "target": "first", "arguments": {"input": {"$ref": "x"}}},
        {"op": "call", "id": "b", "target": "gate", "arguments": {"x": {"$ref": "a"}}},
        {"op": "call", "id": "c", "target": "last", "arguments": {"input": {"$ref": "b"}}},
    ]
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": {"$ref": "c"}}
    return {
        "main": "Net",
        "blocks": {"Net": {"members": members, "forward": forward}},
        "inputs": {"x": {"shape": [64]}},
        "code": {name: {"source": source} for name, source in code.items()},
    }


def add(client: httpx.Client, name: str, source: str, **arguments: Any) -> httpx.Response:
    body = {"name": name, "source": source, "arguments": arguments, "inputs": {"x": {"shape": [8]}}}
    return client.post("/api/python-layers", json=body)


def test_a_layer_is_tried_kept_offered_and_let_go(client: httpx.Client) -> None:
    before = client.get("/api/catalogue")
    answer = add(client, "SwishGate", SWISH, width=8)
    assert answer.status_code == 201, answer.text
    assert answer.json()["problems"] == []
    assert add(client, "Sign", SIGN, scale=2.0).json()["problems"][0]["code"] == "gradient_wrong"
    assert [layer["entry"]["label"] for layer in client.get("/api/python-layers").json()] == ["Sign", "SwishGate"]
    after = client.get("/api/catalogue")
    assert after.headers["etag"] != before.headers["etag"]
    (found,) = [entry for entry in after.json()["layers"] if entry["name"] == "python.SwishGate"]
    assert (found["category"], found["parameters"][0]["name"]) == ("your layers", "width")
    assert "python.Sign" in [entry["name"] for entry in after.json()["operations"]]
    card = client.get("/api/catalogue/help/python.SwishGate").json()
    assert card["description"][0]["content"] == ["Gates by a swish."]
    assert card["parameters"][0]["name"] == "width"
    assert client.delete("/api/python-layers/Sign").status_code == 204
    assert client.delete("/api/python-layers/Sign").status_code == 404
    assert client.get("/api/catalogue/help/python.Sign").status_code == 404
    assert client.delete("/api/python-layers/..%2Ftoken").status_code == 404
    assert "python.Sign" not in [entry["name"] for entry in client.get("/api/catalogue").json()["operations"]]


def test_a_layer_with_errors_is_not_kept(client: httpx.Client) -> None:
    answer = add(client, "Forgetful", FORGETFUL, width=8)
    assert answer.status_code == 422
    assert answer.json()["code"] == "state_incomplete"
    assert "Forgetful" not in client.get("/api/python-layers").text


def test_a_network_without_the_code_is_offered_it(client: httpx.Client) -> None:
    add(client, "SwishGate", SWISH, width=8)
    report = client.post("/api/graphs/check", json=network()).json()
    (problem,) = [item for item in report["problems"] if item["code"] == "unknown_layer"]
    (edit,) = problem["fixes"][0]["edits"]
    assert (edit["path"], edit["value"]) == ("/code", {"SwishGate": {"source": SWISH}})


def test_a_network_of_own_layers_trains_and_its_weights_fit_the_written_class(
    client: httpx.Client, tmp_path: Path
) -> None:
    document = network(SwishGate=SWISH)
    assert client.post("/api/graphs/check", json=document).json()["problems"] == []
    assert client.post("/api/graphs/confirm", json=document).json()["problems"] == []
    analysis = client.post("/api/graphs/analysis", json={"document": document, "batch": 4})
    assert analysis.status_code == 200, analysis.text
    source = client.post("/api/graphs/python", json=document).json()["source"]
    assert SWISH[SWISH.index("class ") :] in source
    started = client.post("/api/runs", json={"document": document, "plan": {"dataset": "digits", "epochs": 1}})
    assert started.status_code == 201, started.text
    run = f"/api/runs/{started.json()['id']}"
    wait_for(lambda: client.get(run).json()["state"] in ("succeeded", "failed"), "the run's end")
    assert client.get(run).json()["state"] == "succeeded", client.get(f"{run}/events").text[-3000:]
    weights = client.get(f"{run}/checkpoints/last/state_dict", params={"format": "pt"}).content
    state = torch.load(io.BytesIO(weights), weights_only=True)
    names: dict[str, Any] = {}
    exec(compile(source, "net.py", "exec"), names)
    net = names["Net"]()
    net.load_state_dict(state, strict=True)
    program = client.get(f"{run}/export/pt2")
    assert program.status_code == 200, program.text
    (tmp_path / "net.pt2").write_bytes(program.content)
    x = torch.randn(5, 64)
    exported = torch.export.load(tmp_path / "net.pt2").module()
    torch.testing.assert_close(exported(x), net.eval()(x))


def test_code_is_text_on_a_server_that_does_not_allow_it(tmp_path: Path) -> None:
    canary = tmp_path / "canary"
    document = network(SwishGate=SWISH, Quiet=PAYLOAD.format(canary=str(canary)))
    Document.model_validate(document)
    with serving(tmp_path / "home") as server, server.client() as client:
        client.timeout = PATIENT
        report = client.post("/api/graphs/check", json=document).json()
        assert [item["code"] for item in report["problems"]] == ["python_disabled"]
        assert "--allow-python" in report["problems"][0]["message"]
        confirmed = client.post("/api/graphs/confirm", json=document).json()
        assert [item["code"] for item in confirmed["problems"]] == ["python_disabled"]
        for path, body in [
            ("/api/graphs/python", document),
            ("/api/graphs/export/pt2", document),
            ("/api/graphs/init-lab", {"document": document}),
            ("/api/graphs/analysis", {"document": document}),
            ("/api/runs", {"document": document, "plan": {"dataset": "digits", "epochs": 1}}),
        ]:
            answer = client.post(path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (422, "python_disabled"), path
        assert add(client, "SwishGate", SWISH, width=8).status_code == 403
        assert client.get("/api/python-layers").json()["code"] == "python_disabled"
        assert client.post("/api/networks", json={"document": document, "name": "kept"}).status_code == 201
    assert not canary.exists()
