"""The init lab: what initializers do to a deep network is seen before it trains, and the better one is a press away."""

from __future__ import annotations

import re

import torch
from playwright.sync_api import Page, expect
from torch import nn

import gestures as do
from layerloom import from_module
from layerloom.graph.lab import READY
from serving import HANG_GUARD_S, Server

DEPTH, WIDTH = 24, 128


def deep() -> nn.Module:
    layers = [layer for _ in range(DEPTH) for layer in (nn.Linear(WIDTH, WIDTH), nn.ReLU())]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 4))


def test_initializers_are_compared_and_the_recommended_applied_as_one_step(page: Page, server: Server) -> None:
    plain = from_module(deep(), (torch.randn(4, WIDTH),))
    network = plain.model_copy(update={"name": "Deep", "init": READY["xavier uniform"](plain)})
    with server.client() as client:
        body = {"document": network.model_dump(mode="json", by_alias=True)}
        client.post("/api/networks", json=body).raise_for_status()
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.get_by_test_id("open-dialog").get_by_text("Deep", exact=True).click()
    expect(page.get_by_test_id("canvas")).to_be_visible()

    page.get_by_role("tab", name="Init lab").click()
    guard = HANG_GUARD_S * 1_000
    drawn = page.get_by_test_id("scheme-as drawn")
    expect(drawn).to_have_attribute("data-verdict", "vanishes", timeout=guard)
    expect(page.get_by_test_id("scheme-normal 1")).to_have_attribute("data-verdict", "explodes")
    expect(page.get_by_test_id("scheme-kaiming normal")).to_have_attribute("data-verdict", "steady")
    expect(page.get_by_role("img", name=re.compile(f"Xavier uniform: .* in {DEPTH + 1} layers"))).to_be_visible()
    # Among the problems: each layer whose initializer does not fit its ReLU, and that numbers and gradients fade.
    told = str(DEPTH + 2)
    expect(page.get_by_test_id("problem-count")).to_have_text(told, timeout=guard)

    page.get_by_test_id("recommend").click()
    expect(drawn).to_have_attribute("data-verdict", "steady", timeout=guard)
    expect(page.get_by_test_id("problem-count")).to_have_count(0, timeout=guard)
    page.keyboard.press("Control+z")
    expect(drawn).to_have_attribute("data-verdict", "vanishes", timeout=guard)
    expect(page.get_by_test_id("problem-count")).to_have_text(told, timeout=guard)


def test_what_only_grows_or_fades_is_not_called_steady(page: Page, server: Server) -> None:
    """As torch makes them, four layers fade by a factor of some tens: they learn, and are no model of steadiness."""
    shallow = nn.Sequential(*(layer for _ in range(3) for layer in (nn.Linear(64, 64), nn.ReLU())), nn.Linear(64, 64))
    plain = from_module(shallow, (torch.randn(4, 64),)).model_copy(update={"name": "Shallow"})
    with server.client() as client:
        body = {"document": plain.model_dump(mode="json", by_alias=True)}
        client.post("/api/networks", json=body).raise_for_status()
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.get_by_test_id("open-dialog").get_by_text("Shallow", exact=True).click()
    page.get_by_role("tab", name="Init lab").click()
    drawn = page.get_by_test_id("scheme-as drawn")
    expect(drawn).to_have_attribute("data-verdict", "fades", timeout=HANG_GUARD_S * 1_000)
    expect(drawn).to_contain_text("fading")
    expect(page.get_by_test_id("scheme-kaiming normal")).to_have_attribute("data-verdict", "steady")


def test_a_bar_leads_to_its_layer(page: Page) -> None:
    page.get_by_role("tab", name="Init lab").click()
    page.get_by_test_id("scheme-as drawn").locator("[class*=slot]").last.click(timeout=HANG_GUARD_S * 1_000)
    expect(page.locator(".react-flow__node.selected")).to_have_text(re.compile("Linear"))


def test_it_shows_what_belongs_to_the_open_network(page: Page) -> None:
    page.get_by_role("tab", name="Init lab").click()
    drawn = page.get_by_test_id("scheme-as drawn")
    expect(drawn).to_be_visible(timeout=HANG_GUARD_S * 1_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if request.url.endswith("/init-lab") else None)
    with page.expect_response("**/api/graphs/check"):
        do.new_network(page)
    expect(drawn).to_have_count(0)
    panel = page.get_by_role("tabpanel", name="Init lab")
    expect(panel.get_by_text("Nothing to measure yet").or_(panel.get_by_text("No layers"))).to_be_visible()
    assert asked == []
