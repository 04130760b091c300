"""Row 27: a page in Chinese says nothing in English but torch's own names, and what is marked as English."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

import gestures as do
from drawings import bring_in, mlp
from serving import Server

SHOWN = """() => {
  const quoted = "script, style, code, pre, kbd, samp, [lang=en], .cm-editor, .react-flow__attribution"
  const found = new Set()
  const see = (element, text) => {
    const seen = element.checkVisibility({ visibilityProperty: true }) && !element.closest(quoted)
    if (text?.trim() && seen) found.add(text.trim())
  }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) see(texts.currentNode.parentElement, texts.currentNode.data)
  for (const name of ["aria-label", "placeholder", "title", "alt"])
    for (const element of document.querySelectorAll(`[${name}]`)) see(element, element.getAttribute(name))
  found.add(document.title)
  return [...found]
}"""
"""Every text that can be seen, or heard from a screen reader."""

WORD = re.compile(r"[A-Za-z][A-Za-z_]+")

OURS = """
LayerLoom PyTorch torch torchvision Python JSON CSV NPZ NumPy Parquet PNG ONNX TorchScript safetensors state_dict
English EN Arrow csv json zip class Module Net model apply fn Kaiming Xavier fp bf
CPU cpu cu while GPU CUDA GB MB KB GiB MiB KiB FLOPs ID URL UTF Ctrl Shift Alt Enter Esc Del Tab
Sequential ModuleList ModuleDict ParameterList ParameterDict True False None NaN Inf auto
"""
"""Names of things, keys and units that Chinese pages write as they are."""


READABLE = """from torch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 2)

    def forward(self, x):
        assert x.ndim == 2
        return self.fc(x)
"""
LOOPS = READABLE.replace("return self", "while x.ndim < 2:\n            x = x[None]\n        return self")


def tokens(text: object) -> set[str]:
    return set(WORD.findall(str(text)))


@pytest.fixture(scope="module")
def run(server: Server) -> str:
    return do.train_quickly(server)


@pytest.fixture(scope="module")
def allowed(server: Server, run: str) -> set[str]:
    """Words that are names: of torch, as the catalogue has them, of networks and formats, of settings, and ours."""
    words = tokens(OURS) | tokens(json.dumps(mlp()))
    with server.client() as client:
        catalogue = client.get("/api/catalogue").json()
        examples = client.get("/api/examples").json()
        formats = [client.get("/api/graphs/export").json(), client.get("/api/graphs/import").json()["files"]]
        plan = client.get(f"/api/runs/{run}").json()["plan"]
    for example in examples:
        words |= tokens(example["zh"])
    for kind in catalogue.values():
        for entry in kind if isinstance(kind, list) else []:
            words |= tokens(entry["name"]) | tokens(entry.get("label", ""))
            for spec in entry.get("parameters", []):
                words |= tokens(spec["name"]) | tokens(spec.get("choices", []))
    return words | tokens(json.dumps(examples[0]["document"])) | tokens(formats) | tokens(plan)


@pytest.fixture
def page(chromium: Browser, server: Server) -> Iterator[Page]:
    """Signed in, by a browser that is Chinese."""
    with chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="zh-CN", base_url=server.url, reduced_motion="reduce"
    ) as context:
        page = context.new_page()
        do.sign_in(page, server)
        expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")
        yield page


def editor(page: Page, _run: str) -> None:
    page.goto("/")
    expect(page.locator("[data-label^='N×']").first).to_be_visible()


def inspector(page: Page, run: str) -> None:
    editor(page, run)
    page.locator("[data-node-id][data-member]").last.click()
    expect(page.get_by_test_id("member-name")).to_be_visible()


def tab(name: str) -> Callable[[Page, str], None]:
    def place(page: Page, run: str) -> None:
        editor(page, run)
        page.locator(f"[data-tab='{name}']").click()
        page.wait_for_load_state("networkidle")

    place.__name__ = f"tab_{name}"
    return place


def menu(page: Page, run: str) -> None:
    editor(page, run)
    page.locator("[data-node-id][data-member]").last.click(button="right")
    expect(page.get_by_test_id("canvas-menu")).to_be_visible()


def helping(page: Page, run: str) -> None:
    inspector(page, run)
    page.get_by_test_id("open-help").click()
    expect(page.locator("[data-part='shape']")).to_be_visible()


def commands(page: Page, run: str) -> None:
    editor(page, run)
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("command-palette")).to_be_visible()


def grouping(page: Page, run: str) -> None:
    editor(page, run)
    page.locator("[data-node-id][data-member]").last.click()
    page.keyboard.press("Control+g")
    expect(page.get_by_test_id("group-apply")).to_be_visible()


def versions(page: Page, run: str) -> None:
    editor(page, run)
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("versions").click()
    expect(page.get_by_role("dialog")).to_be_visible()


def opening(page: Page, run: str) -> None:
    editor(page, run)
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("open-project").click()
    page.get_by_role("tab", name="示例").click()
    expect(page.locator("[data-example]").first).to_be_visible()


def coding(page: Page, run: str, code: str) -> None:
    opening(page, run)
    dialog = page.get_by_test_id("open-dialog")
    dialog.get_by_role("tab").nth(3).click()
    dialog.locator(".cm-content").fill(code)


def importing_runs(page: Page, run: str) -> None:
    coding(page, run, LOOPS)
    expect(page.get_by_test_id("import-off")).to_contain_text("不运行代码就无法")


def importing_wrong(page: Page, run: str) -> None:
    coding(page, run, "class")
    expect(page.get_by_role("alert")).to_be_visible()


def imported(page: Page, run: str) -> None:
    coding(page, run, READABLE)
    page.get_by_test_id("import-open").click()
    expect(page.get_by_text("已打开 Net")).to_be_visible()
    expect(page.get_by_text("没有运行任何代码")).to_be_visible()


def exporting(page: Page, run: str) -> None:
    editor(page, run)
    page.get_by_test_id("project-menu").click()
    page.get_by_test_id("export").click()
    expect(page.locator("[data-format='python']")).to_be_visible()


def training(page: Page, run: str) -> None:
    editor(page, run)
    page.get_by_test_id("train").click()
    expect(page.get_by_test_id("start-run")).to_be_visible()


def broken(page: Page, run: str) -> None:
    editor(page, run)
    document = mlp("坏")
    document["blocks"]["Net"]["members"][2]["arguments"]["in_features"] = 7
    bring_in(page, document)
    page.locator("[data-tab='problems']").click()
    expect(page.locator("[data-code='shape_mismatch']")).to_contain_text("请将 in_features 设为 16，或修改")


def run_tab(index: int) -> Callable[[Page, str], None]:
    def place(page: Page, run: str) -> None:
        page.goto(f"/runs/{run}")
        expect(page.locator("[data-state='succeeded']").first).to_be_visible()
        tab = page.get_by_role("tab").nth(index)
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        page.wait_for_load_state("networkidle")

    place.__name__ = f"run_tab_{index}"
    return place


def downloads(page: Page, run: str) -> None:
    page.goto(f"/runs/{run}")
    page.get_by_role("button", name="下载").click()
    expect(page.get_by_role("menuitem").first).to_be_visible()


def runs(page: Page, _run: str) -> None:
    page.goto("/runs")
    expect(page.locator("[data-state='succeeded']").first).to_be_visible()


def data(page: Page, _run: str) -> None:
    page.goto("/data")
    page.wait_for_load_state("networkidle")


def nowhere(page: Page, _run: str) -> None:
    page.goto("/nowhere")
    page.wait_for_load_state("networkidle")


PLACES = [
    editor,
    inspector,
    *map(tab, ("problems", "code", "shapes", "rules", "lab")),
    menu,
    helping,
    commands,
    grouping,
    versions,
    opening,
    importing_runs,
    importing_wrong,
    imported,
    exporting,
    training,
    broken,
    *map(run_tab, range(8)),
    downloads,
    runs,
    data,
    nowhere,
]


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.__name__)
def test_row_27_no_english_is_left_in_chinese(
    page: Page, place: Callable[[Page, str], None], run: str, allowed: set[str]
) -> None:
    place(page, run)
    shown: list[str] = page.evaluate(SHOWN)
    assert any(re.search(r"[\u4e00-\u9fff]", text) for text in shown)
    left = [f"{sorted(words)} in {text!r}" for text in shown if (words := tokens(text) - allowed)]
    assert not left, "\n".join(left)
