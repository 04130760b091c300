"""A softmax before cross-entropy is told of while drawing, where the loss is chosen, and of the run that has it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

import gestures as do
from drawings import chain, open_judged
from serving import HANG_GUARD_S, Server, wait_for_run

FLAT = ("flat", "torch.nn.Flatten", {})
FC = ("fc", "torch.nn.Linear", {"in_features": 64, "out_features": 10})


@pytest.mark.parametrize("dim", [1, None])
def test_a_softmax_at_the_output_is_mended_among_the_problems(page: Page, dim: int | None) -> None:
    open_judged(page, chain([FLAT, FC, ("soft", "torch.nn.Softmax", {"dim": dim})], [1, 8, 8], "Twice"))
    page.locator("[data-tab='problems']").click()
    entry = page.locator("[data-code='activation_at_output']")
    expect(entry).to_contain_text("If the network is trained with CrossEntropyLoss", timeout=HANG_GUARD_S * 1_000)
    entry.get_by_role("button", name="Remove soft").click()
    expect(do.node(page, "soft")).to_have_count(0)
    expect(entry).to_have_count(0)


def test_a_softmax_before_the_loss_is_mended_in_the_train_dialog(page: Page) -> None:
    open_judged(page, chain([FLAT, FC, ("soft", "torch.nn.Softmax", {"dim": 1})], [1, 8, 8], "Twice"))
    page.get_by_test_id("train").click()
    warning = page.get_by_test_id("loss-warning")
    expect(warning).to_contain_text("soft stands at the output", timeout=HANG_GUARD_S * 1_000)
    expect(page.get_by_test_id("start-run")).to_be_enabled()
    warning.get_by_role("button", name="Remove soft").click()
    expect(warning).to_have_count(0)
    page.keyboard.press("Escape")
    expect(do.node(page, "soft")).to_have_count(0)
    do.last_step(page, "Remove soft")


def test_a_softmax_before_the_loss_is_told_on_the_runs_page(page: Page, server: Server) -> None:
    document = chain([FLAT, FC, ("soft", "torch.nn.Softmax", {"dim": 1})], [1, 8, 8], "Twice")
    with server.client() as client:
        body = {"document": document, "plan": {"dataset": "digits", "epochs": 2}}
        run = client.post("/api/runs", json=body).raise_for_status().json()["id"]
        assert wait_for_run(client, run, "succeeded", "failed")["state"] == "succeeded"
    page.goto(f"/runs/{run}")
    warning = page.get_by_test_id("loss-warning")
    expect(warning).to_contain_text("soft stands at the output, and CrossEntropyLoss applies its own")
    warning.get_by_role("button", name="Open the network in the editor").click()
    expect(do.node(page, "soft")).to_be_visible()
    page.get_by_test_id("train").click()
    expect(page.get_by_role("textbox", name="Epochs")).to_have_value("2")
    expect(warning.get_by_role("button", name="Remove soft")).to_be_visible()
