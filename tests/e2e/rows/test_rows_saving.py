"""Rows 14 and 15: whatever happens to the page, another tab or the service, nothing is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect
from playwright.sync_api import Error as PlaywrightError

import gestures as do
from drawings import bring_in, mlp, stored
from serving import Server, serving
from waiting import wait_for

NOT_SAVED = "**/api/networks**"


def saved(page: Page) -> Locator:
    return page.get_by_test_id("saved")


def expect_saved(page: Page) -> None:
    expect(saved(page)).to_have_attribute("data-state", "saved")


def rename_first(page: Page, name: str, old: str = "first") -> None:
    do.node(page, old).click()
    do.rename(page, name)
    expect(do.node(page, name)).to_be_visible()


def refuse_saves(page: Page) -> None:
    """The service is not reached by what would change something there."""
    page.route(NOT_SAVED, lambda route: route.abort() if route.request.method != "GET" else route.fallback())


def let_saves_through(page: Page) -> None:
    page.unroute(NOT_SAVED)
    saved(page).click()
    expect_saved(page)


def second_tab(page: Page) -> Page:
    """Another tab of the same browser, on the same network."""
    tab = page.context.new_page()
    tab.goto("/")
    expect(tab.locator("[data-node-id='output']")).to_be_visible()
    return tab


def names(document: dict[str, Any]) -> list[str]:
    return [member["name"] for member in document["blocks"]["Net"]["members"]]


def test_row_14_a_reload_finds_what_the_service_has(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    rename_first(page, "stem")
    before = stored(page, server)
    page.evaluate("localStorage.clear(); sessionStorage.clear()")
    page.goto("/")
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.locator("[data-network]").first.click()
    expect(do.node(page, "stem")).to_be_visible()
    assert stored(page, server) == before


def test_row_14_a_reload_finds_what_only_this_browser_has(page: Page, server: Server, errors: Any) -> None:
    bring_in(page, mlp())
    expect_saved(page)
    refuse_saves(page)
    rename_first(page, "stem")
    expect(saved(page)).to_have_attribute("data-state", "failed")
    page.reload()
    expect(do.node(page, "stem")).to_be_visible()
    let_saves_through(page)
    assert names(stored(page, server)) == ["stem", "act", "second"]
    errors.expect("ERR_FAILED")


def test_row_14_a_crashed_tab_is_found_again(page: Page, server: Server, errors: Any) -> None:
    bring_in(page, mlp())
    expect_saved(page)
    refuse_saves(page)
    rename_first(page, "stem")
    # The draft is written a moment after the edit; a crash tells nobody.
    wait_for(lambda: "stem" in page.evaluate("JSON.stringify(localStorage)"))
    with page.expect_event("crash"), pytest.raises(PlaywrightError):
        page.goto("chrome://crash")
    tab = second_tab(page)
    expect(do.node(tab, "stem")).to_be_visible()
    assert names(stored(tab, server)) == ["stem", "act", "second"]
    # Whether a refused save was logged before the crash is chance.
    errors.clear()


@pytest.mark.parametrize("choice", ["mine", "theirs", "apart"])
def test_row_14_two_tabs_lose_nothing_and_a_conflict_offers_both(
    page: Page, server: Server, errors: Any, choice: str
) -> None:
    bring_in(page, mlp(f"Both {choice}"))
    rename_first(page, "stem")
    expect_saved(page)
    tab = second_tab(page)
    rename_first(tab, "theirs", "second")
    expect_saved(tab)
    rename_first(page, "mine", "act")
    dialog = page.get_by_role("dialog", name="This network was changed elsewhere")
    expect(dialog).to_be_visible()
    # It is no dialog that one leaves by accident.
    page.keyboard.press("Escape")
    buttons = {
        "mine": dialog.get_by_role("button", name="Save mine over it"),
        "theirs": dialog.get_by_role("button", name=re.compile("Take the newer version")),
        "apart": dialog.get_by_role("button", name="Keep mine as a separate network"),
    }
    buttons[choice].click()
    expect(dialog).to_have_count(0)
    mine, theirs = ["stem", "mine", "second"], ["stem", "act", "theirs"]
    assert names(stored(page, server)) == (theirs if choice == "theirs" else mine)
    with server.client() as client:
        kept = [row for row in client.get("/api/networks").json() if row["name"] == f"Both {choice}"]
        found = [names(client.get(f"/api/networks/{row['id']}").json()["document"]) for row in kept]
        history = client.get(f"/api/networks/{kept[-1]['id']}/revisions").json()
        all_ever = [
            names(client.get(f"/api/networks/{kept[-1]['id']}/revisions/{row['revision']}").json()["document"])
            for row in history
        ]
    assert len(found) == (2 if choice == "apart" else 1)
    # What was saved and then saved over is still among the versions.
    assert theirs in all_ever
    assert (mine in found) == (choice != "theirs")
    errors.expect("412")


def test_row_14_two_tabs_draw_two_networks_apart(page: Page, server: Server) -> None:
    bring_in(page, mlp("One"))
    tab = second_tab(page)
    bring_in(tab, mlp("Other"))
    rename_first(page, "stem")
    rename_first(tab, "head", "second")
    expect_saved(page)
    expect_saved(tab)
    for it, name in ((page, "stem"), (tab, "head")):
        it.reload()
        expect(do.node(it, name)).to_be_visible()


def test_row_14_a_reload_in_the_middle_of_a_drag_loses_only_the_drag(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    rename_first(page, "stem")
    before = stored(page, server)
    x, y = do.centre(do.node(page, "stem"))
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 150, y + 40, steps=6)
    page.reload()
    page.mouse.up()
    expect(do.node(page, "stem")).to_be_visible()
    assert stored(page, server) == before
    # And the page is as usable as ever.
    rename_first(page, "again", "stem")
    assert names(stored(page, server)) == ["again", "act", "second"]


FILL = """() => {
  let size = 1 << 20
  for (let n = 0; size > 0; ) {
    try { localStorage.setItem('filler' + n, 'x'.repeat(size)); n += 1 } catch { size >>= 1 }
  }
}"""


def test_row_14_a_full_browser_saves_at_the_service_and_says_when_neither_takes_it(
    page: Page, server: Server, errors: Any
) -> None:
    bring_in(page, mlp())
    expect_saved(page)
    page.evaluate(FILL)
    rename_first(page, "stem")
    assert names(stored(page, server)) == ["stem", "act", "second"]
    refuse_saves(page)
    rename_first(page, "other", "stem")
    expect(saved(page)).to_have_attribute("data-kept", "false")
    expect(page.get_by_text("This browser has no room for your changes")).to_be_visible()
    # A reload asks first, and another network is not opened over this one.
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.dismiss()))
    page.evaluate("setTimeout(() => location.reload())")
    wait_for(lambda: page.evaluate("1") and asked)
    assert asked == ["beforeunload"]
    page.get_by_test_id("project-menu").click()
    page.get_by_role("menuitem", name="New").click()
    expect(page.get_by_text("so it stays open")).to_be_visible()
    expect(do.node(page, "other")).to_be_visible()
    let_saves_through(page)
    assert names(stored(page, server)) == ["other", "act", "second"]
    errors.expect("ERR_FAILED")


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    with serving(tmp_path / "home") as running:
        running.warm()
        yield running


@pytest.fixture
def browser(chromium: Browser, own_server: Server) -> Iterator[BrowserContext]:
    with chromium.new_context(base_url=own_server.url, viewport={"width": 1440, "height": 900}) as context:
        yield context


def test_row_14_a_killed_service_takes_up_what_was_drawn_meanwhile(browser: BrowserContext, own_server: Server) -> None:
    page = browser.new_page()
    do.sign_in(page, own_server)
    bring_in(page, mlp())
    rename_first(page, "stem")
    expect_saved(page)
    port = int(own_server.url.rpartition(":")[2])
    own_server.kill()
    rename_first(page, "head", "second")
    expect(saved(page)).to_have_attribute("data-state", "failed")
    tab = browser.new_page()
    page.close()
    own_server.start(port)
    own_server.warm()
    # Not the tab that drew it, but the draft that it left.
    tab.goto("/")
    expect(do.node(tab, "head")).to_be_visible()
    assert names(stored(tab, own_server)) == ["stem", "act", "head"]


def test_row_14_an_open_page_saves_by_itself_when_the_service_is_back(
    browser: BrowserContext, own_server: Server
) -> None:
    page = browser.new_page()
    do.sign_in(page, own_server)
    bring_in(page, mlp())
    rename_first(page, "stem")
    expect_saved(page)
    port = int(own_server.url.rpartition(":")[2])
    own_server.kill()
    rename_first(page, "head", "second")
    expect(saved(page)).to_have_attribute("data-state", "failed")
    own_server.start(port)
    assert names(stored(page, own_server)) == ["stem", "act", "head"]


def test_row_15_what_was_never_loaded_replaces_nothing(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    rename_first(page, "stem")
    before = stored(page, server)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if "/api/networks" in request.url else None)
    # It is never answered.
    page.route("**/api/networks/*", lambda _: None)
    with page.expect_request("**/api/networks/*"):
        page.reload()
    # Whoever does not wait presses keys, and leaves; nothing of an empty page is sent.
    page.keyboard.press("Control+z")
    page.keyboard.press("Delete")
    page.goto("/runs")
    page.goto("/")
    page.unroute("**/api/networks/*")
    page.reload()
    expect(do.node(page, "stem")).to_be_visible()
    assert stored(page, server) == before
    assert set(sent) == {"GET"}


def test_row_15_a_draft_that_cannot_be_read_replaces_nothing(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    rename_first(page, "stem")
    before = stored(page, server)
    page.evaluate(
        "for (const key of Object.keys(localStorage)) if (key.startsWith('layerloom.draft')) localStorage[key] = '{'"
    )
    # The page would write its draft anew on leaving.
    page.add_init_script("window.addEventListener('pagehide', (event) => event.stopImmediatePropagation(), true)")
    page.reload()
    expect(page.locator("[data-node-id='output']")).to_be_visible()
    expect_saved(page)
    with server.client() as client:
        newest = client.get("/api/networks").json()[0]
        assert client.get(f"/api/networks/{newest['id']}").json()["document"] == before


def open_versions(page: Page) -> Locator:
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("versions").click()
    dialog = page.get_by_role("dialog", name="Versions")
    expect(dialog).to_be_visible()
    return dialog


def test_row_15_a_named_version_undoes_any_autosave(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    expect_saved(page)
    dialog = open_versions(page)
    dialog.get_by_label("Name this version").fill("before the mess")
    page.keyboard.press("Enter")
    named = dialog.get_by_role("listitem").filter(has=page.get_by_label("Name of before the mess"))
    expect(named).to_contain_text("open now")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    before = stored(page, server)

    page.get_by_test_id("canvas").press("Control+a")
    page.keyboard.press("Delete")
    expect(do.node(page, "first")).to_have_count(0)
    assert names(stored(page, server)) == []
    # Not even the history of undo is left.
    page.reload()
    expect(page.locator("[data-node-id='output']")).to_be_visible()
    expect(do.node(page, "first")).to_have_count(0)

    dialog = open_versions(page)
    dialog.get_by_label("Named only").check()
    expect(dialog.get_by_role("listitem")).to_have_count(1)
    named.get_by_role("button", name="Go back to it").click()
    expect(do.node(page, "first")).to_be_visible()
    assert stored(page, server) == before
    # Going back is a step like any other.
    expect(page.get_by_test_id("undo")).to_have_accessible_name("Undo: Go back to before the mess")
    page.get_by_test_id("canvas").press("Control+z")
    expect(do.node(page, "first")).to_have_count(0)


def test_row_15_any_autosave_is_in_the_list_and_can_be_named_later(page: Page, server: Server) -> None:
    bring_in(page, mlp())
    expect_saved(page)
    for name in ("stem", "trunk"):
        rename_first(page, name, {"stem": "first", "trunk": "stem"}[name])
        stored(page, server)
    dialog = open_versions(page)
    rows = dialog.get_by_role("listitem")
    expect(rows).to_have_count(3)
    stem = rows.nth(1)
    stem.get_by_role("textbox").fill("with a stem")
    page.keyboard.press("Enter")
    expect(stem.get_by_role("textbox")).to_have_accessible_name("Name of with a stem")
    stem.get_by_role("textbox").fill("given up")
    page.keyboard.press("Escape")
    expect(stem.get_by_role("textbox")).to_have_value("with a stem")
    stem.get_by_role("button", name="Go back to it").click()
    expect(do.node(page, "stem")).to_be_visible()
    dialog = open_versions(page)
    expect(dialog.get_by_role("listitem")).to_have_count(4)
    dialog.get_by_role("listitem").nth(1).get_by_role("button", name="Go back to it").click()
    expect(do.node(page, "trunk")).to_be_visible()
