"""Rows 17 and 18: containers and blocks of a selection, and what is repeated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

import gestures as do
from drawings import bring_in, chain, meaning, mlp, stored
from serving import Server


def group(page: Page, kind: str, name: str, *members: str) -> None:
    """Select, Ctrl+G, choose, name, Enter."""
    for index, member in enumerate(members):
        do.node(page, member).click(modifiers=["Control"] if index else [])
    page.keyboard.press("Control+g")
    dialog = page.get_by_test_id("group-dialog")
    dialog.get_by_text(kind, exact=True).click()
    dialog.get_by_label("Attribute name").or_(dialog.get_by_label("Class name")).fill(name)
    keep = dialog.get_by_label("Keep the names of the layers")
    if keep.count():
        keep.check()
    page.get_by_test_id("group-apply").click()
    expect(page.get_by_test_id("group-apply")).to_have_count(0)


def in_order(document: dict[str, Any]) -> dict[str, Any]:
    """What a graph means, whatever its nodes are called: by the members that they call."""
    graph = document["blocks"]["Net"]["forward"]
    called = {node["id"]: node["target"] for node in graph["nodes"]}
    nodes = [
        {"target": node["target"], "from": called.get(node["arguments"]["input"]["$ref"], "x")}
        for node in graph["nodes"]
    ]
    return {
        "members": document["blocks"]["Net"]["members"],
        "nodes": sorted(nodes, key=str),
        "output": called[graph["output"]["$ref"]],
    }


def renamed(document: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    """The document with members of other names."""
    text = json.dumps(document)
    for old, new in names.items():
        text = text.replace(f'"{old}"', f'"{new}"')
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize(
    ("kind", "name"), [("Sequential", "body"), ("ModuleList", "body"), ("ModuleDict", "body"), ("Block", "Body")]
)
def test_row_17_a_selection_becomes_a_container_and_is_itself_again(
    page: Page, server: Server, kind: str, name: str
) -> None:
    bring_in(page, mlp())
    before = stored(page, server)
    group(page, kind, name, "first", "act")
    expect(page.get_by_test_id("undo")).to_have_accessible_name(f"Undo: Group into {kind}")
    grouped = stored(page, server)
    assert len(grouped["blocks"]["Net"]["members"]) == 2
    if kind == "Sequential":
        # The names of the layers are names of the items, and so keys of the state_dict.
        expect(page.locator("[data-item='body.first']")).to_be_visible()
    page.keyboard.press("Control+Shift+g")
    # A ModuleList numbers what it holds, so that its items are named by their type afterwards.
    expect(do.node(page, "linear" if kind == "ModuleList" else "first")).to_be_visible()
    after = stored(page, server)
    if kind == "ModuleList":
        after = renamed(after, {"linear": "first", "relu": "act"})
    assert in_order(after) == in_order(before)
    assert after["blocks"].keys() == before["blocks"].keys()
    for _ in range(2):
        page.keyboard.press("Control+z")
    expect(page.get_by_test_id("undo")).to_be_disabled()
    assert stored(page, server) == before


def test_row_17_enter_opens_a_block_and_the_trail_leads_up(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    group(page, "Block", "Body", "first", "act")
    before = stored(page, server)
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("canvas")).to_have_attribute("data-block", "Body")
    expect(do.node(page, "first")).to_be_visible()
    expect(do.node(page, "second")).to_have_count(0)
    trail = page.get_by_test_id("trail")
    expect(trail.get_by_role("button")).to_have_text(["Net", "Body"])
    trail.get_by_role("button", name="Net").click()
    expect(page.get_by_test_id("canvas")).to_have_attribute("data-block", "Net")
    expect(trail).to_have_count(0)
    expect(do.node(page, "second")).to_be_visible()
    # Looking is no edit.
    assert stored(page, server) == before
    do.node(page, "body").dblclick()
    expect(page.get_by_test_id("canvas")).to_have_attribute("data-block", "Body")
    page.keyboard.press("Alt+ArrowUp")
    expect(page.get_by_test_id("canvas")).to_have_attribute("data-block", "Net")


def test_row_17_a_selection_that_cannot_be_grouped_says_why(page: Page) -> None:
    bring_in(page, mlp())
    do.node(page, "first").click()
    do.node(page, "second").click(modifiers=["Control"])
    page.keyboard.press("Control+g")
    dialog = page.get_by_test_id("group-dialog")
    dialog.get_by_text("Sequential", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("one unbroken chain")
    expect(page.get_by_test_id("group-apply")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("group-apply")).to_have_count(0)


SQUARE = chain([("body", "torch.nn.Linear", {"in_features": 8, "out_features": 8})], [8], "Square")


def blocks_of(times: int) -> dict[str, Any]:
    """A block of one layer, called once and repeated."""
    sizes = {"in_features": 8, "out_features": 8}
    inner = {"kind": "layer", "name": "fc", "target": "torch.nn.Linear", "arguments": sizes}
    call = {"op": "call", "id": "fc", "target": "fc", "arguments": {"input": {"$ref": "x"}}}
    body = {"members": [inner], "forward": {"inputs": [{"name": "x"}], "nodes": [call], "output": {"$ref": "fc"}}}
    use = {"kind": "block", "name": "0", "block": "Body"}
    repeat = {"kind": "repeat", "variables": ["i"], "over": {"$expr": f"range({times})"}, "item": use}
    members = [{"kind": "sequential", "name": "blocks", "items": [repeat]}]
    whole = {"op": "call", "id": "n1", "target": "blocks", "arguments": {"input": {"$ref": "x"}}}
    net = {"members": members, "forward": {"inputs": [{"name": "x"}], "nodes": [whole], "output": {"$ref": "n1"}}}
    return {"name": "Repeated", "main": "Net", "blocks": {"Net": net, "Body": body}, "inputs": {"x": {"shape": [8]}}}


def keys(server: Server, document: dict[str, Any]) -> dict[str, Any]:
    """Parameters of each module, as the check counts them."""
    with server.client() as client:
        report = client.post("/api/graphs/check", json=document).raise_for_status().json()
    assert report["ok"], report["problems"]
    return {name: module["parameters"] for name, module in report["modules"].items()}


def test_row_18_a_node_is_repeated_and_stays_one_node(page: Page, server: Server) -> None:
    bring_in(page, SQUARE)
    do.node(page, "body").click()
    page.keyboard.press("r")
    row = page.locator("[data-item='blocks.*0']")
    expect(row).to_contain_text("× 2")
    times = page.get_by_test_id("repeat-times")
    times.fill("5")
    expect(row).to_contain_text("× 5")
    expect(page.locator("[data-node-id][data-member]")).to_have_count(1)
    found = keys(server, stored(page, server))
    assert {name: count for name, count in found.items() if name.startswith("blocks.")} == {
        f"blocks.{index}": 72 for index in range(5)
    }
    times.press("Tab")
    page.locator("[data-tab='code']").click()
    code = page.get_by_role("tabpanel")
    expect(code).to_contain_text("for _ in range(5)")
    variable = page.get_by_label("for", exact=True)
    variable.fill("depth")
    variable.press("Enter")
    expect(code).to_contain_text("for depth in range(5)")
    page.get_by_test_id("canvas").press("Control+z")
    page.keyboard.press("Control+z")
    expect(row).to_contain_text("× 2")
    page.keyboard.press("Control+z")
    expect(do.node(page, "body")).to_be_visible()


def test_row_18_a_repeated_block_is_edited_once_for_all(page: Page, server: Server) -> None:
    bring_in(page, blocks_of(3))
    row = page.locator("[data-item='blocks.*0']")
    expect(row).to_contain_text("Body × 3")
    row.click()
    page.get_by_role("button", name="Open Body").click()
    expect(page.get_by_test_id("canvas")).to_have_attribute("data-block", "Body")
    do.node(page, "fc").click()
    page.locator("[data-parameter='bias']").get_by_role("switch").press("Space")
    found = keys(server, stored(page, server))
    assert [found[f"blocks.{index}.fc"] for index in range(3)] == [64, 64, 64]


def test_row_18_one_instance_becomes_its_own(page: Page, server: Server) -> None:
    bring_in(page, blocks_of(3))
    page.locator("[data-item='blocks.*0']").click()
    page.get_by_label("Instance").fill("2")
    page.get_by_test_id("detach-instance").click()
    expect(page.get_by_test_id("undo")).to_have_accessible_name("Undo: Detach blocks.*0")
    own = page.locator("[data-item='blocks.1']")
    expect(own).to_contain_text("Body2")
    expect(own).to_have_attribute("data-selected", "true")
    # What is its own is edited by itself.
    page.get_by_role("button", name="Open Body2").click()
    do.node(page, "fc").click()
    page.locator("[data-parameter='bias']").get_by_role("switch").press("Space")
    document = stored(page, server)
    found = keys(server, document)
    assert [found[f"blocks.{index}.fc"] for index in range(3)] == [72, 64, 72]
    assert set(document["blocks"]) == {"Net", "Body", "Body2"}


def test_row_18_detach_is_among_the_commands(page: Page) -> None:
    bring_in(page, blocks_of(3))
    page.locator("[data-item='blocks.*0']").click()
    page.keyboard.press("Control+k")
    palette = page.get_by_test_id("command-palette")
    palette.get_by_role("combobox").fill("detach")
    page.keyboard.press("Enter")
    expect(page.locator("[data-item='blocks.*0']")).to_contain_text("× 2")
    expect(page.locator("[data-item='blocks.1']")).to_contain_text("Body2")


def test_row_17_names_survive_the_round_trip_of_a_block(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    before = stored(page, server)
    group(page, "Block", "Body", "first", "act", "second")
    page.keyboard.press("Enter")
    do.node(page, "act").click()
    do.rename(page, "gate")
    page.get_by_test_id("trail").get_by_role("button", name="Net").click()
    do.node(page, "body").click()
    page.keyboard.press("Control+Shift+g")
    expect(do.node(page, "gate")).to_be_visible()
    after = stored(page, server)
    assert [member["name"] for member in after["blocks"]["Net"]["members"]] == ["first", "gate", "second"]
    assert meaning(after)["inputs"] == meaning(before)["inputs"]
