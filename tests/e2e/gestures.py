"""What a person does with mouse and keyboard, in words. Nothing here reaches into the page's state."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from serving import Server, wait_for_run

ACQUAINTED = """() => {
  try {
    if (sessionStorage.getItem("acquainted")) return;
    sessionStorage.setItem("acquainted", "yes");
    localStorage.setItem("layerloom.tour", "seen");
  } catch {}  // a page that has no storage shows no tour
}"""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def sign_in(page: Page, server: Server) -> None:
    """Open the page as the address in the terminal does: a single-use code becomes the cookie."""
    # Whoever tests has taken the tour; a test of the tour forgets that.
    page.add_init_script(f"({ACQUAINTED})()")
    with server.client() as client:
        answer = client.post("/api/session/code").raise_for_status().json()
    page.goto(f"{server.url}/?code={answer['code']}")


def train_quickly(server: Server, epochs: int = 2) -> str:
    """A finished run of the first example, by the API; its id."""
    with server.client() as client:
        example = client.get("/api/examples").raise_for_status().json()[0]
        plan = {"dataset": example["plan"]["dataset"], "epochs": epochs, "seed": 0}
        answer = client.post("/api/runs", json={"document": example["document"], "plan": plan})
        run: str = answer.raise_for_status().json()["id"]
        assert wait_for_run(client, run, "succeeded", "failed")["state"] == "succeeded"
    return run


def centre(locator: Locator) -> tuple[float, float]:
    """Middle of an element on the screen, once it stays where it is: a view that has just opened may still move."""
    locator.wait_for()
    before, box = None, locator.bounding_box()
    while box != before:
        locator.page.evaluate(TWO_FRAMES)
        before, box = box, locator.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, start: tuple[float, float], end: tuple[float, float], steps: int = 12) -> None:
    """Press, move, release."""
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=steps)
    page.mouse.up()


def new_network(page: Page) -> None:
    """Project menu → New."""
    page.get_by_test_id("project-menu").click()
    page.get_by_role("menuitem", name="New").click()
    expect(page.locator("[data-node-id]:not([data-node-id^='input'], [data-node-id='output'])")).to_have_count(0)


def run_command(page: Page, words: str) -> None:
    """The first command of the palette that these words find."""
    page.keyboard.press("Control+k")
    field = page.get_by_role("combobox", name="Commands")
    expect(field).to_be_focused()
    field.fill(words)
    field.press("Enter")


def search_palette(page: Page, text: str) -> None:
    """Type into the palette's search field."""
    page.get_by_label("Search layers and operations").fill(text)


def drop(page: Page, palette_id: str, search: str, at: tuple[float, float]) -> None:
    """Drag a palette item to a place on the canvas."""
    search_palette(page, search)
    drag(page, centre(page.locator(f"[data-palette='{palette_id}']").first), at)


def node(page: Page, member: str) -> Locator:
    """A layer's node by its attribute name."""
    return page.locator(f"[data-node-id][data-member='{member}']")


def port(where: Locator, side: str, name: str | None = None) -> Locator:
    """A handle of a node."""
    named = f"[data-port='{name}']" if name else ""
    return where.locator(f"[data-side='{side}']{named}").first


def connect(page: Page, source: Locator, target: Locator, name: str | None = None) -> None:
    """Drag from the source's first output to an input of the target."""
    edges = page.locator("[data-edge]")
    before = edges.count()
    drag(page, centre(port(source, "output")), centre(port(target, "input", name)))
    expect(edges).to_have_count(before + 1)


def choose(page: Page, field: Locator, option: str) -> None:
    """Pick from a searchable select."""
    field.click()
    page.get_by_role("option", name=option, exact=True).click()


def set_number(page: Page, parameter: str, value: float) -> None:
    """Type a number into the inspector's field of a parameter."""
    field = page.locator(f"[data-parameter='{parameter}'] input").first
    field.fill(str(value))
    field.press("Enter")


def rename(page: Page, name: str) -> None:
    """Type an attribute name into the inspector."""
    field = page.get_by_label("Attribute name")
    field.fill(name)
    field.press("Enter")


def by_id(page: Page, node_id: str) -> Locator:
    """What is drawn for a canvas id: a node, `input:x` or `output`."""
    return page.locator(f"[data-node-id='{node_id}']")


def edge(page: Page, source: str, target: str) -> Locator:
    """Connections from one canvas id to another."""
    return page.locator(f"[data-edge^='{source}→{target}:']")


def along(edge: Locator, part: float = 0.5) -> tuple[float, float]:
    """A point of the screen on a connection, that far from its beginning."""
    x, y = edge.locator(".react-flow__edge-path").evaluate(
        """(path, part) => {
            const { x, y } = path.getPointAtLength(path.getTotalLength() * part).matrixTransform(path.getScreenCTM());
            return [x, y];
        }""",
        part,
    )
    return x, y


def blank(page: Page, down: float = 0.5) -> tuple[float, float]:
    """A point of the canvas on which nothing is drawn, to the right of the nodes; that far down."""
    box = page.get_by_test_id("canvas").bounding_box()
    assert box is not None
    return box["x"] + box["width"] * 0.83, box["y"] + box["height"] * down


def middle(page: Page) -> tuple[float, float]:
    """Middle of the canvas on the screen."""
    return centre(page.get_by_test_id("canvas"))


def pan(page: Page, right: float, down: float) -> None:
    """Drag the canvas."""
    start = blank(page)
    drag(page, start, (start[0] + right, start[1] + down))


def last_step(page: Page, label: str | None) -> None:
    """What undo would take back; nothing, for None."""
    undo = page.get_by_test_id("undo")
    if label is None:
        expect(undo).to_be_disabled()
    else:
        expect(undo).to_have_accessible_name(f"Undo: {label}")
