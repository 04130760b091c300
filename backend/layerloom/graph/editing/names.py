"""Names that are free."""

from __future__ import annotations

import re
from collections.abc import Container

_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z0-9]+|[A-Z]+[0-9]*")


def unique(wanted: str, taken: Container[str]) -> str:
    """The wanted name, or the first of ``name2``, ``name3``, … that is free."""
    if wanted not in taken:
        return wanted
    stem = wanted.rstrip("0123456789") or wanted
    number = 2
    while f"{stem}{number}" in taken:
        number += 1
    return f"{stem}{number}"


def snake(label: str) -> str:
    """``ConvBlock`` → ``conv_block``: what an instance of a class is called."""
    return "_".join(_WORDS.findall(label)).lower() or "part"
