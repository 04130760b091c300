"""reStructuredText to docutils' tree, with Sphinx's roles and directives as far as torch uses them, and safely.

Whatever cannot be understood becomes plain text or nothing; docutils' own messages are never part of the result.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any, ClassVar

from docutils import nodes
from docutils.core import publish_doctree
from docutils.parsers.rst import Directive, Parser, directives, states
from docutils.parsers.rst.directives import admonitions

from layerloom.catalogue.help.sections import CODE, ENTRY, SECTION
from layerloom.catalogue.words import DOCS

LENGTH_LIMIT = 30_000
"""Characters of a docstring; what is longer is cut."""
_SETTINGS = {
    "file_insertion_enabled": False,
    "raw_enabled": False,
    "_disable_config": True,
    "report_level": 5,
    "halt_level": 5,
    "warning_stream": False,
    "syntax_highlight": "none",
    "smart_quotes": False,
    "doctitle_xform": False,
    "sectsubtitle_xform": False,
}
_TARGET = re.compile(r"^(?P<text>.*?)\s*<(?P<target>[^<>]*)>$", re.S)
_PAGE = re.compile(r"^/?[\w/]+$")
_SPACE = re.compile(r"\s+")
_AS_TEXT = {"ref", "doc", "term", "any", "numref", "std:ref", "std:doc", "abbr", "guilabel"}
"""Roles whose text is a phrase; that of all others is a name in code."""


class Section(nodes.Element):  # type: ignore[misc]
    """A part of the card; ``kind`` says which."""


class Entry(nodes.Element):  # type: ignore[misc]
    """A parameter or an attribute: ``name`` and ``type``, and what is said of it."""


def parsed(text: str) -> nodes.document:
    """The tree of a text, its links resolved."""
    _registered()
    inliner = states.Inliner()
    # No subclass: docutils reads the attributes of the class itself.
    inliner.interpreted = _interpreted
    parser = Parser(inliner=inliner)
    tree: nodes.document = publish_doctree(text, parser=parser, settings_overrides=_SETTINGS)
    return tree


def _interpreted(rawsource: str, text: str, role: str | None, _line: int) -> tuple[list[Any], list[Any]]:
    """Text with a role, whatever role it is: none has to be registered for the whole process."""
    if role == "math":
        # Of a formula, the backslashes are kept.
        tex = rawsource[rawsource.index("`") + 1 : rawsource.rindex("`")]
        return [nodes.math(tex, tex)], []
    shown = _SPACE.sub(" ", nodes.unescape(text)).strip()
    titled = _TARGET.match(shown)
    short = shown.startswith("~")
    shown = (titled["text"] if titled and titled["text"] else shown).lstrip("~!")
    kinds = {"sub": nodes.subscript, "subscript": nodes.subscript, "sup": nodes.superscript}
    kinds |= {"superscript": nodes.superscript, "emphasis": nodes.emphasis, "strong": nodes.strong}
    if role in kinds:
        return [kinds[role](shown, shown)], []
    if role == "doc" and _PAGE.match(page := titled["target"] if titled else shown):
        name = titled["text"] if titled and titled["text"] else page.rpartition("/")[2]
        return [nodes.reference(name, name, refuri=f"{DOCS}/{page.strip('/.')}.html")], []
    if role in _AS_TEXT:
        return [nodes.inline(shown, shown)], []
    shown = shown.rpartition(".")[2] if short and not titled else shown
    return [nodes.literal(shown, shown)], []


class _Section(Directive):  # type: ignore[misc]
    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        made = Section(kind=self.arguments[0])
        self.state.nested_parse(self.content, self.content_offset, made)
        return [made]


class _Entry(Directive):  # type: ignore[misc]
    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        name, _, kind = self.arguments[0].partition(" | ")
        made = Entry(name=name.strip(" |"), type=_SPACE.sub(" ", kind).strip())
        self.state.nested_parse(self.content, self.content_offset, made)
        return [made]


class _Code(Directive):  # type: ignore[misc]
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec: ClassVar[dict[str, Any]] = dict.fromkeys(
        ("linenos", "emphasize-lines", "caption", "name", "label", "nowrap", "no-wrap"), directives.unchanged
    )

    def run(self) -> list[nodes.Node]:
        text = "\n".join(self.content)
        return [nodes.literal_block(text, text)]


class _Math(_Code):
    """Several formulas, apart by empty lines, unless they are the lines of one."""

    def run(self) -> list[nodes.Node]:
        text = "\n".join([*self.arguments, *self.content])
        whole = "\\begin" in text
        return [nodes.math_block(tex, tex) for tex in ([text] if whole else re.split(r"\n\s*\n", text)) if tex.strip()]


class _Nothing(Directive):  # type: ignore[misc]
    optional_arguments = 1
    final_argument_whitespace = True
    has_content = True
    option_spec = _Code.option_spec

    def run(self) -> list[nodes.Node]:
        return []


class _Aside(admonitions.BaseAdmonition):  # type: ignore[misc]
    """``.. note:: text``, of whatever Sphinx calls it."""

    node_class = nodes.note
    optional_arguments = 0
    final_argument_whitespace = True


class _Versioned(Directive):  # type: ignore[misc]
    """``.. deprecated:: 2.0`` with the reason: a warning of it; what was added when is left out."""

    required_arguments = 1
    final_argument_whitespace = True
    has_content = True

    def run(self) -> list[nodes.Node]:
        if self.name != "deprecated":
            return []
        made = nodes.warning()
        said = f"Deprecated since {self.arguments[0].partition(chr(10))[0]}."
        made += nodes.paragraph(said, said)
        self.state.nested_parse(self.content, self.content_offset, made)
        return [made]


@cache
def _registered() -> None:
    """Directives are known to a whole process. These are all that are added to docutils' own."""
    for name, directive in {
        SECTION: _Section,
        ENTRY: _Entry,
        **dict.fromkeys((CODE, "testcode", "testoutput", "doctest", "code-block", "sourcecode"), _Code),
        "math": _Math,
        **dict.fromkeys(("seealso", "todo"), _Aside),
        **dict.fromkeys(("deprecated", "versionadded", "versionchanged"), _Versioned),
        **dict.fromkeys(("autosummary", "autofunction", "autoclass", "currentmodule", "plot", "image"), _Nothing),
        **dict.fromkeys(("figure", "include", "raw", "csv-table", "role", "default-role"), _Nothing),
    }.items():
        directives.register_directive(name, directive)
