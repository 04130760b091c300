"""Rows 26, 27 and 28: colours, languages, and the code beside the graph."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from playwright.sync_api import Page, expect

import gestures as do
from axe import serious
from drawings import bring_in, mlp
from waiting import wait_for

# --- 26: light, dark, system ---


def choose_theme(page: Page, name: str) -> None:
    page.get_by_test_id("theme").click()
    page.get_by_role("menuitem", name=name).click()


def expect_scheme(page: Page, scheme: str) -> None:
    expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)


def luminance(page: Page) -> float:
    """Of what the page is painted with, 0 to 255."""
    colour = page.evaluate(
        "[document.body, document.documentElement].map((it) => getComputedStyle(it).backgroundColor)"
        ".find((it) => it !== 'rgba(0, 0, 0, 0)') ?? getComputedStyle(document.documentElement).colorScheme"
    )
    found = re.findall(r"[\d.]+", colour)
    return sum(map(float, found[:3])) / 3 if found else {"dark": 0.0}.get(colour, 255.0)


def test_row_26_light_dark_and_the_systems_choice(page: Page) -> None:
    for name, scheme in (("Dark", "dark"), ("Light", "light")):
        choose_theme(page, name)
        expect_scheme(page, scheme)
        for system in ("light", "dark"):
            page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
            expect_scheme(page, scheme)
        page.reload()
        expect_scheme(page, scheme)
    choose_theme(page, "System")
    for system in ("dark", "light", "dark"):
        page.emulate_media(color_scheme=system)  # type: ignore[arg-type]
        expect_scheme(page, system)
    page.reload()
    expect_scheme(page, "dark")


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_row_26_nothing_of_the_other_colours_is_ever_painted(page: Page, scheme: str) -> None:
    """Before any of the program runs: the system says one thing, the person has chosen the other."""
    choose_theme(page, scheme.capitalize())
    page.emulate_media(color_scheme="light" if scheme == "dark" else "dark")
    page.route(re.compile(r"/assets/.*\.js"), lambda route: None)
    page.reload(wait_until="commit")
    page.wait_for_selector("#root", state="attached")
    # Nothing is painted until the sheets of the head are there.
    sheets = page.locator("head link[rel=stylesheet]")
    wait_for(lambda: sheets.evaluate_all("(all) => all.length > 0 && all.every((it) => it.sheet)"), "the style sheets")
    expect_scheme(page, scheme)
    assert (luminance(page) < 64) == (scheme == "dark")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_row_26_texts_have_contrast_in_both(page: Page, scheme: str) -> None:
    bring_in(page, mlp())
    do.node(page, "first").click()
    page.locator("[data-tab='code']").click()
    expect(page.get_by_test_id("python")).to_contain_text("class Net")
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    expect_scheme(page, scheme)
    assert [found for found in serious(page) if "contrast" in found] == []


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_row_26_the_overview_takes_its_colours_from_the_page(page: Page, motion: str) -> None:
    """It is a picture, and looks its colours up: where motion is reduced, it once got the text's for all of them."""
    page.emulate_media(color_scheme="dark", reduced_motion=motion)  # type: ignore[arg-type]
    page.reload()
    bring_in(page, mlp())
    shown = page.get_by_test_id("overview")
    expect(shown).to_have_attribute("data-nodes", "5")
    seen = """(canvas) => {
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height)
      const known = new Set()
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 3] === 255) known.add(`rgb(${data[at]}, ${data[at + 1]}, ${data[at + 2]})`)
      const colour = (name) => {
        const probe = document.body.appendChild(document.createElement("i"))
        probe.style.setProperty("transition", "none", "important")
        probe.style.color = name
        const found = getComputedStyle(probe).color
        probe.remove()
        return found
      }
      return { nodes: known.has(colour("var(--ll-line-strong)")), text: known.has(getComputedStyle(canvas).color) }
    }"""
    wait_for(lambda: shown.evaluate(seen) == {"nodes": True, "text": False}, "the overview in the colours of the page")


# --- 27: languages ---


def in_chinese(page: Page) -> None:
    page.get_by_test_id("language").click()
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")


def test_row_27_the_language_is_switched_without_a_reload(page: Page) -> None:
    bring_in(page, mlp())
    do.node(page, "first").click()
    page.evaluate("window.sameAsBefore = true")
    expect(page.get_by_test_id("train")).to_have_text("Train")
    in_chinese(page)
    expect(page.get_by_test_id("train")).to_have_text("训练")
    expect(page.get_by_label("属性名")).to_have_value("first")
    assert page.evaluate("window.sameAsBefore")
    page.reload()
    expect(page.get_by_test_id("train")).to_have_text("训练")
    page.get_by_test_id("language").click()
    expect(page.get_by_test_id("train")).to_have_text("Train")


@pytest.mark.parametrize(
    ("query", "wanted", "other"),
    [("卷积", "torch.nn.Conv2d", "torch.nn.Linear"), ("归一化", "torch.nn.BatchNorm2d", "torch.nn.Conv2d")],
)
@pytest.mark.parametrize("language", ["en", "zh"])
def test_row_27_a_search_matches_chinese_names(page: Page, language: str, query: str, wanted: str, other: str) -> None:
    search = page.get_by_label("Search layers and operations")
    if language == "zh":
        in_chinese(page)
        search = page.get_by_label("搜索层和运算")
    search.fill(query)
    expect(page.locator(f"[data-palette='{wanted}']")).to_be_visible()
    expect(page.locator(f"[data-palette='{other}']")).to_have_count(0)


# --- 28: code ---


def code(page: Page) -> Any:
    page.locator("[data-tab='code']").click()
    return page.get_by_test_id("python")


def test_row_28_the_code_follows_the_graph(page: Page) -> None:
    bring_in(page, mlp())
    python = code(page)
    expect(python).to_contain_text("class Net(nn.Module):")
    expect(python).to_contain_text("self.first = nn.Linear(8, 16)")
    do.node(page, "first").click()
    do.rename(page, "stem")
    expect(python).to_contain_text("self.stem = nn.Linear(8, 16)")
    page.get_by_test_id("undo").click()
    expect(python).to_contain_text("self.first = nn.Linear(8, 16)")


def module(source: str) -> torch.nn.Module:
    """What the source means to plain torch."""
    space: dict[str, Any] = {}
    exec(source, space)
    net: torch.nn.Module = space["Net"]()
    return net


def test_row_28_the_code_is_copied_and_downloaded(page: Page, tmp_path: Path) -> None:
    bring_in(page, mlp())
    expect(code(page)).to_contain_text("class Net")
    panel = page.get_by_role("tabpanel").filter(has=page.get_by_test_id("python"))
    panel.get_by_role("button", name="Copy").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    copied: str = page.evaluate("navigator.clipboard.readText()")
    with page.expect_download() as download:
        panel.get_by_role("button", name="Download").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.suffix == ".py"
    assert path.read_text() == copied
    net = module(copied)
    assert list(net.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]
    assert net(torch.zeros(2, 8)).shape == (2, 4)
