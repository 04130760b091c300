"""A person's hands, which count what they do."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

import gestures as do


class Hands:
    """A gesture is a click, a shortcut, or one text with the Enter that concludes it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.gestures = 0

    def click(self, what: Locator) -> None:
        """Press and release on the middle of it."""
        self.gestures += 1
        what.click()

    def press(self, keys: str) -> None:
        """One shortcut."""
        self.gestures += 1
        self.page.keyboard.press(keys)

    def write(self, text: str) -> None:
        """A text and Enter, over what is selected where the focus is."""
        self.gestures += 1
        self.page.keyboard.type(text)
        self.page.keyboard.press("Enter")

    def add(self, call: str, member: str) -> Locator:
        """Behind the selected node: a layer's name, or a call as Python writes it; returns the new, selected node."""
        self.press("/")
        search = self.page.get_by_test_id("quick-add")
        search.wait_for()
        self.gestures += 1
        self.page.keyboard.type(call)
        # With a class behind the name it says what it will add.
        expect(search.get_by_role("option").first).to_contain_text(call)
        self.page.keyboard.press("Enter")
        node = do.node(self.page, member)
        node.wait_for()
        return node

    def fill(self, field: Locator, text: str) -> None:
        """Click into a field, and write over what it holds."""
        self.gestures += 1
        field.click(click_count=3)  # a double click would take a word of it
        self.write(text)

    def set(self, parameter: str, value: float) -> None:
        """A number in the inspector."""
        self.fill(self.page.locator(f"[data-parameter='{parameter}'] input").first, str(value))

    def rename(self, name: str) -> None:
        """The selected layer's attribute name."""
        self.fill(self.page.get_by_label("Attribute name"), name)
