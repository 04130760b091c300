"""Row 22: the form of a layer, made of the catalogue alone."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

import gestures as do
from drawings import Layer, bring_in, chain, stored
from serving import Server

CONV: list[Layer] = [("conv", "torch.nn.Conv2d", {"in_channels": 3, "out_channels": 6, "kernel_size": 3})]


def field(page: Page, name: str) -> Locator:
    return page.locator(f"[data-parameter='{name}']")


@pytest.fixture
def conv(page: Page) -> Page:
    bring_in(page, chain(CONV, [3, 16, 16], "Convolution"))
    do.node(page, "conv").click()
    return page


def argument(page: Page, server: Server) -> dict[str, Any]:
    arguments: dict[str, Any] = stored(page, server)["blocks"]["Net"]["members"][0]["arguments"]
    return arguments


def entry(server: Server, name: str) -> dict[str, Any]:
    with server.client() as client:
        layers = client.get("/api/catalogue").json()["layers"]
    found: dict[str, Any] = next(layer for layer in layers if layer["name"] == name)
    return found


@pytest.mark.parametrize("layer", ["Conv2d", "LSTM", "TransformerEncoderLayer", "Dropout", "Embedding"])
def test_row_22_a_form_has_every_parameter_of_the_catalogue_with_its_default(
    page: Page, server: Server, layer: str
) -> None:
    bring_in(page, chain(CONV, [3, 16, 16], "Convolution"))
    do.search_palette(page, layer)
    page.locator(f"[data-palette='torch.nn.{layer}']").first.press("Enter")
    specs = entry(server, f"torch.nn.{layer}")["parameters"]
    assert specs
    for spec in specs:
        its = field(page, spec["name"])
        expect(its).to_be_visible()
        expect(its).not_to_have_attribute("data-changed", "true")
        default = spec["default"]
        if not spec["required"] and isinstance(default, int | float) and not isinstance(default, bool):
            expect(its.locator("input").first).to_have_value(re.compile(rf"^{re.escape(f'{default:g}')}"))
        if isinstance(default, bool):
            expect(its.get_by_role("switch")).to_be_checked(checked=default)


def test_row_22_a_changed_value_is_marked_and_reset_by_itself(conv: Page, server: Server) -> None:
    stride, padding = field(conv, "stride"), field(conv, "padding")
    expect(stride.get_by_role("button", name=re.compile("Reset"))).to_have_count(0)
    do.set_number(conv, "stride", 2)
    do.set_number(conv, "padding", 1)
    for it in (stride, padding):
        expect(it).to_have_attribute("data-changed", "true")
    assert argument(conv, server)["stride"] == 2
    stride.get_by_role("button", name=re.compile("^stride: Reset")).click()
    expect(stride).not_to_have_attribute("data-changed", "true")
    expect(stride.locator("input").first).to_have_value("1")
    expect(padding).to_have_attribute("data-changed", "true")
    after = argument(conv, server)
    assert "stride" not in after
    assert after["padding"] == 1


def test_row_22_it_leads_to_the_documentation_of_torch(conv: Page) -> None:
    link = conv.get_by_role("link", name="Page in the PyTorch documentation")
    expect(link).to_have_attribute("href", re.compile(r"^https://(docs\.)?pytorch\.org/docs/.*torch\.nn\.Conv2d"))
    expect(link).to_have_attribute("target", "_blank")


def test_row_22_a_size_is_one_number_or_one_for_each_axis(conv: Page, server: Server) -> None:
    kernel = field(conv, "kernel_size")
    expect(kernel.locator("input")).to_have_count(1)
    kernel.get_by_role("button", name="kernel_size: A number for each axis").click()
    expect(kernel.locator("input")).to_have_count(2)
    kernel.locator("input").nth(1).fill("5")
    kernel.locator("input").nth(1).press("Enter")
    assert argument(conv, server)["kernel_size"] == {"$tuple": [3, 5]}
    expect(conv.locator("[data-label='N×6×14×12']").first).to_be_attached()
    kernel.get_by_role("button", name="kernel_size: One number for every axis").click()
    expect(kernel.locator("input")).to_have_count(1)
    assert argument(conv, server)["kernel_size"] == 3


def test_row_22_each_parameter_has_an_initializer_with_its_arguments(conv: Page, server: Server) -> None:
    for tensor in ("weight", "bias"):
        expect(conv.get_by_test_id(f"init-{tensor}")).to_have_value("PyTorch's default")
    do.choose(conv, conv.get_by_test_id("init-weight"), "kaiming_normal_")
    its = conv.locator("[data-init='weight']")
    do.choose(conv, its.locator("[data-parameter='nonlinearity'] input").first, "'relu'")
    do.choose(conv, conv.get_by_test_id("init-bias"), "zeros_")
    statements = stored(conv, server)["blocks"]["Net"]["members"][0]["init"]
    assert {it["parameter"]: it["function"] for it in statements} == {
        "weight": "torch.nn.init.kaiming_normal_",
        "bias": "torch.nn.init.zeros_",
    }
    do.choose(conv, conv.get_by_test_id("init-bias"), "PyTorch's default")
    statements = stored(conv, server)["blocks"]["Net"]["members"][0]["init"]
    assert [it["parameter"] for it in statements] == ["weight"]


def test_row_22_a_renamed_item_of_a_box_keeps_the_keyboard(page: Page) -> None:
    items: list[Layer] = [("first", "torch.nn.Flatten", {}), ("second", "torch.nn.ReLU", {})]
    bring_in(page, chain(items, [8], "Named"))
    do.node(page, "first").click()
    do.node(page, "second").click(modifiers=["Shift"])
    page.keyboard.press("Control+g")
    page.get_by_label("Keep the names of the layers").check()
    page.get_by_test_id("group-apply").click()
    page.locator("[data-row-of]").filter(has_text="ReLU").first.click()
    name = page.get_by_test_id("member-name")
    expect(name).to_have_value("second")
    do.rename(page, "act")
    expect(name).to_have_value("act")
    expect(name).to_be_focused()
