"""Networks of torchvision that no document is kept of, through the page: by the dialog, made by the server, saved."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

import gestures as do
from layerloom.schema.document import Document
from library import MADE, chosen, hold
from serving import Server

KINDS = ("lraspp_mobilenet_v3_large", "ssdlite320_mobilenet_v3_large", "raft_small", "r3d_18", "vit_l_32")
"""One of each task, and a large one. All of the others: ``tests/integration/test_library.py``."""
SLOW_MS = 660_000
"""A process imports torch, makes the network and runs it three times."""


@pytest.mark.filterwarnings("ignore")  # of torchvision's own code
@pytest.mark.timeout(2 * SLOW_MS / 1000)
@pytest.mark.parametrize("name", [name for name in KINDS if name in chosen(KINDS[:1])])
def test_a_network_that_has_to_be_made_opens_and_is_saved_as_it_is(page: Page, server: Server, name: str) -> None:
    do.node(page, "fc").wait_for()
    do.run_command(page, "torchvision")
    dialog = page.get_by_test_id("open-dialog")
    expect(dialog.get_by_placeholder("resnet")).to_be_focused()
    page.keyboard.type(name)
    expect(dialog.locator("[data-library]").first).to_have_attribute("data-library", name)
    page.keyboard.press("Enter")
    expect(dialog.get_by_test_id("import-progress")).to_contain_text(name)
    expect(dialog.get_by_role("dialog")).to_have_count(0, timeout=SLOW_MS)
    expect(page.get_by_test_id("project-menu")).to_contain_text(name)
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    with server.client() as client:
        [saved] = [network for network in client.get("/api/networks").json() if network["name"] == name]
        stored = client.get(f"/api/networks/{saved['id']}").raise_for_status().json()
    hold(Document.model_validate(stored["document"]), MADE[name])
