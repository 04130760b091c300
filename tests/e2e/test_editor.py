"""What the editor does with mouse and keyboard."""

from __future__ import annotations

import json

from playwright.sync_api import Page, expect

import gestures as do
from serving import Server


def test_it_opens_on_a_drawn_network_with_every_shape(page: Page) -> None:
    edges = page.locator("[data-edge]")
    expect(edges.first).to_be_visible()
    expect(page.locator("[data-edge][data-label^='N×']")).to_have_count(edges.count())
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "untouched")


def test_a_shortcut_is_projected_in_one_step(page: Page) -> None:
    """The mend adds a layer, its call and a connection, and draws them where nothing stands."""
    conv = {"in_channels": 3, "out_channels": 6, "kernel_size": 3, "stride": 2, "padding": 1}
    called = {"op": "call", "id": "main", "target": "conv", "arguments": {"input": {"$ref": "x"}}}
    added = {"input": {"$ref": "main"}, "other": {"$ref": "x"}}
    nodes = [called, {"op": "function", "id": "sum", "target": "torch.add", "arguments": added}]
    members = [{"kind": "layer", "name": "conv", "target": "torch.nn.Conv2d", "arguments": conv}]
    block = {"members": members, "forward": {"inputs": [{"name": "x"}], "nodes": nodes, "output": {"$ref": "sum"}}}
    document = {"main": "Net", "blocks": {"Net": block}, "inputs": {"x": {"shape": [3, 32, 32]}}}
    text = json.dumps(document).encode()
    picker = page.get_by_test_id("import-file")
    picker.set_input_files({"name": "net.json", "mimeType": "application/json", "buffer": text})
    drawn = page.locator("[data-node-id]")
    page.locator("[data-tab='problems']").click()
    page.locator("[data-code='shape_mismatch']").get_by_test_id("fix").click()
    expect(page.locator("[data-code]")).to_have_count(0)
    shortcut = do.node(page, "shortcut")
    expect(shortcut).to_be_visible()
    boxes = [box.bounding_box() for box in drawn.all()]
    new = shortcut.bounding_box()
    assert new is not None
    apart = [
        box for box in boxes if box and (box["y"] >= new["y"] + new["height"] or box["y"] + box["height"] <= new["y"])
    ]
    assert len(apart) == len(boxes) - 1
    page.keyboard.press("Control+z")
    expect(shortcut).to_have_count(0)
    expect(page.locator("[data-code='shape_mismatch']")).to_be_visible()


def test_an_example_is_found_by_keyboard_and_trains_by_its_plan(page: Page, server: Server) -> None:
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.get_by_role("tab", name="Examples").click()
    field = page.get_by_label("Search examples")
    expect(page.locator("[data-example]")).to_have_count(34)
    field.fill("no such network")
    expect(page.get_by_text("No example fits")).to_be_visible()
    field.fill("images 1998")
    card = page.locator("[data-example]")
    expect(card).to_contain_text("1×32×32")
    expect(card).to_contain_text("61.7K parameters")
    page.keyboard.press("ArrowDown")
    expect(card).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("project-menu")).to_contain_text("LeNet-5")
    expect(page.locator("[data-label='N×6×28×28']").first).to_be_visible()
    # Digits are 8×8: without the plan's transform the service would refuse the run.
    page.get_by_test_id("train").click()
    page.get_by_test_id("start-run").click()
    page.wait_for_url("**/runs/*")
    with server.client() as client:
        run = client.get("/api/runs").json()["items"][0]
        plan = client.get(f"/api/runs/{run['id']}").json()["plan"]
        client.post(f"/api/runs/{run['id']}/stop").raise_for_status()
    assert [item["arguments"] for item in plan["transforms"]] == [{"size": [32, 32]}]
