"""Google sections to reStructuredText: ``Args:`` with an indented block becomes a directive of that content."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Literal

from layerloom.catalogue.introspection.docstrings import plain

Kind = Literal["shape", "parameters", "attributes", "returns", "examples", "note", "warning"]

_KINDS: dict[str, Kind] = {
    "args": "parameters",
    "arguments": "parameters",
    "parameters": "parameters",
    "params": "parameters",
    "keyword args": "parameters",
    "keyword arguments": "parameters",
    "other parameters": "parameters",
    "attributes": "attributes",
    "variables": "attributes",
    "shape": "shape",
    "shapes": "shape",
    "inputs": "shape",
    "outputs": "shape",
    "return": "returns",
    "returns": "returns",
    "yields": "returns",
    "example": "examples",
    "examples": "examples",
    "usage": "examples",
    "note": "note",
    "notes": "note",
    "warning": "warning",
    "warnings": "warning",
}
SECTION, ENTRY, CODE = "layerloom-section", "layerloom-entry", "layerloom-code"
"""The directives that are written here and understood in ``parsing``."""
_TITLED = ("inputs", "outputs")
"""Several of one kind, which are told apart by their titles."""

_HEAD = re.compile(r"^(?P<indent> *)(?P<title>[A-Z][A-Za-z]*(?: [A-Za-z]+)?)\s?(?P<colons>::?)(?:\s+(?P<rest>.*))?$")
_ENTRY = re.compile(
    r"^(?:[-*] +)?\*{0,2}`{0,2}(?P<name>[\w.\[\]]+(?: *, *[\w.\[\]]+)*)`{0,2}\*{0,2} *(?:\((?P<type>.*?)\))? *"
    r"(?::(?!`)| – | -- )\s*(?P<text>.*)$"
)
_ITEM = re.compile(r"^[-*] ")
_SLIPS = (
    (re.compile(r"^( *\.\. (?:note|warning|math|seealso)):(?=\s|$)", re.M), r"\1::"),
    (re.compile(r"(?<=\S)\n( *\.\. (?:note|warning|math|seealso)::)"), r"\n\n\1"),
    (re.compile(r"(:[a-z]+:)\\`([^`\\]*)\\`"), r"\1`\2`"),
    (re.compile(r"(:[a-z]+:)\s+`\s*([^`]*?)\s*`"), r"\1`\2`"),
)
"""What is meant, where torch writes a colon too few, no empty line, or a space or a backslash too many."""


def directives(text: str) -> str:
    """The text with each section that is known as a directive. Lines of other sections stay as they are."""
    text = text.expandtabs(8)
    for slip, meant in _SLIPS:
        text = slip.sub(meant, text)
    lines = text.splitlines()
    written: list[str] = []
    while lines:
        line = lines.pop(0)
        head = _HEAD.match(line)
        kind = _KINDS.get(head["title"].lower()) if head else None
        if head is None or kind is None:
            written.append(line)
            continue
        body = _block(lines, len(head["indent"]))
        if not body and not head["rest"]:
            written.append("")
            continue
        made = _directive(kind, head["title"], head["rest"] or "", body, literal=head["colons"] == "::")
        written += ["", *(f"{head['indent']}{one}".rstrip() for one in made), ""]
    return "\n".join(written)


def _block(lines: list[str], indent: int) -> list[str]:
    """Takes the lines that belong to a head: those that stand deeper, or a list that follows at once."""
    taken: list[str] = []
    while lines:
        depth = len(lines[0]) - len(lines[0].lstrip())
        listed = depth == indent and _ITEM.match(lines[0].strip()) and all(_of_list(one, indent) for one in taken)
        if lines[0].strip() and depth <= indent and not listed:
            break
        taken.append(lines.pop(0))
    return textwrap.dedent("\n".join(taken)).strip("\n").splitlines()


def _of_list(line: str, indent: int) -> bool:
    return not line.strip() or line[: indent + 1].strip() == "" or bool(_ITEM.match(line.strip()))


def _directive(kind: Kind, title: str, rest: str, body: list[str], *, literal: bool) -> Iterator[str]:
    if kind in ("note", "warning"):
        yield from _written(kind, "", [*([rest] if rest else []), *body])
        return
    if kind in ("parameters", "attributes"):
        body = [one for entry in _entries(([rest] if rest else []) + body) for one in entry]
    elif kind == "examples" and body and (literal or body[0].startswith(">>>")):
        body = list(_written(CODE, "", body))
    elif title.lower() in _TITLED:
        body = [f"**{title}**{': ' if rest else ''}{rest}", "", *body]
    elif rest:
        body = [rest, *body]
    yield from _written(SECTION, kind, body)


def _entries(lines: list[str]) -> Iterator[list[str]]:
    """Each ``name (type): text``, with the lines that stand deeper; what is none stays text."""
    while lines:
        line, rest = lines[0], lines[1:]
        deeper = next((at for at, one in enumerate(rest) if one.strip() and one[0] != " "), len(rest))
        body, lines = textwrap.dedent("\n".join(rest[:deeper])).splitlines(), rest[deeper:]
        entry = _ENTRY.match(line)
        if entry is None:
            yield [line, *rest[:deeper]]
        else:
            title = f"{entry['name']} | {plain(entry['type'] or '')}"
            yield list(_written(ENTRY, title, [entry["text"], *_apart(body)]))


def _apart(lines: list[str]) -> Iterator[str]:
    """A list that follows a sentence at once is a list, too, although reStructuredText wants an empty line before."""
    before = "- "
    for line in lines:
        if _ITEM.match(line) and before.strip() and not _ITEM.match(before) and before[0] != " ":
            yield ""
        yield line
        before = line


def _written(directive: str, argument: str, body: list[str]) -> Iterator[str]:
    yield f".. {directive}:: {argument}".rstrip()
    yield ""
    yield from (f"   {line}".rstrip() for line in body)
    yield ""
