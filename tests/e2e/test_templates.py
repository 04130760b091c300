"""Networks that fit their data: begun from a data set, and changed when another one is chosen."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

import gestures as do
from serving import Server, wait_for_run


def train_dialog(page: Page) -> Locator:
    page.get_by_test_id("train").click()
    dialog = page.get_by_test_id("train-dialog")
    expect(dialog.get_by_test_id("start-run")).to_be_visible()
    return dialog


def choose_data(page: Page, dialog: Locator, label: str) -> Locator:
    """Another data set; what it would change is told below it."""
    dialog.get_by_test_id("dataset").click()
    page.get_by_role("option", name=label).first.click()
    return dialog.get_by_test_id("refit")


def row(panel: Locator, key: str) -> Locator:
    return panel.locator(f"[data-change='{key}']")


def begin(page: Page, words: str, name: str) -> None:
    """New from a data set, by keyboard."""
    do.run_command(page, "Start from data")
    dialog = page.get_by_test_id("begin-dialog")
    expect(dialog.get_by_label("Search data sets")).to_be_focused()
    page.keyboard.type(words)
    expect(dialog.locator("[data-begin]")).to_have_count(1)
    expect(dialog.locator(f"[data-begin='{name}']")).to_be_visible()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("dialog")).to_have_count(0)


def test_a_network_begun_from_data_trains_at_once(page: Page, server: Server) -> None:
    do.node(page, "fc").wait_for()
    with server.client() as client:
        known = {network["id"] for network in client.get("/api/networks").raise_for_status().json()}
    begin(page, "wine", "wine")
    expect(do.node(page, "head")).to_contain_text("N×3")
    expect(page.locator("[data-node-id='input:x']")).to_contain_text("13")
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    with server.client() as client:
        stored = client.get("/api/networks").raise_for_status().json()
        assert [network["name"] for network in stored if network["id"] not in known] == ["Wine"]
    dialog = train_dialog(page)
    expect(dialog.get_by_test_id("dataset")).to_have_value("Wine · 13")
    expect(dialog.get_by_test_id("refit")).to_have_count(0)
    dialog.get_by_test_id("start-run").click()
    page.wait_for_url("**/runs/*")
    with server.client() as client:
        run = page.url.rpartition("/")[2]
        assert wait_for_run(client, run, "succeeded", "failed")["state"] == "succeeded"


def test_uploads_come_first_and_their_page_begins_a_network_for_them(page: Page, server: Server) -> None:
    with server.client() as client:
        rows = "".join(f"{index},{index % 7},{'yes' if index % 2 else 'no'}\n" for index in range(60))
        table = f"rooms,floor,sold\n{rows}".encode()
        client.put("/api/datasets/flats", params={"filename": "flats.csv"}, content=table).raise_for_status()
    do.node(page, "fc").wait_for()
    do.run_command(page, "Start from data")
    dialog = page.get_by_test_id("begin-dialog")
    expect(dialog.get_by_role("heading", level=3)).to_have_text(["Your uploads", "With LayerLoom"])
    expect(dialog.get_by_role("region", name="Your uploads").locator("[data-begin='flats']")).to_have_count(1)
    page.keyboard.press("Escape")
    page.goto("/data?set=flats")
    page.get_by_role("button", name="Start a network with this").click()
    expect(do.node(page, "head")).to_contain_text("N×2")
    expect(page.get_by_test_id("saved")).to_have_attribute("data-state", "saved")
    field = train_dialog(page).get_by_test_id("dataset")
    expect(field).to_have_value("flats · 2")
    field.click()
    expect(page.get_by_role("option").first).to_have_text("flats · 2")


def test_another_data_set_shows_what_it_changes_and_undo_takes_it_back(page: Page) -> None:
    do.node(page, "fc").wait_for()
    begin(page, "wine", "wine")
    expect(do.node(page, "head")).to_contain_text("N×3")
    dialog = train_dialog(page)
    panel = choose_data(page, dialog, "Diabetes")
    expect(row(panel, "input.x")).to_contain_text("13 float32")
    expect(row(panel, "input.x")).to_contain_text("10 float32")
    expect(row(panel, "output.head.out_features").locator("del")).to_have_text("3")
    expect(row(panel, "output.head.out_features").locator("ins")).to_have_text("1")
    expect(row(panel, "loss")).to_contain_text("squared error")
    expect(row(panel, "metrics").locator("del")).to_have_text("accuracy")
    panel.get_by_test_id("refit-accept").click()
    expect(panel).to_have_count(0)
    expect(dialog.get_by_text("Fits the network's input")).to_be_visible()
    page.keyboard.press("Escape")
    expect(do.node(page, "head")).to_contain_text("N×1")
    page.get_by_test_id("undo").click()
    expect(do.node(page, "head")).to_contain_text("N×3")
    expect(page.locator("[data-node-id='input:x']")).to_contain_text("13")
    expect(page.get_by_test_id("undo")).to_be_disabled()


def test_what_is_declined_stays_and_what_does_not_fit_says_why(page: Page) -> None:
    do.node(page, "fc").wait_for()
    dialog = train_dialog(page)
    panel = choose_data(page, dialog, "CIFAR100")
    expect(row(panel, "output.fc.out_features").locator("ins")).to_have_text("100")
    panel.get_by_role("button", name="Leave it").click()
    expect(panel).to_have_count(0)
    choose_data(page, dialog, "Iris")
    expect(dialog.get_by_test_id("refit-unfit")).to_contain_text("Conv2d cannot run")
    page.keyboard.press("Escape")
    expect(do.node(page, "fc")).to_contain_text("N×10")
    expect(page.get_by_test_id("undo")).to_be_disabled()
