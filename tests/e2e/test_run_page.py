"""A run as a viewer sees it: live, after a reload, on a second page, and through a server that is killed."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

import gestures as do
from serving import Server, serving

FIGURES = """() => Object.fromEntries([...document.querySelectorAll("dd[data-series]")]
    .map((it) => [it.dataset.series + "/" + it.dataset.kind, it.dataset.value]))"""


def figures(page: Page) -> dict[str, str]:
    """The exact numbers on the page."""
    expect(page.locator("[data-state='succeeded']")).to_be_visible(timeout=60_000)
    expect(page.locator("dd[data-series='validation/accuracy'][data-kind='last']")).to_be_visible()
    found: dict[str, str] = page.evaluate(FIGURES)
    return found


def test_a_reload_and_a_second_viewer_see_the_same(page: Page, server: Server, chromium: Browser) -> None:
    run = do.train_quickly(server)
    page.goto(f"/runs/{run}")
    first = figures(page)
    assert "train/loss/last" in first
    page.reload()
    assert figures(page) == first
    with chromium.new_context(base_url=server.url) as context:
        other = context.new_page()
        do.sign_in(other, server)
        other.goto(f"/runs/{run}")
        assert figures(other) == first


def test_stop_pause_and_resume(page: Page, server: Server) -> None:
    with server.client() as client:
        example = client.get("/api/examples").json()[0]
        plan = {"dataset": "digits", "epochs": 100_000}
        run = client.post("/api/runs", json={"document": example["document"], "plan": plan}).json()["id"]
    page.goto(f"/runs/{run}")
    expect(page.locator("[data-series='train/loss']").first).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-state='paused']")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-state='running']")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    page.get_by_test_id("confirm-stop").click()
    expect(page.locator("[data-state='stopped']")).to_be_visible(timeout=60_000)


def test_parameters_show_norms_and_histograms(page: Page, server: Server) -> None:
    page.goto(f"/runs/{do.train_quickly(server)}")
    page.get_by_role("tab", name="Parameters").click()
    expect(page.get_by_text("weight").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()


@pytest.mark.timeout(400)
def test_a_killed_server_is_survived(chromium: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "home") as server, chromium.new_context(base_url=server.url) as context:
        page = context.new_page()
        do.sign_in(page, server)
        with server.client() as client:
            example = client.get("/api/examples").json()[0]
            plan = {"dataset": "digits", "epochs": 60}
            run = client.post("/api/runs", json={"document": example["document"], "plan": plan}).json()["id"]
        page.goto(f"/runs/{run}")
        expect(page.locator("[data-series='train/loss']").first).to_be_visible(timeout=60_000)
        port = int(server.url.rpartition(":")[2])
        server.kill()
        expect(page.get_by_role("status").or_(page.get_by_role("alert")).first).to_be_visible()
        server.start(port)
        expect(page.locator("[data-state='succeeded']")).to_be_visible(timeout=240_000)
        with server.client() as client:
            events = client.get(f"/api/runs/{run}/events", params={"after": 0, "limit": 1000}).json()["items"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
