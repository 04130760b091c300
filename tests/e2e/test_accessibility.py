"""axe finds nothing serious on any page, dialog or menu, in light and dark."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from axe import serious
from gestures import sign_in, train_quickly
from serving import Server


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    """A finished run to look at."""
    return train_quickly(server)


def editor(page: Page, _run: str) -> None:
    page.goto("/")
    expect(page.locator("[data-label^='N×']").first).to_be_visible()


def inspector(page: Page, run: str) -> None:
    editor(page, run)
    page.locator("[data-node-id][data-member]").last.click()


def problems(page: Page, run: str) -> None:
    editor(page, run)
    page.get_by_role("tab", name="Shapes").or_(page.get_by_role("button", name="Shapes")).first.click()


def train_dialog(page: Page, run: str) -> None:
    editor(page, run)
    page.get_by_test_id("train").click()
    expect(page.get_by_test_id("start-run")).to_be_visible()


def rate_search(page: Page, run: str) -> None:
    train_dialog(page, run)
    page.get_by_test_id("find-rate").click()
    expect(page.get_by_test_id("suggested-rate")).to_be_visible(timeout=120_000)


def open_dialog(page: Page, run: str) -> None:
    editor(page, run)
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.get_by_role("tab", name="Examples").click()
    expect(page.locator("[data-example='lenet5']")).to_be_visible()


def export_dialog(page: Page, run: str) -> None:
    editor(page, run)
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("export").click()
    expect(page.locator("[data-format='python']")).to_be_visible()


def run_page(page: Page, run: str) -> None:
    page.goto(f"/runs/{run}")
    expect(page.locator("[data-state='succeeded']")).to_be_visible()


def parameters(page: Page, run: str) -> None:
    run_page(page, run)
    page.get_by_role("tab", name="Parameters").click()


def downloads(page: Page, run: str) -> None:
    run_page(page, run)
    page.get_by_role("button", name="Download").click()
    expect(page.get_by_role("menuitem").first).to_be_visible()


def checkpoints(page: Page, run: str) -> None:
    run_page(page, run)
    page.get_by_role("tab", name="Checkpoints").click()
    expect(page.get_by_role("button", name="Other formats").first).to_be_visible()


def runs_page(page: Page, _run: str) -> None:
    page.goto("/runs")
    expect(page.locator("[data-state='succeeded']").first).to_be_visible()


def data_page(page: Page, _run: str) -> None:
    page.goto("/data")
    expect(page.get_by_text("Digits").first).to_be_visible()


PLACES = [
    editor,
    inspector,
    problems,
    train_dialog,
    rate_search,
    open_dialog,
    export_dialog,
    run_page,
    parameters,
    downloads,
    checkpoints,
    runs_page,
    data_page,
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_nothing_serious(place: Callable[[Page, str], None], chromium: Browser, server: Server, run: str) -> None:
    with chromium.new_context(color_scheme="light", locale="en-US", base_url=server.url) as context:
        page = context.new_page()
        sign_in(page, server)
        place(page, run)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            expect(page.locator("html")).to_have_attribute("data-mantine-color-scheme", scheme)
            assert serious(page) == [], scheme


def test_axe_finds_what_is_wrong(chromium: Browser) -> None:
    page = chromium.new_page()
    page.set_content("<html lang='en'><title>t</title><main><button></button><img src='x.png'></main></html>")
    assert len(serious(page)) == 2
    page.close()
