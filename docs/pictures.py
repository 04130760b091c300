"""Takes the pictures of README and ``docs/screens.md`` from the real page of a real server: ``make pictures``."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "e2e")]

from playwright.sync_api import Browser, Page

from browsing import browsing
from gestures import sign_in
from serving import Server, serving

LARGE, SMALL = (1440, 900), (1280, 720)
WAIT_MS = 240_000


@contextmanager
def opened(
    browser: Browser, server: Server, size: tuple[int, int], colours: Literal["light", "dark"], language: str
) -> Iterator[Page]:
    """The first page, drawn and checked, on a screen of that size."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme=colours,
        locale=language,
        reduced_motion="reduce",
        base_url=server.url,
    )
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    sign_in(page, server)
    page.locator("[data-label^='N×']").first.wait_for()
    page.locator("[data-palette='torch.nn.Conv2d']").wait_for()
    yield page
    context.close()


def keep(page: Page, name: str) -> None:
    """What is on the screen, once it stands still."""
    page.wait_for_timeout(800)
    page.screenshot(path=HERE / "screens" / f"{name}.png")


def editor(page: Page) -> None:
    """The first example with a layer chosen."""
    page.locator("[data-item='stage1.0']").click()


def lab(page: Page) -> None:
    """What initializers do to it before it trains."""
    page.get_by_role("tab", name="Init lab").click()
    page.locator("[data-verdict]").first.wait_for()


def run(page: Page) -> None:
    """A run of some epochs, its network beside the curves."""
    page.get_by_test_id("train").click()
    page.get_by_label("Epochs").fill("12")
    page.get_by_test_id("start-run").click()
    page.wait_for_url("**/runs/*")
    page.locator("[data-state='succeeded']").wait_for()


def main() -> None:
    """One server, and a window for each picture."""
    (HERE / "screens").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, serving(Path(home)) as server, browsing() as browser:
        server.warm()
        with opened(browser, server, LARGE, "light", "en-US") as page:
            editor(page)
            keep(page, "editor")
        with opened(browser, server, SMALL, "dark", "zh-CN") as page:
            editor(page)
            keep(page, "editor-dark-chinese")
        with opened(browser, server, LARGE, "dark", "en-US") as page:
            lab(page)
            keep(page, "init-lab-dark")
        with opened(browser, server, SMALL, "light", "en-US") as page:
            run(page)
            keep(page, "run")


if __name__ == "__main__":
    main()
