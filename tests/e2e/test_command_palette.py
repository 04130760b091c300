"""The command palette: what it offers before anything is typed, and what it puts first after."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

import gestures as do
from drawings import MLP, bring_in, chain, mlp

FIRST = chain([("linear", *MLP[0][1:]), ("relu", *MLP[1][1:]), ("head", *MLP[2][1:])], [8], "Named")


def opened(page: Page) -> Locator:
    page.keyboard.press("Control+k")
    palette = page.get_by_test_id("command-palette")
    expect(palette.get_by_role("combobox")).to_be_focused()
    return palette


def typed(palette: Locator, query: str) -> list[str]:
    """Ids of what is found, in order."""
    palette.get_by_role("combobox").fill(query)
    return [option.get_attribute("data-choice") or "" for option in palette.get_by_role("option").all()]


def take(palette: Locator, choice: str) -> None:
    palette.locator(f"[data-choice='{choice}']").click()


def test_it_leads_to_the_other_pages(page: Page) -> None:
    bring_in(page, mlp())
    for choice, address in (("page-runs", "/runs"), ("page-data", "/data")):
        take(opened(page), choice)
        expect(page).to_have_url(re.compile(f"{address}$"))
        page.go_back()
        expect(do.node(page, "first")).to_be_visible()


def test_it_switches_language_and_theme(page: Page) -> None:
    bring_in(page, mlp())
    palette = opened(page)
    assert "language-en" not in typed(palette, "")
    assert "theme-auto" not in typed(palette, "")
    assert typed(palette, "中文") == ["language-zh"]
    assert typed(palette, "chinese") == ["language-zh"]
    palette.get_by_role("combobox").press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
    take(opened(page), "theme-dark")
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", "dark")
    assert typed(opened(page), "english") == ["language-en"]
    page.get_by_role("combobox").press("Enter")
    expect(page.locator("html")).to_have_attribute("lang", "en")


@pytest.mark.parametrize("how", ["Enter", "click"])
def test_find_lists_the_nodes_and_leads_to_one(page: Page, how: str) -> None:
    bring_in(page, FIRST)
    palette = opened(page)
    if how == "click":
        take(palette, "find")
    else:
        assert typed(palette, "find")[0] == "find"
        palette.get_by_role("combobox").press("Enter")
    field = palette.get_by_role("combobox")
    expect(field).to_be_focused()
    for name in ("linear", "relu", "head"):
        expect(palette.get_by_role("option", name=f"Go to {name}")).to_be_visible()
    page.keyboard.type("hea")
    expect(palette.get_by_role("option").first).to_contain_text("Go to head")
    page.keyboard.press("Enter")
    expect(palette).to_have_count(0)
    expect(page.locator("[data-node-id][data-selected]")).to_have_attribute("data-member", "head")


def test_whole_names_come_first_then_beginnings(page: Page) -> None:
    bring_in(page, FIRST)
    palette = opened(page)
    found = typed(palette, "Linear")
    assert found[:3] == ["go-linear", "add-torch.nn.Linear", "add-torch.nn.functional.linear"]
    assert not {"add-torch.lu", "add-torch.mm"} & set(found)
    page.keyboard.press("Escape")
    do.node(page, "relu").click()
    found = typed(opened(page), "re")
    assert found[:2] == ["repeat", "go-relu"]
    assert found[2].startswith("add-torch")
    found = typed(page.get_by_test_id("command-palette"), "all")
    # A word of the label begins so, and “Call again” has it inside.
    assert found.index("selectAll") < found.index("callAgain")


def test_the_layer_palette_puts_the_name_first_and_leaves_out_what_is_remote(page: Page) -> None:
    items = page.get_by_test_id("palette").locator("[data-palette]")
    do.search_palette(page, "Linear")
    expect(items.first).to_have_attribute("data-palette", "torch.nn.Linear")
    expect(page.locator("[data-palette='torch.mm']")).to_have_count(0)
    do.search_palette(page, "全连接")
    expect(items).to_have_count(1)
    expect(items.first).to_have_attribute("data-palette", "torch.nn.Linear")
    do.search_palette(page, "卷积")
    expect(items.nth(1)).to_have_attribute("data-palette", "torch.nn.Conv2d")
