"""TeX to MathML, by docutils' own converter."""

from __future__ import annotations

import re
from functools import lru_cache
from html import unescape
from typing import get_args
from xml.etree import ElementTree

from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml

from layerloom.schema.help import Element, Tag

_TAGS = frozenset(get_args(Tag))
_ATTRIBUTES = frozenset(
    {"accent", "accentunder", "columnalign", "columnspacing", "depth", "display", "displaystyle", "fence", "form"}
    | {"height", "largeop", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "notation"}
    | {"rowspacing", "rspace", "scriptlevel", "separator", "stretchy", "symmetric", "voffset", "width"}
)
"""How a formula is set. No other attribute is given on."""

_NAMED = re.compile(r"&(?!lt;|gt;|amp;|quot;|apos;)\w+;")


@lru_cache(maxsize=1024)
def formula(tex: str, *, display: bool) -> Element:
    """A formula as MathML; its source, as code, where that cannot be had."""
    known = _known(tex)
    try:
        # Names of characters that XML itself does not know.
        written = _NAMED.sub(lambda match: unescape(match[0]), tex2mathml(known, as_block=display))
        tree = ElementTree.fromstring(written)  # noqa: S314 the converter's own words
    except (MathError, ElementTree.ParseError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        return Element(tag="pre" if display else "code", content=[tex.strip()])
    return _element(tree)


_REWRITTEN = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (r"%[^\n]*(\n|$)", r" "),
        (r"\\rule\{[^{}]*\}\{[^{}]*\}", r""),
        (r"\\\\\s*\[[^\]]*\]", r"\\\\ "),
        (r"\\dots\b", r"\\ldots "),
        (r"\\(?:displaystyle|limits|nolimits|mathrlap|mathllap|mathbin|mathrel|mathop)(?![a-zA-Z])", r""),
        (r"\\cancel\{=\}", r"\\ne "),
        (r"\{\\(rm|bf|it|tt)\s+([^{}]*)\}", r"\\text{\2}"),
        (r"\\(?:text(?:bf|it|tt|rm|sf|sc)|bf|mbox|textnormal)\s*\{", r"\\text{"),
        (r"\\h(?:space|skip)\s*\{[^{}]*\}", r"\\quad "),
        (r"\\(?:[bB]igg?)[lrm]?(?![a-zA-Z])", r""),
        (r"\\(begin|end)\{align\*?\}", r"\\\1{aligned}"),
        (r"@", r"\\text{@}"),
    )
)
"""Commands of TeX that torch's documentation uses and the converter does not know, and what says nearly the same."""
_WORDS = re.compile(r"\\text\{[^{}]*\}")
_ARRAY = re.compile(r"\\begin\{array\}\s*\{[^{}]*\}(.*?)\\end\{array\}", re.S)


def _known(tex: str) -> str:
    """The same formula in the commands that the converter knows."""
    for pattern, instead in _REWRITTEN:
        tex = pattern.sub(instead, tex)
    tex = _WORDS.sub(lambda words: words[0].replace(r"\_", "_"), tex)
    return _ARRAY.sub(_aligned, tex)


def _aligned(array: re.Match[str]) -> str:
    """An array as lines that begin at the same place."""
    rows = [row.strip() for row in array[1].split(r"\\") if row.strip()]
    return r"\begin{aligned}" + r" \\ ".join(row if "&" in row else f"& {row}" for row in rows) + r"\end{aligned}"


def _element(node: ElementTree.Element) -> Element:
    tag = node.tag.rpartition("}")[2]
    content: list[str | Element] = [node.text] if node.text and node.text.strip("\n ") else []
    for child in node:
        content.append(_element(child))
        if child.tail and child.tail.strip("\n "):
            content.append(child.tail)
    attributes = {name: value for name, value in node.attrib.items() if name in _ATTRIBUTES}
    if "ams-align" in node.get("class", ""):
        attributes["columnalign"] = "right left"
    return Element(tag=tag if tag in _TAGS else "mrow", attributes=attributes, content=content)
