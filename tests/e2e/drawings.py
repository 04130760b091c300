"""Networks for browser tests, brought in and looked at by the ways that a person has."""

from __future__ import annotations

import json
from copy import deepcopy
from itertools import pairwise
from typing import Any

from playwright.sync_api import Page, expect

from serving import Server

Layer = tuple[str, str, dict[str, Any]]
"""Attribute name, class, arguments."""

MLP: list[Layer] = [
    ("first", "torch.nn.Linear", {"in_features": 8, "out_features": 16}),
    ("act", "torch.nn.ReLU", {}),
    ("second", "torch.nn.Linear", {"in_features": 16, "out_features": 4}),
]


def chain(layers: list[Layer], shape: list[int], name: str = "Chain") -> dict[str, Any]:
    """A network of layers that are called one after the other, drawn from top to bottom."""
    sources = ["x", *(member for member, _, _ in layers)]
    return network(
        [layer(*it) for it in layers],
        [call(source, target) for source, target in pairwise(sources)],
        shape,
        sources[-1],
        name,
    )


def layer(member: str, target: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """A layer of a block, with arguments of its own: what a test changes of it is no other test's."""
    return {"kind": "layer", "name": member, "target": target, "arguments": deepcopy(arguments)}


def call(source: str | None, target: str, **arguments: Any) -> dict[str, Any]:
    """A node that calls a member, and is called as that; its input comes from the source."""
    given = {"input": {"$ref": source}} if source else {}
    return {"op": "call", "id": target, "target": target, "arguments": given | arguments}


def network(
    members: list[dict[str, Any]],
    nodes: list[dict[str, Any]],
    shape: list[int],
    output: str | None,
    name: str = "Chain",
) -> dict[str, Any]:
    """A block between the input `x` and its output, drawn from top to bottom in the order of the nodes."""
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": output and {"$ref": output}}
    places = ["input:x", *(node["id"] for node in nodes), "output"]
    drawn = {place: {"x": 0, "y": 120 * row} for row, place in enumerate(places)}
    return {
        "name": name,
        "main": "Net",
        "blocks": {"Net": {"members": members, "forward": forward}},
        "inputs": {"x": {"shape": shape}},
        "ui": {"blocks": {"Net": {"positions": drawn}}},
    }


def mlp(name: str = "Chain") -> dict[str, Any]:
    """Linear, ReLU, Linear."""
    return chain(MLP, [8], name)


def bring_in(page: Page, document: dict[str, Any]) -> None:
    """Project menu → Import."""
    page.wait_for_selector("[data-node-id]")
    text = json.dumps(document).encode()
    picker = page.get_by_test_id("import-file")
    picker.set_input_files({"name": "network.json", "mimeType": "application/json", "buffer": text})
    expect(page.get_by_test_id("project-menu")).to_contain_text(document["name"])
    expect(page.locator("[data-node-id='input:x']")).to_be_visible()


def judged(page: Page) -> None:
    """Wait until the service has answered for the document as it stands."""
    expect(page.get_by_test_id("canvas")).not_to_have_attribute("data-pending", "true")


def open_judged(page: Page, document: dict[str, Any]) -> None:
    """Import a network, and wait until the service has said what it thinks of it."""
    bring_in(page, document)
    judged(page)


def stored(page: Page, server: Server) -> dict[str, Any]:
    """The document as the service has it, once the page says that everything is saved."""
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    with server.client() as client:
        newest = client.get("/api/networks").raise_for_status().json()[0]["id"]
        document: dict[str, Any] = client.get(f"/api/networks/{newest}").raise_for_status().json()["document"]
    return document


def meaning(document: dict[str, Any]) -> dict[str, Any]:
    """All but how it is drawn."""
    return {key: value for key, value in document.items() if key != "ui"}


def positions(document: dict[str, Any], block: str = "Net") -> dict[str, Any]:
    """Where the nodes of a block stand."""
    found: dict[str, Any] = document["ui"]["blocks"][block]["positions"]
    return found
