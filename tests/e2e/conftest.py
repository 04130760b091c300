"""A real Chromium on a real server. A test fails when the page logs an error that it did not announce."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from browsing import browsing
from gestures import sign_in
from serving import HANG_GUARD_S, Server, serving

expect.set_options(timeout=1000 * HANG_GUARD_S)
VIEWPORT = {"width": 1440, "height": 900}
SMALL = {"width": 1024, "height": 640}


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser for all tests."""
    with browsing() as browser:
        yield browser


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all browser tests, with torch imported and the catalogue made."""
    with serving(tmp_path_factory.mktemp("home")) as running:
        running.warm()
        yield running


class Errors(list[str]):
    """What the page logged as an error or threw; ``expect`` removes what a test provokes on purpose."""

    def expect(self, part: str) -> None:
        kept = [text for text in self if part not in text]
        assert len(kept) < len(self), f"no error with {part!r} among {list(self)}"
        self[:] = kept


@pytest.fixture
def errors() -> Errors:
    return Errors()


@pytest.fixture
def page(chromium: Browser, server: Server, errors: Errors, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh, signed-in page on the editor, in English and light colours."""
    context = chromium.new_context(
        viewport=VIEWPORT, locale="en-US", color_scheme="light", accept_downloads=True, base_url=server.url
    )
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url)
    # Takes a quarter of a test's time. Without pictures of each moment: what a failed step saw is in its snapshot.
    traced = "LAYERLOOM_TRACE" in os.environ
    if traced:
        context.tracing.start(snapshots=True)
    page = context.new_page()
    page.set_default_timeout(1000 * HANG_GUARD_S)
    watch(page, errors)
    sign_in(page, server)
    yield page
    failed = getattr(request.node, "failed", False)
    folder = Path("test-results") / request.node.name.replace("/", "_")
    if failed:
        folder.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=folder / "page.png")
    if traced:
        context.tracing.stop(path=folder / "trace.zip" if failed else None)
    context.close()
    assert not errors, f"the page logged errors: {list(errors)}"


@pytest.fixture
def quick_page(chromium: Browser, server: Server, errors: Errors) -> Iterator[Page]:
    """The same for hundreds of steps: a small screen on which nothing moves, and no trace of what was done."""
    with chromium.new_context(
        viewport=SMALL, locale="en-US", reduced_motion="reduce", accept_downloads=True, base_url=server.url
    ) as context:
        page = context.new_page()
        watch(page, errors)
        sign_in(page, server)
        yield page
    assert not errors, f"the page logged errors: {list(errors)}"


def watch(page: Page, errors: Errors) -> None:
    """Collect console errors and uncaught exceptions."""

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            errors.append(f"{message.text} ({message.location['url']})")

    page.on("console", on_console)
    page.on("pageerror", lambda error: errors.append(str(error)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:
        item.failed = True  # type: ignore[attr-defined]
    return report
