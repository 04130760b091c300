"""A layer of one's own, from the palette into a network that has never heard of it."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, expect

import gestures as do
from serving import serving
from unit.graph.test_own_layers import SWISH

SLOW_MS = 120_000
"""What carries code is checked in a process that is started for it."""


def test_its_code_comes_along_as_one_step(chromium: Browser, tmp_path: Path) -> None:
    with (
        serving(tmp_path / "home", "--allow-python") as server,
        server.client() as client,
        chromium.new_context(base_url=server.url, locale="en-US") as context,
    ):
        client.timeout = SLOW_MS / 1000
        asked = {
            "name": "SwishGate",
            "source": SWISH,
            "arguments": {"width": 8},
            "inputs": {"x": {"shape": [8]}},
        }
        client.post("/api/python-layers", json=asked).raise_for_status()
        page = context.new_page()
        do.sign_in(page, server)
        do.node(page, "fc").click(timeout=SLOW_MS)
        do.search_palette(page, "SwishGate")
        page.locator("[data-palette='python.SwishGate']").click()
        expect(do.node(page, "swish_gate")).to_be_visible()
        page.locator("[data-tab='code']").click()
        page.locator("[data-parameter='width'] input").first.fill("10")
        page.keyboard.press("Enter")
        expect(page.get_by_text("class SwishGate(nn.Module):")).to_be_visible(timeout=SLOW_MS)
        expect(page.get_by_text("self.swish_gate = SwishGate(")).to_be_attached()
        for _ in ("the width", "the layer and its code"):
            page.get_by_test_id("undo").click()
        expect(do.node(page, "swish_gate")).to_have_count(0)
        expect(page.get_by_test_id("undo")).to_be_disabled()
        expect(page.get_by_text("class SwishGate(nn.Module):")).to_have_count(0, timeout=SLOW_MS)
