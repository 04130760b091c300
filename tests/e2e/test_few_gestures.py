"""A network of blocks with arguments takes few gestures from an empty page, and is the one that is written by hand."""

from __future__ import annotations

import torch
from hands import Hands
from playwright.sync_api import Page, expect
from torch import Tensor, nn

import gestures as do
from layerloom.graph.build import build
from layerloom.schema.document import Document
from serving import Server

MOST = 60


class ConvBlock(nn.Module):
    """Convolution, normalization and activation; halves the image unless its stride is 1."""

    def __init__(self, in_channels: int, out_channels: int, stride: int = 2):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 3, stride, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.relu(self.bn(self.conv(x)))
        return out


class StagedCNN(nn.Module):
    """Three stages of rising width, and a classifier on the mean of every feature map."""

    def __init__(self) -> None:
        super().__init__()
        self.stage1 = ConvBlock(3, 16)
        self.stage2 = ConvBlock(16, 32)
        self.stage3 = ConvBlock(32, 64, stride=1)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.flatten = nn.Flatten()
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc(self.flatten(self.pool(self.stage3(self.stage2(self.stage1(x))))))
        return out


def test_a_staged_cnn_takes_at_most_sixty_gestures(page: Page, server: Server) -> None:
    hands = Hands(page)
    hands.click(page.get_by_test_id("project-menu"))
    hands.click(page.get_by_role("menuitem", name="New"))
    hands.click(page.locator("[data-node-id='input:x']"))
    hands.fill(page.get_by_label("Shape", exact=True), "3, 32, 32")
    hands.click(page.locator("[data-node-id='input:x']"))

    hands.add("conv = Conv2d(out_channels=16, kernel_size=3, stride=2, padding=1, bias=False)", "conv")
    hands.add("bn = BatchNorm2d()", "bn")
    hands.add("ReLU", "relu")

    hands.press("Control+a")
    hands.press("Control+g")
    dialog = page.get_by_test_id("group-dialog")
    hands.click(dialog.get_by_text("Block", exact=True))
    hands.click(dialog.get_by_label("out_channels"))
    hands.click(dialog.get_by_label("stride"))
    hands.fill(dialog.get_by_label("Class name"), "ConvBlock")
    do.node(page, "conv_block").wait_for()
    hands.rename("stage1")
    hands.click(do.node(page, "stage1"))
    hands.add("stage2 = ConvBlock(out_channels=32)", "stage2")
    hands.add("stage3 = ConvBlock(out_channels=64, stride=1)", "stage3")
    hands.add("pool = AdaptiveAvgPool2d(1)", "pool")
    hands.add("Flatten", "flatten")
    hands.add("fc = Linear(out_features=10)", "fc")
    # Sizes that follow what arrives are not the same in all stages: the mends make them arguments; and the last layer's
    # result is what the network returns.
    hands.click(page.locator("[data-tab='problems']"))
    entries = page.locator("[data-code='auto_ambiguous']")
    for left in (2, 1):
        expect(entries).to_have_count(left)
        hands.click(entries.first.get_by_test_id("fix").first)
    hands.click(page.locator("[data-code='no_output']").get_by_test_id("fix"))
    expect(page.locator("[data-code]")).to_have_count(0)
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    print(f"{hands.gestures} gestures")
    assert hands.gestures <= MOST

    with server.client() as client:
        listed = client.get("/api/networks").raise_for_status().json()
        newest = max(listed, key=lambda network: network["updated_at"])["id"]
        drawn = client.get(f"/api/networks/{newest}").raise_for_status().json()["document"]
    module = build(Document.model_validate(drawn))
    by_hand = StagedCNN()
    by_hand.load_state_dict(module.state_dict(), strict=True)
    images = torch.randn(2, 3, 32, 32)
    assert list(module.state_dict()) == list(by_hand.state_dict())
    assert torch.equal(module.eval()(images), by_hand.eval()(images))


def test_places_that_are_built_alike_become_one_class(page: Page) -> None:
    hands = Hands(page)
    do.new_network(page)
    hands.click(page.locator("[data-node-id='input:x']"))
    for number, width in ((1, 8), (2, 16), (3, 32)):
        hands.add(f"conv{number} = Conv2d(out_channels={width}, kernel_size=3, padding=1)", f"conv{number}")
        hands.add(f"act{number} = ReLU()", f"act{number}")
    hands.click(do.node(page, "conv2"))
    do.node(page, "act2").click(modifiers=["Control"])
    hands.press("Control+g")
    dialog = page.get_by_test_id("group-dialog")
    hands.click(dialog.get_by_text("Block", exact=True))
    expect(dialog.get_by_label("Also the 2 other places that are built like it")).to_be_checked()
    expect(dialog.get_by_label("out_channels")).to_be_checked()
    expect(dialog.get_by_label("out_channels")).to_be_disabled()
    expect(dialog.get_by_label("padding")).not_to_be_checked()
    hands.fill(dialog.get_by_label("Class name"), "Stage")
    stages = page.locator("[data-node-id][data-member^='stage']")
    expect(stages).to_have_count(3)
    expect(page.locator("[data-node-id][data-member^='conv'], [data-node-id][data-member^='act']")).to_have_count(0)
    hands.click(do.node(page, "stage3"))
    expect(page.locator("[data-parameter='out_channels'] input")).to_have_value("32")
    page.get_by_test_id("canvas").press("Control+z")
    expect(stages).to_have_count(0)
    expect(do.node(page, "conv3")).to_be_visible()


def test_a_call_that_is_no_python_says_how_to_write_it(page: Page) -> None:
    do.new_network(page)
    page.locator("[data-node-id='input:x']").click()
    page.keyboard.press("/")
    search = page.get_by_test_id("quick-add")
    search.wait_for()
    page.keyboard.type("Conv2d(width=3")
    expect(search).to_contain_text("Write it as in Python")
    page.keyboard.press("Enter")
    expect(search).to_be_visible()
    expect(page.locator("[data-node-id][data-member]")).to_have_count(0)
