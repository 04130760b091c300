"""Networks from elsewhere, through the page: torchvision's by name, pasted code, files that are dropped."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from playwright.sync_api import Browser, Locator, Page, expect
from torch import nn

import gestures as do
from serving import Server, serving
from waiting import wait_for

SLOW_MS = 180_000
"""What has to be run is run in a process that is started for it and imports torch."""
NET = """from torch import nn


class Small(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.fc = nn.Linear(4, width)

    def forward(self, x):
        return self.fc(x)


class Net(nn.Module):
    def __init__(self, width: int, classes: int = 10):
        super().__init__()
        self.stem = nn.Conv2d(3, width, 3, padding=1)
        self.head = nn.Linear(width, classes)

    def forward(self, x):
        return self.head(self.stem(x).mean((2, 3)))
"""
LOOPS = NET.replace("return self.head(", "while x.ndim < 4:\n            x = x[None]\n        return self.head(")
LINE = 1 + LOOPS[: LOOPS.index("while")].count("\n")
DROP = """([name, text]) => {
    const data = new DataTransfer();
    data.items.add(new File([text], name));
    const canvas = document.querySelector("[data-testid=canvas]");
    for (const kind of ["dragover", "drop"])
        canvas.dispatchEvent(new DragEvent(kind, { dataTransfer: data, bubbles: true, cancelable: true }));
}"""


def command(page: Page, words: str) -> Locator:
    """Runs a command of the palette that opens the dialog."""
    do.run_command(page, words)
    dialog = page.get_by_test_id("open-dialog")
    expect(dialog.get_by_role("tablist")).to_be_visible()
    return dialog


def paste(page: Page, code: str) -> Locator:
    """Code in the dialog's editor."""
    dialog = command(page, "Import Python")
    dialog.get_by_label("Python code", exact=True).and_(page.locator(".cm-content")).fill(code)
    return dialog


@pytest.fixture(scope="module")
def allowing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("allowing"), "--allow-python") as running:
        running.warm()
        yield running


@pytest.fixture
def there(chromium: Browser, allowing: Server) -> Iterator[Page]:
    """The page of a server that may run code."""
    with chromium.new_context(base_url=allowing.url, locale="en-US") as context:
        page = context.new_page()
        do.sign_in(page, allowing)
        do.node(page, "fc").wait_for()
        yield page


def below_one_another(nodes: list[Locator]) -> bool:
    """Whether each is laid out below the one before."""
    places = [node.bounding_box() for node in nodes]
    return all(above and below and above["y"] + above["height"] < below["y"] for above, below in pairwise(places))


def test_a_network_of_torchvision_opens_by_keyboard_as_a_new_project(page: Page, server: Server) -> None:
    do.node(page, "fc").wait_for()
    dialog = command(page, "torchvision")
    expect(dialog.get_by_placeholder("resnet")).to_be_focused()
    page.keyboard.type("resnet152")
    expect(dialog.locator("[data-library]")).to_have_count(1)
    expect(dialog.locator("[data-library='resnet152']")).to_contain_text("60.2M parameters")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("dialog")).to_have_count(0)
    layers = [do.node(page, f"layer{number}") for number in range(1, 5)]
    for layer in layers:
        expect(layer).to_be_visible()
    expect(layers[2]).to_contain_text("Bottleneck × 35")
    wait_for(lambda: below_one_another(layers), "the layers stand below one another")
    expect(page.get_by_text("60.2M parameters", exact=False).first).to_be_visible()
    expect(page.get_by_test_id("undo")).to_be_disabled()
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    with server.client() as client:
        assert "resnet152" in {network["name"] for network in client.get("/api/networks").json()}


def test_networks_are_found_by_family_and_task_and_long_boxes_are_folded(page: Page) -> None:
    do.node(page, "fc").wait_for()
    dialog = command(page, "torchvision")
    expect(dialog.get_by_placeholder("resnet")).to_be_focused()
    page.keyboard.type("vgg")
    expect(dialog.locator("[data-library]")).to_have_count(9)  # with ssd300_vgg16
    dialog.get_by_text("Detection", exact=True).click()
    expect(dialog.locator("[data-library]")).to_have_count(1)
    expect(dialog.locator("[data-library]")).to_contain_text("opens backbone+head")
    dialog.get_by_text("All", exact=True).click()
    dialog.get_by_placeholder("resnet").press("ArrowDown")
    expect(dialog.locator("[data-library]").first).to_be_focused()
    dialog.locator("[data-library='vgg19']").click()
    expect(do.node(page, "features")).to_be_visible()
    expect(page.locator("[data-node-id][data-member='features'] [data-row-of]")).to_have_count(0)


def test_pasted_code_asks_for_what_its_class_needs(page: Page) -> None:
    do.node(page, "fc").wait_for()
    dialog = paste(page, NET)
    expect(dialog.get_by_test_id("import-readable")).to_be_visible()
    chosen = dialog.get_by_role("combobox", name="Class to open")
    expect(chosen).to_have_value("Net")
    opening = dialog.get_by_test_id("import-open")
    expect(opening).to_be_disabled()
    dialog.locator("[data-parameter='width'] input").fill("6")
    dialog.get_by_label("Shape of x").fill("3, 20, 24")
    opening.click()
    expect(dialog.get_by_role("dialog")).to_have_count(0)
    do.node(page, "stem").click()
    expect(page.locator("[data-node-id='input:x']")).to_contain_text("3×20×24")
    expect(do.node(page, "stem")).to_contain_text("N×6×20×24")
    paste(page, NET)
    do.choose(page, chosen, "Small")
    expect(dialog.locator("[data-parameter='classes']")).to_have_count(0)
    dialog.locator("[data-parameter='width'] input").fill("7")
    page.keyboard.press("Control+Enter")
    expect(do.node(page, "fc")).to_contain_text("N×7")


def test_errors_stand_at_their_line_and_say_what_helps(page: Page) -> None:
    do.node(page, "fc").wait_for()
    dialog = paste(page, NET.replace("(nn.Module)", "(nn.Module", 1))
    wrong = dialog.locator("[data-wrong]")
    expect(wrong).to_have_text("class Small(nn.Module:")
    expect(dialog.get_by_role("alert")).to_contain_text("Line 4")
    dialog.get_by_label("Python code", exact=True).and_(page.locator(".cm-content")).fill(LOOPS)
    off = dialog.get_by_test_id("import-off")
    expect(off).to_contain_text(f"Line {LINE}")
    expect(off).to_contain_text("layerloom serve --allow-python")
    expect(wrong).to_have_text("        while x.ndim < 4:")
    dialog.locator("[data-parameter='width'] input").fill("6")
    expect(dialog.get_by_test_id("import-open")).to_be_disabled()


def test_a_file_that_is_dropped_on_the_canvas_is_opened(page: Page) -> None:
    do.node(page, "fc").wait_for()
    page.evaluate(DROP, ["net.py", NET.replace("width: int, classes", "width: int = 5, classes")])
    dialog = page.get_by_test_id("open-dialog")
    expect(dialog.get_by_role("combobox", name="Class to open")).to_have_value("Net")
    dialog.get_by_test_id("import-open").click()
    expect(do.node(page, "stem")).to_be_visible()
    page.evaluate(DROP, ["notes.txt", "Net"])
    expect(page.get_by_text("This kind of file is not opened")).to_be_visible()
    expect(do.node(page, "stem")).to_be_visible()


def test_code_is_run_where_that_is_allowed(there: Page) -> None:
    dialog = paste(there, LOOPS)
    expect(dialog.get_by_test_id("import-runs")).to_contain_text(f"Line {LINE}")
    dialog.locator("[data-parameter='width'] input").fill("6")
    dialog.get_by_label("Shape of x").fill("3, 8, 8")
    dialog.get_by_test_id("import-open").click()
    expect(do.node(there, "stem")).to_be_visible(timeout=SLOW_MS)
    expect(there.get_by_text("The classes were run and recorded", exact=False)).to_be_visible()
    raises = LOOPS.replace("self.head =", "raise ValueError('no head')\n        self.head =")
    dialog = paste(there, raises)
    dialog.locator("[data-parameter='width'] input").fill("6")
    dialog.get_by_test_id("import-open").click()
    expect(dialog.get_by_role("alert")).to_contain_text("ValueError: no head", timeout=SLOW_MS)
    expect(dialog.locator("[data-wrong]")).to_contain_text("raise ValueError")


def test_what_takes_too_long_is_given_up(there: Page) -> None:
    dialog = paste(there, f"while True: pass\n{LOOPS}")
    dialog.locator("[data-parameter='width'] input").fill("6")
    dialog.get_by_test_id("import-open").click()
    progress = dialog.get_by_test_id("import-progress")
    expect(progress).to_contain_text("Opening Net…")
    progress.get_by_role("button", name="Cancel").click()
    expect(progress).to_be_hidden()
    # The server makes one at a time: the next would wait for the whole time of one that goes on.
    dialog.get_by_label("Python code", exact=True).and_(there.locator(".cm-content")).fill(LOOPS)
    dialog.get_by_test_id("import-open").click()
    expect(do.node(there, "stem")).to_be_visible(timeout=150_000)


def test_weights_propose_layers(page: Page, tmp_path: Path) -> None:
    do.node(page, "fc").wait_for()
    torch.save(nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2)).state_dict(), tmp_path / "mlp.pt")
    page.get_by_test_id("import-file").set_input_files(tmp_path / "mlp.pt")
    expect(do.node(page, "layers")).to_be_visible(timeout=SLOW_MS)
    expect(page.get_by_test_id("project-menu")).to_contain_text("mlp")
