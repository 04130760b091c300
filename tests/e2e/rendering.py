"""Which components of the page React renders, as the developer tools learn of it: the page itself counts nothing."""

from __future__ import annotations

from playwright.sync_api import Page

LISTEN = """() => {
  const counts = {};
  const RENDERED = 1;  // the flag PerformedWork, which the tools highlight renders by
  const visit = (fiber) => {
    const { memoizedProps: props, alternate } = fiber;
    const isNode = typeof fiber.type !== "string" && props && props.id && props.data && props.data.size;
    if (isNode && fiber.flags & RENDERED) counts[props.id] = (counts[props.id] ?? 0) + 1;
    // What React did not go into is the same object as before.
    if (alternate && alternate.child === fiber.child) return;
    for (let child = fiber.child; child; child = child.sibling) visit(child);
  };
  window.rendered = counts;
  window.__REACT_DEVTOOLS_GLOBAL_HOOK__ = {
    isDisabled: false,
    supportsFiber: true,
    inject: () => 1,
    onCommitFiberUnmount: () => undefined,
    onPostCommitFiberRoot: () => undefined,
    onCommitFiberRoot: (_, root) => visit(root.current),
  };
}"""


def listen(page: Page) -> None:
    """Count from the next load of the page on."""
    page.add_init_script(f"({LISTEN})()")
    page.reload()


def begin(page: Page) -> None:
    """Forget what was counted."""
    page.evaluate("() => { for (const id of Object.keys(window.rendered)) delete window.rendered[id]; }")


def counted(page: Page) -> dict[str, int]:
    """Per node of the canvas, how often it was rendered."""
    found: dict[str, int] = page.evaluate("() => ({ ...window.rendered })")
    return found
