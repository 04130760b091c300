"""Rows 16, 20 and 21: menus and commands, automatic layout, and finding one's way."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

import gestures as do
from drawings import MLP, Layer, bring_in, chain, mlp, positions, stored
from serving import Server
from waiting import wait_for


def menu_at(page: Page, at: tuple[float, float]) -> Locator:
    page.mouse.click(*at, button="right")
    menu = page.get_by_test_id("canvas-menu")
    expect(menu).to_be_visible()
    return menu


def usable(menu: Locator) -> set[str]:
    """Ids of the menu's commands that can be chosen."""
    items = menu.locator("[data-command]:not([data-disabled])").all()
    return {item.get_attribute("data-command") or "" for item in items}


def in_palette(page: Page) -> set[str]:
    """Ids of what the command palette offers before anything is typed."""
    page.keyboard.press("Control+k")
    palette = page.get_by_test_id("command-palette")
    expect(palette).to_be_visible()
    found = {option.get_attribute("data-choice") or "" for option in palette.get_by_role("option").all()}
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)
    return found


def empty_place(page: Page) -> tuple[float, float]:
    canvas = page.get_by_test_id("canvas").bounding_box()
    assert canvas is not None
    return canvas["x"] + 80, canvas["y"] + 80


def middle_of_edge(page: Page) -> tuple[float, float]:
    """Between two nodes that stand below one another."""
    (x, y), (_, below) = do.centre(do.node(page, "first")), do.centre(do.node(page, "act"))
    edges = page.locator("[data-edge]")
    expect(edges.first).to_be_attached()
    return x, (y + below) / 2


WHERE: dict[str, set[str]] = {
    "node": {"connectTo", "callAgain", "cut", "copy", "duplicate", "delete", "groupSequential", "groupBlock"},
    "selection": {"cut", "copy", "duplicate", "delete", "groupSequential", "groupBlock", "layoutSelection"},
    "edge": {"delete"},
    "pane": {"addLayer", "paste", "selectAll", "layout", "fit"},
}


@pytest.mark.parametrize("where", WHERE)
def test_row_16_a_menu_has_the_commands_of_the_palette(page: Page, where: str) -> None:
    bring_in(page, mlp())
    if where == "selection":
        do.node(page, "first").click()
        do.node(page, "act").click(modifiers=["Control"])
    places = {
        "node": lambda: do.centre(do.node(page, "first")),
        "selection": lambda: do.centre(do.node(page, "act")),
        "edge": lambda: middle_of_edge(page),
        "pane": lambda: empty_place(page),
    }
    menu = menu_at(page, places[where]())
    offered = usable(menu)
    assert offered >= WHERE[where]
    page.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    assert offered <= in_palette(page)


def test_row_16_an_edge_is_deleted_by_its_menu(page: Page) -> None:
    bring_in(page, mlp())
    menu = menu_at(page, middle_of_edge(page))
    menu.locator("[data-command='delete']").click()
    expect(page.locator("[data-edge]")).to_have_count(3)
    expect(do.node(page, "first")).to_be_visible()


def test_row_16_the_menu_is_worked_by_the_keyboard(page: Page) -> None:
    bring_in(page, mlp())
    do.node(page, "act").click()
    page.keyboard.press("Shift+F10")
    menu = page.get_by_test_id("canvas-menu")
    expect(menu).to_be_visible()
    inside = "document.activeElement.closest('[data-testid=canvas-menu]') !== null"
    wait_for(lambda: page.evaluate(inside), "the focus in the menu")
    page.keyboard.press("ArrowDown")
    chosen = menu.locator("[data-command]:focus")
    expect(chosen).to_have_count(1)
    menu.locator("[data-command='duplicate']").press("Enter")
    expect(page.locator("[data-node-id]")).to_have_count(6)


CROOKED = {"input:x": (400, 0), "first": (0, 40), "act": (300, 400), "second": (50, 200), "output": (10, 600)}


def crooked() -> dict[str, Any]:
    document = mlp()
    document["ui"]["blocks"]["Net"]["positions"] = {id: {"x": x, "y": y} for id, (x, y) in CROOKED.items()}
    return document


def under_one_another(places: dict[str, Any], *ids: str) -> bool:
    heights = [places[id]["y"] for id in ids]
    return heights == sorted(set(heights))


WATCH_GLIDE = """() => {
  window.places = []
  const look = () => {
    const place = document.querySelector(".react-flow__node[data-id='act']").style.transform
    if (place !== window.places.at(-1)) window.places.push(place)
    requestAnimationFrame(look)
  }
  look()
}"""


def test_row_20_everything_is_arranged_in_a_worker_as_one_animated_step(page: Page, server: Server) -> None:
    bring_in(page, crooked())
    before = positions(stored(page, server))
    page.evaluate(WATCH_GLIDE)
    with page.expect_worker() as worker:
        page.get_by_test_id("canvas").press("l")
    assert "elk" in worker.value.url
    expect(page.get_by_test_id("undo")).to_have_accessible_name("Undo: Arrange")
    after = positions(stored(page, server))
    assert under_one_another(after, "input:x", "first", "act", "second", "output")
    expected = f"translate({after['act']['x']:g}px, {after['act']['y']:g}px)"
    expect(page.locator(".react-flow__node[data-id='act']")).to_have_attribute("style", re.compile(re.escape(expected)))
    # It is seen on its way.
    assert len(page.evaluate("window.places")) > 5
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("undo")).to_be_disabled()
    assert positions(stored(page, server)) == before


def test_row_20_a_selection_is_arranged_by_itself(page: Page, server: Server) -> None:
    bring_in(page, crooked())
    before = positions(stored(page, server))
    do.node(page, "first").click()
    for member in ("act", "second"):
        do.node(page, member).click(modifiers=["Control"])
    page.keyboard.press("Shift+L")
    expect(page.get_by_test_id("undo")).to_have_accessible_name("Undo: Arrange")
    after = positions(stored(page, server))
    assert under_one_another(after, "first", "act", "second")
    assert {id: after[id] for id in ("input:x", "output")} == {id: before[id] for id in ("input:x", "output")}
    # They stay about where they were.
    corner = (min(after[id][axis] for id in ("first", "act", "second")) for axis in "xy")
    assert tuple(corner) == (0, 40)


def test_row_20_a_layout_that_takes_long_can_be_cancelled(page: Page, server: Server) -> None:
    bring_in(page, crooked())
    before = positions(stored(page, server))
    held: list[Route] = []
    page.route("**/elk-worker*", lambda route: held.append(route))
    page.get_by_test_id("canvas").press("l")
    notice = page.get_by_test_id("arranging")
    expect(notice).to_be_visible()
    page.keyboard.press("Escape")
    expect(notice).to_have_count(0)
    page.get_by_test_id("canvas").press("l")
    notice.get_by_role("button").click()
    expect(notice).to_have_count(0)
    page.unroute("**/elk-worker*")
    expect(page.get_by_test_id("undo")).to_be_disabled()
    assert positions(stored(page, server)) == before
    page.get_by_test_id("canvas").press("l")
    expect(page.get_by_test_id("undo")).to_have_accessible_name("Undo: Arrange")


LONG: list[Layer] = [*MLP[:2], *((f"act{n}", "torch.nn.ReLU", {}) for n in range(30)), MLP[2]]

LEGIBLE = [*LONG[:10], LONG[-1]]
"""So few that nodes are drawn as such even where all of them are in the window."""


def shown_whole(page: Page, member: str) -> bool:
    canvas, box = page.get_by_test_id("canvas").bounding_box(), do.node(page, member).bounding_box()
    assert canvas is not None
    assert box is not None
    return bool(
        canvas["x"] <= box["x"]
        and box["x"] + box["width"] <= canvas["x"] + canvas["width"]
        and canvas["y"] <= box["y"]
        and box["y"] + box["height"] <= canvas["y"] + canvas["height"]
    )


def eventually_whole(page: Page, member: str) -> None:
    expect(do.node(page, member)).to_be_visible()
    wait_for(lambda: shown_whole(page, member), f"{member} in the window")


def zoom(page: Page) -> float:
    style = page.locator(".react-flow__viewport").get_attribute("style") or ""
    found = re.search(r"scale\(([\d.]+)\)", style)
    assert found is not None
    return float(found[1])


def test_row_21_everything_and_the_selection_are_brought_into_view(page: Page) -> None:
    bring_in(page, chain(LEGIBLE, [8], "Legible"))
    page.get_by_test_id("canvas").press("f")
    eventually_whole(page, "first")
    eventually_whole(page, "second")
    far = zoom(page)
    do.node(page, "second").click()
    page.keyboard.press(".")
    wait_for(lambda: zoom(page) > 1.5 * far, "a closer view")
    eventually_whole(page, "second")
    expect(do.node(page, "first")).to_have_count(0)
    page.keyboard.press("f")
    eventually_whole(page, "first")
    eventually_whole(page, "second")


def test_row_21_the_overview_leads_anywhere(page: Page) -> None:
    bring_in(page, chain(LONG, [8], "Long"))
    expect(do.node(page, "first")).to_be_visible()
    overview = page.get_by_role("img", name="Overview of the graph")
    expect(overview).to_be_visible()
    x, y = do.centre(overview)
    do.drag(page, (x, y - 40), (x, y + 45))
    expect(do.node(page, "second")).to_be_visible()


@pytest.mark.parametrize("query", ["stem", "BatchNorm1d", "n×23", "n x 23"])
def test_row_21_a_node_is_found_by_name_type_or_shape(page: Page, query: str) -> None:
    layers: list[Layer] = [
        ("stem", "torch.nn.Linear", {"in_features": 8, "out_features": 23}),
        ("norm", "torch.nn.BatchNorm1d", {"num_features": 23}),
        *((f"act{n}", "torch.nn.ReLU", {}) for n in range(25)),
        ("head", "torch.nn.Linear", {"in_features": 23, "out_features": 4}),
    ]
    bring_in(page, chain(layers, [8], "Found"))
    expect(page.locator("[data-label='N×23']").first).to_be_attached()
    page.get_by_test_id("canvas").press("f")
    page.keyboard.press("Control+f")
    palette = page.get_by_test_id("command-palette")
    palette.get_by_role("combobox").fill(query)
    wanted = "norm" if query.startswith("Batch") else "stem"
    found = palette.get_by_role("option", name=f"Go to {wanted}")
    expect(found.first).to_be_visible()
    found.first.click()
    expect(palette).to_have_count(0)
    expect(page.locator("[data-node-id][data-selected]")).to_have_attribute("data-member", wanted)
    eventually_whole(page, wanted)
