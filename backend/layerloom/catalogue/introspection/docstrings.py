"""Reading torch's docstrings: the first paragraph, what is said of each argument, and the choices that it names."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_ROLE = re.compile(r":[\w:]+:`(?:[^`<]*<)?~?([^`>]*)>?`")
_LINK = re.compile(r"`([^`<]+?)\s*(?:<[^`>]*>)?`_+")
_LITERAL = re.compile(r"``?([^`]*)``?")
_EMPHASIS = re.compile(r"\*{1,2}([^*\s][^*]*)\*{1,2}")
_FOOTNOTE = re.compile(r"\s*\[[^\]\s]+\]_|\|\w+\|_?")
_LOOSE = re.compile(r"\s+([.,;:])")
_STOP = re.compile(r"\.(?=\s+[A-Z(]|$)")
_SPACE = re.compile(r"\s+")
_MATH = re.compile(r":math:`([^`]*)`")
# What TeX a sentence of torch's documentation holds that plain text can say.
_TEX = (
    (re.compile(r"\\(?:text|textit|textbf|mathrm|mathit|operatorname\*?)\{([^{}]*)\}"), r"\1"),
    (re.compile(r"\\(?:times|cdot)\b"), "×"),
    (re.compile(r"\\leq?\b"), "≤"),
    (re.compile(r"\\geq?\b"), "≥"),
    (re.compile(r"\\l?dots\b"), "…"),
    (re.compile(r"\\(?:left|right|,|;|!|quad)"), ""),
    (re.compile(r"\\_"), "_"),
    (re.compile(r"\\\\"), " "),
    (
        re.compile(
            r"\\(alpha|beta|gamma|delta|epsilon|lambda|mu|rho|sigma|tau|theta|eta|pi|phi|infty|log|exp|max|min|tanh)\b"
        ),
        r"\1",
    ),
)
_SIGNATURE = re.compile(r"^[\w.]+\s*\(.*?\)\s*(?:->.*)?$", re.S)
_ARGUMENT = re.compile(
    r"^(?:[-*]\s+)?\*{0,2}`{0,2}(\w+(?:\s*,\s*\w+)*)`{0,2}\*{0,2}\s*(?:\(([^\n]*?)\))?\s*(?::| – | -- )\s*(.*)$"
)
_SECTION = re.compile(
    r"^(?:Args|Arguments|Parameters|Keyword args|Keyword arguments|Keyword Args|Keyword Arguments):\s*$"
)
_END = re.compile(r"^(?:\.\. |[A-Z][\w ]*::?\s*$)")
_QUOTED = re.compile(r"[`\s(|\[]['\"]([a-zA-Z][\w-]*)['\"]")


@dataclass(frozen=True, slots=True)
class Said:
    """What a docstring says of one argument: ``name (type): text``."""

    type: str
    text: str

    def choices(self) -> list[str]:
        """The words in quotes, in order of mention: ``'zeros'``, ``'reflect'``."""
        return list(dict.fromkeys(_QUOTED.findall(f" {self.type} {self.text}")))

    def sentence(self) -> str:
        """The first sentence, as plain text."""
        return first_sentence(plain(first_sentence(self.text)))


@lru_cache(maxsize=4096)
def text_of(documented: Any) -> str:
    """An object's own docstring, dedented, without the signature that torch's C++ functions begin with."""
    doc = inspect.cleandoc(getattr(documented, "__doc__", None) or "")
    head, _, rest = doc.partition("\n\n")
    while head and _SIGNATURE.match(head.strip()):
        head, _, rest = rest.strip("\n").partition("\n\n")
    return f"{head}\n\n{rest}".strip()


def summary(documented: Any) -> str:
    """First paragraph as plain text; empty where there is none."""
    paragraphs = (part for part in text_of(documented).split("\n\n") if part.strip())
    first = next((part for part in paragraphs if not part.lstrip().startswith("..") and part[0] != " "), "")
    # A sentence that ends with a colon announces a formula that is not part of the paragraph.
    announced = first.rstrip().endswith(":") and re.search(r"\.\s+[A-Z][^.]*$", first)
    return plain(first[: announced.start() + 1] if announced else first)


def plain(rest: str) -> str:
    """reStructuredText to plain text: roles and literals keep their words, formulas that plain text cannot say go."""
    if "`" in rest:
        rest = _MATH.sub(lambda match: _formula(match[1]), rest)
        rest = _ROLE.sub(lambda match: match[1].removeprefix("~"), rest)
        rest = _LINK.sub(r"\1", rest)
        rest = _LITERAL.sub(r"\1", rest)
    if "*" in rest:
        rest = _EMPHASIS.sub(r"\1", rest)
    if "_" in rest or "|" in rest:
        rest = _FOOTNOTE.sub("", rest)
    rest = _SPACE.sub(" ", rest.replace("\\ ", "").replace("\\", "").replace("`", "")).strip()
    return _LOOSE.sub(r"\1", rest).removesuffix("::").removesuffix(":")


def first_sentence(text: str) -> str:
    """Up to the first full stop that ends a sentence."""
    match = _STOP.search(text)
    return text[: match.start()] if match else text


def arguments(text: str) -> dict[str, Said]:
    """What a docstring says of each argument, from its ``Args:`` sections."""
    found: dict[str, Said] = {}
    lines = text.splitlines()
    for start, line in enumerate(lines):
        if _SECTION.match(line.strip()):
            found.update(_section(lines[start + 1 :], indent=len(line) - len(line.lstrip())))
    return found


def _section(lines: list[str], indent: int) -> dict[str, Said]:
    found: dict[str, Said] = {}
    names: list[str] = []
    depth: int | None = None
    for line in lines:
        if not line.strip():
            continue
        here = len(line) - len(line.lstrip())
        if here <= indent and (_END.match(line.strip()) or here < indent or depth not in (None, here)):
            break
        depth = here if depth is None else depth
        match = _ARGUMENT.match(line.strip()) if here == depth else None
        if match:
            names = [name.strip() for name in match[1].split(",")]
            found.update((name, Said(type=match[2] or "", text=match[3])) for name in names)
        elif here > depth:
            found.update((n, Said(type=found[n].type, text=f"{found[n].text}\n{line.strip()}")) for n in names)
    return found


def _formula(tex: str) -> str:
    for pattern, replacement in _TEX:
        tex = pattern.sub(replacement, tex)
    return "" if "\\" in tex else tex.replace("{", "").replace("}", "")
