"""Five thousand nodes stay usable: counted in elements, renders and requests, never in milliseconds."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Request, expect

import gestures as do
import large
import rendering

NODES = 5_000
JUDGED = re.compile(r"/api/graphs/")
VIEWPORT = "new DOMMatrix(getComputedStyle(document.querySelector('.react-flow__viewport')).transform)"


def upload(page: Page, document: dict[str, Any]) -> None:
    """Open a document from a file, and wait for its shapes."""
    text = json.dumps(document).encode()
    picker = page.get_by_test_id("import-file")
    picker.set_input_files({"name": "net.json", "mimeType": "application/json", "buffer": text})
    expect(call(page, large.COLUMNS // 2)).to_be_visible()
    expect(page.locator("[data-edge][data-label^='N×']").first).to_be_attached()


def call(page: Page, index: int) -> Locator:
    """One of the nodes that ``large`` makes."""
    return page.locator(f"[data-node-id='n{index}']")


def find(page: Page, words: str) -> None:
    """Look for something by its name, and go to the first that is found."""
    page.keyboard.press("Control+f")
    page.get_by_role("combobox", name="Commands").fill(words)
    page.get_by_role("option").first.click()
    # While it fades it takes the presses that are meant for what is below.
    expect(page.get_by_role("dialog")).to_have_count(0)


def at_full_size(page: Page, index: int) -> None:
    """Bring one node into view, at the zoom at which nodes are read."""
    find(page, f"step{index}")
    page.wait_for_function(f"() => Math.abs({VIEWPORT}.a - 1) < 0.001")
    expect(call(page, index)).to_be_visible()


def from_afar(page: Page) -> None:
    """Show all of it."""
    page.get_by_role("button", name="(F)").click()
    expect(page.get_by_test_id("far-view")).to_be_visible()


def painted(page: Page, index: int) -> tuple[float, float]:
    """Where the middle of a node is on the screen, although it is no element."""
    column, row = index % large.COLUMNS, index // large.COLUMNS
    at = [column * large.PITCH[0] + 114, row * large.PITCH[1] + 36]
    where = f"""([x, y]) => {{
      const view = {VIEWPORT};
      const frame = document.querySelector(".react-flow").getBoundingClientRect();
      return [frame.x + view.e + x * view.a, frame.y + view.f + y * view.d];
    }}"""
    x, y = page.evaluate(where, at)
    return x, y


@pytest.fixture
def vast(page: Page) -> Page:
    """The editor with all those nodes."""
    upload(page, large.chain(NODES))
    return page


def test_what_is_out_of_sight_is_no_element(vast: Page) -> None:
    at_full_size(vast, 2_525)
    assert vast.evaluate("document.body.querySelectorAll('*').length") <= 1_000
    shown = vast.locator("[data-node-id]").count()
    assert 5 <= shown <= 60


def test_from_afar_it_is_one_picture(vast: Page) -> None:
    from_afar(vast)
    expect(vast.locator(".react-flow__node, .react-flow__edge")).to_have_count(0)
    colours = """([points]) => {
      const canvas = document.querySelector("[data-testid='far-view']");
      const frame = canvas.getBoundingClientRect();
      const ratio = canvas.width / frame.width;
      const context = canvas.getContext("2d");
      return points.map(([x, y]) => context.getImageData((x - frame.x) * ratio, (y - frame.y) * ratio, 1, 1).data[3]);
    }"""
    x, y = painted(vast, 2_525)
    assert vast.evaluate(colours, [[[x, y]]]) != [0]
    vast.mouse.click(x, y)
    expect(vast.get_by_test_id("inspector")).to_contain_text("relu")
    vast.mouse.dblclick(x, y)
    expect(call(vast, 2_525)).to_be_visible()
    expect(vast.get_by_test_id("far-view")).to_have_count(0)


def test_a_box_from_afar_selects_what_it_touches(vast: Page) -> None:
    from_afar(vast)
    left, top = painted(vast, 1_010)
    right, bottom = painted(vast, 1_010 + 2 + 2 * large.COLUMNS)
    vast.keyboard.down("Shift")
    do.drag(vast, (left, top), (right, bottom))
    vast.keyboard.up("Shift")
    vast.keyboard.press(".")
    expect(vast.locator("[data-node-id][data-selected]")).to_have_count(9)


def test_from_afar_a_node_is_found_by_its_name(vast: Page) -> None:
    from_afar(vast)
    find(vast, "step4321")
    expect(call(vast, 4_321)).to_be_visible()
    expect(call(vast, 4_321)).to_have_attribute("data-selected", "true")


def test_the_overview_leads_anywhere_from_afar_and_near(vast: Page) -> None:
    overview = vast.get_by_test_id("overview")
    at_full_size(vast, 0)
    box = overview.bounding_box()
    assert box is not None
    middle = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    vast.mouse.click(*middle)
    expect(call(vast, 0)).to_have_count(0)
    expect(vast.locator("[data-node-id^='n2']").first).to_be_visible()
    from_afar(vast)
    before = vast.evaluate(f"{VIEWPORT}.f")
    do.drag(vast, middle, (middle[0], middle[1] + 20))
    assert vast.evaluate(f"{VIEWPORT}.f") < before
    expect(vast.get_by_test_id("far-view")).to_be_visible()


def test_dragging_one_node_renders_no_other(page: Page) -> None:
    rendering.listen(page)
    upload(page, large.chain(NODES))
    at_full_size(page, 2_525)
    call(page, 2_525).click()
    x, y = do.centre(call(page, 2_525))
    page.mouse.move(x, y)
    rendering.begin(page)
    do.drag(page, (x, y), (x + 60, y + 30), steps=20)
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    rendered = rendering.counted(page)
    assert "n2525" in rendered
    assert len(rendered) <= 3, rendered


def test_what_only_changes_the_view_is_not_judged_again(page: Page) -> None:
    with page.expect_response("**/api/graphs/doctor"):
        page.reload()
    nodes = page.locator("[data-node-id][data-member]")
    asked: list[str] = []

    def listen(request: Request) -> None:
        if JUDGED.search(request.url):
            asked.append(request.url)

    page.on("request", listen)
    nodes.last.click()
    page.keyboard.press("f")
    page.mouse.move(720, 200)
    page.mouse.wheel(0, 240)
    page.get_by_role("button", name="Zoom in").click()
    page.locator("[data-tab='shapes']").click()
    page.get_by_role("button", name="Hide the palette").click()
    page.keyboard.press("f")
    with page.expect_response(re.compile(r"/api/networks")):
        nodes.first.focus()
        nodes.first.click()
        page.keyboard.press("ArrowRight")
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    assert asked == []
    with page.expect_request("**/api/graphs/check"):
        page.keyboard.press("Delete")
    assert asked != []
