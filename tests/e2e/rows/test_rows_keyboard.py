"""Row 24: everything by the keyboard. The mouse is not touched here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Locator, Page, expect
from torch import nn

import gestures as do
from axe import serious
from drawings import bring_in, mlp, positions, stored
from serving import Server

MOST_TABS = 250


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press Tab until the element has the focus."""
    wanted.wait_for()
    for _ in range(MOST_TABS):
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
        page.keyboard.press(key)
    raise AssertionError(f"no number of presses of {key} leads to {wanted}")


def command(page: Page, text: str, choice: str) -> None:
    """Ctrl+K, a few letters, Enter."""
    page.keyboard.press("Control+k")
    palette = page.get_by_test_id("command-palette")
    expect(palette.get_by_role("combobox")).to_be_focused()
    page.keyboard.type(text)
    expect(palette.get_by_role("option", selected=True)).to_contain_text(choice)
    page.keyboard.press("Enter")
    expect(palette).to_have_count(0)


def set_field(page: Page, field: Locator, text: str) -> None:
    tab_to(page, field)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


@pytest.fixture(autouse=True)
def no_mouse(page: Page) -> None:
    """A press of the mouse in one of these tests fails it."""
    page.evaluate("addEventListener('pointerdown', () => { throw new Error('the mouse was used') }, true)")


def test_row_24_a_network_is_built_trained_and_taken_home_by_the_keyboard(page: Page, tmp_path: Path) -> None:
    expect(page.locator("[data-node-id]").first).to_be_visible()
    command(page, "new network", "New network")
    expect(page.locator("[data-node-id][data-member]")).to_have_count(0)
    # Digits are 1×8×8 images.
    command(page, "go to x", "Go to x")
    set_field(page, page.get_by_label("Shape"), "1, 8, 8")
    for layer in ("Flatten", "Linear", "ReLU", "Linear"):
        command(page, f"add {layer.lower()}", f"Add {layer}")
    first, second = do.node(page, "linear"), do.node(page, "linear2")
    command(page, "go to linear", "Go to linear")
    set_field(page, page.locator("[data-parameter='out_features'] input"), "32")
    set_field(page, page.get_by_label("Attribute name"), "body")
    expect(first).to_have_count(0)
    command(page, "go to linear2", "Go to linear2")
    set_field(page, page.locator("[data-parameter='out_features'] input"), "10")
    set_field(page, page.get_by_label("Attribute name"), "head")
    expect(second).to_have_count(0)
    # The last layer is connected with the output by "Connect to…".
    tab_to(page, page.locator(".react-flow__node").filter(has=do.node(page, "head")))
    page.keyboard.press("c")
    search = page.get_by_test_id("connect-search")
    expect(search.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("output")
    page.keyboard.press("Enter")
    expect(page.locator("[data-edge][data-label='N×10']")).to_be_attached()

    command(page, "train", "Train")
    expect(page.get_by_test_id("start-run")).to_be_focused()
    set_field_back(page, page.get_by_label("Epochs"), "1")
    page.wait_for_url("**/runs/*")
    expect(page.locator("[data-state='succeeded']").first).to_be_visible()
    button = page.get_by_role("button", name="Download")
    tab_to(page, button)
    page.keyboard.press("Enter")
    wanted = page.get_by_role("menuitem", name="Last weights (.pt)", exact=True)
    tab_to(page, wanted, "ArrowDown")
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)

    net = nn.Module()
    net.flatten, net.body, net.relu, net.head = nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)
    net.load_state_dict(torch.load(path, weights_only=True), strict=True)


def set_field_back(page: Page, field: Locator, text: str) -> None:
    """A field before the button that has the focus; Enter in it sends the form."""
    tab_to(page, field, "Shift+Tab")
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def test_row_24_a_move_by_arrow_keys_is_saved(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    before = positions(stored(page, server))
    tab_to(page, page.locator(".react-flow__node[data-id='act']"))
    page.keyboard.press("Enter")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.get_by_test_id("undo")).to_have_accessible_name("Undo: Move")
    after = positions(stored(page, server))
    assert after["act"]["x"] > before["act"]["x"]
    assert after["act"]["y"] > before["act"]["y"]
    page.reload()
    expect(do.node(page, "act")).to_be_visible()
    assert positions(stored(page, server)) == after


def quick_add(page: Page) -> None:
    page.get_by_test_id("canvas").press("/")
    expect(page.get_by_test_id("quick-add")).to_be_visible()


def command_palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("command-palette")).to_be_visible()


def menu(page: Page) -> None:
    page.locator(".react-flow__node[data-id='act']").press("Enter")
    page.keyboard.press("Shift+F10")
    expect(page.get_by_test_id("canvas-menu")).to_be_visible()


def connecting(page: Page) -> None:
    page.locator(".react-flow__node[data-id='act']").press("Enter")
    page.keyboard.press("c")
    expect(page.get_by_test_id("connect-search")).to_be_visible()


def grouping(page: Page) -> None:
    page.locator(".react-flow__node[data-id='act']").press("Enter")
    page.keyboard.press("Control+g")
    expect(page.get_by_test_id("group-apply")).to_be_visible()


def versions(page: Page) -> None:
    command(page, "versions", "Versions…")
    expect(page.get_by_role("dialog", name="Versions").get_by_role("listitem").first).to_be_visible()


@pytest.mark.parametrize(
    "place", [quick_add, command_palette, menu, connecting, grouping, versions], ids=lambda place: place.__name__
)
def test_row_24_axe_reports_nothing_serious(page: Page, place: Callable[[Page], None]) -> None:
    bring_in(page, mlp())
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    page.emulate_media(reduced_motion="reduce")
    place(page)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
        assert serious(page) == [], scheme
