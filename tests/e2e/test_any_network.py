"""Any network comes back as it was saved: from the store; and from the page by a save, a reload, an export, an import.

Of the 200 that the store is given, ``make test`` takes 25 through the page, each by the file picker, the button that
saves, the browser's reload, the download and the picker again; ``make endure`` takes all of them.
"""

from __future__ import annotations

import json
import os
from functools import cache
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from playwright.sync_api import Page, expect

from layerloom.schema.document import Document
from serving import Server
from unit.graph.checking.arbitrary import documents
from waiting import wait_for

Json = dict[str, Any]
ANY = 200
THROUGH_THE_PAGE = int(os.environ.get("LAYERLOOM_THROUGH_THE_PAGE", "25"))


@cache
def drawn() -> list[Json]:
    """The same networks wherever this runs, named by their number."""
    found: list[Json] = []

    @settings(
        max_examples=ANY,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
        phases=[Phase.generate],
    )
    @given(documents())
    def draw(document: Json) -> None:
        named = {**document, "name": f"Network {len(found)}", "ui": {"blocks": drawing(document)}}
        found.append(whole(named))

    draw()
    assert len(found) == ANY
    return found


def drawing(document: Json) -> Json:
    """Places for everything, or else the page gives them some."""
    found: Json = {}
    for name, block in document["blocks"].items():
        inputs = [f"input:{item['name']}" for item in block["forward"]["inputs"]]
        ids = [*inputs, *(node["id"] for node in block["forward"]["nodes"]), "output"]
        found[name] = {"positions": {id: {"x": 0, "y": 120 * row} for row, id in enumerate(ids)}}
    return found


def whole(document: Json) -> Json:
    """A document with everything that it may leave out."""
    parsed: Json = Document.model_validate_json(json.dumps(document)).model_dump(mode="json", by_alias=True)
    return parsed


def test_what_is_saved_comes_back_from_the_store(server: Server) -> None:
    with server.client() as client:
        for document in drawn():
            made = client.post("/api/networks", json={"document": document, "name": document["name"]})
            address = f"/api/networks/{made.raise_for_status().json()['id']}"
            stored = client.get(address).raise_for_status()
            assert stored.json()["document"] == document
            new = {"document": stored.json()["document"], "name": document["name"]}
            client.put(address, json=new, headers={"If-Match": stored.headers["etag"]}).raise_for_status()
            assert client.get(address).json()["document"] == document
            client.delete(address).raise_for_status()


@pytest.mark.timeout(60 + 30 * THROUGH_THE_PAGE)
def test_what_the_page_opens_is_what_it_exports(quick_page: Page, server: Server) -> None:
    with server.client() as client:
        stored: Json = {"id": ""}
        for document in drawn()[:: ANY // THROUGH_THE_PAGE]:
            opened(quick_page, json.dumps(document), document["name"])
            stored = saved(quick_page, client, stored)
            assert stored["document"] == document
            quick_page.reload()
            again = exported(quick_page, document["name"])
            assert whole(json.loads(again)) == document
            opened(quick_page, again, document["name"])
            stored = saved(quick_page, client, stored)
            assert stored["document"] == document


def opened(page: Page, text: str, name: str) -> None:
    """Import a network from a file."""
    picker = page.get_by_test_id("import-file")
    picker.set_input_files({"name": "network.json", "mimeType": "application/json", "buffer": text.encode()})
    expect(page.get_by_test_id("project-menu")).to_have_text(name)


def saved(page: Page, client: httpx.Client, before: Json) -> Json:
    """What the store has got since the network ``before``. The page would save by itself, but wait a while."""
    button = page.get_by_test_id("saved")
    button.click()
    wait_for(lambda: newest(client) != before["id"], "the page saves what it has opened")
    expect(button).to_have_attribute("data-state", "saved")
    network: Json = client.get(f"/api/networks/{newest(client)}").raise_for_status().json()
    return network


def newest(client: httpx.Client) -> str:
    found = client.get("/api/networks", params={"limit": 1}).raise_for_status().json()
    return str(found[0]["id"]) if found else ""


def exported(page: Page, name: str) -> str:
    """What the page holds under this name, as it writes it into a file."""
    menu = page.get_by_test_id("project-menu")
    expect(menu).to_have_text(name)
    menu.click()
    page.get_by_test_id("export").click()
    row = page.get_by_test_id("export-dialog").locator("[data-format='layerloom']")
    with page.expect_download() as waiting:
        row.get_by_role("button", name="Download").click()
    text = waiting.value.path().read_text(encoding="utf-8")
    page.keyboard.press("Escape")
    return text
