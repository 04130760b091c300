"""The whole journey in one test: draw with the mouse, train, watch, download, and load with plain torch."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import gestures as do

CHECK = textwrap.dedent(
    """
    import sys

    import torch
    from safetensors.torch import load_file
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split
    from torch import nn


    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.features = nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU())
            self.pool = nn.AdaptiveAvgPool2d(4)
            self.flatten = nn.Flatten()
            self.fc = nn.Linear(512, 10)

        def forward(self, x):
            return self.fc(self.flatten(self.pool(self.features(x))))


    assert "layerloom" not in sys.modules
    digits = load_digits()
    images = torch.tensor(digits.images, dtype=torch.float32).unsqueeze(1) / 16
    labels = torch.tensor(digits.target)
    _, rows = train_test_split(range(len(labels)), test_size=0.2, random_state=0, stratify=labels)
    for path in sys.argv[1:]:
        net = Net()
        state = torch.load(path, weights_only=True) if path.endswith(".pt") else load_file(path)
        assert list(net.state_dict()) == list(state) or path.endswith(".safetensors")
        net.load_state_dict(state, strict=True)
        net.eval()
        with torch.inference_mode():
            right = (net(images[rows]).argmax(1) == labels[rows]).sum().item()
        print(right / len(rows))
    """
)

# Keeps the values that the loss has on the page while the badge says that the run is running. Set up beforehand: a
# fast machine needs less time for three epochs than a test needs to look.
WATCH_LOSS = """() => {
  window.lossesSeen = []
  setInterval(() => {
    const value = document.querySelector("[data-series='train/loss'][data-kind='last']")?.dataset.value
    const running = document.querySelector("[data-state='running']")
    if (running && value !== undefined && value !== window.lossesSeen.at(-1)) window.lossesSeen.push(value)
  }, 20)
}"""
HANG_GUARD_MS = 120_000


def draw(page: Page) -> None:
    """Input → Conv2d → BatchNorm2d → ReLU → AdaptiveAvgPool2d → Flatten → Linear, by dragging."""
    do.new_network(page)
    canvas = page.get_by_test_id("canvas").bounding_box()
    assert canvas is not None
    x, y = canvas["x"] + canvas["width"] / 2, canvas["y"]
    layers = ["Conv2d", "BatchNorm2d", "ReLU", "AdaptiveAvgPool2d", "Flatten", "Linear"]
    for row, layer in enumerate(layers):
        column = x - 220 if row < 3 else x + 220
        do.drop(page, f"torch.nn.{layer}", layer, (column, y + 150 + 130 * (row % 3)))
    do.search_palette(page, "")


def wire(page: Page) -> None:
    """Connect what was dropped, top to bottom, and set the sizes that differ from the defaults."""
    chain = [page.locator("[data-node-id='input:x']")]
    chain += [do.node(page, name) for name in ("conv", "batch_norm", "relu", "adaptive_avg_pool", "flatten", "linear")]
    chain += [page.locator("[data-node-id='output']")]
    for source, target in pairwise(chain):
        do.connect(page, source, target)
    for member, parameter, value in (
        ("conv", "out_channels", 32),
        ("conv", "padding", 1),
        ("adaptive_avg_pool", "output_size", 4),
        ("linear", "out_features", 10),
    ):
        do.node(page, member).click()
        do.set_number(page, parameter, value)
    for member, name in (("adaptive_avg_pool", "pool"), ("linear", "fc")):
        do.node(page, member).click()
        do.rename(page, name)


def group_and_initialize(page: Page) -> None:
    """conv, bn and relu into a Sequential; Kaiming normal on the convolution."""
    do.node(page, "conv").click()
    for member in ("batch_norm", "relu"):
        do.node(page, member).click(modifiers=["Control"])
    page.keyboard.press("Control+g")
    dialog = page.get_by_test_id("group-dialog")
    dialog.get_by_label("Attribute name").fill("features")
    page.get_by_test_id("group-apply").click()
    page.locator("[data-item='features.0']").click()
    do.choose(page, page.locator("[data-init='weight'] input").first, "kaiming_normal_")


def test_draw_train_watch_download(page: Page, tmp_path: Path) -> None:
    draw(page)
    wire(page)
    expect(page.locator("[data-edge]")).to_have_count(7)
    group_and_initialize(page)
    expect(page.locator("[data-label='N×10']")).to_be_visible()

    page.get_by_test_id("train").click()
    page.get_by_label("Epochs").fill("12")
    page.get_by_label("Batch size").fill("8")
    page.evaluate(WATCH_LOSS)
    pressed = time.monotonic()
    page.get_by_test_id("start-run").click()
    page.wait_for_url("**/runs/*")
    loss = page.locator("[data-series='train/loss'][data-kind='last']")
    loss.wait_for()
    print(f"first loss on the page {time.monotonic() - pressed:.2f} s after Train was pressed")
    expect(page.locator("[data-state='succeeded']")).to_be_visible(timeout=HANG_GUARD_MS)
    grown = page.evaluate("() => window.lossesSeen")
    assert len(set(grown)) >= 3, f"the curve did not grow while the run was running: {grown}"

    accuracy = page.locator("[data-series='validation/accuracy'][data-kind='last']")
    shown = float(accuracy.get_attribute("data-value") or "nan")
    files = [download(page, ending, tmp_path) for ending in (".pt", ".safetensors")]
    assert load_with_plain_torch(*files) == pytest.approx([shown, shown], abs=1e-6)


def download(page: Page, ending: str, folder: Path) -> Path:
    """The newest weights, through the menu."""
    page.get_by_role("button", name="Download").click()
    with page.expect_download() as waiting:
        page.get_by_role("menuitem", name=f"Last weights ({ending})", exact=True).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    page.keyboard.press("Escape")
    return path


def load_with_plain_torch(*files: Path) -> list[float]:
    """Validation accuracy of each file in a process that never hears of LayerLoom."""
    command = [sys.executable, "-I", "-W", "ignore", "-c", CHECK, *map(str, files)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return [float(line) for line in done.stdout.split()]
