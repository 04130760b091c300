"""Whoever is new is shown around once, and finds the keys and what a layer does."""

from __future__ import annotations

from playwright.sync_api import Page, expect
from test_accessibility import serious

import gestures as do


def arrive(page: Page) -> None:
    """Come for the first time, as far as this browser knows."""
    page.evaluate("localStorage.removeItem('layerloom.tour')")
    page.reload()
    expect(page.get_by_test_id("tour")).to_be_visible()


def outlined(page: Page, subject: str) -> None:
    """The one thing that a stop is about."""
    expect(page.locator("[data-toured]")).to_have_count(1)
    expect(page.locator("[data-toured]")).to_have_attribute("data-tour", subject)


def test_the_tour_has_four_stops_and_comes_once(page: Page) -> None:
    arrive(page)
    tour = page.get_by_test_id("tour")
    for number, subject in enumerate(["palette", "canvas", "problems", "train"], start=1):
        expect(tour).to_contain_text(f"Step {number} of 4")
        outlined(page, subject)
        assert serious(page) == []
        tour.get_by_role("button", name="Done" if number == 4 else "Next").click()
    expect(tour).to_have_count(0)
    expect(page.locator("[data-toured]")).to_have_count(0)
    page.reload()
    expect(page.locator("[data-edge][data-label^='N×']").first).to_be_visible()
    expect(tour).to_have_count(0)


def test_the_tour_is_skipped_and_begun_again_by_keys(page: Page) -> None:
    arrive(page)
    tour = page.get_by_test_id("tour")
    tour.get_by_role("button", name="Skip the tour").click()
    expect(tour).to_have_count(0)
    page.reload()
    page.get_by_test_id("help").press("Enter")
    page.get_by_role("menuitem", name="Take the tour").press("Enter")
    expect(tour).to_be_focused()
    tour.get_by_role("button", name="Next").press("Enter")
    expect(tour).to_contain_text("Step 2 of 4")
    tour.get_by_role("button", name="Back").press("Enter")
    expect(tour).to_contain_text("Step 1 of 4")
    tour.get_by_role("button", name="Next").press("Escape")
    expect(tour).to_have_count(0)


def test_the_card_covers_no_part_of_the_drawing_in_a_small_window(page: Page) -> None:
    page.set_viewport_size({"width": 1280, "height": 720})
    arrive(page)
    page.locator("[data-edge][data-label^='N×']").first.wait_for()
    for _ in range(2):
        card = page.get_by_test_id("tour").bounding_box()
        assert card is not None
        for node in page.locator("[data-node-id]").all():
            box = node.bounding_box()
            assert box is not None
            assert box["x"] + box["width"] <= card["x"] or box["y"] >= card["y"] + card["height"]
        page.get_by_test_id("tour").get_by_role("button", name="Next").click()


def test_the_tour_speaks_chinese(page: Page) -> None:
    arrive(page)
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("tour")).to_contain_text("第 1 步，共 4 步")


def test_a_question_mark_shows_every_key(page: Page) -> None:
    expect(page.locator("[data-edge][data-label^='N×']").first).to_be_visible()
    page.keyboard.press("?")
    keys = page.get_by_test_id("shortcuts")
    expect(keys.locator("[data-command='fit'] kbd")).to_have_text("F")
    expect(keys.locator("[data-command='redo'] kbd")).to_have_text(["Ctrl+Shift+Z", "Ctrl+Y"])
    expect(keys.locator("[data-command='shortcuts'] kbd")).to_have_text("?")
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(keys.locator("kbd")).to_have_count(0)
    do.search_palette(page, "conv")
    page.get_by_label("Search layers and operations").press("?")
    expect(keys.locator("kbd")).to_have_count(0)


def test_a_layer_draws_the_window_that_its_arguments_make(page: Page) -> None:
    page.locator("[data-row-of]").filter(has_text="Conv2d").first.click()
    strip = page.get_by_test_id("strip")
    do.set_number(page, "kernel_size", 3)
    expect(strip).to_have_attribute("data-taps", "0,1,2")
    do.set_number(page, "dilation", 2)
    expect(strip).to_have_attribute("data-taps", "0,2,4")
    expect(strip).to_have_accessible_name(
        "Along one axis: each output reads 3 cells 2 apart, the next begins 1 further, with a padding of 1 in front"
    )
