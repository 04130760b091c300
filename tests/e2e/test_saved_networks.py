"""Open → Saved: networks are found by name, renamed and deleted, by mouse and by keys, and the open one is not lost."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import gestures as do
from drawings import bring_in, mlp, stored
from serving import Server


@pytest.fixture
def saved(server: Server) -> dict[str, str]:
    """Ids of three stored networks by name; no others are stored."""
    with server.client() as client:
        for network in client.get("/api/networks").raise_for_status().json():
            client.delete(f"/api/networks/{network['id']}").raise_for_status()
        names = ("Wide digits", "Deep digits", "Letters")
        answers = [client.post("/api/networks", json={"document": mlp(name)}).raise_for_status() for name in names]
        return {name: answer.json()["id"] for name, answer in zip(names, answers, strict=True)}


def listed(server: Server) -> set[str]:
    with server.client() as client:
        return {network["name"] for network in client.get("/api/networks").raise_for_status().json()}


def open_saved(page: Page) -> Locator:
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    dialog = page.get_by_test_id("open-dialog")
    expect(dialog.locator("[data-network]").first).to_be_visible()
    return dialog


def closed(dialog: Locator) -> None:
    """It fades for a while, in which the keys are its own. Its root has no box and is never to be seen."""
    expect(dialog.get_by_role("dialog")).to_have_count(0)


def rows(dialog: Locator) -> Locator:
    return dialog.locator("[data-network]")


def row(dialog: Locator, network: str) -> Locator:
    return dialog.locator(f"[data-network='{network}']")


def test_a_saved_network_is_found_by_its_name(page: Page, saved: dict[str, str]) -> None:
    dialog = open_saved(page)
    field = dialog.get_by_role("textbox", name="Search saved networks")
    expect(field).to_be_focused()
    expect(rows(dialog)).to_have_count(3)
    field.fill("DIGITS deep")
    expect(rows(dialog)).to_have_count(1)
    field.fill("nothing of that name")
    expect(rows(dialog)).to_have_count(0)
    dialog.get_by_test_id("no-hits").get_by_role("button").click()
    expect(rows(dialog)).to_have_count(3)
    field.fill("digits")
    field.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(row(dialog, saved["Wide digits"])).to_be_focused()
    page.keyboard.press("Enter")
    closed(dialog)
    expect(page.get_by_test_id("project-menu")).to_contain_text("Wide digits")


def test_a_saved_network_is_renamed_by_mouse_and_by_keys(page: Page, server: Server, saved: dict[str, str]) -> None:
    dialog = open_saved(page)
    dialog.get_by_role("button", name="Rename Letters").click()
    field = dialog.get_by_role("textbox", name="New name of Letters")
    field.fill("Digits")
    field.press("Escape")
    expect(row(dialog, saved["Letters"])).to_be_focused()
    expect(row(dialog, saved["Letters"])).to_contain_text("Letters")
    page.keyboard.press("F2")
    field.fill("Alphabet")
    field.press("Enter")
    expect(row(dialog, saved["Letters"])).to_contain_text("Alphabet")
    expect(row(dialog, saved["Letters"])).to_be_focused()
    assert listed(server) == {"Wide digits", "Deep digits", "Alphabet"}
    with server.client() as client:
        network = client.get(f"/api/networks/{saved['Letters']}").raise_for_status().json()
    # The document bears the name, too, and nothing else of it is another.
    assert network["document"]["name"] == "Alphabet"
    assert set(network["document"]["blocks"]) == {"Net"}


def test_the_open_network_is_renamed_by_a_step(page: Page, server: Server, saved: dict[str, str]) -> None:
    dialog = open_saved(page)
    row(dialog, saved["Letters"]).click()
    expect(page.get_by_test_id("project-menu")).to_contain_text("Letters")
    dialog = open_saved(page)
    expect(row(dialog, saved["Letters"])).to_contain_text("open now")
    row(dialog, saved["Letters"]).press("F2")
    page.keyboard.type("Alphabet")
    page.keyboard.press("Enter")
    expect(row(dialog, saved["Letters"])).to_contain_text("Alphabet")
    page.keyboard.press("Escape")
    closed(dialog)
    do.last_step(page, "Rename Letters to Alphabet")
    page.keyboard.press("Control+z")
    expect(page.get_by_test_id("project-menu")).to_contain_text("Letters")
    assert stored(page, server)["name"] == "Letters"


def test_a_network_is_deleted_after_it_was_asked_for_by_name(page: Page, server: Server, saved: dict[str, str]) -> None:
    dialog = open_saved(page)
    row(dialog, saved["Letters"]).press("Delete")
    asked = dialog.get_by_role("group", name="Delete “Letters”?")
    # Enter deletes nothing: it is Cancel that has the focus.
    expect(asked.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(row(dialog, saved["Letters"])).to_be_focused()
    assert len(listed(server)) == 3
    dialog.get_by_role("button", name="Delete Letters").click()
    expect(asked).not_to_contain_text("open")
    asked.get_by_role("button", name="Delete").click()
    expect(rows(dialog)).to_have_count(2)
    expect(dialog.get_by_role("textbox")).to_be_focused()
    expect(page.get_by_text("“Letters” is deleted")).to_be_visible()
    assert listed(server) == {"Wide digits", "Deep digits"}


def test_the_open_network_stays_on_the_screen_when_it_is_deleted(
    page: Page, server: Server, saved: dict[str, str], errors: Any
) -> None:
    dialog = open_saved(page)
    row(dialog, saved["Letters"]).click()
    expect(do.node(page, "first")).to_be_visible()
    tab = page.context.new_page()
    tab.goto("/")
    expect(do.node(tab, "first")).to_be_visible()
    dialog = open_saved(page)
    dialog.get_by_role("button", name="Delete Letters").click()
    asked = dialog.get_by_test_id("delete-network")
    expect(asked).to_contain_text("It is open now and stays in the editor")
    expect(asked).to_contain_text("another tab")
    asked.get_by_role("button", name="Delete").click()
    expect(rows(dialog)).to_have_count(2)
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "untouched")
    # What nobody has touched since is not stored anew, and a reload does not lose it.
    page.reload()
    expect(do.node(page, "first")).to_be_visible()
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "untouched")
    assert listed(server) == {"Wide digits", "Deep digits"}
    do.node(page, "first").click()
    do.rename(page, "stem")
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    assert listed(server) == {"Wide digits", "Deep digits", "Letters"}


def test_a_network_with_changes_on_their_way_is_deleted_all_the_same(page: Page, server: Server) -> None:
    bring_in(page, mlp("Hurried"))
    do.node(page, "first").click()
    do.rename(page, "stem")
    dialog = open_saved(page)
    dialog.get_by_role("button", name="Delete Hurried").click()
    dialog.get_by_test_id("delete-network").get_by_role("button", name="Delete").click()
    expect(dialog.get_by_role("button", name=re.compile("Delete Hurried"))).to_have_count(0)
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "untouched")
    assert "Hurried" not in listed(server)
    page.keyboard.press("Escape")
    expect(do.node(page, "stem")).to_be_visible()
