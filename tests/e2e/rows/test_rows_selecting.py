"""Rows 12 and 13: selecting and moving, and typing that is nothing else."""

from __future__ import annotations

import pytest
from playwright.sync_api import CDPSession, Locator, Page, expect

import gestures as do
from drawings import bring_in, mlp, positions, stored
from serving import Server

SELECTED = "[data-node-id][data-selected]"
ALL = {"input:x", "first", "act", "second", "output"}


def chosen(page: Page) -> set[str]:
    return {node.get_attribute("data-node-id") or "" for node in page.locator(SELECTED).all()}


def expect_chosen(page: Page, *ids: str) -> None:
    expect(page.locator(SELECTED)).to_have_count(len(ids))
    assert chosen(page) == set(ids)


def box(where: Locator) -> tuple[float, float, float, float]:
    found = where.bounding_box()
    assert found is not None
    return found["x"], found["y"], found["width"], found["height"]


def test_row_12_a_box_drawn_with_shift_selects_what_it_touches(page: Page) -> None:
    bring_in(page, mlp())
    left, top, _, _ = box(do.node(page, "first"))
    x, y, width, _ = box(do.node(page, "act"))
    page.keyboard.down("Shift")
    do.drag(page, (left - 40, top - 12), (x + width + 40, y + 5))
    page.keyboard.up("Shift")
    expect_chosen(page, "first", "act")


@pytest.mark.parametrize("key", ["Control", "Shift"])
def test_row_12_a_click_with_a_key_adds_and_takes_away(page: Page, key: str) -> None:
    bring_in(page, mlp())
    do.node(page, "first").click()
    do.node(page, "second").click(modifiers=[key])
    expect_chosen(page, "first", "second")
    do.node(page, "first").click(modifiers=[key])
    expect_chosen(page, "second")


def test_row_12_everything_is_selected_and_let_go(page: Page) -> None:
    bring_in(page, mlp())
    page.get_by_test_id("canvas").press("Control+a")
    expect_chosen(page, *ALL)
    page.keyboard.press("Escape")
    expect_chosen(page)


def test_row_12_several_nodes_are_dragged_at_once_as_one_step(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    before = positions(stored(page, server))
    do.node(page, "first").click()
    do.node(page, "act").click(modifiers=["Control"])
    x, y = do.centre(do.node(page, "act"))
    do.drag(page, (x, y), (x + 150, y + 30))
    expect(page.get_by_test_id("undo")).to_have_accessible_name("Undo: Move 2 nodes")
    after = positions(stored(page, server))
    shifts = {id: (after[id]["x"] - before[id]["x"], after[id]["y"] - before[id]["y"]) for id in ALL}
    assert shifts["first"] == shifts["act"] != (0, 0)
    assert {shifts[id] for id in ALL - {"first", "act"}} == {(0, 0)}
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("undo")).to_be_disabled()
    assert positions(stored(page, server)) == before


FIELDS = {
    "palette": lambda page: page.get_by_label("Search layers and operations"),
    "name": lambda page: page.get_by_label("Attribute name"),
    "number": lambda page: page.locator("[data-parameter='out_features'] input"),
    "class": lambda page: page.get_by_label("Name of the network"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_row_13_typing_in_a_field_fires_no_shortcut(page: Page, field: str) -> None:
    bring_in(page, mlp())
    if field != "class":
        do.node(page, "first").click()
    before = chosen(page)
    where = FIELDS[field](page)
    where.click()
    for key in ("/", ".", "f", "l", "c", "a", "Control+a", "Delete", "Backspace", "Control+g", "Alt+ArrowUp"):
        page.keyboard.press(key)
    expect(where).to_be_focused()
    expect(page.locator("[data-node-id]")).to_have_count(5)
    expect(page.get_by_role("dialog")).to_have_count(0)
    assert chosen(page) == before


def test_row_13_undo_in_a_field_is_of_its_text_first(page: Page) -> None:
    bring_in(page, mlp())
    do.node(page, "first").click()
    do.rename(page, "stem")
    field = page.get_by_label("Attribute name")
    page.keyboard.press("End")
    page.keyboard.type("zz")
    expect(field).to_have_value("stemzz")
    page.keyboard.press("Control+z")
    expect(field).to_have_value("stem")
    page.keyboard.press("Control+z")
    expect(do.node(page, "first")).to_be_visible()


class Composition:
    """An input method at work in the focused field, as the system's own would be."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession = page.context.new_cdp_session(page)
        page.evaluate("addEventListener('keydown', (event) => { window.composing = event.isComposing }, true)")

    def presses(self, key: str) -> None:
        """A key that belongs to the composition."""
        # The key before may have ended it.
        self.types("juanji")
        self._page.keyboard.press(key)
        assert self._page.evaluate("window.composing"), key

    def types(self, text: str) -> None:
        place = {"selectionStart": len(text), "selectionEnd": len(text)}
        self._session.send("Input.imeSetComposition", {"text": text, **place})

    def gives(self, text: str) -> None:
        self._session.send("Input.insertText", {"text": text})


@pytest.fixture
def composition(page: Page) -> Composition:
    return Composition(page)


@pytest.mark.parametrize("opening", ["/", "Control+k"])
def test_row_13_a_composition_neither_closes_a_search_nor_chooses(
    page: Page, composition: Composition, opening: str
) -> None:
    bring_in(page, mlp())
    page.get_by_test_id("canvas").press(opening)
    search = page.get_by_test_id("quick-add" if opening == "/" else "command-palette")
    expect(search).to_be_visible()
    for key in ("Escape", "ArrowDown", "Enter", "Escape"):
        composition.presses(key)
    expect(search).to_be_visible()
    expect(page.locator("[data-node-id]")).to_have_count(5)
    field = search.get_by_role("combobox")
    field.fill("")
    composition.types("er wei juan ji")
    composition.gives("二维卷积")
    expect(field).to_have_value("二维卷积")
    expect(search.get_by_role("option").first).to_contain_text("Conv2d")
    page.keyboard.press("Enter")
    expect(do.node(page, "conv")).to_be_visible()
    expect(search).to_have_count(0)


def test_row_13_a_composition_commits_no_name(page: Page, composition: Composition) -> None:
    bring_in(page, mlp())
    do.node(page, "first").click()
    field = page.get_by_label("Attribute name")
    field.fill("better")
    composition.presses("Enter")
    expect(field).to_be_focused()
    expect(do.node(page, "first")).to_be_visible()
    expect(page.get_by_test_id("undo")).to_be_disabled()


def test_row_13_a_composition_closes_no_dialog_and_opens_no_example(page: Page, composition: Composition) -> None:
    bring_in(page, mlp())
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.get_by_role("tab", name="Examples").click()
    field = page.get_by_label("Search examples")
    field.fill("LeNet")
    for key in ("Escape", "ArrowDown", "Enter", "Escape"):
        composition.presses(key)
    expect(field).to_be_focused()
    expect(page.get_by_test_id("project-menu")).to_contain_text("Chain")


def test_row_13_a_composition_chooses_no_initializer(page: Page, composition: Composition) -> None:
    bring_in(page, mlp())
    do.node(page, "first").click()
    field = page.get_by_test_id("init-weight")
    field.click()
    field.fill("kaiming")
    composition.presses("Enter")
    expect(page.get_by_test_id("undo")).to_be_disabled()
