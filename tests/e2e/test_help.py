"""Help cards: what a layer does and which shapes it takes, from wherever the layer is met, by mouse and by keys."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect
from test_accessibility import serious

import gestures as do
from serving import Server


def part(page: Page, name: str) -> Locator:
    return page.get_by_test_id("help-card").locator(f"[data-part='{name}']")


def closed(page: Page) -> None:
    expect(page.get_by_test_id("help-card").locator("h2")).to_have_count(0)


def select_conv(page: Page) -> None:
    page.locator("[data-row-of]").filter(has_text="Conv2d").first.click()
    expect(page.get_by_test_id("open-help")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_card_has_shape_drawing_parameters_notes_and_example(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
    select_conv(page)
    page.get_by_test_id("open-help").click()
    card = page.get_by_role("dialog", name="Conv2d")
    expect(card).to_contain_text("Applies a 2D convolution over an input signal composed of several input planes.")
    expect(part(page, "shape").locator("math[display=block]")).to_have_count(2)
    expect(part(page, "shape").get_by_test_id("strip")).to_have_attribute("data-taps", "0,1,2")
    expect(part(page, "parameters").locator("dt")).to_contain_text(["in_channels", "out_channels", "kernel_size"])
    expect(part(page, "notes").locator("aside").first).to_be_visible()
    expect(part(page, "examples").locator("pre")).to_contain_text("nn.Conv2d(16, 33, 3, stride=2)")
    expect(card.get_by_role("link", name="Page in the PyTorch documentation")).to_have_attribute("target", "_blank")
    assert serious(page) == []


def test_formulas_are_set_and_not_only_written(page: Page) -> None:
    select_conv(page)
    page.get_by_test_id("open-help").click()
    fraction = part(page, "shape").locator("mfrac").first
    expect(fraction).to_be_visible()
    above, below = fraction.locator("> *").nth(0).bounding_box(), fraction.locator("> *").nth(1).bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] + above["height"] <= below["y"] + 1


def test_f1_opens_the_card_of_what_is_selected_and_gives_the_keyboard_back(page: Page) -> None:
    select_conv(page)
    field = page.locator("[data-parameter='kernel_size'] input").first
    field.focus()
    field.press("F1")
    expect(page.get_by_role("dialog", name="Conv2d")).to_be_visible()
    # The dialog has the keyboard once its first button has.
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Escape")
    closed(page)
    expect(field).to_be_focused()


def test_the_palette_explains_its_items_by_mouse_and_by_key(page: Page) -> None:
    do.search_palette(page, "LSTM")
    item = page.locator("[data-palette='torch.nn.LSTM']")
    item.hover()
    page.get_by_role("button", name="Help: LSTM", exact=True).click()
    expect(part(page, "shape")).to_contain_text("Inputs: input, (h_0, c_0)")
    page.keyboard.press("Escape")
    closed(page)
    item.press("F1")
    expect(part(page, "shape")).to_contain_text("Outputs: output, (h_n, c_n)")
    page.keyboard.press("Escape")
    closed(page)
    expect(item).to_be_focused()
    do.last_step(page, None)


def test_what_a_plan_chooses_is_explained_over_the_dialog(page: Page, server: Server) -> None:
    run = do.train_quickly(server, 1)
    page.goto(f"/runs/{run}")
    page.get_by_role("button", name="Train again").click()
    dialog = page.get_by_test_id("train-dialog")
    dialog.get_by_role("button", name="Help: AdamW").click()
    expect(page.get_by_role("dialog", name="AdamW", exact=True)).to_be_visible()
    expect(part(page, "parameters").locator("dt").first).to_contain_text("params")
    page.keyboard.press("Escape")
    closed(page)
    dialog.get_by_role("button", name="More settings").click()
    expect(dialog.get_by_role("button", name=re.compile("^Help: "))).to_have_count(1)
    for label, option, shown in (
        ("Learning rate schedule", "StepLR", "StepLR"),
        ("Loss", "CrossEntropyLoss", "CrossEntropyLoss"),
        ("Metrics", "Accuracy", "MulticlassAccuracy"),
    ):
        field = dialog.locator("input").and_(dialog.get_by_label(label, exact=True))
        field.fill(option)
        page.get_by_role("option", name=option, exact=True).click()
        if label != "Metrics":
            field.press("F1")
        else:
            dialog.get_by_role("button", name="Help: Accuracy").click()
        expect(page.get_by_role("dialog", name=shown, exact=True)).to_be_visible()
        expect(part(page, "parameters").locator("dt").first).to_be_visible()
        page.keyboard.press("Escape")
        closed(page)
    expect(dialog.get_by_test_id("start-run")).to_be_visible()
    assert serious(page) == []


def test_an_initializer_is_explained_where_it_is_chosen(page: Page) -> None:
    select_conv(page)
    field = page.locator("[data-init='weight'] input").first
    expect(page.locator("[data-init] [data-testid='open-help']")).to_have_count(0)
    do.choose(page, field, "kaiming_normal_")
    page.get_by_role("button", name="Help: kaiming_normal_").click()
    expect(page.get_by_role("dialog", name="kaiming_normal_")).to_contain_text("Kaiming normal distribution")
    page.keyboard.press("Escape")
    closed(page)
    field.press("F1")
    expect(page.get_by_role("dialog", name="kaiming_normal_")).to_be_visible()


def test_help_is_a_command_and_stands_in_the_menu(page: Page) -> None:
    layer = page.locator("[data-node-id][data-member]").filter(has_text="Linear").first
    layer.click()
    do.run_command(page, "Help on the layer")
    expect(page.get_by_role("dialog", name="Linear")).to_be_visible()
    expect(part(page, "shape")).to_be_visible()
    page.keyboard.press("Escape")
    closed(page)
    layer.click(button="right")
    page.locator("[data-testid='canvas-menu'] [data-command='layerHelp']").click()
    expect(part(page, "shape")).to_be_visible()


def test_an_example_is_copied_ready_to_run(page: Page) -> None:
    do.search_palette(page, "Flatten")
    page.locator("[data-palette='torch.nn.Flatten']").press("F1")
    page.get_by_role("button", name="Copy the example").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("input = torch.randn(32, 1, 5, 5)")
    assert ">>>" not in copied


def test_in_chinese_torch_keeps_its_own_words_below_chinese_headings(page: Page) -> None:
    page.get_by_test_id("language").click()
    page.locator("[data-row-of]").filter(has_text="Conv2d").first.click()
    page.get_by_test_id("open-help").click()
    expect(part(page, "shape").locator("h3")).to_have_text("形状规则")
    expect(part(page, "shape").locator("[lang=en]")).to_contain_text("Input:")
