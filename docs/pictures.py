"""Takes the README's picture from the real page of a real server: ``make pictures``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent / "tests"), str(HERE.parent / "tests" / "e2e")]

from browsing import browsing
from gestures import sign_in
from serving import serving


def main() -> None:
    """Open the first example, choose its first stage, and keep what is on the screen."""
    with (
        tempfile.TemporaryDirectory() as home,
        serving(Path(home)) as server,
        browsing() as browser,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme="light", locale="en-US")
        sign_in(page, server)
        page.locator("[data-label^='N×']").first.wait_for(timeout=120_000)
        page.locator("[data-palette='torch.nn.Conv2d']").wait_for(timeout=120_000)
        page.locator("[data-item='stage1.0']").click()
        page.wait_for_timeout(500)
        page.screenshot(path=HERE / "editor.png")


if __name__ == "__main__":
    main()
