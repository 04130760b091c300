"""What a help card shows: a docstring, taken apart and rendered as a tree of a few known elements."""

from __future__ import annotations

from typing import Literal

from layerloom.schema.base import Wire

Tag = Literal[
    # Text.
    "p", "ul", "ol", "li", "dl", "dt", "dd", "pre", "code", "em", "strong", "sub", "sup", "a", "blockquote", "aside",
    "h4", "hr", "br", "table", "thead", "tbody", "tr", "th", "td",
    # Formulas, in MathML.
    "math", "mrow", "mi", "mn", "mo", "ms", "mtext", "mspace", "mfrac", "msqrt", "mroot", "mstyle", "mpadded",
    "mphantom", "menclose", "msub", "msup", "msubsup", "munder", "mover", "munderover", "mmultiscripts", "mprescripts",
    "mtable", "mtr", "mtd",
]  # fmt: skip
"""The only elements that there are. None of them can run or load anything."""


class Element(Wire):
    """An element of a page, to be made as it is: text in it is text, never markup."""

    tag: Tag
    attributes: dict[str, str] = {}
    """``href`` of a link, which begins with ``https://`` or ``http://``; of formulas, how they are set; ``kind`` of an
    ``aside``: ``note`` or ``warning``."""
    content: list[str | Element] = []


class HelpParameter(Wire):
    """What is said of one parameter or attribute."""

    name: str
    type: str = ""
    """As it is written: ``int or tuple, optional``."""
    content: list[str | Element] = []


class Help(Wire):
    """Answer of ``GET /api/catalogue/help/{name}``: a docstring by its parts. Empty where there is none."""

    description: list[str | Element] = []
    shape: list[str | Element] = []
    """The shape rule: what goes in and what comes out."""
    parameters: list[HelpParameter] = []
    attributes: list[HelpParameter] = []
    returns: list[str | Element] = []
    notes: list[str | Element] = []
    examples: list[str | Element] = []
