"""Row 10 of the editor's table: the clipboard."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Page, expect

import gestures as do
from drawings import chain, open_judged

LINEAR = ("first", "torch.nn.Linear", {"in_features": 8, "out_features": 8})
CHAIN = chain([LINEAR, ("last", "torch.nn.ReLU", {})], [8], "Copied")
SHOWN = "[data-node-id][data-member]"


def copied(page: Page) -> str:
    """What the clipboard holds."""
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def copy_first(page: Page) -> None:
    do.node(page, "first").click()
    page.keyboard.press("Control+c")


def test_row_10_a_copy_is_json_and_is_pasted_at_the_cursor(page: Page) -> None:
    open_judged(page, CHAIN)
    copy_first(page)
    part = json.loads(copied(page))
    (member,) = part["blocks"]["Net"]["members"]
    assert (member["name"], member["target"]) == ("first", "torch.nn.Linear")
    assert member["arguments"] == {"in_features": 8, "out_features": 8}
    for down, name in ((0.3, "first2"), (0.65, "first3")):
        place = do.blank(page, down)
        page.mouse.move(*place)
        page.keyboard.press("Control+v")
        pasted = do.node(page, name)
        expect(pasted).to_have_attribute("data-selected", "true")
        assert do.centre(pasted) == pytest.approx(place, abs=2)
        do.last_step(page, "Paste 1 node")
    # Pasted by the menu, it goes where the menu was opened.
    place = do.blank(page, 0.47)
    page.mouse.click(*place, button="right")
    page.locator("[data-command='paste']").click()
    pasted = do.node(page, "first4")
    expect(pasted).to_be_visible()
    assert do.centre(pasted) == pytest.approx(place, abs=2)


def test_row_10_connections_inside_a_copy_come_along(page: Page) -> None:
    open_judged(page, CHAIN)
    do.node(page, "first").click()
    do.node(page, "last").click(modifiers=["Control"])
    page.keyboard.press("Control+c")
    page.mouse.move(*do.blank(page, 0.2))
    page.keyboard.press("Control+v")
    expect(do.node(page, "last2")).to_be_visible()
    expect(page.locator("[data-edge]")).to_have_count(3 + 1)
    ends = [do.node(page, name).get_attribute("data-node-id") for name in ("first2", "last2")]
    expect(do.edge(page, str(ends[0]), str(ends[1]))).to_have_count(1)


def test_row_10_a_cut_moves_and_a_duplicate_stands_beside(page: Page) -> None:
    open_judged(page, CHAIN)
    do.node(page, "first").click()
    page.keyboard.press("Control+x")
    expect(do.node(page, "first")).to_have_count(0)
    do.last_step(page, "Cut 1 node")
    page.mouse.move(*do.blank(page, 0.3))
    page.keyboard.press("Control+v")
    first = do.node(page, "first")  # its name is free again
    expect(first).to_have_attribute("data-selected", "true")
    page.keyboard.press("Control+d")
    second = do.node(page, "first2")
    expect(second).to_have_attribute("data-selected", "true")
    expect(first).not_to_have_attribute("data-selected", "true")
    (x, y), (x2, y2) = do.centre(first), do.centre(second)
    assert (x2 > x, y2 > y) == (True, True)
    do.last_step(page, "Duplicate 1 node")


def test_row_10_a_copy_is_pasted_into_another_tab(page: Page) -> None:
    open_judged(page, CHAIN)
    copy_first(page)
    other = page.context.new_page()
    other.goto("/")
    open_judged(other, chain([("first", "torch.nn.ReLU", {})], [8], "Other"))
    place = do.blank(other, 0.3)
    other.bring_to_front()
    other.mouse.move(*place)
    other.keyboard.press("Control+v")
    # Its name is taken there: the layer itself is the same.
    pasted = do.node(other, "first2")
    expect(pasted).to_contain_text("Linear")
    expect(pasted).to_contain_text("in_features=8")
    assert do.centre(pasted) == pytest.approx(place, abs=2)
    do.last_step(other, "Paste 1 node")
    expect(page.locator(SHOWN)).to_have_count(2)
    other.close()


KIND = '"kind": "layerloom/selection"'
BAD = {
    "some text": "no copied part",
    "{ no json": "no copied part",
    "[1, 2]": "no copied part",
    "{" + KIND: "not JSON",
    "{" + KIND + "}": "no blocks",
    "{" + KIND + ', "main": "Net", "blocks": 5}': "no blocks",
    "{" + KIND + ', "main": "Net", "blocks": {"Net": 5}}': "not an object",
    "{" + KIND + ', "main": "Gone", "blocks": {"Net": {}}}': "no layers",
    "{" + KIND + ', "main": "Net", "blocks": {"Net": {}}}': "no layers",
    "{" + KIND + ', "main": "Net", "blocks": {"Net": {"members": [{"kind": "spell", "name": "a"}]}}}': "spell",
}
"""Texts that hold nothing to paste, and a part of what is said of each."""


def test_row_10_a_bad_text_is_told_of_and_changes_nothing(page: Page) -> None:
    open_judged(page, CHAIN)
    page.mouse.click(*do.blank(page, 0.3))
    toast = page.get_by_role("status").filter(has_text="There is nothing here that can be pasted")
    for text, reason in BAD.items():
        page.evaluate("(text) => navigator.clipboard.writeText(text)", text)
        page.keyboard.press("Control+v")
        expect(toast, text).to_contain_text(reason)
        toast.get_by_role("button", name="Dismiss").click()
        expect(toast).to_have_count(0)
    expect(page.locator(SHOWN)).to_have_count(2)
    expect(page.locator("[data-edge]")).to_have_count(3)
    do.last_step(page, None)
