"""Draws example networks from the classes that they are held against: ``python docs/draw_examples.py [NAME …]``.

The classes are those of ``tests/originals``; names, texts, plans, example inputs and rules of initializers are taken
from the examples' files, and documents, places on the canvas, output shapes and numbers of parameters are written into
them. Places are those that the editor gives to what nobody placed, block by block.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "e2e")]

from playwright.sync_api import Page

from browsing import browsing
from gestures import sign_in
from layerloom import Document, check, from_module, from_python
from layerloom.graph.examples import shapes
from layerloom.graph.walk import block_order
from layerloom.schema.base import Wire
from layerloom.schema.document import InitRule, InputExample
from originals import LIBRARY, WRITTEN, original, source
from serving import serving

FOLDER = HERE.parent / "backend" / "layerloom" / "graph" / "examples"


def drawn(name: str, inputs: dict[str, Any]) -> Document:
    """The document of a class, proven to be the same module."""
    given = {key: InputExample.model_validate(value) for key, value in inputs.items()}
    if name in LIBRARY:
        return from_module(original(name).eval(), [torch.randn(2, *item.shape) for item in given.values()])
    return from_python(source(name), WRITTEN[name][1], inputs=given)


def placed(document: Document, page: Page) -> Document:
    """With places for what every block shows: each is looked at as the main one."""
    whole = document.model_dump(mode="json")
    views = {name: _view({**whole, "main": name, "name": name, "ui": {}}, page) for name in block_order(document)}
    return Document.model_validate({**whole, "ui": {"blocks": views}})


def _view(whole: dict[str, Any], page: Page) -> dict[str, Any]:
    name = whole["main"]
    text = json.dumps(whole).encode()
    file = page.get_by_test_id("import-file")
    file.set_input_files([{"name": "block.json", "mimeType": "application/json", "buffer": text}])
    page.get_by_test_id("project-menu").filter(has_text=name).wait_for()
    for _ in range(20):
        page.wait_for_timeout(500)  # elk answers from a worker
        page.get_by_test_id("project-menu").click()
        page.get_by_test_id("export").click()
        with page.expect_download() as download:
            page.locator("[data-format='layerloom'] button").click()
        page.keyboard.press("Escape")
        page.get_by_role("dialog").wait_for(state="hidden")
        view: dict[str, Any] = json.loads(download.value.path().read_text())["ui"]["blocks"].get(name, {})
        if view.get("positions"):
            return view
    raise TimeoutError(f"{name} is not laid out")


def told(item: Any) -> Any:
    """As JSON without what has its default, but for what tells kinds apart."""
    if isinstance(item, Wire):
        fields = {key: field.alias or key for key, field in type(item).model_fields.items()}
        values = {key: getattr(item, key) for key in fields}
        tags = {"kind", "op", "format", *(key for key, alias in fields.items() if alias.startswith("$"))}
        kept = (key for key in fields if key in tags or values[key] != type(item).model_fields[key].get_default())
        return {fields[key]: told(values[key]) for key in kept}
    if isinstance(item, dict):
        return {key: told(value) for key, value in item.items()}
    return [told(value) for value in item] if isinstance(item, list) else item


def main(names: list[str]) -> None:
    """Write the examples of these names anew, or all."""
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as server, browsing() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 900}, locale="en-US")
        page.set_default_timeout(120_000)
        sign_in(page, server)
        page.locator("[data-palette='torch.nn.Conv2d']").wait_for()
        for name in names or [*WRITTEN, *LIBRARY]:
            file = FOLDER / f"{name}.json"
            example = json.loads(file.read_text(encoding="utf-8"))
            document = drawn(name, example["document"]["inputs"])
            rules = [InitRule.model_validate(rule) for rule in example["document"].get("init", [])]
            document = document.model_copy(update={"name": example["title"], "init": rules or document.init})
            document = placed(document, page)
            report = check(document)
            example |= {"outputs": shapes(report.outputs), "parameters": report.totals.parameters}
            text = json.dumps({**example, "document": told(document)}, ensure_ascii=False, indent=1)
            file.write_text(f"{text}\n", encoding="utf-8")
            print(name, example["outputs"], example["parameters"], flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
