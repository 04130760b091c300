"""Events as they go to a viewer: JSON, or for columns of numbers a block of memory that a browser need not parse.

Such a block begins with the byte 1, three that are 0, and the length of its head (uint32, little-endian). The head is a
JSON object, filled up with spaces to a multiple of 8 bytes: ``run``, ``seq``, ``at``, ``kind``, the ``length`` of the
columns, the names of the ``series`` and ``nonfinite``, all as in the event. Behind it lie the columns as float64,
little-endian: steps, epochs, times, and one for each series, with NaN where the event has null.
"""

from __future__ import annotations

import struct
from typing import Any, Final

import numpy as np
import orjson

_LEAD: Final = struct.Struct("<B3xI")
_MARK: Final = b'"kind":"metrics"'
_WITHIN: Final = 160
"""Bytes: an event says what it is before it says anything that a trainer has chosen."""
_ALIGNED: Final = 8


def as_block(event: bytes) -> bytes:
    """A stored event's columns as a block; any other event as it is."""
    if _MARK not in event[:_WITHIN]:
        return event
    said: dict[str, Any] = orjson.loads(event)
    columns = [said.pop(name) for name in ("steps", "epochs", "times")]
    series: dict[str, list[float | None]] = said["series"]
    columns += series.values()
    length = len(columns[0])
    if any(len(column) != length for column in columns):
        return event
    head = orjson.dumps({**said, "length": length, "series": list(series)})
    head += b" " * (-len(head) % _ALIGNED)
    # None becomes NaN.
    return _LEAD.pack(1, len(head)) + head + np.array(columns, np.float64).astype("<f8", copy=False).tobytes()


def is_block(event: bytes) -> bool:
    """Whether it is no JSON."""
    return event[:1] == b"\1"
