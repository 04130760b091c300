"""A run as a viewer sees it: live, after a reload, on a second page, and through a server that is killed."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Browser, Page, expect

import gestures as do
from layerloom.schema.events import Metrics, StateChanged
from layerloom.storage import open_store
from serving import Server, serving
from stores import add_run, running
from waiting import wait_for

FIGURES = """() => Object.fromEntries([...document.querySelectorAll("dd[data-series]")]
    .map((it) => [it.dataset.series + "/" + it.dataset.kind, it.dataset.value]))"""


def figures(page: Page) -> dict[str, str]:
    """The exact numbers on the page."""
    expect(page.locator("[data-state='succeeded']")).to_be_visible()
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
    expect(page.locator("[data-series='train/loss']").first).to_be_visible()
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("[data-state='paused']")).to_be_visible()
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("[data-state='running']")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    page.get_by_test_id("confirm-stop").click()
    expect(page.locator("[data-state='stopped']")).to_be_visible()


def test_parameters_show_norms_and_histograms(page: Page, server: Server) -> None:
    page.goto(f"/runs/{do.train_quickly(server)}")
    page.get_by_role("tab", name="Parameters").click()
    expect(page.get_by_text("weight").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.get_by_test_id("rates")).to_contain_text("of the time, at most 2%")
    page.get_by_role("tab", name="Layers").click()
    expect(page.get_by_role("region", name="Layer").get_by_role("button").first).to_be_visible()
    expect(page.get_by_test_id("rates")).to_be_visible()
    page.get_by_role("tab", name="Graph").click()
    page.get_by_text("Dead units").click()
    expect(page.locator("[data-measured]").first).to_be_visible()


def prepare(home: Path, steps: int) -> str:
    """A run that ended long ago, with so many steps, whose losses are a thousandth of them."""
    store = open_store(f"sqlite:///{home / 'layerloom.db'}", home / "runs")
    run = add_run(store)
    store.log.say(run, running())
    for first in range(1, steps, steps // 10):
        those = range(first, first + steps // 10)
        numbers = {"epochs": [step / 100 for step in those], "times": [step / 1000 for step in those]}
        store.log.say(run, Metrics(steps=those, series={"train/loss": [step / 1000 for step in those]}, **numbers))
    store.log.say(run, StateChanged(state="succeeded"))
    store.close()
    return run


TEXTS = """(() => {
    const { fillText } = CanvasRenderingContext2D.prototype;
    window.written = [];
    CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
        if (this.textAlign === "center" && this.canvas.closest("figure"))
            window.written.push([text, x + this.measureText(text).width / 2, this.canvas.width]);
        return fillText.call(this, text, x, y, ...rest);
    };
})()"""
LAST = "window.written.findLast(([text]) => text === '6000')"


def test_the_last_number_of_an_axis_is_not_cut(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    run = prepare(tmp_path / "home", 6_000)
    with serving(tmp_path / "home") as server, chromium.new_context(base_url=server.url) as context:
        page = context.new_page()
        page.add_init_script(TEXTS)
        do.sign_in(page, server)
        page.goto(f"/runs/{run}")
        wait_for(lambda: page.evaluate(LAST), "the axis is drawn")
        _, end, width = page.evaluate(LAST)
        assert end <= width


def test_a_long_run_opens_at_once_and_is_exact_where_one_looks(chromium: Browser, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    run = prepare(tmp_path / "home", 1_000_000)
    with serving(tmp_path / "home") as server, chromium.new_context(base_url=server.url) as context:
        page = context.new_page()
        do.sign_in(page, server)
        frames: list[str | bytes] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: frames.append(frame)))
        page.goto(f"/runs/{run}")
        expect(page.locator("dd[data-series='train/loss'][data-kind='last']")).to_have_attribute("data-value", "1000")
        plot = page.locator("figure .u-over").first
        for _ in range(3):
            box = plot.bounding_box()
            assert box is not None
            middle = box["y"] + box["height"] / 2
            page.mouse.move(box["x"] + 0.5 * box["width"], middle)
            page.mouse.down()
            page.mouse.move(box["x"] + 0.6 * box["width"], middle, steps=3)
            with page.expect_response(lambda answer: "/series?first=" in answer.url) as answered:
                page.mouse.up()
        [curve] = answered.value.json()["items"]
        assert set(curve["counts"]) == {1}
        assert curve["means"] == [step / 1000 for step in curve["steps"]]
        # A tenth of a tenth of a tenth, to whole pixels of a plot whose labels take more or less room.
        assert 950 <= len(curve["steps"]) <= 1_100
        tooltip = page.locator("figure [class*=tooltip]").first
        expect(tooltip).not_to_contain_text("≈")
        # Queued, starting to end, and the events of all steps but the last ones are not among them.
        assert 0 < len(frames) < 8
        assert sum(map(len, frames)) < 10_000


def test_a_killed_server_is_survived(chromium: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "home") as server, chromium.new_context(base_url=server.url) as context:
        page = context.new_page()
        do.sign_in(page, server)
        with server.client() as client:
            example = client.get("/api/examples").json()[0]
            plan = {"dataset": "digits", "epochs": 20}
            run = client.post("/api/runs", json={"document": example["document"], "plan": plan}).json()["id"]
        page.goto(f"/runs/{run}")
        expect(page.locator("[data-series='train/loss']").first).to_be_visible()
        port = int(server.url.rpartition(":")[2])
        server.kill()
        expect(page.get_by_role("status").or_(page.get_by_role("alert")).first).to_be_visible()
        server.start(port)
        expect(page.locator("[data-state='succeeded']")).to_be_visible()
        with server.client() as client:
            events = client.get(f"/api/runs/{run}/events", params={"after": 0, "limit": 1000}).json()["items"]
        assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
