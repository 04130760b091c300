"""Networks for browser tests, brought in and looked at by the ways that a person has."""

from __future__ import annotations

import json
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
    members = [
        {"kind": "layer", "name": member, "target": target, "arguments": arguments}
        for member, target, arguments in layers
    ]
    sources = ["x", *(member for member, _, _ in layers)]
    nodes = [
        {"op": "call", "id": member, "target": member, "arguments": {"input": {"$ref": source}}}
        for (member, _, _), source in zip(layers, sources, strict=False)
    ]
    forward = {"inputs": [{"name": "x"}], "nodes": nodes, "output": {"$ref": sources[-1]}}
    places = ["input:x", *sources[1:], "output"]
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
