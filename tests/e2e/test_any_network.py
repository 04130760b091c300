"""Any network comes back as it was saved: from the store; and from the page by a reload, an export and an import."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from playwright.sync_api import Page, expect

from layerloom.schema.document import Document
from serving import Server
from unit.graph.checking.arbitrary import documents

Json = dict[str, Any]
ANY = 200
THROUGH_THE_PAGE = 20


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


def test_what_the_page_opens_is_what_it_exports(page: Page, tmp_path: Path) -> None:
    step = ANY // THROUGH_THE_PAGE
    for document in drawn()[::step]:
        assert exported(page, opened(page, document), tmp_path) == document
        page.reload()
        # What was exported is what was imported, so that this is all the ways in one.
        assert exported(page, document["name"], tmp_path) == document


def opened(page: Page, document: Json) -> str:
    """Import a document from a file; its name."""
    picker = page.get_by_test_id("import-file")
    text = json.dumps(document).encode()
    picker.set_input_files({"name": "network.json", "mimeType": "application/json", "buffer": text})
    name: str = document["name"]
    expect(page.get_by_test_id("project-menu")).to_contain_text(name)
    return name


def exported(page: Page, name: str, folder: Path) -> Json:
    """What the page holds, as it writes it into a file."""
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("export").click()
    dialog = page.get_by_test_id("export-dialog")
    with page.expect_download() as waiting:
        dialog.locator("[data-format='layerloom']").get_by_role("button", name="Download").click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    page.keyboard.press("Escape")
    expect(dialog.locator("[data-format='layerloom']")).to_have_count(0)
    document: Json = json.loads(path.read_text(encoding="utf-8"))
    assert document["name"] == name
    return whole(document)
