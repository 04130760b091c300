"""Rows 8 and 9 of the editor's table: undo, redo, and the documents that they belong to."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

import gestures as do
from drawings import chain, open_judged

NAMES = ("first", "second", "third")
CHAIN = chain([(name, "torch.nn.ReLU", {}) for name in NAMES], [8])


def add_dropout(page: Page) -> None:
    do.search_palette(page, "Dropout")
    page.locator("[data-palette='torch.nn.Dropout']").first.press("Enter")
    expect(do.node(page, "dropout")).to_be_visible()


def test_row_08_the_keys_go_back_and_forth(page: Page) -> None:
    open_judged(page, CHAIN)
    dropout = do.node(page, "dropout")
    add_dropout(page)
    canvas = page.get_by_test_id("canvas")
    for back, forth in (("Control+z", "Control+Shift+z"), ("Control+z", "Control+y")):
        canvas.press(back)
        expect(dropout).to_have_count(0)
        do.last_step(page, None)
        expect(page.get_by_test_id("redo")).to_have_accessible_name("Redo: Add Dropout")
        canvas.press(forth)
        expect(dropout).to_be_visible()
        do.last_step(page, "Add Dropout")
        expect(page.get_by_test_id("redo")).to_be_disabled()
    page.get_by_test_id("undo").click()
    expect(dropout).to_have_count(0)
    page.get_by_test_id("redo").click()
    expect(dropout).to_be_visible()


def drag_one(page: Page) -> None:
    x, y = do.centre(do.node(page, "first"))
    do.drag(page, (x, y), (x + 190, y + 40), steps=25)


def drag_two(page: Page) -> None:
    do.node(page, "first").click()
    do.node(page, "second").click(modifiers=["Control"])
    drag_one(page)


def push_by_arrows(page: Page) -> None:
    do.node(page, "first").click()
    for _ in range(6):  # a key that is held down
        page.keyboard.down("ArrowRight")
    page.keyboard.up("ArrowRight")


def rename(page: Page) -> None:
    do.node(page, "first").click()
    do.rename(page, "renamed")


def delete_two(page: Page) -> None:
    do.node(page, "first").click()
    do.node(page, "second").click(modifiers=["Control"])
    page.keyboard.press("Delete")


def cut_one(page: Page) -> None:
    do.node(page, "second").click()
    page.keyboard.press("Control+x")


def duplicate_one(page: Page) -> None:
    do.node(page, "second").click()
    page.keyboard.press("Control+d")


def connect(page: Page) -> None:
    start = do.centre(do.port(do.node(page, "first"), "output"))
    do.drag(page, start, do.centre(do.port(do.node(page, "third"), "input")))


GESTURES: list[tuple[Callable[[Page], None], str]] = [
    (drag_one, "Move"),
    (drag_two, "Move 2 nodes"),
    (push_by_arrows, "Move"),
    (rename, "Rename first to renamed"),
    (delete_two, "Delete 2 nodes"),
    (cut_one, "Cut 1 node"),
    (duplicate_one, "Duplicate 1 node"),
    (connect, "Connect"),
]


def drawn(page: Page) -> set[tuple[str | None, ...]]:
    """Nodes with their names and places, and the connections."""
    nodes = {
        (
            node.get_attribute("data-id"),
            node.locator("[data-node-id]").get_attribute("data-member"),
            node.evaluate("(node) => node.style.transform"),
        )
        for node in page.locator(".react-flow__node").all()
    }
    return nodes | {(edge.get_attribute("data-edge"),) for edge in page.locator("[data-edge]").all()}


def test_row_08_a_gesture_is_one_named_step(page: Page) -> None:
    open_judged(page, CHAIN)
    before = drawn(page)
    for gesture, name in GESTURES:
        gesture(page)
        do.last_step(page, name)
        after = drawn(page)
        assert after != before, name
        page.keyboard.press("Control+z")
        do.last_step(page, None)
        assert drawn(page) == before, name
        page.keyboard.press("Control+y")
        do.last_step(page, name)
        assert drawn(page) == after, name
        page.keyboard.press("Control+z")
        do.last_step(page, None)


def test_row_08_twelve_nodes_are_pasted_in_one_step(page: Page) -> None:
    open_judged(page, chain([(f"layer{number}", "torch.nn.ReLU", {}) for number in range(12)], [8], "Twelve"))
    nodes = page.locator("[data-node-id][data-member]")
    expect(nodes).to_have_count(12)
    page.mouse.click(*do.blank(page))
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    page.mouse.move(*do.blank(page, 0.1))
    page.keyboard.press("Control+v")
    do.last_step(page, "Paste 12 nodes")
    expect(page.get_by_test_id("overview")).to_have_attribute("data-nodes", str(2 + 24))
    page.keyboard.press("Control+z")
    do.last_step(page, None)
    expect(page.get_by_test_id("overview")).to_have_attribute("data-nodes", str(2 + 12))
    expect(page.get_by_test_id("redo")).to_have_accessible_name("Redo: Paste 12 nodes")
    page.keyboard.press("Control+y")
    expect(page.get_by_test_id("overview")).to_have_attribute("data-nodes", str(2 + 24))


def clean(page: Page) -> None:
    """Nothing to undo or to redo, nothing to save; and the keys find nothing, either."""
    saved = page.get_by_test_id("saved")
    before = drawn(page)
    for key in (None, "Control+z", "Control+Shift+z", "Control+y"):
        if key:
            page.get_by_test_id("canvas").press(key)
        do.last_step(page, None)
        expect(page.get_by_test_id("redo")).to_be_disabled()
        expect(saved).to_have_attribute("data-state", re.compile("saved|untouched"))
    assert drawn(page) == before


def test_row_09_undo_never_mixes_documents(page: Page) -> None:
    open_judged(page, {**CHAIN, "name": "Mixed"})
    add_dropout(page)
    do.node(page, "third").click()
    page.keyboard.press("Delete")
    page.keyboard.press("Control+z")  # so that there is something to redo, too
    do.last_step(page, "Add Dropout")

    do.new_network(page)
    clean(page)
    expect(do.node(page, "dropout")).to_have_count(0)
    add_dropout(page)
    do.last_step(page, "Add Dropout")

    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.locator("[data-network]", has_text="Mixed").click()
    expect(page.get_by_test_id("project-menu")).to_contain_text("Mixed")
    clean(page)
    for name in (*NAMES, "dropout"):
        expect(do.node(page, name)).to_have_count(1)


def test_row_09_a_freshly_opened_document_is_clean(page: Page) -> None:
    expect(page.locator("[data-edge]").first).to_be_visible()
    clean(page)  # the example that the page opens with
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.get_by_role("tab", name="Examples").click()
    page.locator("[data-example='lenet5']").click()
    expect(page.get_by_test_id("project-menu")).to_contain_text("LeNet-5")
    clean(page)
    add_dropout(page)
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    page.reload()
    expect(do.node(page, "dropout")).to_be_visible()
    clean(page)


def test_row_08_the_names_of_steps_follow_the_language(page: Page) -> None:
    add_dropout(page)
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("undo")).to_have_accessible_name("撤销: 添加 Dropout")
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("redo")).to_have_accessible_name("重做: 添加 Dropout")
