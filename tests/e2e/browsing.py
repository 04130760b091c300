"""The browser that tests and pictures are made with."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
INSTALLED = ("chromium-headless-shell", "chromium", "chromium-browser")
"""The first is the same engine without a window's surroundings, which cost a quarter of a test's time."""


@contextmanager
def browsing() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own where there is none."""
    installed = next(filter(None, map(shutil.which, INSTALLED)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed, args=ARGUMENTS)
        yield browser
        browser.close()
