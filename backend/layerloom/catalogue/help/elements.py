"""docutils' tree to elements of a page: what is in the table below is made, all else is only its content or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from docutils import nodes

from layerloom.catalogue.help.formulas import formula
from layerloom.schema.help import Element, Tag

Content = list[str | Element]

_TAGS: dict[type[nodes.Node], Tag] = {
    nodes.paragraph: "p",
    nodes.bullet_list: "ul",
    nodes.enumerated_list: "ol",
    nodes.list_item: "li",
    nodes.definition_list: "dl",
    nodes.term: "dt",
    nodes.definition: "dd",
    nodes.field_list: "dl",
    nodes.field_name: "dt",
    nodes.field_body: "dd",
    nodes.literal: "code",
    nodes.title_reference: "code",
    nodes.emphasis: "em",
    nodes.strong: "strong",
    nodes.subscript: "sub",
    nodes.superscript: "sup",
    nodes.literal_block: "pre",
    nodes.doctest_block: "pre",
    nodes.block_quote: "blockquote",
    nodes.footnote: "p",
    nodes.citation: "p",
    nodes.title: "h4",
    nodes.rubric: "h4",
    nodes.transition: "hr",
    nodes.line: "p",
    nodes.table: "table",
    nodes.thead: "thead",
    nodes.tbody: "tbody",
    nodes.row: "tr",
    nodes.entry: "td",
}
_NOTHING = (
    nodes.system_message,
    nodes.comment,
    nodes.raw,
    nodes.target,
    nodes.substitution_definition,
    nodes.image,
    nodes.colspec,
    nodes.pending,
)
_WARNINGS = (nodes.warning, nodes.caution, nodes.danger, nodes.error, nodes.attention, nodes.important)
_LEAVES = (nodes.literal_block, nodes.doctest_block)
_MARKS = str.maketrans("", "", "`")


def content(node: nodes.Node) -> Content:
    """What an element of the tree holds."""
    return joined(one for child in node.children for one in elements(child))


def elements(node: nodes.Node) -> Content:
    """What one node becomes."""
    if isinstance(node, nodes.Text):
        return [node.astext().translate(_MARKS)]
    if isinstance(node, _NOTHING):
        return []
    if isinstance(node, nodes.math | nodes.math_block):
        return [formula(node.astext(), display=isinstance(node, nodes.math_block))]
    if isinstance(node, nodes.problematic):
        # A mark that meant nothing: `text without an end, a link without a target.
        text = node.astext().translate(_MARKS)
        return [text.rstrip("_") if len(text) > 2 else text]
    if isinstance(node, nodes.footnote_reference | nodes.citation_reference):
        return [f"[{node.astext()}]"]
    if isinstance(node, nodes.label):
        return [f"[{node.astext()}] "]
    if isinstance(node, _LEAVES):
        return [Element(tag="pre", content=[node.astext()])]
    if isinstance(node, nodes.Admonition):
        kind = "warning" if isinstance(node, _WARNINGS) else "note"
        return [Element(tag="aside", attributes={"kind": kind}, content=content(node))]
    if isinstance(node, nodes.reference):
        return _link(node)
    tag = _TAGS.get(type(node))
    return [Element(tag=tag, content=content(node))] if tag else content(node)


def _link(node: nodes.reference) -> Content:
    """Into the web; a reference that leads elsewhere is its text."""
    href = node.get("refuri", "")
    try:
        good = urlsplit(href).scheme in ("https", "http")
    except ValueError:
        good = False
    return [Element(tag="a", attributes={"href": href}, content=content(node))] if good else content(node)


def joined(parts: Iterable[str | Element]) -> Content:
    """Texts that follow one another as one."""
    made: Content = []
    for part in parts:
        last = made[-1] if made else None
        if isinstance(part, str) and isinstance(last, str):
            made[-1] = last + part
        elif part != "":
            made.append(part)
    return made
