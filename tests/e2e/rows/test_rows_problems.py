"""Rows 3 and 4 of the editor's table: shapes on every edge, and what does not fit."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, Request, Route, expect

import gestures as do
from drawings import call, chain, layer, network, open_judged

CHECK = "**/api/graphs/check"
RED = "rgb(192, 38, 45)"
"""What is bad, in light colours."""


STEM = ("stem", "torch.nn.Conv2d", {"in_channels": 3, "out_channels": 8, "kernel_size": 3})
CONVOLUTIONS = chain([STEM, ("relu", "torch.nn.ReLU", {})], [3, 32, 32], "Convolutions")


def missed() -> dict[str, Any]:
    """A classifier that was made for something else, and that nothing feeds yet."""
    made_for = {"in_features": 7, "out_features": 10}
    layers = [STEM, ("flat", "torch.nn.Flatten", {}), ("fc", "torch.nn.Linear", made_for)]
    document = chain(layers, [3, 32, 32], "Missed")
    document["blocks"]["Net"]["forward"]["nodes"][-1]["arguments"] = {}
    return document


def label(edge: Locator) -> Locator:
    return edge.locator("text")


def test_row_03_a_connection_that_does_not_fit_is_made_and_tells_why(page: Page) -> None:
    open_judged(page, missed())
    do.connect(page, do.node(page, "flat"), do.node(page, "fc"))
    edge = do.edge(page, "flat", "fc")
    expect(edge).to_have_attribute("data-bad", "true")
    path = edge.locator(".react-flow__edge-path")
    expect(path).to_have_css("stroke", RED)
    arrow = str(path.get_attribute("marker-end")).partition("#")[2].rstrip("')")
    expect(page.locator(f"[id='{arrow}'] polyline")).to_have_css("fill", RED)
    reason = edge.locator("title")
    expect(reason).to_contain_text("7200")
    expect(reason).to_contain_text("7")
    expect(do.edge(page, "stem", "flat")).not_to_have_attribute("data-bad", "true")
    page.locator("[data-tab='problems']").click()
    entry = page.locator("[data-code='shape_mismatch']")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text(reason.text_content() or "nothing")

    entry.get_by_test_id("fix").first.click()
    expect(page.locator("[data-code]")).to_have_count(0)
    expect(page.locator("[data-bad]")).to_have_count(0)
    do.last_step(page, "Set in_features to 7200")
    page.keyboard.press("Control+z")
    expect(entry).to_have_count(1)
    expect(edge).to_have_attribute("data-bad", "true")
    do.last_step(page, "Connect")


def test_row_03_an_entry_leads_to_its_node(page: Page) -> None:
    open_judged(page, missed())
    page.locator("[data-tab='problems']").click()
    fc = do.node(page, "fc")
    for _ in range(3):
        do.pan(page, 0, -300)
    expect(fc).not_to_be_in_viewport()
    page.locator("[data-code='missing_input']").get_by_role("button").first.click()
    expect(fc).to_be_in_viewport(ratio=1)
    expect(fc).to_have_attribute("data-selected", "true")


def test_row_03_an_entry_leads_into_a_block(page: Page) -> None:
    document = missed()
    document["blocks"]["Inner"] = document["blocks"]["Net"]
    document["ui"]["blocks"]["Inner"] = document["ui"]["blocks"]["Net"]
    members = [{"kind": "block", "name": "body", "block": "Inner"}]
    outer = network(members, [call(None, "body", x={"$ref": "x"})], [3, 32, 32], "body")
    document["blocks"]["Net"] = outer["blocks"]["Net"]
    document["ui"]["blocks"]["Net"] = outer["ui"]["blocks"]["Net"]
    open_judged(page, document)
    expect(do.node(page, "fc")).to_have_count(0)
    page.locator("[data-tab='problems']").click()
    page.locator("[data-code='missing_input']").get_by_role("button").first.click()
    expect(page.get_by_test_id("canvas")).to_have_attribute("data-block", "Inner")
    expect(do.node(page, "fc")).to_have_attribute("data-selected", "true")


def test_row_03_a_missing_connection_is_named_told_once_and_made_from_its_entry(page: Page) -> None:
    document = missed()
    document["blocks"]["Net"]["members"][-1]["arguments"]["in_features"] = 7200
    forward = document["blocks"]["Net"]["forward"]
    for number, node in enumerate(forward["nodes"], 1):
        node["id"] = f"n{number}"
    forward["nodes"][1]["arguments"]["input"] = {"$ref": "n1"}
    forward["output"] = {"$ref": "n3"}
    document["ui"]["blocks"] = {}
    open_judged(page, document)
    page.locator("[data-tab='problems']").click()
    expect(page.locator("[data-code]")).to_have_count(2)
    entry = page.locator("[data-code='missing_input']")
    expect(entry).to_contain_text("fc (Linear)")
    expect(entry.locator("code")).to_have_text("fc · input")
    entry.get_by_role("button", name="Connect to…").click()
    page.get_by_test_id("connect-search").get_by_role("combobox").fill("fc")
    page.keyboard.press("Enter")
    expect(page.locator("[data-code]")).to_have_count(0)
    do.last_step(page, "Connect")


def test_row_03_what_has_no_mend_offers_none(page: Page) -> None:
    open_judged(page, chain([("dropout", "torch.nn.Dropout", {"p": 1.5})], [8], "Unsure"))
    page.locator("[data-tab='problems']").click()
    entry = page.locator("[data-code]")
    expect(entry).to_have_count(1)
    expect(entry).to_contain_text("1.5")
    expect(entry.get_by_test_id("fix")).to_have_count(0)


def set_filters(page: Page, count: int) -> None:
    do.node(page, "stem").click()
    do.set_number(page, "out_channels", count)


def test_row_04_an_edit_is_judged_within_300_ms(page: Page) -> None:
    """By the page's own clock, which stands still except for these."""
    open_judged(page, CONVOLUTIONS)
    after = do.edge(page, "relu", "output")
    expect(label(after)).to_have_text("N×8×30×30")
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() + 1000"))
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request) if request.url.endswith("/graphs/check") else None)
    set_filters(page, 12)
    with page.expect_response(CHECK):
        page.clock.run_for(300)
    # Nothing else is waited for: time stands still.
    expect(label(after)).to_have_text("N×12×30×30")
    expect(label(do.edge(page, "stem", "relu"))).to_have_text("N×12×30×30")
    assert len(asked) == 1


def test_row_04_the_last_good_shape_is_grey_until_the_answer(page: Page) -> None:
    open_judged(page, CONVOLUTIONS)
    shapes = [label(do.edge(page, "relu", "output")), do.node(page, "relu").locator("[data-shape]")]
    for shape in shapes:
        expect(shape).to_have_text("N×8×30×30")
        expect(shape).to_have_css("opacity", "1")
    held: list[Route] = []
    page.route(CHECK, lambda route: held.append(route))
    with page.expect_request(CHECK):
        set_filters(page, 12)
    for shape in shapes:
        expect(shape).to_have_css("opacity", "0.55")
        expect(shape).to_have_text("N×8×30×30")
    held[-1].continue_()
    for shape in shapes:
        expect(shape).to_have_text("N×12×30×30")
        expect(shape).to_have_css("opacity", "1")


def test_row_04_a_break_hides_no_shape_before_it(page: Page) -> None:
    """Neither on the way to what fails, nor on another way around it."""
    kinds = {"stem": (3, 3), "wrong": (5, 3), "side": (3, 5)}
    members = [
        layer(name, "torch.nn.Conv2d", {"in_channels": channels, "out_channels": 8, "kernel_size": size})
        for name, (channels, size) in kinds.items()
    ]
    both = {"input": {"$ref": "wrong"}, "other": {"$ref": "side"}}
    added = {"op": "function", "id": "both", "target": "torch.add", "arguments": both}
    nodes = [call("x", "stem"), call("stem", "wrong"), call("x", "side"), added]
    open_judged(page, network(members, nodes, [3, 32, 32], "both", "Broken"))
    bad = do.edge(page, "stem", "wrong")
    expect(bad).to_have_attribute("data-bad", "true")
    expect(label(bad)).to_have_text("N×8×30×30")
    for source, target, shape in (("input:x", "stem", "N×3×32×32"), ("side", "both", "N×8×28×28")):
        expect(label(do.edge(page, source, target))).to_have_text(shape)
    for source, target in (("wrong", "both"), ("both", "output")):
        expect(do.edge(page, source, target)).to_have_attribute("data-label", "")
    page.locator("[data-tab='problems']").click()
    page.locator("[data-code='shape_mismatch']").get_by_test_id("fix").first.click()
    expect(label(do.edge(page, "wrong", "both"))).to_have_text("N×8×28×28")
    expect(label(do.edge(page, "both", "output"))).to_have_text("N×8×28×28")
