"""Networks as files of other programs: through the page, and then in those programs."""

from __future__ import annotations

from pathlib import Path

import onnxruntime
import torch
from playwright.sync_api import Download, Page, expect

import gestures as do
from layerloom.graph import build
from layerloom.schema.document import Document
from serving import Server

SLOW_MS = 180_000
"""Writing a program starts a process that imports torch."""


def exported(page: Page, format: str) -> Download:
    """What a press on a format of the dialog gives."""
    row = page.locator(f"[data-format='{format}']")
    with page.expect_download(timeout=SLOW_MS) as waiting:
        row.get_by_role("button", name="Download").click()
    expect(row).to_have_attribute("data-outcome", "saved")
    return waiting.value


def saved(download: Download, folder: Path) -> Path:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


def test_a_drawing_becomes_onnx_with_the_weights_of_its_initializers(
    page: Page, server: Server, tmp_path: Path
) -> None:
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("export").click()
    dialog = page.get_by_test_id("export-dialog")
    with server.client() as client:
        listed = [form["name"] for form in client.get("/api/graphs/export").json()]
        document = Document.model_validate(client.get("/api/examples").json()[0]["document"])
    for name in listed:
        expect(dialog.locator(f"[data-format='{name}']")).to_be_visible()
    file = saved(exported(page, "onnx"), tmp_path)
    expect(dialog.get_by_test_id("export-report")).to_contain_text("same outputs as torch")
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    x = torch.randn(3, *document.inputs["x"].shape)
    [got] = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    expected = build(document, seed=0).eval()(x).detach()
    torch.testing.assert_close(torch.from_numpy(got), expected, rtol=0, atol=1e-5)


def test_a_broken_drawing_says_so_and_is_still_saved_as_it_is(page: Page, tmp_path: Path) -> None:
    do.new_network(page)
    do.drop(page, "torch.nn.Linear", "Linear", do.centre(page.get_by_test_id("canvas")))
    # Nothing goes into the layer, and nothing comes out of the network.
    expect(page.locator("[data-tab='problems']")).to_contain_text("2")
    do.run_command(page, "Export")
    dialog = page.get_by_test_id("export-dialog")
    expect(dialog.get_by_role("button", name="Download ONNX (.onnx)")).to_be_disabled()
    with page.expect_download() as waiting:
        dialog.locator("[data-format='layerloom']").get_by_role("button").click()
    document = Document.model_validate_json(saved(waiting.value, tmp_path).read_bytes())
    assert [member.name for member in document.blocks[document.main].members] == ["linear"]
    dialog.get_by_role("button", name="Show the problems").click()
    expect(page.get_by_test_id("problems")).to_be_visible()


def test_a_run_gives_its_weights_rounded_and_says_what_that_costs(page: Page, server: Server, tmp_path: Path) -> None:
    run = do.train_quickly(server)
    page.goto(f"/runs/{run}")
    page.get_by_role("button", name="Download").click()
    page.get_by_test_id("export").click()
    page.get_by_text("Last checkpoint").click()
    file = saved(exported(page, "int8_pt2"), tmp_path)
    report = page.get_by_test_id("export-report")
    for figure in ("Weights before", "Weights after", "Largest error", "Mean error"):
        expect(report.get_by_text(figure)).to_be_visible()
    with server.client() as client:
        document = Document.model_validate(client.get(f"/api/runs/{run}").json()["document"])
        content = client.get(f"/api/runs/{run}/export/pt").content
    (tmp_path / "weights.pt").write_bytes(content)
    model = build(document)
    model.load_state_dict(torch.load(tmp_path / "weights.pt"))
    x = torch.randn(4, *document.inputs["x"].shape)
    expected = model.eval()(x).detach()
    off = torch.export.load(file).module()(x).detach() - expected
    assert 0 < float(off.abs().max()) < 0.1 * float(expected.abs().max())
