"""Rows 2 and 5 of the editor's table: drawing connections."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import gestures as do
from drawings import call, chain, layer, network, open_judged

NAMES = ("first", "second", "third")
CHAIN = chain([(name, "torch.nn.ReLU", {}) for name in NAMES], [8])
DIM = 0.5
"""What is dimmed lets at least half of the ground through."""


def apart(*more: dict[str, Any]) -> dict[str, Any]:
    """Three layers that nothing leads to, and further nodes."""
    members = [layer(name, "torch.nn.ReLU", {}) for name in NAMES]
    return network(members, [*(call(None, name) for name in NAMES), *more], [8], None, "Apart")


def operation(node_id: str, target: str, **arguments: Any) -> dict[str, Any]:
    return {"op": "function", "id": node_id, "target": target, "arguments": arguments}


def opacity(node: Locator) -> float:
    return float(node.evaluate("(node) => getComputedStyle(node).opacity"))


def dimmed(page: Page) -> set[str]:
    """Canvas ids of what is drawn faintly; waits until nothing fades any more."""
    page.wait_for_function(
        "() => document.getAnimations().every((it) => !it.effect?.target?.closest?.('[data-node-id]'))"
    )
    nodes = page.locator("[data-node-id]").all()
    return {str(node.get_attribute("data-node-id")) for node in nodes if opacity(node) < DIM}


@contextmanager
def drawing(page: Page, handle: Locator) -> Iterator[None]:
    """A connection that is being drawn from a handle; it ends where the pointer is then."""
    page.mouse.move(*do.centre(handle))
    page.mouse.down()
    page.mouse.move(*do.blank(page), steps=6)
    yield
    page.mouse.up()


def edges(page: Page) -> set[str]:
    """Every connection, as `source→target`."""
    return {str(it.get_attribute("data-edge")).rpartition(":")[0] for it in page.locator("[data-edge]").all()}


def test_row_02_a_drag_connects_from_either_end(page: Page) -> None:
    open_judged(page, apart())
    do.connect(page, do.node(page, "first"), do.node(page, "second"))
    do.last_step(page, "Connect")
    start = do.centre(do.port(do.node(page, "third"), "input"))
    do.drag(page, start, do.centre(do.port(do.node(page, "second"), "output")))
    expect(do.edge(page, "second", "third")).to_have_count(1)
    assert edges(page) == {"first→second", "second→third"}
    page.keyboard.press("Control+z")
    expect(do.edge(page, "second", "third")).to_have_count(0)
    page.keyboard.press("Control+z")
    expect(page.locator("[data-edge]")).to_have_count(0)
    do.last_step(page, None)


def test_row_02_what_cannot_take_the_connection_dims(page: Page) -> None:
    open_judged(page, CHAIN)
    second = do.node(page, "second")
    with drawing(page, do.port(second, "output")):
        expect(do.by_id(page, "first")).not_to_have_css("opacity", "1")
        assert dimmed(page) == {"input:x", "first"}
        # Of those that stay, only the ports that can take it stand out: not the input of where it comes from.
        standing = {name: do.port(do.by_id(page, name), "input") for name in ("second", "third", "output")}
        for name, handle in standing.items():
            expect(handle).to_have_css("scale", "none" if name == "second" else "1.2")
        page.mouse.move(*do.centre(second))  # to give up, it is let go where it came from
    expect(do.by_id(page, "first")).to_have_css("opacity", "1")
    assert dimmed(page) == set()
    with drawing(page, do.port(second, "input")):
        expect(do.by_id(page, "third")).not_to_have_css("opacity", "1")
        assert dimmed(page) == {"third", "output"}
        page.mouse.move(*do.centre(second))
    expect(do.by_id(page, "third")).to_have_css("opacity", "1")
    do.last_step(page, None)


def test_row_02_escape_gives_a_connection_up(page: Page) -> None:
    open_judged(page, CHAIN)
    before = edges(page)
    with drawing(page, do.port(do.node(page, "first"), "output")):
        page.mouse.move(*do.centre(do.port(do.node(page, "third"), "input")))
        page.keyboard.press("Escape")
        expect(page.locator(".react-flow__connection")).to_have_count(0)
        page.mouse.move(*do.blank(page), steps=4)
    expect(page.get_by_test_id("quick-add")).to_have_count(0)
    assert edges(page) == before
    do.last_step(page, None)
    do.connect(page, do.node(page, "second"), do.by_id(page, "output"), "+")


def test_row_02_an_occupied_single_input_is_replaced(page: Page) -> None:
    open_judged(page, CHAIN)
    before = edges(page)
    source = do.centre(do.port(do.node(page, "first"), "output"))
    do.drag(page, source, do.centre(do.port(do.node(page, "third"), "input")))
    expect(do.edge(page, "first", "third")).to_have_count(1)
    assert edges(page) == before - {"second→third"} | {"first→third"}
    do.last_step(page, "Connect")
    page.keyboard.press("Control+z")
    expect(do.edge(page, "second", "third")).to_have_count(1)
    assert edges(page) == before
    do.last_step(page, None)


def test_row_02_an_input_of_many_takes_one_more(page: Page) -> None:
    open_judged(page, apart(operation("joined", "torch.cat", tensors=[{"$ref": "first"}])))
    do.connect(page, do.node(page, "third"), do.by_id(page, "joined"))
    assert edges(page) == {"first→joined", "third→joined"}


def test_row_02_a_drop_on_a_node_means_its_waiting_input(page: Page) -> None:
    open_judged(page, apart(operation("added", "torch.add", input={"$ref": "first"})))
    node = do.by_id(page, "added")
    do.drag(page, do.centre(do.port(do.node(page, "second"), "output")), do.centre(node))
    expect(page.locator("[data-edge='second→added:other']")).to_have_count(1)
    # Both are taken now: which of them is meant has to be shown.
    do.drag(page, do.centre(do.port(do.node(page, "third"), "output")), do.centre(node))
    expect(page.get_by_test_id("refusal")).to_contain_text("several ports")
    assert edges(page) == {"first→added", "second→added"}
    expect(page.get_by_test_id("quick-add")).to_have_count(0)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (("third", "output"), ("first", "input"), "first feeds third already, so data would run in a circle"),
        (("first", "input"), ("third", "output"), "first feeds third already, so data would run in a circle"),
        (("second", "output"), ("second", "input"), "a node cannot feed itself"),
        (("first", "output"), ("third", "output"), "an output goes to an input"),
    ],
)
def test_row_02_a_cycle_is_refused_with_its_reason(
    page: Page, start: tuple[str, str], end: tuple[str, str], reason: str
) -> None:
    open_judged(page, CHAIN)
    before = edges(page)
    source, target = (do.centre(do.port(do.node(page, name), side)) for name, side in (start, end))
    do.drag(page, source, target)
    refusal = page.get_by_test_id("refusal")
    expect(refusal).to_have_text(re.compile(f"^Refused: .*{reason}$"))
    expect(refusal).to_have_role("status")
    assert edges(page) == before
    do.last_step(page, None)


IMAGES = chain(
    [("stem", "torch.nn.Conv2d", {"in_channels": 3, "out_channels": 8, "kernel_size": 3})], [3, 32, 32], "Images"
)


def found(page: Page) -> list[str]:
    """What the search on the canvas offers, best first."""
    choices = page.get_by_test_id("quick-add").get_by_role("option")
    expect(choices.first).to_be_visible()
    return [str(it.get_attribute("data-choice")) for it in choices.all()]


def test_row_05_an_output_dropped_on_the_canvas_offers_what_takes_it(page: Page) -> None:
    open_judged(page, IMAGES)
    place = do.blank(page, 0.3)
    do.drag(page, do.centre(do.port(do.node(page, "stem"), "output")), place)
    search = page.get_by_test_id("quick-add").get_by_role("combobox")
    expect(search).to_be_focused()
    # Nothing that takes no value; and of what there is for one, two and three axes, first what suits an image.
    assert "input" not in found(page)
    search.fill("zeros")
    assert not {"torch.zeros", "torch.ones"} & set(found(page))
    search.fill("conv")
    assert found(page)[0] == "torch.nn.Conv2d"
    search.press("Enter")
    conv = do.node(page, "conv")
    expect(conv).to_have_attribute("data-selected", "true")
    expect(do.edge(page, "stem", "n1")).to_have_count(1)
    assert do.centre(do.port(conv, "input")) == pytest.approx(place, abs=3)
    do.last_step(page, "Add Conv2d")
    page.keyboard.press("Control+z")
    expect(conv).to_have_count(0)
    expect(do.edge(page, "stem", "output")).to_have_count(1)
    do.last_step(page, None)


def test_row_05_an_input_dropped_on_the_canvas_offers_what_feeds_it(page: Page) -> None:
    open_judged(page, IMAGES)
    place = do.blank(page, 0.6)
    do.drag(page, do.centre(do.port(do.node(page, "stem"), "input")), place)
    search = page.get_by_test_id("quick-add").get_by_role("combobox")
    search.fill("input")
    assert found(page)[0] == "input"
    search.press("Enter")
    expect(do.edge(page, "input:x2", "stem")).to_have_count(1)
    expect(do.edge(page, "input:x", "stem")).to_have_count(0)
    assert do.centre(do.port(do.by_id(page, "input:x2"), "output")) == pytest.approx(place, abs=3)
    page.keyboard.press("Control+z")
    expect(do.edge(page, "input:x", "stem")).to_have_count(1)
    do.last_step(page, None)


def test_row_05_a_search_that_is_left_changes_nothing(page: Page) -> None:
    open_judged(page, IMAGES)
    quick = page.get_by_test_id("quick-add")
    for leave in (lambda: page.keyboard.press("Escape"), lambda: page.mouse.click(*do.blank(page, 0.1))):
        do.drag(page, do.centre(do.port(do.node(page, "stem"), "output")), do.blank(page, 0.3))
        expect(quick).to_be_visible()
        leave()
        expect(quick).to_have_count(0)
    expect(page.locator("[data-edge]")).to_have_count(2)
    do.last_step(page, None)
