"""The data page: an upload's columns as they are read, and what becomes of them when they are changed."""

from __future__ import annotations

import io
import zipfile
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

from serving import Server

PATIENCE_MS = 120_000
"""For a process that imports torch on a machine that may be busy."""
TABLE = "age,city,note,label\n" + "".join(f"{20 + i},{'Rome' if i % 3 else ''},n{i},{'ab'[i % 2]}\n" for i in range(90))


def test_a_column_gets_another_role(page: Page, server: Server, errors: Any) -> None:
    with server.client() as client:
        client.put("/api/datasets/guests", params={"filename": "guests.csv"}, content=TABLE).raise_for_status()
    page.goto("/data?set=guests")
    expect(page.get_by_text("60 of 90 rows are used; left out: 30.")).to_be_visible()
    expect(page.get_by_role("img", name="Histogram of age")).to_be_visible()
    expect(page.get_by_label("Kind of age")).to_have_value("number")
    expect(page.get_by_label("Role of note")).to_have_value("ignored")
    anew = page.get_by_test_id("read-anew")
    expect(anew).to_have_count(0)
    # Without the column that lacks values, all rows are used.
    page.get_by_label("Role of city").select_option("ignored")
    anew.click()
    expect(page.get_by_text("Samples: 60 → 90")).to_be_visible()
    expect(page.locator("[data-column='city'][data-ignored]")).to_be_visible()
    expect(page.get_by_text("rows are used")).to_have_count(0)
    # A choice that cannot be is told, and nothing is changed by it.
    page.get_by_label("Role of label").select_option("ignored")
    anew.click()
    expect(page.get_by_role("alert").get_by_text("No column is the target")).to_be_visible()
    errors.expect("422")
    page.reload()
    expect(page.get_by_label("Role of label")).to_have_value("target")
    # Text becomes tokens, for which there are more fields.
    page.get_by_label("Role of age").select_option("ignored")
    page.get_by_label("Role of note").select_option("feature")
    anew.click()
    expect(page.get_by_label("Vocabulary, at most")).to_have_value("10000")
    expect(page.get_by_text("up to 92 ids")).to_be_visible()


def test_a_damaged_data_set_is_told_and_deleted(page: Page, server: Server) -> None:
    root = server.home / "data" / "uploads"
    before = set(root.iterdir()) if root.is_dir() else set()
    with server.client() as client:
        client.put("/api/datasets/hurt", params={"filename": "hurt.csv"}, content=TABLE).raise_for_status()
    (path,) = set(root.iterdir()) - before
    (path / "meta.json").write_bytes(b'{"name":"hurt","label"')
    page.goto("/data?set=hurt")
    item = page.get_by_label("Data sets").get_by_role("link", name="hurt")
    expect(item).to_contain_text("cannot be read")
    expect(page.get_by_role("alert")).to_contain_text(str(path / "meta.json"))
    expect(page.get_by_text("Some samples")).to_have_count(0)
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(item).to_have_count(0)
    assert not path.exists()


def pictures() -> bytes:
    """A zip of images of two classes and one file that is none."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for place in range(24):
            label = ("bright", "dark")[place % 2]
            image = Image.new("RGB", (10, 8), (200, 90 + place, 40) if place % 2 == 0 else (20, 30 + place, 60))
            image.putpixel((0, 0), (255, 255, 255))
            file = io.BytesIO()
            image.save(file, "PNG")
            archive.writestr(f"{label}/{place}.png", file.getvalue())
        archive.writestr("dark/notes.txt", "no image")
    return out.getvalue()


def test_images_are_shown_with_their_problems_and_get_another_size(page: Page, server: Server) -> None:
    with server.client() as client:
        answer = client.put("/api/datasets/lights", params={"filename": "lights.zip"}, content=pictures())
        answer.raise_for_status()
    page.goto("/data?set=lights")
    expect(page.get_by_role("img", name="Sample of class bright")).to_have_count(12)
    expect(page.get_by_text("24 of 25 files are used; left out: 1.")).to_be_visible()
    expect(page.get_by_text("dark/notes.txt")).to_be_visible()
    page.get_by_label("Height").fill("12")
    page.get_by_label("Width").fill("12")
    page.get_by_test_id("read-anew").click()
    expect(page.get_by_text("One sample: 3×8×10 → 3×12×12")).to_be_visible()


def test_transforms_are_chosen_ordered_and_shown_on_images(page: Page, errors: Any) -> None:
    page.get_by_test_id("train").click()
    page.get_by_role("button", name="More settings").click()
    section = page.get_by_test_id("transforms")
    for name in ("CenterCrop", "RandomHorizontalFlip"):
        field = section.get_by_label("Add a transform…")
        field.fill(name)
        page.get_by_role("option", name=name, exact=True).click()
    crop = section.locator("[data-transform='CenterCrop']")
    crop.get_by_role("button", name="Help: CenterCrop").click()
    card = page.get_by_role("dialog", name="CenterCrop")
    expect(card).to_contain_text("Crop the input at the center")
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    size = crop.locator("[data-parameter='size'] input").first
    size.press("F1")
    expect(card).to_be_visible()
    page.keyboard.press("Escape")
    expect(card).to_have_count(0)
    size.fill("6")
    preview = section.get_by_test_id("transform-preview")
    expect(preview.get_by_test_id("shape-out")).to_have_text("1×6×6", timeout=PATIENCE_MS)
    expect(preview.get_by_role("img")).to_have_count(12)
    section.get_by_role("button", name="Move RandomHorizontalFlip up").click()
    expect(section.locator("[data-transform]").first).to_have_attribute("data-transform", "RandomHorizontalFlip")
    # The network takes 1×8×8.
    page.get_by_test_id("start-run").click()
    expect(section.get_by_text("For training: Input x expects samples of 1×8×8")).to_be_visible(timeout=PATIENCE_MS)
    errors.expect("422")


def test_a_table_shows_its_split_and_what_its_columns_hold(page: Page) -> None:
    page.goto("/data?set=wine")
    expect(page.get_by_test_id("part-training")).to_contain_text("142 79.8%")
    expect(page.get_by_test_id("part-validation")).to_contain_text("36 20.2%")
    expect(page.locator("[data-class='class_0']")).to_contain_text("59 = 47 + 12")
    expect(page.get_by_role("img", name="Histogram of alcohol")).to_be_visible()
    expect(page.locator("[data-column='alcohol']")).to_contain_text("11.03 … 14.83")
    # Nothing of what comes with LayerLoom can be changed, so that there are no fields.
    expect(page.get_by_label("Columns").get_by_role("combobox")).to_have_count(0)
    expect(page.get_by_role("columnheader", name="alcohol")).to_be_visible()
