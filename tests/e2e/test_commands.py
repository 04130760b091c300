"""What is asked of a run on its page: a checkpoint, another rate, a fork of an edited network."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

import gestures as do
from serving import Server, wait_for_run


def test_a_rate_is_changed_while_it_trains(page: Page, server: Server) -> None:
    with server.client() as client:
        example = client.get("/api/examples").json()[0]
        plan = {"dataset": "digits", "epochs": 100_000}
        run = client.post("/api/runs", json={"document": example["document"], "plan": plan}).json()["id"]
    page.goto(f"/runs/{run}")
    try:
        change_the_rate(page)
    finally:  # another test waits for its place
        with server.client() as client:
            client.post(f"/api/runs/{run}/stop")
            wait_for_run(client, run, "stopped")


def change_the_rate(page: Page) -> None:
    expect(page.locator("[data-series='train/loss']").first).to_be_visible()
    page.get_by_role("button", name="Save checkpoint").click()
    page.get_by_role("button", name="More", exact=True).click()
    page.get_by_role("menuitem", name="Change learning rate").click()
    page.get_by_label("Learning rate", exact=True).fill("0.0005")
    page.get_by_role("button", name="Change", exact=True).click()
    page.get_by_role("tab", name="Configuration").click()
    expect(page.get_by_text("learning_rate")).to_be_visible()
    expect(page.get_by_text(re.compile(r"after step \d+"))).to_be_visible()
    page.get_by_role("tab", name="Checkpoints").click()
    expect(page.locator("[data-weights='trained']").first).to_be_visible()


def test_a_fork_of_an_edited_network_begins_with_what_was_learned(page: Page, server: Server) -> None:
    origin = do.train_quickly(server)
    page.goto(f"/runs/{origin}?tab=checkpoints")
    page.get_by_role("button", name="Fork", exact=True).first.click()
    report = page.get_by_test_id("carry-report")
    expect(report).to_contain_text(re.compile(r"(\d+) of \1 tensors"))
    page.get_by_role("button", name="Edit the network first").click()
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    do.node(page, "fc").click()
    field = page.get_by_role("textbox", name="out_features")
    field.fill("12")
    field.press("Enter")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(report).to_contain_text("fc.weight")
    expect(report).to_contain_text("was 10×1024, is 12×1024")
    page.get_by_test_id("start-run").click()
    expect(page.locator("[data-state='succeeded']")).to_be_visible()
    page.get_by_role("tab", name="Configuration").click()
    expect(report).to_contain_text("fc.bias")
    lineage = re.compile(r"forked from .+ at step \d+")
    expect(page.locator("header").get_by_text(lineage)).to_be_visible()
    page.get_by_role("link", name="Compare").click()
    expect(page.get_by_text("out_features").first).to_be_visible()
    results = page.get_by_role("region", name="Results")
    expect(results.get_by_text(lineage)).to_have_count(1)
    accuracy = results.locator("[data-metric='validation/accuracy'] td")
    expect(accuracy).to_contain_text(["Accuracy", *[re.compile(r"^\d+\.\d+%Best \d+\.\d+%$")] * 2])
    chart = page.get_by_role("figure", name=re.compile(r"^Accuracy · validation: .+ \d+\.\d+%, .+ \d+\.\d+%$"))
    chart.locator(".u-over").hover()
    expect(chart.locator("[class*=tooltip] b")).to_have_text([re.compile(r"^\d+\.\d+%$")] * 2)
    page.goto("/runs")
    page.locator("tbody").get_by_text(lineage).first.get_by_role("link").click()
    expect(page).to_have_url(re.compile(f"/runs/{origin}"))
    page.get_by_role("tab", name="Configuration").click()
    expect(page.get_by_role("heading", name="Forks of this run")).to_be_visible()


def test_a_plan_stays_with_the_network_that_it_was_made_for(page: Page, server: Server) -> None:
    origin = do.train_quickly(server)
    epochs = page.get_by_role("textbox", name="Epochs")
    page.goto(f"/runs/{origin}?tab=checkpoints")
    page.get_by_role("button", name="Fork", exact=True).first.click()
    epochs.fill("3")
    page.get_by_role("button", name="Edit the network first").click()
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    page.get_by_role("button", name="Train", exact=True).click()
    expect(epochs).to_have_value("3")  # what was planned before it was edited
    epochs.fill("1")
    page.get_by_test_id("start-run").click()
    expect(page.locator("[data-state='succeeded']")).to_be_visible()
    page.get_by_role("link", name="Editor").click()
    page.get_by_role("button", name="Train", exact=True).click()
    expect(epochs).to_have_value("1")  # what its last run was planned with
    page.keyboard.press("Escape")
    do.new_network(page)
    page.get_by_role("button", name="Train", exact=True).click()
    expect(epochs).to_have_value("20")
