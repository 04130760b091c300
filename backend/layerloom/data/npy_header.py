"""The head of an ``.npy`` file: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

NumPy's own reader evaluates the head as a Python literal, of any length, and raises whatever that raises. A plain array
needs three entries of a fixed form, so these are matched and nothing is evaluated.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import IO, Any

import numpy as np

from layerloom.data.parse import refuse

MAGIC = b"\x93NUMPY"
MAX_LENGTH = 10_000
"""Of the text, in bytes; numpy's own limit."""
MAX_DIMENSIONS = 32
_ENTRY = re.compile(
    r"""\s*(['"])(?P<key>\w+)\1\s*:\s*"""
    r"""(?:(['"])(?P<descr>[<>|=]?[A-Za-z?][0-9]{0,4})\3|(?P<fortran>True|False)|\((?P<shape>[0-9L,\s]*)\))\s*(?:,|$)""",
    re.ASCII,
)
_SIZES = re.compile(r"\s*(?:[0-9]{1,18}L?\s*,\s*)*(?:[0-9]{1,18}L?\s*)?", re.ASCII)


@dataclass(frozen=True)
class Header:
    """What an array declares about itself. ``length`` is the number of bytes before its first element."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    fortran: bool
    length: int

    @property
    def bytes(self) -> int:
        """Size of all elements."""
        return math.prod(self.shape) * self.dtype.itemsize


def read_header(stream: IO[bytes], name: str) -> Header:
    """Read the head and leave the stream at the first element.

    Raises:
        DataError: it is no head of a plain array.
    """
    start = stream.read(8)
    if len(start) < 8 or start[:6] != MAGIC or start[6] not in (1, 2):
        raise refuse(f"Array {name!r} cannot be read: it does not begin as an .npy file does.")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    text = stream.read(min(length, MAX_LENGTH)).decode("latin-1")
    entries = _entries(text) if len(text) == length else {}
    if set(entries) != {"descr", "fortran_order", "shape"}:
        raise refuse(f"Array {name!r} cannot be read: its header is not that of a plain array.")
    return Header(
        shape=_shape(entries["shape"], name),
        dtype=_dtype(entries["descr"], name),
        fortran=entries["fortran_order"] == "True",
        length=8 + width + length,
    )


def _entries(text: str) -> dict[str, str]:
    """The texts of the three values, or of fewer where the head has another form."""
    body = text.strip()
    if not (body.startswith("{") and body.endswith("}")):
        return {}
    body, at = body[1:-1].rstrip(), 0
    found: dict[str, str] = {}
    kinds = {"descr": "descr", "fortran_order": "fortran", "shape": "shape"}
    while at < len(body):
        match = _ENTRY.match(body, at)
        value = match and match[kinds.get(match["key"], "key")]
        if match is None or value is None or match["key"] in found:
            return {}
        found[match["key"]] = value
        at = match.end()
    return found


def _shape(text: str, name: str) -> tuple[int, ...]:
    # Without a comma it is a number in brackets and no tuple.
    tuples = _SIZES.fullmatch(text) and ("," in text or not text.strip())
    sizes = tuple(int(size) for size in re.findall(r"[0-9]+", text)) if tuples else None
    if sizes is None or len(sizes) > MAX_DIMENSIONS:
        raise refuse(f"Array {name!r} cannot be read: its shape is not a list of at most {MAX_DIMENSIONS} sizes.")
    return sizes


def _dtype(text: str, name: str) -> np.dtype[Any]:
    try:
        dtype = np.dtype(text)
    except TypeError:
        raise refuse(f"Array {name!r} cannot be read: its header names an unknown type.") from None
    if dtype.hasobject or dtype.kind not in "biuf":
        raise refuse(f"Array {name!r} holds {dtype}; only whole numbers, floats and booleans are read.")
    return dtype
