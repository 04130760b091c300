"""Rows 1, 6 and 7 of the editor's table: putting layers on the canvas and into connections."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

import gestures as do
from drawings import chain, open_judged

CHAIN = chain([("first", "torch.nn.Linear", {"in_features": 8, "out_features": 8}), ("last", "torch.nn.ReLU", {})], [8])
TOLERANCE_PX = 2


def stands_at(node: Locator, place: tuple[float, float]) -> None:
    """The middle of a node lies there on the screen."""
    expect(node).to_be_visible()
    assert do.centre(node) == pytest.approx(place, abs=TOLERANCE_PX)


def test_row_01_a_drag_from_the_palette_lands_under_the_cursor(page: Page) -> None:
    open_judged(page, CHAIN)
    place = do.blank(page, 0.3)
    do.drop(page, "torch.nn.Dropout", "Dropout", place)
    stands_at(do.node(page, "dropout"), place)
    do.last_step(page, "Add Dropout")
    # In another view, and with things of other sizes.
    page.mouse.move(*do.blank(page, 0.8))
    page.mouse.wheel(0, 300)
    do.pan(page, -60, 25)
    place = do.blank(page, 0.25)
    do.drop(page, "input", "Input", place)
    stands_at(do.by_id(page, "input:x2"), place)
    place = do.blank(page, 0.75)
    do.drop(page, "container:sequential", "Sequential", place)
    stands_at(do.node(page, "features"), place)


def test_row_01_a_drag_that_is_given_up_adds_nothing(page: Page) -> None:
    open_judged(page, CHAIN)
    nodes = page.locator("[data-node-id]")
    do.search_palette(page, "Dropout")
    item = page.locator("[data-palette='torch.nn.Dropout']")
    do.drag(page, do.centre(item), do.centre(page.get_by_test_id("inspector")))
    page.mouse.move(*do.centre(item))
    page.mouse.down()
    page.mouse.move(*do.blank(page), steps=8)
    page.keyboard.press("Escape")
    page.mouse.up()
    expect(nodes).to_have_count(4)
    do.last_step(page, None)


def test_row_01_enter_on_a_palette_item_adds_at_the_centre(page: Page) -> None:
    open_judged(page, CHAIN)
    do.pan(page, -420, 0)
    page.mouse.move(*do.blank(page, 0.2))  # where the pointer rests does not matter
    do.search_palette(page, "Dropout")
    item = page.locator("[data-palette='torch.nn.Dropout']").first
    item.press("Enter")
    dropout = do.node(page, "dropout")
    stands_at(dropout, do.middle(page))
    expect(dropout).to_have_attribute("data-selected", "true")
    # Once more: below the one that was just added and is still selected, and fed by it.
    item.press("Enter")
    second = do.node(page, "dropout2")
    expect(second).to_be_visible()
    assert do.centre(second)[1] > do.centre(dropout)[1]
    expect(do.edge(page, "n1", "n2")).to_have_count(1)
    do.last_step(page, "Add Dropout")


def test_row_01_enter_adds_what_suits_the_selected_layer(page: Page) -> None:
    """Of three layers whose names begin alike, the one for the selected layer's axes."""
    images = {"in_channels": 3, "out_channels": 8, "kernel_size": 3}
    open_judged(page, chain([("stem", "torch.nn.Conv2d", images)], [3, 32, 32], "Images"))
    do.node(page, "stem").click()
    field = page.get_by_label("Search layers and operations")
    field.fill("conv")
    field.press("Enter")
    expect(do.node(page, "conv")).to_contain_text("Conv2d")
    expect(do.edge(page, "stem", "n1")).to_have_count(1)


def test_row_06_a_double_click_opens_quick_add_there(page: Page) -> None:
    open_judged(page, CHAIN)
    place = do.blank(page, 0.4)
    page.mouse.dblclick(*place)
    search = page.get_by_test_id("quick-add").get_by_role("combobox")
    expect(search).to_be_focused()
    search.fill("dropout")
    search.press("Enter")
    stands_at(do.node(page, "dropout"), place)
    expect(search).to_have_count(0)
    do.last_step(page, "Add Dropout")


@pytest.mark.parametrize("key", ["/", "Tab"])
def test_row_06_a_key_opens_quick_add_at_the_pointer(page: Page, key: str) -> None:
    open_judged(page, CHAIN)
    quick = page.get_by_test_id("quick-add")
    place = do.blank(page, 0.4)
    page.mouse.click(*place)
    page.keyboard.press(key)
    search = quick.get_by_role("combobox")
    expect(search).to_have_value("")
    page.keyboard.press("Escape")
    expect(quick).to_have_count(0)
    do.last_step(page, None)
    page.keyboard.press(key)
    search.fill("dropout")
    # The way to an entry leads across the canvas, and changes nothing.
    page.mouse.move(place[0] + 80, place[1] + 60)
    search.press("Enter")
    stands_at(do.node(page, "dropout"), place)


def test_row_06_tab_off_the_canvas_moves_the_focus(page: Page) -> None:
    open_judged(page, CHAIN)
    do.search_palette(page, "Dropout")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Search layers and operations")).not_to_be_focused()
    expect(page.get_by_test_id("quick-add")).to_have_count(0)


def test_row_06_ctrl_k_opens_the_commands(page: Page) -> None:
    open_judged(page, CHAIN)
    palette = page.get_by_test_id("command-palette")
    page.keyboard.press("Control+k")
    field = palette.get_by_role("combobox")
    expect(field).to_be_focused()
    field.fill("select all")
    field.press("Enter")
    expect(palette).to_have_count(0)
    expect(page.locator("[data-node-id][data-selected]")).to_have_count(4)
    # In a field, too, where other keys are for typing.
    page.get_by_label("Search layers and operations").press("Control+k")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(palette).to_have_count(0)


def test_row_07_a_layer_of_the_palette_is_inserted_into_an_edge(page: Page) -> None:
    open_judged(page, CHAIN)
    edge = do.edge(page, "first", "last")
    do.search_palette(page, "Dropout")
    page.mouse.move(*do.centre(page.locator("[data-palette='torch.nn.Dropout']").first))
    page.mouse.down()
    page.mouse.move(*do.along(edge), steps=8)
    expect(edge).to_have_attribute("data-over", "true")
    page.mouse.up()
    expect(do.edge(page, "first", "n1")).to_have_count(1)
    expect(do.edge(page, "n1", "last")).to_have_count(1)
    expect(edge).to_have_count(0)
    do.last_step(page, "Add Dropout")
    page.keyboard.press("Control+z")
    expect(edge).to_have_count(1)
    expect(do.node(page, "dropout")).to_have_count(0)
    do.last_step(page, None)


def loose(page: Page) -> Locator:
    """A layer that nothing is connected to, beside the chain; nothing can be undone."""
    document = chain([(name, "torch.nn.ReLU", {}) for name in ("first", "last", "loose")], [8], "Loose")
    graph = document["blocks"]["Net"]["forward"]
    graph["nodes"][-1]["arguments"] = {}
    graph["output"] = {"$ref": "last"}
    document["ui"]["blocks"]["Net"]["positions"]["loose"] = {"x": 420, "y": 100}
    open_judged(page, document)
    return do.node(page, "loose")


def test_row_07_a_node_dropped_on_an_edge_is_inserted_in_one_step(page: Page) -> None:
    node = loose(page)
    edge = do.edge(page, "first", "last")
    before = do.centre(node)
    do.drag(page, before, do.along(edge))
    expect(do.edge(page, "first", "loose")).to_have_count(1)
    expect(do.edge(page, "loose", "last")).to_have_count(1)
    expect(edge).to_have_count(0)
    do.last_step(page, "Insert")
    page.keyboard.press("Control+z")
    expect(edge).to_have_count(1)
    stands_at(node, before)
    do.last_step(page, None)


def test_row_07_alt_lays_it_on_top_instead(page: Page) -> None:
    node = loose(page)
    edge = do.edge(page, "first", "last")
    page.mouse.move(*do.centre(node))
    page.mouse.down()
    page.mouse.move(*do.along(edge), steps=8)
    expect(edge).to_have_attribute("data-over", "true")
    page.keyboard.down("Alt")  # after the last move: what counts is the moment of the drop
    page.mouse.up()
    page.keyboard.up("Alt")
    expect(edge).to_have_count(1)
    do.last_step(page, "Move")
    do.search_palette(page, "Dropout")
    page.keyboard.down("Alt")
    do.drag(page, do.centre(page.locator("[data-palette='torch.nn.Dropout']").first), do.along(edge, 0.1))
    page.keyboard.up("Alt")
    expect(do.node(page, "dropout")).to_be_visible()
    expect(edge).to_have_count(1)
    do.last_step(page, "Add Dropout")


def test_row_07_a_node_that_has_its_place_crosses_edges_unharmed(page: Page) -> None:
    open_judged(page, CHAIN)
    edge = do.edge(page, "first", "last")
    do.drag(page, do.centre(do.by_id(page, "output")), do.along(edge))
    do.drag(page, do.centre(do.by_id(page, "input:x")), do.along(edge))
    expect(edge).to_have_count(1)
    expect(page.locator("[data-edge]")).to_have_count(3)


def test_row_01_nothing_is_dropped_onto_the_overview(page: Page) -> None:
    expect(page.locator("[data-edge][data-label^='N×']").first).to_be_visible()
    nodes = page.locator("[data-node-id]").count()
    do.drop(page, "torch.nn.Linear", "Linear", do.centre(page.get_by_test_id("overview")))
    do.last_step(page, None)
    do.drop(page, "torch.nn.Linear", "Linear", do.blank(page))
    expect(page.locator("[data-node-id]")).to_have_count(nodes + 1)
    do.last_step(page, "Add Linear")
