"""The inspector keeps still while it is used."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

import gestures as do
from waiting import wait_for


def top(locator: Locator) -> float:
    box = locator.bounding_box()
    assert box
    return box["y"]


def test_a_problem_comes_up_without_moving_a_field(page: Page) -> None:
    do.node(page, "fc").click()
    name = page.get_by_role("textbox", name="in_features")
    page.get_by_role("button", name="in_features: kind").click()
    page.get_by_role("menuitem", name="int", exact=True).click()
    expect(name).to_have_value("1024")
    before = top(name)
    do.set_number(page, "in_features", 5)
    problems = page.get_by_test_id("inspector-problems")
    expect(problems).to_be_in_viewport(ratio=1)
    assert top(name) == before
    assert top(problems) > before


def test_what_is_scrolled_goes_under_the_head(page: Page) -> None:
    page.locator("[data-item='stage1.0']").first.click()
    inspector = page.get_by_test_id("inspector")
    fold = inspector.get_by_role("button", name="Hide the properties")
    head = inspector.locator("header")
    field = inspector.locator("[data-parameter='in_channels']")
    before, unscrolled = top(head), top(field)
    x, y = do.centre(head)
    page.mouse.move(x, y + 200)
    page.mouse.wheel(0, 300)
    wait_for(lambda: top(field) < unscrolled, "the fields are scrolled")
    assert top(head) == before
    box = head.bounding_box()
    assert box
    there = fold.evaluate("(it) => it.getBoundingClientRect().bottom")
    assert there <= box["y"] + box["height"]
