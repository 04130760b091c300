"""A network of two outputs: its heads are chosen in the training dialog, and each learns and has its curves."""

from __future__ import annotations

import json
from typing import Any

from playwright.sync_api import Page, expect

import layerloom

SOURCE = """
from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU())
        self.digit = nn.Linear(32, 10)
        self.image = nn.Linear(32, 64)

    def forward(self, x):
        hidden = self.body(x)
        return {"digit": self.digit(hidden), "image": self.image(hidden).view(-1, 1, 8, 8)}
"""


def test_heads_are_chosen_and_trained(page: Page, errors: Any) -> None:
    document = layerloom.from_python(SOURCE).model_dump(mode="json", by_alias=True)
    document["inputs"] = {"x": {"shape": [1, 8, 8], "dtype": "float32"}}
    network = {"name": "net.json", "mimeType": "application/json", "buffer": json.dumps(document).encode()}
    page.get_by_test_id("import-file").set_input_files([network])
    expect(page.locator("[data-node-id][data-member='image']")).to_be_visible()
    page.get_by_test_id("train").click()
    page.get_by_test_id("dataset").fill("1×8×8")
    page.get_by_role("option", name="Digits · 1×8×8").click()
    page.get_by_label("Epochs", exact=True).fill("2")
    page.get_by_role("button", name="More settings").click()
    heads = page.get_by_role("region", name="Several outputs")
    heads.get_by_role("button", name="Name an output").click()
    # All that the network returns, because an output that no head names is not trained on.
    outputs = heads.get_by_role("combobox", name="Output", exact=True)
    expect(outputs).to_have_count(2)
    expect(outputs.nth(0)).to_have_value("digit")
    expect(outputs.nth(1)).to_have_value("image")
    heads.get_by_label("Compared with", exact=True).nth(1).fill("x")
    heads.get_by_label("Weight", exact=True).nth(1).fill("0.5")
    outputs.nth(0).fill("figure")
    page.get_by_test_id("start-run").click()
    expect(heads.get_by_text("The network returns no output of this name")).to_be_visible()
    errors.expect("422")
    outputs.nth(0).fill("digit")
    page.get_by_test_id("start-run").click()
    expect(page.locator("[data-state='succeeded']")).to_be_visible(timeout=120_000)
    for series in ("validation/digit/loss", "validation/image/loss", "validation/digit/accuracy"):
        expect(page.locator(f"[data-series='{series}']").first).to_be_visible()
