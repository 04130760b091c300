"""A learning rate is searched for in the Train dialog."""

from __future__ import annotations

import re
import time
from typing import Any

from playwright.sync_api import Page, expect

import gestures as do
from serving import HANG_GUARD_S, Server


def eventually_left(server: Server) -> None:
    """Nothing of a search that nobody wants stays on the server."""
    end = time.monotonic() + HANG_GUARD_S
    while any((server.home / "rates").iterdir()):
        assert time.monotonic() < end, "a search was left"
        time.sleep(0.1)


def test_a_rate_is_found_by_the_keyboard_and_used(page: Page, server: Server) -> None:
    page.get_by_test_id("train").click()
    expect(page.get_by_test_id("start-run")).to_be_focused()
    page.get_by_test_id("find-rate").focus()
    page.keyboard.press("Enter")
    panel = page.get_by_test_id("rate-search")
    suggested = panel.get_by_test_id("suggested-rate")
    expect(suggested).to_have_text(re.compile(r"^[0-9.e-]+$"), timeout=120_000)
    rate = suggested.inner_text()
    assert 1e-5 < float(rate) < 1
    expect(panel.locator("canvas")).to_be_visible()
    expect(panel.get_by_role("figure")).to_have_attribute("aria-label", re.compile(r"rises: loss [\d.]+ \(rate 1"))
    use = panel.get_by_role("button", name="Use it")
    while not use.evaluate("button => button === document.activeElement"):
        page.keyboard.press("Tab")
        assert not page.get_by_test_id("start-run").evaluate("button => button === document.activeElement"), (
            "it is skipped"
        )
    page.keyboard.press("Enter")
    expect(page.get_by_role("textbox", name="lr")).to_have_value(rate)
    expect(panel).to_have_count(0)
    expect(page.get_by_test_id("start-run")).to_be_focused()
    eventually_left(server)


def test_what_stands_in_its_way_is_told_with_the_remedy_and_a_closed_dialog_ends_it(
    page: Page, server: Server, errors: Any
) -> None:
    page.get_by_test_id("train").click()
    page.get_by_role("button", name="More settings").click()
    page.get_by_role("button", name="Add a group").click()
    page.get_by_label("Names like").fill("nothing.*")
    page.get_by_test_id("find-rate").click()
    remedy = page.get_by_test_id("train-dialog").get_by_text("the network has")
    expect(remedy).to_be_visible(timeout=60_000)
    errors.expect("422")
    page.get_by_label("Names like").fill("*")
    expect(remedy).to_have_count(0)
    page.get_by_role("button", name="Remove the group").click()
    # What is found out only as it trains.
    do.choose(page, page.get_by_role("combobox", name="Optimizer"), "LBFGS")
    do.choose(page, page.get_by_role("combobox", name="Precision"), "fp16 (mixed)")
    page.get_by_test_id("find-rate").click()
    panel = page.get_by_test_id("rate-search")
    expect(panel.get_by_role("alert")).to_contain_text("choose fp32 or bf16", timeout=120_000)
    do.choose(page, page.get_by_role("combobox", name="Precision"), "fp32")
    expect(panel).to_have_count(0)
    page.get_by_label("Batch size").fill("1024")
    page.get_by_test_id("find-rate").click()
    expect(panel.get_by_role("status")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("start-run")).to_have_count(0)
    eventually_left(server)
