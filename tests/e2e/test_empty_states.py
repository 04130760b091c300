"""Where there is nothing yet, the page says what belongs there and what to do next, and that works."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

import gestures as do
from drawings import bring_in, mlp
from serving import Server, serving

CHINESE = re.compile(r"[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server of its own, on which nothing was ever made."""
    with serving(tmp_path_factory.mktemp("nothing")) as running:
        running.warm()
        yield running


@pytest.fixture(params=["en-US", "zh-CN"])
def page(chromium: Browser, server: Server, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A signed-in page of each language."""
    with chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale=request.param, base_url=server.url, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        do.sign_in(page, server)
        expect(page.locator("[data-edge][data-label^='N×']").first).to_be_visible()
        yield page


def chinese(page: Page) -> bool:
    return page.locator("html").get_attribute("lang") == "zh-Hans"


def teaches(region: Locator, english: str) -> None:
    """It says what belongs there, in the page's language."""
    expect(region).to_contain_text(CHINESE if chinese(region.page) else english)


def empty_network(page: Page) -> None:
    page.get_by_test_id("project-menu").click()
    page.get_by_role("menuitem", name=re.compile("^(New|新建)")).first.click()
    expect(page.get_by_test_id("empty-hint")).to_be_visible()


def open_tab(page: Page, name: str) -> Locator:
    page.locator(f"[data-tab='{name}']").click()
    return page.get_by_role("tabpanel")


def cleared(region: Locator, field: Locator) -> None:
    """A search that found nothing says so, and one press leads back to everything, with the field to type into."""
    field.fill("zzzz qqqq")
    nothing = region.get_by_test_id("no-hits")
    expect(nothing.get_by_role("status")).not_to_be_empty()
    assert not chinese(region.page) or CHINESE.search(nothing.inner_text())
    nothing.get_by_role("button").click()
    expect(nothing).to_have_count(0)
    expect(field).to_have_value("")
    expect(field).to_be_focused()


def test_an_empty_network_says_how_to_begin(page: Page) -> None:
    empty_network(page)
    teaches(page.get_by_test_id("empty-hint"), "Drag a layer from the left, or press /")
    page.keyboard.press("/")
    expect(page.get_by_test_id("quick-add-search")).to_be_visible()


def test_searches_that_find_nothing_lead_back(page: Page) -> None:
    palette = page.get_by_test_id("palette")
    cleared(palette, palette.locator("input").first)
    page.get_by_test_id("canvas").focus()
    page.keyboard.press("/")
    quick = page.get_by_test_id("quick-add-search")
    cleared(quick, quick.get_by_role("combobox"))
    page.keyboard.press("Escape")
    page.keyboard.press("Control+k")
    palette = page.get_by_test_id("command-palette")
    cleared(palette, palette.get_by_role("combobox"))


# What follows is ordered: networks and runs come last.
def test_open_shows_where_to_begin_while_nothing_is_saved(page: Page) -> None:
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    dialog = page.get_by_test_id("open-dialog")
    dialog.get_by_role("tab").nth(0).click()
    panel = dialog.get_by_role("tabpanel")
    teaches(panel, "A network is saved by itself as soon as you change something")
    panel.get_by_role("button").click()
    expect(dialog.locator("[data-example]").first).to_be_visible()
    cleared(dialog, dialog.get_by_role("textbox").first)
    dialog.get_by_role("tab").nth(2).click()
    field = dialog.get_by_role("textbox").first
    field.fill("zzzz qqqq")
    teaches(dialog.get_by_test_id("library"), "No network of torchvision is listed as")
    dialog.get_by_test_id("library").get_by_role("button").click()
    expect(dialog.locator("[data-library]").first).to_be_visible()
    expect(field).to_be_focused()


def test_versions_say_when_the_first_one_comes(page: Page) -> None:
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("versions").click()
    teaches(page.get_by_role("dialog"), "The first one comes with your first change.")


def test_pages_without_runs_lead_to_where_runs_come_from(page: Page) -> None:
    page.goto("/compare")
    main = page.get_by_role("main")
    teaches(main, "Tick runs in the table of runs, then press Compare.")
    compared = main.get_by_role("heading").inner_text()
    main.get_by_role("link").click()
    expect(page).to_have_url(re.compile("/runs$"))
    # The address is there before the page: until its code has come, the page before it is shown.
    expect(main.get_by_role("heading")).not_to_have_text(compared)
    teaches(main, "press Train: its curves appear here")
    main.get_by_role("link").click()
    expect(page.locator("[data-node-id]").first).to_be_visible()
    page.goto("/data?set=nowhere")
    teaches(main, "drop a file above the list")


def test_panels_of_an_empty_or_broken_network_lead_on(page: Page) -> None:
    teaches(open_tab(page, "problems"), "press Train to see it learn")
    empty_network(page)
    panel = open_tab(page, "shapes")
    teaches(panel, "The shapes that go into each layer and come out of it stand here")
    panel.get_by_role("button").click()
    expect(page.get_by_test_id("quick-add-search")).to_be_visible()
    page.keyboard.press("Escape")
    document = mlp("Broken")
    document["blocks"]["Net"]["members"][2]["arguments"]["in_features"] = 7
    bring_in(page, document)
    for tab, english in (("code", "There is no code yet"), ("lab", "Nothing to measure yet")):
        panel = open_tab(page, tab)
        teaches(panel, english)
        panel.get_by_role("button").click()
        expect(page.locator("[data-tab='problems']")).to_have_attribute("aria-selected", "true")
        expect(page.locator("[data-code='shape_mismatch']")).to_be_visible()


def test_searches_in_runs_that_find_nothing_lead_back(chromium: Browser, server: Server) -> None:
    """After all others, which need a server without runs."""
    run = do.train_quickly(server)
    for locale in ("en-US", "zh-CN"):
        with chromium.new_context(locale=locale, base_url=server.url) as context:
            page = context.new_page()
            do.sign_in(page, server)
            page.goto("/runs")
            expect(page.locator(f"[data-run='{run}']")).to_be_visible()
            main = page.get_by_role("main")
            cleared(main, main.get_by_role("textbox").first)
            page.goto(f"/runs/{run}")
            for name in (re.compile("^(Log|日志)"), re.compile("^(Parameters|参数)")):
                page.get_by_role("tab", name=name).click()
                # By its name: the panel before it has a search, too, and stays until this one is drawn.
                panel = page.get_by_role("tabpanel", name=name)
                cleared(panel, panel.get_by_role("textbox"))
